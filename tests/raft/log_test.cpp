// The log and snapshot files, byte by byte: what decays is refused, what was torn is cut, and
// nothing else is ever read.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "protocols/raft/raft.hpp"
#include "tests/support/fake_env.hpp"

namespace rejoin::raft {
namespace {

constexpr std::uint64_t kIdMask = (1ULL << kChannelShift) - 1;

Entry entry(std::uint64_t index, std::uint64_t term) {
  const ByteView command = as_bytes(std::string_view("command"));
  return {.index = LogIndex(index),
          .term = Term(term),
          .type = EntryType::command,
          .command = Bytes(command.begin(), command.end()),
          .configuration = {}};
}

std::vector<Record> some_records(std::uint64_t first, std::uint64_t count) {
  std::vector<Record> records;
  for (std::uint64_t i = first; i < first + count; ++i) {
    records.emplace_back(record::HardState{kClusterGroup, Term(i), {NodeId(2), Incarnation(1)}});
    records.emplace_back(record::Append{kClusterGroup, entry(i, i)});
  }
  return records;
}

// A file, where its records end (first its head), and how many of them some mark vouches for.
struct LogFile {
  Bytes bytes;
  std::vector<std::size_t> ends;

  explicit LogFile(const std::vector<Record>& born) : bytes(encode_log({})) {
    // The head's length does not depend on the few records that it counts.
    std::size_t end = bytes.size();
    ends.push_back(end);
    for (const Record& record : born) {
      Writer frame;
      append_record(frame, record, end);
      ends.push_back(end += frame.size());
    }
    bytes = encode_log(born);
  }
  void append(const std::vector<Record>& records) {
    Writer frames;
    for (const Record& record : records) {
      append_record(frames, record, bytes.size() + frames.size());
      ends.push_back(bytes.size() + frames.size());
    }
    bytes.insert(bytes.end(), frames.view().begin(), frames.view().end());
  }
  void mark() {
    Writer frame;
    append_mark(frame, {.records = ends.size() - 1}, bytes.size());
    bytes.insert(bytes.end(), frame.view().begin(), frame.view().end());
  }
};

// Born with a term and an entry, three syncs of two records, the last one vouched for, too.
LogFile synced_log() {
  LogFile file(some_records(2, 1));
  for (std::uint64_t i = 3; i <= 5; ++i) {
    file.append(some_records(i, 1));
    file.mark();
  }
  return file;
}

std::string text_of(const RecoveredLog& log) {
  std::string out;
  for (const auto& [id, group] : log.groups) {
    out += to_name(group.vote.node) + "@" + std::to_string(group.term.value);
    for (const Entry& e : group.log.entries()) {
      out += " " + std::to_string(e.index.value) + "/" + std::to_string(e.term.value) + ":" +
             std::to_string(digest(e));
    }
  }
  return out;
}

Bytes snapshot_at(std::uint64_t index) {
  return encode_snapshot(
      {.index = LogIndex(index), .term = Term(2), .configuration = {}, .state = {}});
}

// What the first `count` records say.
std::string text_of(const std::vector<Record>& records, std::size_t count) {
  const std::vector<Record> first(records.begin(),
                                  records.begin() + static_cast<std::ptrdiff_t>(count));
  return text_of(recover_log(encode_log(first)));
}

TEST_CASE("every bit of a synced log: flipped, the log is refused, or it was the last mark's") {
  const LogFile file = synced_log();
  const std::string whole = text_of(recover_log(file.bytes));
  CHECK_FALSE(recover_log(file.bytes).damage.has_value());
  for (std::size_t bit = 0; bit < file.bytes.size() * 8; ++bit) {
    Bytes bytes = file.bytes;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    const RecoveredLog log = recover_log(bytes);
    REQUIRE(log.damage.has_value());
    if (bit / 8 < file.ends.back()) {
      REQUIRE_FALSE(log.damage->torn);
      REQUIRE(log.damage->offset <= bit / 8);
    } else {
      REQUIRE(log.damage->torn);
      REQUIRE(text_of(log) == whole);
    }
  }
}

TEST_CASE("every bit of an unsynced tail: flipped, the tail is cut there, the rest stays") {
  LogFile file = synced_log();
  const std::size_t synced = file.bytes.size();
  const std::size_t records = file.ends.size() - 1;
  file.append(some_records(6, 2));
  std::vector<Record> all = some_records(2, 6);
  for (std::size_t bit = synced * 8; bit < file.bytes.size() * 8; ++bit) {
    Bytes bytes = file.bytes;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    const RecoveredLog log = recover_log(bytes);
    REQUIRE(log.damage.has_value());
    REQUIRE(log.damage->torn);
    std::size_t left = records;
    while (file.ends[left + 1] <= bit / 8) ++left;
    REQUIRE(text_of(log) == text_of(all, left));
  }
}

TEST_CASE("a log cut short is refused where a head or mark promised more, else it is torn") {
  const LogFile file = synced_log();
  for (std::size_t length = 1; length < file.bytes.size(); ++length) {
    const RecoveredLog log = recover_log(ByteView(file.bytes).first(length));
    // The first two records came with the head.
    if (length < file.ends[2]) {
      REQUIRE(log.damage.has_value());
      REQUIRE_FALSE(log.damage->torn);
    } else if (log.damage) {
      REQUIRE(log.damage->torn);
    }
  }
  // A mark that was cut is no damage: all that it vouches for is there.
  CHECK_FALSE(recover_log(ByteView(file.bytes).first(file.bytes.size() - 1)).damage.has_value());
}

TEST_CASE("a frame is none in another place, in another file, or of an older content") {
  const LogFile file = synced_log();
  Bytes moved = file.bytes;
  const auto begin = moved.begin();
  // The second sync's frames over the first's: equally long, and sound where they were.
  std::copy(begin + static_cast<std::ptrdiff_t>(file.ends[4]),
            begin + static_cast<std::ptrdiff_t>(file.ends[6]),
            begin + static_cast<std::ptrdiff_t>(file.ends[2]));
  REQUIRE(recover_log(moved).damage.has_value());
  CHECK_FALSE(recover_log(moved).damage->torn);

  const Bytes encoded = snapshot_at(4);
  CHECK(decode_snapshot(encoded).has_value());
  CHECK_FALSE(decode_snapshot(file.bytes).has_value());
  CHECK_FALSE(recover_log(encoded).damage->torn);
  for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    Bytes flipped = encoded;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    REQUIRE_FALSE(decode_snapshot(flipped).has_value());
  }
}

TEST_CASE("a snapshot that is older than the log's start is refused") {
  std::vector<Record> records;
  append_group(records, kClusterGroup, Term(3), {}, EntryLog(LogIndex(9), Term(2)));
  const auto restored = [&](std::uint64_t index) {
    RecoveredLog log = recover_log(encode_log(records));
    return restore_group(std::move(log.groups[kClusterGroup]), snapshot_at(index)).has_value();
  };
  CHECK(restored(9));
  CHECK(restored(12));
  CHECK_FALSE(restored(8));
}

TEST_CASE("whatever is done to a log, it is refused or a prefix that holds all that was synced") {
  CHECK(rc::check([] {
    const auto born = *rc::gen::inRange<std::uint64_t>(0, 3);
    LogFile file(some_records(1, born));
    std::uint64_t next = born + 1;
    std::size_t vouched = file.ends.size() - 1;
    for (int batch = *rc::gen::inRange(0, 4); batch > 0; --batch) {
      const auto count = *rc::gen::inRange<std::uint64_t>(1, 3);
      file.append(some_records(next, count));
      next += count;
      if (batch == 1 && *rc::gen::arbitrary<bool>()) break;
      file.mark();
      vouched = file.ends.size() - 1;
    }
    const std::vector<Record> all = some_records(1, next - 1);
    Bytes bytes = file.bytes;
    // One run of bytes at a time: two may take a record and every mark behind it.
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const auto length = std::min(*rc::gen::inRange<std::size_t>(1, 60), bytes.size() - at);
    const int how = *rc::gen::inRange(0, 3);
    for (std::size_t i = at; i < at + length; ++i) {
      if (how == 0) bytes[i] = 0;
      if (how == 1) bytes[i] ^= static_cast<std::uint8_t>(*rc::gen::inRange(1, 256));
      if (how == 2) bytes[i] = file.bytes[(i + 29) % file.bytes.size()];
    }
    const RecoveredLog log = recover_log(bytes);
    if (log.damage && !log.damage->torn) {
      RC_ASSERT(bytes != file.bytes);
      return;
    }
    std::size_t left = 0;
    while (left < all.size() && text_of(all, left) != text_of(log)) ++left;
    RC_ASSERT(text_of(all, left) == text_of(log));
    // Less than was vouched for only when the damage took the record and its mark at once.
    if (left < vouched) RC_ASSERT(at + length > file.ends[vouched]);
  }));
}

// ---- The driver ------------------------------------------------------------------------------

class NoState final : public StateMachine {
 public:
  void apply(LogIndex, Term, ByteView, bool) override {}
  [[nodiscard]] Bytes snapshot() const override { return {}; }
  [[nodiscard]] tl::expected<void, SnapshotRefused> restore(ByteView) override { return {}; }
};

// One server on a machine with some files, until it is ready or halts.
struct Boot {
  explicit Boot(std::map<std::string, Bytes> files) {
    env.files = std::move(files);
    raft.add_group(kClusterGroup, machine);
    raft.start();
    raft.on_local(
        local::IdentityKnown{.node = NodeId(1), .incarnation = Incarnation(1), .from_disk = true});
    while (!env.completions.empty() && !env.halted) {
      IoDone done = env.completions.front();
      env.completions.pop_front();
      done.token = IoToken(done.token.value & kIdMask);
      raft.on_io(done);
    }
  }
  [[nodiscard]] std::string refused() const {
    const auto corrupt = bus.facts_of<fact::StorageCorrupt>();
    return env.halted && corrupt.size() == 1 ? corrupt[0].file : "";
  }

  test::FakeEnv env{Address(1)};
  test::FakeBus bus;
  NoState machine;
  Raft raft{env, bus, NodeId(1), RaftOptions{}};
};

std::map<std::string, Bytes> founded() {
  Configuration founders;
  founders.servers.push_back({NodeId(1), Incarnation(1), Address(1), true});
  std::map<std::string, Bytes> files;
  for (DiskFile& file : bootstrap_files(kClusterGroup, founders, {})) {
    files[file.name] = std::move(file.content);
  }
  return files;
}

TEST_CASE("a server whose log or snapshot decayed halts before it says a word") {
  const Boot first(founded());
  CHECK_FALSE(first.env.halted.has_value());
  for (const std::string file : {"raft.log", "raft.snapshot-1"}) {
    for (std::size_t byte = 0; byte < first.env.files.at(file).size(); ++byte) {
      std::map<std::string, Bytes> files = first.env.files;
      files[file][byte] ^= 0x10U;
      const Boot again(files);
      REQUIRE(again.refused() == file);
      REQUIRE(again.env.sent.empty());
      REQUIRE(again.env.halted->find("empty disk") != std::string::npos);
      REQUIRE(again.env.files == files);
    }
  }
}

TEST_CASE("a server that is not new halts when its log is gone, or empty") {
  std::map<std::string, Bytes> files = founded();
  CHECK(Boot(files).refused().empty());
  CHECK(Boot({}).refused() == "raft.log");
  files["raft.log"] = {};
  CHECK(Boot(files).refused() == "raft.log");
  files.erase("raft.log");
  CHECK(Boot(files).refused() == "raft.log");
}

TEST_CASE("a log is rewritten at each start, with a head that vouches for all of it") {
  const Boot first(founded());
  Bytes log = first.env.files.at("raft.log");
  Writer tail;
  append_record(tail, record::HardState{kClusterGroup, Term(9), {NodeId(1), Incarnation(1)}},
                log.size());
  log.insert(log.end(), tail.view().begin(), tail.view().end());
  std::map<std::string, Bytes> files = first.env.files;
  files["raft.log"] = log;
  const Boot second(files);
  CHECK_FALSE(second.env.halted.has_value());
  Bytes rewritten = second.env.files.at("raft.log");
  CHECK(rewritten != log);
  CHECK(text_of(recover_log(rewritten)) == text_of(recover_log(log)));
  // What was unsynced before counts now.
  rewritten.back() ^= 1U;
  CHECK_FALSE(recover_log(rewritten).damage->torn);
}

}  // namespace
}  // namespace rejoin::raft
