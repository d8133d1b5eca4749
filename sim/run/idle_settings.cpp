#include "sim/run/idle_settings.hpp"

#include <algorithm>

#include "protocols/sync/mechanism.hpp"

namespace rejoin::sim {

namespace {

template <class Predicate>
bool any_mechanism(const Schedule& schedule, Predicate predicate) {
  const auto& chosen = schedule.node.sync.mechanisms;
  return std::any_of(chosen.begin(), chosen.end(), [&](const SyncOptions::Mechanism& each) {
    const MechanismSpec* const spec = Mechanisms::find(each.name);
    return spec != nullptr && predicate(*spec, each.params);
  });
}

void add_gate(const Schedule& schedule, std::vector<std::string>& out) {
  if (schedule.node.sync.gate == GateMode::open) return;
  const bool waits = any_mechanism(schedule, [](const MechanismSpec& spec, const Params& params) {
    return spec.repairs != nullptr && spec.repairs(params);
  });
  if (waits) return;
  out.emplace_back(
      "`gate` has nothing to wait for: no mechanism of `sync` repairs who returns or gains a "
      "partition, so that it opens at once");
}

// The delays are each for one rule.
void add_delays(const StoreOptions& store, std::vector<std::string>& out) {
  const StoreOptions usual;
  const auto add = [&](TombstoneRule rule, const char* key, bool changed, const char* name) {
    if (!changed || store.tombstones == rule) return;
    out.push_back("`tombstones." + std::string(key) + "` is for rule " + name +
                  ", and the rule is another");
  };
  add(TombstoneRule::grace, "grace", store.tombstone_grace != usual.tombstone_grace, "grace");
  add(TombstoneRule::after_repair, "repair-delay",
      store.tombstone_repair_delay != usual.tombstone_repair_delay, "after-repair");
  add(TombstoneRule::all_ack, "ack-delay", store.tombstone_ack_delay != usual.tombstone_ack_delay,
      "all-ack");
}

void add_tombstones(const Schedule& schedule, std::vector<std::string>& out) {
  const StoreOptions& store = schedule.node.store;
  add_delays(store, out);
  if (store.tombstones == TombstoneRule::keep || store.tombstones == TombstoneRule::none) return;
  if (store.versions == VersionScheme::none) {
    out.emplace_back(
        "`tombstones` are kept for good: without `versions` nobody can tell one that was "
        "forgotten from one that never came");
    return;
  }
  // Who has only taken does not know what the other lacks.
  const bool gives = any_mechanism(schedule, [](const MechanismSpec&, const Params& params) {
    return params.has("direction") && params.get<std::string>("direction") != "pull";
  });
  if (store.tombstones != TombstoneRule::after_repair || gives) return;
  out.emplace_back(
      "`tombstones` are kept for good: rule after-repair waits for comparisons that give others "
      "what they lack (direction both or push), and no mechanism of `sync` makes any");
}

}  // namespace

std::vector<std::string> idle_settings(const Schedule& schedule) {
  std::vector<std::string> out;
  add_gate(schedule, out);
  add_tombstones(schedule, out);
  return out;
}

}  // namespace rejoin::sim
