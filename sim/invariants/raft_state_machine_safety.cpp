#include <map>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class RaftStateMachineSafety final : public Invariant {
 public:
  RaftStateMachineSafety()
      : Invariant(fact_set<fact::EntryApplied, fact::SnapshotInstalled, fact::ProcessStarted,
                           fact::ProcessCrashed, fact::ProcessHalted>(),
                  true) {}

  void after(const FactEvent& event, const World& /*world*/) override {
    const NodeId node = event.source.node;
    if (const auto* applied = std::get_if<fact::EntryApplied>(&event.fact)) {
      judge(event, *applied);
    } else if (const auto* snapshot = std::get_if<fact::SnapshotInstalled>(&event.fact)) {
      last_[{node, event.source.twin}][snapshot->group] = {snapshot->index, event.at};
    } else {
      last_.erase({node, event.source.twin});
    }
  }

 private:
  struct Applied {
    Term term;
    std::uint64_t digest = 0;
    NodeId node;
    MonotonicTime at{};
  };
  struct Position {
    LogIndex index;
    MonotonicTime at{};
  };

  void judge(const FactEvent& event, const fact::EntryApplied& fact) {
    count_judgement();
    const NodeId node = event.source.node;
    const std::string index = std::to_string(fact.index.value);
    const std::string term = std::to_string(fact.term.value);
    const auto [at, is_first] = applied_.try_emplace(
        {fact.group, fact.index}, Applied{fact.term, fact.digest, node, event.at});
    const Applied& first = at->second;
    if ((first.term != fact.term || first.digest != fact.digest) && is_new(node, {})) {
      const std::string first_term = std::to_string(first.term.value);
      Evidence evidence;
      evidence.add(first.at, to_name(first.node), "applies " + index + " of term " + first_term)
          .add(event.at, to_name(node), "applies another entry " + index + ", of term " + term);
      report(event, {.node = node,
                     .says = to_name(first.node) + " and " + to_name(node) +
                             " applied different entries at index " + index + ": of term " +
                             first_term + " and of term " + term,
                     .evidence = evidence.lines()});
    }
    Position& last = last_[{node, event.source.twin}][fact.group];
    if (fact.index <= last.index && is_new(node, {})) {
      Evidence evidence;
      evidence.add(last.at, to_name(node), "has applied up to " + std::to_string(last.index.value))
          .add(event.at, to_name(node), "applies entry " + index);
      report(event, {.node = node,
                     .says = to_name(node) + " applied entry " + index +
                             " although its state already included entry " +
                             std::to_string(last.index.value),
                     .evidence = evidence.lines()});
    }
    last = {fact.index, event.at};
  }

  std::map<std::pair<GroupId, LogIndex>, Applied> applied_;
  // In this life, by node and whether it is a twin.
  std::map<std::pair<NodeId, bool>, std::map<GroupId, Position>> last_;
};

[[maybe_unused]] const bool registered = register_invariant<RaftStateMachineSafety>(
    "raft-state-machine-safety", "all servers apply the same entries, in order",
    "Judged at each entry applied: no other server applied another entry at that index, and this "
    "one, in this life, none at that index or after it. Raft, figure 3: State Machine Safety.");

}  // namespace

}  // namespace rejoin::sim
