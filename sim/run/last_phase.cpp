#include "sim/run/last_phase.hpp"

#include <algorithm>

#include "sim/invariants/invariant.hpp"
#include "sim/run/targets.hpp"

namespace rejoin::sim {

namespace {

constexpr std::string_view kLabel = "last phase";  // no step has it: labels have no spaces

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

}  // namespace

void LastPhase::on_fact(const FactSource& source, const Fact& fact) {
  constexpr FactSet kInterests =
      fact_set<fact::ProcessStarted, fact::ProcessHalted, fact::StorageCorrupt, fact::DiskWiped,
               fact::RepairFailed, fact::RepairCompleted>();
  if ((kInterests >> fact.index() & 1U) == 0 || source.node.is_none() || source.twin) return;
  Past& past = past_[source.node];
  if (std::holds_alternative<fact::ProcessStarted>(fact)) {
    past.started = true;
    past.halted.clear();
    past.failed.clear();
  } else if (const auto* halted = std::get_if<fact::ProcessHalted>(&fact)) {
    past.halted = halted->reason;
  } else if (std::holds_alternative<fact::StorageCorrupt>(fact)) {
    past.corrupt = true;
  } else if (const auto* wiped = std::get_if<fact::DiskWiped>(&fact)) {
    if (wiped->part == "all") past.corrupt = false;
  } else if (const auto* failed = std::get_if<fact::RepairFailed>(&fact)) {
    past.failed.insert(failed->partition);
  } else if (const auto* completed = std::get_if<fact::RepairCompleted>(&fact)) {
    past.failed.erase(completed->partition);
  }
}

void LastPhase::begin() {
  begun_ = true;
  began_ = quiet_from_ = kernel_.now();
  if (!schedule_.limits.heal) return;
  timeline_.take_back_all();
  const std::vector<Address> hosts =
      resolve(schedule_.limits.core,
              {.schedule = schedule_, .kernel = kernel_, .world = world_, .label = kLabel});
  for (const auto& [node, past] : past_) {
    const bool named =
        std::find(hosts.begin(), hosts.end(), kernel_.address_of(node)) != hosts.end();
    if (named && past.started) core_.push_back(node);
  }
  (void)revive();
}

bool LastPhase::is_over(MonotonicTime next_event) {
  const MonotonicTime quiet_since = std::max(quiet_from_, world_.last_change());
  if (next_event <= quiet_since + schedule_.limits.settle_quiet) return false;
  if (revive()) {
    quiet_from_ = kernel_.now();
    return false;
  }
  return std::all_of(core_.begin(), core_.end(), [this](NodeId node) { return is_whole(node); });
}

// Starts who is down and may be tried once more.
bool LastPhase::revive() {
  bool any = false;
  for (const NodeId node : core_) {
    Past& past = past_.at(node);
    const Address host = kernel_.address_of(node);
    if (kernel_.is_up(host) || past.tries == kTriesMax) continue;
    ++past.tries;
    const bool wipe = past.corrupt || (past.tries == kTriesMax && !past.halted.empty());
    if (!kernel_.start(host, {.wipe = wipe ? Wipe::all : Wipe::none})) continue;
    started_.push_back(to_name(node) + (wipe ? " (on an empty disk)" : ""));
    any = true;
  }
  return any;
}

bool LastPhase::repairs(NodeId node) const {
  if (world_.node(node).repairs_under_way != 0) return true;
  const std::set<PartitionId>& failed = past_.at(node).failed;
  return std::any_of(failed.begin(), failed.end(), [&](PartitionId partition) {
    return partition.value < world_.map().partition_count() && world_.map().owns(node, partition);
  });
}

bool LastPhase::is_whole(NodeId node) const {
  const ShadowNode& shadow = world_.node(node);
  return shadow.up && shadow.member && !repairs(node);
}

void LastPhase::finish(RunRecord& record) const {
  if (!begun_ || core_.empty()) return;
  Transition& row = record.transitions.emplace_back();
  row.at = began_;
  row.completed = kernel_.now();
  row.label = kLabel;
  row.what = "all faults end";
  if (!started_.empty()) {
    row.what += "; " + joined(started_) + (started_.size() == 1 ? " starts" : " start");
  }
  for (const auto& [node, shadow] : world_.nodes()) {
    row.nodes.push_back(world_.snapshot(node, kernel_.now()));
  }
  if (!schedule_.limits.promises) return;
  for (const NodeId node : core_) {
    if (is_whole(node)) continue;
    const ShadowNode& shadow = world_.node(node);
    const std::string& halted = past_.at(node).halted;
    const std::string lacks = !shadow.up ? "is down" + (halted.empty() ? "" : " (" + halted + ")")
                              : !shadow.member ? "is no member"
                                               : "has not repaired all that it owns";
    record.unmet.push_back(to_name(node) + ", of the core, " + lacks + " " +
                           rejoin::to_text(kernel_.now() - began_) +
                           " after all faults have ended");
  }
}

}  // namespace rejoin::sim
