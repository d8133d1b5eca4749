#include "sim/run/vocabulary.hpp"

#include <type_traits>

#include "protocols/membership/detector.hpp"
#include "protocols/partitioning/placement.hpp"
#include "protocols/sync/mechanism.hpp"
#include "protocols/sync/preset.hpp"
#include "protocols/versions/conflict.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/run/metrics.hpp"

namespace rejoin::sim {

namespace {

template <class Spec>
std::vector<Vocabulary::Plugin> plugins_of() {
  std::vector<Vocabulary::Plugin> out;
  for (const Spec& spec : Registry<Spec>::all()) {
    Vocabulary::Plugin plugin{.name = std::string(spec.name), .help = std::string(spec.help)};
    if constexpr (requires { spec.params; }) plugin.params = spec.params;
    if constexpr (std::is_same_v<Spec, FaultSpec>) {
      plugin.fault_class = to_name(spec.kind);
      plugin.ends = spec.ends;
      plugin.needs_disk = spec.needs_disk;
      plugin.destroys = spec.destroys;
      plugin.nemesis = spec.nemesis;
      if (spec.problem != nullptr) plugin.problem = spec.problem;
    }
    if constexpr (std::is_same_v<Spec, MechanismSpec>) {
      if (spec.refuses != nullptr) {
        plugin.refuses = [&spec](const Params& params, const Schedule& schedule) {
          return spec.refuses(schedule.node, params);
        };
      }
    }
    out.push_back(std::move(plugin));
  }
  return out;
}

std::vector<Vocabulary::Plugin> conflicts() {
  std::vector<Vocabulary::Plugin> out = plugins_of<ConflictSpec>();
  for (Vocabulary::Plugin& plugin : out) {
    plugin.operations = Conflicts::find(plugin.name)->operations;
    plugin.refuses = [spec = Conflicts::find(plugin.name)](const Params& /*none*/,
                                                           const Schedule& schedule) {
      return refusal_of(*spec, schedule.node.store.versions);
    };
  }
  out.push_back({.name = "natural", .help = "what the versions of the cluster allow"});
  return out;
}

std::vector<Vocabulary::Preset> presets() {
  std::vector<Vocabulary::Preset> out;
  for (const PresetSpec& spec : Presets::all()) {
    out.push_back({std::string(spec.name), std::string(spec.help), std::string(spec.settings)});
  }
  return out;
}

std::vector<std::string> metrics() {
  std::vector<std::string> out;
  for (const MetricSpec& spec : metric_specs()) out.emplace_back(spec.name);
  return out;
}

}  // namespace

Vocabulary linked_vocabulary() {
  return {.faults = plugins_of<FaultSpec>(),
          .mechanisms = plugins_of<MechanismSpec>(),
          .invariants = plugins_of<InvariantSpec>(),
          .placements = plugins_of<PlacementSpec>(),
          .detectors = plugins_of<DetectorSpec>(),
          .conflicts = conflicts(),
          .presets = presets(),
          .metrics = metrics()};
}

}  // namespace rejoin::sim
