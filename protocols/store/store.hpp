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
// 4. Records are kept by partition and, within one, ordered by key.
//
// Not here: replication, versions' meaning beyond comparing them, partition ownership.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/facts.hpp"
#include "model/options.hpp"
#include "model/record.hpp"
#include "protocols/node/component.hpp"

namespace rejoin {

// How an arriving record meets a stored one.
enum class MergeRule : std::uint8_t {
  overwrite,  // what arrives stays
  newest,     // the greater Version stays; equal versions leave the stored one
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

  // Stores, or refuses by `rule`. A deleted record under VersionScheme::none erases the key and
  // leaves no tombstone; else the tombstone is stored. Publishes fact::RecordWritten.
  StoreWrite put(PartitionId partition, const Record& record, MergeRule rule,
                 fact::WriteCause cause);
  // Forgets every record of the partition; publishes fact::PartitionDropped. Returns the sequence.
  std::uint64_t drop(PartitionId partition);

  // Null when absent. A tombstone is a record. Valid until the next put or drop.
  [[nodiscard]] const Record* get(PartitionId partition, const Key& key) const;
  // The sequence to wait for before telling anyone what get() said: the record's own, or that of
  // the erasure or drop that made it absent when that is not durable yet.
  [[nodiscard]] std::uint64_t sequence_of(PartitionId partition, const Key& key) const;
  [[nodiscard]] std::uint64_t last_sequence() const;
  [[nodiscard]] std::uint64_t durable_sequence() const;

  // Records of a partition with key > `after` ("" for all), ordered by key, until `visit` says
  // false.
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
