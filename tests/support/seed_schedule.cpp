#include "tests/support/seed_schedule.hpp"

#include <utility>

#include "protocols/sync/mechanism.hpp"
#include "sim/faults/fault.hpp"

namespace rejoin::test {

std::vector<Key> keys(int first, int last) {
  std::vector<Key> out;
  for (int k = first; k <= last; ++k) out.push_back("key-" + std::to_string(k));
  return out;
}

Step step(std::string label, Trigger trigger, Action action) {
  return {.label = std::move(label),
          .trigger = std::move(trigger),
          .action = std::move(action),
          .where = {}};
}

action::Operate operate(OperationKind kind, std::vector<Key> keys) {
  action::Operate out;
  out.kind = kind;
  out.keys = std::move(keys);
  return out;
}

action::Operate direct_read(Key key, NodeId via) {
  action::Operate out = operate(OperationKind::read, {std::move(key)});
  out.via = via;
  out.direct = true;
  return out;
}

action::Inject inject(const std::string& fault, NodeId target) {
  const sim::FaultSpec* spec = sim::Faults::find(fault);
  action::Inject out{.fault = fault, .params = default_params(spec->params)};
  if (!spec->params.empty()) out.params.set(spec->params.front().name, Selectors{select(target)});
  return out;
}

trigger::When when_removed(NodeId node) {
  return {.what = trigger::When::What::removed, .node = node, .text = {}, .count = 0};
}

void use_mechanism(Schedule& schedule, const std::string& name) {
  if (name == "none") {
    schedule.node.sync.mechanisms.clear();  // as a file has it
    return;
  }
  schedule.node.sync.mechanisms = {
      {.name = name, .params = default_params(Mechanisms::find(name)->params)}};
  if (name == "rejoin-sync") schedule.node.store.versions = VersionScheme::timestamp;
}

Schedule seed_schedule(const std::string& mechanism) {
  Schedule out;
  out.name = "t0-t5";
  const NodeId node3{3};
  out.timeline = {
      step("T0", trigger::Next{}, operate(OperationKind::write, keys(1, 100))),
      step("T1", trigger::At{MonotonicTime(30s)}, inject("crash", node3)),
      step("T2", when_removed(node3), action::Wait{}),
      step("T3", trigger::Next{}, operate(OperationKind::write, keys(101, 150))),
      step("T4", trigger::After{10s}, inject("restart", node3)),
      step("T5", trigger::Quiet{5s}, direct_read("key-125", node3)),
  };
  use_mechanism(out, mechanism);
  out.check = {"acknowledged-writes-survive", "no-stale-read", "no-stale-read-after-repair",
               "replicas-converge"};
  return out;
}

}  // namespace rejoin::test
