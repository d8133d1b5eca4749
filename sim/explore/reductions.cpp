#include "sim/explore/reductions.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "sim/faults/fault.hpp"
#include "sim/run/workload.hpp"
#include "sim/scenario/fields.hpp"

namespace rejoin::sim {

namespace {

bool is_within(std::size_t at, std::size_t from, std::size_t count) {
  return at >= from && at < from + count;
}

template <class T>
void erase_range(std::vector<T>& list, std::size_t from, std::size_t count) {
  const auto begin = list.begin() + static_cast<std::ptrdiff_t>(from);
  list.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
}

action::Operate* operate_of(Step& step) {
  return std::get_if<action::Operate>(&step.action);
}
const action::Operate* operate_of(const Step& step) {
  return std::get_if<action::Operate>(&step.action);
}

const action::Workload* workload_of(const Step& step) {
  return std::get_if<action::Workload>(&step.action);
}

// Steps that ask for nothing any more are gone, too.
Schedule without_empty_steps(const Schedule& schedule) {
  std::vector<bool> empty;
  for (const Step& step : schedule.timeline) {
    const action::Operate* operate = operate_of(step);
    const action::Workload* workload = workload_of(step);
    empty.push_back((operate != nullptr && operate->keys.empty()) ||
                    (workload != nullptr && workload->keep && workload->keep->empty()));
  }
  return without_steps(schedule, empty);
}

// ---- Steps ---------------------------------------------------------------------------------

std::size_t step_count(const Schedule& schedule) {
  return schedule.timeline.size();
}
std::optional<Schedule> drop_steps(const Schedule& schedule, std::size_t from, std::size_t count) {
  std::vector<bool> marked(schedule.timeline.size());
  for (std::size_t i = 0; i < marked.size(); ++i) marked[i] = is_within(i, from, count);
  return without_steps(schedule, marked);
}

// ---- Nodes ---------------------------------------------------------------------------------

std::size_t node_count(const Schedule& schedule) {
  return schedule.cluster.nodes;
}

// ---- Keys, in every step at once; settings are keys of theirs ---------------------------------

std::vector<Key> keys_of(const Schedule& schedule) {
  std::vector<Key> out;
  std::set<Key> seen;
  for (const Step& step : schedule.timeline) {
    const action::Operate* operate = operate_of(step);
    if (operate == nullptr) continue;
    for (const Key& key : operate->keys) {
      if (seen.insert(key).second) out.push_back(key);
    }
  }
  return out;
}
std::size_t key_count(const Schedule& schedule) {
  return keys_of(schedule).size();
}
std::optional<Schedule> drop_keys(const Schedule& schedule, std::size_t from, std::size_t count) {
  std::vector<Key> keys = keys_of(schedule);
  erase_range(keys, from, count);
  const std::set<Key> kept(keys.begin(), keys.end());
  Schedule out = schedule;
  for (Step& step : out.timeline) {
    action::Operate* operate = operate_of(step);
    if (operate == nullptr) continue;
    std::erase_if(operate->keys, [&kept](const Key& key) { return !kept.contains(key); });
    std::erase_if(operate->settings,
                  [&kept](const auto& setting) { return !kept.contains(setting.first); });
  }
  return without_empty_steps(out);
}

// ---- Operations: one key of one step, or one that a workload draws
// -------------------------------

using Ranges = std::vector<action::Workload::Range>;

std::size_t count_of(const Ranges& ranges) {
  std::size_t out = 0;
  for (const auto& range : ranges) out += static_cast<std::size_t>(range.last - range.first + 1);
  return out;
}

// Without those at [from, from + count) of them all.
Ranges without_range(const Ranges& ranges, std::size_t from, std::size_t count) {
  Ranges out;
  std::uint64_t at = 0;
  for (const auto& range : ranges) {
    const std::uint64_t size = range.last - range.first + 1;
    const std::uint64_t begin = std::clamp<std::uint64_t>(from, at, at + size) - at;
    const std::uint64_t end = std::clamp<std::uint64_t>(from + count, at, at + size) - at;
    at += size;
    if (begin == end) {
      out.push_back(range);
      continue;
    }
    if (begin != 0) {
      out.push_back(
          {.client = range.client, .first = range.first, .last = range.first + begin - 1});
    }
    if (end != size) {
      out.push_back({.client = range.client, .first = range.first + end, .last = range.last});
    }
  }
  return out;
}

std::size_t operation_count(const Schedule& schedule) {
  std::size_t out = 0;
  for (const Step& step : schedule.timeline) {
    if (const action::Operate* operate = operate_of(step)) out += operate->keys.size();
    if (const action::Workload* workload = workload_of(step)) {
      out += count_of(operations_of(schedule.seed, step, *workload));
    }
  }
  return out;
}
std::optional<Schedule> drop_operations(const Schedule& schedule, std::size_t from,
                                        std::size_t count) {
  Schedule out = schedule;
  std::size_t at = 0;
  for (Step& step : out.timeline) {
    if (auto* workload = std::get_if<action::Workload>(&step.action)) {
      const Ranges all = operations_of(schedule.seed, step, *workload);
      const std::size_t size = count_of(all);
      const std::size_t begin = std::clamp(from, at, at + size) - at;
      const std::size_t end = std::clamp(from + count, at, at + size) - at;
      if (begin != end) workload->keep = without_range(all, begin, end - begin);
      at += size;
      continue;
    }
    action::Operate* operate = operate_of(step);
    if (operate == nullptr) continue;
    std::vector<Key> kept;
    for (Key& key : operate->keys) {
      if (!is_within(at++, from, count)) kept.push_back(std::move(key));
    }
    operate->keys = std::move(kept);
    std::erase_if(operate->settings, [operate](const auto& setting) {
      return std::find(operate->keys.begin(), operate->keys.end(), setting.first) ==
             operate->keys.end();
    });
  }
  return without_empty_steps(out);
}

// ---- Hosts that a fault names -------------------------------------------------------------------

// Calls `visit(hosts)` for each list of hosts with more than one in it, of each fault.
template <class Visit>
void for_each_host_list(Schedule& schedule, const Visit& visit) {
  for (Step& step : schedule.timeline) {
    auto* inject = std::get_if<action::Inject>(&step.action);
    if (inject == nullptr) continue;
    Params params = inject->params;
    for (const auto& [name, value] : inject->params.all()) {
      if (const auto* hosts = std::get_if<Selectors>(&value); hosts && hosts->size() > 1) {
        Selectors changed = *hosts;
        visit(changed);
        params.set(name, changed);
      } else if (const auto* sets = std::get_if<std::vector<Selectors>>(&value)) {
        std::vector<Selectors> changed = *sets;
        for (Selectors& set : changed) {
          if (set.size() > 1) visit(set);
        }
        params.set(name, changed);
      }
    }
    inject->params = std::move(params);
  }
}
std::size_t named_host_count(const Schedule& schedule) {
  Schedule copy = schedule;
  std::size_t out = 0;
  for_each_host_list(copy, [&out](const Selectors& hosts) { out += hosts.size(); });
  return out;
}
std::optional<Schedule> drop_named_hosts(const Schedule& schedule, std::size_t from,
                                         std::size_t count) {
  Schedule out = schedule;
  std::size_t at = 0;
  bool emptied = false;
  for_each_host_list(out, [&](Selectors& hosts) {
    std::erase_if(hosts, [&](const Selector&) { return is_within(at++, from, count); });
    emptied = emptied || hosts.empty();
  });
  if (emptied) return std::nullopt;
  return out;
}

// ---- Options: whatever differs from the default of its profile ----------------------------------

Schedule defaults_of(const Schedule& schedule) {
  Schedule out;
  out.profile = schedule.profile;
  apply_profile(out);
  return out;
}

// What the question is about, with the mechanisms of `sync`: how versions are told apart, replaced
// and forgotten, and how many replicas must agree. Without it something else would be shown.
bool is_subject(const Field& field) {
  if (field.section.empty()) {
    return field.key == "versions" || field.key == "conflict" || field.key == "gate";
  }
  if (field.section == "client") return field.key == "read" || field.key == "write";
  if (field.section == "coordinator") return field.key == "sloppy";
  return field.section == "tombstones";
}

std::vector<const Field*> chosen_fields(const Schedule& schedule) {
  const Schedule defaults = defaults_of(schedule);
  std::vector<const Field*> out;
  for (const Field& field : fields()) {
    const bool is_identity =
        field.section.empty() && (field.key == "profile" || field.key == "seed");
    // The list of nodes has its own way; promises decide what is asked for at all.
    const bool is_size = field.section == "cluster" && field.key == "nodes";
    const bool is_asked = field.section == "limits" && field.key == "promises";
    if (is_identity || is_size || is_asked || is_subject(field)) continue;
    if (field.get(schedule, field) != field.get(defaults, field)) out.push_back(&field);
  }
  return out;
}
std::size_t option_count(const Schedule& schedule) {
  return chosen_fields(schedule).size();
}
std::optional<Schedule> default_options(const Schedule& schedule, std::size_t from,
                                        std::size_t count) {
  const Schedule defaults = defaults_of(schedule);
  const std::vector<const Field*> chosen = chosen_fields(schedule);
  Schedule out = schedule;
  for (std::size_t i = from; i < from + count; ++i) {
    chosen[i]->set(out, chosen[i]->get(defaults, *chosen[i]), *chosen[i]);
  }
  return out;
}

// ---- Links and sites ----------------------------------------------------------------------------

std::size_t link_count(const Schedule& schedule) {
  return schedule.network.links.size();
}
std::optional<Schedule> drop_links(const Schedule& schedule, std::size_t from, std::size_t count) {
  Schedule out = schedule;
  erase_range(out.network.links, from, count);
  return out;
}

std::size_t site_link_count(const Schedule& schedule) {
  return schedule.topology.links.size();
}
std::optional<Schedule> drop_site_links(const Schedule& schedule, std::size_t from,
                                        std::size_t count) {
  Schedule out = schedule;
  erase_range(out.topology.links, from, count);
  return out;
}

// ---- Checks -------------------------------------------------------------------------------------

std::size_t check_count(const Schedule& schedule) {
  return schedule.check.size();
}
std::optional<Schedule> drop_checks(const Schedule& schedule, std::size_t from, std::size_t count) {
  Schedule out = schedule;
  erase_range(out.check, from, count);
  std::erase_if(out.check_params, [&](const auto& each) {
    return std::find(out.check.begin(), out.check.end(), each.first) == out.check.end();
  });
  return out;
}

// ---- Parameters of faults -----------------------------------------------------------------------

struct ChosenParam {
  std::size_t step = 0;
  std::string name;
  ParamValue fallback;
};
std::vector<ChosenParam> chosen_params(const Schedule& schedule) {
  std::vector<ChosenParam> out;
  for (std::size_t i = 0; i < schedule.timeline.size(); ++i) {
    const auto* inject = std::get_if<action::Inject>(&schedule.timeline[i].action);
    const FaultSpec* spec = inject == nullptr ? nullptr : Faults::find(inject->fault);
    if (spec == nullptr) continue;
    const Params defaults = default_params(spec->params);
    for (const auto& [name, fallback] : defaults.all()) {
      const auto given = inject->params.all().find(name);
      if (given == inject->params.all().end() || given->second == fallback) continue;
      out.push_back({.step = i, .name = name, .fallback = fallback});
    }
  }
  return out;
}
std::size_t param_count(const Schedule& schedule) {
  return chosen_params(schedule).size();
}
std::optional<Schedule> default_params_of(const Schedule& schedule, std::size_t from,
                                          std::size_t count) {
  const std::vector<ChosenParam> chosen = chosen_params(schedule);
  Schedule out = schedule;
  for (std::size_t i = from; i < from + count; ++i) {
    auto& inject = std::get<action::Inject>(out.timeline[chosen[i].step].action);
    inject.params.set(chosen[i].name, chosen[i].fallback);
  }
  return out;
}

}  // namespace

Schedule without_steps(const Schedule& schedule, const std::vector<bool>& marked) {
  std::set<std::string> gone;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    if (marked[i]) gone.insert(schedule.timeline[i].label);
  }
  Schedule out = schedule;
  out.timeline.clear();
  for (std::size_t i = 0; i < marked.size(); ++i) {
    if (marked[i]) continue;
    Step step = schedule.timeline[i];
    const auto* end = std::get_if<action::End>(&step.action);
    if (end != nullptr && gone.contains(end->label)) continue;
    const auto* when = std::get_if<trigger::When>(&step.trigger);
    if (when != nullptr && gone.contains(when->text)) step.trigger = trigger::Next{};
    out.timeline.push_back(std::move(step));
  }
  return out;
}

const std::vector<Removal>& removals() {
  static const std::vector<Removal> all = {
      {"steps", step_count, drop_steps},
      {"nodes", node_count, without_nodes},
      {"keys", key_count, drop_keys},
      {"operations", operation_count, drop_operations},
      {"links", link_count, drop_links},
      {"links of sites", site_link_count, drop_site_links},
      {"hosts", named_host_count, drop_named_hosts},
      {"options", option_count, default_options},
      {"parameters", param_count, default_params_of},
      {"checks", check_count, drop_checks},
  };
  return all;
}

ScheduleSize size_of(const Schedule& schedule) {
  std::vector<Key> keys = keys_of(schedule);
  std::set<Key> named(keys.begin(), keys.end());
  for (const Step& step : schedule.timeline) {
    const action::Workload* workload = workload_of(step);
    if (workload != nullptr) named.insert(workload->keys.begin(), workload->keys.end());
  }
  ScheduleSize out{.steps = schedule.timeline.size(),
                   .faults = 0,
                   .nodes = schedule.cluster.nodes,
                   .keys = named.size(),
                   .operations = operation_count(schedule)};
  for (const Step& step : schedule.timeline) {
    out.faults += std::holds_alternative<action::Inject>(step.action) ? 1U : 0U;
  }
  return out;
}

std::size_t weight_of(const Schedule& schedule) {
  const ScheduleSize size = size_of(schedule);
  return size.steps + size.nodes + size.operations;
}

}  // namespace rejoin::sim
