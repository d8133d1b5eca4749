#include "protocols/store/log_format.hpp"

#include <limits>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::store {

namespace {

constexpr std::size_t kHeadBytes = 8;

std::uint32_t checksum(ByteView body) {
  return static_cast<std::uint32_t>(mix(hash64(body), body.size()));
}

}  // namespace

void write_entry(Writer& out, const LogEntry& entry) {
  const std::size_t start = out.size();
  out.fixed32(0);
  out.fixed32(0);
  LogEntry::fields(out, entry);
  const ByteView body = out.view().subspan(start + kHeadBytes);
  CHECK_THAT(!body.empty() && body.size() <= std::numeric_limits<std::uint32_t>::max());
  const std::uint32_t sum = checksum(body);
  out.patch32(start, static_cast<std::uint32_t>(body.size()));
  out.patch32(start + 4, sum);
}

std::optional<LogEntry> EntryReader::next() {
  Reader head(file_.subspan(at_));
  const std::size_t length = head.fixed32();
  const std::uint32_t sum = head.fixed32();
  if (!head.ok() || length == 0 || length > head.left()) return std::nullopt;
  const ByteView body = file_.subspan(at_ + kHeadBytes, length);
  if (sum != checksum(body)) return std::nullopt;
  std::optional<LogEntry> entry = decode<LogEntry>(body);
  // The checksum was right, so a newer version of this program wrote what we do not know.
  if (!entry || entry->seq == 0 || entry->kind > kLastEntryKind) return std::nullopt;
  last_ = at_;
  at_ += kHeadBytes + length;
  return entry;
}

}  // namespace rejoin::store
