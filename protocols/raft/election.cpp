// Elections: Raft 5.2 and 5.4.1, pre-vote (dissertation 9.6), leader stickiness (4.2.3).
#include <algorithm>
#include <tuple>
#include <utility>

#include "model/check.hpp"
#include "model/mutant.hpp"
#include "protocols/raft/core.hpp"

namespace rejoin::raft {

void Core::campaign() {
  CHECK_THAT(is_voter() && role_ != Role::leader);
  election_since_ = now_;
  // Raft 5.2: each timeout is drawn anew, so that a split vote is unlikely to repeat.
  ++draw_attempt_;
  want_draw();
  if (options_.pre_vote && !MUTANT("raft-no-pre-vote") && !MUTANT("raft-restless")) {
    start_pre_vote();
  } else {
    start_election();
  }
}

// Dissertation 9.6: the term is raised only by a server that could win. Nothing is promised, so
// nothing is persisted.
void Core::start_pre_vote() {
  role_ = Role::pre_candidate;
  leader_.reset();
  ++campaign_attempt_;
  votes_.clear();
  votes_[self_->node] = true;
  request_votes(true);
  count_votes();
}

void Core::start_election() {
  role_ = Role::candidate;
  leader_.reset();
  ++campaign_attempt_;
  votes_.clear();
  set_term(term_.next(), *self_);
  request_votes(false);
}

void Core::request_votes(bool pre) {
  for (const Server& server : configuration().servers) {
    if (!server.voter || server.node == self_->node) continue;
    Header header = header_to(server, campaign_attempt_);
    if (pre) header.term = term_.next();
    send(server.address,
         RequestVote{.header = header,
                     .last_index = log_.last_index(),
                     .last_term = log_.last_term(),
                     .pre = pre},
         hard_state_seq_);
  }
}

void Core::count_votes() {
  const std::size_t voters = configuration().voter_count();
  std::size_t granted = 0;
  std::size_t refused = 0;
  for (const auto& [node, yes] : votes_) {
    const Server* server = configuration().find(node);
    if (server == nullptr || !server->voter) continue;
    ++(yes ? granted : refused);
  }
  if (granted > voters / 2) {
    if (role_ == Role::pre_candidate) {
      start_election();
    } else {
      become_leader();
    }
  } else if (refused >= voters - voters / 2) {
    become_follower(term_, std::nullopt);
  }
}

void Core::become_leader() {
  CHECK_THAT(role_ == Role::candidate);
  role_ = Role::leader;
  leader_ = *self_in_configuration();
  leader_heard_ = now_;
  votes_.clear();
  incoming_.reset();
  peers_.clear();
  round_ = 1;
  output_.facts.emplace_back(fact::BecameLeader{group_, term_});
  // Raft 8: a leader learns what is committed by committing an entry of its own term.
  append_entry(EntryType::noop, {}, std::nullopt);
  term_start_ = log_.last_index();
  note_settled(term_start_);
  follow_configuration();
  broadcast();
  next_beat_ = now_ + options_.heartbeat;
}

void Core::become_follower(Term term, std::optional<Server> leader) {
  CHECK_THAT(term >= term_);
  if (role_ == Role::leader) {
    output_.facts.emplace_back(fact::LostLeadership{group_, term_});
    peers_.clear();
    // It had no election timeout until now.
    election_since_ = now_;
  }
  role_ = Role::follower;
  votes_.clear();
  leader_ = std::move(leader);
  if (term > term_) set_term(term, {});
}

// Dissertation 4.2.3: within the minimum election timeout of hearing from a leader, nobody may be
// told that it can be replaced. A leader hears itself; check-quorum ends that when it is cut off.
bool Core::heard_leader_recently() const {
  if (MUTANT("raft-restless")) return false;
  if (role_ == Role::leader) return true;
  return leader_ && leader_heard_ && now_ - *leader_heard_ < options_.election.min;
}

// Raft 5.4.1: the later last term, then the longer log, is more up to date.
bool Core::log_is_behind_mine(const RequestVote& m) const {
  return std::tuple(m.last_term, m.last_index) < std::tuple(log_.last_term(), log_.last_index());
}

// Whoever asks is answered, be it in our configuration or not: it may be in a later one
// (dissertation 4.2.2). Its votes count only in a configuration that it has itself.
bool Core::request_vote(Address from, const RequestVote& m) {
  const Term asked = m.header.term;
  if ((m.pre || options_.check_quorum) && heard_leader_recently()) return true;
  if (!m.pre && asked > term_) become_follower(asked, std::nullopt);

  const ServerId candidate = m.header.from;
  // A pre-vote is no promise: it may be given to many, and by one who has voted.
  const bool free = m.pre ? asked > term_
                          : asked == term_ && role_ == Role::follower && !leader_ &&
                                (vote_.is_none() || vote_ == candidate);
  const bool behind = log_is_behind_mine(m) && !MUTANT("raft-no-log-check");
  const bool granted = free && !behind;
  if (granted && !m.pre) {
    if (vote_ != candidate) set_term(term_, candidate);
    // Raft 5.2: who votes waits for the candidate.
    election_since_ = now_;
  }
  Header header = answer_to(m.header);
  if (m.pre && granted) header.term = asked;
  // Raft 5.1, figure 2: on stable storage before answering.
  const PersistSeq after = MUTANT("raft-vote-not-synced") ? PersistSeq{} : hard_state_seq_;
  send(from, RequestVoteResponse{.header = header, .granted = granted, .pre = m.pre}, after);
  return true;
}

bool Core::request_vote_response(Address /*from*/, const RequestVoteResponse& m) {
  const Term told = m.header.term;
  if (m.pre && m.granted) {
    // The term is the one that we asked about, not the voter's.
    if (role_ != Role::pre_candidate || told != term_.next()) return true;
  } else if (told > term_) {
    become_follower(told, std::nullopt);
    return true;
  } else if (m.pre ? role_ != Role::pre_candidate : role_ != Role::candidate || told != term_) {
    return true;
  }
  // An answer to an earlier campaign was given to an earlier log and configuration.
  if (m.header.attempt != campaign_attempt_) return true;
  const Server* voter = configuration().find(m.header.from.node);
  if (voter == nullptr || voter->incarnation != m.header.from.incarnation) return true;
  votes_[voter->node] = m.granted;
  count_votes();
  return true;
}

}  // namespace rejoin::raft
