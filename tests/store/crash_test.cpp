// The power goes at every point, and files come back torn, short or with a bit flipped.
#include <doctest/doctest.h>
#include <rapidcheck.h>

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

TEST_CASE("a log cut to any length gives its whole records back and reports the rest") {
  constexpr StoreOptions options{.versions = VersionScheme::none};
  std::vector<std::size_t> ends{0};
  for (std::uint64_t n = 1; n <= 5; ++n) {
    ends.push_back(disk_with(n, options)["store.log"].content.size());
  }
  for (std::size_t length = 0; length <= ends.back(); ++length) {
    HandDisk disk = disk_with(5, options);
    disk["store.log"].content.resize(length);
    disk["store.log"].durable = length;
    StoreRig rig(options, disk);
    rig.settle();
    std::size_t whole = 0;
    while (whole + 1 < ends.size() && ends[whole + 1] <= length) ++whole;
    REQUIRE(rig.store->last_sequence() == whole);
    REQUIRE(rig.store->record_count(kRigPartition) == whole);
    REQUIRE(rig.bus->all<fact::MessageRejected>().size() == (ends[whole] == length ? 0 : 1));

    rig.put("after", 6);
    rig.settle();
    rig.crash_and_boot([](std::size_t) { return 0U; }, false);
    rig.settle();
    REQUIRE(rig.store->get(kRigPartition, "after") != nullptr);
    REQUIRE(rig.store->record_count(kRigPartition) == whole + 1);
    REQUIRE(rig.bus->all<fact::MessageRejected>().empty());
  }
}

TEST_CASE("a log with any one bit flipped is cut before that record, and later writes survive") {
  constexpr StoreOptions options{.versions = VersionScheme::none};
  constexpr std::uint64_t writes = 4;
  const HandDisk good = disk_with(writes, options);
  std::vector<std::size_t> ends{0};
  for (std::uint64_t n = 1; n <= writes; ++n) {
    ends.push_back(disk_with(n, options)["store.log"].content.size());
  }
  for (std::size_t bit = 0; bit < ends.back() * 8; ++bit) {
    HandDisk disk = good;
    disk["store.log"].content[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    StoreRig rig(options, disk);
    rig.settle();
    std::uint64_t whole = 0;
    while (ends[whole + 1] <= bit / 8) ++whole;
    REQUIRE(rig.store->last_sequence() == whole);
    const auto rejected = rig.bus->all<fact::MessageRejected>();
    REQUIRE(rejected.size() == 1);
    REQUIRE(rejected[0].reason.find("store.log") != std::string::npos);
    for (std::uint64_t n = 1; n <= writes; ++n) {
      const Record* record = rig.store->get(kRigPartition, "key-" + std::to_string(n));
      REQUIRE((record != nullptr) == (n <= whole));
      if (record != nullptr) REQUIRE(*record == make_record(record->key, n));
    }
    rig.put("after", 9);
    rig.settle();
    rig.crash_and_boot([](std::size_t) { return 0U; }, false);
    rig.settle();
    REQUIRE(rig.store->get(kRigPartition, "after") != nullptr);
    REQUIRE(rig.store->last_sequence() == whole + 1);
  }
}

TEST_CASE("a snapshot with any one bit flipped, or cut, halts the node instead of being served") {
  constexpr StoreOptions options{.versions = VersionScheme::none, .snapshot_log_bytes = 100};
  const HandDisk good = disk_with(6, options);
  const std::size_t size = good.at("store.snapshot").content.size();
  const auto refuses = [&](const HandDisk& disk) {
    StoreRig rig(options, disk);
    rig.settle();
    return !rig.env->halted.empty() && !rig.store->ready() &&
           rig.bus->all<fact::StoreRecovered>().empty() &&
           rig.bus->all<fact::MessageRejected>().size() == 1;
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

TEST_CASE("a snapshot makes the log short, and records in both count once") {
  constexpr StoreOptions options{.versions = VersionScheme::none, .snapshot_log_bytes = 200};
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
    CHECK(rig.store->get(kRigPartition, "while-writing") != nullptr);
    CHECK(rig.store->get(kRigPartition, "while-replacing") != nullptr);
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
        const auto rule = *rc::gen::element(MergeRule::overwrite, MergeRule::newest);
        const auto& state = model.states.back();
        const auto known = state.find({partition, record.key});
        const bool refused = rule == MergeRule::newest && known != state.end() &&
                             record.version <= known->second.version;
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
