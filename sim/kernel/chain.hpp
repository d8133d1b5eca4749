// The digest of a run: a chain of 128-bit hashes, one link for each event, fact and durable write.
//
// Invariants:
// 1. A link is XXH3-128 over the previous link and the item, written little-endian: equal runs
//    have equal chains on every machine, and the first link that differs names the first item.
// 2. Every item is self-delimiting: no two different sequences of items hash the same bytes.
#pragma once

#include <cstdint>

#include "model/bytes.hpp"
#include "model/hash.hpp"
#include "model/time.hpp"

namespace rejoin::sim {

struct ChainItem {
  MonotonicTime at{};
  std::uint8_t kind = 0;  // EventKind, or one of the two below
  std::uint16_t detail = 0;
  std::uint32_t host = 0;
  std::uint32_t peer = 0;
  std::uint64_t id = 0;
};
inline constexpr std::uint8_t kChainFact = 0x80;
inline constexpr std::uint8_t kChainWrite = 0x81;

class Chain {
 public:
  void fold(const ChainItem& item, ByteView payload);
  [[nodiscard]] const Hash128& digest() const { return digest_; }

 private:
  Hash128 digest_;
};

}  // namespace rejoin::sim
