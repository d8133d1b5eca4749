#include "model/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <boost/uuid/detail/md5.hpp>

namespace rejoin {

std::uint64_t hash64(ByteView bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}
std::uint64_t hash64(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

Hash128 hash128(ByteView bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.high = hash.high64, .low = hash.low64};
}

std::string to_hex(const Hash128& hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::uint64_t word : {hash.high, hash.low}) {
    for (unsigned shift = 64; shift != 0; shift -= 4) {
      out += digits[(word >> (shift - 4)) & 0xfU];
    }
  }
  return out;
}

std::array<std::uint8_t, 16> md5(std::string_view text) {
  boost::uuids::detail::md5 hasher;
  hasher.process_bytes(text.data(), text.size());
  boost::uuids::detail::md5::digest_type words;
  hasher.get_digest(words);
  // Boost leaves four numbers whose most significant byte is the first of the digest.
  std::array<std::uint8_t, 16> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(words[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace rejoin
