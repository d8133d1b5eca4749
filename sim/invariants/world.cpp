#include "sim/invariants/world.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "model/check.hpp"

namespace rejoin::sim {

namespace {

void put(ShadowNode& node, PartitionId partition, const Key& key,
         const std::optional<ShadowRecord>& record) {
  if (record) {
    node.records[partition][key] = *record;
  } else {
    node.records[partition].erase(key);
  }
}

template <class T>
constexpr bool kIsChange =
    std::is_same_v<T, fact::BecameLeader> || std::is_same_v<T, fact::LostLeadership> ||
    std::is_same_v<T, fact::MembersApplied> || std::is_same_v<T, fact::MapApplied> ||
    std::is_same_v<T, fact::PartitionDropped> || std::is_same_v<T, fact::OperationInvoked> ||
    std::is_same_v<T, fact::OperationReturned> || std::is_same_v<T, fact::OperationAbandoned>;

bool changes_cluster(const Fact& fact, const ShadowNode* node) {
  return std::visit(
      [node](const auto& f) {
        using T = std::decay_t<decltype(f)>;
        if constexpr (std::is_same_v<T, fact::RecordWritten>) return f.stored;
        // Upkeep that finds nothing to do goes on for ever.
        if constexpr (std::is_same_v<T, fact::RepairCompleted>) return f.claims || f.changed != 0;
        if constexpr (std::is_same_v<T, fact::ProcessCrashed> ||
                      std::is_same_v<T, fact::ProcessHalted>) {
          return node != nullptr && node->leader;
        }
        return kIsChange<T>;
      },
      fact);
}

}  // namespace

std::string_view role_of(const ShadowNode& node) {
  if (node.renewed) return "renewed";
  return node.starts > 1 ? "restarted" : "unbroken";
}

World::World(const ClusterShape& shape) : partitions_(shape.partitions), copies_(shape.copies) {
  CHECK_THAT(shape.partitions >= 1);
  CHECK_THAT(shape.copies >= 1);
  for (std::uint32_t n = 1; n <= shape.nodes; ++n) shadow(NodeId(n));
  auto map = std::make_shared<PartitionMap>();
  map->owners.resize(shape.partitions);
  map_ = std::move(map);
}

ShadowNode& World::shadow(NodeId node) {
  ShadowNode& found = nodes_[node];
  found.node = node;
  return found;
}

const ShadowNode& World::node(NodeId node) const {
  const auto at = nodes_.find(node);
  CHECK_THAT(at != nodes_.end());
  return at->second;
}

void World::absorb(MonotonicTime at, std::uint64_t /*event*/, const FactSource& source,
                   const Fact& fact) {
  ++order_;
  ShadowNode* node = source.node.is_none() || source.twin ? nullptr : &shadow(source.node);
  if (changes_cluster(fact, node)) last_change_ = at;
  if (source.twin) {
    if (const auto* map = std::get_if<fact::MapApplied>(&fact)) absorb_map(*map);
    return;
  }
  if (node == nullptr) {
    absorb_client(at, fact);
    return;
  }
  if (!source.incarnation.is_none()) {
    if (node->incarnation != source.incarnation) node->renewed |= !node->incarnation.is_none();
    node->incarnation = source.incarnation;
  }
  absorb_node(at, *node, fact);
}

void World::absorb_node(MonotonicTime at, ShadowNode& node, const Fact& fact) {
  if (const auto* f = std::get_if<fact::RecordWritten>(&fact)) {
    absorb_record(node, *f);
  } else if (const auto* durable = std::get_if<fact::StoreDurable>(&fact)) {
    node.durable_seq = std::max(node.durable_seq, durable->up_to);
    auto& changes = node.volatile_changes;
    while (!changes.empty() && changes.front().seq <= node.durable_seq) {
      node.durable_changes.push_back(std::move(changes.front()));
      changes.pop_front();
    }
  } else if (const auto* applied = std::get_if<fact::EntryApplied>(&fact)) {
    if (applied->group == kClusterGroup) node.applied = std::max(node.applied, applied->index);
  } else if (std::holds_alternative<fact::ProcessStarted>(fact)) {
    node.up = true;
    ++node.starts;
    node.started = at;
  } else if (std::holds_alternative<fact::ProcessCrashed>(fact) ||
             std::holds_alternative<fact::ProcessHalted>(fact)) {
    crash(node);
  } else if (const auto* wiped = std::get_if<fact::DiskWiped>(&fact)) {
    wipe(node, *wiped);
  } else if (const auto* recovered = std::get_if<fact::StoreRecovered>(&fact)) {
    recover(node, recovered->up_to);
  } else if (const auto* dropped = std::get_if<fact::PartitionDropped>(&fact)) {
    drop(node, *dropped);
  } else if (const auto* log = std::get_if<fact::LogRecovered>(&fact)) {
    if (log->group == kClusterGroup) node.applied = std::max(node.applied, log->snapshot);
  } else if (const auto* snapshot = std::get_if<fact::SnapshotInstalled>(&fact)) {
    if (snapshot->group == kClusterGroup) node.applied = std::max(node.applied, snapshot->index);
  } else if (const auto* leads = std::get_if<fact::BecameLeader>(&fact)) {
    if (leads->group == kClusterGroup) {
      node.leader = true;
      node.leader_term = leads->term;
    }
  } else if (const auto* lost = std::get_if<fact::LostLeadership>(&fact)) {
    if (lost->group == kClusterGroup) node.leader = false;
  } else if (const auto* members = std::get_if<fact::MembersApplied>(&fact)) {
    absorb_members(node, *members);
  } else if (const auto* map = std::get_if<fact::MapApplied>(&fact)) {
    absorb_map(*map);
  } else if (const auto* started = std::get_if<fact::RepairStarted>(&fact)) {
    if (started->claims) node.repairing.insert(started->partition);
  } else if (const auto* completed = std::get_if<fact::RepairCompleted>(&fact)) {
    node.repairing.erase(completed->partition);
  } else if (const auto* failed = std::get_if<fact::RepairFailed>(&fact)) {
    node.repairing.erase(failed->partition);
  }
  node.repairs_under_way = static_cast<std::uint32_t>(node.repairing.size());
}

void World::absorb_client(MonotonicTime at, const Fact& fact) {
  if (const auto* invoked = std::get_if<fact::OperationInvoked>(&fact)) {
    invoke(invoked->operation);
  } else if (const auto* returned = std::get_if<fact::OperationReturned>(&fact)) {
    open_.erase(returned->operation.id);
    if (returned->operation.result == ResultKind::ok) acknowledge(at, returned->operation);
  } else if (const auto* abandoned = std::get_if<fact::OperationAbandoned>(&fact)) {
    open_.erase(abandoned->operation.id);
  }
}

// ---- Stores ----------------------------------------------------------------------------------

void World::absorb_record(ShadowNode& node, const fact::RecordWritten& written) {
  if (!written.stored) return;
  auto& records = node.records[written.partition];
  const auto at = records.find(written.key);
  ShadowNode::Change change{written.seq, written.partition, written.key, std::nullopt,
                            ShadowRecord{.origin = written.origin,
                                         .deleted = written.deleted || written.erased,
                                         .erased = written.erased,
                                         .seq = written.seq,
                                         .others = written.others}};
  if (at != records.end()) {
    change.before = at->second;
    at->second = *change.after;
  } else {
    records.emplace(written.key, *change.after);
  }
  if (written.seq > node.durable_seq) node.volatile_changes.push_back(std::move(change));
}

void World::drop(ShadowNode& node, const fact::PartitionDropped& dropped) {
  auto& records = node.records[dropped.partition];
  for (auto at = records.begin(); at != records.end();) {
    ShadowNode::Change change{dropped.seq, dropped.partition, at->first, at->second, std::nullopt};
    if (at->second.deleted) {
      // It knew of the delete; if an older value comes back now, that is a resurrection.
      at->second.erased = true;
      change.after = at->second;
      ++at;
    } else {
      at = records.erase(at);
    }
    if (dropped.seq > node.durable_seq) node.volatile_changes.push_back(std::move(change));
  }
}

void World::crash(ShadowNode& node) {
  node.up = false;
  node.leader = false;
  node.applied = LogIndex();
  node.repairing.clear();
  auto& changes = node.volatile_changes;
  for (auto at = changes.rbegin(); at != changes.rend(); ++at) {
    put(node, at->partition, at->key, at->before);
  }
  // A second crash before the disk was read leaves the tail as uncertain as it was.
  if (!changes.empty()) node.torn = std::exchange(changes, {});
}

void World::wipe(ShadowNode& node, const fact::DiskWiped& wiped) {
  node.renewed = true;
  if (wiped.part == "consensus") return;
  std::deque<ShadowNode::Change> lost = std::exchange(node.durable_changes, {});
  lost.insert(lost.end(), node.torn.begin(), node.torn.end());
  node.records.clear();
  node.volatile_changes.clear();
  node.torn.clear();
  node.durable_seq = 0;
  // Each file is gone or not: how far its data goes the node says when it has read its disk.
  if (wiped.part == "half") node.torn = std::move(lost);
}

void World::recover(ShadowNode& node, std::uint64_t up_to) {
  auto& durable = node.durable_changes;
  while (!durable.empty() && durable.back().seq > up_to) {
    put(node, durable.back().partition, durable.back().key, durable.back().before);
    durable.pop_back();
  }
  for (ShadowNode::Change& change : node.torn) {
    if (change.seq > up_to) break;
    put(node, change.partition, change.key, change.after);
    durable.push_back(std::move(change));
  }
  node.torn.clear();
  node.durable_seq = up_to;
}

PartitionId World::partition_of_key(const Key& key) const {
  const auto at = keys_.find(key);
  return at != keys_.end() ? at->second.partition : partition_of(key, partitions_);
}

const ShadowRecord* World::remembered(const ShadowNode& node, PartitionId partition,
                                      const Key& key) {
  const auto records = node.records.find(partition);
  if (records == node.records.end()) return nullptr;
  const auto at = records->second.find(key);
  return at == records->second.end() ? nullptr : &at->second;
}

const ShadowRecord* World::remembered(NodeId node, const Key& key) const {
  const auto at = nodes_.find(node);
  return at == nodes_.end() ? nullptr : remembered(at->second, partition_of_key(key), key);
}

const ShadowRecord* World::stored(NodeId node, const Key& key) const {
  const ShadowRecord* record = remembered(node, key);
  return record == nullptr || record->erased ? nullptr : record;
}

// ---- Membership ------------------------------------------------------------------------------

void World::absorb_map(const fact::MapApplied& applied) {
  if (applied.map == nullptr || applied.map->epoch <= map_->epoch) return;
  if (applied.map->partition_count() == partitions_) map_ = applied.map;
}

void World::absorb_members(const ShadowNode& node, const fact::MembersApplied& applied) {
  // A node that replays its log applies lists that are history elsewhere.
  if (node.applied < members_index_) return;
  members_index_ = node.applied;
  members_ = applied.members;
  for (auto& [id, each] : nodes_) each.member = false;
  for (const fact::MemberInfo& member : members_) shadow(member.node).member = true;
}

std::vector<NodeId> World::live_owners(PartitionId partition) const {
  std::vector<NodeId> live;
  for (const NodeId owner : map_->owners_of(partition)) {
    const auto at = nodes_.find(owner);
    if (at != nodes_.end() && at->second.up && at->second.member) live.push_back(owner);
  }
  return live;
}

NodeId World::leader() const {
  const ShadowNode* best = nullptr;
  for (const auto& [id, node] : nodes_) {
    if (node.leader && (best == nullptr || node.leader_term > best->leader_term)) best = &node;
  }
  return best == nullptr ? NodeId() : best->node;
}

// ---- Tables ----------------------------------------------------------------------------------

Copy World::copy_of(NodeId id, const Key& key) const {
  const auto node = nodes_.find(id);
  const KeyHistory* const history = history_of(key);
  if (node == nodes_.end() || history == nullptr) return Copy::current;
  return copy_of(node->second, key, *history);
}

Copy World::copy_of(const ShadowNode& node, const Key& key, const KeyHistory& history) const {
  if (!node.up || !node.member || !map_->owns(node.node, history.partition)) return Copy::current;
  const ShadowRecord* record = remembered(node, history.partition, key);
  if (record != nullptr && record->erased) record = nullptr;
  std::vector<RequestId> siblings;
  std::span<const RequestId> held;
  if (record != nullptr && record->others.empty()) {
    held = std::span(&record->origin, 1);
  } else if (record != nullptr) {
    siblings = record->origins();
    held = siblings;
  }
  if (missed(history, held, Cut{}) == nullptr) return Copy::current;
  return record != nullptr && !record->deleted ? Copy::stale : Copy::missing;
}

NodeSnapshot World::snapshot(NodeId id, MonotonicTime /*now*/) const {
  const ShadowNode& node = this->node(id);
  NodeSnapshot out;
  out.node = id;
  if (node.up) {
    out.state = !node.member             ? NodeState::evicted
                : node.repairing.empty() ? NodeState::alive
                                         : NodeState::syncing;
  } else {
    out.state = node.member ? NodeState::dead : NodeState::offline;
  }
  out.leader = node.leader && leader() == id;
  for (const auto& [partition, records] : node.records) {
    for (const auto& [key, record] : records) out.keys += record.deleted ? 0 : 1;
  }
  for (const auto& [key, history] : keys_) {
    const Copy copy = copy_of(node, key, history);
    if (copy != Copy::current) ++(copy == Copy::stale ? out.stale_keys : out.missing_keys);
  }
  return out;
}

}  // namespace rejoin::sim
