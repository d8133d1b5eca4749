#include "sim/run/check.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "protocols/membership/detector.hpp"
#include "protocols/partitioning/placement.hpp"
#include "protocols/sync/mechanism.hpp"
#include "protocols/versions/conflict.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/cluster.hpp"
#include "sim/run/contradictions.hpp"
#include "sim/run/run.hpp"
#include "sim/run/workload.hpp"

namespace rejoin::sim {
namespace {

MonotonicTime after(MonotonicTime time, Duration lasts) {
  return lasts > kForever - time ? kForever : time + lasts;
}

class Checker {
 public:
  explicit Checker(const Schedule& schedule) : schedule_(schedule) {}

  std::vector<Complaint> check() {
    check_cluster();
    for (std::size_t s = 0; s < schedule_.timeline.size(); ++s) {
      const Step& step = schedule_.timeline[s];
      if (!by_label_.emplace(step.label, s).second) {
        complain(step, "two steps are labelled " + step.label);
      }
    }
    for (std::size_t s = 0; s < schedule_.timeline.size(); ++s) check_step(s);
    if (out_.empty()) out_ = contradictions_in(schedule_);
    return std::move(out_);
  }

 private:
  void complain(const Step& step, std::string what, std::string allowed = {}) {
    out_.push_back({.where = step.where, .what = std::move(what), .allowed = std::move(allowed)});
  }
  void complain(std::string what, std::string allowed = {}) {
    out_.push_back({.where = {}, .what = std::move(what), .allowed = std::move(allowed)});
  }

  void check_cluster() {
    const PartitioningOptions& partitioning = schedule_.node.partitioning;
    if (schedule_.cluster.nodes == 0) complain("a cluster has at least one node");
    if (partitioning.partitions == 0) complain("a cluster has at least one partition");
    const ConflictSpec* const conflict = Conflicts::find(schedule_.node.store.conflict);
    const bool merges = conflict != nullptr && conflict->change != nullptr;
    if (schedule_.client.read_first && !merges &&
        !tracks_causality(schedule_.node.store.versions)) {
      complain("read-first replaces what was read, which takes versions that track causality",
               "version-vector or dvv, or a conflict whose values are changed, such as set");
    }
    if (schedule_.cluster.founders > schedule_.cluster.nodes) complain("more founders than nodes");
    if (partitioning.shortage == MapShortage::refuse &&
        founder_count(schedule_) < partitioning.replication) {
      complain(
          "with shortage: refuse, at least as many nodes found the cluster as replication asks");
    }
    if (Placements::find(partitioning.placement) == nullptr) {
      complain("unknown placement " + partitioning.placement);
    }
    const std::string& detector = schedule_.node.membership.detector;
    if (Detectors::find(detector) == nullptr) complain("unknown failure detector " + detector);
    for (const SyncOptions::Mechanism& mechanism : schedule_.node.sync.mechanisms) {
      if (Mechanisms::find(mechanism.name) == nullptr) {
        complain("unknown mechanism " + mechanism.name);
      }
    }
    const auto& mechanisms = schedule_.node.sync.mechanisms;
    const bool keeps_hints =
        std::any_of(mechanisms.begin(), mechanisms.end(),
                    [](const auto& each) { return each.name == "hinted-handoff"; });
    if (schedule_.node.coordinator.sloppy && !keeps_hints) {
      complain(
          "with coordinator.sloppy a write is kept for an owner that is down, and nothing here "
          "would give it to that owner later",
          "add hinted-handoff to `sync`");
    }
    check_level("client.write", schedule_.client.write);
    check_level("client.read", schedule_.client.read);
    for (const std::string& name : schedule_.check) {
      if (Invariants::find(name) == nullptr) complain("unknown invariant " + name);
    }
    for (const auto& [name, params] : schedule_.check_params) check_invariant(name, params);
  }

  void check_level(const std::string& where, Consistency level) {
    const std::uint32_t copies = schedule_.node.partitioning.replication;
    const std::uint32_t needed = replicas_needed(level, copies);
    if (needed > copies) {
      complain(where + " asks for " + std::string(to_name(level)) + " replicas of a key that has " +
                   std::to_string(copies),
               "one, quorum, all, or a number up to cluster.replication");
    } else if (needed > schedule_.cluster.nodes) {
      complain(where + " asks for " + std::to_string(needed) + " of " + std::to_string(copies) +
                   " copies in a cluster of " + std::to_string(schedule_.cluster.nodes) +
                   (schedule_.cluster.nodes == 1 ? " node" : " nodes"),
               "a weaker level, more nodes, or a smaller cluster.replication");
    }
  }

  // Complete, nothing else, and of the types that are declared (which defaults show).
  void check_invariant(const std::string& name, const Params& params) {
    const auto& chosen = schedule_.check;
    if (std::find(chosen.begin(), chosen.end(), name) == chosen.end()) {
      return complain("parameters of " + name + ", which is not to be checked");
    }
    const InvariantSpec* spec = Invariants::find(name);
    if (spec == nullptr) return;  // told above
    const Params defaults = default_params(spec->params);
    for (const auto& [param, value] : defaults.all()) {
      const auto given = params.all().find(param);
      if (given == params.all().end()) {
        complain(name + " lacks its parameter " + param);
      } else if (given->second.index() != value.index()) {
        complain("the parameter " + param + " of " + name + " is of another type");
      }
    }
    for (const auto& [param, value] : params.all()) {
      if (!defaults.has(param)) complain(name + " has no parameter " + param);
    }
  }

  void check_step(std::size_t s) {
    const Step& step = schedule_.timeline[s];
    if (const auto* when = std::get_if<trigger::When>(&step.trigger)) check_when(step, *when);
    if (const auto* inject = std::get_if<action::Inject>(&step.action)) {
      check_fault(step, *inject);
    } else if (const auto* end = std::get_if<action::End>(&step.action)) {
      check_end(s, *end);
    } else if (const auto* operate = std::get_if<action::Operate>(&step.action)) {
      if (operate->clients == 0 || operate->clients > schedule_.cluster.clients) {
        complain(step, "the cluster has " + std::to_string(schedule_.cluster.clients) + " clients");
      }
      if (operate->direct && operate->via.is_none()) complain(step, "a direct read names its node");
    } else if (const auto* workload = std::get_if<action::Workload>(&step.action)) {
      if (auto problem = problem_of(*workload)) complain(step, *std::move(problem));
      if (workload->clients > schedule_.cluster.clients) {
        complain(step, "the cluster has " + std::to_string(schedule_.cluster.clients) + " clients");
      }
    }
  }

  void check_when(const Step& step, const trigger::When& when) {
    using What = trigger::When::What;
    const bool of_members =
        when.what == What::removed || when.what == What::joined || when.what == What::leader;
    for (const Selector& each : when.who) {
      if (each.kind == Selector::Kind::twin && of_members) {
        complain(step, "a twin is no member of its own, and never leads its node's cluster");
      }
    }
    if (when.what != What::started && when.what != What::ended) return;
    const auto found = by_label_.find(when.text);
    if (found == by_label_.end()) return complain(step, "no step has the label " + when.text);
    if (when.what == What::ended) (void)ending_fault(step, found->second);
  }

  void check_fault(const Step& step, const action::Inject& inject) {
    const FaultSpec* const fault = Faults::find(inject.fault);
    if (fault == nullptr) return complain(step, "unknown fault " + inject.fault);
    for (const ParamSpec& spec : fault->params) {
      if (inject.params.has(spec.name)) continue;
      return complain(step, inject.fault + " lacks its parameter " + std::string(spec.name));
    }
    if (inject.lasts && !fault->ends) {
      complain(step, inject.fault + " does not last: it has no end to be given a duration to",
               "drop `for`");
    }
    if (fault->needs_disk && names_client(*fault, inject.params)) {
      complain(step, inject.fault + " needs a disk, and clients have none",
               "name nodes; `nodes` is all of them");
    }
    if (fault->of_nodes && names_client(*fault, inject.params)) {
      complain(step, inject.fault + " is for nodes: a client that stops forgets what it was to do",
               "name nodes; `isolate` cuts a client off");
    }
    if (fault->problem == nullptr) return;
    if (auto problem = fault->problem(inject.params, schedule_)) complain(step, problem->says);
  }

  // Whether the step is a fault that ends; complains about `of`, which assumes it.
  bool ending_fault(const Step& of, std::size_t s) {
    const Step& step = schedule_.timeline[s];
    const auto* const inject = std::get_if<action::Inject>(&step.action);
    const FaultSpec* const fault = inject == nullptr ? nullptr : Faults::find(inject->fault);
    if (inject == nullptr) {
      complain(of, "step " + step.label + " injects no fault that could end");
    } else if (fault != nullptr && !fault->ends) {
      complain(of, inject->fault + " of step " + step.label + " does not last: it has no end");
    }
    return fault != nullptr && fault->ends;
  }

  void check_end(std::size_t s, const action::End& end) {
    const Step& step = schedule_.timeline[s];
    const auto found = by_label_.find(end.label);
    if (found == by_label_.end()) return complain(step, "no step has the label " + end.label);
    if (!ending_fault(step, found->second)) return;
    const Step& fault = schedule_.timeline[found->second];
    const auto* const begins = std::get_if<trigger::At>(&fault.trigger);
    const auto* const ends = std::get_if<trigger::At>(&step.trigger);
    const auto& lasts = std::get<action::Inject>(fault.action).lasts;
    const bool early =
        begins != nullptr && ends != nullptr ? ends->time <= begins->time : s < found->second;
    if (early && (begins == nullptr || ends != nullptr)) {
      complain(step, "the fault of step " + end.label + " begins only after this ends it",
               "end it later than it begins");
    } else if (begins != nullptr && ends != nullptr && lasts &&
               ends->time > after(begins->time, *lasts)) {
      complain(step,
               "the fault of step " + end.label + " is over by then: it lasts " + to_text(*lasts) +
                   " from " + to_seconds_text(begins->time) + " on",
               "end it earlier, or drop its `for`");
    }
  }

  static bool names_client(const FaultSpec& fault, const Params& params) {
    for (const ParamSpec& spec : fault.params) {
      if (spec.type != ParamType::hosts) continue;
      for (const Selector& host : params.get<Selectors>(spec.name)) {
        using Kind = Selector::Kind;
        if (host.kind == Kind::client || host.kind == Kind::clients || host.kind == Kind::all) {
          return true;
        }
      }
    }
    return false;
  }

  const Schedule& schedule_;
  std::map<std::string, std::size_t> by_label_;
  std::vector<Complaint> out_;
};

}  // namespace

std::vector<Complaint> complaints_about(const Schedule& schedule) {
  return Checker(schedule).check();
}

std::vector<std::string> check_schedule(const Schedule& schedule) {
  std::vector<std::string> out;
  for (const Complaint& each : complaints_about(schedule)) {
    out.push_back((each.where.empty() ? "" : each.where + ": ") + each.what +
                  (each.allowed.empty() ? "" : " (" + each.allowed + ")"));
  }
  return out;
}

}  // namespace rejoin::sim
