// Schedules as scenario files: what fuzzing saves and shrinking writes.
#include <algorithm>
#include <utility>

#include "model/params.hpp"
#include "sim/scenario/fields.hpp"
#include "sim/scenario/print.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/scenario/write.hpp"

namespace rejoin::sim {

Tree map_of(std::vector<std::pair<std::string, Tree>> entries) {
  Tree out = make_map({});
  for (auto& [key, value] : entries) out.entries.push_back({key, {}, std::move(value)});
  return out;
}

Tree tree_of(Duration duration) {
  return make_scalar(rejoin::to_text(duration));
}
Tree tree_of(std::uint64_t number) {
  return make_scalar(std::to_string(number));
}

Tree tree_of(const ParamValue& value) {
  const auto hosts = [](const Selectors& list) {
    Tree out = make_list({});
    for (const Selector& each : list) out.items.push_back(make_scalar(rejoin::to_text(each)));
    return out;
  };
  if (const auto* list = std::get_if<Selectors>(&value); list && list->size() > 1) {
    return hosts(*list);
  }
  const auto* const sets = std::get_if<std::vector<Selectors>>(&value);
  if (sets != nullptr && !sets->empty()) {
    Tree out = make_list({});
    for (const auto& set : *sets) out.items.push_back(hosts(set));
    return out;
  }
  if (const auto* delay = std::get_if<Delay>(&value)) return tree_of(delay->options());
  return make_scalar(to_text(value));
}

namespace {

// Names as files and the schema spell them.

}  // namespace

Tree tree_of(const Params& params) {
  Tree out = make_map({});
  for (const auto& [name, value] : params.all()) out.set(written_name(name), tree_of(value));
  return out;
}

namespace {

// Those that differ from the plugin's defaults. `first_alone`: the first may stand for all.
Tree short_tree_of(const Params& params, const Vocabulary::Plugin& plugin, bool first_alone) {
  const Params defaults = default_params(plugin.params);
  Params chosen;
  for (const auto& [name, value] : params.all()) {
    const auto usual = defaults.all().find(name);
    if (usual == defaults.all().end() || usual->second != value) chosen.set(name, value);
  }
  Tree out = tree_of(chosen);
  if (!first_alone || out.entries.size() != 1 || plugin.params.empty()) return out;
  const Entry& only = out.entries.front();
  const bool is_first = only.key == written_name(plugin.params.front().name);
  return is_first && (only.value.is_scalar() || only.value.is_list()) ? Tree(only.value) : out;
}

Tree list_of(const std::vector<std::string>& texts) {
  Tree out = make_list({});
  for (const std::string& text : texts) out.items.push_back(make_scalar(text));
  return out;
}

// `key-7` followed by `key-8`?
bool follows(const Key& before, const Key& key) {
  const std::size_t digits = before.find_last_not_of("0123456789") + 1;
  const auto number = parse_integer(std::string_view(before).substr(digits));
  return number && digits != 0 && key == before.substr(0, digits) + std::to_string(*number + 1);
}

Tree of_keys(const std::vector<Key>& keys) {
  Tree out = make_list({});
  for (std::size_t i = 0; i < keys.size();) {
    std::size_t last = i;
    while (last + 1 < keys.size() && follows(keys[last], keys[last + 1])) ++last;
    out.items.push_back(make_scalar(last == i ? keys[i] : keys[i] + ".." + keys[last]));
    i = last + 1;
  }
  if (out.items.size() != 1) return out;
  Tree one = std::move(out.items[0]);
  return one;
}

void add_trigger(const Trigger& trigger, Tree& step) {
  using What = trigger::When::What;
  if (const auto* at = std::get_if<trigger::At>(&trigger)) {
    step.set("at", tree_of(at->time.time_since_epoch()));
  } else if (const auto* after = std::get_if<trigger::After>(&trigger)) {
    step.set("after", tree_of(after->delay));
  } else if (const auto* quiet = std::get_if<trigger::Quiet>(&trigger)) {
    step.set("when", map_of({{"quiet", tree_of(quiet->length)}}));
  }
  const auto* const when = std::get_if<trigger::When>(&trigger);
  if (when == nullptr) return;
  const Tree node = when->who.empty()
                        ? make_scalar(when->node.is_none() ? "any" : to_name(when->node))
                        : tree_of(ParamValue(when->who));
  const auto fact = [&](std::string name, Tree value) {
    step.set("when", map_of({{std::move(name), std::move(value)}}));
  };
  const Tree count = tree_of(when->count);
  const auto sync = [&] { return map_of({{"node", node}, {"count", count}}); };
  switch (when->what) {
    case What::removed:
      return fact("removed", node);
    case What::joined:
      return fact("joined", node);
    case What::leader:
      return fact("leader", node);
    case What::rebalanced:
      return fact("rebalanced", make_scalar("any"));
    case What::repair_started:
      return fact("repair-started", node);
    case What::repair_completed:
      return fact("repair-completed", node);
    case What::started:
      return fact("started", make_scalar(when->text));
    case What::ended:
      return fact("ended", make_scalar(when->text));
    case What::crashed:
      return fact("crashed", node);
    case What::halted:
      return fact("halted", node);
    case What::storage_corrupt:
      return fact("storage-corrupt", node);
    case What::gate_opened:
      return fact("gate-opened", node);
    case What::hook_fired:
      return fact("hook-fired", node);
    case What::upgraded:
      return fact("upgraded", node);
    case What::committed_index:
      return fact("committed", map_of({{"index", count}}));
    case What::committed_count:
      return fact("committed", map_of({{"count", count}}));
    case What::sync_requested:
      return fact("sync-requested", sync());
    case What::sync_completed:
      return fact("sync-completed", sync());
  }
}

void add_operate(const action::Operate& operate, Tree& step) {
  if (operate.kind == OperationKind::configure) {
    Tree settings = make_map({});
    for (const Key& name : operate.keys) {
      const auto at = operate.settings.find(name);
      if (at != operate.settings.end()) settings.set(name, make_scalar(at->second));
    }
    step.set("set", std::move(settings));
  } else {
    Tree what = map_of({{"keys", of_keys(operate.keys)}});
    if (operate.level) what.set("level", make_scalar(std::string(to_name(*operate.level))));
    if (!operate.via.is_none()) what.set("via", make_scalar(to_name(operate.via)));
    if (operate.direct) what.set("direct", make_scalar("true"));
    if (operate.clients != 1) what.set("clients", tree_of(std::uint64_t{operate.clients}));
    if (operate.every != 0ns) what.set("every", tree_of(operate.every));
    if (!operate.value.empty()) {
      const bool counts = operate.kind == OperationKind::increment;
      what.set(counts ? "by" : "element", make_scalar(operate.value));
    }
    step.set(to_name(operate.kind), std::move(what));
  }
  if (operate.background) step.set("background", make_scalar("true"));
  if (operate.expect) step.set("expect", make_scalar(std::string(to_name(*operate.expect))));
}

std::string rate_text(std::uint64_t per_hour) {
  if (per_hour % 3'600 == 0) return std::to_string(per_hour / 3'600) + "/s";
  if (per_hour % 60 == 0) return std::to_string(per_hour / 60) + "/m";
  return std::to_string(per_hour) + "/h";
}

Tree of_popularity(const action::Workload::Popularity& popularity) {
  using Kind = action::Workload::Popularity::Kind;
  switch (popularity.kind) {
    case Kind::uniform:
      return make_scalar("uniform");
    case Kind::zipf: {
      std::string text = std::to_string(1'000'000 + popularity.exponent_ppm % 1'000'000).substr(1);
      while (text.ends_with('0')) text.pop_back();
      const std::string whole = std::to_string(popularity.exponent_ppm / 1'000'000);
      return map_of({{"zipf", make_scalar(text.empty() ? whole : whole + "." + text)}});
    }
    case Kind::hot:
      return map_of({{"hot", map_of({{"share", tree_of(ParamValue(popularity.share))},
                                     {"of", tree_of(ParamValue(popularity.of))}})}});
  }
  return {};
}

Tree of_keep(const std::vector<action::Workload::Range>& keep) {
  Tree out = make_list({});
  for (const action::Workload::Range& range : keep) {
    std::string text = to_name(range.client) + "/" + std::to_string(range.first);
    if (range.last != range.first) text += ".." + std::to_string(range.last);
    out.items.push_back(make_scalar(std::move(text)));
  }
  return out;
}

void add_workload(const action::Workload& workload, Tree& step) {
  Tree what = map_of({{"keys", of_keys(workload.keys)}});
  if (workload.operations) what.set("operations", tree_of(*workload.operations));
  if (workload.lasts) what.set("for", tree_of(*workload.lasts));
  if (workload.clients != 1) what.set("clients", tree_of(std::uint64_t{workload.clients}));
  Tree mix = make_map({});
  for (const auto& [kind, share] : workload.mix) {
    mix.set(to_name(kind), tree_of(ParamValue(share)));
  }
  what.set("mix", std::move(mix));
  const action::Workload defaults;
  if (workload.popularity != defaults.popularity) {
    what.set("popularity", of_popularity(workload.popularity));
  }
  const auto& size = workload.value_size;
  if (size != defaults.value_size) {
    const std::string least = to_text(ParamValue(Size{size.min}));
    what.set("value-size", make_scalar(size.min == size.max
                                           ? least
                                           : least + ".." + to_text(ParamValue(Size{size.max}))));
  }
  if (workload.elements != defaults.elements) what.set("elements", tree_of(workload.elements));
  if (workload.rate_per_hour != 0) what.set("rate", make_scalar(rate_text(workload.rate_per_hour)));
  if (workload.arrivals == action::Workload::Arrivals::even) {
    what.set("arrivals", make_scalar("even"));
  }
  if (workload.think != defaults.think) what.set("think", tree_of(ParamValue(workload.think)));
  const auto level = [&what](std::string_view key, const std::optional<Consistency>& value) {
    if (value) what.set(key, make_scalar(std::string(to_name(*value))));
  };
  level("read-level", workload.read_level);
  level("write-level", workload.write_level);
  if (!workload.via.is_none()) what.set("via", make_scalar(to_name(workload.via)));
  if (workload.keep) what.set("keep", of_keep(*workload.keep));
  step.set("workload", std::move(what));
  if (workload.background) step.set("background", make_scalar("true"));
}

// `vocabulary`: to be as short as it allows; none: whole.
Tree step_tree(const Step& step, const Vocabulary* vocabulary) {
  Tree out = map_of({{"label", make_scalar(step.label)}});
  add_trigger(step.trigger, out);
  if (const auto* operate = std::get_if<action::Operate>(&step.action)) {
    add_operate(*operate, out);
  } else if (const auto* workload = std::get_if<action::Workload>(&step.action)) {
    add_workload(*workload, out);
  } else if (const auto* inject = std::get_if<action::Inject>(&step.action)) {
    const auto* const plugin =
        vocabulary == nullptr ? nullptr : find_plugin(vocabulary->faults, inject->fault);
    out.set(inject->fault, plugin == nullptr ? tree_of(inject->params)
                                             : short_tree_of(inject->params, *plugin, true));
    if (inject->lasts) out.set("for", tree_of(*inject->lasts));
    if (inject->may_miss) out.set("may-miss", make_scalar("true"));
  } else if (const auto* end = std::get_if<action::End>(&step.action)) {
    out.set("end", make_scalar(end->label));
  } else if (std::holds_alternative<trigger::Next>(step.trigger)) {
    out.set("wait", make_scalar("true"));
  }
  return out;
}

Tree expectation_tree(const Expectation& expect) {
  Tree out = make_map({});
  if (!expect.violates.empty()) out.set("violates", list_of(expect.violates));
  if (!expect.vacuous.empty()) out.set("vacuous", list_of(expect.vacuous));
  Tree metrics = make_map({});
  for (const auto& [name, bound] : expect.metrics) {
    Tree limits = make_map({});
    const auto add = [&](std::string_view key, const std::optional<std::int64_t>& value) {
      if (value) limits.set(key, make_scalar(std::to_string(*value)));
    };
    add("at-least", bound.at_least);
    add("at-most", bound.at_most);
    add("equals", bound.equals);
    metrics.set(written_name(name), std::move(limits));
  }
  if (!metrics.entries.empty()) out.set("metrics", std::move(metrics));
  return out;
}

// The scalar keys that differ from the profile's defaults.
void add_fields(const Schedule& schedule, Tree& file) {
  Schedule defaults;
  defaults.profile = schedule.profile;
  apply_profile(defaults);
  for (const Field& field : fields()) {
    const ParamValue value = field.get(schedule, field);
    const bool always = field.key == "profile" || field.key == "seed";
    if (!always && value == field.get(defaults, field)) continue;
    // `network.weather` is a map in a map.
    Tree* map = &file;
    for (std::string_view path = field.section; !path.empty();) {
      const std::string_view name = path.substr(0, path.find('.'));
      if (map->find(name) == nullptr) map->set(name, make_map({}));
      map = map->find(name);
      path.remove_prefix(std::min(path.size(), name.size() + 1));
    }
    map->set(field.key, tree_of(value));
  }
}

// A plugin of `among` by its name, with the parameters that are not what it has anyway.
Tree plugin_tree(const std::string& name, const Params& params,
                 const std::vector<Vocabulary::Plugin>* among) {
  const auto* const plugin = among == nullptr ? nullptr : find_plugin(*among, name);
  if (plugin == nullptr) return map_of({{name, tree_of(params)}});
  Tree chosen = short_tree_of(params, *plugin, false);
  if (chosen.entries.empty()) return make_scalar(name);
  return map_of({{name, std::move(chosen)}});
}

Tree check_tree(const Schedule& schedule, const Vocabulary* vocabulary) {
  Tree out = make_list({});
  for (const std::string& name : schedule.check) {
    const auto params = schedule.check_params.find(name);
    out.items.push_back(
        params == schedule.check_params.end()
            ? make_scalar(name)
            : plugin_tree(name, params->second,
                          vocabulary == nullptr ? nullptr : &vocabulary->invariants));
  }
  return out;
}

Tree tree_with(const Schedule& schedule, const Vocabulary* vocabulary) {
  Tree file = map_of(
      {{"format", make_scalar(std::to_string(kFormat))}, {"name", make_scalar(schedule.name)}});
  if (!schedule.about.empty()) file.set("about", make_scalar(schedule.about));
  add_fields(schedule, file);
  add_network(schedule.network, file);
  add_topology(schedule.topology, file);
  Tree sync = make_list({});
  for (const SyncOptions::Mechanism& mechanism : schedule.node.sync.mechanisms) {
    sync.items.push_back(plugin_tree(mechanism.name, mechanism.params,
                                     vocabulary == nullptr ? nullptr : &vocabulary->mechanisms));
  }
  const bool is_short = vocabulary != nullptr && sync.items.size() == 1;
  file.set("sync", sync.items.empty() ? make_scalar("none")
                   : is_short         ? Tree(sync.items.front())
                                      : std::move(sync));
  Tree timeline = make_list({});
  for (const Step& step : schedule.timeline) timeline.items.push_back(step_tree(step, vocabulary));
  file.set("timeline", std::move(timeline));
  file.set("check", check_tree(schedule, vocabulary));
  Tree expect = expectation_tree(schedule.expect);
  if (!expect.entries.empty()) file.set("expect", std::move(expect));
  return in_order(file);
}

}  // namespace

Tree as_tree(const Schedule& schedule) {
  return tree_with(schedule, nullptr);
}

std::string to_yaml(const Schedule& schedule) {
  return print_yaml(as_tree(schedule));
}

std::string to_short_yaml(const Schedule& schedule, const Vocabulary& vocabulary) {
  return print_yaml(tree_with(schedule, &vocabulary));
}

}  // namespace rejoin::sim
