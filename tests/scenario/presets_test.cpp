#include "sim/scenario/presets.hpp"

#include <doctest/doctest.h>

#include "tests/scenario/support.hpp"

namespace rejoin::sim {
namespace {

Vocabulary with_preset(const std::string& settings) {
  Vocabulary out = test_vocabulary();
  out.presets = {{.name = "known-system", .help = "for tests", .settings = settings}};
  return out;
}

const std::string kSettings = R"(
versions: timestamp
client: { read: quorum, write: all }
sync:
  - rejoin-sync: { source: all }
  - hook-copy
)";

Schedule under_preset(const std::string& text, const std::vector<Override>& overrides = {}) {
  const auto scenario = read_scenario("t.yaml", text, with_preset(kSettings), overrides);
  REQUIRE_MESSAGE(scenario.has_value(), scenario.error().front().message);
  const auto schedule = scenario->materialise(1);
  REQUIRE(schedule.has_value());
  return *schedule;
}

std::string complaint(const std::string& text, const std::vector<Override>& overrides = {}) {
  const auto scenario = read_scenario("t.yaml", text, with_preset(kSettings), overrides);
  if (scenario) return "";
  std::string out;
  for (const Diagnostic& each : scenario.error()) out += to_text(each);
  return out;
}

std::vector<std::string> mechanisms_of(const Schedule& schedule) {
  std::vector<std::string> out;
  for (const auto& each : schedule.node.sync.mechanisms) out.push_back(each.name);
  return out;
}

using Names = std::vector<std::string>;

TEST_CASE("a preset stands for its mechanisms, in their order, and for what the file leaves open") {
  const Schedule schedule =
      under_preset("format: 1\ntimeline: []\nsync: known_system\nclient: { read: one }\n");
  CHECK(mechanisms_of(schedule) == Names{"rejoin-sync", "hook-copy"});
  CHECK(schedule.node.sync.mechanisms[0].params.get<std::string>("source") == "all");
  CHECK(schedule.node.store.versions == VersionScheme::timestamp);
  CHECK(schedule.client.read == Consistency::one);  // as the file says
  CHECK(schedule.client.write == Consistency::all);
}

TEST_CASE("a preset is named alone, in a list, in a sum and in a map") {
  for (const char* const sync :
       {"known-system", "[known-system]", "{ known-system: }", "{ known-system: {} }"}) {
    CAPTURE(sync);
    const Schedule schedule =
        under_preset(std::string("format: 1\ntimeline: []\nsync: ") + sync + "\n");
    CHECK(mechanisms_of(schedule) == Names{"rejoin-sync", "hook-copy"});
  }
  CHECK(complaint("format: 1\ntimeline: []\nsync: known-system+hook-copy\n")
            .find("the mechanism `hook-copy` twice") != std::string::npos);
}

TEST_CASE("an override names a preset, or changes a mechanism that one has brought") {
  const std::string plain = "format: 1\ntimeline: []\nsync: none\nversions: none\n";
  const Schedule named = under_preset(plain, {{"sync", "known-system"}});
  CHECK(mechanisms_of(named) == Names{"rejoin-sync", "hook-copy"});
  CHECK(named.node.store.versions == VersionScheme::none);  // the file says so
  const std::vector<Override> both = {{"sync", "known-system"}, {"sync.rejoin-sync.delay", "3s"}};
  const Schedule changed = under_preset(plain, both);
  CHECK(changed.node.sync.mechanisms[0].params.get<Duration>("delay") == 3s);
  const Schedule over =
      under_preset("format: 1\ntimeline: []\nsync: known-system\n", {{"versions", "hlc"}});
  CHECK(over.node.store.versions == VersionScheme::hlc);
}

TEST_CASE("a preset takes no parameters, and one that does not exist is told with what does") {
  CHECK(complaint("format: 1\ntimeline: []\nsync: { known-system: { delay: 1s } }\n")
            .find("the preset `known-system` takes no parameters") != std::string::npos);
  const std::string unknown = complaint("format: 1\ntimeline: []\nsync: unknown-system\n");
  CHECK(unknown.find("unknown mechanism `unknown-system`") != std::string::npos);
  CHECK(unknown.find("known-system") != std::string::npos);
}

TEST_CASE("a file that names no preset is printed as it is") {
  const auto scenario =
      read_scenario("t.yaml", "format: 1\ntimeline: []\nsync: { rejoin-sync: { delay: 2s } }\n",
                    with_preset(kSettings));
  REQUIRE(scenario.has_value());
  CHECK(scenario->resolved().find("sync: { rejoin-sync: { delay: 2s } }") != std::string::npos);
}

}  // namespace
}  // namespace rejoin::sim
