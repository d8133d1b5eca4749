// Schedules as scenario files: what fuzzing saves and shrinking writes.
#include <utility>

#include "model/distribution.hpp"
#include "model/params.hpp"
#include "sim/scenario/fields.hpp"
#include "sim/scenario/print.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

namespace {

Tree map_of(std::vector<std::pair<std::string, Tree>> entries) {
  Tree out = make_map({});
  for (auto& [key, value] : entries) out.entries.push_back({key, {}, std::move(value)});
  return out;
}

Tree list_of(const std::vector<std::string>& texts) {
  Tree out = make_list({});
  for (const std::string& text : texts) out.items.push_back(make_scalar(text));
  return out;
}

Tree of(Duration duration) {
  return make_scalar(rejoin::to_text(duration));
}
Tree of(std::uint64_t number) {
  return make_scalar(std::to_string(number));
}

Tree of(const ParamValue& value) {
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
  return make_scalar(to_text(value));
}

Tree of(const Params& params) {
  Tree out = make_map({});
  for (const auto& [name, value] : params.all()) out.set(name, of(value));
  return out;
}

Tree of(const LatencyOptions& latency) {
  const DistributionSpec* const spec = Distributions::find(latency.distribution);
  Tree out = map_of({{latency.distribution, of(latency.params)}});
  if (spec != nullptr && spec->params.size() == 1) {
    out = map_of({{latency.distribution, of(latency.params.all().begin()->second)}});
  }
  if (latency.floor != 0ns) out.set("floor", of(latency.floor));
  if (latency.cap != kNoCap) out.set("cap", of(latency.cap));
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
    step.set("at", of(at->time.time_since_epoch()));
  } else if (const auto* after = std::get_if<trigger::After>(&trigger)) {
    step.set("after", of(after->delay));
  } else if (const auto* quiet = std::get_if<trigger::Quiet>(&trigger)) {
    step.set("when", map_of({{"quiet", of(quiet->length)}}));
  }
  const auto* const when = std::get_if<trigger::When>(&trigger);
  if (when == nullptr) return;
  const Tree node = make_scalar(to_name(when->node));
  const auto fact = [&](std::string name, Tree value) {
    step.set("when", map_of({{std::move(name), std::move(value)}}));
  };
  const auto sync = [&] { return map_of({{"node", node}, {"count", of(when->count)}}); };
  switch (when->what) {
    case What::removed:
      return fact("removed", node);
    case What::joined:
      return fact("joined", node);
    case What::leader:
      return fact("leader", make_scalar("any"));
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
    if (operate.clients != 1) what.set("clients", of(std::uint64_t{operate.clients}));
    if (operate.every != 0ns) what.set("every", of(operate.every));
    step.set(to_name(operate.kind), std::move(what));
  }
  if (operate.background) step.set("background", make_scalar("true"));
  if (operate.expect) step.set("expect", make_scalar(std::string(to_name(*operate.expect))));
}

Tree of(const Step& step) {
  Tree out = map_of({{"label", make_scalar(step.label)}});
  add_trigger(step.trigger, out);
  if (const auto* operate = std::get_if<action::Operate>(&step.action)) {
    add_operate(*operate, out);
  } else if (const auto* inject = std::get_if<action::Inject>(&step.action)) {
    out.set(inject->fault, of(inject->params));
    if (inject->lasts) out.set("for", of(*inject->lasts));
    if (inject->may_miss) out.set("may-miss", make_scalar("true"));
  } else if (const auto* end = std::get_if<action::End>(&step.action)) {
    out.set("end", make_scalar(end->label));
  } else if (std::holds_alternative<trigger::Next>(step.trigger)) {
    out.set("wait", make_scalar("true"));
  }
  return out;
}

Tree of(const Expectation& expect) {
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
    metrics.set(name, std::move(limits));
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
    if (field.section.empty()) {
      file.set(field.key, of(value));
      continue;
    }
    if (file.find(field.section) == nullptr) file.set(field.section, make_map({}));
    file.find(field.section)->set(field.key, of(value));
  }
}

void add_network(const NetworkOptions& network, Tree& file) {
  Tree out = make_map({});
  if (const Tree* const fields_of_network = file.find("network")) out = *fields_of_network;
  if (!(network.latency == NetworkOptions{}.latency)) out.set("latency", of(network.latency));
  Tree by_purpose = make_map({});
  for (std::size_t i = 0; i < network.latency_by_purpose.size(); ++i) {
    const auto& latency = network.latency_by_purpose[i];
    if (latency) by_purpose.set(to_name(static_cast<Purpose>(i)), of(*latency));
  }
  if (!by_purpose.entries.empty()) out.set("latency-by-purpose", std::move(by_purpose));
  Tree links = make_list({});
  for (const NetworkOptions::Link& link : network.links) {
    links.items.push_back(map_of({{"from", make_scalar(to_name(link.from))},
                                  {"to", make_scalar(to_name(link.to))},
                                  {"latency", of(link.latency)}}));
  }
  if (!links.items.empty()) out.set("links", std::move(links));
  if (!out.entries.empty()) file.set("network", std::move(out));
}

}  // namespace

Tree as_tree(const Schedule& schedule) {
  Tree file = map_of(
      {{"format", make_scalar(std::to_string(kFormat))}, {"name", make_scalar(schedule.name)}});
  if (!schedule.about.empty()) file.set("about", make_scalar(schedule.about));
  add_fields(schedule, file);
  add_network(schedule.network, file);
  Tree sync = make_list({});
  for (const SyncOptions::Mechanism& mechanism : schedule.node.sync.mechanisms) {
    sync.items.push_back(map_of({{mechanism.name, of(mechanism.params)}}));
  }
  file.set("sync", sync.items.empty() ? make_scalar("none") : std::move(sync));
  Tree timeline = make_list({});
  for (const Step& step : schedule.timeline) timeline.items.push_back(of(step));
  file.set("timeline", std::move(timeline));
  file.set("check", list_of(schedule.check));
  Tree expect = of(schedule.expect);
  if (!expect.entries.empty()) file.set("expect", std::move(expect));
  return in_order(file);
}

std::string to_yaml(const Schedule& schedule) {
  return print_yaml(as_tree(schedule));
}

}  // namespace rejoin::sim
