#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "repair-is-bounded";
const fact::RepairStarted kStarted{
    .partition = PartitionId(1), .sources = {NodeId(1)}, .mechanism = "merkle"};
const fact::RepairCompleted kUnchanged{
    .partition = PartitionId(1), .records = 0, .changed = 0, .started = {}};
const fact::RepairCompleted kInVain{
    .partition = PartitionId(1), .records = 10, .changed = 0, .started = {}};

void repair(Story& story, const Key& key, RequestId version) {
  story.put(3, key, version, {.cause = fact::WriteCause::repair});
}
}  // namespace

TEST_CASE("repair-is-bounded accepts repairs that end, and any number that change nothing") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k");
  for (int n = 0; n < 100; ++n) story.tell(3, kStarted).tell(3, kUnchanged);
  story.tell(2, kStarted).tell(2, fact::RepairFailed{PartitionId(1), "timeout"});
  for (int n = 0; n < 3; ++n) repair(story, "k", request(1, 1));
  story.at(60s).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 101);
}

TEST_CASE("repair-is-bounded rejects repairs that fetch records again and again for nothing") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k");
  for (int n = 0; n < 3; ++n) story.tell(3, kStarted).tell(3, kInVain).tell(2, kInVain);
  story.end();
  CHECK(story.violations().empty());
  Story more({kName});
  more.cluster().at(10s).write(request(1, 1), "k");
  for (int n = 0; n < 4; ++n) more.tell(3, kInVain);
  more.end();
  check_says(more,
             "4 repairs of partition-1 by node-3 fetched records and changed nothing since "
             "10.001s, when the last write or other change was over");
}

TEST_CASE("repair-is-bounded rejects a repair that never ends") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").tell(3, kStarted);
  story.at(15s).read(request(2, 1), "k", Consistency::one, {request(1, 1)}).at(21s).end();
  check_says(story,
             "at the end node-3 still repairs partition-1, which it has done since 10.002s, "
             "although nothing has been written and nothing has changed since 10.001s");
}

TEST_CASE("repair-is-bounded rejects two versions that replace each other for ever") {
  Story story({kName});
  story.cluster().at(10s).begin_write(request(1, 1), "k").begin_write(request(2, 1), "k");
  for (int n = 0; n < 4; ++n) {
    repair(story, "k", request(1, 1));
    repair(story, "k", request(2, 1));
  }
  story.end();
  check_says(story,
             "on node-3, repairs stored the write of \"v1.1\" (client-1/1) of k 4 times since "
             "10.001s, when the last write or other change was over");
  CHECK(story.violations().front().evidence.size() == 3);
}

TEST_CASE("repair-is-bounded counts from the last write, fault or start; crashes end repairs") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").tell(3, kStarted);
  for (int n = 0; n < 3; ++n) repair(story, "k", request(1, 1));
  story.put(1, "other", request(1, 1));
  for (int n = 0; n < 3; ++n) repair(story, "k", request(1, 1));
  story.tell(0, fact::FaultEnded{.fault = "partition", .label = "cut"});
  for (int n = 0; n < 3; ++n) repair(story, "k", request(1, 1));
  story.at(60s).tell(2, kStarted).at(65s).crash(3).at(70s).end();
  CHECK(story.violations().empty());
}
