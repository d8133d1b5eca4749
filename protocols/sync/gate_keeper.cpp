#include "protocols/sync/gate_keeper.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "model/check.hpp"
#include "model/params.hpp"

namespace rejoin::sync_detail {

namespace {

constexpr IoToken kReadState{1};
constexpr IoToken kWriteState{2};

std::optional<std::uint64_t> whole_life(ByteView content) {
  const std::string text(content.begin(), content.end());
  if (!text.starts_with(kWhole)) return std::nullopt;
  const auto life = parse_integer(std::string_view(text).substr(kWhole.size()));
  if (!life || *life < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*life);
}

}  // namespace

void GateKeeper::start() {
  holdings_.assign(context_.gate.partition_count(), Holding{});
  process_since_ = context_.env.now();
  if (fenced()) {
    for (std::uint32_t p = 0; p < holdings_.size(); ++p) close(PartitionId(p));
  }
  context_.env.read(kStateFile, kReadState);
}

void GateKeeper::on_io(const IoDone& done) {
  if (done.token == kWriteState) {
    writing_ = false;
    if (done.status != IoStatus::ok) {
      return context_.env.halt("the sync state could not be written");
    }
    if (next_state_) remember(*std::exchange(next_state_, std::nullopt));
    return;
  }
  if (done.token != kReadState || start_ != Start::unknown) return;
  if (done.status == IoStatus::failed) {
    return context_.env.halt("the sync state could not be read");
  }
  const ByteView content = done.data;
  const ByteView founding = as_bytes(kFounding);
  const bool is_founding =
      done.status == IoStatus::ok &&
      std::equal(content.begin(), content.end(), founding.begin(), founding.end());
  const ByteView returned = as_bytes(kReturned);
  if (done.status == IoStatus::ok) whole_life_ = whole_life(content);
  const bool is_returned =
      whole_life_ || std::equal(content.begin(), content.end(), returned.begin(), returned.end());
  if (done.status == IoStatus::ok && !is_founding && !is_returned) {
    // It is replaced whole, so no crash explains this; to take it for a return costs a repair.
    context_.bus.publish(
        fact::StorageCorrupt{.file = "sync.state",
                             .offset = 0,
                             .what = "not founding, returned or whole with a number: repairing"});
  }
  start_ = is_founding && !readmitted_ && !evicted_ ? Start::founding : Start::returning;
  new_disk_ = done.status == IoStatus::not_found;
  if (!is_returned) remember(std::string(kReturned));
  try_return();
}

void GateKeeper::remember(std::string state) {
  if (writing_) {
    next_state_ = std::move(state);
    return;
  }
  writing_ = true;
  context_.env.replace(kStateFile, as_bytes(state), kWriteState);
}

void GateKeeper::vouch() {
  if (is_whole()) return;
  whole_life_ = context_.store.life();
  remember(std::string(kWhole) + std::to_string(*whole_life_));
}

void GateKeeper::on_event(const local::IdentityKnown& event) {
  if (!evicted_ && incarnation_ == event.incarnation) return;
  if (evicted_ || incarnation_.has_value()) {
    // Another life, whether or not we heard that the last one had ended.
    leave();
    if (start_ == Start::founding) start_ = Start::returning;
    readmitted_ = true;
  }
  incarnation_ = event.incarnation;
  evicted_ = false;
  identity_since_ = context_.env.now();
  try_return();
}

void GateKeeper::on_event(const local::CaughtUp& event) {
  if (event.group != kClusterGroup) return;
  caught_up_ = true;
  try_return();
}

void GateKeeper::on_event(const local::StoreRecovered& event) {
  had_records_ = event.records != 0;
  try_return();
}

void GateKeeper::on_event(const local::Evicted& /*event*/) {
  leave();
  evicted_ = true;
}

void GateKeeper::on_event(const local::ClusterChanged& event) {
  if (event.old_map != nullptr || event.from_snapshot) {
    bool gained = false;
    for (std::uint32_t p = 0; p < holdings_.size(); ++p) {
      const PartitionId partition(p);
      if (context_.is_owner(partition)) {
        gained |= !holdings_[p].handled;
        continue;
      }
      holdings_[p].handled = false;
      queue_.abandon(partition, "no longer an owner of the partition");
      if (fenced()) close(partition);
    }
    // The hooks of this change, if any run, come in the same drain, before any timer.
    if (gained && returned_) context_.env.arm(kSettleTimer, context_.env.now());
  }
  try_return();
}

void GateKeeper::on_event(const local::PartitionChanged& event) {
  const PartitionId partition = event.partition;
  if (event.copy_to != context_.self || evicted_ || !context_.knows(partition)) return;
  if (!context_.is_owner(partition)) return;  // the map has moved on
  PartitionNeeded needed{.partition = partition, .sources = {}, .reason = event.reason};
  for (const NodeId source : event.copy_from) {
    if (source != context_.self && context_.member(source) != nullptr) {
      needed.sources.push_back(source);
    }
  }
  // Before the return the return itself handles gates: what we see is what happened meanwhile.
  // A partition that was owned before (its role has changed) keeps its gate.
  if (returned_ && !holdings_[partition.value].handled) {
    admit(partition, any_repairs_on_change(), context_.env.now());
  }
  for (const auto& mechanism : mechanisms_) mechanism->on_partition_change(needed);
}

// Maps that came without hooks, by a snapshot.
void GateKeeper::on_settle_timer() {
  if (!returned_) return;
  std::vector<Owned> gained;
  for (std::uint32_t p = 0; p < holdings_.size(); ++p) {
    if (!context_.is_owner(PartitionId(p)) || holdings_[p].handled) continue;
    gained.push_back({.partition = PartitionId(p), .gained = true});
  }
  if (!gained.empty()) return_with(gained, context_.env.now());
}

void GateKeeper::on_completed(PartitionId partition, MonotonicTime started) {
  Holding& holding = holdings_[partition.value];
  holding.claimed = true;
  holding.repaired_since = started;
  if (returned_ && is_repaired_everywhere()) vouch();
  if (!fenced() || !returned_ || !holding.handled) return;
  if (queue_.pending(partition) || context_.gate.is_open(partition)) return;
  open(partition, true, started);
}

bool GateKeeper::is_repaired_everywhere() const {
  for (std::uint32_t p = 0; p < holdings_.size(); ++p) {
    if (context_.is_owner(PartitionId(p)) && !holdings_[p].repaired_since) return false;
  }
  return true;
}

// What others acknowledge from now on is missed.
void GateKeeper::leave() {
  returned_ = false;
  caught_up_ = false;
  queue_.let_start(false);
  queue_.abandon_all("removed from the cluster");
  for (std::uint32_t p = 0; p < holdings_.size(); ++p) {
    holdings_[p] = Holding{};
    if (fenced()) close(PartitionId(p));
  }
}

void GateKeeper::try_return() {
  if (returned_ || evicted_ || !caught_up_ || !incarnation_ || start_ == Start::unknown) return;
  if (!context_.store.ready() || context_.member(context_.self) == nullptr) return;
  returned_ = true;
  queue_.let_start(true);
  std::vector<Owned> owned;
  for (std::uint32_t p = 0; p < holdings_.size(); ++p) {
    if (context_.is_owner(PartitionId(p))) owned.push_back({.partition = PartitionId(p)});
  }
  // A disk that lost the replace of `state` says founding again. Whoever has data was here before.
  if (start_ == Start::founding && !had_records_) {
    start_ = Start::returning;
    vouch();
    for (const Owned& each : owned) {
      admit(each.partition, queue_.pending(each.partition), context_.env.now());
    }
    return;
  }
  return_with(owned, member_since());
}

void GateKeeper::return_with(const std::vector<Owned>& owned, MonotonicTime since) {
  for (const Owned& each : owned) {
    // A hook may have asked for a repair while we were catching up.
    admit(each.partition, any_repairs_on_return(each) || queue_.pending(each.partition), since);
  }
  for (const auto& mechanism : mechanisms_) mechanism->on_return(owned);
}

void GateKeeper::admit(PartitionId partition, bool will_repair, MonotonicTime since) {
  Holding& holding = holdings_[partition.value];
  holding.handled = true;
  if (will_repair) {
    holding.claimed = false;
    if (!fenced()) open(partition, false, since);
    return;
  }
  holding.claimed = true;
  open(partition, true, std::max(since, holding.repaired_since.value_or(since)));
}

void GateKeeper::open(PartitionId partition, bool claims_repaired, MonotonicTime since) {
  context_.gate.open(partition);
  context_.bus.publish(fact::GateOpened{partition, claims_repaired, since});
}

void GateKeeper::close(PartitionId partition) {
  if (!context_.gate.is_open(partition)) return;
  context_.gate.close(partition);
  context_.bus.publish(fact::GateClosed{partition});
}

MonotonicTime GateKeeper::member_since() const {
  return readmitted_ || new_disk_ ? identity_since_ : process_since_;
}

bool GateKeeper::any_repairs_on_return(const Owned& owned) const {
  return std::any_of(mechanisms_.begin(), mechanisms_.end(), [&owned](const auto& mechanism) {
    return mechanism->repairs_on_return(owned);
  });
}

bool GateKeeper::any_repairs_on_change() const {
  return std::any_of(mechanisms_.begin(), mechanisms_.end(),
                     [](const auto& mechanism) { return mechanism->repairs_on_change(); });
}

}  // namespace rejoin::sync_detail
