#include "protocols/store/store.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "model/check.hpp"
#include "model/mutant.hpp"
#include "protocols/store/journal.hpp"
#include "protocols/store/record_table.hpp"

namespace rejoin {

using store::EntryKind;
using store::Held;
using store::Journal;
using store::LogEntry;
using store::RecordTable;

namespace {

struct Partition {
  RecordTable records;
  std::map<Key, std::uint64_t> erased;  // absent keys whose erasure is not durable yet
  std::uint64_t dropped = 0;            // sequence of the last drop
};

std::uint32_t actors_of(const Record& record) {
  if (record.causality == nullptr) return 0;
  return static_cast<std::uint32_t>(record.causality->clock.size());
}

struct Erasure {
  std::uint64_t seq = 0;
  PartitionId partition;
  Key key;
};

}  // namespace

struct Store::Impl {
  Impl(Env& machine, NodeBus& bus_to_use, StoreOptions options_to_use, std::uint32_t count)
      : options(std::move(options_to_use)),
        rules(options),
        bus(bus_to_use),
        partitions(count),
        journal(machine, bus, [this](const LogEntry& entry) { return replay(entry); }) {}

  [[nodiscard]] Partition& at(PartitionId id) {
    CHECK_THAT(ready && id.value < partitions.size());
    return partitions[id.value];
  }

  // False when the entry is of a partition that this store has not.
  bool replay(const LogEntry& entry) {
    if (entry.partition.value >= partitions.size()) return false;
    Partition& partition = partitions[entry.partition.value];
    switch (entry.kind) {
      case EntryKind::put:
        newest = std::max(newest, entry.record.version);
        partition.records.put(entry.record, entry.seq);
        return true;
      case EntryKind::erase:
        partition.records.erase(entry.record.key);
        return true;
      case EntryKind::drop:
        partition.records.clear();
        return true;
      case EntryKind::snapshot:
      case EntryKind::head:
      case EntryKind::mark:
        return false;
    }
    return false;
  }

  [[nodiscard]] bool erases(const Record& record, fact::WriteCause cause) const {
    if (!is_deleted(record)) return false;
    return options.versions == VersionScheme::none || options.tombstones == TombstoneRule::none ||
           cause == fact::WriteCause::collection;
  }

  // `arrived`: what the merge was asked to take, when that is not what it made.
  StoreWrite store(PartitionId id, const Merged& merged, fact::WriteCause cause,
                   const Record* arrived = nullptr) {
    for (const Loss& loss : merged.lost) {
      bus.publish(
          fact::ConflictLost{.key = merged.record.key, .lost = loss.lost, .kept = loss.kept});
    }
    if (merged.changed) return write(id, merged.record, cause);
    const std::optional<Held> known = at(id).records.get(merged.record.key);
    CHECK_THAT(known.has_value());
    const Record& refused = arrived == nullptr ? merged.record : *arrived;
    bus.publish(fact::RecordWritten{.partition = id,
                                    .key = refused.key,
                                    .origin = refused.origin,
                                    .deleted = refused.deleted,
                                    .replaced = known->record.origin,
                                    .cause = cause,
                                    .seq = known->seq,
                                    .others = {},
                                    .actors = 0});
    return {.seq = known->seq, .stored = false};
  }

  StoreWrite write(PartitionId id, const Record& record, fact::WriteCause cause) {
    Partition& partition = at(id);
    const bool erased = erases(record, cause);
    const std::uint64_t seq = journal.last_sequence() + 1;
    LogEntry entry{.seq = seq,
                   .kind = erased ? EntryKind::erase : EntryKind::put,
                   .partition = id,
                   .record = record};
    log(entry);
    newest = std::max(newest, record.version);
    std::optional<Record> before;
    if (auto known = partition.records.get(record.key)) before = std::move(known->record);
    if (erased) {
      partition.records.erase(record.key);
      partition.erased[record.key] = seq;
      erasures.push_back({.seq = seq, .partition = id, .key = record.key});
    } else {
      partition.records.put(record, seq);
    }
    bus.publish(fact_of(id, record, before, erased, cause, seq));
    tell(id, record.key, before ? &*before : nullptr, erased ? nullptr : &record);
    snapshot_if_due();
    return {.seq = seq, .stored = true};
  }

  [[nodiscard]] fact::RecordWritten fact_of(PartitionId id, const Record& record,
                                            const std::optional<Record>& before, bool erased,
                                            fact::WriteCause cause, std::uint64_t seq) const {
    fact::RecordWritten written{.partition = id,
                                .key = record.key,
                                .origin = record.origin,
                                .deleted = is_deleted(record),
                                .erased = erased,
                                .stored = true,
                                .replaced = std::nullopt,
                                .cause = cause,
                                .seq = seq,
                                .others = origins_of(rules, record),
                                .actors = actors_of(record)};
    if (before) {
      // The newest that is there no more.
      for (const RequestId origin : origins_of(rules, *before)) {
        const auto& held = written.others;
        if (std::find(held.begin(), held.end(), origin) != held.end()) continue;
        written.replaced = origin;
        break;
      }
    }
    written.others.erase(written.others.begin());
    return written;
  }

  void tell(PartitionId id, const Key& key, const Record* before, const Record* after) const {
    if (listener) listener(id, key, before, after);
  }

  void log(LogEntry& entry) {
    journal.append(entry);
    if (journal.log_bytes() >= options.snapshot_log_bytes && !journal.snapshot_under_way()) {
      snapshot_due = true;
    }
  }

  // Called when memory and journal agree again.
  void snapshot_if_due() {
    if (!snapshot_due) return;
    snapshot_due = false;
    Writer image;
    const auto add = [&image](const LogEntry& entry) {
      store::write_entry(image, store::FileKind::snapshot, image.size(), entry);
    };
    add({.seq = journal.last_sequence(),
         .kind = EntryKind::snapshot,
         .partition = {},
         .record = {},
         .count = record_count()});
    for (std::uint32_t p = 0; p < partitions.size(); ++p) {
      partitions[p].records.visit("", [&add, p](const Held& held) {
        add({.seq = held.seq,
             .kind = EntryKind::put,
             .partition = PartitionId(p),
             .record = held.record});
        return true;
      });
    }
    journal.write_snapshot(image.take());
  }

  [[nodiscard]] std::uint64_t record_count() const {
    std::uint64_t count = 0;
    for (const Partition& partition : partitions) count += partition.records.size();
    return count;
  }

  void forget_durable_erasures() {
    while (!erasures.empty() && erasures.front().seq <= journal.durable_sequence()) {
      const Erasure& erasure = erasures.front();
      auto& erased = partitions[erasure.partition.value].erased;
      const auto at_key = erased.find(erasure.key);
      // The key may have been erased again since.
      if (at_key != erased.end() && at_key->second == erasure.seq) erased.erase(at_key);
      erasures.pop_front();
    }
  }

  StoreOptions options;
  VersionRules rules;
  NodeBus& bus;
  ChangeListener listener;
  Version newest;
  std::vector<Partition> partitions;
  std::deque<Erasure> erasures;  // in order of sequence
  bool ready = false;
  bool snapshot_due = false;
  Journal journal;
};

Store::Store(Env& machine, NodeBus& bus, StoreOptions options, std::uint32_t partitions)
    : impl_(std::make_unique<Impl>(machine, bus, options, partitions)) {}
Store::~Store() = default;

bool Store::ready() const {
  return impl_->ready;
}

StoreWrite Store::put(PartitionId id, const Record& record, MergeRule rule,
                      fact::WriteCause cause) {
  const bool blind = MUTANT("sync-blind-merge") && cause == fact::WriteCause::repair;
  if (rule == MergeRule::overwrite || blind) return impl_->store(id, {record, true, {}}, cause);
  const std::optional<Record> known = get(id, record.key);
  Merged merged = merge(impl_->rules, known ? &*known : nullptr, record);
  if (rule == MergeRule::resolve) merged.changed |= merged.record.version == record.version;
  return impl_->store(id, merged, cause, &record);
}

StoreWrite Store::update(PartitionId id, const Key& key, const CausalWrite& write,
                         const Actor& actor) {
  const std::optional<Record> known = get(id, key);
  const Merged merged = rejoin::update(impl_->rules, key, known ? &*known : nullptr, write, actor);
  return impl_->store(id, merged, fact::WriteCause::foreground);
}

void Store::collect(PartitionId id, const Key& key) {
  const std::optional<Record> record = get(id, key);
  if (!record || !is_deleted(*record)) return;
  impl_->write(id, *record, fact::WriteCause::collection);
}

std::uint64_t Store::drop(PartitionId id) {
  Partition& partition = impl_->at(id);
  const std::uint64_t seq = last_sequence() + 1;
  LogEntry entry{.seq = seq, .kind = EntryKind::drop, .partition = id, .record = {}};
  impl_->log(entry);
  const RecordTable dropped = std::exchange(partition.records, {});
  partition.dropped = seq;
  impl_->bus.publish(fact::PartitionDropped{.partition = id, .seq = seq});
  dropped.visit("", [this, id](const Held& held) {
    impl_->tell(id, held.record.key, &held.record, nullptr);
    return true;
  });
  impl_->snapshot_if_due();
  return seq;
}

const StoreOptions& Store::options() const {
  return impl_->options;
}

const VersionRules& Store::rules() const {
  return impl_->rules;
}

std::uint64_t Store::life() const {
  CHECK_THAT(impl_->ready);
  return impl_->journal.life();
}

const Version& Store::newest() const {
  return impl_->newest;
}

void Store::set_change_listener(ChangeListener listener) {
  impl_->listener = std::move(listener);
}

std::optional<Record> Store::get(PartitionId id, const Key& key) const {
  std::optional<Held> held = impl_->at(id).records.get(key);
  if (!held) return std::nullopt;
  return std::move(held->record);
}

std::uint64_t Store::sequence_of(PartitionId id, const Key& key) const {
  const Partition& partition = impl_->at(id);
  if (const auto seq = partition.records.sequence_of(key)) return *seq;
  const auto erased = partition.erased.find(key);
  const std::uint64_t seq =
      std::max(partition.dropped, erased == partition.erased.end() ? 0 : erased->second);
  return seq > durable_sequence() ? seq : 0;
}

std::uint64_t Store::last_sequence() const {
  return impl_->journal.last_sequence();
}

std::uint64_t Store::durable_sequence() const {
  return impl_->journal.durable_sequence();
}

void Store::scan(PartitionId id, const Key& after,
                 const std::function<bool(const Record&)>& visit) const {
  impl_->at(id).records.visit(after, [&](const Held& held) {
    const bool is_after = after.empty() || held.record.key != after;
    return !is_after || visit(held.record);
  });
}

std::uint64_t Store::record_count(PartitionId id) const {
  return impl_->at(id).records.size();
}

void Store::start() {
  impl_->journal.start();
}

// The store has no messages: whoever sends it one is mistaken.
bool Store::on_message(Address /*from*/, MessageKind /*kind*/, ByteView /*body*/) {
  return false;
}

void Store::on_timer(TimerId /*timer*/) {}

void Store::on_io(const IoDone& done) {
  switch (impl_->journal.on_io(done)) {
    case Journal::Progress::none:
      return;
    case Journal::Progress::recovered: {
      impl_->ready = true;
      const std::uint64_t records = impl_->record_count();
      impl_->bus.publish(
          fact::StoreRecovered{.records = records, .up_to = last_sequence(), .life = life()});
      impl_->bus.post(local::StoreRecovered{.records = records});
      return;
    }
    case Journal::Progress::durable:
      impl_->forget_durable_erasures();
      impl_->bus.publish(fact::StoreDurable{.up_to = durable_sequence()});
      impl_->bus.post(local::StoreDurable{.up_to = durable_sequence()});
      return;
  }
}

void Store::on_local(const LocalEvent& /*event*/) {}

}  // namespace rejoin
