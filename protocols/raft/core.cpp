#include "protocols/raft/core.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"

namespace rejoin::raft {

std::string_view to_name(Role role) {
  switch (role) {
    case Role::follower:
      return "follower";
    case Role::pre_candidate:
      return "pre_candidate";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
  }
  return "?";
}

Core::Core(GroupId group, const RaftOptions& options, Restored restored, MonotonicTime now)
    : group_(group),
      options_(options),
      now_(now),
      term_(restored.term),
      vote_(restored.vote),
      log_(std::move(restored.log)),
      snapshot_(std::move(restored.snapshot)),
      snapshot_encoded_(std::move(restored.encoded)),
      commit_(snapshot_.index),
      election_since_(now),
      election_timeout_(options.election.max),
      durable_(log_.last_index()),
      next_beat_(now) {
  CHECK_THAT(options_.election.min > Duration::zero());
  CHECK_THAT(options_.election.max >= options_.election.min);
  CHECK_THAT(options_.heartbeat > Duration::zero());
  CHECK_THAT(options_.entries_per_append > 0 && options_.appends_in_flight > 0);
  CHECK_THAT(options_.snapshot_chunk_bytes > 0);
  CHECK_THAT(log_.start_index() <= snapshot_.index);
  CHECK_THAT(log_.contains(snapshot_.index, snapshot_.term));
  // A founding snapshot has a term although no hard state was ever written.
  if (term_ < log_.last_term()) {
    term_ = log_.last_term();
    vote_ = {};
  }
  snapshot_.state.clear();
  configurations_.push_back({snapshot_.index, snapshot_.configuration});
  for (const Entry& entry : log_.entries()) {
    if (entry.index <= snapshot_.index || !entry.configuration) continue;
    configurations_.push_back({entry.index, *entry.configuration});
  }
  want_draw();
}

void Core::set_identity(MonotonicTime now, ServerId self) {
  now_ = now;
  evicted_ = false;
  if (self_ == self) return;
  // Another incarnation is a server that has led, asked and promised nothing.
  become_follower(term_, std::nullopt);
  self_ = self;
  election_since_ = now_;
  settled_target_.reset();
  caught_up_ = false;
}

void Core::evict(MonotonicTime now) {
  now_ = now;
  evicted_ = true;
  if (role_ != Role::follower) become_follower(term_, std::nullopt);
}

bool Core::on_message(MonotonicTime now, Address from, const Message& message) {
  now_ = now;
  const Header& header = header_of(message);
  if (header.group != group_) return false;
  if (!self_) return true;
  // A message for another life of this node promised something that this life never said.
  if (header.to != *self_ || header.from.is_none() || header.from.node == self_->node) {
    return false;
  }
  // A wiped server may still have messages under way that its disk no longer backs.
  const Server* sender = configuration().find(header.from.node);
  if (sender != nullptr && header.from.incarnation < sender->incarnation) return false;

  struct Dispatch {
    Core& core;
    Address from;
    bool operator()(const RequestVote& m) { return core.request_vote(from, m); }
    bool operator()(const RequestVoteResponse& m) { return core.request_vote_response(from, m); }
    bool operator()(const AppendEntries& m) { return core.append_entries(from, m); }
    bool operator()(const AppendEntriesResponse& m) {
      return core.append_entries_response(from, m);
    }
    bool operator()(const Heartbeat& m) { return core.heartbeat(from, m); }
    bool operator()(const HeartbeatResponse& m) { return core.heartbeat_response(from, m); }
    bool operator()(const InstallSnapshot& m) { return core.install_snapshot(from, m); }
    bool operator()(const InstallSnapshotResponse& m) {
      return core.install_snapshot_response(from, m);
    }
  };
  return std::visit(Dispatch{*this, from}, message);
}

MonotonicTime Core::deadline() const {
  if (role_ == Role::leader) return next_beat_;
  // Without a vote there is nothing to campaign for: an empty disk waits to be added.
  if (evicted_ || !is_voter()) return kForever;
  return election_since_ + election_timeout_;
}

void Core::on_timer(MonotonicTime now) {
  now_ = now;
  if (now < deadline()) return;
  if (role_ == Role::leader) {
    beat();
  } else {
    campaign();
  }
}

void Core::on_persisted(MonotonicTime now, PersistSeq up_to) {
  now_ = now;
  CHECK_THAT(up_to <= last_seq_);
  if (up_to <= synced_) return;
  synced_ = up_to;
  while (!unsynced_.empty() && unsynced_.front().seq <= up_to) {
    durable_ = std::max(durable_, unsynced_.front().last);
    unsynced_.pop_front();
  }
  if (!vote_seq_.is_none() && vote_seq_ <= up_to) {
    vote_seq_ = {};
    output_.facts.emplace_back(fact::VoteGranted{group_, term_, vote_.node, vote_.incarnation});
    if (role_ == Role::candidate) {
      // Invariant 3: the vote for oneself is a promise like any other.
      votes_[self_->node] = true;
      count_votes();
    }
  }
  if (role_ == Role::leader) advance_commit();
}

void Core::supply_draw(std::uint64_t bits) {
  draw_wanted_.reset();
  election_timeout_ = uniform(bits, options_.election);
}

Output Core::take_output() {
  return std::exchange(output_, Output{});
}

const Server* Core::self_in_configuration() const {
  if (!self_) return nullptr;
  const Server* server = configuration().find(self_->node);
  return server != nullptr && server->incarnation == self_->incarnation ? server : nullptr;
}

bool Core::is_voter() const {
  const Server* server = self_in_configuration();
  return server != nullptr && server->voter;
}

PersistSeq Core::persist(Record record) {
  last_seq_ = last_seq_.next();
  output_.records.push_back(std::move(record));
  unsynced_.push_back({last_seq_, log_.last_index()});
  return last_seq_;
}

void Core::set_term(Term term, ServerId vote) {
  CHECK_THAT(term >= term_);
  if (term != term_) draw_attempt_ = 0;
  term_ = term;
  vote_ = vote;
  hard_state_seq_ = persist(record::HardState{group_, term_, vote_});
  vote_seq_ = vote.is_none() ? PersistSeq{} : hard_state_seq_;
  want_draw();
}

void Core::want_draw() {
  draw_wanted_ = ElectionDraw{term_, draw_attempt_};
}

void Core::send(Address to, Message message, PersistSeq after) {
  output_.messages.push_back({to, std::move(message), after <= synced_ ? PersistSeq{} : after});
}

Header Core::header_to(const Server& server, std::uint32_t attempt) const {
  return {.group = group_,
          .from = *self_,
          .to = {server.node, server.incarnation},
          .term = term_,
          .attempt = attempt};
}

Header Core::answer_to(const Header& request) const {
  return {.group = group_,
          .from = *self_,
          .to = request.from,
          .term = term_,
          .attempt = request.attempt};
}

PersistSeq Core::seq_covering(LogIndex index) const {
  if (index <= durable_) return {};
  for (const Unsynced& pending : unsynced_) {
    if (pending.last >= index) return pending.seq;
  }
  return last_seq_;
}

}  // namespace rejoin::raft
