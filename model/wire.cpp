#include "model/wire.hpp"

#include <array>

namespace rejoin {

void Writer::fixed32(std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out_.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void Writer::patch32(std::size_t at, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out_[at++] = static_cast<std::uint8_t>(value >> shift);
  }
}

// A struct is usually shorter than 128 bytes: one byte is kept for its length, and the body moves
// only when it turned out longer.
std::size_t Writer::open_struct() {
  out_.push_back(0);
  return out_.size();
}

void Writer::close_struct(std::size_t mark) {
  std::size_t length = out_.size() - mark;
  if (length < 0x80) {
    out_[mark - 1] = static_cast<std::uint8_t>(length);
    return;
  }
  std::array<std::uint8_t, 10> bytes{};
  std::size_t n = 0;
  while (length >= 0x80) {
    bytes[n++] = static_cast<std::uint8_t>(length | 0x80U);
    length >>= 7U;
  }
  bytes[n++] = static_cast<std::uint8_t>(length);
  out_[mark - 1] = bytes[0];
  out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(mark), bytes.begin() + 1,
              bytes.begin() + static_cast<std::ptrdiff_t>(n));
}

std::uint64_t Reader::long_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == end_) break;
    const std::uint8_t byte = *at_++;
    const std::uint64_t bits = byte & 0x7fU;
    // The tenth byte holds the 64th bit only.
    if (shift == 63 && bits > 1) break;
    value |= bits << shift;
    if ((byte & 0x80U) == 0) {
      // Canonical: a last byte of zero says nothing and may not be there.
      if (byte == 0 && shift != 0) break;
      return value;
    }
  }
  fail();
  return 0;
}

std::uint32_t Reader::fixed32() {
  const ByteView bytes = raw(4);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<std::uint32_t>(bytes[i]) << (8U * static_cast<unsigned>(i));
  }
  return value;
}

ByteView Reader::raw(std::size_t size) {
  if (size > left()) {
    fail();
    return {};
  }
  const ByteView bytes(at_, size);
  at_ += size;
  return bytes;
}

void Describer::quote(std::string_view text) {
  constexpr std::size_t shown = 40;
  constexpr std::string_view digits = "0123456789abcdef";
  out_ += '"';
  for (const char c : text.substr(0, shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out_ += '\\';
    if (byte >= 0x20 && byte < 0x7f) {
      out_ += c;
    } else {
      out_ += "\\x";
      out_ += digits[byte >> 4U];
      out_ += digits[byte & 0xfU];
    }
  }
  if (text.size() > shown) out_ += "...";
  out_ += '"';
}

}  // namespace rejoin
