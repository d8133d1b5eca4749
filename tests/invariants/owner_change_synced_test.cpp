#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "owner-change-synced";

struct Changes : Story {
  Changes() : Story({kName}) { cluster(); }
  // By node 3, which has applied these owners of everything.
  Changes& gives(std::uint64_t epoch, const std::vector<std::uint32_t>& owners) {
    map(epoch, owners, 3);
    return *this;
  }
  Changes& repair(std::uint32_t partition, const std::string& mechanism = "rejoin-sync") {
    begin(partition, mechanism);
    return complete(partition);
  }
  Changes& begin(std::uint32_t partition, const std::string& mechanism = "rejoin-sync") {
    began = now();
    tell(3, fact::RepairStarted{PartitionId(partition), {NodeId(1)}, mechanism, true});
    return *this;
  }
  Changes& complete(std::uint32_t partition) {
    tell(3, fact::RepairCompleted{.partition = PartitionId(partition), .started = began});
    return *this;
  }
  Changes& all(const std::string& mechanism = "rejoin-sync") {
    for (std::uint32_t p = 0; p < 4; ++p) repair(p, mechanism);
    return *this;
  }
  MonotonicTime began{};
};

}  // namespace

TEST_CASE("owner-change-synced accepts one repair a change and mechanism, and one a return") {
  Changes story;
  story.gives(1, {1, 2}).gives(2, {1, 2, 3}).all().all("merkle");
  story.gives(3, {3, 1, 2}).all();  // another part of it
  story.crash(3).start(3);
  story.gives(3, {3, 1, 2}).all().end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 16);
}

TEST_CASE("owner-change-synced accepts a gain that was taken back, or that is down at the end") {
  Changes taken;
  taken.gives(1, {1, 2}).gives(2, {1, 2, 3}).gives(3, {1, 2}).end();
  CHECK(taken.violations().empty());
  Changes down;
  down.gives(1, {1, 2}).gives(2, {1, 2, 3}).crash(3).end();
  CHECK(down.violations().empty());
}

TEST_CASE("owner-change-synced accepts one repair for two changes before it, and a second after") {
  Changes story;
  story.gives(1, {1, 2}).gives(2, {1, 2, 3}).gives(3, {3, 2, 1}).begin(0).gives(4, {1, 2, 3});
  story.complete(0).repair(0).repair(1).repair(2).repair(3).end();
  CHECK(story.violations().empty());
}

TEST_CASE("owner-change-synced rejects a gain that nobody repairs") {
  Changes story;
  story.gives(1, {1, 2}).at(10s);
  story.gives(2, {1, 2, 3}).repair(0).repair(1).repair(3).end();
  check_says(story,
             "node-3 gained partition-2 at 10.000s by the map of epoch 2, and has completed no "
             "repair of it since");
}

TEST_CASE("owner-change-synced rejects a gain whose repair died with the process") {
  Changes story;
  story.gives(1, {1, 2}).gives(2, {1, 2, 3}).repair(0).repair(1).repair(2).begin(3);
  story.crash(3).start(3);
  story.gives(2, {1, 2, 3}).end();
  CHECK(story.violations().size() == 1);
}

TEST_CASE("owner-change-synced rejects a repair that began before the change") {
  Changes story;
  story.gives(1, {1, 2}).begin(0).gives(2, {1, 2, 3}).complete(0);
  story.repair(1).repair(2).repair(3).end();
  CHECK(story.violations().size() == 1);
}

TEST_CASE("owner-change-synced rejects a second repair without a reason") {
  Changes story;
  story.gives(1, {1, 2}).at(10s);
  story.gives(2, {1, 2, 3}).all().repair(2);
  check_says(story,
             "node-3 has repaired partition-2 by rejoin-sync twice, although nothing has changed "
             "for it since 10.000s, before the first time");
}

TEST_CASE("owner-change-synced rejects a gain by a map that came while the node was down") {
  Changes story;
  story.gives(1, {1, 2}).crash(3).start(3);
  story.gives(3, {1, 2, 3}).repair(0).repair(1).repair(2).end();
  CHECK(story.violations().size() == 1);
}

TEST_CASE("owner-change-synced rejects a gain by the first map that a joiner applies") {
  Changes story;
  story.gives(3, {1, 2, 3}).repair(0).repair(1).repair(2).end();
  CHECK(story.violations().size() == 1);
}
