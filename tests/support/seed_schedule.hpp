// T0 to T5 as a schedule made in memory: what scenarios/seed/t0-t5.yaml says, without YAML.
#pragma once

#include <string>
#include <vector>

#include "model/schedule.hpp"
#include "protocols/sync/mechanism.hpp"
#include "sim/faults/fault.hpp"

namespace rejoin::test {

std::vector<Key> keys(int first, int last);

Step step(std::string label, Trigger trigger, Action action);

action::Operate operate(OperationKind kind, std::vector<Key> keys);

action::Operate direct_read(Key key, NodeId via);

// A fault with its first parameter set and the others at their defaults.
action::Inject inject(const std::string& fault, NodeId target = {});

trigger::When when_removed(NodeId node);

void use_mechanism(Schedule& schedule, const std::string& name);

Schedule seed_schedule(const std::string& mechanism = "none");

}  // namespace rejoin::test
