// Single-server changes of the configuration: dissertation 4.1, 4.2, and Ongaro's correction
// ("bug in single-server membership changes", raft-dev, 10 July 2015).
#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/mutant.hpp"
#include "protocols/raft/core.hpp"

namespace rejoin::raft {

namespace {

// So many heartbeats ago a server must have answered to count as one that will acknowledge.
constexpr int kHeardBeats = 2;

void put_server(Configuration& configuration, const Server& server) {
  auto& servers = configuration.servers;
  const auto at = std::lower_bound(servers.begin(), servers.end(), server.node,
                                   [](const Server& s, NodeId node) { return s.node < node; });
  if (at != servers.end() && at->node == server.node) {
    *at = server;
  } else {
    servers.insert(at, server);
  }
}

}  // namespace

std::optional<Refusal> Core::refuse_change() const {
  if (role_ != Role::leader) return Refusal::not_leader;
  // Ongaro 2015: until an entry of its own term is committed, a leader cannot know that no other
  // leader's change, disjoint from its own, is still alive in some log.
  if (commit_ < term_start_ && !MUTANT("raft-config-before-commit")) {
    return Refusal::no_commit_in_term;
  }
  // Dissertation 4.1: quorums of configurations overlap only if they are one server apart.
  if (configurations_.back().index > commit_ && !MUTANT("raft-config-overlap")) {
    return Refusal::change_in_progress;
  }
  return std::nullopt;
}

Proposed Core::propose_member(MonotonicTime now, const MemberChange& change, Bytes command) {
  now_ = now;
  if (const auto refusal = refuse_change()) return {.index = {}, .refusal = *refusal};
  Configuration next = configuration();
  if (change.set) {
    Server server = *change.set;
    const Server* present = configuration().find(server.node);
    if (present != nullptr && present->incarnation == server.incarnation) {
      // The same server elsewhere. A learner goes on learning.
      server.voter = server.voter && present->voter;
    } else {
      // Replacing a voter by another life of its node as a voter would be two changes in one:
      // the quorums {a1, b} of {a1, b, c} and {a2, c} of {a2, b, c} do not meet.
      server.voter = server.voter && present == nullptr && !options_.learners &&
                     configuration().voter_count() < options_.voters_max;
    }
    put_server(next, server);
  } else {
    std::erase_if(next.servers, [&](const Server& s) { return s.node == change.remove; });
  }
  if (next == configuration()) return {.index = {}, .refusal = Refusal::no_change};
  if (next.voter_count() == 0) return {.index = {}, .refusal = Refusal::last_voter};
  // An entry that takes a voter away and cannot be committed still makes the others' logs too short
  // to be elected: those who could have gone on without the leader never lead. (etcd asks for the
  // same before it removes a member, by its strict reconfiguration check.) Lately: who is refused
  // asks again.
  const bool loses_voter = next.voter_count() < configuration().voter_count();
  const bool looks = options_.check_quorum && !MUTANT("raft-no-check-quorum");
  if (looks && loses_voter && !quorum_is_heard(next, kHeardBeats * options_.heartbeat)) {
    return {.index = {}, .refusal = Refusal::too_few_heard};
  }
  append_configuration(std::move(next), std::move(command));
  return {.index = log_.last_index(), .refusal = {}};
}

void Core::append_configuration(Configuration next, Bytes command) {
  append_entry(EntryType::configuration, std::move(command), std::move(next));
  follow_configuration();
  broadcast();
}

// The leader replicates to the servers of the configuration in force, itself excepted.
void Core::follow_configuration() {
  const Configuration& now_in_force = configuration();
  std::erase_if(peers_, [&](const auto& item) {
    const Server* server = now_in_force.find(item.first);
    return server == nullptr || server->incarnation != item.second.server.incarnation;
  });
  for (const Server& server : now_in_force.servers) {
    if (server.node == self_->node) continue;
    const auto [at, fresh] = peers_.try_emplace(server.node);
    at->second.server = server;
    if (!fresh) continue;
    at->second.next = log_.last_index();
    at->second.heard = now_;
  }
}

// Dissertation 4.2.1: a server votes once it has caught up, so that adding it costs no
// availability. Here: once it has all that is committed.
bool Core::may_vote_now(const Server& learner) const {
  // Without learners only the replacement of a voter passes through here.
  if (!options_.learners) return true;
  const auto at = peers_.find(learner.node);
  return at != peers_.end() && at->second.match >= commit_ &&
         now_ - at->second.heard < options_.election.min;
}

void Core::promote_learner() {
  if (refuse_change() || configurations_.back().index > commit_) return;
  if (configuration().voter_count() >= options_.voters_max) return;
  for (const Server& server : configuration().servers) {
    if (server.voter || !may_vote_now(server)) continue;
    Configuration next = configuration();
    Server voter = server;
    voter.voter = true;
    put_server(next, voter);
    append_configuration(std::move(next), {});
    return;
  }
}

}  // namespace rejoin::raft
