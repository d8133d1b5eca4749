// What scenario files may name, taken from the plugins that are linked in.
#pragma once

#include "protocols/partitioning/placement.hpp"
#include "protocols/sync/mechanism.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/run/recorder.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

inline Vocabulary linked_vocabulary() {
  Vocabulary out;
  for (const FaultSpec& spec : Faults::all()) {
    out.faults.push_back({std::string(spec.name), spec.params});
  }
  for (const MechanismSpec& spec : Mechanisms::all()) {
    out.mechanisms.push_back({std::string(spec.name), spec.params});
  }
  for (const InvariantSpec& spec : Invariants::all()) {
    out.invariants.push_back({std::string(spec.name), {}});
  }
  for (const PlacementSpec& spec : Placements::all()) {
    out.placements.push_back({std::string(spec.name), {}});
  }
  out.metrics = metric_names();
  return out;
}

}  // namespace rejoin::sim
