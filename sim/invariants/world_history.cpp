// The history half of World: the order of versions, and what a read should have seen.
#include <algorithm>
#include <set>
#include <utility>

#include "model/check.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

// ---- Recording -------------------------------------------------------------------------------

void World::invoke(const Operation& operation) {
  open_.insert(operation.id);
  if (operation.kind == OperationKind::read) read_orders_.emplace(operation.id, order_);
  if (!changes_key(operation.kind)) return;
  auto [at, is_new] = keys_.try_emplace(operation.key);
  KeyHistory& history = at->second;
  if (is_new) history.partition = partition_of(operation.key, partitions_);
  const std::size_t position = history.writes.size();
  if (!writes_.try_emplace(operation.id, &history, position).second) return;
  history.writes.push_back(operation);
  history.writes.back().returned.reset();
  history.orders.push_back({.invoked = order_});
  if (operation.kind == OperationKind::remove) history.deletes.push_back(position);
  history.contexts = history.contexts || !operation.context.empty();
}

void World::acknowledge(MonotonicTime at, const Operation& operation) {
  const auto found = writes_.find(operation.id);
  if (found == writes_.end()) return;
  const auto [history, position] = found->second;
  KeyHistory::Order& order = history->orders[position];
  if (order.acknowledged != KeyHistory::kNever) return;
  order.acknowledged = order_;
  Operation& write = history->writes[position];
  write.returned = at;
  write.result = operation.result;
  write.served_by = operation.served_by;
  if (!operation.context.empty()) {
    write.context = operation.context;
    history->contexts = true;
  }
  history->acknowledged.push_back(position);
  history->levels.insert(write.level);
  supersede(*history, position, order_);
}

// Acknowledgements come in order, so the first to reach a write stays, and what has been reached
// has passed it on to its own context already.
void World::supersede(KeyHistory& history, std::size_t position, std::uint64_t order) {
  std::vector<std::size_t> pending{position};
  while (!pending.empty()) {
    const std::size_t at = pending.back();
    pending.pop_back();
    if (history.orders[at].superseding != KeyHistory::kNever) continue;
    history.orders[at].superseding = order;
    for (const RequestId id : history.writes[at].context) {
      const auto found = writes_.find(id);
      if (found == writes_.end() || found->second.first != &history) continue;
      if (found->second.second < at) pending.push_back(found->second.second);
    }
  }
}

const Operation* World::find_write(RequestId id) const {
  const auto at = writes_.find(id);
  return at == writes_.end() ? nullptr : &at->second.first->writes[at->second.second];
}

// ---- Order of versions -----------------------------------------------------------------------

bool World::older(RequestId a, RequestId b) const {
  if (a == b) return false;
  const auto at_a = writes_.find(a);
  const auto at_b = writes_.find(b);
  if (at_a == writes_.end() || at_b == writes_.end()) return false;
  if (at_a->second.first != at_b->second.first) return false;
  return older(*at_a->second.first, at_a->second.second, at_b->second.second);
}

// Positions are in order of invocation, and both relations point forward in it: an acknowledgement
// follows its invocation, and a context can name only what was invoked before.
bool World::older(const KeyHistory& history, std::size_t a, std::size_t b) const {
  if (a >= b) return false;
  // Take a chain from a to b. Up to its first link by acknowledgement it goes by contexts, so that
  // acknowledgement counts as superseding a, and it precedes the invocation of b.
  if (history.orders[a].superseding < history.orders[b].invoked) return true;
  return seen_by(history, a, b);
}

bool World::seen_by(RequestId a, RequestId b) const {
  const auto at_a = writes_.find(a);
  const auto at_b = writes_.find(b);
  if (at_a == writes_.end() || at_b == writes_.end()) return false;
  if (at_a->second.first != at_b->second.first) return false;
  return seen_by(*at_a->second.first, at_a->second.second, at_b->second.second);
}

bool World::seen_by(const KeyHistory& history, std::size_t a, std::size_t b) const {
  if (a >= b || !history.contexts) return false;
  std::set<std::size_t> seen;
  std::vector<std::size_t> pending{b};
  while (!pending.empty()) {
    const std::size_t at = pending.back();
    pending.pop_back();
    for (const RequestId id : history.writes[at].context) {
      const auto found = writes_.find(id);
      if (found == writes_.end() || found->second.first != &history) continue;
      const std::size_t position = found->second.second;
      if (position == a) return true;
      if (position > a && position < at && seen.insert(position).second) {
        pending.push_back(position);
      }
    }
  }
  return false;
}

// Acknowledgements are walked from the last one back, keeping the latest invocation seen. A write
// acknowledged before that invocation is older than it, and so is every write acknowledged
// earlier still: the walk ends there, after as many steps as there are concurrent writes.
std::vector<const Operation*> World::newest(const KeyHistory& history, const Cut& cut) const {
  const auto reaches = [&](std::size_t position) {
    return replicas_needed(history.writes[position].level, copies_) >= cut.replicas_min;
  };
  if (std::none_of(history.levels.begin(), history.levels.end(), [&](Consistency level) {
        return replicas_needed(level, copies_) >= cut.replicas_min;
      })) {
    return {};
  }
  const auto end = std::partition_point(
      history.acknowledged.begin(), history.acknowledged.end(), [&](std::size_t position) {
        return history.orders[position].acknowledged < cut.order &&
               *history.writes[position].returned < cut.time;
      });
  // Most keys are written once.
  if (end - history.acknowledged.begin() == 1) {
    const std::size_t only = history.acknowledged.front();
    if (!reaches(only)) return {};
    return {&history.writes[only]};
  }
  std::vector<std::size_t> candidates;
  std::uint64_t latest = 0;
  for (auto at = end; at != history.acknowledged.begin();) {
    --at;
    if (history.orders[*at].acknowledged < latest) break;
    if (!reaches(*at)) continue;
    latest = std::max(latest, history.orders[*at].invoked);
    candidates.push_back(*at);
  }
  std::vector<const Operation*> out;
  for (auto at = candidates.rbegin(); at != candidates.rend(); ++at) {
    const bool dominated =
        history.orders[*at].superseding < latest ||
        (history.contexts && std::any_of(candidates.begin(), candidates.end(),
                                         [&](std::size_t c) { return older(history, *at, c); }));
    if (!dominated) out.push_back(&history.writes[*at]);
  }
  return out;
}

const KeyHistory* World::history_of(const Key& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : &found->second;
}

std::vector<const Operation*> World::newest(const Key& key, const Cut& cut) const {
  const KeyHistory* history = history_of(key);
  if (history == nullptr) return {};
  return newest(*history, cut);
}

std::uint64_t World::copies(const KeyHistory& history, const Operation& write) const {
  std::uint64_t out = 0;
  for (const auto& [id, node] : nodes_) {
    if (!node.up) continue;
    const ShadowRecord* held = remembered(node, history.partition, write.key);
    if (held == nullptr || held->erased) continue;
    const std::vector<RequestId> origins = held->origins();
    out += std::any_of(origins.begin(), origins.end(), [&](RequestId origin) {
      return origin == write.id || older(write.id, origin);
    });
  }
  return out;
}

bool World::delete_survives(const KeyHistory& history, const Operation& remove,
                            const std::vector<NodeId>& among) const {
  bool hides = false;
  for (const NodeId id : among) {
    const ShadowNode& each = node(id);
    const ShadowRecord* known = remembered(each, history.partition, remove.key);
    if (known == nullptr) continue;
    const std::vector<RequestId> origins = known->origins();
    const bool current = std::any_of(origins.begin(), origins.end(), [&](RequestId origin) {
      return find_write(origin) != nullptr && !older(origin, remove.id);
    });
    if (current && known->seq <= each.durable_seq) return true;
    hides |= !current && !known->deleted;
  }
  return !hides;
}

// ---- What a read should have seen --------------------------------------------------------------

bool World::delete_excuses(const KeyHistory& history, std::size_t write) const {
  return std::any_of(history.deletes.rbegin(), history.deletes.rend(),
                     [&](std::size_t d) { return !older(history, d, write); });
}

const Operation* World::missed(const KeyHistory& history, std::span<const RequestId> observed,
                               const Cut& cut) const {
  const std::vector<const Operation*> newest_writes = newest(history, cut);
  for (auto at = newest_writes.rbegin(); at != newest_writes.rend(); ++at) {
    const Operation& candidate = **at;
    if (!observed.empty()) {
      const bool all_older = std::all_of(observed.begin(), observed.end(),
                                         [&](RequestId seen) { return older(seen, candidate.id); });
      if (all_older) return &candidate;
      continue;
    }
    if (candidate.kind != OperationKind::write) continue;
    if (!delete_excuses(history, writes_.at(candidate.id).second)) return &candidate;
  }
  return nullptr;
}

const Operation* World::missed(const Key& key, const std::vector<RequestId>& observed,
                               const Cut& cut) const {
  const KeyHistory* history = history_of(key);
  return history == nullptr ? nullptr : missed(*history, observed, cut);
}

std::vector<const Operation*> World::newest_acknowledged(const Key& key, MonotonicTime time) const {
  return newest(key, Cut{.time = time});
}

const Operation* World::missed_write(const Key& key, const std::vector<RequestId>& observed,
                                     MonotonicTime time) const {
  return missed(key, observed, Cut{.time = time});
}

// A read whose invocation nobody saw counts as invoked now.
std::uint64_t World::invocation(const Operation& operation) const {
  const auto read = read_orders_.find(operation.id);
  if (read != read_orders_.end()) return read->second;
  const auto write = writes_.find(operation.id);
  if (write == writes_.end()) return KeyHistory::kNever;
  return write->second.first->orders[write->second.second].invoked;
}

std::vector<const Operation*> World::newest_acknowledged_before(const Operation& operation) const {
  return newest(operation.key, Cut{.order = invocation(operation)});
}

const Operation* World::missed_by(const Operation& read) const {
  if (read.result != ResultKind::value && read.result != ResultKind::not_found) return nullptr;
  return missed(read.key, read.observed, Cut{.order = invocation(read)});
}

bool World::levels_meet(Consistency write, Consistency read) const {
  return replicas_needed(write, copies_) + replicas_needed(read, copies_) > copies_;
}

// Two majorities meet: with R + W > N a read meets at least one replica that holds the write.
std::optional<World::Cut> World::promised(const Operation& read) const {
  Cut cut{.order = invocation(read)};
  if (read.direct) return cut;
  if (map_->owners_of(partition_of_key(read.key)).empty()) return std::nullopt;
  cut.replicas_min = copies_ - std::min(replicas_needed(read.level, copies_), copies_) + 1;
  return cut;
}

const Operation* World::promise_broken_by(const Operation& read) const {
  if (read.result != ResultKind::value && read.result != ResultKind::not_found) return nullptr;
  const std::optional<Cut> cut = promised(read);
  return cut ? missed(read.key, read.observed, *cut) : nullptr;
}

bool World::promises_freshness(const Operation& read) const {
  const std::optional<Cut> cut = promised(read);
  return cut && !newest(read.key, *cut).empty();
}

// ---- How far behind a read was ---------------------------------------------------------------

// Acknowledgements are walked from the last one back: what was acknowledged before something that
// is shown was invoked is older than that, and so is all that was acknowledged earlier.
Staleness World::newer_than(const KeyHistory& history, std::span<const RequestId> shown,
                            std::uint64_t before) const {
  const auto end = std::partition_point(
      history.acknowledged.begin(), history.acknowledged.end(),
      [&](std::size_t position) { return history.orders[position].acknowledged < before; });
  std::uint64_t first_invoked = shown.empty() ? 0 : KeyHistory::kNever;
  std::vector<std::size_t> positions;
  for (const RequestId id : shown) {
    const auto found = writes_.find(id);
    // What is shown and was never written cannot be placed.
    if (found == writes_.end() || found->second.first != &history) return {};
    positions.push_back(found->second.second);
    first_invoked = std::min(first_invoked, history.orders[positions.back()].invoked);
  }
  Staleness out;
  for (auto at = end; at != history.acknowledged.begin();) {
    --at;
    if (history.orders[*at].acknowledged < first_invoked) break;
    const bool newer = std::all_of(positions.begin(), positions.end(), [&](std::size_t position) {
      return older(history, position, *at);
    });
    if (!newer) continue;
    ++out.versions;
    out.oldest = &history.writes[*at];
  }
  return out;
}

Staleness World::staleness(const Operation& read) const {
  if (read.result != ResultKind::value && read.result != ResultKind::not_found) return {};
  const KeyHistory* history = history_of(read.key);
  if (history == nullptr) return {};
  const std::uint64_t before = invocation(read);
  Staleness out = newer_than(*history, read.observed, before);
  if (read.observed.empty() && out.versions > 0) {
    // Deletes that are older than one that was tried leave more behind than it does.
    std::optional<RequestId> tried;
    for (auto d = history->deletes.rbegin(); d != history->deletes.rend(); ++d) {
      const RequestId id = history->writes[*d].id;
      if (out.versions == 0 || (tried && older(id, *tried))) break;
      const Staleness since = newer_than(*history, std::span(&id, 1), before);
      if (since.versions < out.versions) out = since;
      tried = id;
    }
  }
  if (out.oldest != nullptr) out.time = read.invoked - *out.oldest->returned;
  return out;
}

}  // namespace rejoin::sim
