// What holders of hints and the owners that they are for say to each other.
//
// Invariants:
// 1. An answer repeats the hint's sequence and the life of the log that it is in, so that a hint of
//    another life is never taken for delivered.
#pragma once

#include <cstdint>

#include "model/message.hpp"
#include "model/record.hpp"

namespace rejoin::sync_detail {

struct HintDelivery {
  static constexpr MessageKind kind{Channel::sync, 13};
  std::uint64_t life = 0;
  std::uint64_t seq = 0;
  NodeId target;  // who is to take it
  Record record;
  REJOIN_FIELDS(life, seq, target, record)
};

struct HintDelivered {
  static constexpr MessageKind kind{Channel::sync, 14};
  std::uint64_t life = 0;
  std::uint64_t seq = 0;
  NodeId target;
  bool accepted = false;  // it, or what is newer, is durable there; false: it is no owner
  REJOIN_FIELDS(life, seq, target, accepted)
};

}  // namespace rejoin::sync_detail
