#include "sim/run/verdict.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "protocols/sync/promises.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/run/idle_settings.hpp"

namespace rejoin::sim {

namespace {

std::string quantity(const std::string& name, std::int64_t value) {
  return name.ends_with("_ns") ? to_text(Duration(value)) : std::to_string(value);
}

void check_metrics(const Schedule& schedule, RunRecord& record) {
  for (const auto& [name, bound] : schedule.expect.metrics) {
    const auto found = record.metrics.find(name);
    const std::optional<std::int64_t> value =
        found == record.metrics.end() ? std::nullopt : found->second;
    const auto miss = [&](std::string_view what, std::int64_t limit) {
      record.unmet.push_back("metric " + name + " is " +
                             (value ? quantity(name, *value) : "unknown") + ", expected " +
                             std::string(what) + " " + quantity(name, limit));
    };
    if (bound.at_least && (!value || *value < *bound.at_least)) miss("at least", *bound.at_least);
    if (bound.at_most && (!value || *value > *bound.at_most)) miss("at most", *bound.at_most);
    if (bound.equals && (!value || *value != *bound.equals)) miss("exactly", *bound.equals);
  }
}

void check_steps(const Schedule& schedule, RunRecord& record) {
  for (const Step& step : schedule.timeline) {
    const auto* operate = std::get_if<action::Operate>(&step.action);
    if (operate == nullptr || !operate->expect) continue;
    std::size_t wrong = 0;
    const Operation* first = nullptr;
    for (const Operation& operation : record.history) {
      if (operation.label != step.label || operation.result == *operate->expect) continue;
      if (wrong++ == 0) first = &operation;
    }
    if (wrong == 0) continue;
    record.unmet.push_back("step " + step.label + " expected " +
                           std::string(to_name(*operate->expect)) + ", but " +
                           std::string(to_name(first->kind)) + " of " + first->key + " got " +
                           std::string(to_name(first->result)) +
                           (wrong > 1 ? " (and " + std::to_string(wrong - 1) + " more)" : ""));
  }
}

// `violates` is an exact set: what was expected and stayed away is a miss too.
void check_violations(const Schedule& schedule, RunRecord& record) {
  const std::set<std::string> expected(schedule.expect.violates.begin(),
                                       schedule.expect.violates.end());
  std::set<std::string> seen;
  for (Violation& violation : record.violations) {
    violation.expected = expected.contains(violation.invariant);
    seen.insert(violation.invariant);
  }
  for (const std::string& name : expected) {
    if (!seen.contains(name)) {
      record.unmet.push_back("expected a violation of " + name + ", but it held");
    }
  }
}

// `loss did nothing (steps rain and drizzle)`, of faults that were asked for and might as well not
// have been.
std::vector<std::string> idle_faults(const RunRecord& record) {
  std::map<std::string, std::vector<std::string>> labels;  // by what is to be said of them
  for (const FaultRecord& fault : record.faults) {
    if (fault.may_miss || (fault.touched != 0 && fault.did != 0)) continue;
    labels[fault.fault + (fault.touched == 0 ? " touched nothing" : " did nothing")].push_back(
        fault.label);
  }
  std::vector<std::string> out;
  for (const auto& [says, of] : labels) {
    std::string list;
    for (std::size_t i = 0; i < of.size(); ++i) {
      list += (i == 0 ? "" : i + 1 == of.size() ? " and " : ", ") + of[i];
    }
    out.push_back(says + (of.size() == 1 ? " (step " : " (steps ") + list + ")");
  }
  return out;
}

// What proves nothing: invariants that never judged, faults that touched or did nothing. Where the
// file allows for that, so does who asks for no expectations: it is no failure that is expected.
std::vector<std::string> vacuous(const Schedule& schedule, const RunRecord& record) {
  std::vector<std::string> out;
  const auto allowed = [&](const std::string& name) {
    const std::vector<std::string>& names = schedule.expect.vacuous;
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& name : schedule.check) {
    if (!schedule.limits.promises && Invariants::find(name)->liveness) continue;  // not asked for
    const auto judged = record.judged.find(name);
    const bool never = judged == record.judged.end() || judged->second == 0;
    if (never && !allowed(name)) out.push_back(name + " never judged");
  }
  for (const std::string& idle : idle_faults(record)) {
    if (!allowed(idle.substr(0, idle.find(' ')))) out.push_back(idle);
  }
  if (record.judged.empty() && schedule.expect.metrics.empty()) {
    out.push_back("no invariant was checked");
  }
  return out;
}

std::string join(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

}  // namespace

namespace {

bool clocks_agree(const Schedule& schedule) {
  return std::none_of(schedule.timeline.begin(), schedule.timeline.end(), [](const Step& step) {
    const auto* const inject = std::get_if<action::Inject>(&step.action);
    const FaultSpec* const fault = inject == nullptr ? nullptr : Faults::find(inject->fault);
    return fault != nullptr && fault->kind == FaultClass::clock;
  });
}

// At what level a step writes, and reads; none where it does not. Direct reads have no level.
struct Levels {
  std::optional<Consistency> write;
  std::optional<Consistency> read;
};

Levels levels_of(const Step& step, const ClientOptions& client) {
  Levels out;
  if (const auto* operate = std::get_if<action::Operate>(&step.action)) {
    if (changes_key(operate->kind)) out.write = operate->level.value_or(client.write);
    const bool reads = operate->kind == OperationKind::read && !operate->direct;
    if (reads) out.read = operate->level.value_or(client.read);
  } else if (const auto* workload = std::get_if<action::Workload>(&step.action)) {
    for (const auto& [kind, share] : workload->mix) {
      if (changes_key(kind)) out.write = workload->write_level.value_or(client.write);
      if (kind == OperationKind::read) out.read = workload->read_level.value_or(client.read);
    }
  }
  return out;
}

bool reads_directly(const Schedule& schedule) {
  return std::any_of(schedule.timeline.begin(), schedule.timeline.end(), [](const Step& step) {
    const auto* const operate = std::get_if<action::Operate>(&step.action);
    return operate != nullptr && operate->kind == OperationKind::read && operate->direct;
  });
}

Terms terms_of(const Schedule& schedule, const ClientOptions& weakest) {
  return {.node = schedule.node,
          .client = weakest,
          .clocks_agree = clocks_agree(schedule),
          .direct_reads = reads_directly(schedule),
          .owners_change = schedule.cluster.nodes > schedule.node.partitioning.replication};
}

}  // namespace

ClientOptions weakest_client(const Schedule& schedule) {
  const std::uint32_t owners = schedule.node.partitioning.replication;
  Levels weakest;
  const auto take = [owners](std::optional<Consistency>& known, std::optional<Consistency> level) {
    if (!level) return;
    const bool weaker = !known || replicas_needed(*level, owners) < replicas_needed(*known, owners);
    if (weaker) known = level;
  };
  for (const Step& step : schedule.timeline) {
    const Levels levels = levels_of(step, schedule.client);
    take(weakest.write, levels.write);
    take(weakest.read, levels.read);
  }
  ClientOptions out = schedule.client;
  out.write = weakest.write.value_or(out.write);
  out.read = weakest.read.value_or(out.read);
  return out;
}

std::vector<Promise> promises_of(const Schedule& schedule) {
  const ClientOptions client = weakest_client(schedule);
  const Terms terms = terms_of(schedule, client);
  std::vector<Promise> out;
  for (const SyncOptions::Mechanism& mechanism : schedule.node.sync.mechanisms) {
    const MechanismSpec* spec = Mechanisms::find(mechanism.name);
    if (spec == nullptr) continue;
    for (const std::string_view invariant : spec->promises) {
      Promise& promise = out.emplace_back();
      promise.mechanism = mechanism.name;
      promise.invariant = invariant;
      for (const Condition* each : unmet_conditions(*spec, invariant, terms, mechanism.params)) {
        promise.unmet.emplace_back(each->says);
      }
    }
  }
  return out;
}

bool would_promise(const Schedule& schedule, std::string_view name, const Params& params,
                   std::string_view invariant) {
  const ClientOptions client = weakest_client(schedule);
  const Terms terms = terms_of(schedule, client);
  const MechanismSpec* const spec = Mechanisms::find(name);
  return spec != nullptr && promises(*spec, invariant, terms, params);
}

std::vector<std::string> invariants_to_check(const Schedule& schedule) {
  std::set<std::string> names(schedule.check.begin(), schedule.check.end());
  if (!schedule.limits.promises) {
    std::erase_if(names, [](const std::string& name) { return Invariants::find(name)->liveness; });
    return {names.begin(), names.end()};
  }
  for (const Promise& promise : promises_of(schedule)) {
    if (promise.unmet.empty()) names.insert(promise.invariant);
  }
  return {names.begin(), names.end()};
}

namespace {

// What broke and would be promised, were it not for a condition: that is why it broke.
void warn_of_conditions(const Schedule& schedule, RunRecord& record) {
  for (const Promise& promise : promises_of(schedule)) {
    const bool broke = std::any_of(
        record.violations.begin(), record.violations.end(),
        [&](const Violation& violation) { return violation.invariant == promise.invariant; });
    if (!broke || promise.unmet.empty()) continue;
    std::string takes;
    for (const std::string& each : promise.unmet) takes += (takes.empty() ? "" : "; ") + each;
    record.warnings.push_back(promise.mechanism + " promises " + promise.invariant +
                              " under a condition that this run does not meet: " + takes);
  }
}

}  // namespace

void judge(const Schedule& schedule, End end, bool expectations, RunRecord& record) {
  if (expectations) {
    check_violations(schedule, record);
    check_metrics(schedule, record);
    check_steps(schedule, record);
  }
  const std::vector<std::string> idle = idle_settings(schedule);
  record.warnings.insert(record.warnings.end(), idle.begin(), idle.end());
  warn_of_conditions(schedule, record);
  std::set<std::string> broken;
  for (const Violation& violation : record.violations) {
    if (!violation.expected) broken.insert(violation.invariant);
  }
  const std::vector<std::string> empty = vacuous(schedule, record);
  if (end == End::bound_reached) {
    record.verdict = Verdict::unbounded;
    record.verdict_says = "the run did not end within its bound of " +
                          to_text(schedule.limits.virtual_time) + " or " +
                          std::to_string(schedule.limits.events) + " events";
  } else if (!broken.empty()) {
    record.verdict = Verdict::fail;
    record.verdict_says = "broke " + join({broken.begin(), broken.end()});
  } else if (!record.unmet.empty()) {
    record.verdict = Verdict::fail;
    record.verdict_says = record.unmet.front();
  } else if (!empty.empty() && !schedule.expect.nothing) {
    record.verdict = Verdict::vacuous;
    record.verdict_says = "proves nothing: " + join(empty);
  } else {
    record.verdict = Verdict::pass;
    record.verdict_says = record.violations.empty()
                              ? "every invariant held" + (empty.empty() ? "" : "; " + join(empty))
                              : "broke " + join(schedule.expect.violates) + ", as expected";
  }
}

}  // namespace rejoin::sim
