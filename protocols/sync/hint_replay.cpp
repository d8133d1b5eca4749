#include "protocols/sync/hint_replay.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"

namespace rejoin::sync_detail {

namespace {

constexpr const char* kDelivered = "delivered";
constexpr const char* kTooOld = "older than the window";
constexpr const char* kAwayTooLong = "its owner has been away for longer than the window";
constexpr const char* kTooMany = "too many hints";
constexpr const char* kOtherLife = "its owner is another incarnation now";
constexpr const char* kNobody = "its owner was never a member";

// Besides key and value.
constexpr std::uint64_t kOtherFieldsBytes = 48;
std::uint64_t size_of(const Hint& hint) {
  return hint.record.key.size() + hint.record.value.size() + kOtherFieldsBytes;
}

std::uint64_t identity_of(std::uint64_t seq, NodeId target) {
  return mix(seq, target.value);
}

}  // namespace

void HintReplay::start() {
  next_round_ = context_.env.now() + options_.retry;
  log_.start();
}

bool HintReplay::ready() const {
  return log_.ready();
}

// ---- Keeping -------------------------------------------------------------------------------

std::optional<std::uint64_t> HintReplay::keep(NodeId owner, const Record& record) {
  CHECK_THAT(log_.ready() && owner != context_.self);
  Line& line = lines_[owner];
  const auto known = line.newest.find(record.key);
  if (known != line.newest.end() && log_.hints().at(known->second).record == record) {
    return known->second;
  }
  const MonotonicTime now = context_.env.now();
  if (!line.missing) {
    line.missing = now;
    line.reachable = false;
  }
  const bool away_too_long = now - *line.missing >= options_.window;
  if (away_too_long || log_.hints().size() >= options_.cap) {
    context_.bus.publish(fact::HintEnded{.owner = owner,
                                         .key = record.key,
                                         .origin = record.origin,
                                         .how = away_too_long ? kAwayTooLong : kTooMany});
    return std::nullopt;
  }
  if (log_.hints().empty()) next_round_ = now + options_.retry;
  const std::uint64_t seq =
      log_.keep({.owner = owner,
                 .incarnation = context_.cluster.state().highest_incarnation(owner),
                 .kept = context_.env.wall_now(),
                 .record = record});
  adopt(log_.hints().at(seq));
  arm();
  return seq;
}

void HintReplay::adopt(const Hint& hint) {
  Line& line = lines_[hint.owner];
  line.waiting.insert(hint.seq);
  line.newest[hint.record.key] = hint.seq;
}

void HintReplay::forget(std::uint64_t seq, const std::string& how) {
  const Hint& hint = log_.hints().at(seq);
  Line& line = lines_[hint.owner];
  line.waiting.erase(seq);
  const auto newest = line.newest.find(hint.record.key);
  if (newest != line.newest.end() && newest->second == seq) line.newest.erase(newest);
  line.under_way -= in_flight_.erase(seq);
  attempts_.erase(seq);
  log_.end(seq, how);
}

// Why it will never be delivered.
std::optional<std::string> HintReplay::hopeless(const Hint& hint) const {
  if (context_.env.wall_now() - hint.kept > options_.window) return kTooOld;
  const Incarnation now = context_.cluster.state().highest_incarnation(hint.owner);
  if (now == Incarnation{}) return kNobody;
  if (options_.by_incarnation && now != hint.incarnation) return kOtherLife;
  return std::nullopt;
}

// ---- Who is there --------------------------------------------------------------------------

void HintReplay::heard(Address from) {
  for (auto& [owner, line] : lines_) {
    const Member* const member = context_.member(owner);
    if (member == nullptr || member->address != from) continue;
    if (line.waiting.empty() && line.under_way == 0) {
      const NodeId here = owner;
      lines_.erase(here);  // nothing is kept for it, and it is not away
      return;
    }
    line.missing.reset();
    line.probing = false;
    if (std::exchange(line.reachable, true)) return;
    // Not from inside: whoever tells is in the middle of something.
    if (!line.waiting.empty()) context_.env.arm(kHintTimer, context_.env.now());
    return;
  }
}

void HintReplay::on_cluster_changed(const local::ClusterChanged& changed) {
  if (!log_.ready()) return;
  for (const auto* nodes : {&changed.joined, &changed.updated}) {
    for (const NodeId node : *nodes) {
      const auto line = lines_.find(node);
      if (line != lines_.end()) line->second.reachable = true;
    }
  }
  // A new map: others may be who the hints go to.
  if (changed.old_map != nullptr || changed.from_snapshot) begin_round();
  pump();
}

// Every owner is worth a try, and what has become hopeless goes.
void HintReplay::begin_round() {
  std::vector<std::pair<std::uint64_t, std::string>> gone;
  for (const auto& [seq, hint] : log_.hints()) {
    if (in_flight_.contains(seq)) continue;
    if (auto why = hopeless(hint)) gone.emplace_back(seq, *std::move(why));
  }
  for (const auto& [seq, why] : gone) forget(seq, why);
  for (auto& [owner, line] : lines_) {
    line.refused = false;
    line.probing = !line.reachable;
    line.reachable = true;
  }
  next_round_ = context_.env.now() + options_.retry;
}

// ---- Sending -------------------------------------------------------------------------------

// None: nobody who is to have it is a member.
std::vector<NodeId> HintReplay::targets_of(const Hint& hint) const {
  const PartitionMap& map = context_.map();
  if (map.partition_count() == 0) return {};
  const std::vector<NodeId>& owners =
      map.owners_of(partition_of(hint.record.key, map.partition_count()));
  if (std::find(owners.begin(), owners.end(), hint.owner) != owners.end()) {
    if (context_.member(hint.owner) == nullptr) return {};
    return {hint.owner};
  }
  const bool all_members = std::all_of(owners.begin(), owners.end(), [this](NodeId owner) {
    return context_.member(owner) != nullptr;
  });
  return all_members ? owners : std::vector<NodeId>{};
}

// The next hint of the next owner in turn.
std::optional<std::uint64_t> HintReplay::choose() {
  auto at = lines_.upper_bound(last_served_);
  for (std::size_t n = 0; n < lines_.size(); ++n, ++at) {
    if (at == lines_.end()) at = lines_.begin();
    const Line& line = at->second;
    if (!line.may_be_sent()) continue;
    last_served_ = at->first;
    return options_.newest_first ? *line.waiting.rbegin() : *line.waiting.begin();
  }
  return std::nullopt;
}

void HintReplay::pump() {
  if (!log_.ready() || !context_.store.ready()) return;
  while (in_flight_.size() < kInFlightMax && may_send_ <= context_.env.now()) {
    const std::optional<std::uint64_t> seq = choose();
    if (!seq) break;
    const Hint& hint = log_.hints().at(*seq);
    if (const auto why = hopeless(hint)) {
      forget(*seq, *why);
      continue;
    }
    const std::vector<NodeId> targets = targets_of(hint);
    if (targets.empty()) {
      lines_[hint.owner].reachable = false;
      continue;
    }
    send(hint, targets);
  }
  arm();
}

void HintReplay::send(const Hint& hint, const std::vector<NodeId>& targets) {
  const MonotonicTime now = context_.env.now();
  Line& line = lines_[hint.owner];
  line.waiting.erase(hint.seq);
  ++line.under_way;
  Sent& sent = in_flight_[hint.seq];
  sent.owner = hint.owner;
  sent.deadline = now + context_.options.fetch_timeout;
  sent.targets.insert(targets.begin(), targets.end());
  const std::uint32_t attempt = attempts_[hint.seq]++;
  if (options_.throttle_bytes_per_s != 0) {
    constexpr std::uint64_t kNanoseconds = 1'000'000'000;
    const std::uint64_t bytes = size_of(hint) * targets.size();
    const std::uint64_t wait = bytes * kNanoseconds / options_.throttle_bytes_per_s;
    may_send_ = now + Duration(static_cast<std::int64_t>(wait));
  }
  for (const NodeId target : targets) {
    if (target == context_.self) {
      const PartitionId partition = partition_of(hint.record.key, context_.map().partition_count());
      sent.own_seq =
          context_.store.put(partition, hint.record, MergeRule::merge, fact::WriteCause::repair)
              .seq;
      continue;
    }
    const HintDelivery message{
        .life = log_.life(), .seq = hint.seq, .target = target, .record = hint.record};
    context_.env.send_message(context_.member(target)->address, Transport::stream, message,
                              Purpose::repair, identity_of(hint.seq, target), attempt);
  }
  const bool held_already = sent.own_seq != 0 && sent.own_seq <= context_.store.durable_sequence();
  if (held_already) held_by(hint.seq, context_.self);
}

// ---- What comes of it ----------------------------------------------------------------------

bool HintReplay::on_delivered(Address from, const HintDelivered& message) {
  if (is_client(from)) return false;
  if (!log_.ready() || message.life != log_.life()) return true;  // of what was lost with a disk
  const auto at = in_flight_.find(message.seq);
  const Member* const member = context_.member(message.target);
  if (at == in_flight_.end() || member == nullptr || member->address != from) return true;
  if (!at->second.targets.contains(message.target)) return true;
  if (message.accepted) {
    held_by(message.seq, message.target);
  } else {
    // It has a newer map, or an older one: another round will know.
    lines_[at->second.owner].refused = true;
    take_back(message.seq);
  }
  pump();
  return true;
}

void HintReplay::on_store_durable() {
  std::vector<std::uint64_t> held;
  for (const auto& [seq, sent] : in_flight_) {
    const bool own = sent.targets.contains(context_.self);
    if (own && sent.own_seq <= context_.store.durable_sequence()) held.push_back(seq);
  }
  for (const std::uint64_t seq : held) held_by(seq, context_.self);
  if (!held.empty()) pump();
}

void HintReplay::held_by(std::uint64_t seq, NodeId target) {
  Sent& sent = in_flight_.at(seq);
  sent.targets.erase(target);
  if (sent.targets.empty()) forget(seq, kDelivered);
}

void HintReplay::take_back(std::uint64_t seq) {
  const auto sent = in_flight_.extract(seq);
  Line& line = lines_[sent.mapped().owner];
  --line.under_way;
  line.waiting.insert(seq);
  line.reachable = false;
}

void HintReplay::take_back_overdue() {
  std::vector<std::uint64_t> overdue;
  for (const auto& [seq, sent] : in_flight_) {
    if (sent.deadline <= context_.env.now()) overdue.push_back(seq);
  }
  for (const std::uint64_t seq : overdue) take_back(seq);
}

void HintReplay::on_timer() {
  if (!log_.ready()) return;
  take_back_overdue();
  if (next_round_ <= context_.env.now()) begin_round();
  pump();
}

// Nothing is armed while there is nothing to deliver.
void HintReplay::arm() {
  if (log_.hints().empty()) return context_.env.disarm(kHintTimer);
  MonotonicTime next = std::max(next_round_, context_.env.now());
  for (const auto& [seq, sent] : in_flight_) next = std::min(next, sent.deadline);
  const bool more = std::any_of(lines_.begin(), lines_.end(),
                                [](const auto& line) { return line.second.may_be_sent(); });
  if (more && in_flight_.size() < kInFlightMax) next = std::min(next, may_send_);
  context_.env.arm(kHintTimer, next);
}

void HintReplay::on_io(const IoDone& done) {
  switch (log_.on_io(done)) {
    case HintLog::Progress::none:
      return;
    case HintLog::Progress::recovered:
      for (const auto& [seq, hint] : log_.hints()) adopt(hint);
      arm();
      return;
    case HintLog::Progress::durable:
      context_.bus.publish(fact::HintsDurable{.up_to = log_.durable_sequence()});
      context_.bus.post(local::HintsDurable{.up_to = log_.durable_sequence()});
      return;
  }
}

// ---- The side of the owner -----------------------------------------------------------------

bool HintTaker::on_delivery(Address from, const HintDelivery& message) {
  if (is_client(from) || message.target != context_.self) return false;
  if (!well_formed(context_.store.rules(), message.record)) return false;
  if (!context_.store.ready() || context_.map().partition_count() == 0) return true;
  if (waiting_.size() >= kAnswersMax) return true;
  const PartitionId partition = partition_of(message.record.key, context_.map().partition_count());
  HintDelivered reply{.life = message.life,
                      .seq = message.seq,
                      .target = context_.self,
                      .accepted = context_.is_owner(partition)};
  if (!reply.accepted) {
    answer(from, reply);
    return true;
  }
  const std::uint64_t seq =
      context_.store.put(partition, message.record, MergeRule::merge, fact::WriteCause::repair).seq;
  if (seq <= context_.store.durable_sequence()) {
    answer(from, reply);
    return true;
  }
  // In order of sequence; an answer that waits for less may wait for as much.
  waiting_.push_back({waiting_.empty() ? seq : std::max(seq, waiting_.back().seq), from, reply});
  return true;
}

void HintTaker::on_store_durable() {
  while (!waiting_.empty() && waiting_.front().seq <= context_.store.durable_sequence()) {
    answer(waiting_.front().to, waiting_.front().answer);
    waiting_.pop_front();
  }
}

void HintTaker::answer(Address to, const HintDelivered& message) {
  context_.env.send_message(to, Transport::stream, message, Purpose::repair,
                            identity_of(message.seq, message.target));
}

}  // namespace rejoin::sync_detail
