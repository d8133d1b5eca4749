#include "sim/run/check.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "protocols/partitioning/placement.hpp"
#include "protocols/sync/mechanism.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/cluster.hpp"
#include "sim/run/run.hpp"

namespace rejoin::sim {
namespace {

// When something that a schedule says is in force: from its start to before its end.
struct Interval {
  MonotonicTime from{};
  MonotonicTime until{};
};
MonotonicTime after(MonotonicTime time, Duration lasts) {
  return lasts > kForever - time ? kForever : time + lasts;
}
bool overlap(const Interval& a, const Interval& b) {
  // Two moments at one time overlap, too.
  return a.from == b.from || (a.from < b.until && b.from < a.until);
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
    if (out_.empty()) check_claims();
    return std::move(out_);
  }

 private:
  // What a fault holds, where the schedule alone says of whom and when.
  struct Claim {
    std::size_t step = 0;
    std::string_view thing;
    std::string host;
    Interval when{};
  };

  void complain(const Step& step, std::string what, std::string allowed = {}) {
    out_.push_back({.where = step.where, .what = std::move(what), .allowed = std::move(allowed)});
  }
  void complain(std::string what) {
    out_.push_back({.where = {}, .what = std::move(what), .allowed = {}});
  }

  void check_cluster() {
    const PartitioningOptions& partitioning = schedule_.node.partitioning;
    if (schedule_.cluster.nodes == 0) complain("a cluster has at least one node");
    if (partitioning.partitions == 0) complain("a cluster has at least one partition");
    if (schedule_.cluster.founders > schedule_.cluster.nodes) complain("more founders than nodes");
    if (partitioning.shortage == MapShortage::refuse &&
        founder_count(schedule_) < partitioning.replication) {
      complain(
          "with shortage: refuse, at least as many nodes found the cluster as replication asks");
    }
    if (Placements::find(partitioning.placement) == nullptr) {
      complain("unknown placement " + partitioning.placement);
    }
    for (const SyncOptions::Mechanism& mechanism : schedule_.node.sync.mechanisms) {
      if (Mechanisms::find(mechanism.name) == nullptr) {
        complain("unknown mechanism " + mechanism.name);
      }
    }
    for (const std::string& name : schedule_.check) {
      if (Invariants::find(name) == nullptr) complain("unknown invariant " + name);
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
    if (auto problem = fault->problem(inject.params, schedule_)) complain(step, *problem);
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

  // ---- Contradictions ----

  // From when to when the fault of a step is in force; none when that is known only in the run.
  // One that stays until another undoes it (a crash, a restart) is taken for a moment.
  [[nodiscard]] std::optional<Interval> interval(std::size_t s) const {
    const Step& step = schedule_.timeline[s];
    const auto* const at = std::get_if<trigger::At>(&step.trigger);
    if (at == nullptr) return std::nullopt;
    const auto& inject = std::get<action::Inject>(step.action);
    const FaultSpec& fault = *Faults::find(inject.fault);
    Interval out{.from = at->time, .until = kForever};
    if (inject.lasts) {
      out.until = after(at->time, *inject.lasts);
    } else if (!fault.ends || fault.stays) {
      out.until = at->time;
    }
    for (const Step& other : schedule_.timeline) {
      const auto* const end = std::get_if<action::End>(&other.action);
      if (end == nullptr || end->label != step.label) continue;
      const auto* const ends_at = std::get_if<trigger::At>(&other.trigger);
      // Ended by a fact: all that is known is that it has begun.
      out.until = std::min(out.until, ends_at == nullptr ? out.from : ends_at->time);
    }
    return out;
  }

  // Hosts by name.
  [[nodiscard]] std::set<std::string> named_hosts(const FaultSpec& fault,
                                                  const Params& params) const {
    using Kind = Selector::Kind;
    std::set<std::string> out;
    for (const ParamSpec& spec : fault.params) {
      if (spec.type != ParamType::hosts) continue;
      for (const Selector& host : params.get<Selectors>(spec.name)) {
        if (host.kind == Kind::node || host.kind == Kind::client) out.insert(to_text(host));
        if (host.kind == Kind::nodes || host.kind == Kind::all) {
          for (std::uint32_t n = 1; n <= schedule_.cluster.nodes; ++n) {
            out.insert(to_name(NodeId(n)));
          }
        }
        if (host.kind == Kind::clients || host.kind == Kind::all) {
          for (std::uint32_t c = 1; c <= schedule_.cluster.clients; ++c) {
            out.insert(to_name(ClientId(c)));
          }
        }
      }
    }
    return out;
  }

  void check_claims() {
    std::map<std::pair<std::string, std::string_view>, std::vector<Claim>> claims;
    for (std::size_t s = 0; s < schedule_.timeline.size(); ++s) {
      const auto* const inject = std::get_if<action::Inject>(&schedule_.timeline[s].action);
      if (inject == nullptr || inject->may_miss) continue;
      const FaultSpec& fault = *Faults::find(inject->fault);
      if (fault.claims.empty()) continue;
      const auto when = interval(s);
      if (!when) continue;
      for (const std::string& host : named_hosts(fault, inject->params)) {
        claims[{host, fault.claims}].push_back(
            {.step = s, .thing = fault.claims, .host = host, .when = *when});
      }
    }
    for (const auto& [of, held] : claims) {
      for (std::size_t b = 0; b < held.size(); ++b) {
        for (std::size_t a = 0; a < b; ++a) {
          if (overlap(held[a].when, held[b].when)) contradict(held[a], held[b]);
        }
      }
    }
  }

  void contradict(const Claim& a, const Claim& b) {
    const bool a_first = a.when.from <= b.when.from;
    const Claim& first = a_first ? a : b;
    const Claim& second = a_first ? b : a;
    const auto name = [this](const Claim& claim) {
      return std::get<action::Inject>(schedule_.timeline[claim.step].action).fault;
    };
    const std::string until =
        first.when.until == kForever ? "to the end" : "until " + to_seconds_text(first.when.until);
    complain(schedule_.timeline[second.step],
             name(second) + " of " + second.host + " at " + to_seconds_text(second.when.from) +
                 " contradicts " + name(first) + " of step " +
                 schedule_.timeline[first.step].label + ", which has its " +
                 std::string(first.thing) + " from " + to_seconds_text(first.when.from) + " " +
                 until,
             "let one end before the other begins, or strike different hosts");
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
