#include "sim/run/replica_times.hpp"

#include <algorithm>
#include <tuple>
#include <variant>

namespace rejoin::sim {

namespace {

RunEvents::HeldCause cause_of(fact::WriteCause cause) {
  switch (cause) {
    case fact::WriteCause::foreground:
      return RunEvents::HeldCause::foreground;
    case fact::WriteCause::repair:
      return RunEvents::HeldCause::repair;
    case fact::WriteCause::collection:
      return RunEvents::HeldCause::collection;
  }
  return RunEvents::HeldCause::foreground;
}

bool is_same(const RunEvents::NodeSpan& a, const RunEvents::NodeSpan& b) {
  const auto all = [](const RunEvents::NodeSpan& span) {
    return std::tie(span.what.state, span.what.leader, span.what.keys, span.what.stale_keys,
                    span.what.missing_keys, span.claims);
  };
  return all(a) == all(b);
}

bool holds_data(const std::vector<RunEvents::Held>& held) {
  return !held.empty() && !held.back().origin.is_none();
}

bool holds_value(const std::vector<RunEvents::Held>& held) {
  return holds_data(held) && !held.back().deleted;
}

bool changes_cluster(const Fact& fact) {
  return std::holds_alternative<fact::MembersApplied>(fact) ||
         std::holds_alternative<fact::MapApplied>(fact) ||
         std::holds_alternative<fact::BecameLeader>(fact) ||
         std::holds_alternative<fact::LostLeadership>(fact) ||
         std::holds_alternative<fact::OperationReturned>(fact);
}

bool changes_process(const Fact& fact) {
  return std::holds_alternative<fact::ProcessStarted>(fact) ||
         std::holds_alternative<fact::ProcessCrashed>(fact) ||
         std::holds_alternative<fact::ProcessHalted>(fact) ||
         std::holds_alternative<fact::DiskWiped>(fact) ||
         std::holds_alternative<fact::StoreRecovered>(fact) ||
         std::holds_alternative<fact::PartitionDropped>(fact);
}

bool changes_repair(const Fact& fact) {
  return std::holds_alternative<fact::RepairStarted>(fact) ||
         std::holds_alternative<fact::RepairCompleted>(fact) ||
         std::holds_alternative<fact::RepairFailed>(fact) ||
         std::holds_alternative<fact::GateOpened>(fact) ||
         std::holds_alternative<fact::GateClosed>(fact);
}

}  // namespace

ReplicaTimes::ReplicaTimes(const World& world, std::size_t spans_max)
    : world_(world), spans_max_(spans_max) {
  for (const auto& [id, node] : world.nodes()) {
    counts_[id] = {};
    spans_.emplace_back();
    join_at_.push_back(2 * spans_max_);
    take_span(MonotonicTime{}, id);
  }
}

void ReplicaTimes::on_fact(MonotonicTime at, const FactSource& source, const Fact& fact) {
  if (source.twin) return;  // what a twin holds or suffers is not its node's
  absorb(at, source, fact);
  const bool of_node = std::holds_alternative<fact::RecordWritten>(fact) || changes_process(fact) ||
                       changes_repair(fact);
  const bool crashed = std::holds_alternative<fact::ProcessCrashed>(fact) ||
                       std::holds_alternative<fact::ProcessHalted>(fact);
  if (changes_cluster(fact) || crashed) {
    for (const auto& [id, counts] : counts_) take_span(at, id);
  } else if (of_node && !source.node.is_none()) {
    take_span(at, source.node);
  }
}

void ReplicaTimes::absorb(MonotonicTime at, const FactSource& source, const Fact& fact) {
  if (const auto* written = std::get_if<fact::RecordWritten>(&fact)) {
    if (!written->stored) return;
    look_at_held(at, source.node, written->key, cause_of(written->cause));
    look_at_copy(source.node, written->key);
    undurable_[source.node].push_back({written->seq, written->key});
  } else if (const auto* durable = std::get_if<fact::StoreDurable>(&fact)) {
    make_durable(at, source.node, durable->up_to);
  } else if (const auto* returned = std::get_if<fact::OperationReturned>(&fact)) {
    const Operation& operation = returned->operation;
    const bool counts = operation.result == ResultKind::ok && changes_key(operation.kind);
    if (counts) look_at_copies(operation.key);
  } else if (changes_process(fact)) {
    if (source.node.is_none()) return;
    if (const auto* dropped = std::get_if<fact::PartitionDropped>(&fact)) {
      look_at_all_held(at, source.node, Cause::repair);
      undurable_[source.node].push_back({dropped->seq, {}});
    } else {
      // What a process has of its disk is known when it has read it.
      if (!std::holds_alternative<fact::ProcessStarted>(fact)) undurable_[source.node].clear();
      look_at_all_held(at, source.node, Cause::crash);
    }
  } else if (std::holds_alternative<fact::MembersApplied>(fact) ||
             std::holds_alternative<fact::MapApplied>(fact)) {
    look_at_all_copies();
  }
  if (!source.node.is_none()) claim(source.node, fact);
}

// A claim is made by one life of a process, and is of what it owns.
void ReplicaTimes::claim(NodeId node, const Fact& fact) {
  std::set<PartitionId>& claimed = claimed_[node];
  if (const auto* opened = std::get_if<fact::GateOpened>(&fact)) {
    if (opened->claims_repaired) claimed.insert(opened->partition);
  } else if (const auto* completed = std::get_if<fact::RepairCompleted>(&fact)) {
    if (completed->claims) claimed.insert(completed->partition);
  } else if (const auto* started = std::get_if<fact::RepairStarted>(&fact)) {
    if (started->claims) claimed.erase(started->partition);
  } else if (const auto* closed = std::get_if<fact::GateClosed>(&fact)) {
    claimed.erase(closed->partition);
  } else if (std::holds_alternative<fact::ProcessStarted>(fact) ||
             std::holds_alternative<fact::ProcessCrashed>(fact) ||
             std::holds_alternative<fact::ProcessHalted>(fact)) {
    claimed.clear();
  }
}

bool ReplicaTimes::claims(NodeId id) const {
  const ShadowNode& node = world_.node(id);
  const auto claimed = claimed_.find(id);
  if (!node.up || !node.member || claimed == claimed_.end()) return false;
  bool owns = false;
  for (std::uint32_t p = 0; p < world_.partition_count(); ++p) {
    if (!world_.map().owns(id, PartitionId(p))) continue;
    if (!claimed->second.contains(PartitionId(p))) return false;
    owns = true;
  }
  return owns;
}

// ---- Replicas ------------------------------------------------------------------------------

void ReplicaTimes::look_at_held(MonotonicTime at, NodeId node, const Key& key, Cause cause) {
  const ShadowRecord* const stored = world_.stored(node, key);
  const auto known = stores_.find(key);
  const bool had = known != stores_.end() && known->second.replicas.contains(node);
  if (stored == nullptr && !had) return;
  RunEvents::Store& store = known != stores_.end() ? known->second : stores_[key];
  store.partition = world_.partition_of_key(key);
  std::vector<RunEvents::Held>& held = store.replicas[node];
  const RequestId origin = stored == nullptr ? RequestId{} : stored->origin;
  const bool deleted = stored != nullptr && stored->deleted;
  if (had && held.back().origin == origin && held.back().deleted == deleted) return;
  const std::uint64_t before = holds_value(held) ? 1 : 0;
  RunEvents::Held next{.from = at,
                       .to = at,
                       .origin = origin,
                       .deleted = deleted,
                       .cause = cause,
                       .durable_from = {}};
  // What is there after a crash, or was read back, is on the disk.
  if (cause == Cause::crash && !origin.is_none()) next.durable_from = at;
  if (had) held.back().to = at;
  if (had && held.back().from == at) {
    held.back() = next;
  } else {
    held.push_back(next);
  }
  Counts& counts = counts_[node];
  counts.keys = counts.keys - before + (holds_value(held) ? 1 : 0);
}

void ReplicaTimes::look_at_all_held(MonotonicTime at, NodeId node, Cause cause) {
  for (const auto& [key, store] : stores_) look_at_held(at, node, key, cause);
  for (const auto& [key, history] : world_.keys()) look_at_copy(node, key);
}

void ReplicaTimes::look_at_copy(NodeId node, const Key& key) {
  const Copy copy = world_.copy_of(node, key);
  Counts& counts = counts_[node];
  const auto known = behind_.find({node, key});
  if (known != behind_.end()) {
    if (known->second == copy) return;
    --(known->second == Copy::stale ? counts.stale : counts.missing);
    behind_.erase(known);
  }
  if (copy == Copy::current) return;
  ++(copy == Copy::stale ? counts.stale : counts.missing);
  behind_.emplace(std::pair(node, key), copy);
}

void ReplicaTimes::look_at_copies(const Key& key) {
  for (const auto& [id, node] : world_.nodes()) look_at_copy(id, key);
}

void ReplicaTimes::look_at_all_copies() {
  for (const auto& [key, history] : world_.keys()) look_at_copies(key);
}

void ReplicaTimes::make_durable(MonotonicTime at, NodeId node, std::uint64_t up_to) {
  std::deque<Undurable>& waiting = undurable_[node];
  for (; !waiting.empty() && waiting.front().seq <= up_to; waiting.pop_front()) {
    const auto store = stores_.find(waiting.front().key);
    if (store == stores_.end()) continue;
    const auto replica = store->second.replicas.find(node);
    if (replica == store->second.replicas.end()) continue;
    std::vector<RunEvents::Held>& held = replica->second;
    // One that was replaced before it was durable never was what a crash would have left.
    const ShadowRecord* const stored = world_.stored(node, waiting.front().key);
    const bool is_it = stored != nullptr && stored->seq == waiting.front().seq;
    if (is_it && holds_data(held) && !held.back().durable_from) held.back().durable_from = at;
  }
}

// ---- Nodes ---------------------------------------------------------------------------------

void ReplicaTimes::take_span(MonotonicTime at, NodeId id) {
  const ShadowNode& node = world_.node(id);
  const Counts& counts = counts_[id];
  RunEvents::NodeSpan next{.from = at, .to = at, .what = {}, .claims = claims(id)};
  next.what.node = id;
  next.what.state = node.up       ? !node.member             ? NodeState::evicted
                                    : node.repairing.empty() ? NodeState::alive
                                                             : NodeState::syncing
                    : node.member ? NodeState::dead
                                  : NodeState::offline;
  next.what.leader = node.leader && world_.leader() == id;
  next.what.keys = counts.keys;
  next.what.stale_keys = counts.stale;
  next.what.missing_keys = counts.missing;
  std::vector<RunEvents::NodeSpan>& spans = spans_[id.value - 1];
  if (!spans.empty() && is_same(spans.back(), next)) return;
  if (!spans.empty()) spans.back().to = at;
  if (!spans.empty() && spans.back().from == at) {
    spans.pop_back();
    // Without it, the one before may be what there is again.
    if (!spans.empty() && is_same(spans.back(), next)) return;
  }
  spans.push_back(next);
  std::size_t& too_many = join_at_[id.value - 1];
  if (spans.size() < too_many) return;
  joined_ += join(spans, spans_max_);
  // Where what is left differs in more than numbers, another attempt must be worth its time.
  too_many = std::max(2 * spans_max_, 2 * spans.size());
}

void ReplicaTimes::finish(MonotonicTime end) {
  for (std::vector<RunEvents::NodeSpan>& spans : spans_) spans.back().to = end;
  for (auto& [key, store] : stores_) {
    for (auto& [node, held] : store.replicas) {
      if (!held.empty()) held.back().to = end;
    }
  }
}

}  // namespace rejoin::sim
