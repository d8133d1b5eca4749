// Hashes that are the same on every machine, compiler and library.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/bytes.hpp"

namespace rejoin {

// 128 bits, printed as 32 hex digits, high half first.
struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

[[nodiscard]] std::uint64_t hash64(ByteView bytes);  // XXH3-64, seed 0
[[nodiscard]] std::uint64_t hash64(std::string_view text);
[[nodiscard]] Hash128 hash128(ByteView bytes);  // XXH3-128, seed 0
[[nodiscard]] std::string to_hex(const Hash128& hash);

// MD5 (RFC 1321): for placement as ClusterKit computes it, never for security.
[[nodiscard]] std::array<std::uint8_t, 16> md5(std::string_view text);

}  // namespace rejoin
