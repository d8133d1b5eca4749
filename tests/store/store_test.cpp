#include "protocols/store/store.hpp"

#include <doctest/doctest.h>

#include "tests/store/store_rig.hpp"

namespace rejoin {

namespace {

const StoreOptions kPlain{.versions = VersionScheme::none};
const StoreOptions kStamped{.versions = VersionScheme::timestamp};

Record stamped(const Key& key, std::uint64_t n, WallTime at, bool deleted = false) {
  Record record = make_record(key, n, deleted);
  record.version = {.timestamp = at, .writer = NodeId(1)};
  return record;
}

}  // namespace

TEST_CASE("a write is visible at once and durable only when a sync that followed it has ended") {
  StoreRig rig(kPlain);
  CHECK_FALSE(rig.store->ready());
  rig.settle();
  REQUIRE(rig.store->ready());

  const StoreWrite write = rig.put("a", 1);
  CHECK(write.stored);
  CHECK(rig.store->get(kRigPartition, "a")->value == "value-1");
  CHECK(rig.store->sequence_of(kRigPartition, "a") == write.seq);
  CHECK(rig.store->durable_sequence() < write.seq);
  CHECK(rig.bus->all<fact::StoreDurable>().empty());

  rig.complete();
  CHECK(rig.store->durable_sequence() == write.seq);
  REQUIRE(rig.bus->all<fact::StoreDurable>().size() == 1);
  CHECK(rig.bus->all<fact::StoreDurable>()[0].up_to == write.seq);
  REQUIRE(std::holds_alternative<local::StoreDurable>(rig.bus->posted.back()));
  CHECK(std::get<local::StoreDurable>(rig.bus->posted.back()).up_to == write.seq);
}

TEST_CASE("one sync is under way at a time, and the next takes all that was written meanwhile") {
  StoreRig rig(kPlain);
  rig.settle();
  for (std::uint64_t n = 1; n <= 10; ++n) {
    rig.put("key-" + std::to_string(n), n);
    CHECK(rig.env->ops.size() == 1);
  }
  rig.complete();
  CHECK(rig.store->durable_sequence() == 1);
  CHECK(rig.env->ops.size() == 1);
  rig.complete();
  CHECK(rig.store->durable_sequence() == 10);
  CHECK(rig.env->ops.empty());
}

TEST_CASE("a failed sync halts the node, and nothing is called durable or tried again") {
  StoreRig rig(kPlain);
  rig.settle();
  rig.put("a", 1);
  rig.complete(0, true);
  CHECK_FALSE(rig.env->halted.empty());
  CHECK(rig.store->durable_sequence() == 0);
  CHECK(rig.bus->all<fact::StoreDurable>().empty());
  CHECK(rig.env->ops.empty());
}

TEST_CASE("without versions a delete leaves nothing, and a restart does not bring the key back") {
  StoreRig rig(kPlain);
  rig.settle();
  rig.put("a", 1);
  rig.put("b", 2);
  const StoreWrite erased = rig.put("a", 3, true);
  CHECK_FALSE(rig.store->get(kRigPartition, "a").has_value());
  CHECK(rig.store->record_count(kRigPartition) == 1);

  const auto written = rig.bus->all<fact::RecordWritten>();
  REQUIRE(written.size() == 3);
  CHECK(written[2].erased);
  CHECK(written[2].deleted);
  CHECK(written[2].stored);
  CHECK(written[2].origin.n == 3);
  CHECK(written[2].replaced == RequestId{.client = ClientId(1), .n = 1});

  // Whoever says that the key is absent has to wait for the erasure.
  CHECK(rig.store->sequence_of(kRigPartition, "a") == erased.seq);
  CHECK(rig.store->sequence_of(kRigPartition, "never") == 0);
  rig.settle();
  CHECK(rig.store->sequence_of(kRigPartition, "a") == 0);

  rig.crash_and_boot([](std::size_t) { return 0U; }, false);
  rig.settle();
  CHECK_FALSE(rig.store->get(kRigPartition, "a").has_value());
  CHECK(rig.store->get(kRigPartition, "b").has_value());
}

TEST_CASE("a key erased, written and erased again waits for its last erasure") {
  StoreRig rig(kPlain);
  rig.settle();
  rig.put("a", 1);
  rig.put("a", 2, true);
  rig.complete();  // the first write alone
  rig.put("a", 3);
  const std::uint64_t last = rig.put("a", 4, true).seq;
  rig.complete();  // up to the first erasure
  REQUIRE(rig.store->durable_sequence() == 2);
  CHECK(rig.store->sequence_of(kRigPartition, "a") == last);
  rig.settle();
  CHECK(rig.store->sequence_of(kRigPartition, "a") == 0);
}

TEST_CASE("with versions a delete is a record like any other") {
  StoreRig rig(kStamped);
  rig.settle();
  rig.store->put(kRigPartition, stamped("a", 1, WallTime(1s)), MergeRule::merge,
                 fact::WriteCause::foreground);
  rig.store->put(kRigPartition, stamped("a", 2, WallTime(2s), true), MergeRule::merge,
                 fact::WriteCause::foreground);
  REQUIRE(rig.store->get(kRigPartition, "a").has_value());
  CHECK(rig.store->get(kRigPartition, "a")->deleted);
  CHECK(rig.store->record_count(kRigPartition) == 1);
  rig.settle();
  const Contents before = rig.contents();
  rig.crash_and_boot([](std::size_t) { return 0U; }, false);
  rig.settle();
  CHECK(rig.contents() == before);
}

TEST_CASE("the newest merge refuses what is older, and says what was there") {
  StoreRig rig(kStamped);
  rig.settle();
  const auto put = [&](std::uint64_t n, WallTime at, MergeRule rule) {
    return rig.store->put(kRigPartition, stamped("a", n, at), rule, fact::WriteCause::repair);
  };
  const StoreWrite first = put(1, WallTime(5s), MergeRule::merge);
  CHECK(first.stored);
  const StoreWrite older = put(2, WallTime(4s), MergeRule::merge);
  CHECK_FALSE(older.stored);
  CHECK(older.seq == first.seq);
  CHECK_FALSE(put(1, WallTime(5s), MergeRule::merge).stored);
  CHECK(rig.store->get(kRigPartition, "a")->origin.n == 1);
  CHECK(put(4, WallTime(4s), MergeRule::overwrite).stored);
  CHECK(put(5, WallTime(6s), MergeRule::merge).stored);
  CHECK(rig.store->get(kRigPartition, "a")->origin.n == 5);

  const auto written = rig.bus->all<fact::RecordWritten>();
  REQUIRE(written.size() == 5);
  CHECK(written[0].replaced == std::nullopt);
  CHECK_FALSE(written[1].stored);
  CHECK(written[1].origin.n == 2);
  CHECK(written[1].replaced == RequestId{.client = ClientId(1), .n = 1});
  CHECK(written[4].replaced == RequestId{.client = ClientId(1), .n = 4});
  CHECK(written[4].cause == fact::WriteCause::repair);
}

TEST_CASE("a dropped partition is empty, its absence waits for the drop, and others keep theirs") {
  StoreRig rig(kPlain);
  rig.settle();
  rig.put("a", 1);
  rig.store->put(PartitionId(0), make_record("z", 2), MergeRule::overwrite,
                 fact::WriteCause::foreground);
  const std::uint64_t dropped = rig.store->drop(kRigPartition);
  CHECK(rig.store->record_count(kRigPartition) == 0);
  CHECK(rig.store->record_count(PartitionId(0)) == 1);
  CHECK(rig.store->sequence_of(kRigPartition, "a") == dropped);
  REQUIRE(rig.bus->all<fact::PartitionDropped>().size() == 1);
  CHECK(rig.bus->all<fact::PartitionDropped>()[0].seq == dropped);
  rig.settle();
  CHECK(rig.store->sequence_of(kRigPartition, "a") == 0);
  rig.crash_and_boot([](std::size_t) { return 0U; }, false);
  rig.settle();
  CHECK(rig.store->record_count(kRigPartition) == 0);
  CHECK(rig.store->record_count(PartitionId(0)) == 1);
}

TEST_CASE("a scan is ordered by key, starts after the key given and stops when told") {
  StoreRig rig(kPlain);
  rig.settle();
  for (const char* key : {"d", "a", "c", "b"}) rig.put(key, 1);
  std::string seen;
  const auto take = [&](const Record& record) {
    seen += record.key;
    return seen.size() < 3;
  };
  rig.store->scan(kRigPartition, "", take);
  CHECK(seen == "abc");
  seen.clear();
  rig.store->scan(kRigPartition, "b", take);
  CHECK(seen == "cd");
}

TEST_CASE("recovery says what it found, and sequences go on from there") {
  StoreRig rig(kPlain);
  rig.settle();
  REQUIRE(rig.bus->all<fact::StoreRecovered>().size() == 1);
  CHECK(rig.bus->all<fact::StoreRecovered>()[0].up_to == 0);
  for (std::uint64_t n = 1; n <= 4; ++n) rig.put("key-" + std::to_string(n % 3), n);
  rig.settle();
  rig.put("lost", 5);
  rig.crash_and_boot([](std::size_t) { return 0U; }, false);
  rig.settle();
  const auto recovered = rig.bus->all<fact::StoreRecovered>();
  REQUIRE(recovered.size() == 1);
  CHECK(recovered[0].up_to == 4);
  CHECK(recovered[0].records == 3);
  CHECK(rig.store->durable_sequence() == 4);
  CHECK(rig.put("next", 6).seq == 5);
}

TEST_CASE("what was read back is synced before the store calls itself recovered") {
  // The process alone died: its bytes are in the machine's cache, and the power may go next.
  StoreRig rig(kPlain);
  rig.settle();
  rig.put("a", 1);
  rig.env->ops.clear();
  rig.boot();
  while (!rig.store->ready()) rig.complete();
  CHECK(rig.store->durable_sequence() == 1);
  rig.crash_and_boot([](std::size_t) { return 0U; }, false);
  rig.settle();
  CHECK(rig.store->get(kRigPartition, "a").has_value());
}

TEST_CASE("the store has no messages") {
  StoreRig rig(kPlain);
  rig.settle();
  CHECK_FALSE(rig.store->on_message(Address(2), MessageKind(Channel::store, 1), {}));
}

}  // namespace rejoin
