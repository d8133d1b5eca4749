#include "model/mutant.hpp"

#include "model/check.hpp"

namespace rejoin {

const std::vector<MutantSpec>& mutants() {
  static const std::vector<MutantSpec> all = {
      {"cluster-apply-twice", "a duplicate of a request that took effect is applied again",
       "applied-exactly-once", "scenarios/nemesis/raft.yaml"},
      {"raft-commit-old-term", "an entry of an earlier term is committed by counting replicas",
       "raft-leader-completeness", "scenarios/nemesis/raft-terms.yaml"},
      {"raft-config-before-commit",
       "a new leader changes the configuration before it has committed in its own term",
       "raft-election-safety", "scenarios/nemesis/raft-changes.yaml"},
      {"raft-config-overlap",
       "a configuration change is accepted while the one before it is uncommitted",
       "raft-election-safety", "scenarios/nemesis/raft-changes.yaml"},
      {"raft-no-check-quorum", "a leader that hears no quorum goes on leading",
       "raft-leader-exists", "scenarios/nemesis/raft-deaf.yaml"},
      {"raft-no-log-check", "a vote is granted to a candidate whose log is behind",
       "raft-leader-completeness", "scenarios/nemesis/raft.yaml"},
      {"raft-no-pre-vote", "a server that was cut off raises the term and deposes the leader",
       "raft-stable-leader", "scenarios/nemesis/raft-stable.yaml"},
      {"raft-restless",
       "elections without pre-vote and stickiness: who does not see the leader deposes it for ever",
       "raft-leader-exists", "scenarios/nemesis/raft-partial.yaml"},
      {"raft-vote-not-synced", "a vote is answered before it is durable, and lost by a crash",
       "raft-election-safety", "scenarios/nemesis/raft-votes.yaml"},
      {"sync-blind-hook", "a copy for a partition that moved here overwrites what is newer here",
       "merge-never-regresses", "scenarios/nemesis/sync-hooks.yaml"},
      {"sync-blind-merge", "a repair overwrites whatever is stored, newer or not",
       "merge-never-regresses", "scenarios/nemesis/t0-t5-bounded.yaml"},
      {"sync-hint-not-durable",
       "a hint that stands in for an owner is acknowledged before it is durable",
       "acknowledged-writes-survive", "scenarios/nemesis/sync-hints.yaml"},
      {"sync-no-tombstones",
       "a replica that is compared passes over tombstones, as if nothing were", "no-resurrection",
       "scenarios/nemesis/sync-deletes.yaml"},
      {"sync-repair-not-awaited",
       "a read is answered before the replicas that differ have been given what it shows",
       "monotonic-reads", "scenarios/nemesis/sync-reads.yaml"},
      {"sync-stale-tree", "a Merkle tree misses the updates of the data that it stands for",
       "replicas-converge", "scenarios/nemesis/sync-trees.yaml"},
      {"sync-tombstone-early",
       "a tombstone is collected when one of the other owners has met it, and not all of them",
       "no-resurrection", "scenarios/nemesis/sync-tombstones.yaml"},
      {"versions-actor-explosion",
       "writes are counted for each client instead of each replica, so that vectors grow with them",
       "version-vectors-bounded", "scenarios/nemesis/versions-actors.yaml"},
      {"versions-dot-not-synced",
       "a write that its maker has counted is given away, and acknowledged, before it is durable",
       "acknowledged-writes-survive", "scenarios/nemesis/versions-dots.yaml"},
      {"versions-hlc-not-merged",
       "a hybrid clock goes on from its own versions alone, as if it met no others",
       "acknowledged-writes-survive", "scenarios/nemesis/versions-clocks.yaml"},
      {"versions-life-reused",
       "a replica that lost its data counts its writes anew under the name that it had",
       "replicas-converge", "scenarios/nemesis/versions-lives.yaml"},
      {"versions-sibling-explosion", "a write keeps the siblings that its client had read",
       "siblings-bounded", "scenarios/nemesis/versions-siblings.yaml"},
      {"wire-eager", "upgraded software speaks its new format to peers that do not read it yet",
       "raft-leader-exists", "scenarios/nemesis/hosts.yaml"},
  };
  return all;
}

#ifdef REJOIN_HUNT
namespace {
std::string_view planted;
}

bool plant_mutant(std::string_view name) {
  planted = {};
  if (name.empty()) return true;
  for (const MutantSpec& mutant : mutants()) {
    if (mutant.name == name) {
      planted = mutant.name;
      return true;
    }
  }
  return false;
}

bool mutant_is_planted(std::string_view name) {
  return planted == name;
}
#endif

}  // namespace rejoin
