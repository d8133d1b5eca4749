#include "sim/kernel/chain.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace rejoin::sim {
namespace {

constexpr std::size_t kHeaderBytes = 16 + 8 + 1 + 2 + 4 + 4 + 8 + 8;
constexpr std::size_t kInlineMax = 512;

template <class Integer>
std::uint8_t* put(std::uint8_t* out, Integer value) {
  if constexpr (std::endian::native == std::endian::little) {
    // Compilers do not make one store of the loop below.
    std::memcpy(out, &value, sizeof(Integer));
    return out + sizeof(Integer);
  }
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    *out++ = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
  return out;
}

}  // namespace

void Chain::fold(const ChainItem& item, ByteView payload) {
  std::array<std::uint8_t, kHeaderBytes + kInlineMax> buffer;
  std::uint8_t* out = buffer.data();
  out = put(out, digest_.high);
  out = put(out, digest_.low);
  out = put(out, item.at.time_since_epoch().count());
  out = put(out, item.kind);
  out = put(out, item.detail);
  out = put(out, item.host);
  out = put(out, item.peer);
  out = put(out, item.id);
  out = put(out, std::uint64_t{payload.size()});
  // A long payload is hashed where it lies and folds as its hash; the length says which it was.
  if (payload.size() > kInlineMax) {
    const Hash128 hash = hash128(payload);
    out = put(out, hash.high);
    out = put(out, hash.low);
  } else if (!payload.empty()) {
    std::memcpy(out, payload.data(), payload.size());
    out += payload.size();
  }
  digest_ = hash128({buffer.data(), static_cast<std::size_t>(out - buffer.data())});
}

}  // namespace rejoin::sim
