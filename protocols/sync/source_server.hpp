// The answering side: gives other nodes what this one holds of a partition.
//
// Invariants:
// 1. An answer leaves only when every write that was visible when it was made is durable, so that
//    nobody merges what a crash here takes back.
// 2. A node that cannot vouch for its data says so instead of giving it: its store is not read
//    back, its map is older than the asker's (it may have missed that writes go elsewhere), or it
//    is waiting for a repair of that partition itself (unless the asker accepts that).
// 3. At most kAnswersMax answers wait for durability; beyond that the answer is `unable`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "protocols/sync/context.hpp"
#include "protocols/sync/messages.hpp"

namespace rejoin::sync_detail {

class SourceServer {
 public:
  static constexpr std::size_t kAnswersMax = 1024;
  static constexpr std::uint64_t kChunkBytesMax = 16 * 1024 * 1024;

  // `repaired`: whether this node has nothing left to repair in a partition.
  SourceServer(SyncContext& context, std::function<bool(PartitionId)> repaired)
      : context_(context), repaired_(std::move(repaired)) {}

  [[nodiscard]] bool on_freshness(Address from, const FreshnessRequest& request);
  [[nodiscard]] bool on_fetch(Address from, const FetchRequest& request);
  void on_durable();

 private:
  struct Waiting {
    std::uint64_t seq = 0;
    Address to;
    Bytes frame;
    Tag tag;
  };

  [[nodiscard]] SourceState state(PartitionId partition, Epoch epoch, bool accept_unrepaired);
  void collect(const FetchRequest& request, FetchReply& reply) const;
  template <class Reply>
  void answer(Address to, const Reply& reply, std::uint64_t identity, std::uint32_t attempt);

  SyncContext& context_;
  std::function<bool(PartitionId)> repaired_;
  std::deque<Waiting> waiting_;  // seq ascends
};

}  // namespace rejoin::sync_detail
