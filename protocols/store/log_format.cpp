#include "protocols/store/log_format.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::store {

namespace {

constexpr std::size_t kHeadBytes = 8;

std::uint32_t checksum(FileKind kind, std::uint64_t at, ByteView body) {
  const std::uint64_t place = mix(static_cast<std::uint64_t>(kind), at);
  return static_cast<std::uint32_t>(mix(place, mix(body.size(), hash64(body))));
}

// Up to where entries were durable, as far as anything behind `from` says.
std::uint64_t synced_behind(ByteView file, std::size_t from) {
  std::uint64_t synced = 0;
  for (std::size_t at = from; at < file.size();) {
    EntryReader reader(FileKind::log, file, at);
    const std::optional<LogEntry> entry = reader.next();
    if (entry) synced = std::max(synced, entry->synced);
    at = entry ? reader.good_bytes() : at + 1;
  }
  return synced;
}

}  // namespace

std::size_t begin_frame(Writer& out) {
  const std::size_t start = out.size();
  out.fixed32(0);
  out.fixed32(0);
  return start;
}

void end_frame(Writer& out, std::size_t start, FileKind file, std::uint64_t at) {
  const ByteView body = out.view().subspan(start + kHeadBytes);
  CHECK_THAT(!body.empty() && body.size() <= std::numeric_limits<std::uint32_t>::max());
  const std::uint32_t sum = checksum(file, at, body);
  out.patch32(start, static_cast<std::uint32_t>(body.size()));
  out.patch32(start + 4, sum);
}

std::optional<ByteView> read_frame(FileKind kind, ByteView file, std::size_t at) {
  Reader head(file.subspan(at));
  const std::size_t length = head.fixed32();
  const std::uint32_t sum = head.fixed32();
  if (!head.ok() || length == 0 || length > head.left()) return std::nullopt;
  const ByteView body = file.subspan(at + kHeadBytes, length);
  if (sum != checksum(kind, at, body)) return std::nullopt;
  return body;
}

void write_entry(Writer& out, FileKind file, std::uint64_t at, const LogEntry& entry) {
  const std::size_t start = begin_frame(out);
  LogEntry::fields(out, entry);
  end_frame(out, start, file, at);
}

std::optional<LogEntry> EntryReader::next() {
  const std::optional<ByteView> body = read_frame(kind_, file_, at_);
  if (!body) return std::nullopt;
  std::optional<LogEntry> entry = decode<LogEntry>(*body);
  // The checksum was right, so a newer version of this program wrote what we do not know.
  if (!entry || entry->kind > kLastEntryKind) return std::nullopt;
  at_ += kHeadBytes + body->size();
  return entry;
}

LogContent read_log(ByteView file) {
  LogContent out;
  EntryReader reader(FileKind::log, file);
  const auto damaged = [&](std::size_t at, std::string what, bool torn) {
    what += " at byte " + std::to_string(at) + " of " + std::to_string(file.size());
    out.damage = {.offset = at, .what = std::move(what), .torn = torn};
    return std::move(out);
  };
  const std::optional<LogEntry> head = reader.next();
  // It came in one replace: no crash explains this.
  if (!head || head->kind != EntryKind::head) return damaged(0, "damaged head", false);
  out.base = head->seq;
  out.life = head->count;
  std::uint64_t last = head->seq;
  std::uint64_t synced = head->synced;
  while (true) {
    const std::size_t at = reader.good_bytes();
    std::optional<LogEntry> entry = reader.next();
    if (!entry) break;
    const bool is_mark = entry->kind == EntryKind::mark;
    const bool in_place = is_mark ? entry->synced <= last : entry->seq == last + 1;
    if (!in_place || entry->kind == EntryKind::head || entry->kind == EntryKind::snapshot) {
      return damaged(at, "entry out of place", false);
    }
    synced = std::max(synced, entry->synced);
    if (is_mark) continue;
    last = entry->seq;
    out.entries.push_back(*std::move(entry));
  }
  const std::size_t end = reader.good_bytes();
  if (reader.at_end() && last >= synced) return out;
  // Cut short in the mark that follows the last sync: nothing is missing.
  Writer mark;
  write_entry(mark, FileKind::log, end, mark_of(last));
  const ByteView rest = file.subspan(end);
  const bool torn_mark = last >= synced && rest.size() < mark.size() &&
                         std::equal(rest.begin(), rest.end(), mark.view().begin());
  if (torn_mark) return out;
  synced = std::max(synced, synced_behind(file, end));
  if (last >= synced) return damaged(end, "torn entry", true);
  return damaged(end,
                 "entry " + std::to_string(last + 1) + ", of " + std::to_string(synced) +
                     " that were synced, does not read",
                 false);
}

Bytes encode_log(std::uint64_t base, const std::vector<LogEntry>& entries, std::uint64_t life) {
  Writer file;
  write_entry(file, FileKind::log, 0,
              {.seq = base,
               .kind = EntryKind::head,
               .partition = {},
               .record = {},
               .count = life,
               .synced = base + entries.size()});
  for (const LogEntry& entry : entries) write_entry(file, FileKind::log, file.size(), entry);
  return file.take();
}

LogEntry mark_of(std::uint64_t synced) {
  return {.seq = synced, .kind = EntryKind::mark, .partition = {}, .record = {}, .synced = synced};
}

}  // namespace rejoin::store
