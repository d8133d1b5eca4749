#include "model/packed_map.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace rejoin {

namespace {

// 7 bits a byte, the last one below 128.
constexpr std::size_t kSizeBytesMax = 10;

std::uint8_t* write_size(std::uint8_t* out, std::size_t size) {
  for (; size >= 0x80; size >>= 7U) *out++ = static_cast<std::uint8_t>(size | 0x80U);
  *out++ = static_cast<std::uint8_t>(size);
  return out;
}

std::size_t read_size(const std::uint8_t*& at) {
  std::size_t size = *at & 0x7FU;
  for (unsigned shift = 7; (*at++ & 0x80U) != 0; shift += 7) {
    size |= static_cast<std::size_t>(*at & 0x7FU) << shift;
  }
  return size;
}

std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Gives the page room for so many bytes, and not much more.
void fit(Bytes& page, std::size_t bytes) {
  if (bytes <= page.capacity() && page.capacity() - bytes <= PackedMap::kSlackBytes) return;
  Bytes fitting;
  // Up to a multiple, so that pages that grow leave behind what others can use.
  fitting.reserve((bytes / PackedMap::kSlackBytes + 1) * PackedMap::kSlackBytes);
  fitting.assign(page.begin(), page.end());
  page = std::move(fitting);
}

}  // namespace

std::optional<ByteView> PackedMap::find(std::string_view key) const {
  if (pages_.empty()) return std::nullopt;
  const Bytes& page = page_of(key)->second;
  const Place place = seek(page, key);
  if (!place.found) return std::nullopt;
  return entry_at(page, place.at).value;
}

bool PackedMap::put(std::string_view key, ByteView value) {
  if (pages_.empty()) pages_.emplace();
  const auto page = page_of(key);
  const Place place = seek(page->second, key);
  const std::size_t end = place.found ? entry_at(page->second, place.at).end : place.at;
  replace(page->second, place.at, end, key, value);
  if (!place.found) ++size_;
  if (page->second.size() > kPageBytes) split(page);
  return !place.found;
}

bool PackedMap::erase(std::string_view key) {
  if (pages_.empty()) return false;
  const auto page = page_of(key);
  Bytes& content = page->second;
  const Place place = seek(content, key);
  if (!place.found) return false;
  const auto begin = content.begin();
  content.erase(begin + static_cast<std::ptrdiff_t>(place.at),
                begin + static_cast<std::ptrdiff_t>(entry_at(content, place.at).end));
  --size_;
  if (content.empty()) {
    pages_.erase(page);
  } else {
    fit(content, content.size());
  }
  return true;
}

void PackedMap::clear() {
  pages_.clear();
  size_ = 0;
}

PackedMap::Pages::const_iterator PackedMap::page_of(std::string_view key) const {
  const auto above = pages_.upper_bound(key);
  return above == pages_.begin() ? above : std::prev(above);
}

PackedMap::Pages::iterator PackedMap::page_of(std::string_view key) {
  const auto above = pages_.upper_bound(key);
  return above == pages_.begin() ? above : std::prev(above);
}

PackedMap::Entry PackedMap::entry_at(const Bytes& page, std::size_t at) {
  const std::uint8_t* from = page.data() + at;
  const std::size_t key_size = read_size(from);
  const std::size_t value_size = read_size(from);
  const ByteView value(from + key_size, value_size);
  return {.key = as_text({from, key_size}),
          .value = value,
          .end = static_cast<std::size_t>(value.data() + value_size - page.data())};
}

PackedMap::Place PackedMap::seek(const Bytes& page, std::string_view key) {
  std::size_t at = 0;
  while (at < page.size()) {
    const Entry entry = entry_at(page, at);
    const int order = entry.key.compare(key);
    if (order >= 0) return {.at = at, .found = order == 0};
    at = entry.end;
  }
  return {.at = at, .found = false};
}

// Puts an entry in the place of the bytes from `from` up to `to`.
void PackedMap::replace(Bytes& page, std::size_t from, std::size_t to, std::string_view key,
                        ByteView value) {
  std::array<std::uint8_t, 2 * kSizeBytesMax> sizes;
  std::uint8_t* const end = write_size(write_size(sizes.data(), key.size()), value.size());
  const auto sizes_size = static_cast<std::size_t>(end - sizes.data());
  const std::size_t size = sizes_size + key.size() + value.size();
  const std::size_t held = to - from;
  if (size > held) {
    fit(page, page.size() + size - held);
    page.insert(page.begin() + static_cast<std::ptrdiff_t>(from), size - held, std::uint8_t{0});
  } else {
    const auto place = page.begin() + static_cast<std::ptrdiff_t>(from);
    page.erase(place, place + static_cast<std::ptrdiff_t>(held - size));
    fit(page, page.size());
  }
  auto out = page.begin() + static_cast<std::ptrdiff_t>(from);
  out = std::copy_n(sizes.begin(), sizes_size, out);
  out = std::copy(key.begin(), key.end(), out);
  std::copy(value.begin(), value.end(), out);
}

// Leaves the first half of the bytes in the page, and at least one entry in each.
void PackedMap::split(Pages::iterator page) {
  Bytes& low = page->second;
  Entry entry = entry_at(low, 0);
  if (entry.end == low.size()) return;
  std::size_t at = entry.end;
  while (at < low.size() / 2) {
    entry = entry_at(low, at);
    if (entry.end == low.size()) break;
    at = entry.end;
  }
  const auto middle = low.begin() + static_cast<std::ptrdiff_t>(at);
  Bytes high;
  fit(high, low.size() - at);
  high.assign(middle, low.end());
  std::string bound(entry_at(low, at).key);
  low.erase(middle, low.end());
  fit(low, low.size());
  pages_.emplace_hint(std::next(page), std::move(bound), std::move(high));
}

}  // namespace rejoin
