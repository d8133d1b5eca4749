#include "sim/invariants/world.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const Key kKey = "key-1";

RequestId held(const Story& story, std::uint32_t node) {
  const ShadowRecord* record = story.world().stored(NodeId(node), kKey);
  return record == nullptr ? RequestId{} : record->origin;
}

}  // namespace

TEST_CASE("a crash takes back what was not durable, newest first") {
  Story story;
  story.cluster().put(1, kKey, request(1, 1)).sync(1);
  story.put(1, kKey, request(1, 2)).put(1, kKey, request(1, 3));
  CHECK(held(story, 1) == request(1, 3));
  story.crash(1);
  CHECK(held(story, 1) == request(1, 1));
  CHECK_FALSE(story.world().node(NodeId(1)).up);
  story.start(1).recover(1, 1);
  CHECK(held(story, 1) == request(1, 1));
}

TEST_CASE("a torn tail comes back as far as the node says that it does") {
  Story story;
  story.cluster().put(1, kKey, request(1, 1)).sync(1);
  story.put(1, kKey, request(1, 2)).put(1, kKey, request(1, 3));
  story.crash(1).start(1).crash(1).start(1).recover(1, 2);
  CHECK(held(story, 1) == request(1, 2));
  // What came back is durable now; what did not is gone for good.
  CHECK(story.world().node(NodeId(1)).durable_seq == 2);
  story.crash(1).start(1).recover(1, 3);
  CHECK(held(story, 1) == request(1, 2));
}

TEST_CASE("what a disk said was durable and lost is not held any more, once the node says so") {
  Story story;
  story.cluster().put(1, kKey, request(1, 1)).sync(1);
  story.put(1, kKey, request(1, 2)).sync(1).put(1, kKey, request(1, 3)).sync(1);
  story.crash(1).start(1);
  CHECK(held(story, 1) == request(1, 3));
  story.recover(1, 1);
  CHECK(held(story, 1) == request(1, 1));
  CHECK(story.world().node(NodeId(1)).durable_seq == 1);
  // What is lost stays lost, and what follows takes its sequences.
  story.crash(1).start(1).recover(1, 1);
  CHECK(held(story, 1) == request(1, 1));
  story.tell(1, fact::RecordWritten{.partition = story.world().partition_of_key(kKey),
                                    .key = kKey,
                                    .origin = request(1, 4),
                                    .deleted = false,
                                    .erased = false,
                                    .stored = true,
                                    .replaced = {},
                                    .cause = {},
                                    .seq = 2,
                                    .others = {}});
  story.crash(1).start(1).recover(1, 1);
  CHECK(held(story, 1) == request(1, 1));
  story.crash(1).start(1).recover(1, 0);
  CHECK(held(story, 1).is_none());
}

TEST_CASE("a dropped partition comes back when the drop was not durable") {
  Story story;
  story.cluster().put(1, kKey, request(1, 1)).sync(1).drop(1, kKey);
  CHECK(held(story, 1).is_none());
  story.crash(1);
  CHECK(held(story, 1) == request(1, 1));
  story.start(1).recover(1, 1).drop(1, kKey).sync(1).crash(1);
  CHECK(held(story, 1).is_none());
}

TEST_CASE("a wiped disk holds nothing, whatever was on it") {
  Story story;
  story.cluster().put(1, kKey, request(1, 1)).sync(1).put(1, kKey, request(1, 2)).crash(1);
  story.tell(1, fact::DiskWiped{}).start(1).recover(1, 0);
  CHECK(held(story, 1).is_none());
  CHECK(story.world().snapshot(NodeId(1), story.now()).keys == 0);
}

TEST_CASE("an erased record is not held, but remembered") {
  Story story;
  story.cluster().put(1, kKey, request(1, 1));
  story.put(1, kKey, request(1, 2), {.deleted = true, .erased = true});
  CHECK(story.world().stored(NodeId(1), kKey) == nullptr);
  REQUIRE(story.world().remembered(NodeId(1), kKey) != nullptr);
  CHECK(story.world().remembered(NodeId(1), kKey)->origin == request(1, 2));
}

TEST_CASE("membership is that of the highest applied index, not of a node that replays its log") {
  Story story;
  const auto applied = [&](std::uint32_t node, std::uint64_t index) {
    story.tell(node, fact::EntryApplied{kClusterGroup, LogIndex(index), Term(1), 0});
  };
  story.cluster();
  applied(1, 7);
  story.members({1, 2}, 1);
  CHECK_FALSE(story.world().node(NodeId(3)).member);
  applied(3, 5);
  story.members({1, 2, 3}, 3);
  CHECK_FALSE(story.world().node(NodeId(3)).member);
  applied(2, 8);
  story.members({1, 2, 3}, 2);
  CHECK(story.world().node(NodeId(3)).member);
}

TEST_CASE("the newest map counts, whoever applies an older one later") {
  Story story;
  story.cluster().map(2, {1, 2}, 1).map(1, {1, 2, 3}, 3);
  CHECK(story.world().map().epoch == Epoch(2));
  CHECK(story.world().live_owners(PartitionId(0)) == std::vector<NodeId>{NodeId(1), NodeId(2)});
  story.crash(2);
  CHECK(story.world().live_owners(PartitionId(0)) == std::vector<NodeId>{NodeId(1)});
}

TEST_CASE("the states of the table follow membership, process and repair") {
  Story story;
  story.cluster();
  const auto state = [&] { return story.world().snapshot(NodeId(3), story.now()).state; };
  CHECK(state() == NodeState::alive);
  story.tell(3, fact::RepairStarted{PartitionId(1), {NodeId(1)}, "rejoin-sync"});
  CHECK(state() == NodeState::syncing);
  story.tell(3, fact::RepairCompleted{PartitionId(1), 0, 0, {}});
  CHECK(state() == NodeState::alive);
  story.crash(3);
  CHECK(state() == NodeState::dead);
  story.members({1, 2});
  CHECK(state() == NodeState::offline);
  story.start(3);
  CHECK(state() == NodeState::evicted);
}

TEST_CASE("the table counts stale and missing keys of nodes that serve") {
  Story story;
  story.cluster();
  for (const char* key : {"a", "b", "c"}) {
    const std::uint64_t n = static_cast<std::uint64_t>(*key);
    story.write(request(1, n), key).put_durably({1, 2, 3}, key, request(1, n));
  }
  story.crash(3).write(request(2, 1), "a").put_durably({1, 2}, "a", request(2, 1));
  story.write(request(2, 2), "d").put_durably({1, 2}, "d", request(2, 2));
  story.remove(request(2, 3), "c");
  auto down = story.world().snapshot(NodeId(3), story.now());
  CHECK(down.keys == 3);
  CHECK(down.stale_keys == 0);
  CHECK(down.missing_keys == 0);
  story.start(3).recover(3, story.seq(3));
  auto back = story.world().snapshot(NodeId(3), story.now());
  CHECK(back.keys == 3);
  CHECK(back.stale_keys == 2);  // a is old, c is deleted
  CHECK(back.missing_keys == 1);
}

TEST_CASE("two leaders at once: the table shows that of the higher term") {
  Story story;
  story.cluster().tell(1, fact::BecameLeader{kClusterGroup, Term(1)});
  story.tell(2, fact::BecameLeader{kClusterGroup, Term(2)});
  CHECK(story.world().leader() == NodeId(2));
  CHECK_FALSE(story.world().snapshot(NodeId(1), story.now()).leader);
  CHECK(story.world().snapshot(NodeId(2), story.now()).leader);
  story.crash(2);
  CHECK(story.world().leader() == NodeId(1));
}

TEST_CASE("quiet is counted from the last change, and refused writes are none") {
  Story story;
  story.cluster().at(10s).put(1, kKey, request(1, 1));
  CHECK(story.world().last_change() == MonotonicTime(10s));
  story.at(20s).put(1, kKey, request(1, 1), {.stored = false}).sync(1);
  CHECK(story.world().last_change() == MonotonicTime(10s));
  story.at(30s).crash(2);  // no leader
  CHECK(story.world().last_change() == MonotonicTime(10s));
  story.at(40s).begin_write(request(1, 1), kKey);
  CHECK(story.world().last_change() == MonotonicTime(40s));
  CHECK(story.world().open_operations() == 1);
  story.at(50s).abandon(request(1, 1));
  CHECK(story.world().open_operations() == 0);
  CHECK(story.world().last_change() == MonotonicTime(50s));
}

TEST_CASE("an acknowledgement before an invocation orders two writes, at one instant too") {
  Story story;
  story.cluster().at(1s).begin_write(request(1, 1), kKey).at(2s);
  story.answer(request(1, 1), ResultKind::ok).at(2s).begin_write(request(2, 1), kKey);
  CHECK(story.world().older(request(1, 1), request(2, 1)));
  CHECK_FALSE(story.world().older(request(2, 1), request(1, 1)));
  // A third one, invoked before the acknowledgement at that same instant, is concurrent.
  Story other;
  other.cluster().at(1s).begin_write(request(1, 1), kKey).at(2s).begin_write(request(2, 1), kKey);
  other.at(2s).answer(request(1, 1), ResultKind::ok);
  CHECK_FALSE(other.world().older(request(1, 1), request(2, 1)));
}

TEST_CASE("a context orders two writes, and passes an acknowledgement on") {
  Story story;
  story.cluster().begin_write(request(1, 1), kKey);
  story.begin_write(request(2, 1), kKey, Consistency::one, {request(1, 1)});
  story.begin_write(request(3, 1), kKey);
  CHECK(story.world().older(request(1, 1), request(2, 1)));
  CHECK_FALSE(story.world().older(request(1, 1), request(3, 1)));
  story.answer(request(2, 1), ResultKind::ok).begin_write(request(4, 1), kKey);
  // 1 is never acknowledged, but 2 knew of it and 4 came after 2.
  CHECK(story.world().older(request(1, 1), request(4, 1)));
  CHECK_FALSE(story.world().older(request(3, 1), request(4, 1)));
}

TEST_CASE("an unknown write and a write of another key are never older") {
  Story story;
  story.cluster().write(request(1, 1), "a").write(request(1, 2), "b");
  CHECK_FALSE(story.world().older(request(1, 1), request(1, 2)));
  CHECK_FALSE(story.world().older(request(9, 9), request(1, 2)));
  CHECK_FALSE(story.world().older(request(1, 1), request(9, 9)));
}

TEST_CASE("an absent key is excused by a delete that may have come last") {
  Story story;
  story.cluster().begin_remove(request(2, 1), kKey).write(request(1, 1), kKey);
  CHECK(story.world().missed_write(kKey, {}, kForever) == nullptr);
  // Once a later write is acknowledged, the open delete still may come after it.
  story.write(request(1, 2), kKey);
  CHECK(story.world().missed_write(kKey, {}, kForever) == nullptr);
  Story other;
  other.cluster().remove(request(2, 1), kKey).write(request(1, 1), kKey);
  REQUIRE(other.world().missed_write(kKey, {}, kForever) != nullptr);
  CHECK(other.world().missed_write(kKey, {}, kForever)->id == request(1, 1));
}

TEST_CASE("a read at a level is promised only what was acknowledged at a matching level") {
  Story story;
  story.cluster().write(request(1, 1), kKey, Consistency::quorum);
  story.write(request(1, 2), kKey, Consistency::one);
  Operation read;
  read.id = request(2, 1);
  read.kind = OperationKind::read;
  read.key = kKey;
  read.result = ResultKind::not_found;
  read.level = Consistency::one;
  CHECK_FALSE(story.world().promises_freshness(read));
  read.level = Consistency::quorum;
  REQUIRE(story.world().promise_broken_by(read) != nullptr);
  CHECK(story.world().promise_broken_by(read)->id == request(1, 1));
  read.level = Consistency::all;
  CHECK(story.world().promise_broken_by(read)->id == request(1, 2));
}

namespace {

// Up to 12 writes and deletes of one key, with contexts, interleaved at will.
Story random_history() {
  Story story;
  story.cluster();
  std::vector<RequestId> invoked;
  std::vector<RequestId> open;
  const int steps = *rc::gen::inRange(1, 30);
  for (int i = 0; i < steps; ++i) {
    const bool invoke = open.empty() || *rc::gen::inRange(0, 2) == 0;
    if (invoke && invoked.size() < 12) {
      const RequestId id = request(1 + static_cast<std::uint32_t>(invoked.size()), 1);
      std::vector<RequestId> context;
      if (!invoked.empty() && *rc::gen::inRange(0, 3) == 0) {
        context.push_back(*rc::gen::elementOf(invoked));
      }
      if (*rc::gen::inRange(0, 4) == 0) {
        story.begin_remove(id, kKey);
      } else {
        story.begin_write(id, kKey, Consistency::one, context);
      }
      invoked.push_back(id);
      open.push_back(id);
    } else if (!open.empty()) {
      const auto at = static_cast<std::size_t>(
          *rc::gen::inRange<std::int64_t>(0, static_cast<std::int64_t>(open.size())));
      story.answer(open[at], ResultKind::ok);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  return story;
}

}  // namespace

TEST_CASE("older is a strict partial order, and the closure of its two causes") {
  CHECK(rc::check("older", [] {
    const Story story = random_history();
    const World& world = story.world();
    const auto& history = world.keys().at(kKey);
    const std::size_t n = history.writes.size();
    // The definition, literally: both causes, closed under chains.
    std::vector<std::vector<bool>> expected(n, std::vector<bool>(n));
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) {
        const auto& context = history.writes[b].context;
        expected[a][b] =
            history.orders[a].acknowledged < history.orders[b].invoked ||
            std::find(context.begin(), context.end(), history.writes[a].id) != context.end();
      }
    }
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t a = 0; a < n; ++a) {
        for (std::size_t b = 0; b < n; ++b) {
          if (expected[a][k] && expected[k][b]) expected[a][b] = true;
        }
      }
    }
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) {
        const bool older = world.older(history.writes[a].id, history.writes[b].id);
        RC_ASSERT(older == expected[a][b]);
        RC_ASSERT(!(older && world.older(history.writes[b].id, history.writes[a].id)));
      }
      RC_ASSERT(!world.older(history.writes[a].id, history.writes[a].id));
    }
  }));
}

TEST_CASE("the newest acknowledged are the maximal ones of those acknowledged in time") {
  CHECK(rc::check("newest_acknowledged", [] {
    const Story story = random_history();
    const World& world = story.world();
    const MonotonicTime time(*rc::gen::inRange<std::int64_t>(0, 40) * Duration(1ms));
    std::set<RequestId> expected;
    const auto& writes = world.keys().at(kKey).writes;
    const auto in_time = [&](const Operation& w) { return w.returned && *w.returned < time; };
    for (const Operation& a : writes) {
      const bool beaten = std::any_of(writes.begin(), writes.end(), [&](const Operation& b) {
        return in_time(b) && world.older(a.id, b.id);
      });
      if (in_time(a) && !beaten) expected.insert(a.id);
    }
    std::set<RequestId> found;
    for (const Operation* w : world.newest_acknowledged(kKey, time)) found.insert(w->id);
    RC_ASSERT(found == expected);
  }));
}

TEST_CASE("a wipe takes what its part says: consensus nothing that is stored, data all of it") {
  for (const std::string part : {"all", "data", "consensus"}) {
    Story story;
    story.cluster().put(1, kKey, request(1, 1)).sync(1).crash(1);
    story.tell(1, fact::DiskWiped{part});
    CHECK(held(story, 1) == (part == "consensus" ? request(1, 1) : RequestId{}));
    CHECK(story.world().node(NodeId(1)).durable_seq == (part == "consensus" ? 1 : 0));
  }
}

TEST_CASE("after half a wipe a node holds what it says that it has read back") {
  for (const std::uint64_t up_to : {0, 1, 2, 3}) {
    Story story;
    story.cluster().put(1, kKey, request(1, 1)).put(1, kKey, request(1, 2)).sync(1);
    story.put(1, kKey, request(1, 3)).crash(1);
    story.tell(1, fact::DiskWiped{"half"});
    CHECK(held(story, 1) == RequestId{});
    story.start(1).recover(1, up_to);
    CHECK(held(story, 1) == (up_to == 0 ? RequestId{} : request(1, up_to)));
  }
}

TEST_CASE("what a twin stores, leads or suffers is not its node's") {
  Story story;
  story.cluster().put(1, kKey, request(1, 1)).sync(1);
  story.tell_twin(1, fact::ProcessStarted{});
  story.tell_twin(1, fact::RecordWritten{.partition = story.world().partition_of_key(kKey),
                                         .key = kKey,
                                         .origin = request(1, 2),
                                         .deleted = false,
                                         .erased = false,
                                         .stored = true,
                                         .replaced = {},
                                         .cause = {},
                                         .seq = 2,
                                         .others = {}});
  story.tell_twin(1, fact::BecameLeader{kClusterGroup, Term(9)});
  story.tell_twin(1, fact::MembersApplied{});
  story.tell_twin(1, fact::ProcessCrashed{});
  CHECK(held(story, 1) == request(1, 1));
  CHECK(story.world().node(NodeId(1)).up);
  CHECK(story.world().leader() == NodeId{});
  CHECK(story.world().members().size() == 3);
}
