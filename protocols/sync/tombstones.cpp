#include "protocols/sync/tombstones.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "model/mutant.hpp"
#include "model/random.hpp"

namespace rejoin::sync_detail {

bool TombstoneKeeper::collects() const {
  switch (context_.store.options().tombstones) {
    case TombstoneRule::keep:
    case TombstoneRule::none:
      return false;
    case TombstoneRule::grace:
    case TombstoneRule::after_repair:
    case TombstoneRule::all_ack:
      return context_.store.options().versions != VersionScheme::none;
  }
  return false;
}

Duration TombstoneKeeper::delay() const {
  const StoreOptions& options = context_.store.options();
  switch (options.tombstones) {
    case TombstoneRule::keep:
    case TombstoneRule::none:
      return {};
    case TombstoneRule::grace:
      return options.tombstone_grace;
    case TombstoneRule::after_repair:
      return options.tombstone_repair_delay;
    case TombstoneRule::all_ack:
      return options.tombstone_ack_delay;
  }
  return {};
}

// Often enough that what is ripe does not wait for much longer than it had to.
void TombstoneKeeper::schedule() {
  const Duration period = std::clamp<Duration>(delay() / 4, 100ms, 1min);
  next_sweep_ = context_.env.now() + period;
  context_.env.arm(kTombstoneTimer, next_sweep_);
}

void TombstoneKeeper::on_store_ready() {
  if (!collects()) return;
  for (std::uint32_t p = 0; p < context_.gate.partition_count(); ++p) {
    context_.store.scan(PartitionId(p), "", [this, p](const Record& record) {
      on_change(PartitionId(p), record.key, &record);
      return true;
    });
  }
  schedule();
}

void TombstoneKeeper::on_change(PartitionId partition, const Key& key, const Record* after) {
  if (!collects()) return;
  if (after == nullptr || !is_deleted(*after)) {
    const auto at = held_.find(partition);
    if (at != held_.end()) at->second.erase(key);
    return;
  }
  const auto known = known_.find(key);
  Tombstone& tombstone = held_[partition][key];
  if (tombstone.origin == after->origin) return;
  tombstone = {.origin = after->origin,
               .since = context_.env.now(),
               .again = known != known_.end() && known->second == after->origin};
  // Else whoever sweeps later would give it back between two sweeps, and get it back after its own.
  // Not here: the store is in the middle of it.
  if (!tombstone.again) return;
  again_.emplace_back(partition, key, after->origin);
  context_.env.arm(kTombstoneTimer, context_.env.now());
}

void TombstoneKeeper::on_met(PartitionId partition, NodeId owner, MonotonicTime began) {
  const auto held = held_.find(partition);
  if (held == held_.end()) return;
  for (auto& [key, tombstone] : held->second) {
    if (tombstone.since <= began) tombstone.met.try_emplace(owner, began);
  }
}

std::vector<NodeId> TombstoneKeeper::other_owners(PartitionId partition) const {
  std::vector<NodeId> out;
  if (partition.value >= context_.map().partition_count()) return out;
  for (const NodeId owner : context_.map().owners_of(partition)) {
    if (owner != context_.self) out.push_back(owner);
  }
  return out;
}

// Owners that are no members now may come back with the value.
bool TombstoneKeeper::all_met(PartitionId partition, const Tombstone& tombstone) const {
  const std::vector<NodeId> owners = other_owners(partition);
  if (owners.size() + 1 < context_.replication) return false;
  return std::all_of(owners.begin(), owners.end(), [&](NodeId owner) {
    const auto met = tombstone.met.find(owner);
    const bool lacks = met == tombstone.met.end() || context_.member(owner) == nullptr;
    if (lacks) return MUTANT("sync-tombstone-early") && !tombstone.met.empty();
    return context_.env.now() - met->second >= delay();
  });
}

bool TombstoneKeeper::is_ripe(PartitionId partition, const Key& key,
                              const Tombstone& tombstone) const {
  if (tombstone.again) return true;
  const std::optional<Record> record = context_.store.get(partition, key);
  if (!record) return false;
  switch (context_.store.options().tombstones) {
    case TombstoneRule::grace:
      return context_.env.wall_now() - record->version.timestamp >= delay();
    case TombstoneRule::after_repair:
      return all_met(partition, tombstone);
    case TombstoneRule::keep:
    case TombstoneRule::none:
    case TombstoneRule::all_ack:
      return false;
  }
  return false;
}

void TombstoneKeeper::on_sweep_timer() {
  for (const auto& [partition, key, origin] : std::exchange(again_, {})) {
    collect(partition, key, origin);
  }
  if (context_.env.now() < next_sweep_) return context_.env.arm(kTombstoneTimer, next_sweep_);
  schedule();
  if (!context_.store.ready()) return;
  const bool by_word = context_.store.options().tombstones == TombstoneRule::all_ack;
  for (const auto& [partition, tombstones] : held_) {
    std::vector<std::pair<Key, RequestId>> ripe;
    for (const auto& [key, tombstone] : tombstones) {
      if (is_ripe(partition, key, tombstone)) ripe.emplace_back(key, tombstone.origin);
    }
    for (const auto& [key, origin] : ripe) collect(partition, key, origin);
    if (!by_word || !leads(partition)) continue;
    drop_acked(partition, tombstones);
    offer(partition, tombstones);
  }
}

void TombstoneKeeper::collect(PartitionId partition, const Key& key, RequestId origin) {
  const std::optional<Record> record = context_.store.get(partition, key);
  if (!record || record->origin != origin || !is_deleted(*record)) return;
  if (known_.insert_or_assign(key, origin).second) known_order_.push_back(key);
  if (known_order_.size() > kKnownMax) {
    known_.erase(known_order_.front());
    known_order_.pop_front();
  }
  context_.store.collect(partition, key);
}

// ---- all-ack: by the word of every owner ---------------------------------------------------

bool TombstoneKeeper::leads(PartitionId partition) const {
  if (partition.value >= context_.map().partition_count()) return false;
  const std::vector<NodeId>& owners = context_.map().owners_of(partition);
  return !owners.empty() && owners.front() == context_.self;
}

template <class M>
void TombstoneKeeper::send(NodeId to, const M& message, std::uint64_t round) {
  const Member* const member = context_.member(to);
  if (member == nullptr) return;
  context_.env.send_message(member->address, Transport::stream, message, Purpose::repair,
                            mix(mix(message.partition.value, round), to.value));
}

// One round at a time; one that some owner did not answer is sent again, as another.
void TombstoneKeeper::offer(PartitionId partition, const Partition& held) {
  const std::vector<NodeId> owners = other_owners(partition);
  if (owners.size() + 1 < context_.replication) return;
  Round& round = rounds_[partition];
  TombstoneOffer offered{.partition = partition, .epoch = context_.map().epoch};
  round.offered.clear();
  for (const auto& [key, tombstone] : held) {
    if (offered.records.size() == kOfferMax) break;
    const std::optional<Record> record = context_.store.get(partition, key);
    const bool durable =
        context_.store.sequence_of(partition, key) <= context_.store.durable_sequence();
    if (!record || tombstone.acked || !durable) continue;
    offered.records.push_back(*record);
    round.offered[key] = tombstone.origin;
  }
  if (offered.records.empty()) return;
  offered.round = ++round.number;
  round.silent = {owners.begin(), owners.end()};
  for (const NodeId owner : owners) send(owner, offered, round.number);
}

bool TombstoneKeeper::on_offer(Address from, const TombstoneOffer& offer) {
  if (is_client(from) || !context_.knows(offer.partition)) return false;
  const Key* previous = nullptr;
  for (const Record& record : offer.records) {
    const bool ascends = previous == nullptr || *previous < record.key;
    if (!ascends || !is_deleted(record) || !well_formed(context_.store.rules(), record)) {
      return false;
    }
    if (partition_of(record.key, context_.gate.partition_count()) != offer.partition) return false;
    previous = &record.key;
  }
  if (!context_.store.ready() || context_.map().epoch < offer.epoch) return true;
  if (!context_.is_owner(offer.partition)) return true;  // the asker's map is old
  std::uint64_t seq = 0;
  for (const Record& record : offer.records) {
    const StoreWrite write =
        context_.store.put(offer.partition, record, MergeRule::merge, fact::WriteCause::repair);
    seq = std::max(seq, write.seq);
  }
  const TombstoneHeld held{
      .partition = offer.partition, .round = offer.round, .owner = context_.self};
  seq = waiting_.empty() ? seq : std::max(seq, waiting_.back().seq);
  waiting_.push_back({seq, from, held});
  on_durable();
  return true;
}

void TombstoneKeeper::on_durable() {
  const std::uint64_t durable = context_.store.durable_sequence();
  while (!waiting_.empty() && waiting_.front().seq <= durable) {
    const Waiting& next = waiting_.front();
    context_.env.send_message(
        next.to, Transport::stream, next.held, Purpose::repair,
        mix(mix(next.held.partition.value, next.held.round), context_.self.value));
    waiting_.pop_front();
  }
}

bool TombstoneKeeper::on_held(Address from, const TombstoneHeld& held) {
  const Member* const member = context_.member(held.owner);
  if (!context_.knows(held.partition) || member == nullptr) return false;
  if (member->address != from) return false;
  const auto at = rounds_.find(held.partition);
  if (at == rounds_.end() || at->second.number != held.round) return true;  // late
  Round& round = at->second;
  if (round.silent.erase(held.owner) == 0 || !round.silent.empty()) return true;
  Partition& tombstones = held_[held.partition];
  for (const auto& [key, origin] : round.offered) {
    const auto tombstone = tombstones.find(key);
    if (tombstone == tombstones.end() || tombstone->second.origin != origin) continue;
    tombstone->second.acked = context_.env.now();
  }
  return true;
}

void TombstoneKeeper::drop_acked(PartitionId partition, const Partition& held) {
  TombstoneDrop drop{.partition = partition, .epoch = context_.map().epoch};
  for (const auto& [key, tombstone] : held) {
    if (drop.keys.size() == kOfferMax) break;
    if (!tombstone.acked || context_.env.now() - *tombstone.acked < delay()) continue;
    drop.keys.push_back(key);
    drop.origins.push_back(tombstone.origin);
  }
  if (drop.keys.empty()) return;
  drop.round = ++rounds_[partition].number;
  for (const NodeId owner : other_owners(partition)) send(owner, drop, drop.round);
  for (std::size_t i = 0; i < drop.keys.size(); ++i) {
    collect(partition, drop.keys[i], drop.origins[i]);
  }
}

bool TombstoneKeeper::on_drop(Address from, const TombstoneDrop& drop) {
  if (is_client(from) || !context_.knows(drop.partition)) return false;
  if (drop.keys.size() != drop.origins.size() || drop.keys.size() > kOfferMax) return false;
  if (!context_.store.ready() || context_.map().epoch < drop.epoch) return true;
  for (std::size_t i = 0; i < drop.keys.size(); ++i) {
    collect(drop.partition, drop.keys[i], drop.origins[i]);
  }
  return true;
}

}  // namespace rejoin::sync_detail
