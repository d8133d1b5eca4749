#include <map>
#include <tuple>

#include "sim/invariants/evidence.hpp"
#include "sim/invariants/raft_shadow.hpp"

namespace rejoin::sim {

namespace {

// Two logs that agree in (index, term) of an entry agree in all before it: by induction it is
// enough that all entries of one (index, term) have the same content and the same predecessor.
class RaftLogMatching final : public Invariant {
 public:
  RaftLogMatching() : Invariant(RaftShadow::kInterests) {}

  void before(const FactEvent& event, const World& /*world*/) override {
    if (const auto* fact = std::get_if<fact::EntryAppended>(&event.fact)) judge(event, *fact);
    shadow_.absorb(event);
  }

 private:
  struct Seen {
    std::uint64_t digest = 0;
    std::optional<Term> previous;
    NodeId node;           // who appended it first
    NodeId previous_node;  // who first showed what is before it
    MonotonicTime at{};
  };

  void judge(const FactEvent& event, const fact::EntryAppended& fact) {
    count_judgement();
    const NodeId node = event.source.node;
    std::optional<Term> previous;
    if (const ShadowServer* server = shadow_.find(fact.group, node)) {
      previous = server->log.term_at(LogIndex(fact.index.value - 1));
    } else if (fact.index == LogIndex(1)) {
      previous = Term(0);
    }
    const auto [at, is_first] = seen_.try_emplace(
        {fact.group, fact.index, fact.term}, Seen{fact.digest, previous, node, node, event.at});
    Seen& first = at->second;
    if (is_first) return;
    if (!first.previous) {
      first.previous = previous;
      first.previous_node = node;
    }
    if (first.digest != fact.digest) {
      tell(event, fact, first, first.node, "with other content than on " + to_name(first.node));
    } else if (previous && *previous != *first.previous) {
      tell(event, fact, first, first.previous_node,
           "after an entry of term " + std::to_string(previous->value) + ", which on " +
               to_name(first.previous_node) + " is of term " +
               std::to_string(first.previous->value));
    }
  }

  void tell(const FactEvent& event, const fact::EntryAppended& fact, const Seen& first,
            NodeId other, const std::string& how) {
    const NodeId node = event.source.node;
    if (!is_new(node, {})) return;
    const std::string entry =
        "entry " + std::to_string(fact.index.value) + " of term " + std::to_string(fact.term.value);
    Evidence evidence;
    evidence.add(first.at, to_name(other), "has appended " + entry)
        .add(event.at, to_name(node), "appends " + entry + " " + how);
    report(event, {.node = node,
                   .says = "the logs of " + to_name(other) + " and " + to_name(node) +
                           " do not match: " + to_name(node) + " appended " + entry + " " + how,
                   .evidence = evidence.lines()});
  }

  RaftShadow shadow_;
  std::map<std::tuple<GroupId, LogIndex, Term>, Seen> seen_;
};

[[maybe_unused]] const bool registered = register_invariant<RaftLogMatching>(
    "raft-log-matching",
    "two logs with an entry of the same index and term are the same up to that entry",
    "Judged at each entry appended: every entry of one index and term has the same content and "
    "follows an entry of the same term. Raft, figure 3: Log Matching.");

}  // namespace

}  // namespace rejoin::sim
