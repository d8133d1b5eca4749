// What faults report: what each touched and did, that one which did nothing makes a run prove
// nothing, and that it then moves nothing either.
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using namespace test;

using Texts = std::vector<std::pair<std::string, std::string>>;

action::Inject fault(const std::string& name, Selectors target, const Texts& texts,
                     std::optional<Duration> lasts) {
  const FaultSpec& spec = *Faults::find(name);
  action::Inject out{.fault = name, .params = default_params(spec.params), .lasts = lasts};
  for (const auto& [param, text] : texts) {
    const auto declared = std::find_if(spec.params.begin(), spec.params.end(),
                                       [&](const ParamSpec& each) { return each.name == param; });
    REQUIRE(declared != spec.params.end());
    out.params.set(param, *parse_param(*declared, {text}));
  }
  if (!target.empty()) out.params.set("target", std::move(target));
  return out;
}

trigger::At at(Duration time) {
  return {MonotonicTime(time)};
}

// Ten writes, `steps`, and ten more.
Schedule around(std::vector<Step> steps) {
  Schedule out;
  out.name = "fault-counts";
  out.timeline = {step("before", trigger::Next{}, operate(OperationKind::write, keys(1, 10)))};
  std::move(steps.begin(), steps.end(), std::back_inserter(out.timeline));
  out.timeline.push_back(step("after", at(30s), operate(OperationKind::write, keys(11, 20))));
  use_mechanism(out, "rejoin-sync");
  out.check = {"raft-election-safety"};
  return out;
}

const FaultRecord& of_step(const RunRecord& record, const std::string& label) {
  const auto found = std::find_if(record.faults.begin(), record.faults.end(),
                                  [&](const FaultRecord& each) { return each.label == label; });
  REQUIRE(found != record.faults.end());
  return *found;
}

}  // namespace

TEST_CASE("a step whose fault did nothing makes the run vacuous, and the verdict names it") {
  const Selectors second{select(NodeId(2))};
  const std::vector<action::Inject> idle = {
      fault("torn-write", second, {}, {}),
      fault("slow-disk", second, {{"file", "nosuchfile"}}, {}),
      fault("disk-full", second, {{"free", "100GB"}}, {}),
      fault("misdirected-read", second, {}, {}),
      fault("upgrade", second, {{"version", "1"}}, {}),
      fault("loss", {}, {{"share", "0.0001%"}}, 1s),
      fault("mtu", {}, {{"bytes", "60KiB"}}, 10s),
      fault("clock-drift", second, {{"rate", "1ppm"}}, 1ns),
  };
  for (const action::Inject& inject : idle) {
    CAPTURE(inject.fault);
    Schedule schedule = around({step("it", at(5s), inject)});
    const RunRecord record = run(schedule);
    CHECK(record.verdict == Verdict::vacuous);
    const bool touches = inject.fault != "upgrade";
    CHECK(record.verdict_says == "proves nothing: " + inject.fault +
                                     (touches ? " did nothing" : " touched nothing") +
                                     " (step it)");
    CHECK((of_step(record, "it").touched != 0) == touches);
    CHECK(of_step(record, "it").did == 0);
    CHECK(record.warnings.size() == 1);
    schedule.expect.vacuous = {inject.fault};
    CHECK(run(schedule).verdict == Verdict::pass);
    // That it is in order here is no failure that somebody expects.
    CHECK(run(schedule, {.expectations = false}).verdict == Verdict::pass);
    schedule.expect.vacuous.clear();
    std::get<action::Inject>(schedule.timeline[1].action).may_miss = true;
    CHECK(run(schedule).verdict == Verdict::pass);
  }
}

TEST_CASE("each step is judged by itself: the second crash of a node that is down is idle") {
  const Selectors first{select(NodeId(1))};
  const RunRecord record = run(around({step("one", at(5s), fault("crash", first, {}, {})),
                                       step("two", at(6s), fault("crash", first, {}, {})),
                                       step("three", at(7s), fault("crash", first, {}, {}))}));
  CHECK(record.verdict == Verdict::vacuous);
  CHECK(record.verdict_says == "proves nothing: crash touched nothing (steps two and three)");
  CHECK(record.injected.at("crash") == 1);
}

TEST_CASE("a fault reports what it touched and what it did there, in its own words") {
  const RunRecord record =
      run(around({step("rain", at(5s), fault("loss", {}, {{"share", "20%"}}, 10s)),
                  step("held", at(16s), fault("pause", {select(NodeId(3))}, {}, 1s)),
                  step("down", at(20s), fault("crash", {select(NodeId(2))}, {}, 2s))}));
  CHECK(record.verdict == Verdict::pass);
  const FaultRecord& rain = of_step(record, "rain");
  CHECK(rain.touched == 12);  // three nodes and a client
  CHECK(rain.unit == "link");
  CHECK(rain.of == "message lost");
  CHECK(rain.did > 50);
  CHECK(of_step(record, "held").of == "event held");
  CHECK(of_step(record, "held").did > 5);
  CHECK(of_step(record, "down").did == 1);
  CHECK(of_step(record, "down").of == "host");
}

namespace {

// What arrived, when, and what did not: all but what the timeline does itself.
class Log final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override {
    if (event.kind == EventKind::control) return;
    lines.push_back(to_seconds_text(event.at) + " " +
                    std::to_string(event.at.time_since_epoch().count()) + " " +
                    std::string(to_name(event.kind)) + " " + std::to_string(event.host.value) +
                    " " + std::to_string(event.from.value) + " " + std::to_string(event.id));
  }
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_send(MonotonicTime, std::uint64_t, Address, Address, ByteView, const Tag&) override {}
  void on_drop(MonotonicTime at, std::uint64_t, Address from, Address to, const Tag& tag,
               DropReason reason) override {
    lines.push_back(to_seconds_text(at) + " drop " + std::to_string(from.value) + " " +
                    std::to_string(to.value) + " " + std::to_string(tag.identity) + " " +
                    std::string(to_name(reason)));
  }

  std::vector<std::string> lines;
};

std::vector<std::string> lines_of(const Schedule& schedule) {
  Log log;
  RunOptions options;
  options.trace = &log;
  (void)run(schedule, options);
  return log.lines;
}

}  // namespace

TEST_CASE("a fault that does nothing moves no draw of another on the same links or disk") {
  const Selectors second{select(NodeId(2))};
  // Each pair is of one kind of effect, on the same links or disk and at overlapping times.
  const std::vector<std::pair<action::Inject, action::Inject>> pairs = {
      {fault("loss", {}, {{"share", "0.0001%"}}, 5s),
       fault("duplicate", {}, {{"share", "10%"}}, 20s)},
      {fault("mtu", {}, {{"bytes", "60KiB"}}, 10s), fault("loss", {}, {{"share", "10%"}}, 20s)},
      {fault("loss", {}, {{"share", "0.0001%"}}, 3s), fault("loss", {}, {{"share", "10%"}}, 20s)},
      {fault("corrupt", {}, {{"share", "0.0001%"}}, 3s), fault("slow-link", {}, {}, 20s)},
      {fault("weather", {}, {{"share", "0.0001%"}}, 10s),
       fault("weather", {}, {{"share", "30%"}, {"slot", "1s"}}, 20s)},
      {fault("lost-sync", second, {{"file", "nosuchfile"}}, 10s),
       fault("slow-disk", second, {{"extra", "1ms..9ms"}}, 20s)},
      {fault("slow-disk", second, {{"file", "nosuchfile"}, {"extra", "1ms..9ms"}}, 10s),
       fault("slow-disk", second, {{"extra", "1ms..9ms"}}, 20s)},
  };
  for (const auto& [idle, other] : pairs) {
    CAPTURE(idle.fault);
    CAPTURE(other.fault);
    const Schedule with = around({step("idle", at(4s), idle), step("other", at(5s), other)});
    // The step is gone, and with it every position behind it in the list.
    const Schedule without = around({step("other", at(5s), other)});
    const auto a = lines_of(with);
    const auto b = lines_of(without);
    const auto parted = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    CHECK((parted.first == a.end() ? "" : *parted.first) == "");
    CHECK(a == b);
    CHECK(a.size() > 2'000);
  }
}

}  // namespace rejoin::sim
