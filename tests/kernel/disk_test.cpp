// What is wrong with a disk, and what it leaves behind.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <string>

#include "sim/kernel/disk.hpp"
#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

constexpr EffectId kTrouble{7};
constexpr std::uint64_t kKey = 11;
constexpr Share kAlways{1'000'000};

// A disk that is asked for one thing at a time.
struct Bench {
  explicit Bench(std::uint64_t seed = 1, const DiskOptions& chosen = {})
      : options(chosen), disk(options, seed, Address(3), counts) {}

  IoDone complete(const Disk::Requested& requested) {
    took = requested.done_at - now;
    now = requested.done_at;
    Disk::Completed completed = disk.complete(requested.file);
    counted = completed.sync;
    writes = std::move(completed.writes);
    return completed.done;
  }
  IoStatus sync(std::string_view file) { return complete(disk.sync(now, file, kSynced)).status; }
  IoStatus write(std::string_view file, std::string_view text) {
    disk.append(file, as_bytes(text));
    return sync(file);
  }
  IoStatus replace(std::string_view file, std::string_view text) {
    return complete(disk.replace(now, file, as_bytes(text), kReplaced)).status;
  }
  IoDone ask(std::string_view file) { return complete(disk.read(now, file, kRead)); }
  std::string read(std::string_view file) { return text_of(ask(file).data); }
  void crash(CrashScope scope = CrashScope::machine) {
    (void)disk.crash(scope);
    now = MonotonicTime{};
  }

  DiskOptions options;
  EffectCounts counts;
  Disk disk;
  MonotonicTime now{};
  Duration took{};            // of the last operation
  std::uint64_t counted = 0;  // the sync that it was
  std::vector<DurableWrite> writes;
};

std::string zeros(std::size_t size) {
  return std::string(size, '\0');
}

TEST_CASE("a slow disk takes its factor longer and the extra, and only for its files") {
  Bench plain;
  (void)plain.write("raft.log", std::string(1000, 'x'));
  const Duration log = plain.took;
  (void)plain.write("store.log", std::string(1000, 'x'));
  const Duration store = plain.took;

  Bench slow;
  slow.disk.trouble(kTrouble, {.file = "raft", .slower = 3, .extra = {5ms, 5ms}}, kKey);
  slow.disk.trouble(EffectId(8), {.file = "log", .slower = 2}, kKey);
  (void)slow.write("raft.log", std::string(1000, 'x'));
  CHECK(slow.took == log * 6 + 5ms);
  (void)slow.write("store.log", std::string(1000, 'x'));
  CHECK(slow.took == store * 2);

  Bench over;
  over.disk.trouble(kTrouble, {.slower = 100}, kKey);
  CHECK(over.disk.end(kTrouble));
  CHECK_FALSE(over.disk.end(kTrouble));
  (void)over.write("raft.log", std::string(1000, 'x'));
  CHECK(over.took == log);
}

TEST_CASE("trouble with one file moves no draw of another") {
  const auto times = [](bool troubled) {
    Bench bench;
    if (troubled) {
      bench.disk.trouble(kTrouble,
                         {.file = "a",
                          .extra = {1us, 90us},
                          .sync_errors = {500'000},
                          .lost_syncs = {500'000},
                          .misdirected_reads = {500'000}},
                         kKey);
    }
    std::vector<Duration> out;
    for (int i = 0; i < 20; ++i) {
      (void)bench.write("a", "xyz");
      (void)bench.write("b", "xyz");
      out.push_back(bench.took);
      (void)bench.ask("b");
      out.push_back(bench.took);
    }
    return out;
  };
  CHECK(times(false) == times(true));
}

TEST_CASE("a full disk takes the prefix of a sync that fits, and nothing of a replace") {
  DiskOptions options;
  options.capacity_bytes = 10;
  Bench bench(1, options);
  CHECK(bench.write("log", "12345") == IoStatus::ok);
  CHECK(bench.counted == 1);
  CHECK(bench.write("log", "6789abc") == IoStatus::failed);
  CHECK(bench.counted == 0);
  // Old and new content are there at once while a file is replaced.
  CHECK(bench.replace("log", "short") == IoStatus::failed);
  bench.crash();
  CHECK(bench.read("log") == "123456789a");
  // What is removed is room again.
  (void)bench.complete(bench.disk.remove(bench.now, "log", kSynced));
  CHECK(bench.replace("state", "0123456789") == IoStatus::ok);
  CHECK(bench.write("log", "x") == IoStatus::failed);
}

TEST_CASE("a trouble that leaves so many bytes free ends with its effect") {
  Bench bench;
  CHECK(bench.write("log", "12345") == IoStatus::ok);
  bench.disk.trouble(kTrouble, {.free_bytes = 3}, kKey);
  bench.disk.trouble(EffectId(8), {.free_bytes = 100}, kKey);
  CHECK(bench.write("log", "678") == IoStatus::ok);
  CHECK(bench.write("log", "9") == IoStatus::failed);
  CHECK(bench.disk.end(kTrouble));
  CHECK(bench.write("log", "a") == IoStatus::ok);
  bench.crash();
  CHECK(bench.read("log") == "123456789a");
}

// Which of 200 syncs fail, by troubles of these keys; and how often each has done it.
std::set<int> failures(const std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& did) {
  Bench bench;
  for (const std::uint64_t key : keys) {
    bench.disk.trouble(EffectId(key), {.sync_errors = {300'000}}, key);
  }
  std::set<int> out;
  for (int n = 0; n < 200; ++n) {
    if (bench.write("log", "x") == IoStatus::failed) out.insert(n);
  }
  for (const std::uint64_t key : keys) did.push_back(bench.counts.of(EffectId(key)));
  return out;
}

TEST_CASE("two equal troubles strike by draws of their own, and each counts what it did") {
  std::vector<std::uint64_t> did;
  const std::set<int> first = failures({1}, did);
  const std::set<int> second = failures({2}, did);
  const std::set<int> both = failures({1, 2}, did);
  CHECK(first != second);
  std::set<int> either = first;
  either.insert(second.begin(), second.end());
  CHECK(both == either);
  CHECK(did ==
        std::vector<std::uint64_t>{first.size(), second.size(), first.size(), second.size()});
}

TEST_CASE("a disk's troubles count what they did, and nothing that only could have been") {
  const auto did = [](const DiskTrouble& what, const auto& act) {
    Bench bench;
    (void)bench.write("log", "kept");
    (void)bench.write("other", std::string(2000, 'o'));
    bench.disk.trouble(kTrouble, what, kKey);
    act(bench);
    return bench.counts.of(kTrouble);
  };
  const auto write = [](Bench& bench) { (void)bench.write("log", "more"); };
  const auto read = [](Bench& bench) { (void)bench.read("log"); };
  const auto sync = [](Bench& bench) { (void)bench.sync("log"); };
  const auto power_cut = [](Bench& bench) {
    bench.disk.append("log", as_bytes("tail"));
    bench.crash();
  };
  CHECK(did({.slower = 2}, write) == 1);
  CHECK(did({.file = "nothing", .slower = 2}, write) == 0);
  CHECK(did({.extra = {1ms, 1ms}}, read) == 1);
  CHECK(did({.free_bytes = 3}, write) == 1);
  CHECK(did({.free_bytes = 4}, write) == 0);
  CHECK(did({.sync_errors = kAlways}, write) == 1);
  CHECK(did({.sync_errors = kAlways}, read) == 0);
  CHECK(did({.read_errors = kAlways}, read) == 1);
  CHECK(did({.lost_syncs = kAlways}, write) == 1);
  CHECK(did({.lost_syncs = kAlways}, sync) == 0);  // there was nothing to lose
  CHECK(did({.misdirected_writes = kAlways}, write) == 1);
  CHECK(did({.misdirected_reads = kAlways}, read) == 1);
  CHECK(did({.misdirected_reads = kAlways}, write) == 0);
  CHECK(did({.read_rot = kAlways}, read) == 1);
  CHECK(did({.torn_sectors = true}, write) == 0);
  CHECK(did({.torn_sectors = true}, power_cut) == 1);
  CHECK(did({.torn_sectors = true}, [](Bench& bench) { bench.crash(); }) == 0);
}

TEST_CASE("a sync that fails has written its bytes, or they are a hole after the next power cut") {
  std::set<std::string> found;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Bench bench(seed);
    (void)bench.write("log", "kept");
    bench.disk.trouble(kTrouble, {.sync_errors = kAlways}, kKey);
    CHECK(bench.write("log", "-torn-") == IoStatus::failed);
    CHECK(bench.disk.end(kTrouble));
    // Its pages are clean: the next sync is honest, and has nothing of them to write.
    CHECK(bench.write("log", "behind") == IoStatus::ok);
    bench.crash(CrashScope::process);
    CHECK(bench.read("log") == "kept-torn-behind");
    bench.crash();
    found.insert(bench.read("log"));
  }
  CHECK((found == std::set<std::string>{"kept-torn-behind", "kept" + zeros(6) + "behind"}));
}

TEST_CASE("a replace that fails has happened or not, whole") {
  std::set<std::string> found;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Bench bench(seed);
    (void)bench.replace("state", "old");
    bench.disk.trouble(kTrouble, {.sync_errors = kAlways}, kKey);
    CHECK(bench.replace("state", "new") == IoStatus::failed);
    const std::string seen = bench.read("state");
    bench.crash();
    CHECK(bench.read("state") == seen);
    found.insert(seen);
  }
  CHECK((found == std::set<std::string>{"old", "new"}));
}

TEST_CASE("a lost sync answers ok, is read back, and is lost with the power") {
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Bench bench(seed);
    (void)bench.write("log", "kept");
    bench.disk.trouble(kTrouble, {.lost_syncs = kAlways}, kKey);
    CHECK(bench.write("log", "-lost") == IoStatus::ok);
    CHECK(bench.counted == 2);
    CHECK(bench.writes.empty());
    bench.crash(CrashScope::process);
    CHECK(bench.read("log") == "kept-lost");
    bench.crash();
    const std::string found = bench.read("log");
    CHECK(std::string("kept-lost").starts_with(found));
    lengths.insert(found.size());
  }
  CHECK(*lengths.begin() == 4);
  CHECK(lengths.size() > 3);
}

TEST_CASE("an honest sync of the same file makes what was lost durable, that of another does not") {
  std::set<std::string> others;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Bench bench(seed);
    bench.disk.trouble(kTrouble, {.lost_syncs = kAlways}, kKey);
    (void)bench.write("log", "first");
    (void)bench.replace("state", "old");
    (void)bench.replace("state", "new");
    (void)bench.write("other", "gone");
    CHECK(bench.disk.end(kTrouble));
    CHECK(bench.write("log", "-second") == IoStatus::ok);
    CHECK(bench.write("state", "+") == IoStatus::ok);
    CHECK(bench.writes.at(0).offset == 0);
    CHECK(bench.writes.at(0).length == 4);
    bench.crash();
    CHECK(bench.read("log") == "first-second");
    CHECK(bench.read("state") == "new+");
    others.insert(bench.read("other"));
  }
  CHECK(others.contains(""));
}

TEST_CASE("replaces that were lost fall back to any content before them, whole") {
  std::set<std::string> found;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Bench bench(seed);
    (void)bench.replace("state", "zero");
    bench.disk.trouble(kTrouble, {.lost_syncs = kAlways}, kKey);
    (void)bench.replace("state", "one");
    (void)bench.replace("state", "two");
    CHECK(bench.read("state") == "two");
    bench.crash();
    found.insert(bench.read("state"));
    (void)bench.replace("state", "after");
    CHECK(bench.read("state") == "after");
  }
  CHECK((found == std::set<std::string>{"zero", "one", "two"}));
}

TEST_CASE("a misdirected write goes over older bytes, and its own place is a hole") {
  std::size_t hit_own = 0;
  std::size_t hit_other = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Bench bench(seed);
    (void)bench.write("log", std::string(600, 'l'));
    (void)bench.replace("state", std::string(600, 's'));
    bench.disk.trouble(kTrouble, {.misdirected_writes = kAlways}, kKey);
    CHECK(bench.write("log", "MISDIRECTED") == IoStatus::ok);
    REQUIRE(bench.writes.size() == 1);
    const DurableWrite write = bench.writes[0];
    CHECK(write.op == DiskOp::damage);
    CHECK(write.offset % 512 == 0);
    bench.crash();
    const std::string log = bench.read("log");
    const std::string state = bench.read("state");
    REQUIRE(log.size() == 611);
    REQUIRE(state.size() == 600);
    CHECK(log.substr(600) == zeros(11));
    const bool own = log.substr(0, 600) != std::string(600, 'l');
    const bool other = state != std::string(600, 's');
    CHECK(own != other);
    hit_own += own ? 1U : 0U;
    hit_other += other ? 1U : 0U;
    const std::string& hit = own ? log : state;
    CHECK(hit.substr(write.offset, 11) == std::string("MISDIRECTED").substr(0, write.length));
  }
  CHECK(hit_own > 10);
  CHECK(hit_other > 10);
}

TEST_CASE("a misdirected replace leaves the file as it was before, once the power was gone") {
  std::set<std::string> found;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Bench bench(seed);
    (void)bench.replace("state", "old");
    (void)bench.replace("other", "another");
    bench.disk.trouble(kTrouble, {.file = "state", .misdirected_writes = kAlways}, kKey);
    CHECK(bench.replace("state", "new") == IoStatus::ok);
    CHECK(bench.read("state") == "new");
    const std::string other = bench.read("other");
    bench.crash();
    CHECK(bench.read("other") == other);
    // The old content itself may be what was hit.
    const std::string state = bench.read("state");
    found.insert(state);
    CHECK((other == "newther") != (state == "new" && other == "another"));
  }
  CHECK(found.contains("old"));
}

TEST_CASE("reads fail, answer with another place's bytes or a flipped bit; the disk stays") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Bench bench(seed);
    const std::string content(1000, 'c');
    (void)bench.replace("state", content);
    (void)bench.replace("other", std::string(400, 'o'));
    bench.disk.trouble(kTrouble, {.read_errors = kAlways}, kKey);
    const IoDone failed = bench.ask("state");
    CHECK(failed.status == IoStatus::failed);
    CHECK(failed.data.empty());
    CHECK(bench.ask("absent").status == IoStatus::not_found);
    CHECK(bench.disk.end(kTrouble));

    bench.disk.trouble(kTrouble, {.misdirected_reads = kAlways}, kKey);
    const std::string elsewhere = bench.read("state");
    CHECK(elsewhere.size() == content.size());
    CHECK(std::count(elsewhere.begin(), elsewhere.end(), 'o') == 400);
    CHECK(bench.disk.end(kTrouble));

    bench.disk.trouble(kTrouble, {.read_rot = kAlways}, kKey);
    const std::string rotten = bench.read("state");
    CHECK(std::count(rotten.begin(), rotten.end(), 'c') == 999);
    CHECK(bench.disk.end(kTrouble));
    CHECK(bench.read("state") == content);
  }
}

TEST_CASE("torn sectors: any of the unsynced sectors survive, the last one with garbage") {
  std::set<std::string> shapes;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Bench bench(seed);
    (void)bench.write("log", std::string(100, 'd'));
    bench.disk.trouble(kTrouble, {.torn_sectors = true}, kKey);
    bench.disk.append("log", as_bytes(std::string(512 * 3, 'u')));
    bench.crash();
    const std::string found = bench.read("log");
    REQUIRE(found.size() >= 100);
    CHECK(found.substr(0, 100) == std::string(100, 'd'));
    std::string shape;
    for (std::size_t from = 100; from < found.size(); from = (from / 512 + 1) * 512) {
      const std::string sector = found.substr(from, (from / 512 + 1) * 512 - from);
      const bool whole = sector == std::string(sector.size(), 'u');
      shape += whole ? 'u' : sector == zeros(sector.size()) ? '0' : 'g';
    }
    CHECK((shape.empty() || shape.back() == 'g'));
    CHECK(std::count(shape.begin(), shape.end(), 'g') == (shape.empty() ? 0 : 1));
    shapes.insert(shape);
  }
  CHECK(shapes.contains(""));
  CHECK(shapes.contains("g"));
  CHECK(shapes.contains("0g"));
  CHECK(shapes.contains("u0ug"));
}

TEST_CASE("a process that dies alone loses no byte, and makes none durable") {
  std::set<std::string> states;
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Bench bench(seed);
    (void)bench.write("log", "synced");
    (void)bench.replace("state", "old");
    bench.disk.append("log", as_bytes("-cached"));
    (void)bench.disk.replace(bench.now, "state", as_bytes("new"), kReplaced);
    bench.crash(CrashScope::process);
    CHECK(bench.read("log") == "synced-cached");
    states.insert(bench.read("state"));
    bench.crash();
    lengths.insert(bench.read("log").size());
  }
  CHECK((states == std::set<std::string>{"old", "new"}));
  CHECK(*lengths.begin() == 6);
  CHECK(*lengths.rbegin() == 13);

  Bench synced;
  synced.disk.append("log", as_bytes("cached"));
  synced.crash(CrashScope::process);
  CHECK(synced.sync("log") == IoStatus::ok);
  synced.crash();
  CHECK(synced.read("log") == "cached");
}

TEST_CASE("rot flips so many bits of durable content, in files of that name, by its key alone") {
  const auto rotten = [](std::uint64_t key) {
    Bench bench;
    (void)bench.write("raft.log", zeros(64));
    (void)bench.write("raft.snapshot", zeros(8));
    (void)bench.write("store.log", zeros(64));
    bench.disk.append("raft.log", as_bytes(zeros(64)));
    std::uint64_t bytes = 0;
    for (const DurableWrite& write : bench.disk.rot("raft", 100, key)) bytes += write.length;
    std::string all = bench.read("raft.log") + bench.read("raft.snapshot");
    CHECK(bench.read("store.log") == zeros(64));
    CHECK(all.substr(64, 64) == zeros(64));
    std::size_t bits = 0;
    std::size_t changed = 0;
    for (const char c : all) {
      changed += c != 0 ? 1U : 0U;
      for (unsigned b = 0; b < 8; ++b) bits += (static_cast<unsigned char>(c) >> b) & 1U;
    }
    CHECK(bits == 100);
    CHECK(changed == bytes);
    return all;
  };
  CHECK(rotten(1) == rotten(1));
  CHECK(rotten(1) != rotten(2));
  Bench small;
  (void)small.write("log", "a");
  CHECK(small.disk.rot("log", 1000, 1).size() == 1);
  CHECK(small.read("log") == std::string(1, static_cast<char>(~'a')));
  CHECK(small.disk.rot("nothing", 5, 1).empty());
}

TEST_CASE("a corrupted tail differs in each of its bytes, and nowhere else") {
  Bench bench;
  const std::string content = "a journal that was synced";
  (void)bench.write("log", content);
  (void)bench.write("state", "xy");
  const auto writes = bench.disk.corrupt_tails("", 6, 1);
  REQUIRE(writes.size() == 2);
  CHECK(writes[0].length == 6);
  CHECK(writes[1].length == 2);
  const std::string found = bench.read("log");
  REQUIRE(found.size() == content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    CHECK((found[i] != content[i]) == (i + 6 >= content.size()));
  }
}

TEST_CASE("without trouble what is acknowledged is what a crash leaves, whatever was done") {
  CHECK(rc::check([] {
    Bench bench(*rc::gen::arbitrary<std::uint64_t>());
    if (*rc::gen::arbitrary<bool>()) {
      // Whatever it was before, a disk that is well again is honest from the next sync on.
      const Share often{500'000};
      bench.disk.trouble(kTrouble,
                         {.free_bytes = 20,
                          .sync_errors = often,
                          .lost_syncs = often,
                          .misdirected_writes = often},
                         kKey);
      for (const int what : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3))) {
        if (what == 0) bench.disk.append("file", as_bytes("troubled"));
        if (what == 1) (void)bench.sync("file");
        if (what == 2) (void)bench.replace("file", "replaced");
      }
      RC_ASSERT(bench.disk.end(kTrouble));
    }
    (void)bench.replace("file", "base");
    std::string synced = "base";
    std::string appended = synced;
    for (const int what : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4))) {
      if (what == 0) {
        bench.disk.append("file", as_bytes("+more"));
        appended += "+more";
      } else if (what == 1) {
        RC_ASSERT(bench.sync("file") == IoStatus::ok);
        synced = appended;
      } else if (what == 2) {
        bench.crash(CrashScope::process);
        RC_ASSERT(bench.read("file") == appended);
      } else {
        bench.crash();
        const std::string found = bench.read("file");
        RC_ASSERT(found.starts_with(synced));
        RC_ASSERT(appended.starts_with(found));
        RC_ASSERT(bench.disk.durable_files().at("file").size() == found.size());
        synced = appended = found;
      }
    }
  }));
}

}  // namespace
}  // namespace rejoin::sim
