// Which client asks for what: the operations of a schedule's steps, with their request ids.
//
// Invariant: the id of an operation depends on the steps and their keys alone, never on what
// happened, so that dropping an operation renames no other that comes before it, and none of
// another client.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/schedule.hpp"
#include "protocols/client/client.hpp"

namespace rejoin::sim {

struct StepOperations {
  std::map<ClientId, std::vector<OperationRequest>> by_client;
  std::size_t count = 0;
};

// By index of the step in the timeline; empty for steps that do not operate.
[[nodiscard]] std::vector<StepOperations> plan_operations(const Schedule& schedule);

}  // namespace rejoin::sim
