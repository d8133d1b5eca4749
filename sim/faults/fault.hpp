// A fault: something that a world does to the machines in it. One .cpp each in sim/faults/, with
// one registration. Faults act on the kernel, behind Env; protocol code has no hooks for them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/params.hpp"
#include "model/registry.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

struct FaultSpec {
  std::string_view name;
  std::string_view help;
  // The first is the one that a file may give alone: `crash: node-3`.
  std::vector<ParamSpec> params;
  // Injects and returns how much it touched (hosts, links, ...); 0 is reported as a fault that
  // touched nothing.
  std::uint64_t (*inject)(Kernel& kernel, const Params& params) = nullptr;
  // `node-3 crashes`: for tables.
  std::string (*says)(const Params& params) = nullptr;
};

using Faults = Registry<FaultSpec>;

}  // namespace rejoin::sim
