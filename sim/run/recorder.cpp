#include "sim/run/recorder.hpp"

#include <algorithm>

#include "sim/run/event_recorder.hpp"
#include "sim/run/figures.hpp"
#include "sim/run/metrics.hpp"

namespace rejoin::sim {

namespace {

std::string list_keys(const std::vector<Key>& keys) {
  if (keys.empty()) return "nothing";
  if (keys.size() == 1) return keys.front();
  return keys.front() + ".." + keys.back();
}

bool is_one(const Selectors& who) {
  using Kind = Selector::Kind;
  constexpr Kind kOnes[] = {Kind::node,   Kind::leader, Kind::follower,
                            Kind::member, Kind::owner,  Kind::twin};
  if (who.size() != 1) return false;
  const Selector& only = who.front();
  return std::find(std::begin(kOnes), std::end(kOnes), only.kind) != std::end(kOnes) ||
         (only.kind == Kind::random && only.count == 1);
}

// `node-3`, `the leader`, `one of node-1 and node-2`, `some node`.
std::string says_whom(const trigger::When& when) {
  if (!when.node.is_none()) return to_name(when.node);
  if (when.who.empty()) return "some node";
  Params params;
  params.set("who", when.who);
  return (is_one(when.who) ? "" : "one of ") + says_hosts(params, "who");
}

// What a step that does nothing waited for.
std::string says(const Trigger& trigger) {
  using What = trigger::When::What;
  if (const auto* quiet = std::get_if<trigger::Quiet>(&trigger)) {
    return "nothing has changed for " + to_text(quiet->length);
  }
  const auto* when = std::get_if<trigger::When>(&trigger);
  if (when == nullptr) return "wait";
  const std::string node = says_whom(*when);
  switch (when->what) {
    case What::removed:
      return node + " is removed";
    case What::joined:
      return node + " has joined";
    case What::leader:
      return when->node.is_none() && when->who.empty() ? "there is a leader" : node + " leads";
    case What::rebalanced:
      return "partitions are rebalanced";
    case What::repair_started:
      return node + " begins to repair";
    case What::repair_completed:
      return node + " has repaired a partition";
    case What::started:
      return when->text + " has begun";
    case What::ended:
      return when->text + " has ended";
    case What::crashed:
      return node + " has crashed";
    case What::halted:
      return node + " has stopped by itself";
    case What::storage_corrupt:
      return node + " finds its disk corrupt";
    case What::gate_opened:
      return node + " opens a gate";
    case What::hook_fired:
      return "a hook has run on " + node;
    case What::upgraded:
      return node + " runs other software";
    case What::committed_index:
      return "entry " + std::to_string(when->count) + " is committed";
    case What::committed_count:
      return std::to_string(when->count) + " more entries are committed";
    case What::sync_requested:
      return node + " begins its sync " + std::to_string(when->count);
    case What::sync_completed:
      return node + " ends its sync " + std::to_string(when->count);
  }
  return "wait";
}

std::string says(const action::Workload& workload) {
  std::string out = "workload of ";
  out += workload.operations ? std::to_string(*workload.operations) + " operations"
                             : to_text(workload.lasts.value_or(Duration{}));
  out += " on " + list_keys(workload.keys);
  if (workload.keep) out += ", as far as it is kept";
  return out;
}

std::string says(const Step& step) {
  if (const auto* workload = std::get_if<action::Workload>(&step.action)) return says(*workload);
  if (const auto* inject = std::get_if<action::Inject>(&step.action)) {
    return Faults::find(inject->fault)->says(inject->params);
  }
  if (const auto* end = std::get_if<action::End>(&step.action)) return "end of " + end->label;
  const auto* operate = std::get_if<action::Operate>(&step.action);
  if (operate == nullptr) return says(step.trigger);
  std::string out;
  switch (operate->kind) {
    case OperationKind::write:
      out = "write ";
      break;
    case OperationKind::remove:
      out = "delete ";
      break;
    case OperationKind::read:
      out = "read ";
      break;
    case OperationKind::configure:
      out = "set ";
      break;
    case OperationKind::increment:
      out = "count " + (operate->value.empty() ? std::string("1") : operate->value) + " on ";
      break;
    case OperationKind::add:
      out = "add " + (operate->value.empty() ? std::string("an element") : operate->value) + " to ";
      break;
    case OperationKind::discard:
      out = "discard " + operate->value + " from ";
      break;
  }
  if (operate->kind == OperationKind::configure) {
    for (const auto& [name, value] : operate->settings) out += name + "=" + value + " ";
    out.pop_back();
  } else {
    out += list_keys(operate->keys);
    if (operate->keys.size() > 1) out += " (" + std::to_string(operate->keys.size()) + " keys)";
  }
  if (!operate->via.is_none()) out += (operate->direct ? " at " : " via ") + to_name(operate->via);
  return out;
}

bool changes_data(const Step& step) {
  if (const auto* workload = std::get_if<action::Workload>(&step.action)) {
    return std::any_of(workload->mix.begin(), workload->mix.end(),
                       [](const auto& each) { return changes_key(each.first); });
  }
  const auto* operate = std::get_if<action::Operate>(&step.action);
  return operate != nullptr && operate->kind != OperationKind::read;
}

// The node that a step brings back, if it is such a step and names one.
NodeId restarted_node(const Step& step) {
  const auto* inject = std::get_if<action::Inject>(&step.action);
  if (inject == nullptr || inject->fault != "restart") return {};
  const auto& target = inject->params.get<Selectors>("target");
  const bool named = target.size() == 1 && target.front().kind == Selector::Kind::node;
  return named ? target.front().node : NodeId{};
}

}  // namespace

Recorder::Recorder(const Schedule& schedule, const World& world, RunRecord& record,
                   EventRecorder* events)
    : schedule_(schedule), world_(world), record_(record), events_(events), stale_time_(world) {
  for (const MetricSpec& metric : metric_specs()) counts_[std::string(metric.name)] = 0;
  for (const Step& step : schedule.timeline) {
    const auto* operate = std::get_if<action::Operate>(&step.action);
    if (operate != nullptr && operate->kind == OperationKind::read) read_steps_.insert(step.label);
  }
}

// ---- The table -----------------------------------------------------------------------------

void Recorder::on_step_fired(std::size_t step, MonotonicTime at) {
  take_late_rows(at);
  row_of_step_[step] = record_.transitions.size();
  record_.transitions.push_back({.at = at,
                                 .completed = at,
                                 .label = schedule_.timeline[step].label,
                                 .what = says(schedule_.timeline[step]),
                                 .nodes = {}});
}

void Recorder::on_step_completed(std::size_t step, MonotonicTime at) {
  const std::size_t row = row_of_step_.at(step);
  record_.transitions[row].completed = at;
  take_row(row, at);
  if (changes_data(schedule_.timeline[step])) late_rows_[row] = NodeId{};
  const NodeId returning = restarted_node(schedule_.timeline[step]);
  if (!returning.is_none()) late_rows_[row] = returning;
}

void Recorder::on_step_injected(std::size_t step, const std::string& says,
                                const Injection& injection) {
  const Step& what = schedule_.timeline[step];
  const auto& inject = std::get<action::Inject>(what.action);
  const FaultSpec& spec = *Faults::find(inject.fault);
  record_.transitions[row_of_step_.at(step)].what = says;
  fault_of_step_[step] = record_.faults.size();
  // Of what is done in a moment, what it touched is all that it did.
  const bool momentary = spec.does.empty() || (injection.touched != 0 && injection.is_momentary());
  record_.faults.push_back({.label = what.label,
                            .fault = inject.fault,
                            .may_miss = inject.may_miss,
                            .touched = injection.touched,
                            .unit = std::string(spec.touches),
                            .of = std::string(momentary ? spec.touches : spec.does)});
  if (injection.touched != 0) ++record_.injected[inject.fault];
  // A fault that may miss makes no entry by missing.
  if (injection.touched != 0 || inject.may_miss) return;
  record_.injected.try_emplace(inject.fault, 0);
  record_.warnings.push_back(what.label + ": " + says + ": the fault touched nothing");
}

void Recorder::on_step_did(std::size_t step, std::uint64_t did) {
  const auto found = fault_of_step_.find(step);
  if (found == fault_of_step_.end()) return;
  FaultRecord& fault = record_.faults[found->second];
  fault.did = did;
  if (fault.touched == 0 || did != 0 || fault.may_miss) return;
  record_.warnings.push_back(fault.label + ": " + record_.transitions[row_of_step_.at(step)].what +
                             ": the fault did nothing");
}

void Recorder::take_row(std::size_t transition, MonotonicTime at) {
  std::vector<NodeSnapshot> nodes;
  for (const auto& [id, node] : world_.nodes()) nodes.push_back(world_.snapshot(id, at));
  record_.transitions[transition].nodes = std::move(nodes);
  count_copies();
}

void Recorder::take_late_rows(MonotonicTime at) {
  for (const auto& [row, node] : late_rows_) take_row(row, at);
  late_rows_.clear();
}

void Recorder::take_rows_of(NodeId returned, MonotonicTime at) {
  for (auto row = late_rows_.begin(); row != late_rows_.end();) {
    if (row->second != returned) {
      ++row;
      continue;
    }
    take_row(row->first, at);
    row = late_rows_.erase(row);
  }
}

// ---- Facts ---------------------------------------------------------------------------------

void Recorder::on_fact(MonotonicTime at, const FactSource& source, const Fact& fact) {
  count(source, fact);
  // What a twin suffers is not its node's.
  if (source.twin) return;
  stale_time_.on_fact(at, source, fact);
  if (std::holds_alternative<fact::FaultInjected>(fact)) last_fault_ = at;
  if (const auto* f = std::get_if<fact::RecordWritten>(&fact)) {
    if (f->stored && f->cause == fact::WriteCause::repair) last_repair_write_ = at;
  } else if (std::holds_alternative<fact::ProcessCrashed>(fact) ||
             std::holds_alternative<fact::ProcessHalted>(fact)) {
    absences_.push_back({.node = source.node, .from = at, .until = {}});
  } else if (std::holds_alternative<fact::ProcessStarted>(fact) && !source.node.is_none()) {
    for (Absence& absence : absences_) {
      if (absence.node == source.node && !absence.until) absence.until = at;
    }
  } else if (std::holds_alternative<fact::RepairStarted>(fact) ||
             std::holds_alternative<fact::GateOpened>(fact)) {
    take_rows_of(source.node, at);
  } else if (const auto* invoked = std::get_if<fact::OperationInvoked>(&fact)) {
    operations_[invoked->operation.id] = record_.history.size();
    record_.history.push_back(invoked->operation);
  } else if (const auto* returned = std::get_if<fact::OperationReturned>(&fact)) {
    record_.history[operations_.at(returned->operation.id)] = returned->operation;
    if (returned->operation.kind == OperationKind::read) on_read(returned->operation);
  } else if (const auto* abandoned = std::get_if<fact::OperationAbandoned>(&fact)) {
    given_up_[abandoned->operation.id] = at;
  }
}

void Recorder::count(const FactSource& source, const Fact& fact) {
  const auto add = [this](const char* name) { ++counts_[name]; };
  if (const auto* f = std::get_if<fact::HookFired>(&fact)) {
    if (f->copy_to != source.node) return;
    add("hooks_fired");
    if (f->copy_from.empty()) add("hooks_without_source");
  } else if (std::holds_alternative<fact::HintStored>(fact)) {
    add("hints_stored");
  } else if (const auto* hint = std::get_if<fact::HintEnded>(&fact)) {
    add(hint->how == "delivered" ? "hints_delivered" : "hints_dropped");
  } else if (const auto* written = std::get_if<fact::RecordWritten>(&fact)) {
    if (written->cause == fact::WriteCause::collection) add("tombstones_collected");
  } else if (std::holds_alternative<fact::RepairStarted>(fact)) {
    add("repairs_started");
  } else if (const auto* completed = std::get_if<fact::RepairCompleted>(&fact)) {
    add("repairs_completed");
    counts_["repair_rounds"] += completed->rounds;
  } else if (const auto* failed = std::get_if<fact::RepairFailed>(&fact)) {
    add("repairs_failed");
    counts_["repair_rounds"] += failed->rounds;
  } else if (std::holds_alternative<fact::BecameLeader>(fact)) {
    add("elections");
  } else if (std::holds_alternative<fact::MessageRejected>(fact)) {
    add("rejected_messages");
  } else if (std::holds_alternative<fact::RebalanceRefused>(fact)) {
    add("rebalances_refused");
  } else if (const auto* removed = std::get_if<fact::MemberRemoved>(&fact)) {
    if (removed->on_leader) add("members_removed");
  } else if (const auto* map = std::get_if<fact::MapApplied>(&fact)) {
    if (map->on_leader) add("maps_applied");
  } else if (std::holds_alternative<fact::OperationAbandoned>(fact)) {
    add("abandoned_operations");
  } else if (const auto* returned = std::get_if<fact::OperationReturned>(&fact)) {
    if (returned->operation.result == ResultKind::ok) add("acknowledged_writes");
  }
}

// ---- Reads ---------------------------------------------------------------------------------

void Recorder::on_read(const Operation& read) {
  ReadRecord out{.operation = read, .stale = false, .expected_value = {}, .why = {}};
  if (read.result == ResultKind::unavailable) {
    ++counts_["unavailable_reads"];
  } else if (const Operation* missed = world_.missed_by(read)) {
    out.stale = true;
    out.expected_value =
        missed->kind == OperationKind::remove ? "not-found (deleted)" : missed->value;
    out.why = why_stale(read, *missed);
    if (events_ != nullptr) events_->on_stale(read, *missed, out.why);
    const bool gone = missed->kind == OperationKind::remove;
    if (gone && resurrected_.insert(read.key).second) ++counts_["resurrections"];
    if (gone) ++counts_["phantom_reads"];
    ++counts_[read.result == ResultKind::not_found ? "missing_reads" : "stale_reads"];
    const Staleness behind = world_.staleness(read);
    const auto raise = [this](const char* metric, std::uint64_t value) {
      counts_[metric] = std::max(counts_[metric], value);
    };
    raise("staleness_versions_max", behind.versions);
    raise("staleness_max_ns", static_cast<std::uint64_t>(behind.time.count()));
  }
  if (read_steps_.contains(read.label)) record_.reads.push_back(std::move(out));
}

std::string Recorder::why_stale(const Operation& read, const Operation& missed) const {
  std::string out = to_name(missed.id.client) +
                    (missed.kind == OperationKind::remove ? " deleted " : " wrote ") + read.key +
                    " in step " + missed.label + ", acknowledged at " +
                    to_seconds_text(*missed.returned) + "; " + to_name(read.served_by);
  for (const Absence& absence : absences_) {
    const bool during = absence.node == read.served_by && absence.from <= *missed.returned &&
                        (!absence.until || *absence.until >= missed.invoked);
    if (!during) continue;
    return out + " was down from " + to_seconds_text(absence.from) + " to " +
           (absence.until ? to_seconds_text(*absence.until) : "the end") +
           ", so the write never reached it, and nothing has brought it since";
  }
  return out + " was up at that time, but the write did not reach it, or it was lost there again";
}

// ---- Metrics -------------------------------------------------------------------------------

void Recorder::count_copies() {
  for (const auto& [key, history] : world_.keys()) {
    for (const Operation* write : world_.newest_acknowledged(history)) {
      if (write->kind == OperationKind::remove) continue;
      const std::uint64_t copies = world_.copies(history, *write);
      copies_min_ = std::min(copies_min_.value_or(copies), copies);
    }
  }
}

void Recorder::set_metric(const std::string& name, std::uint64_t value) {
  record_.metrics[name] = static_cast<std::int64_t>(value);
}

// Of concurrent acknowledged writes one stays; the others are conflicts lost. When none stays, the
// key's last write is lost.
void Recorder::count_lost() {
  std::vector<NodeId> up;
  for (const auto& [id, node] : world_.nodes()) {
    if (node.up) up.push_back(id);
  }
  for (const auto& [key, history] : world_.keys()) {
    const std::vector<const Operation*> newest = world_.newest_acknowledged(history);
    if (newest.empty()) continue;
    std::uint64_t held = 0;
    const Operation* removed = nullptr;
    for (const Operation* write : newest) {
      if (write->kind == OperationKind::remove) removed = write;
      held += world_.copies(history, *write) != 0 ? 1U : 0U;
    }
    if (held == 0) {
      const bool gone = removed == nullptr || !world_.delete_survives(history, *removed, up);
      if (gone) ++counts_["lost_writes"];
    } else if (removed == nullptr) {
      counts_["conflicts_lost"] += newest.size() - held;
    }
  }
}

void Recorder::finish(const Kernel& kernel, bool converged) {
  take_late_rows(kernel.now());
  const Traffic& traffic = kernel.traffic();
  record_.messages = traffic.messages;
  record_.bytes = traffic.bytes;
  record_.messages_by_purpose = traffic.messages_by_purpose;
  record_.bytes_by_purpose = traffic.bytes_by_purpose;
  count_copies();
  count_lost();
  for (const auto& [id, node] : world_.nodes()) {
    const NodeSnapshot snapshot = world_.snapshot(id, kernel.now());
    counts_["stale_keys"] += snapshot.stale_keys;
    counts_["missing_keys"] += snapshot.missing_keys;
  }
  for (const auto& [name, value] : counts_) set_metric(name, value);
  for (std::size_t p = 0; p < kPurposeCount; ++p) {
    const std::string purpose(to_name(static_cast<Purpose>(p)));
    set_metric(purpose + "_messages", traffic.messages_by_purpose[p]);
    set_metric(purpose + "_bytes", traffic.bytes_by_purpose[p]);
  }
  for (const auto& [name, value] : client_figures(record_.history, given_up_, kernel.now())) {
    record_.metrics[name] = value;
  }
  set_metric("stale_ns", static_cast<std::uint64_t>(stale_time_.any(kernel.now()).count()));
  set_metric("stale_key_ns", static_cast<std::uint64_t>(stale_time_.copies(kernel.now()).count()));
  set_metric("messages", traffic.messages);
  set_metric("bytes", traffic.bytes);
  set_metric("dropped_messages", traffic.dropped);
  set_metric("duplicated_messages", traffic.duplicated);
  set_metric("corrupted_messages", traffic.corrupted);
  set_metric("retransmitted_messages", traffic.retransmitted);
  set_metric("disk_bytes", kernel.disk_bytes_written());
  record_.metrics["min_copies"] =
      copies_min_ ? std::optional(static_cast<std::int64_t>(*copies_min_)) : std::nullopt;
  record_.metrics["converged_after_ns"] =
      converged
          ? std::optional(std::max<std::int64_t>(0, (last_repair_write_ - last_fault_).count()))
          : std::nullopt;
}

}  // namespace rejoin::sim
