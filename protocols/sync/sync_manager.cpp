#include "protocols/sync/sync_manager.hpp"

#include <utility>

#include "model/check.hpp"
#include "protocols/sync/gate_keeper.hpp"
#include "protocols/sync/repair_queue.hpp"
#include "protocols/sync/source_server.hpp"

namespace rejoin {

namespace sync_detail {

REGISTER_MESSAGE(FreshnessRequest, Purpose::repair);
REGISTER_MESSAGE(FreshnessReply, Purpose::repair);
REGISTER_MESSAGE(FetchRequest, Purpose::repair);
REGISTER_MESSAGE(FetchReply, Purpose::repair);

}  // namespace sync_detail

using namespace sync_detail;

struct SyncManager::Impl {
  Impl(Env& machine, NodeBus& bus, NodeId self, SyncOptions options, VersionScheme versions,
       std::uint32_t replication, const ClusterStateMachine& cluster, Store& store, Gate& gate)
      : context{.env = {machine, Channel::sync, kFilePrefix},
                .bus = bus,
                .self = self,
                .options = std::move(options),
                .versions = versions,
                .replication = replication,
                .cluster = cluster,
                .store = store,
                .gate = gate},
        queue(context, [this](PartitionId partition,
                              MonotonicTime started) { keeper.on_completed(partition, started); }),
        keeper(context, queue, mechanisms),
        server(context, [this](PartitionId partition) { return keeper.is_repaired(partition); }) {}

  SyncContext context;
  std::vector<std::unique_ptr<Mechanism>> mechanisms;
  RepairQueue queue;
  GateKeeper keeper;
  SourceServer server;
};

SyncManager::SyncManager(Env& machine, NodeBus& bus, NodeId self, SyncOptions options,
                         VersionScheme versions, std::uint32_t replication,
                         const ClusterStateMachine& cluster, Store& store, Gate& gate)
    : impl_(std::make_unique<Impl>(machine, bus, self, std::move(options), versions, replication,
                                   cluster, store, gate)) {
  CHECK_THAT(impl_->context.options.fetches_in_flight > 0);
  CHECK_THAT(impl_->context.options.fetch_attempts > 0);
  for (const SyncOptions::Mechanism& chosen : impl_->context.options.mechanisms) {
    const MechanismSpec* const spec = Mechanisms::find(chosen.name);
    CHECK_THAT(spec != nullptr);
    impl_->mechanisms.push_back(spec->make(*this, chosen.params));
  }
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

MergeRule SyncManager::natural_merge() const {
  switch (impl_->context.versions) {
    case VersionScheme::none:
      return MergeRule::overwrite;
    case VersionScheme::timestamp:
      return MergeRule::newest;
  }
  return MergeRule::overwrite;
}

void SyncManager::set_fetch_function(FetchFunction fetch) {
  impl_->queue.client().set_fetch_function(std::move(fetch));
}

void SyncManager::start() {
  impl_->keeper.start();
}

bool SyncManager::on_message(Address from, MessageKind kind, ByteView body) {
  if (kind == FreshnessRequest::kind) {
    const auto message = decode<FreshnessRequest>(body);
    return message && impl_->server.on_freshness(from, *message);
  }
  if (kind == FetchRequest::kind) {
    const auto message = decode<FetchRequest>(body);
    return message && impl_->server.on_fetch(from, *message);
  }
  if (kind == FreshnessReply::kind) {
    const auto message = decode<FreshnessReply>(body);
    return message && impl_->queue.client().on_freshness(from, *message);
  }
  if (kind == FetchReply::kind) {
    auto message = decode<FetchReply>(body);
    return message && impl_->queue.client().on_chunk(from, *std::move(message));
  }
  return false;
}

void SyncManager::on_timer(TimerId timer) {
  if (timer == kQueueTimer) return impl_->queue.on_queue_timer();
  if (timer == kSettleTimer) return impl_->keeper.on_settle_timer();
  if (timer.value >= kQuestionTimers) {
    return impl_->queue.client().on_timer(timer.value - kQuestionTimers);
  }
  CHECK_THAT(timer.value >= kPauseTimers);
  const std::uint64_t partition = timer.value - kPauseTimers;
  impl_->queue.on_pause_timer(PartitionId(static_cast<std::uint32_t>(partition)));
}

void SyncManager::on_io(const IoDone& done) {
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
          impl_->queue.on_durable();
        } else if constexpr (Keeps<GateKeeper, Event>) {
          impl_->keeper.on_event(what);
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
