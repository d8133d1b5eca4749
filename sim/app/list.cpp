// `rejoin list`: what is registered, with what a file needs to know to use it.
#include "sim/app/list.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "model/check.hpp"
#include "model/distribution.hpp"
#include "model/mutant.hpp"
#include "protocols/membership/detector.hpp"
#include "protocols/partitioning/placement.hpp"
#include "protocols/sync/preset.hpp"
#include "protocols/sync/promises.hpp"
#include "protocols/versions/conflict.hpp"
#include "reports/page.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/load.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/run/metrics.hpp"
#include "sim/scenario/selectors.hpp"

namespace rejoin::app {

namespace {

using reports::Paint;

// One thing that can be listed, whatever its registry.
struct Entry {
  std::string name;
  std::string help = {};
  std::string details = {};
  std::vector<ParamSpec> params = {};
  std::vector<std::pair<std::string, std::string>> notes = {};  // promises, conditions, ...
};

struct Kind {
  std::string name;
  std::string about;
  std::vector<Entry> (*entries)();
  void (*overview)(reports::Page& page) = nullptr;  // before the entries
};

constexpr std::array kSchemes = {VersionScheme::none, VersionScheme::timestamp, VersionScheme::hlc,
                                 VersionScheme::version_vector, VersionScheme::dvv};

std::string joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

template <class Spec>
Entry entry_of(const Spec& spec) {
  Entry entry{.name = std::string(spec.name), .help = std::string(spec.help)};
  if constexpr (requires { spec.details; }) entry.details = spec.details;
  if constexpr (requires { spec.params; }) entry.params = spec.params;
  return entry;
}

// With which versions it is refused, all else being at its defaults, and with which company.
void put_refusals(const MechanismSpec& spec, Entry& entry) {
  if (spec.exclusive) entry.notes.emplace_back("refused", "together with any other");
  if (spec.refuses == nullptr) return;
  std::vector<std::pair<std::string, std::string>> refused;  // versions by reason
  for (const VersionScheme scheme : kSchemes) {
    NodeOptions options;
    options.store.versions = scheme;
    const std::string why = spec.refuses(options, default_params(spec.params));
    if (why.empty()) continue;
    const auto known = std::find_if(refused.begin(), refused.end(),
                                    [&why](const auto& each) { return each.first == why; });
    if (known == refused.end()) {
      refused.emplace_back(why, to_name(scheme));
    } else {
      known->second += ", " + std::string(to_name(scheme));
    }
  }
  for (const auto& [why, schemes] : refused) {
    entry.notes.emplace_back("refused", "with versions " + schemes + ": " + why);
  }
}

std::vector<Entry> mechanisms() {
  std::vector<Entry> out;
  for (const MechanismSpec& spec : Mechanisms::all()) {
    Entry entry = entry_of(spec);
    entry.notes.emplace_back("promises", spec.promises.empty() ? "nothing" : joined(spec.promises));
    const std::string conditions = conditions_text(spec);
    if (!conditions.empty()) entry.notes.emplace_back("if", conditions);
    put_refusals(spec, entry);
    out.push_back(std::move(entry));
  }
  return out;
}

// Its settings, line by line: mechanisms in their order, and what else it says.
std::vector<Entry> presets() {
  constexpr std::string_view kItem = "  - ";
  std::vector<Entry> out;
  for (const PresetSpec& spec : Presets::all()) {
    Entry entry = entry_of(spec);
    std::string_view rest = spec.settings;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.starts_with(kItem)) {
        entry.notes.emplace_back("sync", line.substr(kItem.size()));
      } else if (const std::size_t colon = line.find(": "); colon != line.npos) {
        entry.notes.emplace_back(line.substr(0, colon), line.substr(colon + 2));
      }
    }
    out.push_back(std::move(entry));
  }
  return out;
}

// How a nemesis draws a fault, as a file's `nemesis.faults` would say it; or why no preset does.
std::string nemesis_text(const sim::FaultSpec& spec) {
  const NemesisSpec& nemesis = spec.nemesis;
  if (!nemesis.exempt.empty()) return "no preset draws it: " + std::string(nemesis.exempt);
  std::string out = "every " + std::string(nemesis.every);
  if (!nemesis.lasts.empty()) out += ", for " + std::string(nemesis.lasts);
  for (const NemesisSpec::Value& value : nemesis.values) {
    std::string name(value.param);
    std::replace(name.begin(), name.end(), '_', '-');
    out += ", " + name + ": " + std::string(value.draw);
  }
  if (!nemesis.out.empty()) out += "; its victims are out of action meanwhile";
  if (nemesis.alone) out += "; nobody else is out of action meanwhile";
  using After = NemesisSpec::After;
  if (nemesis.after == After::restart) out += "; who has stopped over it is started then";
  if (nemesis.after == After::replace || nemesis.after == After::wipe) {
    out += "; its victims get an empty disk then";
  }
  if (nemesis.restarts) out += "; they are restarted halfway";
  if (nemesis.lies) out += "; only in mode bounded";
  return out;
}

std::vector<Entry> faults() {
  std::vector<Entry> out;
  for (const sim::FaultSpec& spec : sim::Faults::all()) {
    Entry entry = entry_of(spec);
    entry.notes.emplace_back("class", sim::to_name(spec.kind));
    entry.notes.emplace_back(
        "lasts", !spec.ends   ? "a moment: it takes no `for`, and nothing takes it back"
                 : spec.stays ? "`for` so long, until `end`, or for good"
                              : "`for` so long, until `end`, or until the last phase of the run");
    entry.notes.emplace_back("counts",
                             reports::plural_of(spec.touches) + " that it touches" +
                                 (spec.does.empty() ? "" : "; " + reports::plural_of(spec.does)));
    std::string things;
    for (const sim::Claim& claim : spec.claims) {
      things += (things.empty() ? "" : ", ") + std::string(claim.thing);
    }
    if (!things.empty()) {
      entry.notes.emplace_back("holds", things +
                                            " of its hosts: what contradicts another fault "
                                            "that does, at that time, is refused");
    }
    if (spec.destroys) entry.notes.emplace_back("destroys", "what disks held");
    if (spec.needs_disk) entry.notes.emplace_back("needs", "hosts with disks: nodes");
    entry.notes.emplace_back("nemesis", nemesis_text(spec));
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> distributions() {
  std::vector<Entry> out;
  for (const DistributionSpec& spec : Distributions::all()) {
    Entry entry = entry_of(spec);
    if (spec.has_parts) entry.notes.emplace_back("takes", "a list of { weight, latency }");
    if (spec.has_buckets) entry.notes.emplace_back("takes", "a list of { range, weight }");
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> selectors() {
  std::vector<Entry> out;
  for (const sim::SelectorForm& form : sim::selector_forms()) {
    out.push_back({.name = std::string(form.text), .help = std::string(form.help)});
  }
  return out;
}

std::vector<Entry> invariants() {
  std::vector<Entry> out;
  for (const sim::InvariantSpec& spec : sim::Invariants::all()) {
    Entry entry = entry_of(spec);
    entry.notes.emplace_back("judged", spec.liveness ? "when the run has settled" : "always");
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> placements() {
  std::vector<Entry> out;
  for (const PlacementSpec& spec : Placements::all()) out.push_back(entry_of(spec));
  return out;
}

std::vector<Entry> detectors() {
  std::vector<Entry> out;
  for (const DetectorSpec& spec : Detectors::all()) out.push_back(entry_of(spec));
  return out;
}

std::vector<Entry> conflicts() {
  std::vector<Entry> out;
  for (const ConflictSpec& spec : Conflicts::all()) {
    Entry entry = entry_of(spec);
    std::string schemes;
    for (const VersionScheme scheme : kSchemes) {
      if (fits(spec, scheme))
        schemes += (schemes.empty() ? "" : ", ") + std::string(to_name(scheme));
    }
    entry.notes.emplace_back("versions", schemes);
    std::string operations;
    for (const OperationKind kind : spec.operations) {
      operations += (operations.empty() ? "" : ", ") + std::string(to_name(kind));
    }
    if (!operations.empty()) entry.notes.emplace_back("clients", operations + ", read");
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> planted_bugs() {
  std::vector<Entry> out;
  for (const MutantSpec& spec : mutants()) {
    Entry entry{.name = std::string(spec.name), .help = std::string(spec.bug)};
    entry.notes.emplace_back("caught by", spec.invariant);
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> metrics() {
  std::vector<Entry> out;
  for (const sim::MetricSpec& metric : sim::metric_specs()) out.push_back(entry_of(metric));
  return out;
}

void put_promises(reports::Page& page);

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"mechanisms", "how a node gets data that it missed: `sync` of a file, --sync here",
       &mechanisms, &put_promises},
      {"presets", "compositions of mechanisms as known systems have them: wherever those are named",
       &presets},
      {"faults", "what a step of a timeline can do to machines and network", &faults},
      {"invariants", "what must hold: `check` and `expect: violates` of a file", &invariants},
      {"distributions",
       "what delays are drawn from: `latency` of a file; `floor` and `cap` go with each",
       &distributions},
      {"selectors", "whom a fault can be for, as its hosts are written", &selectors},
      {"placements", "which nodes own which partition: `cluster: placement` of a file",
       &placements},
      {"detectors", "how the leader takes a member for dead: `membership: detector` of a file",
       &detectors},
      {"conflicts", "what becomes of concurrent values: `conflict` of a file", &conflicts},
      {"mutants", "bugs that rejoin-hunt can plant in the protocols", &planted_bugs},
      {"metrics", "figures of a run: `expect: metrics` of a file", &metrics},
  };
  return all;
}

std::string type_text(const ParamSpec& param) {
  std::string out = param.type == ParamType::choice ? "one of " + joined(param.choices)
                                                    : std::string(to_name(param.type));
  if (!param.unit.empty()) out += ", in " + std::string(param.unit);
  return out;
}

void put_params(reports::Page& page, const std::vector<ParamSpec>& params) {
  if (params.empty()) return;
  reports::Table table;
  table.columns = {{"  parameter"}, {"type"}, {"default"}, {"meaning"}};
  for (const ParamSpec& param : params) {
    table.rows.push_back({{std::string(param.name)},
                          {type_text(param)},
                          {param.fallback.empty() ? "(required)" : std::string(param.fallback)},
                          {std::string(param.help)}});
  }
  page.table(table);
}

void put_entry(reports::Page& page, const Entry& entry) {
  page.paragraph(entry.name + (entry.help.empty() ? "" : ": " + entry.help), 0, 2, Paint::strong);
  if (!entry.details.empty()) page.paragraph(entry.details, 2);
  for (const auto& [what, text] : entry.notes) page.paragraph(what + ": " + text, 2, 4);
  put_params(page, entry.params);
}

// Who promises what. The columns are numbers: names of invariants would not stand side by side.
void put_promises(reports::Page& page) {
  std::set<std::string_view> promised;
  for (const MechanismSpec& spec : Mechanisms::all()) {
    promised.insert(spec.promises.begin(), spec.promises.end());
  }
  page.blank();
  reports::Table legend{.columns = {{""}, {""}}, .rows = {}};
  reports::Table matrix{.columns = {{"promises"}}, .rows = {}};
  for (const std::string_view name : promised) {
    const std::string number = std::to_string(matrix.columns.size());
    const sim::InvariantSpec* const invariant = sim::Invariants::find(name);
    CHECK_THAT(invariant != nullptr);
    legend.rows.push_back({{number}, {std::string(name) + ": " + std::string(invariant->help)}});
    matrix.columns.push_back({number});
  }
  for (const MechanismSpec& spec : Mechanisms::all()) {
    std::vector<reports::Cell> row = {{std::string(spec.name), Paint::strong}};
    for (const std::string_view name : promised) {
      const auto& all = spec.promises;
      const bool mark = std::find(all.begin(), all.end(), name) != all.end();
      row.push_back({mark ? "x" : "-", mark ? Paint::good : Paint::dim});
    }
    matrix.rows.push_back(std::move(row));
  }
  page.table(matrix);
  page.blank();
  page.table(legend);
  page.blank();
  page.paragraph("A promise holds under conditions; a run is judged by those whose it meets:");
  for (const MechanismSpec& spec : Mechanisms::all()) {
    if (spec.promises.empty()) continue;
    page.paragraph(std::string(spec.name) + ": " + conditions_text(spec), 2, 4);
  }
}

void put_whole(reports::Page& page, const Kind& kind) {
  page.section(kind.name);
  page.paragraph(kind.about, 0, 0, Paint::dim);
  if (kind.overview != nullptr) kind.overview(page);
  for (const Entry& entry : kind.entries()) {
    page.blank();
    put_entry(page, entry);
  }
}

// One of a kind.
ExitStatus list_one(reports::Page& page, const Kind& kind, const std::string& name) {
  std::vector<std::string> names;
  for (const Entry& entry : kind.entries()) {
    if (normal_name(entry.name) == normal_name(name)) {
      put_entry(page, entry);
      print(page.take());
      return ExitStatus::as_expected;
    }
    names.push_back(entry.name);
  }
  print_error(error_text("`rejoin list " + kind.name + "` has no `" + name + "`",
                         hint_of(name, names, kind.name)));
  return ExitStatus::bad_input;
}

void put_names(reports::Page& page, const Kind& kind) {
  page.section(kind.name);
  page.paragraph(kind.about, 2, 2, Paint::dim);
  reports::Table table;
  table.columns = {{""}, {""}};
  for (const Entry& entry : kind.entries()) {
    table.rows.push_back({{entry.name, Paint::strong}, {entry.help}});
  }
  page.table(table);
}

}  // namespace

std::string kinds_text() {
  std::string out;
  for (const Kind& kind : kinds()) {
    if (!out.empty()) out += &kind == &kinds().back() ? " or " : ", ";
    out += kind.name;
  }
  return out;
}

ExitStatus execute(const ListCommand& command) {
  constexpr std::size_t kWidth = 100;
  reports::Page page(kWidth, wants_colour());
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) {
    names.push_back(kind.name);
    if (command.kind.empty()) {
      put_names(page, kind);
    } else if (kind.name == command.kind || kind.name == command.kind + "s") {
      if (!command.name.empty()) return list_one(page, kind, command.name);
      put_whole(page, kind);
      print(page.take());
      return ExitStatus::as_expected;
    }
  }
  if (!command.kind.empty()) {
    print_error(error_text("`rejoin list` has no kind `" + command.kind + "`",
                           hint_of(command.kind, names, "kinds")));
    return ExitStatus::bad_input;
  }
  page.blank();
  page.paragraph("`rejoin list KIND [NAME]` shows parameters, defaults and promises.");
  print(page.take());
  return ExitStatus::as_expected;
}

}  // namespace rejoin::app
