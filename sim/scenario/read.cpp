#include "sim/scenario/read.hpp"

#include <algorithm>
#include <utility>

#include "sim/scenario/merge.hpp"

namespace rejoin::sim {

const Vocabulary::Plugin* find_plugin(const std::vector<Vocabulary::Plugin>& among,
                                      std::string_view name) {
  const std::string wanted = normal_name(name);
  const auto at = std::find_if(among.begin(), among.end(), [&](const Vocabulary::Plugin& plugin) {
    return normal_name(plugin.name) == wanted;
  });
  return at == among.end() ? nullptr : &*at;
}

std::vector<std::string> names_of(const std::vector<Vocabulary::Plugin>& plugins) {
  std::vector<std::string> out;
  for (const auto& plugin : plugins) out.push_back(plugin.name);
  return out;
}

namespace {

const std::vector<std::string> kFileKeys = {"format",  "name",     "about",     "extends", "trials",
                                            "sync",    "timeline", "check",     "expect",  "found",
                                            "nemesis", "topology", "thresholds"};

}  // namespace

Schedule ScheduleReader::read(const Tree& file) {
  if (!file.is_map()) {
    problems_.add(file.mark, "a scenario is a map of keys, not " + found(file));
    return {};
  }
  // The profile sets defaults, and the cluster says which nodes exist: before all else.
  if (const Tree* const profile = file.find("profile")) {
    read_field(*profile, *find_field("", "profile"));
  }
  apply_profile(schedule_);
  if (const Tree* const cluster = file.find("cluster")) {
    read_section(*cluster, "cluster", {}, [](const Entry&) { return false; });
  }
  read_section(file, "", kFileKeys, [this](const Entry& entry) { return read_file_key(entry); });
  read_nemesis_section(file);
  schedule_.expect.nothing = file.find("found") != nullptr;
  check_whole(file);
  return std::move(schedule_);
}

void ScheduleReader::read_section(const Tree& tree, std::string_view section,
                                  const std::vector<std::string>& special_keys,
                                  const Special& special) {
  if (!want_map(tree, section)) return;
  for (const Entry& entry : tree.entries) {
    if (is_ignored(entry.key)) continue;
    if (special(entry)) continue;
    if (const Field* const field = find_field(section, entry.key)) {
      read_field(entry.value, *field);
      continue;
    }
    const std::vector<std::string> within = sections_within(section);
    const auto inner = std::find_if(within.begin(), within.end(), [&](const std::string& name) {
      return normal_name(name) == normal_name(entry.key);
    });
    if (!section.empty() && inner != within.end()) {
      read_section(entry.value, std::string(section) + "." + *inner, {},
                   [](const Entry&) { return false; });
      continue;
    }
    std::vector<std::string> known = keys_of_section(section);
    known.insert(known.end(), within.begin(), within.end());
    known.insert(known.end(), special_keys.begin(), special_keys.end());
    if (section.empty()) {
      const std::vector<std::string> more = sections();
      known.insert(known.end(), more.begin(), more.end());
    }
    std::sort(known.begin(), known.end());
    unknown_key(entry, section.empty() ? "a scenario" : "`" + std::string(section) + "`", known);
  }
}

bool ScheduleReader::read_file_key(const Entry& entry) {
  const std::string key = normal_name(entry.key);
  const Tree& value = entry.value;
  if (key == "format" || key == "extends" || key == "found" || key == "cluster") return true;
  if (key == "thresholds") return true;                   // of no run
  if (key == "profile" || key == "nemesis") return true;  // before and after all else
  if (key == "name") {
    if (const auto name = read_as<std::string>(value, "name", ParamType::text)) {
      schedule_.name = *name;
      if (name->empty()) wrong(value, "name", "a text");
    }
  } else if (key == "about") {
    if (auto about = read_as<std::string>(value, "about", ParamType::text)) {
      schedule_.about = *std::move(about);
    }
  } else if (key == "trials") {
    const auto trials = read_as<std::int64_t>(value, "trials", ParamType::integer);
    if (trials && (*trials < 1 || *trials > 1'000'000)) {
      wrong(value, "trials", "a number from 1 to 1000000");
    }
  } else if (key == "network") {
    read_network(value);
  } else if (key == "topology") {
    read_topology(value);
  } else if (key == "sync") {
    read_sync(value);
  } else if (key == "timeline") {
    read_timeline(value);
  } else if (key == "check") {
    read_check(value);
  } else if (key == "expect") {
    read_expect(value);
  } else {
    const std::vector<std::string> known = sections();
    const auto section = std::find_if(known.begin(), known.end(), [&](const std::string& name) {
      return normal_name(name) == key;
    });
    if (section == known.end()) return false;
    read_section(value, *section, {}, [](const Entry&) { return false; });
  }
  return true;
}

void ScheduleReader::read_field(const Tree& value, const Field& field) {
  // No hosts is a value: a nemesis may have named some, where the file says nothing.
  const std::string_view fallback = field.type == ParamType::hosts ? "none" : "";
  const auto read =
      read_value(value, {field.key, field.type, {}, fallback, field.help, field.choices});
  if (read && check_bounds(value, field, *read)) {
    field.set(schedule_, *read, field);
  } else if (field.section == "cluster") {
    cluster_known_ = false;
  }
}

// ---- Sync ----------------------------------------------------------------------------------

void ScheduleReader::read_sync(const Tree& sync) {
  if (sync.kind == Tree::Kind::null || is_pick(sync)) {
    return wrong(sync, "sync", "a mechanism, or none");
  }
  std::vector<std::string> known = names_of(vocabulary_.mechanisms);
  for (const Vocabulary::Preset& preset : vocabulary_.presets) known.push_back(preset.name);
  if (std::find(known.begin(), known.end(), "none") == known.end()) known.emplace_back("none");
  std::sort(known.begin(), known.end());
  std::set<std::string> seen;
  const Tree mechanisms = normal_sync(sync);
  for (const Tree& item : mechanisms.items) {
    if (!item.is_map() || item.entries.size() != 1) {
      wrong(item, "sync", "names of mechanisms");
      continue;
    }
    const Entry& entry = item.entries[0];
    if (normal_name(entry.key) == "none") {
      if (mechanisms.items.size() > 1) {
        problems_.add(entry.mark, "`none` stands alone: it is the absence of mechanisms");
      }
      continue;
    }
    const Vocabulary::Plugin* const plugin = find_plugin(vocabulary_.mechanisms, entry.key);
    if (plugin == nullptr) {
      problems_.add(entry.mark, "unknown mechanism `" + entry.key + "`",
                    known_hint(entry.key, known));
      continue;
    }
    if (!seen.insert(plugin->name).second) {
      problems_.add(entry.mark, "the mechanism `" + plugin->name + "` twice");
    }
    schedule_.node.sync.mechanisms.push_back(
        {plugin->name, read_params(entry.value, *plugin, entry.mark, false)});
  }
}

// ---- What must be seen ---------------------------------------------------------------------

// Names, and maps of one name and its parameters.
void ScheduleReader::read_check(const Tree& list) {
  Tree names = make_list({}, list.mark);
  for (const Tree& item : list.is_list() ? list.items : std::vector<Tree>{list}) {
    if (!item.is_map() || item.entries.size() != 1 || is_pick(item)) {
      names.items.push_back(item);
      continue;
    }
    const Entry& entry = item.entries[0];
    names.items.push_back(make_scalar(entry.key, entry.mark));
    const Vocabulary::Plugin* plugin = find_plugin(vocabulary_.invariants, entry.key);
    if (plugin == nullptr) continue;  // told below
    Params params = read_params(entry.value, *plugin, entry.mark, false);
    if (plugin->params.empty()) continue;
    if (!schedule_.check_params.emplace(plugin->name, std::move(params)).second) {
      problems_.add(entry.mark, "the invariant `" + plugin->name + "` twice");
    }
  }
  const bool is_one = list.is_scalar() || list.is_list() || list.is_map();
  schedule_.check = read_invariants(is_one ? names : list, "check");
  for (const std::string& name : schedule_.check) {
    const Vocabulary::Plugin* plugin = find_plugin(vocabulary_.invariants, name);
    if (plugin == nullptr || plugin->params.empty()) continue;
    schedule_.check_params.emplace(name, default_params(plugin->params));
  }
}

std::vector<std::string> ScheduleReader::read_invariants(const Tree& list, std::string_view key) {
  std::vector<std::string> out;
  if (!list.is_list() && !list.is_scalar()) {
    wrong(list, key, "a list of invariants");
    return out;
  }
  const std::vector<Tree> one = {list};
  for (const Tree& item : list.is_list() ? list.items : one) {
    const Vocabulary::Plugin* plugin =
        item.is_scalar() ? find_plugin(vocabulary_.invariants, item.text) : nullptr;
    // A fault that touches nothing is vacuous, too.
    if (plugin == nullptr && item.is_scalar() && key == "vacuous") {
      plugin = find_plugin(vocabulary_.faults, item.text);
    }
    if (plugin != nullptr) {
      out.push_back(plugin->name);
    } else if (item.is_scalar()) {
      problems_.add(item.mark, "unknown invariant `" + item.text + "`",
                    known_hint(item.text, names_of(vocabulary_.invariants)));
    } else {
      wrong(item, key, "names of invariants");
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void ScheduleReader::read_expect(const Tree& expect) {
  if (!want_map(expect, "expect")) return;
  for (const Entry& entry : expect.entries) {
    const std::string key = normal_name(entry.key);
    if (key == "violates") {
      schedule_.expect.violates = read_invariants(entry.value, "violates");
    } else if (key == "vacuous") {
      schedule_.expect.vacuous = read_invariants(entry.value, "vacuous");
    } else if (key == "metrics") {
      if (!want_map(entry.value, "metrics")) continue;
      for (const Entry& metric : entry.value.entries) {
        if (!is_ignored(metric.key)) read_metric(metric);
      }
    } else if (!is_ignored(entry.key)) {
      unknown_key(entry, "`expect`", {"metrics", "vacuous", "violates"});
    }
  }
}

std::optional<std::string> ScheduleReader::known_metric(const Mark& mark, const std::string& name) {
  const auto known =
      std::find_if(vocabulary_.metrics.begin(), vocabulary_.metrics.end(),
                   [&](const std::string& each) { return normal_name(each) == normal_name(name); });
  if (known != vocabulary_.metrics.end()) return *known;
  problems_.add(mark, "unknown metric `" + name + "`", known_hint(name, vocabulary_.metrics));
  return std::nullopt;
}

// Metrics are whole numbers: of nanoseconds or bytes, too, where their names end so.
std::optional<std::int64_t> ScheduleReader::read_figure(const Tree& value, std::string_view name) {
  std::optional<std::int64_t> out;
  if (value.is_scalar()) {
    if (const auto plain = parse_integer(value.text)) out = *plain;
    if (const auto time = parse_duration(value.text)) out = time->count();
    if (const auto size = parse_size(value.text)) out = static_cast<std::int64_t>(*size);
  }
  if (!out) wrong(value, name, "a whole number, a duration or a size");
  return out;
}

void ScheduleReader::read_metric(const Entry& entry) {
  const std::optional<std::string> known = known_metric(entry.mark, entry.key);
  if (!known) return;
  MetricBound bound;
  bound.where = to_text(entry.mark);
  if (!entry.value.is_map()) {
    bound.equals = read_figure(entry.value, entry.key);
  } else {
    for (const Entry& each : entry.value.entries) {
      const std::string key = normal_name(each.key);
      if (key == "at_least") {
        bound.at_least = read_figure(each.value, each.key);
      } else if (key == "at_most") {
        bound.at_most = read_figure(each.value, each.key);
      } else if (key == "equals") {
        bound.equals = read_figure(each.value, each.key);
      } else if (!is_ignored(each.key)) {
        unknown_key(each, "a bound", {"at-least", "at-most", "equals"});
      }
    }
    if (!bound.at_least && !bound.at_most && !bound.equals && problems_.empty()) {
      wrong(entry.value, entry.key, "at-least, at-most or equals");
    }
    if (bound.at_least && bound.at_most && *bound.at_least > *bound.at_most) {
      problems_.add(entry.mark, "no value of `" + entry.key + "` is both at least " +
                                    std::to_string(*bound.at_least) + " and at most " +
                                    std::to_string(*bound.at_most));
    }
  }
  schedule_.expect.metrics.insert_or_assign(*known, bound);
}

void ScheduleReader::check_name(const Tree* section, std::string_view key,
                                const std::vector<Vocabulary::Plugin>& among, std::string& name) {
  const Tree* const value = section != nullptr ? section->find(key) : nullptr;
  if (const auto* plugin = find_plugin(among, name)) {
    name = plugin->name;
  } else if (value != nullptr && value->is_scalar()) {
    problems_.add(value->mark, "unknown " + std::string(key) + " `" + name + "`",
                  known_hint(name, names_of(among)));
  }
}

void ScheduleReader::check_whole(const Tree& file) {
  const Tree* const cluster = file.find("cluster");
  check_name(cluster, "placement", vocabulary_.placements, schedule_.node.partitioning.placement);
  check_name(file.find("membership"), "detector", vocabulary_.detectors,
             schedule_.node.membership.detector);
  check_name(&file, "conflict", vocabulary_.conflicts, schedule_.node.store.conflict);
  check_compositions(file);
  if (cluster_known_ && schedule_.cluster.founders > schedule_.cluster.nodes) {
    problems_.add(cluster->find("founders")->mark,
                  "more founders than nodes: " + std::to_string(schedule_.cluster.founders) +
                      " of " + std::to_string(schedule_.cluster.nodes));
  }
  if (schedule_.timeline.empty() && file.find("timeline") == nullptr) {
    problems_.add(file.mark, "a scenario needs a `timeline`");
  }
  check_keys();
  check_sites();
  check_ends();
  check_faults();
}

// What is right by itself and makes no sense together.
void ScheduleReader::check_compositions(const Tree& file) {
  if (!problems_.empty()) return;
  const auto mark_of = [&file](std::string_view key) {
    const Tree* const value = file.find(key);
    return value != nullptr ? value->mark : file.mark;
  };
  const auto* const conflict = find_plugin(vocabulary_.conflicts, schedule_.node.store.conflict);
  if (conflict != nullptr && conflict->refuses) {
    const std::string why = conflict->refuses({}, schedule_);
    const bool by_conflict = file.find("conflict") != nullptr;
    if (!why.empty()) problems_.add(mark_of(by_conflict ? "conflict" : "versions"), why);
  }
  for (const SyncOptions::Mechanism& each : schedule_.node.sync.mechanisms) {
    const auto* const mechanism = find_plugin(vocabulary_.mechanisms, each.name);
    if (mechanism == nullptr || !mechanism->refuses) continue;
    const std::string why = mechanism->refuses(each.params, schedule_);
    if (!why.empty()) problems_.add(mark_of("sync"), "`" + each.name + "`: " + why);
  }
  check_operations();
}

void ScheduleReader::check_sites() {
  std::vector<std::string> known;
  for (const TopologyOptions::Site& site : schedule_.topology.sites) known.push_back(site.name);
  for (const Use& use : sites_) {
    if (std::find(known.begin(), known.end(), use.name) != known.end()) continue;
    problems_.add(use.mark, "there is no site `" + use.name + "`",
                  known.empty() ? "the scenario has no `topology`" : known_hint(use.name, known));
  }
}

// What a fault says about its own parameters, in this cluster.
void ScheduleReader::check_faults() {
  if (!problems_.empty()) return;  // the values may be none that a file can have
  for (const FaultUse& use : faults_) {
    if (!use.fault->problem) continue;
    if (const auto problem = use.fault->problem(use.params, schedule_)) {
      const auto mark = use.marks.find(problem->value);
      problems_.add(mark != use.marks.end() ? mark->second : use.mark,
                    "`" + use.fault->name + "`: " + problem->says);
    }
  }
}

}  // namespace rejoin::sim
