// The durable key-value store of one node: an append-only log and a snapshot on Env's files.
//
// Invariants:
// 1. A write is visible to get() at once and durable when local::StoreDurable reaches its
//    sequence. Whoever answers a client waits for the sequence of what he answers with
//    (sequence_of), so that nothing is shown that a crash could take back.
// 2. A failed sync halts the node; it is not retried.
// 3. After a crash the store holds every durable write and of the others a prefix; a torn tail of
//    the log is cut off and reported (fact MessageRejected names it). Damage that no crash explains
//    is reported (StorageCorrupt) and halts the node; see journal.hpp for why.
// 4. Records are kept by partition and, within one, ordered by key; packed (record_table.hpp), so
//    that what is handed out is a copy.
//
// Not here: replication, what versions mean (protocols/versions/), partition ownership.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/facts.hpp"
#include "model/options.hpp"
#include "model/record.hpp"
#include "protocols/node/component.hpp"
#include "protocols/versions/merge.hpp"

namespace rejoin {

// How an arriving record meets a stored one.
enum class MergeRule : std::uint8_t {
  overwrite,  // what arrives stays, whatever versions say
  merge,      // by versions and the rule for conflicts (protocols/versions/merge.hpp)
  resolve,    // the same; but of what has the version that is there, too, the outcome is stored, as
              // if that were a conflict
};

struct StoreWrite {
  std::uint64_t seq = 0;  // wait for this; the stored record's own when it was not replaced
  bool stored = false;    // false: the record that was there is as new or newer
};

class Store final : public Component {
 public:
  Store(Env& machine, NodeBus& bus, StoreOptions options, std::uint32_t partitions);
  ~Store() override;

  // True once the files have been read; before that nothing else may be called.
  [[nodiscard]] bool ready() const;

  // Stores what `rule` makes of it, or nothing when that is what is there. A deleted record under
  // VersionScheme::none or TombstoneRule::none erases the key and leaves no tombstone; else the
  // tombstone is stored. Publishes fact::RecordWritten, and fact::ConflictLost for what a merge
  // dropped. The record is well formed under rules().
  StoreWrite put(PartitionId partition, const Record& record, MergeRule rule,
                 fact::WriteCause cause);
  // A client's write where versions track causality; this replica counts it as `actor`.
  StoreWrite update(PartitionId partition, const Key& key, const CausalWrite& write,
                    const Actor& actor);
  // Forgets the key if all that is stored of it is tombstones.
  void collect(PartitionId partition, const Key& key);
  // Forgets every record of the partition; publishes fact::PartitionDropped. Returns the sequence.
  std::uint64_t drop(PartitionId partition);

  [[nodiscard]] const StoreOptions& options() const;
  [[nodiscard]] const VersionRules& rules() const;
  // Which life of this node's data it is: another one once the files were lost. Whoever counts what
  // it does with the data counts by it. Ready only.
  [[nodiscard]] std::uint64_t life() const;
  // The greatest version that this store has held since it was read back: what a hybrid logical
  // clock must not fall behind.
  [[nodiscard]] const Version& newest() const;
  // Called whenever what is stored of a key has changed, with what was there before and is now
  // (null: nothing), from inside put, update, collect and drop. Set it before start().
  using ChangeListener =
      std::function<void(PartitionId, const Key&, const Record* before, const Record* after)>;
  void set_change_listener(ChangeListener listener);

  // None when absent. A tombstone is a record.
  [[nodiscard]] std::optional<Record> get(PartitionId partition, const Key& key) const;
  // The sequence to wait for before telling anyone what get() said: the record's own, or that of
  // the erasure or drop that made it absent when that is not durable yet.
  [[nodiscard]] std::uint64_t sequence_of(PartitionId partition, const Key& key) const;
  [[nodiscard]] std::uint64_t last_sequence() const;
  [[nodiscard]] std::uint64_t durable_sequence() const;

  // Records of a partition with key > `after` ("" for all), ordered by key, until `visit` says
  // false. It changes nothing of the store.
  void scan(PartitionId partition, const Key& after,
            const std::function<bool(const Record&)>& visit) const;
  [[nodiscard]] std::uint64_t record_count(PartitionId partition) const;  // tombstones included

  [[nodiscard]] Channel channel() const override { return Channel::store; }
  void start() override;
  [[nodiscard]] bool on_message(Address from, MessageKind kind, ByteView body) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;
  void on_local(const LocalEvent& event) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rejoin
