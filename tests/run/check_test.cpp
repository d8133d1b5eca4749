// What a schedule could never do is said before it is run, and where.
#include "sim/run/check.hpp"

#include <doctest/doctest.h>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using namespace test;

trigger::At at(Duration time) {
  return {MonotonicTime(time)};
}

action::Inject crash(NodeId node, std::optional<Duration> lasts = {}) {
  action::Inject out = inject("crash", node);
  out.lasts = lasts;
  return out;
}

std::vector<std::string> complaints(std::vector<Step> timeline) {
  Schedule schedule;
  schedule.name = "check";
  schedule.timeline = std::move(timeline);
  for (std::size_t s = 0; s < schedule.timeline.size(); ++s) {
    schedule.timeline[s].where = "file.yaml:" + std::to_string(s + 1) + ":1";
  }
  std::vector<std::string> out;
  for (const Complaint& each : complaints_about(schedule)) {
    out.push_back(each.where + ": " + each.what);
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST_CASE("two faults that hold one thing of one host at one time contradict each other") {
  CHECK(complaints(
            {step("a", at(5s), crash(NodeId(2), 10s)), step("b", at(8s), crash(NodeId(2), 1s))}) ==
        Texts{"file.yaml:2:1: crash of node-2 at 8.000s contradicts crash of step a: node-2 is "
              "dead from 5.000s until 15.000s"});
  // Whichever stands first in the file, the later one is at fault.
  CHECK(complaints(
            {step("b", at(8s), crash(NodeId(2), 1s)), step("a", at(5s), crash(NodeId(2), 10s))})
            .at(0)
            .starts_with("file.yaml:1:1: crash of node-2 at 8.000s"));
  CHECK(complaints({step("a", at(5s), crash(NodeId(2))), step("b", at(5s), crash(NodeId(2)))})
            .size() == 1);
  action::Inject everyone = crash(NodeId(1), 2s);
  everyone.params.set("target", Selectors{{.kind = Selector::Kind::nodes}});
  CHECK(
      complaints({step("a", at(5s), crash(NodeId(2), 10s)), step("b", at(6s), everyone)}).size() ==
      1);
}

TEST_CASE("a sloppy quorum needs somebody who hands over what was kept") {
  Schedule schedule = seed_schedule("rejoin-sync");
  schedule.node.store.versions = VersionScheme::timestamp;
  CHECK(complaints_about(schedule).empty());
  schedule.node.coordinator.sloppy = true;
  REQUIRE(complaints_about(schedule).size() == 1);
  CHECK(complaints_about(schedule).front().allowed == "add hinted-handoff to `sync`");
  use_mechanism(schedule, "hinted-handoff");
  CHECK(complaints_about(schedule).empty());
}

TEST_CASE("a level asks for no more replicas than a key has") {
  Schedule schedule = seed_schedule("rejoin-sync");
  schedule.client.read = Consistency::three;
  CHECK(complaints_about(schedule).empty());
  schedule.client.read = Consistency::five;
  schedule.client.write = Consistency::four;
  const std::vector<Complaint> wrong = complaints_about(schedule);
  REQUIRE(wrong.size() == 2);
  CHECK(wrong[0].what == "client.write asks for 4 replicas of a key that has 3");
  CHECK(wrong[1].what == "client.read asks for 5 replicas of a key that has 3");
}

TEST_CASE("a level asks for no more replicas than there are nodes") {
  Schedule schedule = seed_schedule("rejoin-sync");
  schedule.cluster.nodes = 2;
  schedule.cluster.founders = 2;
  schedule.timeline.clear();
  schedule.client.write = Consistency::quorum;
  CHECK(complaints_about(schedule).empty());
  schedule.client.write = Consistency::all;
  const std::vector<Complaint> wrong = complaints_about(schedule);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].what == "client.write asks for 3 of 3 copies in a cluster of 2 nodes");
  CHECK(wrong[0].allowed == "a weaker level, more nodes, or a smaller cluster.replication");
}

TEST_CASE("faults of other hosts, of other times or by chance do not") {
  CHECK(complaints(
            {step("a", at(5s), crash(NodeId(2), 10s)), step("b", at(8s), crash(NodeId(3), 1s))})
            .empty());
  CHECK(
      complaints({step("a", at(5s), crash(NodeId(2), 3s)), step("b", at(8s), crash(NodeId(2), 1s))})
          .empty());
  // Without a duration a crash is undone by a restart, whenever that is.
  CHECK(complaints({step("a", at(5s), crash(NodeId(2))),
                    step("r", at(6s), inject("restart", NodeId(2))),
                    step("b", at(8s), crash(NodeId(2)))})
            .empty());
  CHECK(
      complaints({step("a", at(5s), crash(NodeId(2), 10s)), step("over", at(7s), action::End{"a"}),
                  step("b", at(8s), crash(NodeId(2), 1s))})
          .empty());
  CHECK(complaints({step("a", at(5s), crash(NodeId(2), 10s)),
                    step("b", when_removed(NodeId(2)), crash(NodeId(2), 1s))})
            .empty());
  action::Inject drawn = crash(NodeId(2), 1s);
  drawn.may_miss = true;
  CHECK(complaints({step("a", at(5s), crash(NodeId(2), 10s)), step("b", at(8s), drawn)}).empty());
}

TEST_CASE("an end names a fault that lasts, and comes after it") {
  const Step fault = step("a", at(5s), crash(NodeId(2), 3s));
  CHECK(complaints({fault, step("e", at(6s), action::End{"b"})}) ==
        Texts{"file.yaml:2:1: no step has the label b"});
  CHECK(complaints({step("w", at(5s), action::Wait{}), step("e", at(6s), action::End{"w"})}) ==
        Texts{"file.yaml:2:1: step w injects no fault that could end"});
  CHECK(complaints({step("r", at(5s), inject("restart", NodeId(2))),
                    step("e", at(6s), action::End{"r"})}) ==
        Texts{"file.yaml:2:1: restart of step r does not last: it has no end"});
  CHECK(complaints({fault, step("e", at(4s), action::End{"a"})}) ==
        Texts{"file.yaml:2:1: the fault of step a begins only after this ends it"});
  CHECK(complaints({step("e", trigger::Next{}, action::End{"a"}),
                    step("a", trigger::Next{}, crash(NodeId(2)))})
            .size() == 1);
  CHECK(complaints({fault, step("e", at(9s), action::End{"a"})}) ==
        Texts{"file.yaml:2:1: the fault of step a is over by then: it lasts 3s from 5.000s on"});
  CHECK(complaints({fault, step("e", at(6s), action::End{"a"})}).empty());
}

TEST_CASE("what has no end takes no duration, and what stops processes takes no client") {
  action::Inject restart = inject("restart", NodeId(2));
  restart.lasts = 3s;
  CHECK(complaints({step("r", at(5s), restart)}) ==
        Texts{"file.yaml:1:1: restart does not last: it has no end to be given a duration to"});
  action::Inject client = crash(NodeId(1));
  client.params.set("target", Selectors{{.kind = Selector::Kind::client, .client = ClientId(1)}});
  CHECK(complaints({step("c", at(5s), client)}) ==
        Texts{"file.yaml:1:1: crash is for nodes: a client that stops forgets what it was to do"});
  action::Inject nothing{.fault = "loss", .params = default_params(Faults::find("loss")->params)};
  nothing.params.set("share", Share{0});
  CHECK(complaints({step("n", at(5s), nothing)}) ==
        Texts{"file.yaml:1:1: a share of 0 touches nothing: it is above 0, up to 100%"});
}

TEST_CASE("a trigger waits for a step that there is") {
  trigger::When when{.what = trigger::When::What::ended, .node = {}, .text = "b", .count = 0};
  CHECK(complaints({step("a", at(5s), crash(NodeId(2), 3s)), step("w", when, action::Wait{})}) ==
        Texts{"file.yaml:2:1: no step has the label b"});
}

TEST_CASE("parameters of an invariant are those that it declares, of one that is checked") {
  const auto complaints_with = [](std::vector<std::string> check, const Params& params) {
    Schedule schedule;
    schedule.name = "check";
    schedule.check = std::move(check);
    schedule.check_params["bounded-staleness"] = params;
    Texts out;
    for (const Complaint& each : complaints_about(schedule)) out.push_back(each.what);
    return out;
  };
  Params right;
  right.set("versions", std::int64_t{1});
  right.set("time", Duration(1s));
  CHECK(complaints_with({"bounded-staleness"}, right).empty());
  CHECK(complaints_with({"no-stale-read"}, right) ==
        Texts{"parameters of bounded-staleness, which is not to be checked"});
  Params wrong;
  wrong.set("versions", std::string("many"));
  wrong.set("colour", true);
  CHECK(complaints_with({"bounded-staleness"}, wrong) ==
        Texts{"bounded-staleness lacks its parameter time",
              "the parameter versions of bounded-staleness is of another type",
              "bounded-staleness has no parameter colour"});
}

}  // namespace
}  // namespace rejoin::sim
