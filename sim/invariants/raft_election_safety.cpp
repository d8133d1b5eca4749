#include <map>
#include <tuple>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

std::string server_text(NodeId node, Incarnation incarnation) {
  if (incarnation.is_none()) return to_name(node);
  return to_name(node) + " (incarnation " + std::to_string(incarnation.value) + ")";
}

class RaftElectionSafety final : public Invariant {
 public:
  RaftElectionSafety() : Invariant(fact_set<fact::BecameLeader, fact::VoteGranted>(), true) {}

  void after(const FactEvent& event, const World& /*world*/) override {
    if (const auto* leader = std::get_if<fact::BecameLeader>(&event.fact)) {
      judge(event, *leader);
    } else if (const auto* vote = std::get_if<fact::VoteGranted>(&event.fact)) {
      judge(event, *vote);
    }
  }

 private:
  struct Leader {
    NodeId node;
    Incarnation incarnation;
    MonotonicTime at{};
    bool twin = false;  // another process with its name
  };

  void judge(const FactEvent& event, const fact::BecameLeader& fact) {
    count_judgement();
    const Leader now{event.source.node, event.source.incarnation, event.at, event.source.twin};
    const auto [at, is_first] = leaders_.try_emplace({fact.group, fact.term}, now);
    const Leader& first = at->second;
    if (is_first || (first.node == now.node && first.incarnation == now.incarnation &&
                     first.twin == now.twin)) {
      return;
    }
    if (!is_new(now.node, {})) return;
    const std::string term = std::to_string(fact.term.value);
    Evidence evidence;
    evidence.add(first.at, to_name(first.node), "becomes leader of term " + term)
        .add(now.at, to_name(now.node), "becomes leader of term " + term);
    report(event,
           {.node = now.node,
            .says = "term " + term +
                    " has two leaders: " + server_text(first.node, first.incarnation) + " since " +
                    to_seconds_text(first.at) + " and " + server_text(now.node, now.incarnation) +
                    " since " + to_seconds_text(now.at),
            .evidence = evidence.lines()});
  }

  void judge(const FactEvent& event, const fact::VoteGranted& fact) {
    count_judgement();
    const NodeId voter = event.source.node;
    const Leader candidate{fact.candidate, fact.incarnation, event.at, false};
    const auto [at, is_first] =
        votes_.try_emplace({fact.group, fact.term, voter, event.source.incarnation}, candidate);
    const Leader& first = at->second;
    if (is_first || (first.node == candidate.node && first.incarnation == candidate.incarnation)) {
      return;
    }
    if (!is_new(voter, {})) return;
    const std::string term = std::to_string(fact.term.value);
    const std::string first_name = server_text(first.node, first.incarnation);
    const std::string second_name = server_text(candidate.node, candidate.incarnation);
    Evidence evidence;
    evidence.add(first.at, to_name(voter), "votes for " + first_name + " in term " + term)
        .add(event.at, to_name(voter), "votes for " + second_name + " in term " + term);
    report(event, {.node = voter,
                   .says = to_name(voter) + " voted twice in term " + term + ": for " + first_name +
                           " at " + to_seconds_text(first.at) + " and for " + second_name + " at " +
                           to_seconds_text(event.at),
                   .evidence = evidence.lines()});
  }

  std::map<std::pair<GroupId, Term>, Leader> leaders_;
  std::map<std::tuple<GroupId, Term, NodeId, Incarnation>, Leader> votes_;
};

[[maybe_unused]] const bool registered = register_invariant<RaftElectionSafety>(
    "raft-election-safety", "a term has one leader at most, and nobody votes twice in it",
    "Judged at each BecameLeader and each durable vote, by group and term. A server is a node in "
    "one incarnation. Raft, figure 3: Election Safety.");

}  // namespace

}  // namespace rejoin::sim
