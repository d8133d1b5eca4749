// Reads whose replicas are being compared and mended; one entry a read.
//
// Invariants:
// 1. What a read came to only grows: whoever held it in any round holds what its client is shown.
// 2. An entry is here until everyone who was asked has answered and holds it, or its time is over.
//
// Not here: messages, and what the client is told (coordinator_repairs.cpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/ids.hpp"
#include "model/record.hpp"
#include "model/time.hpp"

namespace rejoin {

struct RepairedRead {
  RequestId id;
  std::uint32_t attempt = 0;
  Epoch epoch;
  std::optional<Record> shown;   // what the client is told
  std::optional<Record> merged;  // what all answers come to
  std::uint32_t round = 0;       // counts up when that grows
  std::size_t needed = 0;        // holders before the client is told
  bool waiting = false;          // the client is
  MonotonicTime until{};

  std::vector<NodeId> asked;     // have not answered
  std::vector<NodeId> answered;  // have
  std::vector<NodeId> current;   // hold `merged` durably
  std::vector<NodeId> mending;   // were sent `merged`, and have not said so
  std::vector<NodeId> held;      // hold `shown` durably, or what is newer
};

}  // namespace rejoin
