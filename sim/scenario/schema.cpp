#include "sim/scenario/schema.hpp"

#include <algorithm>

#include "model/distribution.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/scenario/schema_values.hpp"

namespace rejoin::sim {

namespace {

using schema::described;
using schema::Json;
using schema::list_of;
using schema::map_of;
using schema::one_of;
using schema::ref;
using schema::spelled;
using Keys = std::vector<std::pair<std::string, Json>>;

const std::vector<std::string> kPurposeNames = {"foreground", "repair", "membership", "consensus"};
const std::vector<std::string> kOperations = {"write",     "overwrite", "delete", "read",
                                              "increment", "add",       "discard"};

Json any_of(std::vector<Json> alternatives) {
  return {{"anyOf", Json(std::move(alternatives))}};
}
Json text() {
  return {{"type", "string"}};
}
Json nothing() {
  return {{"enum", {true, nullptr}}};
}
Json required_any(const std::vector<std::string>& keys) {
  std::vector<Json> out;
  for (const std::string& key : keys) out.push_back({{"required", {key}}});
  return any_of(std::move(out));
}
Json at_most_one(const std::vector<std::string>& keys) {
  std::vector<Json> out;
  for (const std::string& key : keys) out.push_back({{"required", {key}}});
  out.push_back({{"not", required_any(keys)}});
  return {{"oneOf", Json(std::move(out))}};
}

// ---- Sections ------------------------------------------------------------------------------

// The keys of a section that the table of fields has, and of the maps within it.
Keys fields_of(std::string_view section) {
  Keys out;
  for (const Field& field : fields()) {
    if (field.section == section) out.emplace_back(std::string(field.key), schema::of(field));
  }
  for (const std::string& inner : sections_within(section)) {
    if (!section.empty()) {
      out.emplace_back(inner, map_of(fields_of(std::string(section) + "." + inner)));
    }
  }
  return out;
}

// What a distribution takes: its first parameter alone, or all by name; or parts, or buckets.
Json of(const DistributionSpec& spec) {
  const Json weight = {
      {"description", "relative to the others'"}, {"type", "integer"}, {"minimum", 1}};
  if (spec.has_parts) {
    return list_of(map_of({{"weight", weight}, {"latency", ref("latency")}}, {"latency"}));
  }
  if (spec.has_buckets) {
    return list_of(map_of({{"range", ref("range")}, {"weight", weight}}, {"range"}));
  }
  std::vector<Json> ways;
  const bool alone = std::all_of(spec.params.begin() + 1, spec.params.end(),
                                 [](const ParamSpec& each) { return !each.fallback.empty(); });
  if (alone) ways.push_back(schema::of(spec.params.front()));
  ways.push_back(schema::of_params(spec.params, true));
  return any_of(std::move(ways));
}

Json latency() {
  Keys keys;
  for (const DistributionSpec& spec : Distributions::all()) {
    keys.emplace_back(std::string(spec.name), described(of(spec), spec.help));
  }
  keys.emplace_back("floor", described(ref("duration"), "added to each draw"));
  keys.emplace_back("cap", described(ref("duration"), "at most, the floor included"));
  return described(any_of({ref("range"), map_of(std::move(keys))}),
                   "a duration, a range, or a distribution such as { exponential: 1ms }");
}

Json network() {
  Keys keys = fields_of("network");
  keys.emplace_back("latency", ref("latency"));
  Keys purposes;
  for (const std::string& name : kPurposeNames) purposes.emplace_back(name, ref("latency"));
  keys.emplace_back("latency-by-purpose", map_of(std::move(purposes)));
  const Json end =
      any_of({{{"type", "string"}, {"pattern", "^((node|client)-[1-9][0-9]*|zone\\([^)]+\\))$"}},
              ref("pick")});
  const Json between = {{"type", "array"}, {"items", end}, {"minItems", 2}, {"maxItems", 2}};
  keys.emplace_back("links",
                    list_of(map_of({{"from", described(end, "a host, or the hosts of zone(SITE)")},
                                    {"to", described(end, "a host, or the hosts of zone(SITE)")},
                                    {"between", described(between, "two ends, both ways")},
                                    {"purpose", one_of(kPurposeNames)},
                                    {"latency", ref("latency")}},
                                   {"latency"})));
  return map_of(std::move(keys));
}

Json topology() {
  const Json hosts = any_of({text(), list_of(text())});
  const Json site =
      any_of({hosts, map_of({{"kind", one_of({"region", "zone", "rack"})},
                             {"within", described(text(), "the site that holds it")},
                             {"nodes", described(hosts, "node-1, or node-1..node-50, or a list")},
                             {"clients", described(hosts, "client-1, or client-1..client-5")}})});
  const Json between = {{"type", "array"}, {"items", text()}, {"minItems", 2}, {"maxItems", 2}};
  const Json link = map_of({{"between", described(between, "two sites")},
                            {"name", described(text(), "for cuts; `a--b` unless it has one")},
                            {"latency", ref("latency")},
                            {"back", described(ref("latency"), "the other way, where it differs")},
                            {"bandwidth", described(ref("size"), "a second, each way")},
                            {"loss", ref("share")}},
                           {"between", "latency"});
  return map_of(
      {{"sites", {{"type", "object"}, {"additionalProperties", site}}}, {"links", list_of(link)}});
}

Json sync(const Vocabulary& vocabulary) {
  std::string names;
  Keys mechanisms;
  for (const auto& plugin : vocabulary.mechanisms) {
    if (plugin.name == "none") continue;
    names += (names.empty() ? "" : "|") + plugin.name;
    mechanisms.emplace_back(
        plugin.name,
        described(any_of({nothing(), schema::of_params(plugin.params, true)}), plugin.help));
  }
  for (const auto& preset : vocabulary.presets) {
    names += (names.empty() ? "" : "|") + preset.name;
    mechanisms.emplace_back(preset.name, described(nothing(), preset.help));
  }
  const Json name = {{"type", "string"},
                     {"pattern", "^(none|(" + names + ")(\\+(" + names + "))*)$"}};
  const Json map = map_of(std::move(mechanisms));
  return any_of({name, map, list_of(any_of({name, map}))});
}

// Names of plugins, one or several.
Json names_among(std::vector<std::string> names) {
  const Json name = one_of(std::move(names));
  return any_of({name, list_of(name)});
}

// Names of invariants, or of one with its parameters.
Json check(const Vocabulary& vocabulary) {
  Keys invariants;
  for (const auto& plugin : vocabulary.invariants) {
    invariants.emplace_back(
        plugin.name,
        described(any_of({nothing(), schema::of_params(plugin.params, true)}), plugin.help));
  }
  const Json item =
      any_of({one_of(names_of(vocabulary.invariants)), map_of(std::move(invariants))});
  return any_of({item, list_of(item)});
}

Json expect(const Vocabulary& vocabulary) {
  const Json figure = any_of({{{"type", "integer"}}, ref("duration"), ref("size")});
  const Json bound =
      any_of({figure, map_of({{"at-least", figure}, {"at-most", figure}, {"equals", figure}})});
  Keys metrics;
  for (const std::string& name : vocabulary.metrics) metrics.emplace_back(spelled(name), bound);
  std::vector<std::string> vacuous = names_of(vocabulary.invariants);
  for (const auto& fault : vocabulary.faults) vacuous.push_back(fault.name);
  return map_of({{"violates", described(names_among(names_of(vocabulary.invariants)),
                                        "exactly these invariants break")},
                 {"vacuous", described(names_among(std::move(vacuous)),
                                       "these may have judged, or touched, nothing")},
                 {"metrics", map_of(std::move(metrics))}});
}

Json thresholds(const Vocabulary& vocabulary) {
  const Json figure = any_of({{{"type", "integer"}}, ref("duration"), ref("size")});
  std::vector<std::string> metrics;
  for (const std::string& name : vocabulary.metrics) metrics.push_back(spelled(name));
  const Json names = any_of({text(), list_of(text())});
  return list_of(
      map_of({{"metric", described(one_of(std::move(metrics)), "of each strategy and cell")},
              {"of", described(one_of({"min", "p10", "median", "p90", "p99", "max"}),
                               "over the seeds; the median unless said")},
              {"at-least", figure},
              {"at-most", figure},
              {"sync", described(names, "strategies as --sync names them; all unless said")}},
             {"metric"}));
}

// ---- The timeline --------------------------------------------------------------------------

Json when() {
  const Json number = {{"type", "integer"}, {"minimum", 1}};
  const Json any = {{"const", "any"}};
  const Json who = any_of({ref("hosts"), any});
  const Json sync = map_of({{"node", who}, {"count", number}}, {"node", "count"});
  Json committed = map_of({{"index", described(number, "that entry of the cluster's log")},
                           {"count", described(number, "so many more than by then")}});
  committed["minProperties"] = 1;
  committed["maxProperties"] = 1;
  Json out =
      map_of({{"removed", described(who, "the leader has applied its removal")},
              {"joined", described(who, "the leader has applied its addition")},
              {"crashed", described(who, "its process has died or halted")},
              {"halted", described(who, "its process has stopped by itself")},
              {"storage-corrupt", described(who, "it has found what it read to be corrupt")},
              {"leader", described(who, "it leads")},
              {"rebalanced", described(any, "the leader has applied a new map")},
              {"repair-started", described(who, "of any partition there")},
              {"repair-completed", described(who, "of any partition there")},
              {"gate-opened", described(who, "it answers reads of some partition from now on")},
              {"hook-fired", described(who, "a hook of a change of partitions has run there")},
              {"upgraded", described(who, "it has started with software of another version")},
              {"committed", described(std::move(committed), "by consensus")},
              {"sync-requested", described(sync, "the count-th sync of that disk")},
              {"sync-completed", described(sync, "the count-th sync of that disk")},
              {"started", described(text(), "the step with that label fires")},
              {"ended", described(text(), "the fault of that step has been taken back")},
              {"quiet", described(ref("duration"), "nothing has changed for so long")}});
  out["minProperties"] = 1;
  out["maxProperties"] = 1;
  return out;
}

Json operation(std::string_view name) {
  const Json keys = any_of({ref("text"), list_of(ref("text"))});
  Keys out = {{"key", keys},
              {"keys", described(keys, "key-1..key-100, or a list")},
              {"level", one_of({kConsistencyNames.begin(), kConsistencyNames.end()})},
              {"via", described(ref("node"), "coordinator, or the node that is read directly")},
              {"clients", described(ref("integer"), "that share the keys")},
              {"every", described(ref("duration"), "pause of a client between two operations")}};
  if (name == "increment") {
    out.emplace_back("by", described({{"type", {"integer", "string"}}, {"pattern", "^-?[0-9]+$"}},
                                     "up, or down; 1 unless said"));
  }
  if (name == "add" || name == "discard") out.emplace_back("element", text());
  if (name == "read")
    out.emplace_back("direct", described(ref("flag"), "reads the store of `via` itself"));
  return any_of({keys, map_of(std::move(out))});
}

Json workload() {
  const Json keys = any_of({ref("text"), list_of(ref("text"))});
  const Json level = one_of({kConsistencyNames.begin(), kConsistencyNames.end()});
  Keys mix;
  for (const char* kind : {"read", "write", "delete", "increment", "add", "discard"}) {
    mix.emplace_back(kind, ref("share"));
  }
  const Json hot = map_of({{"share", described(ref("share"), "of the operations; 90% unless said")},
                           {"of", described(ref("share"), "of the keys; 10% unless said")}});
  Json skewed = map_of({{"zipf", described({{"type", "number"}, {"minimum", 0}, {"maximum", 10}},
                                           "the i-th key by 1 / i^this")},
                        {"hot", described(hot, "the first keys get most operations")}});
  skewed["minProperties"] = 1;
  skewed["maxProperties"] = 1;
  const Json count = {{"type", "integer"}, {"minimum", 1}, {"maximum", 1'000'000}};
  const Json size = {{"type", "string"},
                     {"pattern", "^[0-9.]+[kKMGT]?i?B([.][.][0-9.]+[kKMGT]?i?B)?$"}};
  return map_of(
      {{"keys", described(keys, "key-1..key-100, or a list; the most popular first")},
       {"operations", described(any_of({count, ref("pick")}), "of all clients together")},
       {"for", described(ref("duration"), "instead: as many as begin within it")},
       {"clients", described(ref("integer"), "that take turns")},
       {"mix", described(map_of(std::move(mix)), "shares, together 100%; read and write 50% each")},
       {"popularity", described(any_of({{{"const", "uniform"}}, skewed}), "of keys")},
       {"value-size", described(any_of({size, ref("pick")}), "16B, or 1KiB..4KiB")},
       {"elements", described(count, "of add and discard: element-1 to element-N; 8")},
       {"rate",
        described(any_of({{{"type", "string"}, {"pattern", "^[1-9][0-9]*/[smh]$"}}, ref("pick")}),
                  "open loop: so many begin, 200/s, of all clients together")},
       {"arrivals", described(one_of({"poisson", "even"}), "of an open loop")},
       {"think", described(ref("range"), "closed loop: from an answer to the next operation")},
       {"level", described(level, "of reads and writes")},
       {"read-level", level},
       {"write-level", described(level, "of all that changes a key")},
       {"via", described(ref("node"), "coordinator")},
       {"keep", described(any_of({text(), list_of(text())}),
                          "what is left of it: client-1/7, client-1/3..9; written by shrink")}},
      {"keys"});
}

// A fault: its first parameter alone, or all by name.
Json of_fault(const Vocabulary::Plugin& fault) {
  std::vector<Json> ways;
  if (fault.params.empty()) {
    ways.push_back(nothing());
  } else {
    ways.push_back(schema::of(fault.params.front()));
  }
  // An extending file or an override may give some of them alone.
  ways.push_back(schema::of_params(fault.params, false));
  std::string help = fault.help;
  if (fault.ends) help += "; lasts `for` so long, until `end`, or until the last phase";
  return described(any_of(std::move(ways)), help);
}

Json step(const Vocabulary& vocabulary) {
  Keys keys = {
      {"label", described({{"type", {"string", "integer"}}}, "unique; how others name this step")},
      {"at", described(ref("duration"), "fires at that time of the run")},
      {"after", described(ref("duration"), "fires so long after the step before has completed")},
      {"when", described(when(), "fires when that has been observed")},
      {"set", described({{"type", "object"}}, "changes settings of the cluster")},
      {"workload", described(workload(), "operations that are drawn one by one")},
      {"wait", described(nothing(), "nothing: a row in the table")},
      {"end", described(text(), "takes back the fault of the step with that label")},
      {"expect", described(one_of({"ok", "value", "not-found", "unavailable"}),
                           "of every operation of the step")},
      {"background", described(ref("flag"), "the next step does not wait for its operations")},
      {"for", described(ref("duration"), "how long the fault lasts")},
      {"may-miss", described(ref("flag"), "a fault that touches nothing proves nothing wrong")},
      {"remove", described({{"const", true}}, "drops the inherited step with that label")}};
  for (const std::string& name : kOperations) keys.emplace_back(name, operation(name));
  std::vector<std::string> actions = kOperations;
  actions.insert(actions.end(), {"set", "wait", "end", "workload"});
  std::vector<std::string> not_lasting = actions;
  std::vector<std::string> not_asking = {"wait", "end"};
  std::vector<std::string> not_alike = {"wait", "end", "workload"};
  const std::vector<std::string> not_faults = actions;
  for (const auto& fault : vocabulary.faults) {
    keys.emplace_back(fault.name, of_fault(fault));
    actions.push_back(fault.name);
    not_asking.push_back(fault.name);
    not_alike.push_back(fault.name);
    if (!fault.ends) not_lasting.push_back(fault.name);
  }
  Json out = map_of(std::move(keys));
  out["allOf"] = {at_most_one(actions), at_most_one({"at", "after", "when"})};
  out["dependencies"] = {{"for", {{"not", required_any(not_lasting)}}},
                         {"may-miss", {{"not", required_any(not_faults)}}},
                         {"expect", {{"not", required_any(not_alike)}}},
                         {"background", {{"not", required_any(not_asking)}}}};
  return out;
}

// ---- The nemesis ---------------------------------------------------------------------------

// A parameter as a nemesis draws it, where it is no value: a range, a place, or a pick (of lists,
// too).
Json drawn() {
  return any_of({{{"type", "string"}, {"pattern", "\\.\\."}},
                 {{"enum", {"any-site", "any-link"}}},
                 ref("pick")});
}

Json nemesis(const Vocabulary& vocabulary) {
  const Json preset = one_of({"all", "clocks", "disks", "hosts", "mild", "network"});
  const Json presets = any_of({preset, list_of(preset)});
  const Json plain = {{"enum", {true, false, "none", nullptr}}};
  const Json every = described(ref("range"), "from the end of one to the start of the next");
  const Json lasts =
      described(any_of({ref("range"), {{"enum", {"none", false}}}}), "how long each lasts");
  Keys faults;
  for (const auto& fault : vocabulary.faults) {
    Keys keys = {{"every", every}, {"for", lasts}, {"fault", text()}};
    for (const ParamSpec& spec : fault.params) {
      keys.emplace_back(spelled(spec.name), any_of({schema::of(spec), ref("drawn")}));
    }
    faults.emplace_back(fault.name,
                        described(any_of({plain, map_of(std::move(keys))}), fault.help));
  }
  Json drawn_faults = map_of(std::move(faults));
  // A second way to draw a fault, under a name of its own.
  drawn_faults["additionalProperties"] = any_of(
      {plain,
       {{"type", "object"},
        {"properties",
         {{"every", every}, {"for", lasts}, {"fault", {{"enum", names_of(vocabulary.faults)}}}}},
        {"required", {"fault"}}}});
  const Json section =
      map_of({{"preset", described(presets, "classes of faults to draw from")},
              {"from", described(ref("duration"), "no fault begins before")},
              {"until", described(ref("duration"), "or after; bounded: all are over by then")},
              {"mode", described({{"enum", {"bounded", "unbounded"}}},
                                 "bounded: what is promised must hold; unbounded: only safety")},
              {"swarm", described(ref("flag"), "each seed switches whole classes on or off")},
              {"epoch", described(ref("range"), "how long one set of victims is at risk")},
              {"rest", described(ref("range"), "between epochs")},
              {"repair", described(ref("duration"), "instead, after a disk was lost")},
              {"faults", described(std::move(drawn_faults), "what is drawn, and how")}});
  return any_of({presets, {{"enum", {"none"}}}, section});
}

// ---- The file ------------------------------------------------------------------------------

std::string_view about_section(std::string_view section) {
  constexpr std::pair<std::string_view, std::string_view> kAbout[] = {
      {"cluster", "who there is, and how data is spread"},
      {"membership", "how deaths are noticed and nodes come back"},
      {"raft", "consensus"},
      {"host", "what a process takes to handle an event"},
      {"disk", "how fast disks are, and how large"},
      {"store", "where nodes keep data"},
      {"coordinator", "who asks the replicas"},
      {"fetch", "how repairs copy data"},
      {"client", "levels and timeouts"},
      {"limits", "bounds of a run, and its last phase"}};
  for (const auto& [name, about] : kAbout) {
    if (name == section) return about;
  }
  return {};
}

}  // namespace

std::string json_schema(const Vocabulary& vocabulary) {
  Keys keys = {{"format", described({{"const", kFormat}}, "the version of the file format")},
               {"name", described(ref("text"), "of the scenario; else the file's stem")},
               {"about", described(ref("text"), "for reports; else the comment at the top")},
               {"extends", described(text(), "a file to build on, relative to this one")},
               {"trials", described({{"type", "integer"}, {"minimum", 1}, {"maximum", 1'000'000}},
                                    "runs of one command, with seeds from `seed` on")},
               {"found", described(true, "what a saved failure showed")}};
  for (auto& [key, value] : fields_of("")) keys.emplace_back(key, std::move(value));
  for (const std::string& section : sections()) {
    if (section == "network") continue;
    keys.emplace_back(section, described(map_of(fields_of(section)), about_section(section)));
  }
  for (auto& [key, value] : keys) {
    if (key == "cluster") {
      value["properties"]["placement"] =
          described(one_of(names_of(vocabulary.placements)), "which nodes own which partition");
    }
    if (key == "conflict") {
      value =
          described(one_of(names_of(vocabulary.conflicts)), "what becomes of concurrent values");
    }
    if (key == "membership") {
      value["properties"]["detector"] = described(one_of(names_of(vocabulary.detectors)),
                                                  "how the leader takes a member for dead");
    }
  }
  keys.emplace_back("network", described(network(), "what a message meets on its way"));
  keys.emplace_back("topology", described(topology(), "where hosts are, and the links between"));
  keys.emplace_back("sync", described(sync(vocabulary), "how a node gets data that it missed"));
  keys.emplace_back("timeline", described(list_of(ref("step")), "what happens, step by step"));
  keys.emplace_back("nemesis", described(nemesis(vocabulary), "faults that a seed draws"));
  keys.emplace_back("check",
                    described(check(vocabulary), "invariants to judge, besides what is promised"));
  keys.emplace_back("expect", described(expect(vocabulary), "what must be seen"));
  keys.emplace_back("thresholds",
                    described(thresholds(vocabulary), "what `rejoin compare` must find"));

  Json out = {{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "A scenario of rejoin"},
              {"description", "Generated by `rejoin schema`."}};
  out.update(map_of(std::move(keys), {"format"}));
  Json definitions = Json::object();
  for (auto& [name, value] : schema::definitions()) definitions[name] = value;
  definitions["latency"] = latency();
  definitions["drawn"] = drawn();
  definitions["step"] = step(vocabulary);
  out["definitions"] = std::move(definitions);
  return out.dump(1) + "\n";
}

}  // namespace rejoin::sim
