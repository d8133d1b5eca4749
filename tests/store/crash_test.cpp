// The power goes at every point, and files come back torn, short or with a bit flipped.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "protocols/store/log_format.hpp"
#include "tests/store/store_rig.hpp"

namespace rejoin {

namespace {

// The store as it should be after each sequence.
struct Model {
  std::vector<Contents> states{Contents{}};

  void put(std::uint32_t partition, const Record& record, bool keeps_tombstones) {
    Contents next = states.back();
    if (record.deleted && !keeps_tombstones) {
      next.erase({partition, record.key});
    } else {
      next[{partition, record.key}] = record;
    }
    states.push_back(std::move(next));
  }
  void drop(std::uint32_t partition) {
    Contents next = states.back();
    std::erase_if(next, [&](const auto& item) { return item.first.first == partition; });
    states.push_back(std::move(next));
  }
};

// By version, ties by origin (merge.hpp).
bool is_newer(const Record& a, const Record& b) {
  return a.version != b.version ? a.version > b.version : a.origin > b.origin;
}

// After a restart: everything durable, a prefix of the rest, and the fact agrees. The model then
// forgets what was lost.
bool recovered_to_a_prefix(const StoreRig& rig, Model& model, std::uint64_t durable_before) {
  const auto recovered = rig.bus->all<fact::StoreRecovered>();
  if (recovered.size() != 1 || !rig.env->halted.empty()) return false;
  const std::uint64_t up_to = recovered[0].up_to;
  if (up_to < durable_before || up_to >= model.states.size()) return false;
  if (rig.contents() != model.states[up_to]) return false;
  if (recovered[0].records != model.states[up_to].size()) return false;
  if (rig.store->last_sequence() != up_to || rig.store->durable_sequence() != up_to) return false;
  model.states.resize(up_to + 1);
  return true;
}

// Puts and completions in turn; a small limit makes snapshots come and go meanwhile.
struct Script {
  StoreOptions options{.versions = VersionScheme::none, .snapshot_log_bytes = 150};
  static constexpr std::size_t kSteps = 60;

  static void step(StoreRig& rig, Model& model, std::size_t n) {
    // Two writes, one completion; every seventh write erases.
    if (n % 3 == 2) {
      if (!rig.env->ops.empty()) rig.complete(rig.env->ops.size() - 1);
      return;
    }
    const Record record = make_record("key-" + std::to_string(n % 5), n + 1, n % 7 == 6);
    rig.store->put(kRigPartition, record, MergeRule::overwrite, fact::WriteCause::foreground);
    model.put(kRigPartition.value, record, false);
  }
};

HandDisk disk_with(std::uint64_t writes, StoreOptions options) {
  StoreRig rig(options);
  rig.settle();
  for (std::uint64_t n = 1; n <= writes; ++n) rig.put("key-" + std::to_string(n), n);
  rig.settle();
  return rig.disk;
}

// Where the log's head ends, and each of its entries.
std::vector<std::size_t> ends_of_entries(const HandDisk& disk) {
  store::EntryReader reader(store::FileKind::log, disk.at("store.log").content);
  std::vector<std::size_t> ends;
  while (const auto entry = reader.next()) {
    if (entry->kind != store::EntryKind::mark) ends.push_back(reader.good_bytes());
  }
  return ends;
}

// Nothing is served, the node stands, and says why.
bool is_refused(const StoreRig& rig, std::string_view file) {
  const auto corrupt = rig.bus->all<fact::StorageCorrupt>();
  return !rig.env->halted.empty() && !rig.store->ready() && corrupt.size() == 1 &&
         corrupt[0].file == file && rig.bus->all<fact::StoreRecovered>().empty() &&
         rig.env->halted.find("empty disk") != std::string::npos;
}

}  // namespace

TEST_CASE("a crash at any point keeps every durable write and a prefix of the rest") {
  std::size_t snapshots = 0;
  for (std::size_t steps = 0; steps <= Script::kSteps; ++steps) {
    bool more_to_tear = true;
    for (std::size_t torn = 0; more_to_tear; ++torn) {
      more_to_tear = false;
      for (const bool replaced : {false, true}) {
        StoreRig rig(Script{}.options);
        rig.settle();
        Model model;
        for (std::size_t n = 0; n < steps; ++n) Script::step(rig, model, n);
        const std::uint64_t durable = rig.store->durable_sequence();
        snapshots += rig.disk.contains("store.snapshot") ? 1U : 0U;
        const auto keep = [&](std::size_t unsynced) {
          more_to_tear = more_to_tear || unsynced > torn;
          return std::min(unsynced, torn);
        };
        rig.crash_and_boot(keep, replaced);
        rig.settle();
        REQUIRE(recovered_to_a_prefix(rig, model, durable));

        // And the store goes on from there, through another restart.
        Script::step(rig, model, 0);
        rig.settle();
        const std::uint64_t last = rig.store->last_sequence();
        rig.crash_and_boot([](std::size_t) { return 0U; }, false);
        rig.settle();
        REQUIRE(recovered_to_a_prefix(rig, model, last));
      }
    }
  }
  CHECK(snapshots > 0);
}

TEST_CASE("a log cut short behind its head gives its whole records back and reports the rest") {
  const StoreOptions options{.versions = VersionScheme::none};
  const HandDisk good = disk_with(5, options);
  const std::vector<std::size_t> ends = ends_of_entries(good);
  const std::size_t all = good.at("store.log").content.size();
  REQUIRE(ends.size() == 6);
  REQUIRE(ends.back() < all);
  for (std::size_t length = 0; length <= all; ++length) {
    HandDisk disk = good;
    disk["store.log"].content.resize(length);
    disk["store.log"].durable = length;
    StoreRig rig(options, disk);
    rig.settle();
    if (length < ends[0]) {
      // No log is without its head.
      REQUIRE(is_refused(rig, "store.log"));
      continue;
    }
    std::size_t whole = 0;
    while (whole + 1 < ends.size() && ends[whole + 1] <= length) ++whole;
    REQUIRE(rig.store->last_sequence() == whole);
    REQUIRE(rig.store->record_count(kRigPartition) == whole);
    const std::size_t rejected = rig.bus->all<fact::MessageRejected>().size();
    if (length <= ends.back()) REQUIRE(rejected == (ends[whole] == length ? 0 : 1));
    if (length == all) REQUIRE(rejected == 0);

    rig.put("after", 6);
    rig.settle();
    rig.crash_and_boot([](std::size_t) { return 0U; }, false);
    rig.settle();
    REQUIRE(rig.store->get(kRigPartition, "after").has_value());
    REQUIRE(rig.store->record_count(kRigPartition) == whole + 1);
    REQUIRE(rig.bus->all<fact::MessageRejected>().empty());
  }
}

TEST_CASE("a log with any one bit flipped is refused, or it was in a mark and nothing is lost") {
  const StoreOptions options{.versions = VersionScheme::none};
  const HandDisk good = disk_with(4, options);
  const std::vector<std::size_t> ends = ends_of_entries(good);
  for (std::size_t bit = 0; bit < good.at("store.log").content.size() * 8; ++bit) {
    HandDisk disk = good;
    disk["store.log"].content[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    StoreRig rig(options, disk);
    rig.settle();
    if (bit / 8 < ends.back()) {
      REQUIRE(is_refused(rig, "store.log"));
      continue;
    }
    REQUIRE(rig.env->halted.empty());
    REQUIRE(rig.bus->all<fact::MessageRejected>().size() == 1);
    REQUIRE(rig.store->last_sequence() == 4);
    REQUIRE(rig.store->record_count(kRigPartition) == 4);
  }
}

TEST_CASE("what was never synced may be damaged in any way: it is cut, and the node goes on") {
  const StoreOptions options{.versions = VersionScheme::none};
  StoreRig writer(options);
  writer.settle();
  writer.put("key-1", 1);
  writer.settle();
  for (std::uint64_t n = 2; n <= 4; ++n) writer.put("key-" + std::to_string(n), n);
  const HandDisk good = writer.disk;
  const std::vector<std::size_t> ends = ends_of_entries(good);
  for (std::size_t byte = ends[1]; byte < ends.back(); ++byte) {
    HandDisk disk = good;
    // A sector that was not written, before one that was.
    disk["store.log"].content[byte] ^= 0xffU;
    StoreRig rig(options, disk);
    rig.settle();
    REQUIRE(rig.env->halted.empty());
    REQUIRE(rig.bus->all<fact::MessageRejected>().size() == 1);
    REQUIRE(rig.store->last_sequence() >= 1);
    REQUIRE(rig.store->last_sequence() < 4);
    REQUIRE(rig.store->get(kRigPartition, "key-1").has_value());
  }
}

TEST_CASE("a snapshot with any one bit flipped, or cut, halts the node instead of being served") {
  const StoreOptions options{.versions = VersionScheme::none, .snapshot_log_bytes = 150};
  const HandDisk good = disk_with(6, options);
  const std::size_t size = good.at("store.snapshot").content.size();
  const auto refuses = [&](const HandDisk& disk) {
    StoreRig rig(options, disk);
    rig.settle();
    return is_refused(rig, "store.snapshot");
  };
  REQUIRE_FALSE(refuses(good));
  for (std::size_t bit = 0; bit < size * 8; ++bit) {
    HandDisk disk = good;
    disk["store.snapshot"].content[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    REQUIRE(refuses(disk));
  }
  for (std::size_t length = 0; length < size; ++length) {
    HandDisk disk = good;
    disk["store.snapshot"].content.resize(length);
    REQUIRE(refuses(disk));
  }
}

TEST_CASE("files that are another's, older than the other or not there are refused") {
  const StoreOptions options{.versions = VersionScheme::none, .snapshot_log_bytes = 150};
  StoreRig writer(options);
  writer.settle();
  const auto write_up_to = [&writer](std::uint64_t last) {
    while (writer.store->last_sequence() < last) {
      const std::uint64_t n = writer.store->last_sequence() + 1;
      writer.put("key-" + std::to_string(n), n);
      writer.settle();
    }
    return writer.disk;
  };
  const HandDisk before = write_up_to(6);
  const HandDisk after = write_up_to(20);
  REQUIRE(before.at("store.snapshot").content != after.at("store.snapshot").content);
  const auto refused = [&](const HandDisk& disk, std::string_view file) {
    StoreRig rig(options, disk);
    rig.settle();
    return is_refused(rig, file);
  };
  HandDisk disk = after;
  disk["store.snapshot"] = after.at("store.log");
  CHECK(refused(disk, "store.snapshot"));
  disk = after;
  disk["store.log"] = after.at("store.snapshot");
  CHECK(refused(disk, "store.log"));
  disk = after;
  disk["store.snapshot"] = before.at("store.snapshot");
  CHECK(refused(disk, "store.snapshot"));
  disk = after;
  disk.erase("store.snapshot");
  CHECK(refused(disk, "store.snapshot"));
  disk = after;
  disk.erase("store.log");
  CHECK(refused(disk, "store.log"));
}

TEST_CASE("a store of fewer partitions than its files are of halts, and calls nothing corrupt") {
  const StoreOptions options{.versions = VersionScheme::none, .snapshot_log_bytes = 150};
  const auto halted = [&](const HandDisk& disk, std::uint32_t partitions) {
    HandDisk found = disk;
    HandBus bus;
    HandEnv env(found, Address(1));
    Store store(env, bus, options, partitions);
    store.start();
    while (!env.ops.empty() && env.halted.empty()) {
      IoDone done = env.complete();
      done.token = IoToken(done.token.value & kHandIdMask);
      store.on_io(done);
    }
    CHECK(bus.all<fact::StorageCorrupt>().empty());
    CHECK(store.ready() == env.halted.empty());
    return env.halted;
  };
  const std::string why = "configured for fewer partitions than the disk is of: ";
  const HandDisk in_log = disk_with(1, options);
  CHECK(halted(in_log, kRigPartition.value) == why + "store.log has partition-1");
  CHECK(halted(in_log, kRigPartition.value + 1).empty());
  const HandDisk in_both = disk_with(20, options);
  REQUIRE(in_both.contains("store.snapshot"));
  CHECK(halted(in_both, kRigPartition.value) == why + "store.snapshot has partition-1");
  CHECK(halted(in_both, kRigPartition.value + 1).empty());
}

TEST_CASE("whatever is done to the bytes, what is served is a prefix of what was written") {
  CHECK(rc::check([] {
    const StoreOptions options{
        .versions = VersionScheme::none,
        .snapshot_log_bytes = *rc::gen::element<std::uint64_t>(250, 1'000'000)};
    StoreRig writer(options);
    writer.settle();
    Model model;
    for (std::size_t n = 0; n < *rc::gen::inRange<std::size_t>(1, 40); ++n) {
      Script::step(writer, model, n);
    }
    HandDisk disk = writer.disk;
    Bytes& log = disk["store.log"].content;
    const Bytes elsewhere = disk.contains("store.snapshot") ? disk["store.snapshot"].content : log;
    for (int hits = *rc::gen::inRange(1, 4); hits > 0; --hits) {
      const auto at = *rc::gen::inRange<std::size_t>(0, log.size());
      const auto length = std::min(*rc::gen::inRange<std::size_t>(1, 80), log.size() - at);
      const auto from = *rc::gen::inRange<std::size_t>(0, elsewhere.size());
      const int how = *rc::gen::inRange(0, 4);
      for (std::size_t i = at; i < at + length; ++i) {
        if (how == 0) log[i] = 0;
        if (how == 1) log[i] ^= static_cast<std::uint8_t>(*rc::gen::inRange(1, 256));
        if (how == 2 && from + i - at < elsewhere.size()) log[i] = elsewhere[from + i - at];
        if (how == 3) log[i] = log[(i + 37) % log.size()];
      }
    }
    const bool damaged = log != writer.disk["store.log"].content;
    StoreRig rig(options, disk);
    rig.settle();
    if (!rig.env->halted.empty()) {
      RC_ASSERT(damaged);
      RC_ASSERT(rig.bus->all<fact::StorageCorrupt>().size() == 1);
      return;
    }
    const std::uint64_t last = rig.store->last_sequence();
    RC_ASSERT(last < model.states.size());
    RC_ASSERT(rig.contents() == model.states[last]);
    const bool reported = !rig.bus->all<fact::MessageRejected>().empty();
    RC_ASSERT(reported || last + 1 == model.states.size() || !damaged);
  }));
}

TEST_CASE("a snapshot makes the log short, and records in both count once") {
  const StoreOptions options{.versions = VersionScheme::none, .snapshot_log_bytes = 200};
  StoreRig rig(options);
  rig.settle();
  std::uint64_t n = 0;
  while (rig.env->ops.size() < 2) {  // until a snapshot is under way beside the sync
    rig.put("key-" + std::to_string(n % 3), n + 1);
    ++n;
  }
  const Contents before = rig.contents();
  const std::uint64_t last = rig.store->last_sequence();
  const std::size_t log_before = rig.disk["store.log"].content.size();

  SUBCASE("crashed between the two exchanges") {
    rig.complete(1);  // the snapshot
    CHECK(rig.store->durable_sequence() == last);
    rig.crash_and_boot([](std::size_t unsynced) { return unsynced; }, false);
    rig.settle();
    CHECK(rig.store->last_sequence() == last);
    CHECK(rig.contents() == before);
    CHECK(rig.bus->all<fact::MessageRejected>().empty());
  }
  SUBCASE("finished, with writes that arrived during each part") {
    rig.put("while-writing", 100);
    rig.complete(1);  // the snapshot
    rig.complete(0);  // the sync; the log's exchange begins
    REQUIRE(rig.env->ops.size() == 1);
    REQUIRE(rig.env->ops[0].kind == HandEnv::OpKind::replace);
    rig.put("while-replacing", 101);
    const std::uint64_t newest = rig.store->last_sequence();
    rig.settle();
    CHECK(rig.store->durable_sequence() == newest);
    CHECK(rig.disk["store.log"].content.size() < log_before);
    rig.crash_and_boot([](std::size_t) { return 0U; }, false);
    rig.settle();
    CHECK(rig.store->last_sequence() == newest);
    CHECK(rig.store->get(kRigPartition, "while-writing").has_value());
    CHECK(rig.store->get(kRigPartition, "while-replacing").has_value());
  }
}

TEST_CASE("a failure at any of the store's operations halts it") {
  for (std::size_t failing = 0; failing < 40; ++failing) {
    StoreRig rig(Script{}.options);
    Model model;
    std::size_t done = 0;
    for (std::size_t n = 0; rig.env->halted.empty() && done <= failing; ++n) {
      if (rig.store->ready()) Script::step(rig, model, n - n % 3);
      if (!rig.env->ops.empty()) rig.complete(0, done++ == failing);
    }
    CHECK_FALSE(rig.env->halted.empty());
  }
}

TEST_CASE("a store agrees with a map through any writes, completions and crashes") {
  const bool agrees = rc::check("store and map agree", [] {
    const StoreOptions options{
        .versions = *rc::gen::element(VersionScheme::none, VersionScheme::timestamp),
        .snapshot_log_bytes = *rc::gen::element<std::uint64_t>(1, 80, 300, 100000)};
    const bool keeps_tombstones = options.versions == VersionScheme::timestamp;
    StoreRig rig(options);
    rig.settle();
    Model model;
    std::uint64_t acknowledged = 0;
    const int steps = *rc::gen::inRange(1, 80);
    for (int step = 1; step <= steps; ++step) {
      const int what = *rc::gen::inRange(0, 100);
      const auto partition = *rc::gen::inRange<std::uint32_t>(0, kRigPartitions);
      if (what < 55) {
        Record record = make_record("k" + std::to_string(*rc::gen::inRange(0, 4)),
                                    static_cast<std::uint64_t>(step), what < 15);
        record.version.timestamp = WallTime(Duration(*rc::gen::inRange(1, 20)));
        const auto rule = *rc::gen::element(MergeRule::overwrite, MergeRule::merge);
        const auto& state = model.states.back();
        const auto known = state.find({partition, record.key});
        const bool refused = rule == MergeRule::merge && keeps_tombstones && known != state.end() &&
                             !is_newer(record, known->second);
        const StoreWrite write =
            rig.store->put(PartitionId(partition), record, rule, fact::WriteCause::foreground);
        RC_ASSERT(write.stored == !refused);
        if (!refused) model.put(partition, record, keeps_tombstones);
      } else if (what < 60) {
        rig.store->drop(PartitionId(partition));
        model.drop(partition);
      } else if (what < 92) {
        if (!rig.env->ops.empty()) {
          rig.complete(*rc::gen::inRange<std::size_t>(0, rig.env->ops.size()));
        }
      } else {
        const auto percent = *rc::gen::inRange<std::size_t>(0, 101);
        rig.crash_and_boot([&](std::size_t size) { return size * percent / 100; },
                           *rc::gen::arbitrary<bool>());
        rig.settle();
        RC_ASSERT(recovered_to_a_prefix(rig, model, acknowledged));
      }
      acknowledged = rig.store->durable_sequence();
      RC_ASSERT(rig.store->last_sequence() + 1 == model.states.size());
      RC_ASSERT(rig.contents() == model.states.back());
    }
    rig.settle();
    RC_ASSERT(rig.store->durable_sequence() == rig.store->last_sequence());
  });
  CHECK(agrees);
}

}  // namespace rejoin
