#include "protocols/sync/sync_manager.hpp"

#include <utility>

#include "model/check.hpp"
#include "protocols/sync/compare_server.hpp"
#include "protocols/sync/gate_keeper.hpp"
#include "protocols/sync/repair_queue.hpp"
#include "protocols/sync/source_server.hpp"
#include "protocols/sync/tombstones.hpp"

namespace rejoin {

namespace sync_detail {

REGISTER_MESSAGE(FreshnessRequest, Purpose::repair);
REGISTER_MESSAGE(FreshnessReply, Purpose::repair);
REGISTER_MESSAGE(FetchRequest, Purpose::repair);
REGISTER_MESSAGE(FetchReply, Purpose::repair);
REGISTER_MESSAGE(MerkleAsk, Purpose::repair);
REGISTER_MESSAGE(MerkleTold, Purpose::repair);
REGISTER_MESSAGE(ListAsk, Purpose::repair);
REGISTER_MESSAGE(ListTold, Purpose::repair);
REGISTER_MESSAGE(PullRequest, Purpose::repair);
REGISTER_MESSAGE(PullReply, Purpose::repair);
REGISTER_MESSAGE(PushRequest, Purpose::repair);
REGISTER_MESSAGE(PushReply, Purpose::repair);
REGISTER_MESSAGE(TombstoneOffer, Purpose::repair);
REGISTER_MESSAGE(TombstoneHeld, Purpose::repair);
REGISTER_MESSAGE(TombstoneDrop, Purpose::repair);
REGISTER_MESSAGE(HintDelivery, Purpose::repair);
REGISTER_MESSAGE(HintDelivered, Purpose::repair);

}  // namespace sync_detail

using namespace sync_detail;

struct SyncManager::Impl {
  Impl(Env& machine, NodeBus& bus, NodeId self, SyncOptions options, std::uint32_t replication,
       const ClusterStateMachine& cluster, Store& store, Gate& gate, Coordination& wanted)
      : context{.env = {machine, Channel::sync, kFilePrefix},
                .bus = bus,
                .self = self,
                .options = std::move(options),
                .replication = replication,
                .cluster = cluster,
                .store = store,
                .gate = gate},
        coordination(wanted),
        trees(context),
        queue(
            context, trees,
            [this](PartitionId partition, MonotonicTime started) {
              keeper.on_completed(partition, started);
            },
            [this](PartitionId partition, const std::string& mechanism) {
              on_pass_ended(partition, mechanism);
            },
            [this](PartitionId partition, NodeId source, MonotonicTime began) {
              tombstones.on_met(partition, source, began);
            },
            [this](PartitionId partition) { return keeper.vouches_for(partition); }),
        tombstones(context),
        keeper(context, queue, mechanisms),
        server(context, [this](PartitionId partition) { return keeper.is_repaired(partition); }),
        compare_server(context, trees,
                       [this](PartitionId partition) { return keeper.is_repaired(partition); }),
        hint_taker(context) {}

  void on_pass_ended(PartitionId partition, const std::string& mechanism) {
    for (std::size_t i = 0; i < mechanisms.size(); ++i) {
      if (context.options.mechanisms[i].name == mechanism) mechanisms[i]->on_pass_ended(partition);
    }
  }

  SyncContext context;
  Coordination& coordination;
  std::vector<std::unique_ptr<Mechanism>> mechanisms;
  TreeKeeper trees;
  RepairQueue queue;
  TombstoneKeeper tombstones;
  GateKeeper keeper;
  SourceServer server;
  CompareServer compare_server;
  std::optional<HintReplay> hints;  // unless nobody wants any kept
  HintTaker hint_taker;
};

SyncManager::SyncManager(Env& machine, NodeBus& bus, NodeId self, SyncOptions options,
                         std::uint32_t replication, const ClusterStateMachine& cluster,
                         Store& store, Gate& gate, Coordination& coordination)
    : impl_(std::make_unique<Impl>(machine, bus, self, std::move(options), replication, cluster,
                                   store, gate, coordination)) {
  CHECK_THAT(impl_->context.options.fetches_in_flight > 0);
  CHECK_THAT(impl_->context.options.fetch_attempts > 0);
  for (const SyncOptions::Mechanism& chosen : impl_->context.options.mechanisms) {
    const MechanismSpec* const spec = Mechanisms::find(chosen.name);
    CHECK_THAT(spec != nullptr);
    impl_->mechanisms.push_back(spec->make(*this, chosen.params));
  }
  if (!impl_->trees.keeps() && !impl_->tombstones.collects()) return;
  store.set_change_listener(
      [this](PartitionId partition, const Key& key, const Record* /*before*/, const Record* after) {
        impl_->trees.on_change(partition, key, after);
        impl_->tombstones.on_change(partition, key, after);
      });
}

SyncManager::~SyncManager() = default;

void SyncManager::repair(RepairRequest request) {
  impl_->queue.add(std::move(request));
}

std::vector<NodeId> SyncManager::replicas_of(PartitionId partition) const {
  const SyncContext& context = impl_->context;
  std::vector<NodeId> replicas;
  if (partition.value >= context.map().partition_count()) return replicas;
  for (const NodeId owner : context.map().owners_of(partition)) {
    if (owner != context.self && context.member(owner) != nullptr) replicas.push_back(owner);
  }
  return replicas;
}

void SyncManager::set_fetch_function(FetchFunction fetch) {
  impl_->queue.client().set_fetch_function(std::move(fetch));
}

void SyncManager::keep_trees(const TreeOptions& options) {
  CHECK_THAT(!options.shape.problem() && options.exchange.valid());
  impl_->trees.keep(options);
}

void SyncManager::repair_reads(const ReadRepair& how) {
  impl_->coordination.read_repair = how;
}

void SyncManager::keep_hints(const HintOptions& options) {
  impl_->coordination.hints = &impl_->hints.emplace(impl_->context, options);
}

void SyncManager::arm(const Mechanism& mechanism, std::uint64_t number, MonotonicTime deadline) {
  CHECK_THAT(number < 1ULL << kMechanismShift);
  for (std::uint64_t place = 0; place < impl_->mechanisms.size(); ++place) {
    if (impl_->mechanisms[place].get() != &mechanism) continue;
    const TimerId timer(kMechanismTimers + (place << kMechanismShift) + number);
    impl_->context.env.arm(timer, deadline);
  }
}

MonotonicTime SyncManager::now() const {
  return impl_->context.env.now();
}

std::uint64_t SyncManager::random(std::string_view label, std::uint64_t what,
                                  std::uint64_t attempt) {
  return impl_->context.env.random(label, what, attempt);
}

std::vector<PartitionId> SyncManager::owned() const {
  std::vector<PartitionId> out;
  if (!impl_->keeper.has_returned()) return out;
  for (std::uint32_t p = 0; p < impl_->context.map().partition_count(); ++p) {
    if (impl_->context.is_owner(PartitionId(p))) out.emplace_back(p);
  }
  return out;
}

void SyncManager::start() {
  impl_->keeper.start();
  if (impl_->hints) impl_->hints->start();
  for (const auto& mechanism : impl_->mechanisms) mechanism->start();
}

namespace {

// Whom a message is for, by its kind; false when it is none of its kind.
template <class Message, class Handle>
bool handled(ByteView body, Handle handle) {
  auto message = decode<Message>(body);
  return message && handle(*std::move(message));
}

}  // namespace

bool SyncManager::on_message(Address from, MessageKind kind, ByteView body) {
  Impl& own = *impl_;
  if (own.hints) own.hints->heard(from);
  const auto is = [kind](MessageKind other) { return kind == other; };
  const auto to = [&]<class Message>(auto&& part, auto method, std::type_identity<Message>) {
    return handled<Message>(
        body, [&](Message message) { return (part.*method)(from, std::move(message)); });
  };
  using std::type_identity;
  Reconciler& asker = own.queue.reconciler();
  SourceClient& client = own.queue.client();
  CompareServer& teller = own.compare_server;
  if (is(FreshnessRequest::kind)) {
    return to(own.server, &SourceServer::on_freshness, type_identity<FreshnessRequest>());
  }
  if (is(FetchRequest::kind)) {
    return to(own.server, &SourceServer::on_fetch, type_identity<FetchRequest>());
  }
  if (is(FreshnessReply::kind)) {
    return to(client, &SourceClient::on_freshness, type_identity<FreshnessReply>());
  }
  if (is(FetchReply::kind)) {
    return to(client, &SourceClient::on_chunk, type_identity<FetchReply>());
  }
  if (is(MerkleAsk::kind)) return to(teller, &CompareServer::on_merkle, type_identity<MerkleAsk>());
  if (is(ListAsk::kind)) return to(teller, &CompareServer::on_list, type_identity<ListAsk>());
  if (is(PullRequest::kind)) {
    return to(teller, &CompareServer::on_pull, type_identity<PullRequest>());
  }
  if (is(PushRequest::kind)) {
    return to(teller, &CompareServer::on_push, type_identity<PushRequest>());
  }
  if (is(TombstoneOffer::kind)) {
    return to(own.tombstones, &TombstoneKeeper::on_offer, type_identity<TombstoneOffer>());
  }
  if (is(TombstoneHeld::kind)) {
    return to(own.tombstones, &TombstoneKeeper::on_held, type_identity<TombstoneHeld>());
  }
  if (is(TombstoneDrop::kind)) {
    return to(own.tombstones, &TombstoneKeeper::on_drop, type_identity<TombstoneDrop>());
  }
  if (is(MerkleTold::kind)) return to(asker, &Reconciler::on_merkle, type_identity<MerkleTold>());
  if (is(ListTold::kind)) return to(asker, &Reconciler::on_list, type_identity<ListTold>());
  if (is(PullReply::kind)) return to(asker, &Reconciler::on_pulled, type_identity<PullReply>());
  if (is(PushReply::kind)) return to(asker, &Reconciler::on_pushed, type_identity<PushReply>());
  if (is(HintDelivery::kind)) {
    return to(own.hint_taker, &HintTaker::on_delivery, type_identity<HintDelivery>());
  }
  // Who keeps none has asked nobody: the answer is to a life before this one, with other options.
  if (is(HintDelivered::kind)) {
    return own.hints && to(*own.hints, &HintReplay::on_delivered, type_identity<HintDelivered>());
  }
  return false;
}

void SyncManager::on_timer(TimerId timer) {
  if (timer == kHintTimer) return impl_->hints->on_timer();
  if (timer == kQueueTimer) return impl_->queue.on_queue_timer();
  if (timer == kSettleTimer) return impl_->keeper.on_settle_timer();
  if (timer == kTombstoneTimer) return impl_->tombstones.on_sweep_timer();
  if (timer.value >= kMechanismTimers) {
    const std::uint64_t own = timer.value - kMechanismTimers;
    const std::uint64_t place = own >> kMechanismShift;
    CHECK_THAT(place < impl_->mechanisms.size());
    return impl_->mechanisms[place]->on_timer(own & ((1ULL << kMechanismShift) - 1));
  }
  if (timer.value >= kCompareTimers) {
    return impl_->queue.reconciler().on_timer(timer.value - kCompareTimers);
  }
  if (timer.value >= kQuestionTimers) {
    return impl_->queue.client().on_timer(timer.value - kQuestionTimers);
  }
  CHECK_THAT(timer.value >= kPauseTimers);
  const std::uint64_t partition = timer.value - kPauseTimers;
  impl_->queue.on_pause_timer(PartitionId(static_cast<std::uint32_t>(partition)));
}

void SyncManager::on_io(const IoDone& done) {
  if (HintLog::owns(done.token)) return impl_->hints->on_io(done);
  impl_->keeper.on_io(done);
}

namespace {

// What each local event means to the parts; those that mean nothing here end in the last overload.
template <class Keeper, class Event>
concept Keeps = requires(Keeper& keeper, const Event& event) { keeper.on_event(event); };

}  // namespace

void SyncManager::on_local(const LocalEvent& event) {
  std::visit(
      [this]<class Event>(const Event& what) {
        if constexpr (std::is_same_v<Event, local::StoreDurable>) {
          impl_->server.on_durable();
          impl_->compare_server.on_durable();
          impl_->tombstones.on_durable();
          impl_->queue.on_durable();
          impl_->hint_taker.on_store_durable();
          if (impl_->hints) impl_->hints->on_store_durable();
        } else if constexpr (Keeps<GateKeeper, Event>) {
          if constexpr (std::is_same_v<Event, local::StoreRecovered>) {
            impl_->tombstones.on_store_ready();
          }
          impl_->keeper.on_event(what);
        }
        if constexpr (std::is_same_v<Event, local::ClusterChanged>) {
          if (impl_->hints) impl_->hints->on_cluster_changed(what);
        }
      },
      event);
}

std::vector<DiskFile> sync_founding_files() {
  const ByteView content = as_bytes(kFounding);
  return {{.name = std::string(kFilePrefix) + "." + std::string(kStateFile),
           .content = Bytes(content.begin(), content.end())}};
}

}  // namespace rejoin
