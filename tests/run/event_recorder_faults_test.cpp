// What pictures of a run are drawn from when messages are doubled, spoiled or lost, and nodes are
// moved, doubled or crash: each is told once, and of whom it was.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run/event_recorder.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

struct Watched {
  RunRecord record;
  RunEvents events;
};

Watched watch(const std::string& name, const std::vector<Override>& more = {}) {
  const auto scenario =
      load_scenario(REJOIN_SOURCE_DIR "/scenarios/" + name + ".yaml", linked_vocabulary(), more);
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(scenario->seed());
  REQUIRE(schedule.has_value());
  Watched out;
  RunOptions options;
  options.events = &out.events;
  out.record = run(*schedule, options);
  REQUIRE(out.record.verdict == Verdict::pass);
  return out;
}

std::int64_t fated(const RunEvents& events, std::string_view fate) {
  return std::count_if(events.messages.begin(), events.messages.end(),
                       [&](const auto& message) { return events.fates[message.fate] == fate; });
}

std::int64_t metric(const RunRecord& record, const std::string& name) {
  return record.metrics.at(name).value();
}

std::uint32_t host(const RunEvents& events, std::string_view name) {
  const auto found = std::find(events.hosts.begin(), events.hosts.end(), name);
  REQUIRE(found != events.hosts.end());
  return static_cast<std::uint32_t>(found - events.hosts.begin());
}

}  // namespace

TEST_CASE("a message that came twice is two messages, and the second says so") {
  const auto [record, events] = watch("faults/duplicate");
  const std::int64_t copies = fated(events, "a second copy");
  CHECK(copies == metric(record, "duplicated_messages"));
  for (const RunEvents::Message& message : events.messages) {
    if (events.fates[message.fate] == "a second copy") CHECK(message.arrived.has_value());
  }
  CHECK(std::is_sorted(events.messages.begin(), events.messages.end(),
                       [](const auto& a, const auto& b) { return a.serial < b.serial; }));
}

TEST_CASE("a message that was spoiled on its way arrives, and is told to have been") {
  const auto [record, events] = watch("faults/corrupt");
  std::int64_t arrived = 0;
  for (const RunEvents::Message& message : events.messages) {
    if (events.fates[message.fate] == "corrupted" && message.arrived) ++arrived;
  }
  CHECK(arrived == metric(record, "corrupted_messages"));
}

TEST_CASE("a message that was lost has no arrival, and its reason") {
  const auto [record, events] = watch("faults/loss");
  std::int64_t dropped = 0;
  for (const RunEvents::Message& message : events.messages) {
    const std::string& fate = events.fates[message.fate];
    const bool lost = fate != "delivered" && fate != "under way at the end";
    CHECK(message.arrived.has_value() == (fate == "delivered"));
    dropped += lost ? 1 : 0;
  }
  CHECK(dropped == metric(record, "dropped_messages"));
  CHECK(fated(events, "lost") > 0);
}

TEST_CASE("a node that has moved keeps its lane") {
  const auto [record, events] = watch("faults/move");
  CHECK(events.hosts.size() == events.nodes + events.clients);
  const std::uint32_t moved = host(events, "node-2");
  const auto reads = std::count_if(events.messages.begin(), events.messages.end(),
                                   [&, &all = events](const auto& message) {
                                     return message.to == moved && message.arrived &&
                                            message.sent >= record.transitions.back().at &&
                                            all.kinds[message.kind] == "ClientRequest";
                                   });
  CHECK(reads >= 20);
}

TEST_CASE("a twin has a lane of its own, and its node's lane says nothing of it") {
  const auto [record, events] = watch("faults/twin");
  const std::uint32_t twin = host(events, "twin of node-2");
  CHECK(twin >= events.nodes + events.clients);
  std::int64_t of_twin = 0;
  std::int64_t halted = 0;
  for (const RunEvents::FactRow& fact : events.facts) {
    if (fact.host == twin) ++of_twin;
    const bool halts = events.fact_kinds[fact.kind] == "ProcessHalted";
    if (halts && fact.host == host(events, "node-2")) ++halted;
  }
  CHECK(of_twin > 0);
  CHECK(halted == 1);  // the first of the two, whose life is over
  CHECK(std::any_of(events.messages.begin(), events.messages.end(),
                    [&](const auto& message) { return message.from == twin; }));
}

TEST_CASE("what a crash took is told to be gone, though its disk had said that it was durable") {
  const auto [record, events] = watch("faults/lost-sync");
  std::int64_t taken = 0;
  for (const auto& [key, store] : events.stores) {
    for (const auto& [node, held] : store.replicas) {
      for (std::size_t i = 1; i < held.size(); ++i) {
        if (held[i].cause != RunEvents::HeldCause::crash || !held[i].origin.is_none()) continue;
        ++taken;
        CHECK(node == NodeId(2));
        CHECK(held[i].from == held[i - 1].to);
        CHECK(held[i - 1].durable_from.has_value());
      }
    }
  }
  CHECK(taken >= 1);
  CHECK(events.stores.at("key-20").replicas.at(NodeId(2)).back().origin.is_none());
  CHECK_FALSE(events.stores.at("key-5").replicas.at(NodeId(2)).back().origin.is_none());
}

TEST_CASE("above so many messages that were never sent there are no more, and they are counted") {
  const auto [record, events] =
      watch("seed/t0-t5", {{.path = "timeline.T3.write.keys", .value = "key-101..key-2200"}});
  CHECK(events.ghosts.size() == EventRecorder::kGhostsMax);
  CHECK(events.hidden.ghosts == 2'100 - EventRecorder::kGhostsMax);
}

}  // namespace rejoin::sim
