// What SyncManagers say to each other.
//
// Invariants:
// 1. An answer names the repair, source and chunk that it answers, so that a late or duplicate one
//    is told from the one that is awaited.
// 2. `repair` is unlikely to repeat in another life of the asking process (it mixes both clocks).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "model/message.hpp"
#include "model/random.hpp"
#include "model/record.hpp"

namespace rejoin::sync_detail {

// What a source says of itself.
enum class SourceState : std::uint8_t {
  ready,
  unrepaired,  // it holds data, but is itself waiting for a repair of the partition
  unable,      // its store is being recovered, its map is older than the asker's, or it is full
};
inline constexpr std::uint8_t kSourceStates = 3;
// A peer may send anything.
[[nodiscard]] constexpr bool known(SourceState state) {
  return static_cast<std::uint8_t>(state) < kSourceStates;
}
[[nodiscard]] constexpr std::string_view to_name(SourceState state) {
  switch (state) {
    case SourceState::ready:
      return "ready";
    case SourceState::unrepaired:
      return "unrepaired";
    case SourceState::unable:
      return "unable";
  }
  return "unknown";
}

struct FreshnessRequest {
  static constexpr MessageKind kind{Channel::sync, 1};
  std::uint64_t repair = 0;
  NodeId source;  // who is asked
  PartitionId partition;
  Epoch epoch;                     // of the asker's map
  bool accept_unrepaired = false;  // no repaired source was found before
  std::uint64_t number = 0;        // which repair of the partition in this process, for tags
  std::uint32_t attempt = 0;
  REJOIN_FIELDS(repair, source, partition, epoch, accept_unrepaired, number, attempt)
};

struct FreshnessReply {
  static constexpr MessageKind kind{Channel::sync, 2};
  std::uint64_t repair = 0;
  NodeId source;
  PartitionId partition;
  SourceState state{};
  Version newest;
  std::uint64_t records = 0;
  REJOIN_FIELDS(repair, source, partition, state, newest, records)
};

struct FetchRequest {
  static constexpr MessageKind kind{Channel::sync, 3};
  std::uint64_t repair = 0;
  NodeId source;
  PartitionId partition;
  Epoch epoch;
  bool accept_unrepaired = false;
  std::uint64_t number = 0;
  std::uint32_t attempt = 0;
  std::uint32_t chunk = 0;  // counted from 0
  Key after;                // "" for the first
  std::uint64_t chunk_bytes = 0;
  REJOIN_FIELDS(repair, source, partition, epoch, accept_unrepaired, number, attempt, chunk, after,
                chunk_bytes)
};

struct FetchReply {
  static constexpr MessageKind kind{Channel::sync, 4};
  std::uint64_t repair = 0;
  NodeId source;
  PartitionId partition;
  SourceState state{};
  std::uint32_t chunk = 0;
  std::vector<Record> records;  // keys ascend
  bool more = false;
  Key last;  // of `records`; "" when there are none
  REJOIN_FIELDS(repair, source, partition, state, chunk, records, more, last)
};

// What a question and its answer mean, for tags: the same in every replay, whatever happened
// before. `repair` would not do, as it depends on the time.
[[nodiscard]] constexpr std::uint64_t identity_of(PartitionId partition, std::uint64_t number,
                                                  NodeId source, std::uint32_t chunk) {
  return mix(mix(partition.value, number), mix(source.value, chunk));
}

}  // namespace rejoin::sync_detail
