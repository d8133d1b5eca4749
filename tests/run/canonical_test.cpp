#include "sim/run/canonical.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "model/hash.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFormatAt = 8;
constexpr std::size_t kShapeAt = 12;
constexpr std::size_t kChecksumAt = 20;
constexpr std::size_t kBodyAt = 28;

std::string error_of(ByteView bytes) {
  const auto decoded = decode_schedule(bytes);
  return decoded ? "" : decoded.error();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// With a checksum that holds, so that what is wrong with the body must be noticed in the body.
Bytes sealed(Bytes bytes) {
  const std::uint64_t checksum = hash64(ByteView(bytes).subspan(kBodyAt));
  for (unsigned i = 0; i < 8; ++i) {
    bytes[kChecksumAt + i] = static_cast<std::uint8_t>(checksum >> (8 * i));
  }
  return bytes;
}

std::vector<fs::path> scenario_files() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(REJOIN_SOURCE_DIR "/scenarios")) {
    const fs::path& file = entry.path();
    if (file.extension() == ".yaml" && file.filename() != "base.yaml") out.push_back(file);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// A schedule with something in every list, option and variant.
Schedule full_schedule() {
  Schedule out = test::seed_schedule("rejoin-sync");
  Params staleness;
  staleness.set("versions", std::int64_t{3});
  staleness.set("time", Duration(2s));
  out.check_params["bounded-staleness"] = staleness;
  LatencyOptions mixture;
  mixture.distribution = "mixture";
  mixture.cap = 1s;
  mixture.parts = {{.weight = 3, .latency = constant_latency(1ms)},
                   {.weight = 1, .latency = exponential_latency(2ms, 1us)}};
  mixture.buckets = {{.range = {1us, 2us}, .weight = 9}};
  out.network.latency_by_purpose[1] = mixture;
  out.network.links = {{.from = {.host = Address(1), .site = {}},
                        .to = {.host = {}, .site = "a"},
                        .purpose = Purpose::repair,
                        .latency = uniform_latency({1ms, 2ms})}};
  out.topology.sites = {{.name = "a",
                         .kind = TopologyOptions::Kind::rack,
                         .within = "b",
                         .hosts = {Address(1), Address(3)}}};
  out.topology.links = {{.name = "a--b",
                         .a = "a",
                         .b = "b",
                         .latency = mixture,
                         .back = constant_latency(3ms),
                         .bandwidth_bytes_per_s = 7,
                         .loss = {.ppm = 9}}};
  action::Inject inject{.fault = "made-up", .params = {}, .lasts = -1ns, .may_miss = true};
  inject.params.set("a", true);
  inject.params.set("b", std::int64_t{-7});
  inject.params.set("c", Duration(-5s));
  inject.params.set("d", DurationRange{1ms, 2ms});
  inject.params.set("e", Size{12});
  inject.params.set("f", Share{.ppm = 3});
  inject.params.set("g", std::string("text"));
  inject.params.set("h", NodeId{3});
  inject.params.set("i", Selectors{{.kind = Selector::Kind::zone, .argument = "a"}});
  inject.params.set("j", std::vector<Selectors>{{select(NodeId{1})}, {}});
  inject.params.set("k", Rate{.ppm = -200});
  inject.params.set("l", Delay(mixture));
  out.timeline.push_back(test::step("inject", trigger::Quiet{1s}, inject));
  out.timeline.push_back(
      test::step("end",
                 trigger::When{.what = trigger::When::What::crashed,
                               .node = NodeId{2},
                               .text = "inject",
                               .count = 4,
                               .who = {{.kind = Selector::Kind::twin, .node = NodeId{2}}}},
                 action::End{.label = "inject"}));
  action::Operate configure = test::operate(OperationKind::configure, {"k"});
  configure.level = Consistency::all;
  configure.expect = ResultKind::unavailable;
  configure.settings = {{"name", "value"}, {"other", ""}};
  out.timeline.push_back(test::step("set", trigger::After{1s}, configure));
  out.expect.violates = {"no-stale-read"};
  out.expect.metrics["x"] = {.at_least = 1, .at_most = {}, .equals = -3, .where = "f:1:2"};
  out.limits.core = {{.kind = Selector::Kind::random, .count = 2}};
  return out;
}

}  // namespace

TEST_CASE("a schedule with something everywhere comes back from its bytes as it was") {
  const Schedule schedule = full_schedule();
  const Bytes bytes = encode_schedule(schedule);
  const auto decoded = decode_schedule(bytes);
  REQUIRE(decoded.has_value());
  CHECK(encode_schedule(*decoded) == bytes);
  CHECK(decoded->network.latency_by_purpose == schedule.network.latency_by_purpose);
  CHECK(decoded->network.links == schedule.network.links);
  CHECK(decoded->topology == schedule.topology);
  CHECK(decoded->node.sync.mechanisms == schedule.node.sync.mechanisms);
  CHECK(decoded->check_params == schedule.check_params);
  const auto& inject = std::get<action::Inject>(decoded->timeline[6].action);
  CHECK(inject.params == std::get<action::Inject>(schedule.timeline[6].action).params);
  CHECK(inject.lasts == Duration(-1ns));
  CHECK(inject.may_miss);
  const auto& when = std::get<trigger::When>(decoded->timeline[7].trigger);
  CHECK(when.count == 4);
  CHECK(when.who == std::get<trigger::When>(schedule.timeline[7].trigger).who);
  CHECK(std::get<action::Operate>(decoded->timeline[8].action).settings.at("name") == "value");
  CHECK(decoded->expect.metrics.at("x").equals == -3);
  CHECK(decoded->limits.core == schedule.limits.core);
}

// That no member is left out is seen by the compiler; this sees that each is where it belongs.
TEST_CASE("each scenario comes back from bytes as the same file, and runs to the same digest") {
  for (const fs::path& file : scenario_files()) {
    const auto scenario = load_scenario(file.string(), linked_vocabulary());
    INFO(file.string());
    REQUIRE(scenario.has_value());
    const auto schedule = scenario->materialise(scenario->seed());
    REQUIRE(schedule.has_value());
    const Bytes bytes = encode_schedule(*schedule);
    const auto decoded = decode_schedule(bytes);
    REQUIRE(decoded.has_value());
    CHECK(encode_schedule(*decoded) == bytes);
    CHECK(to_yaml(*decoded) == to_yaml(*schedule));
    CHECK(run(*decoded).digest == run(*schedule).digest);
  }
}

TEST_CASE("bytes of another format are refused by the number of the format") {
  Bytes bytes = encode_schedule(full_schedule());
  bytes[kFormatAt] = 7;
  CHECK(has(error_of(bytes), "format 7; this program reads format 1"));
}

TEST_CASE("bytes of a program whose schedules have other fields are refused") {
  Bytes bytes = encode_schedule(full_schedule());
  bytes[kShapeAt] ^= 1U;
  CHECK(has(error_of(bytes), "other fields"));
}

TEST_CASE("the shape tells every struct, its members in order, and how many values an enum has") {
  const std::string shape = schedule_shape();
  CHECK(has(shape, "\nDurationRange { min: signed 64 max: signed 64 }\n"));
  CHECK(has(shape, "parts: list of LatencyOptions::Part"));
  CHECK(has(shape, "shortage: enum of 2"));
  CHECK(has(shape, "\nSchedule { name: text file: text about: text seed: unsigned 64"));
}

TEST_CASE("what is damaged, cut short or no schedule at all is refused, and says so") {
  const Bytes bytes = encode_schedule(test::seed_schedule());
  CHECK(has(error_of({}), "does not begin as one"));
  CHECK(has(error_of(as_bytes("name: t0-t5\nformat: 1\n.......................")),
            "does not begin as one"));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes flipped = bytes;
    flipped[at] ^= 0x10U;
    CHECK_FALSE(decode_schedule(flipped).has_value());
    CHECK_FALSE(decode_schedule(ByteView(bytes).first(at)).has_value());
  }
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK(has(error_of(longer), "checksum"));
  CHECK(has(error_of(sealed(longer)), "left over"));
}

TEST_CASE("a body that decodes is the one encoding of what it says, whatever bytes it is") {
  const Bytes bytes = encode_schedule(full_schedule());
  CHECK(rc::check("mutated bodies", [&bytes] {
    Bytes mutated = bytes;
    const auto edits = *rc::gen::inRange<int>(1, 4);
    for (int i = 0; i < edits; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(kBodyAt, mutated.size());
      mutated[at] = *rc::gen::arbitrary<std::uint8_t>();
    }
    if (*rc::gen::inRange(0, 4) == 0) {
      mutated.resize(*rc::gen::inRange<std::size_t>(kBodyAt, mutated.size()));
    }
    mutated = sealed(mutated);
    const auto decoded = decode_schedule(mutated);
    RC_CLASSIFY(decoded.has_value(), "decoded");
    if (decoded) RC_ASSERT(encode_schedule(*decoded) == mutated);
  }));
}

TEST_CASE("an enumerator that there is not, and purposes without their entries, are refused") {
  Schedule schedule = test::seed_schedule();
  schedule.node.store.versions = static_cast<VersionScheme>(9);
  CHECK(has(error_of(encode_schedule(schedule)), "`versions` cannot be read"));
  schedule = test::seed_schedule();
  schedule.network.latency_by_purpose.resize(1);
  CHECK(has(error_of(encode_schedule(schedule)), "latency_by_purpose"));
}

TEST_CASE("mixtures within mixtures have an end") {
  LatencyOptions latency = constant_latency(1ms);
  for (int depth = 0; depth < 1000; ++depth) {
    LatencyOptions outer;
    outer.distribution = "mixture";
    outer.parts.push_back({.weight = 1, .latency = std::move(latency)});
    latency = std::move(outer);
  }
  Schedule schedule = test::seed_schedule();
  schedule.network.latency = std::move(latency);
  CHECK(has(error_of(encode_schedule(schedule)), "cannot be read"));
}

}  // namespace rejoin::sim
