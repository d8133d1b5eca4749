// What pictures of a run are drawn from: all of it, and nothing of the run changes by being
// watched.
#include "sim/run/event_recorder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

struct Watched {
  RunRecord record;
  RunEvents events;
};

Watched watch(const Schedule& schedule) {
  Watched out;
  RunOptions options;
  options.events = &out.events;
  out.record = run(schedule, options);
  return out;
}

const Watched& seed_run() {
  static const Watched watched = watch(test::seed_schedule());
  return watched;
}

const std::string& key_of(const RunEvents& events, const RunEvents::Message& message) {
  static const std::string none;
  return message.key == RunEvents::kNone ? none : events.keys[message.key];
}

}  // namespace

TEST_CASE("a run that is recorded has the digest of one that is not") {
  for (const char* mechanism : {"none", "rejoin-sync"}) {
    CAPTURE(mechanism);
    const Schedule schedule = test::seed_schedule(mechanism);
    CHECK(watch(schedule).record.digest == run(schedule).digest);
  }
}

TEST_CASE("every message is recorded, from its sending to its arrival or its end") {
  const auto& [record, events] = seed_run();
  CHECK(events.messages.size() == record.messages);
  CHECK(events.hidden.messages == 0);
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;
  MonotonicTime before{};
  for (const RunEvents::Message& message : events.messages) {
    bytes += message.bytes;
    CHECK(message.sent >= before);
    before = message.sent;
    CHECK(message.from != message.to);
    if (!message.arrived) {
      ++lost;
      CHECK(events.fates[message.fate] != "delivered");
      continue;
    }
    CHECK(events.fates[message.fate] == "delivered");
    CHECK(*message.arrived > message.sent);
    CHECK(message.arrive_event > message.send_event);
  }
  CHECK(bytes == record.bytes);
  CHECK(lost > 0);  // what was sent to node-3 while it was down
}

TEST_CASE("a stale read names the write that it missed, which is told never to have been sent") {
  const auto& [record, events] = seed_run();
  REQUIRE(events.stale_reads.size() == 1);
  const RequestId missed = events.stale_reads.begin()->second.missed;
  const auto write = std::find_if(record.history.begin(), record.history.end(),
                                  [&](const Operation& each) { return each.id == missed; });
  REQUIRE(write != record.history.end());
  CHECK(write->key == "key-125");
  CHECK(write->kind == OperationKind::write);
  CHECK(events.ghosts.size() == 50);
  for (const RunEvents::Ghost& ghost : events.ghosts) {
    CHECK(events.hosts[ghost.to] == "node-3");
    const std::string& key = events.keys[ghost.key];
    const bool sent = std::any_of(events.messages.begin(), events.messages.end(),
                                  [&](const RunEvents::Message& message) {
                                    return message.to == ghost.to && message.from < events.nodes &&
                                           key_of(events, message) == key;
                                  });
    CHECK_FALSE(sent);
  }
  CHECK(std::any_of(events.ghosts.begin(), events.ghosts.end(), [&](const RunEvents::Ghost& ghost) {
    return events.keys[ghost.key] == "key-125";
  }));
}

TEST_CASE("with a repair that brings everything nothing is told never to have been sent") {
  const Watched watched = watch(test::seed_schedule("rejoin-sync"));
  CHECK(watched.events.stale_reads.empty());
  CHECK(watched.events.ghosts.empty());
}

TEST_CASE("the spans of a node follow each other and end as the table does") {
  const auto& [record, events] = seed_run();
  REQUIRE(events.spans.size() == record.nodes);
  for (const auto& spans : events.spans) {
    REQUIRE_FALSE(spans.empty());
    CHECK(spans.front().from == MonotonicTime{});
    CHECK(spans.back().to == record.virtual_end);
    for (std::size_t i = 1; i < spans.size(); ++i) CHECK(spans[i].from == spans[i - 1].to);
  }
  // At each step they say what its row says.
  for (const Transition& step : record.transitions) {
    if (step.label == "T0" || step.label == "T3" || step.label == "T4") continue;  // rows of later
    for (const NodeSnapshot& node : step.nodes) {
      CAPTURE(step.label);
      CAPTURE(to_name(node.node));
      const auto& spans = events.spans[node.node.value - 1];
      const auto at = std::find_if(spans.begin(), spans.end(), [&](const auto& span) {
        return span.from <= step.completed && step.completed < span.to;
      });
      REQUIRE(at != spans.end());
      CHECK(at->what.state == node.state);
      CHECK(at->what.keys == node.keys);
      CHECK(at->what.stale_keys == node.stale_keys);
      CHECK(at->what.missing_keys == node.missing_keys);
    }
  }
  CHECK(events.spans[2].back().what.missing_keys == 50);
  CHECK(events.spans[2].back().claims);  // it serves as if it lacked nothing
}

TEST_CASE("what a replica held of a key is told with its cause, and from when on a crash left it") {
  const auto& [record, events] = seed_run();
  const RunEvents::Store& late = events.stores.at("key-125");
  CHECK(late.replicas.contains(NodeId(1)));
  CHECK_FALSE(late.replicas.contains(NodeId(3)));
  const auto& early = events.stores.at("key-1").replicas.at(NodeId(3));
  REQUIRE_FALSE(early.empty());
  CHECK(early.front().cause == RunEvents::HeldCause::foreground);
  REQUIRE(early.front().durable_from);
  CHECK(*early.front().durable_from >= early.front().from);
  CHECK(early.back().to == record.virtual_end);
  const Watched repaired = watch(test::seed_schedule("rejoin-sync"));
  const auto& brought = repaired.events.stores.at("key-125").replicas.at(NodeId(3));
  REQUIRE_FALSE(brought.empty());
  CHECK(brought.front().cause == RunEvents::HeldCause::repair);
}

TEST_CASE("above a limit what is sent again and again goes first, far from what matters") {
  RunEvents events = seed_run().events;
  const std::size_t all = events.messages.size();
  std::vector<MonotonicTime> marks;
  for (const Transition& step : seed_run().record.transitions) marks.push_back(step.at);
  std::sort(marks.begin(), marks.end());
  const auto data = [](const RunEvents& of) {
    return std::count_if(of.messages.begin(), of.messages.end(), [](const auto& message) {
      return message.purpose == Purpose::foreground;
    });
  };
  const auto before = data(events);
  thin(events, {.messages = all / 2, .facts = 100}, marks);
  CHECK(events.messages.size() == all / 2);
  CHECK(events.facts.size() == 100);
  CHECK(events.hidden.messages == all - all / 2);
  CHECK(data(events) == before);
  CHECK(std::is_sorted(events.messages.begin(), events.messages.end(),
                       [](const auto& a, const auto& b) { return a.serial < b.serial; }));
}

TEST_CASE("spans that are joined show the worst of them, and never hide another state") {
  std::vector<RunEvents::NodeSpan> spans;
  const auto at = [](int i) { return MonotonicTime(Duration(i) * 1'000'000); };
  for (int i = 0; i < 1'000; ++i) {
    RunEvents::NodeSpan span{.from = at(i), .to = at(i + 1), .what = {}, .claims = true};
    span.what.missing_keys = i == 537 ? 9 : static_cast<std::uint64_t>(i % 2);
    span.what.state = i == 701 ? NodeState::dead : NodeState::alive;
    spans.push_back(span);
  }
  const RunEvents::NodeSpan last = spans.back();
  const std::uint64_t gone = join(spans, 10);
  CHECK(gone == 1'000 - spans.size());
  CHECK(spans.size() <= 14);  // the stretches, the other state, what follows it, and the last
  CHECK(spans.front().from == at(0));
  CHECK(spans.back().from == last.from);
  CHECK(spans.back().what.missing_keys == last.what.missing_keys);
  for (std::size_t i = 1; i < spans.size(); ++i) CHECK(spans[i].from == spans[i - 1].to);
  const auto over = [&spans, &at](int i) {
    return *std::find_if(spans.begin(), spans.end(),
                         [&](const auto& span) { return span.from <= at(i) && at(i) < span.to; });
  };
  CHECK(over(537).what.missing_keys == 9);
  CHECK(over(100).what.missing_keys == 1);
  CHECK(over(701).what.state == NodeState::dead);
  CHECK(over(701).to == at(702));
  CHECK(join(spans, 1'000) == 0);
}

TEST_CASE("a node that changes again and again has as many spans as can be drawn, and no more") {
  const ClusterShape shape{.nodes = 1, .partitions = 1, .copies = 1};
  World world(shape);
  ReplicaTimes times(world, 100);
  const FactSource source{.node = NodeId(1)};
  constexpr std::uint64_t kWrites = 5'000;
  for (std::uint64_t i = 1; i <= kWrites; ++i) {
    const Fact written = fact::RecordWritten{
        .key = "key-" + std::to_string(i), .origin = {ClientId(1), i}, .stored = true, .seq = i};
    const MonotonicTime at{Duration(1'000'000) * static_cast<std::int64_t>(i)};
    world.absorb(at, i, source, written);
    times.on_fact(at, source, written);
  }
  times.finish(MonotonicTime(std::chrono::seconds(6)));
  const auto& spans = times.spans().front();
  CHECK(spans.size() < 200);
  CHECK(spans.size() + times.joined() == kWrites + 1);
  CHECK(spans.back().what.keys == kWrites);
  for (std::size_t i = 1; i < spans.size(); ++i) CHECK(spans[i].from == spans[i - 1].to);
}

TEST_CASE("faults are counted by the phase of the cluster in which they struck") {
  std::map<std::string, std::map<std::string, std::uint64_t>> phases;
  RunOptions options;
  options.phases = &phases;
  const Schedule schedule = test::seed_schedule();
  CHECK(run(schedule, options).digest == run(schedule).digest);
  CHECK(phases["crash"]["steady"] == 1);
  std::uint64_t restarts = 0;
  for (const auto& [phase, n] : phases["restart"]) restarts += n;
  CHECK(restarts == 1);
}

}  // namespace rejoin::sim
