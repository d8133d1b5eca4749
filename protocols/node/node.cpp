#include "protocols/node/node.hpp"

#include <array>
#include <deque>
#include <utility>

#include "model/check.hpp"
#include "protocols/client/coordinator.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/membership/membership.hpp"
#include "protocols/node/component.hpp"
#include "protocols/node/wire_env.hpp"
#include "protocols/partitioning/partitioning.hpp"
#include "protocols/partitioning/placement.hpp"
#include "protocols/raft/raft.hpp"
#include "protocols/store/store.hpp"
#include "protocols/sync/coordination.hpp"
#include "protocols/sync/gate.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin {

namespace {

// Local events that one outside event may cause. A component that answers each event with another
// would spin for ever without this bound.
constexpr std::size_t kLocalEventsMax = 1'000'000;

class Bus final : public NodeBus {
 public:
  Bus(Observer& observer, NodeId self) : observer_(observer) { source_.node = self; }

  void post(LocalEvent event) override {
    if (const auto* identity = std::get_if<local::IdentityKnown>(&event)) {
      source_.incarnation = identity->incarnation;
    }
    events_.push_back(std::move(event));
  }
  void publish(const Fact& fact) override { observer_.on_fact(source_, fact); }

  // Delivers what was posted, and what that posts, to every component in order.
  template <class Components>
  void drain(const Components& components) {
    for (std::size_t n = 0; !events_.empty(); ++n) {
      CHECK_THAT(n < kLocalEventsMax);
      const LocalEvent event = std::move(events_.front());
      events_.pop_front();
      for (Component* component : components) component->on_local(event);
    }
  }

 private:
  Observer& observer_;
  FactSource source_;
  std::deque<LocalEvent> events_;
};

constexpr std::uint64_t kIdMask = (1ULL << kChannelShift) - 1;

}  // namespace

struct Node::Impl {
  Impl(Env& machine, Observer& observer, const NodeConfig& config)
      : bus(observer, config.node),
        env(machine, config.reads),
        cluster(bus, config.options.partitioning.partitions),
        gate(config.options.partitioning.partitions,
             config.options.sync.gate == GateMode::redirect),
        raft(env, bus, config.node, config.options.raft),
        membership(env, bus, config.node, config.options.membership, config.options.raft.learners,
                   config.seeds, cluster, raft),
        partitioning(env, bus, config.node, config.options.partitioning, cluster, raft),
        store(env, bus, config.options.store, config.options.partitioning.partitions),
        coordinator(env, bus, config.node, config.options.coordinator, cluster, raft, store, gate,
                    coordination, config.options.partitioning),
        sync(env, bus, config.node, config.options.sync, config.options.partitioning.replication,
             cluster, store, gate, coordination),
        components{&raft, &membership, &partitioning, &store, &coordinator, &sync} {
    raft.add_group(kClusterGroup, cluster);
  }

  // Null when no component has the channel: the id or kind is not one of ours.
  [[nodiscard]] Component* find(Channel channel) const {
    for (Component* component : components) {
      if (component->channel() == channel) return component;
    }
    return nullptr;
  }
  [[nodiscard]] Component& owner_of(std::uint64_t id) const {
    Component* const component = find(static_cast<Channel>(id >> kChannelShift));
    CHECK_THAT(component != nullptr);
    return *component;
  }
  void reject(std::string reason) {
    bus.publish(fact::MessageRejected{.reason = std::move(reason)});
  }

  Bus bus;
  WireEnv env;
  ClusterStateMachine cluster;
  Gate gate;
  Coordination coordination;
  raft::Raft raft;
  Membership membership;
  Partitioning partitioning;
  Store store;
  Coordinator coordinator;
  SyncManager sync;
  std::array<Component*, 6> components;
};

Node::Node(Env& env, Observer& observer, const NodeConfig& config)
    : impl_(std::make_unique<Impl>(env, observer, config)) {}
Node::~Node() = default;

void Node::start() {
  for (Component* component : impl_->components) component->start();
  impl_->bus.drain(impl_->components);
}

void Node::on_message(Address from, ByteView bytes) {
  const std::optional<Frame> frame = impl_->env.decode(from, bytes);
  if (!frame) return impl_->reject("corrupt frame");
  Component* const component = impl_->find(frame->kind.channel());
  const MessageSpec* const spec = find_message_spec(frame->kind);
  if (component == nullptr || spec == nullptr) return impl_->reject("unknown kind of message");
  if (!component->on_message(from, frame->kind, frame->body)) {
    impl_->reject(std::string(spec->name) + " from " + to_name(from));
  }
  impl_->bus.drain(impl_->components);
}

void Node::on_timer(TimerId timer) {
  impl_->owner_of(timer.value).on_timer(TimerId(timer.value & kIdMask));
  impl_->bus.drain(impl_->components);
}

void Node::on_io(const IoDone& done) {
  IoDone own = done;
  own.token = IoToken(done.token.value & kIdMask);
  impl_->owner_of(done.token.value).on_io(own);
  impl_->bus.drain(impl_->components);
}

namespace {

constexpr Incarnation kFirstIncarnation{1};

}  // namespace

Founding::Founding(ClusterId cluster, const std::vector<Founder>& founders,
                   const NodeOptions& options)
    : cluster_(cluster) {
  ClusterState state{.cluster = cluster};
  raft::Configuration configuration;
  std::uint32_t voters = 0;
  for (const Founder& founder : founders) {
    state.members[founder.node] = {
        .node = founder.node, .incarnation = kFirstIncarnation, .address = founder.address};
    state.incarnations[founder.node] = kFirstIncarnation;
    configuration.servers.push_back({.node = founder.node,
                                     .incarnation = kFirstIncarnation,
                                     .address = founder.address,
                                     .voter = voters++ < options.raft.voters_max});
  }
  auto map = make_map(Epoch(1), options.partitioning, state.member_ids());
  CHECK_THAT(map.has_value());  // whoever describes a cluster checks that it can be founded
  state.map = std::make_shared<const PartitionMap>(std::move(*map));
  shared_ = raft::bootstrap_files(kClusterGroup, configuration, encode_state(state));
  for (DiskFile& file : sync_founding_files()) shared_.push_back(std::move(file));
}

std::vector<DiskFile> Founding::files_of(NodeId self) const {
  std::vector<DiskFile> files = shared_;
  for (DiskFile& file : identity_files(self, kFirstIncarnation, cluster_)) {
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace rejoin
