// Who a fault's selectors mean (model/selector.hpp), at the moment when it strikes.
//
// Invariants:
// 1. An answer is a function of (seed, label of the step, selector) and of the cluster as it is:
//    its shadow (World), and the hosts of the kernel. It names nobody twice, in order of address.
// 2. A draw ranks each candidate by a key of its own: that one comes or goes leaves the order of
//    the others as it was.
// 3. Members and owners count whether they are alive or not. Who leads is alive.
// 4. A twin is where its node is. To faults of the network whoever means a node means its twins
//    with it, unless the parameter names them apart (`twin(node-3)`). To all others a node is
//    itself, and `zone`, `nodes`, `all` and `others` hold the twins that are up.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/schedule.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/world.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

struct Moment {
  const Schedule& schedule;
  const Kernel& kernel;
  const World& world;
  std::string_view label;   // of the step
  bool of_network = false;  // the fault is
};

// What FaultSite is given, and how to say it.
struct Targets {
  std::map<std::string, std::vector<Address>, std::less<>> hosts;
  std::map<std::string, std::vector<std::vector<Address>>, std::less<>> sets;
  // The parameters with who was found behind each selector that is no name, for FaultSpec::says:
  // `the leader (node-2)`.
  Params said;
};
[[nodiscard]] Targets find_targets(const FaultSpec& fault, const Params& params,
                                   const Moment& moment);

// Of one parameter of type hosts.
[[nodiscard]] std::vector<Address> resolve(const Selectors& selectors, const Moment& moment);
// The nodes among them, without twins.
[[nodiscard]] std::vector<NodeId> resolve_nodes(const Selectors& selectors, const Moment& moment);

}  // namespace rejoin::sim
