#include "model/params.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "model/options.hpp"
#include "model/time.hpp"

using namespace rejoin;

namespace {

ParamSpec spec_of(ParamType type, std::string_view fallback = "") {
  return {"name", type, "", fallback, "", {"first", "second-one"}};
}

}  // namespace

TEST_CASE("durations are exact, whatever the unit and the fraction") {
  CHECK(parse_duration("20s") == 20s);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("0.2ms") == 200us);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("10d") == 240h);
  CHECK(parse_duration("0.000000001s") == 1ns);
  CHECK(parse_duration("0s") == 0s);
}

TEST_CASE("what is no duration is told what one is") {
  for (const char* text :
       {"", "5", "s", "5 s", "-5s", "5s1h", "5s5s", "1.s", ".5s", "1e3s", "5S"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_duration(text).has_value());
    CHECK(parse_duration(text).error() == "a duration such as 20s, 1h30m or 250us");
  }
  for (const char* text :
       {"0.3ns", "300000d", "99999999999999999999s", "0.0000000000000000000001s"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_duration(text).has_value());
    CHECK(parse_duration(text).error() == "a duration in whole nanoseconds, below 292 years");
  }
}

TEST_CASE("a duration is written with the largest units that lose nothing") {
  CHECK(to_text(Duration(90min)) == "1h30m");
  CHECK(to_text(Duration(1500ms)) == "1500ms");
  CHECK(to_text(Duration(0)) == "0s");
  CHECK(to_text(Duration(61s)) == "1m1s");
  CHECK(to_text(Duration(-250us)) == "-250us");
  CHECK(to_seconds_text(MonotonicTime(45'013'900us)) == "45.013s");
  CHECK(rc::check("durations read back as they were written", [] {
    const Duration duration(*rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 62U));
    RC_ASSERT(parse_duration(to_text(duration)) == duration);
  }));
}

TEST_CASE("ranges go from the smaller to the larger") {
  CHECK(parse_duration_range("150ms..300ms") == DurationRange{150ms, 300ms});
  CHECK(parse_duration_range("20s") == DurationRange{20s, 20s});
  CHECK_FALSE(parse_duration_range("300ms..150ms").has_value());
  CHECK_FALSE(parse_duration_range("1s..2s..3s").has_value());
}

TEST_CASE("sizes and shares are exact") {
  CHECK(parse_size("64KiB") == 65'536);
  CHECK(parse_size("0.5KiB") == 512);
  CHECK(parse_size("125MB") == 125'000'000);
  CHECK_FALSE(parse_size("5").has_value());
  CHECK_FALSE(parse_size("0.3B").has_value());
  CHECK(parse_share("10%") == Share{100'000});
  CHECK(parse_share("0.5") == Share{500'000});
  CHECK(parse_share("0.0001%") == Share{1});
  CHECK_FALSE(parse_share("101%").has_value());
  CHECK_FALSE(parse_share("0.00001%").has_value());
  CHECK(rc::check("sizes and shares read back as they were written", [] {
    const Size size{*rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 50U)};
    RC_ASSERT(parse_size(to_text(ParamValue(size))) == size.bytes);
    const Share share{*rc::gen::inRange<std::uint32_t>(0, 1'000'001)};
    RC_ASSERT(parse_share(to_text(ParamValue(share))) == share);
  }));
}

TEST_CASE("whole numbers have no leading zeros, signs or fractions") {
  CHECK(parse_integer("0") == 0);
  CHECK(parse_integer("9223372036854775807") == 9'223'372'036'854'775'807);
  for (const char* text : {"010", "-1", "+1", "1.0", "0x10", "9223372036854775808", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_integer(text).has_value());
  }
}

TEST_CASE("flags are true or false, nothing else") {
  CHECK(parse_flag("true") == true);
  CHECK(parse_flag("false") == false);
  for (const char* text : {"yes", "on", "off", "True", "1", ""}) {
    CHECK_FALSE(parse_flag(text).has_value());
  }
}

TEST_CASE("nodes, lists of them and sets of them are told apart") {
  CHECK(parse_param(spec_of(ParamType::node), {"node-3"}) == ParamValue(NodeId(3)));
  CHECK_FALSE(parse_param(spec_of(ParamType::node), {"none"}).has_value());
  CHECK(parse_param(spec_of(ParamType::node, "none"), {"none"}) == ParamValue(NodeId{}));
  const ParamText list{std::vector<std::string>{"node-1", "node-2"}};
  CHECK(parse_param(spec_of(ParamType::hosts), list) ==
        ParamValue(Selectors{select(NodeId(1)), select(NodeId(2))}));
  CHECK_FALSE(parse_param(spec_of(ParamType::node), list).has_value());
  CHECK_FALSE(parse_param(spec_of(ParamType::duration), list).has_value());
  const ParamText twice{std::vector<std::vector<std::string>>{{"node-1"}, {"node-1"}}};
  CHECK(parse_param(spec_of(ParamType::host_sets), twice).error() ==
        "each host in one set, not node-1 in two");
}

TEST_CASE("a latency is a duration, a range or a distribution, and is written as such") {
  const ParamSpec spec = spec_of(ParamType::latency);
  CHECK(parse_param(spec, {"5ms"}) == ParamValue(Delay(constant_latency(5ms))));
  CHECK(parse_param(spec, {"1ms..3ms"}) == ParamValue(Delay(uniform_latency({1ms, 3ms}))));
  CHECK(parse_param(spec, {"fast"}).error().starts_with("a duration, a range, or a distribution"));
  CHECK(to_text(ParamValue(Delay())) == "0s");
  CHECK(to_text(ParamValue(Delay(uniform_latency({1ms, 3ms})))) == "1ms..3ms");
  CHECK(to_text(ParamValue(Delay(exponential_latency(1ms, 200us)))) ==
        "{exponential: 1ms, floor: 200us}");
  LatencyOptions mixture;
  mixture.distribution = "mixture";
  mixture.parts = {{.weight = 3, .latency = constant_latency(1ms)},
                   {.weight = 1, .latency = exponential_latency(2ms)}};
  CHECK(to_text(ParamValue(Delay(mixture))) ==
        "{mixture: [{weight: 3, latency: 1ms}, {weight: 1, latency: {exponential: 2ms}}]}");
}

TEST_CASE("a twin is named by its node") {
  const auto twin = parse_selector("twin(node-3)");
  REQUIRE(twin.has_value());
  CHECK(twin->kind == Selector::Kind::twin);
  CHECK(twin->node == NodeId(3));
  CHECK(to_text(*twin) == "twin(node-3)");
  for (const char* const wrong : {"twin", "twin()", "twin(client-1)", "twin(leader)"}) {
    CHECK_FALSE(parse_selector(wrong).has_value());
  }
}

TEST_CASE("choices are found by name, - and _ alike, and listed when they are not") {
  CHECK(parse_param(spec_of(ParamType::choice), {"second_one"}) ==
        ParamValue(std::string("second-one")));
  CHECK(parse_param(spec_of(ParamType::choice), {"third"}).error() == "first or second-one");
}

TEST_CASE("parameters are looked up with - and _ alike, and defaults are complete") {
  const Params params = default_params({{"some-time", ParamType::duration, "", "5s", "", {}},
                                        {"required", ParamType::node, "", "", "", {}}});
  CHECK(params.get<Duration>("some_time") == 5s);
  CHECK_FALSE(params.has("required"));
}

TEST_CASE("the nearest name is near, or there is none") {
  const std::vector<std::string> known = {"heartbeat", "election", "rejoin-sync"};
  CHECK(nearest_name("heartbeet", known) == "heartbeat");
  CHECK(nearest_name("rejion_sync", known) == "rejoin-sync");
  CHECK(nearest_name("hb", known).empty());
  CHECK(nearest_name("", known).empty());
}
