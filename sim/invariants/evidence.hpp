// Evidence: the words in which invariants tell a stranger what happened.
//
// Invariants:
// 1. Lines are ordered by time, those of one instant in the order in which they were added.
// 2. Each line is `TIME WHO: WHAT`, with the time in seconds of the run.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/history.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

class Evidence {
 public:
  Evidence& add(MonotonicTime at, std::string_view who, std::string_view what);
  // Its invocation and, unless it is open, its end. Of a write that the world knows better.
  Evidence& add(const Operation& operation);
  // What the node's store held for the key at that time.
  Evidence& add_held(MonotonicTime at, NodeId node, const Key& key, const World& world);

  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<std::pair<MonotonicTime, std::string>> lines_;
};

// `write of "v" (client-1/17)` or `delete (client-1/18)`, or the bare id of an unknown write.
[[nodiscard]] std::string version_text(RequestId id, const World& world);
// `"v" (client-1/17)`, `a deletion (client-1/18)` or `nothing`: what a read saw.
[[nodiscard]] std::string seen_text(const std::vector<RequestId>& observed, const World& world);
// What a node's store holds, in the words of seen_text.
[[nodiscard]] std::string held_text(const ShadowRecord* record, const World& world);
// `node-1, node-2 and node-3`.
[[nodiscard]] std::string list_text(const std::vector<std::string>& items);
[[nodiscard]] std::string list_text(const std::vector<NodeId>& nodes);
// `1 key`, `2 keys`.
[[nodiscard]] std::string count_text(std::uint64_t count, std::string_view noun);
// The node that answered a read.
[[nodiscard]] NodeId server_of(const Operation& read);
// `a direct read of key-125 at node-3` or `a read of key-125 at level quorum through node-1`.
[[nodiscard]] std::string read_text(const Operation& read);

}  // namespace rejoin::sim
