#include "protocols/sync/repair_queue.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"

namespace rejoin::sync_detail {

namespace {

// The pause after the n-th failure in a row doubles up to this many times.
constexpr std::uint32_t kDoublingsMax = 4;

[[nodiscard]] bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

void add_missing(std::vector<NodeId>& nodes, const std::vector<NodeId>& more) {
  for (const NodeId node : more) {
    if (!contains(nodes, node)) nodes.push_back(node);
  }
}

}  // namespace

void RepairQueue::add(RepairRequest request) {
  if (!context_.is_owner(request.partition)) {
    context_.bus.publish(fact::RepairFailed{request.partition, "not an owner of the partition"});
    return tell_ended(request);
  }
  Wanted wanted{.request = std::move(request),
                .accept_unrepaired = false,
                .failures = 0,
                .not_before = context_.env.now(),
                .asked_at = std::nullopt,
                .had_data = false};
  if (context_.store.ready()) remember_store(wanted);
  enqueue(std::move(wanted));
}

void RepairQueue::abandon(PartitionId partition, std::string_view reason) {
  const auto from = orders_.lower_bound({partition, std::string()});
  auto to = from;
  std::vector<RepairRequest> ended;
  for (; to != orders_.end() && to->first.first == partition; ++to) {
    ended.push_back(std::move(waiting_.at(to->second).request));
    waiting_.erase(to->second);
  }
  orders_.erase(from, to);
  const auto at = active_.find(partition);
  if (at != active_.end()) {
    client_.cancel(at->second.question.repair);
    reconciler_.cancel(at->second.question.repair);
    context_.env.disarm(TimerId(kPauseTimers + partition.value));
    ended.push_back(std::move(at->second.wanted.request));
    const std::uint64_t rounds = at->second.rounds;
    active_.erase(at);
    context_.bus.publish(fact::RepairFailed{partition, std::string(reason), rounds});
    schedule(context_.env.now());
  }
  for (const RepairRequest& request : ended) tell_ended(request);
}

void RepairQueue::tell_ended(const RepairRequest& request) const {
  if (!request.claims) ended_(request.partition, request.mechanism);
}

void RepairQueue::abandon_all(std::string_view reason) {
  while (!orders_.empty()) abandon(orders_.begin()->first.first, reason);
  while (!active_.empty()) abandon(active_.begin()->first, reason);
}

bool RepairQueue::pending(PartitionId partition) const {
  const auto active = active_.find(partition);
  if (active != active_.end() && active->second.wanted.request.claims) return true;
  for (auto at = orders_.lower_bound({partition, std::string()});
       at != orders_.end() && at->first.first == partition; ++at) {
    if (waiting_.at(at->second).request.claims) return true;
  }
  return false;
}

void RepairQueue::enqueue(Wanted wanted) {
  schedule(wanted.not_before);
  const Waiting name{wanted.request.partition, wanted.request.mechanism};
  const auto [at, fresh] = orders_.try_emplace(name, last_order_ + 1);
  if (fresh) {
    waiting_.emplace(++last_order_, std::move(wanted));
    return;
  }
  // Invariant 2. What the first of them found here is remembered.
  Wanted& known = waiting_.at(at->second);
  // One that claims to repair does as much as one that does not, and more.
  if (known.request.claims && !wanted.request.claims) return tell_ended(wanted.request);
  add_missing(wanted.request.sources, known.request.sources);
  wanted.accept_unrepaired |= known.accept_unrepaired;
  wanted.failures = std::max(wanted.failures, known.failures);
  if (known.asked_at && (!wanted.asked_at || *known.asked_at < *wanted.asked_at)) {
    wanted.asked_at = known.asked_at;
    wanted.had_data = known.had_data;
  }
  // A pass that waited here goes on with others, and no second one waits in its place.
  const std::optional<RepairRequest> taken_over =
      known.request.claims ? std::nullopt : std::optional(std::move(known.request));
  known = std::move(wanted);
  if (taken_over) tell_ended(*taken_over);
}

void RepairQueue::remember_store(Wanted& wanted) const {
  wanted.asked_at = context_.store.last_sequence();
  wanted.had_data = context_.store.record_count(wanted.request.partition) > 0;
}

void RepairQueue::schedule(MonotonicTime when) {
  when = std::max(when, context_.env.now());
  if (when >= armed_) return;
  armed_ = when;
  context_.env.arm(kQueueTimer, when);
}

void RepairQueue::let_start(bool may) {
  may_start_ = may;
  if (may) schedule(context_.env.now());
}

void RepairQueue::on_queue_timer() {
  armed_ = kForever;
  if (!may_start_) return;
  const MonotonicTime now = context_.env.now();
  MonotonicTime next = kForever;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (active_.size() >= context_.options.fetches_in_flight) return;  // an end schedules anew
    if (active_.contains(at->second.request.partition)) {
      ++at;
      continue;
    }
    if (at->second.not_before > now) {
      next = std::min(next, at->second.not_before);
      ++at;
      continue;
    }
    Wanted wanted = std::move(at->second);
    at = waiting_.erase(at);
    orders_.erase({wanted.request.partition, wanted.request.mechanism});
    start(std::move(wanted));
  }
  if (next != kForever) schedule(next);
}

void RepairQueue::start(Wanted wanted) {
  const PartitionId partition = wanted.request.partition;
  CHECK_THAT(context_.is_owner(partition) && !active_.contains(partition));
  const std::uint64_t number = ++started_[partition];
  const auto monotonic = static_cast<std::uint64_t>(context_.env.now().time_since_epoch().count());
  const auto wall = static_cast<std::uint64_t>(context_.env.wall_now().time_since_epoch().count());
  if (!wanted.asked_at) remember_store(wanted);

  Repair repair;
  repair.question = {.repair = mix(mix(monotonic, wall), mix(partition.value, number)),
                     .partition = partition,
                     .accept_unrepaired = wanted.accept_unrepaired,
                     .number = number,
                     .round = 0};
  repair.started = context_.env.now();
  repair.next = candidates(wanted);
  const std::size_t owners = context_.map().owners_of(partition).size();
  // How many others make a majority of the owners, with this node or without. With them, every
  // write that a majority holds is among what is merged.
  const auto majority = [&repair, owners](bool own_counts) {
    const std::size_t others = owners / 2 + 1 - (own_counts ? 1 : 0);
    return std::min(std::max<std::size_t>(others, 1), repair.next.size());
  };
  const bool own_counts = wanted.had_data && vouches_(partition) && !context_.may_be_replaced();
  switch (wanted.request.rule) {
    case SourceRule::first:
    case SourceRule::freshest:
      repair.target = repair.least = 1;
      break;
    case SourceRule::quorum:
      // A wipe forgets what is here, so it takes a majority of others; without one, it merges.
      repair.target = majority(own_counts && !wanted.request.wipe);
      repair.least = majority(own_counts);
      break;
    case SourceRule::all:
      repair.target = repair.next.size();
      repair.least = majority(own_counts);
      break;
  }
  const bool probe = wanted.request.rule == SourceRule::freshest && repair.next.size() > 1;
  repair.phase = probe ? Phase::probing : Phase::copying;
  repair.wanted = std::move(wanted);
  const RepairRequest& request = repair.wanted.request;
  context_.bus.publish(
      fact::RepairStarted{partition, repair.next, request.mechanism, request.claims});
  Repair& active = active_.emplace(partition, std::move(repair)).first->second;
  if (active.next.empty()) return settle(active);
  ask(active);
}

// The sources that are members. When none is, or a try has failed, the replicas of today are asked
// too: the old owners may be gone for good.
std::vector<NodeId> RepairQueue::candidates(const Wanted& wanted) const {
  std::vector<NodeId> out;
  const std::vector<NodeId>& asked = wanted.request.sources;
  if (asked.empty()) return out;
  std::copy_if(asked.begin(), asked.end(), std::back_inserter(out), [this](NodeId node) {
    return node != context_.self && context_.member(node) != nullptr;
  });
  if (!out.empty() && wanted.failures == 0) return out;
  for (const NodeId owner : context_.map().owners_of(wanted.request.partition)) {
    if (owner == context_.self || context_.member(owner) == nullptr) continue;
    add_missing(out, {owner});
  }
  return out;
}

void RepairQueue::ask(Repair& repair) {
  const bool probing = repair.phase == Phase::probing;
  while (!repair.next.empty() &&
         (probing || repair.in_flight + repair.copied.size() < repair.target)) {
    const NodeId source = repair.next.front();
    repair.next.erase(repair.next.begin());
    ++repair.in_flight;
    const Transfer& transfer = repair.wanted.request.transfer;
    if (probing) {
      client_.probe(repair.question, source);
    } else if (transfer.means == Means::copy) {
      client_.copy(repair.question, source);
    } else {
      reconciler_.run(repair.question, source, transfer);
    }
  }
  if (repair.in_flight == 0) end_round(repair);
}

// Everyone was asked and nobody is any more.
void RepairQueue::end_round(Repair& repair) {
  if (repair.phase == Phase::probing && !repair.fresh.empty()) {
    rank(repair);
    return ask(repair);
  }
  if (!repair.refused.empty() && repair.question.round + 1 < context_.options.fetch_attempts) {
    ++repair.question.round;
    repair.next = std::move(repair.refused);
    repair.refused.clear();
    context_.env.arm(TimerId(kPauseTimers + repair.question.partition.value),
                     context_.env.now() + context_.options.retry_backoff);
    return;
  }
  if (repair.phase == Phase::copying && repair.copied.size() >= repair.least) return settle(repair);
  fail(repair.question.partition, repair.any_unrepaired
                                      ? "no source but unrepaired ones; the next try accepts them"
                                  : repair.refused.empty() ? "no source answered"
                                                           : "no source is able to answer");
}

void RepairQueue::on_pause_timer(PartitionId partition) {
  const auto at = active_.find(partition);
  if (at == active_.end() || at->second.in_flight != 0) return;
  if (at->second.phase != Phase::settling) ask(at->second);
}

void RepairQueue::on_probed(std::uint64_t id, const Freshness& freshness, Outcome outcome) {
  Repair* const repair = find(id);
  CHECK_THAT(repair != nullptr && repair->phase == Phase::probing && repair->in_flight > 0);
  --repair->in_flight;
  if (outcome == Outcome::answered) {
    repair->fresh.push_back(freshness);
  } else {
    repair->any_unrepaired |= outcome == Outcome::unrepaired;
    repair->refused.push_back(freshness.node);
  }
  if (repair->in_flight == 0) end_round(*repair);
}

// Freshest first: the newest version, then the most records, then the order that was asked for.
void RepairQueue::rank(Repair& repair) {
  const std::vector<NodeId> order = candidates(repair.wanted);
  const auto place = [&order](NodeId node) {
    return std::find(order.begin(), order.end(), node) - order.begin();
  };
  std::vector<Freshness>& fresh = repair.fresh;
  // The node is the last criterion and differs: no ties.
  std::sort(fresh.begin(), fresh.end(), [&place](const Freshness& a, const Freshness& b) {
    if (a.newest != b.newest) return b.newest < a.newest;
    if (a.records != b.records) return a.records > b.records;
    if (place(a.node) != place(b.node)) return place(a.node) < place(b.node);
    return a.node < b.node;
  });
  repair.next.clear();
  for (const Freshness& source : fresh) repair.next.push_back(source.node);
  repair.refused.clear();
  repair.phase = Phase::copying;
}

void RepairQueue::on_round(std::uint64_t id) {
  Repair* const repair = find(id);
  CHECK_THAT(repair != nullptr);
  ++repair->rounds;
}

void RepairQueue::on_records(std::uint64_t id, std::vector<Record> records) {
  Repair* const repair = find(id);
  CHECK_THAT(repair != nullptr && repair->phase == Phase::copying);
  repair->records += records.size();
  if (!repair->wanted.request.wipe) return merge(*repair, records);
  repair->buffer.insert(repair->buffer.end(), std::make_move_iterator(records.begin()),
                        std::make_move_iterator(records.end()));
}

void RepairQueue::merge(Repair& repair, const std::vector<Record>& records) {
  const RepairRequest& request = repair.wanted.request;
  for (const Record& record : records) {
    const std::optional<Record> before = context_.store.get(request.partition, record.key);
    const bool same = before == record;
    const StoreWrite write =
        context_.store.put(request.partition, record, request.merge, fact::WriteCause::repair);
    if (write.stored && !same) ++repair.changed;
    repair.seq = std::max(repair.seq, write.seq);
  }
}

// Invariant 5. Owners are those of now: who was one when the repair began may hold nothing any
// more. While owners are missing, those who hold a write with this node may be the missing ones.
bool RepairQueue::may_wipe(const Repair& repair) const {
  if (!repair.wanted.request.wipe || repair.question.accept_unrepaired) return false;
  if (repair.copied.empty()) return false;
  const std::vector<NodeId>& owners = context_.map().owners_of(repair.question.partition);
  if (owners.size() < context_.replication) return false;
  std::size_t others = 0;
  std::size_t copied = 0;
  for (const NodeId owner : owners) {
    if (owner == context_.self) continue;
    ++others;
    if (contains(repair.copied, owner)) ++copied;
  }
  const bool quorum = repair.wanted.request.rule == SourceRule::quorum;
  return copied == others || (quorum && copied >= owners.size() / 2 + 1);
}

// Clients write while sources are asked. What they wrote since the repair was asked for may be at
// no source yet, so it is put back; under `newest` it stays if it is newer, under `overwrite` it
// stays unless a source sends the same key.
void RepairQueue::wipe(Repair& repair) {
  const PartitionId partition = repair.question.partition;
  CHECK_THAT(repair.wanted.asked_at.has_value());
  std::vector<Record> kept;
  context_.store.scan(partition, "", [&](const Record& record) {
    if (context_.store.sequence_of(partition, record.key) > *repair.wanted.asked_at) {
      kept.push_back(record);
    }
    return true;
  });
  repair.seq = std::max(repair.seq, context_.store.drop(partition));
  for (const Record& record : kept) {
    const StoreWrite write =
        context_.store.put(partition, record, MergeRule::overwrite, fact::WriteCause::repair);
    repair.seq = std::max(repair.seq, write.seq);
  }
}

void RepairQueue::on_copied(std::uint64_t id, NodeId source, Outcome outcome) {
  Repair* const repair = find(id);
  CHECK_THAT(repair != nullptr && repair->phase == Phase::copying && repair->in_flight > 0);
  --repair->in_flight;
  switch (outcome) {
    case Outcome::answered:
      repair->copied.push_back(source);
      if (repair->wanted.request.transfer.push) {
        met_(repair->question.partition, source, repair->started);
      }
      if (repair->copied.size() == repair->target) return settle(*repair);
      break;
    case Outcome::unrepaired:
      repair->any_unrepaired = true;
      repair->refused.push_back(source);
      break;
    case Outcome::unable:
      repair->refused.push_back(source);
      break;
    case Outcome::silent:
      break;
  }
  ask(*repair);
}

void RepairQueue::settle(Repair& repair) {
  CHECK_THAT(repair.in_flight == 0);
  repair.phase = Phase::settling;
  if (may_wipe(repair)) wipe(repair);
  merge(repair, std::exchange(repair.buffer, {}));
  if (repair.seq <= context_.store.durable_sequence()) complete(repair.question.partition);
}

void RepairQueue::on_durable() {
  const std::uint64_t durable = context_.store.durable_sequence();
  std::vector<PartitionId> done;
  for (const auto& [partition, repair] : active_) {
    if (repair.phase == Phase::settling && repair.seq <= durable) done.push_back(partition);
  }
  for (const PartitionId partition : done) complete(partition);
}

void RepairQueue::complete(PartitionId partition) {
  const auto at = active_.find(partition);
  const MonotonicTime started = at->second.started;
  const RepairRequest request = std::move(at->second.wanted.request);
  const fact::RepairCompleted fact{partition, at->second.records, at->second.changed,
                                   started,   request.claims,     at->second.rounds};
  active_.erase(at);
  context_.bus.publish(fact);
  if (request.claims) completed_(partition, started);
  schedule(context_.env.now());
  tell_ended(request);
}

void RepairQueue::fail(PartitionId partition, std::string_view reason) {
  const auto at = active_.find(partition);
  Wanted wanted = std::move(at->second.wanted);
  wanted.accept_unrepaired |= at->second.any_unrepaired;
  client_.cancel(at->second.question.repair);
  reconciler_.cancel(at->second.question.repair);
  const std::uint64_t rounds = at->second.rounds;
  active_.erase(at);
  context_.bus.publish(fact::RepairFailed{partition, std::string(reason), rounds});
  if (!wanted.request.claims) {
    schedule(context_.env.now());
    return tell_ended(wanted.request);
  }
  const std::uint32_t doublings = std::min(wanted.failures, kDoublingsMax);
  ++wanted.failures;
  wanted.not_before =
      context_.env.now() + context_.options.retry_backoff * (std::int64_t{1} << doublings);
  enqueue(std::move(wanted));
}

RepairQueue::Repair* RepairQueue::find(std::uint64_t id) {
  for (auto& [partition, repair] : active_) {
    if (repair.question.repair == id) return &repair;
  }
  return nullptr;
}

}  // namespace rejoin::sync_detail
