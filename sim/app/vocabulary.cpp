#include "sim/scenario/vocabulary.hpp"

#include "protocols/partitioning/placement.hpp"
#include "protocols/sync/mechanism.hpp"
#include "sim/app/load.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/run/recorder.hpp"

namespace rejoin::app {

namespace {

template <class Spec>
std::vector<sim::Vocabulary::Plugin> plugins_of() {
  std::vector<sim::Vocabulary::Plugin> out;
  for (const Spec& spec : Registry<Spec>::all()) {
    sim::Vocabulary::Plugin plugin{.name = std::string(spec.name), .params = {}};
    if constexpr (requires { spec.params; }) plugin.params = spec.params;
    out.push_back(std::move(plugin));
  }
  return out;
}

}  // namespace

const sim::Vocabulary& vocabulary() {
  static const sim::Vocabulary all = {.faults = plugins_of<sim::FaultSpec>(),
                                      .mechanisms = plugins_of<MechanismSpec>(),
                                      .invariants = plugins_of<sim::InvariantSpec>(),
                                      .placements = plugins_of<PlacementSpec>(),
                                      .metrics = sim::metric_names()};
  return all;
}

}  // namespace rejoin::app
