// The schema that editors use: it is up to date, it accepts every scenario file, and it refuses
// what the reader refuses, as far as one value at a time can tell.
#include "sim/scenario/schema.hpp"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "sim/run/vocabulary.hpp"
#include "sim/scenario/selectors.hpp"
#include "support.hpp"
#include "tests/support/golden.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

// As YAML 1.2 sees plain scalars (its core schema), which is how editors do.
Json json_of_scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  static const std::regex whole("[-+]?[0-9]+");
  static const std::regex real("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  if (text.empty() || text == "~" || text == "null") return nullptr;
  if (std::regex_match(text, whole)) return std::stoll(text);
  if (std::regex_match(text, real)) return std::stod(text);
  return text;
}

Json json_of(const YAML::Node& node) {
  if (node.IsNull()) return nullptr;
  if (node.IsScalar()) return json_of_scalar(node);
  Json out = node.IsSequence() ? Json::array() : Json::object();
  if (node.IsSequence()) {
    for (const auto& item : node) out.push_back(json_of(item));
  } else {
    for (const auto& entry : node) out[entry.first.Scalar()] = json_of(entry.second);
  }
  return out;
}

class SchemaCheck {
 public:
  explicit SchemaCheck(const std::string& text) : json_(Json::parse(text)) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(json_), schema_);
  }

  // What is wrong with a scenario, or nothing.
  [[nodiscard]] std::string complaint(const std::string& yaml) {
    const Json document = json_of(YAML::Load(yaml));
    valijson::ValidationResults results;
    const valijson::adapters::NlohmannJsonAdapter adapter(document);
    if (validator_.validate(schema_, adapter, &results)) return "";
    std::string out = "refused";
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      out += "\n  ";
      for (const std::string& part : error.context) out += part;
      out += ": " + error.description;
    }
    return out;
  }

 private:
  Json json_;
  valijson::Schema schema_;
  valijson::Validator validator_;
};

SchemaCheck& check() {
  static SchemaCheck all(json_schema(linked_vocabulary()));
  return all;
}

std::set<fs::path> project_files() {
  std::set<fs::path> out;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(REJOIN_SOURCE_DIR) / "scenarios")) {
    if (entry.path().extension() == ".yaml") out.insert(entry.path());
  }
  return out;
}

}  // namespace

TEST_CASE("scenarios/schema.json is what `rejoin schema` prints") {
  const fs::path file = fs::path(REJOIN_SOURCE_DIR) / "scenarios" / "schema.json";
  const std::string generated = json_schema(linked_vocabulary());
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(file, std::ios::binary) << generated;
  const bool same = test::read_file(file.string()) == generated;  // too long to be shown
  CHECK_MESSAGE(same, "out of date: `rejoin schema > scenarios/schema.json`, or UPDATE_GOLDEN=1");
}

TEST_CASE("every scenario file begins with the modeline, and fits the schema") {
  const fs::path schema = fs::path(REJOIN_SOURCE_DIR) / "scenarios" / "schema.json";
  for (const fs::path& file : project_files()) {
    CAPTURE(file.string());
    const std::string text = test::read_file(file.string());
    CHECK(text.starts_with("# yaml-language-server: $schema=" +
                           fs::relative(schema, file.parent_path()).generic_string() + "\n"));
    CHECK(check().complaint(text) == "");
  }
}

TEST_CASE("what a schedule is written as fits the schema, and so does a file that uses much") {
  for (const fs::path& file : project_files()) {
    CAPTURE(file.string());
    const auto scenario = load_scenario(file.string(), linked_vocabulary());
    REQUIRE(scenario.has_value());
    CHECK(check().complaint(to_yaml(*scenario->materialise(1))) == "");
  }
  CHECK(check().complaint(R"(format: 1
x-note: { anything: [at all] }
cluster: { nodes: { pick: [3, 5] }, placement: rendezvous }
network:
  latency: { exponential: { pick: 1ms..3ms }, floor: 0.2ms }
  latency-by-purpose: { repair: 5ms..9ms }
  links:
    - { from: node-1, to: client-1, purpose: repair, latency: 20ms }
    - { between: [zone(eu), zone(b)], latency: { exponential: 1ms } }
  loss: 0.05
topology:
  sites: { eu: { kind: region }, a: { within: eu, nodes: node-1..node-3 }, b: [client-1] }
  links: [{ between: [eu, b], latency: { uniform: 1ms..2ms } }]
sync: [hook-copy, rejoin-sync: { source: all }]
limits: { core: [majority, node-1] }
timeline:
  - { label: T0, write: { keys: [key-1..key-9, odd], clients: 2 }, background: true }
  - { label: T1, when: { quiet: 5s }, crash: [leader, owner(key-7)], for: 5s, may-miss: true }
  - { label: T2, when: { ended: T1 }, partition: [[minority], [others]] }
  - { label: T3, after: 1h30m, end: T2 }
  - { label: T4, heal: }
  - { label: T5, read: key-1, expect: value }
  - { label: T6, slow-link: { extra: { pareto: { minimum: 1ms, shape: 1.5 }, cap: 1s } }, for: 1s }
  - { label: T7, when: { removed: leader }, isolate: twin(node-3) }
  - { label: T8, when: { committed: { count: 3 } } }
  - { label: T9, when: { storage-corrupt: [node-1, node-2] } }
  - { label: T10, when: { upgraded: any } }
check: [no-stale-read, { bounded-staleness: { versions: 2, time: 5s } }, bounded-staleness]
expect: { metrics: { missing-reads: 0, repair-bytes: { at-most: 1MiB } } }
)") == "");
}

TEST_CASE("wrong files are refused by the schema, too") {
  const std::string right = "format: 1\ntimeline: [{ label: T0, write: key-1 }]\n";
  REQUIRE(check().complaint(right) == "");
  for (const char* wrong : {
           "format: 2\n",
           "timeline: []\n",                                          // no format
           "format: 1\nmembrship: {}\n",                              // an unknown section
           "format: 1\nraft: { heartbeet: 50ms }\n",                  // an unknown key
           "format: 1\nraft: { heartbeat: 5 }\n",                     // no unit
           "format: 1\nraft: { heartbeat: 5ms10s }\n",                // units in the wrong order
           "format: 1\nraft: { pre-vote: off }\n",                    // no flag
           "format: 1\ncluster: { nodes: 0 }\n",                      // below its bound
           "format: 1\ncluster: { nodes: { pck: [1] } }\n",           // no pick
           "format: 1\ncluster: { placement: ring }\n",               // no such plugin
           "format: 1\nnetwork: { loss: 150 }\n",                     // no share
           "format: 1\nnetwork: { latency: { gauss: 1ms } }\n",       // no such distribution
           "format: 1\nclient: { write: quorm }\n",                   // no such choice
           "format: 1\ndisk: { capacity: 100 }\n",                    // no size
           "format: 1\nsync: rejon-sync\n",                           // no such mechanism
           "format: 1\ncheck: [no-stale-reed]\n",                     // no such invariant
           "format: 1\ncheck: [{ no-stale-read: { time: 1s } }]\n",   // it has no parameters
           "format: 1\ncheck: { bounded-staleness: { tim: 1s } }\n",  // no such parameter
           "format: 1\ncheck: { bounded-staleness: { time: 1 } }\n",  // no unit
           "format: 1\nexpect: { metrics: { missing: 1 } }\n",        // no such metric
           "format: 1\nnemesis: { presets: all }\n",                  // no such key
           "format: 1\ntimeline: [{ label: T0, crsh: node-1 }]\n",
           "format: 1\ntimeline: [{ label: T0, crash: node-0 }]\n",
           "format: 1\ntimeline: [{ label: T0, crash: ledaer }]\n",
           "format: 1\ntimeline: [{ label: T0, crash: random(x) }]\n",
           "format: 1\ntimeline: [{ label: T0, crash: { target: node-1, if: x } }]\n",
           "format: 1\ntimeline: [{ label: T0, crash: node-1, heal: true }]\n",
           "format: 1\ntimeline: [{ label: T0, at: 1s, after: 2s, heal: true }]\n",
           "format: 1\ntimeline: [{ label: T0, heal: true, for: 5s }]\n",
           "format: 1\ntimeline: [{ label: T0, crash: node-1, expect: ok }]\n",
           "format: 1\ntimeline: [{ label: T0, partition: [node-1, node-2] }]\n",
           "format: 1\ntimeline: [{ label: T0, when: { removed: node-1, quiet: 1s } }]\n",
           "format: 1\ntimeline: [{ label: T0, when: { quite: 1s } }]\n",
           "format: 1\ntimeline: [{ label: T0, when: { committed: {} } }]\n",
           "format: 1\ntimeline: [{ label: T0, when: { committed: { index: 1, count: 1 } } }]\n",
           "format: 1\ntimeline: [{ label: T0, when: { halted: nobody } }]\n",
           "format: 1\ntimeline: [{ label: T0, crash: twin(leader) }]\n",
           "format: 1\ntimeline: [{ label: T0, slow-link: { extra: { gauss: 1ms } } }]\n",
           "format: 1\nnetwork: { links: [{ from: leader, latency: 1ms }] }\n",
       }) {
    CAPTURE(wrong);
    CHECK(check().complaint(wrong) != "");
  }
}

TEST_CASE("every form of selector that is listed can be written") {
  for (const SelectorForm& form : selector_forms()) {
    CAPTURE(form.text);
    const auto selector = parse_selector(form.text);
    REQUIRE(selector.has_value());
    CHECK(to_text(*selector) == form.text);
    CHECK(form.argument.empty() == (form.text.find_first_of("(-") == std::string_view::npos));
  }
}
