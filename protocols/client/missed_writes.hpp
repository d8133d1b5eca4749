// The writes of a coordinator that owners have yet to say they hold, with when each is given up.
//
// Invariants:
// 1. A write is here until every owner that it was for has said that it holds it, or a hint is
//    kept for it; it is due one timeout after it was last sent.
// 2. At most kMax writes; beyond that the oldest is due at once.
//
// Not here: what is done about a write that is due (coordinator_hints.cpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "model/ids.hpp"
#include "model/record.hpp"
#include "model/time.hpp"

namespace rejoin {

struct MissedWrite {
  Record record;
  Version version;              // of the write
  std::vector<NodeId> waiting;  // owners that have not said that they hold it
  MonotonicTime due{};
};

class MissedWrites {
 public:
  static constexpr std::size_t kMax = 100'000;

  // A later try of a write takes the place of an earlier one.
  void add(const RequestId& id, MissedWrite write) {
    remove(id);
    due_.emplace(write.due, id);
    writes_.emplace(id, std::move(write));
  }
  // The owner holds the write, or somebody keeps a hint for it.
  void held(const RequestId& id, NodeId owner, const Version& version) {
    const auto at = writes_.find(id);
    if (at == writes_.end() || at->second.version != version) return;
    std::erase(at->second.waiting, owner);
    if (at->second.waiting.empty()) remove(id);
  }
  // When the next one is due; none when there is none.
  [[nodiscard]] std::optional<MonotonicTime> next_due() const {
    if (due_.empty()) return std::nullopt;
    return writes_.size() > kMax ? MonotonicTime{} : due_.begin()->first;
  }
  // One that is due, if any; it is here no more.
  [[nodiscard]] std::optional<std::pair<RequestId, MissedWrite>> take_due(MonotonicTime now) {
    const std::optional<MonotonicTime> next = next_due();
    if (!next || *next > now) return std::nullopt;
    const RequestId id = due_.begin()->second;
    auto write = writes_.extract(id);
    due_.erase(due_.begin());
    return std::pair(id, std::move(write.mapped()));
  }

 private:
  void remove(const RequestId& id) {
    const auto at = writes_.find(id);
    if (at == writes_.end()) return;
    due_.erase({at->second.due, id});
    writes_.erase(at);
  }

  std::map<RequestId, MissedWrite> writes_;
  std::set<std::pair<MonotonicTime, RequestId>> due_;
};

}  // namespace rejoin
