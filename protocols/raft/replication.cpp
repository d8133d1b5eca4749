// Log replication: Raft 5.3 and 5.4.2, pipelining (dissertation 10.2.1), check-quorum (6.2).
#include <algorithm>
#include <functional>
#include <utility>

#include "model/check.hpp"
#include "model/mutant.hpp"
#include "protocols/raft/core.hpp"

namespace rejoin::raft {

namespace {

// Contiguous from prev_index on, with terms that do not decrease.
bool is_run_of_entries(const AppendEntries& m) {
  LogIndex expected = m.prev_index;
  Term term = m.prev_term;
  for (const Entry& entry : m.entries) {
    expected = expected.next();
    if (!well_formed(entry) || entry.index != expected) return false;
    if (entry.term < term || entry.term > m.header.term) return false;
    term = entry.term;
  }
  return true;
}

}  // namespace

// ---- Follower --------------------------------------------------------------------------------

bool Core::accept_leader(Address from, const Header& header) {
  if (header.term < term_) return false;
  const Server* known = configuration().find(header.from.node);
  Server leader{.node = header.from.node, .incarnation = header.from.incarnation, .address = from};
  if (known != nullptr) leader.voter = known->voter;
  become_follower(header.term, leader);
  leader_heard_ = now_;
  election_since_ = now_;
  return true;
}

// Raft 5.4.3: no leader has another entry where one is committed. One that has is broken.
bool Core::contradicts_committed(const AppendEntries& m) const {
  const auto differs = [this](LogIndex index, Term term) {
    return index <= commit_ && log_.term_at(index).value_or(term) != term;
  };
  return differs(m.prev_index, m.prev_term) ||
         std::any_of(m.entries.begin(), m.entries.end(),
                     [&](const Entry& entry) { return differs(entry.index, entry.term); });
}

bool Core::append_entries(Address from, const AppendEntries& m) {
  // Two leaders in one term: not a message that a correct server sends.
  if (role_ == Role::leader && m.header.term == term_) return false;
  if (!is_run_of_entries(m)) return false;
  if (contradicts_committed(m)) return false;
  AppendEntriesResponse answer{.header = answer_to(m.header),
                               .success = false,
                               .index = m.prev_index,
                               .hint_index = {},
                               .hint_term = {}};
  if (!accept_leader(from, m.header)) {
    // Raft 5.1: a stale leader learns the term from the answer.
    send(from, answer, hard_state_seq_);
    return true;
  }
  answer.header.term = term_;
  note_settled(m.settled);

  // What is committed agrees with every later leader (Raft 5.4.3); it need not be compared, and
  // the start of it may be compacted.
  if (m.prev_index > commit_ && !log_.contains(m.prev_index, m.prev_term)) {
    // Raft 5.3: say where the logs may agree, so that one answer skips a whole term.
    const LogIndex last = std::min(m.prev_index, log_.last_index());
    answer.hint_index = log_.last_index_of_term_at_most(last, m.prev_term);
    answer.hint_term = log_.term_at(answer.hint_index).value_or(Term{});
    send(from, answer, hard_state_seq_);
    return true;
  }
  for (const Entry& entry : m.entries) {
    if (entry.index <= commit_ || log_.contains(entry.index, entry.term)) continue;
    if (entry.index <= log_.last_index()) truncate_log(entry.index);
    append_to_log(entry);
  }
  const LogIndex agreed(m.prev_index.value + m.entries.size());
  answer.success = true;
  answer.index = agreed;
  send(from, answer, std::max(hard_state_seq_, seq_covering(agreed)));
  commit_to(std::min(m.commit, agreed));
  return true;
}

bool Core::heartbeat(Address from, const Heartbeat& m) {
  if (role_ == Role::leader && m.header.term == term_) return false;
  HeartbeatResponse answer{.header = answer_to(m.header), .round = m.round};
  if (accept_leader(from, m.header)) {
    answer.header.term = term_;
    note_settled(m.settled);
    commit_to(std::min({m.commit, m.match, log_.last_index()}));
  }
  send(from, answer, hard_state_seq_);
  return true;
}

void Core::append_to_log(Entry entry) {
  output_.facts.emplace_back(fact::EntryAppended{group_, entry.index, entry.term, digest(entry)});
  if (entry.configuration) configurations_.push_back({entry.index, *entry.configuration});
  log_.append(entry);
  persist(record::Append{group_, std::move(entry)});
}

void Core::truncate_log(LogIndex from) {
  CHECK_THAT(from > commit_);
  output_.facts.emplace_back(fact::LogTruncated{group_, from});
  log_.truncate(from);
  // Dissertation 4.1: a configuration that leaves the log is no longer in force.
  while (configurations_.size() > 1 && configurations_.back().index >= from) {
    configurations_.pop_back();
  }
  const LogIndex last = log_.last_index();
  durable_ = std::min(durable_, last);
  for (Unsynced& pending : unsynced_) pending.last = std::min(pending.last, last);
  persist(record::Truncate{group_, from});
}

void Core::commit_to(LogIndex index) {
  if (index <= commit_) return;
  CHECK_THAT(index <= log_.last_index());
  const LogIndex first = commit_.next();
  commit_ = index;
  output_.facts.emplace_back(fact::Committed{group_, term_, commit_});
  output_.committed.push_back({first, commit_, role_ == Role::leader});
  note_settled(settled_target_.value_or(LogIndex{}));
}

// See local::CaughtUp. An index of 0 tells nothing.
void Core::note_settled(LogIndex index) {
  if (index.is_none() || caught_up_) return;
  if (!settled_target_) settled_target_ = index;
  if (commit_ < *settled_target_) return;
  caught_up_ = true;
  output_.caught_up = true;
}

// ---- Leader ----------------------------------------------------------------------------------

LogIndex Core::settled() const {
  return std::max(commit_, term_start_);
}

void Core::append_entry(EntryType type, Bytes command, std::optional<Configuration> configuration) {
  CHECK_THAT(role_ == Role::leader);
  append_to_log({.index = log_.last_index().next(),
                 .term = term_,
                 .type = type,
                 .command = std::move(command),
                 .configuration = std::move(configuration)});
}

Proposed Core::propose(MonotonicTime now, Bytes command) {
  now_ = now;
  if (role_ != Role::leader) return {.index = {}, .refusal = Refusal::not_leader};
  append_entry(EntryType::command, std::move(command), std::nullopt);
  broadcast();
  return {.index = log_.last_index(), .refusal = {}};
}

void Core::broadcast() {
  for (auto& [node, peer] : peers_) replicate(peer);
}

// Sends what the peer lacks as far as its window allows.
void Core::replicate(Progress& peer) {
  while (peer.mode != Progress::Mode::snapshot && peer.next <= log_.last_index()) {
    const std::size_t window =
        peer.mode == Progress::Mode::replicate ? options_.appends_in_flight : 1;
    if (peer.in_flight.size() >= window) return;
    if (peer.next <= log_.start_index()) {
      begin_snapshot(peer);
    } else {
      send_entries(peer);
    }
  }
}

// A probe leaves `next` where it is; a pipelined append moves it on, expecting success.
void Core::send_entries(Progress& peer) {
  const LogIndex prev(peer.next.value - 1);
  const std::optional<Term> prev_term = log_.term_at(prev);
  CHECK_THAT(prev_term.has_value());
  AppendEntries m{.header = header_to(peer.server, peer.resends),
                  .prev_index = prev,
                  .prev_term = *prev_term,
                  .commit = commit_,
                  .settled = settled(),
                  .entries = {}};
  std::uint64_t bytes = 0;
  LogIndex last = prev;
  while (last < log_.last_index() && m.entries.size() < options_.entries_per_append) {
    const Entry& entry = log_.at(last.next());
    bytes += entry.command.size();
    if (!m.entries.empty() && bytes > options_.snapshot_chunk_bytes) break;
    m.entries.push_back(entry);
    last = entry.index;
  }
  if (!m.entries.empty()) {
    peer.in_flight.push_back({last, round_});
    if (peer.mode == Progress::Mode::replicate) peer.next = last.next();
  }
  peer.commit_told = std::min(commit_, last);
  send(peer.server.address, std::move(m), hard_state_seq_);
}

// What was sent before the heartbeat that is answered now must be lost: the window starts anew.
void Core::resend(Progress& peer) {
  ++peer.resends;
  peer.in_flight.clear();
  if (peer.mode == Progress::Mode::snapshot) return send_chunk(peer);
  // A probe is repeated as it was; what was pipelined is sent again from where the logs agree.
  if (peer.mode == Progress::Mode::replicate) peer.next = peer.match.next();
  peer.mode = Progress::Mode::probe;
  replicate(peer);
}

// A follower that has all entries hears at once that more of them are committed.
void Core::tell_commit(Progress& peer) {
  if (peer.mode != Progress::Mode::replicate || peer.next <= log_.last_index()) return;
  if (peer.commit_told < std::min(commit_, peer.match)) send_entries(peer);
}

Progress* Core::answering_peer(const Header& header) {
  if (header.term > term_) {
    become_follower(header.term, std::nullopt);
    return nullptr;
  }
  if (role_ != Role::leader || header.term < term_) return nullptr;
  const auto at = peers_.find(header.from.node);
  if (at == peers_.end() || at->second.server.incarnation != header.from.incarnation) {
    return nullptr;
  }
  at->second.heard = now_;
  return &at->second;
}

bool Core::append_entries_response(Address /*from*/, const AppendEntriesResponse& m) {
  Progress* peer = answering_peer(m.header);
  if (peer == nullptr || peer->mode == Progress::Mode::snapshot) return true;
  if (m.success) {
    if (m.index > log_.last_index()) return false;
    if (m.index > peer->match) {
      peer->match = m.index;
      peer->resends = 0;
    }
    if (peer->mode == Progress::Mode::probe) {
      peer->mode = Progress::Mode::replicate;
      peer->in_flight.clear();
    }
    peer->next = std::max(peer->next, peer->match.next());
    while (!peer->in_flight.empty() && peer->in_flight.front().last <= peer->match) {
      peer->in_flight.pop_front();
    }
    advance_commit();
    if (role_ != Role::leader) return true;
    promote_learner();
    // The change may have replaced the peer.
    if (Progress* still = answering_peer(m.header)) {
      replicate(*still);
      tell_commit(*still);
    }
    return true;
  }
  // A refusal that was overtaken: pipelined appends behind a lost one are refused one by one.
  const bool stale = peer->mode == Progress::Mode::replicate ? m.index <= peer->match
                                                             : m.index.next() != peer->next;
  if (stale) return true;
  // Skip our entries of terms that the follower cannot have there (Raft 5.3).
  const LogIndex hint = std::min(m.hint_index, log_.last_index());
  const LogIndex agree = log_.last_index_of_term_at_most(hint, m.hint_term);
  peer->next = std::min(m.index, hint < log_.start_index() ? hint.next() : agree.next());
  peer->next = std::max(peer->next, LogIndex(1));
  // A follower that lost what it had acknowledged (a damaged log) is given it again.
  if (peer->match >= peer->next) peer->match = LogIndex(peer->next.value - 1);
  peer->mode = Progress::Mode::probe;
  peer->in_flight.clear();
  replicate(*peer);
  return true;
}

bool Core::heartbeat_response(Address /*from*/, const HeartbeatResponse& m) {
  Progress* peer = answering_peer(m.header);
  if (peer == nullptr) return true;
  if (!peer->in_flight.empty() && peer->in_flight.front().round < m.round) {
    resend(*peer);
  } else {
    replicate(*peer);
  }
  return true;
}

void Core::beat() {
  // Dissertation 6.2: a leader that cannot reach a quorum makes way for clients to find another.
  if (options_.check_quorum && !quorum_is_heard(configuration(), options_.election.max) &&
      !MUTANT("raft-no-check-quorum")) {
    become_follower(term_, std::nullopt);
    return;
  }
  leader_heard_ = now_;
  ++round_;
  for (auto& [node, peer] : peers_) {
    send(peer.server.address,
         Heartbeat{.header = header_to(peer.server, 0),
                   .commit = commit_,
                   .match = peer.match,
                   .settled = settled(),
                   .round = round_},
         hard_state_seq_);
  }
  // On the multiples of the interval, so that the heartbeats of all groups share their frames.
  const std::int64_t interval = options_.heartbeat.count();
  next_beat_ = MonotonicTime(Duration((now_.time_since_epoch().count() / interval + 1) * interval));
  promote_learner();
}

// Of this configuration, which may be one that is not in force yet.
bool Core::quorum_is_heard(const Configuration& configuration, Duration within) const {
  std::size_t heard = 0;
  for (const Server& server : configuration.servers) {
    if (!server.voter) continue;
    const auto at = peers_.find(server.node);
    const bool self = at == peers_.end();
    if (self || now_ - at->second.heard < within) ++heard;
  }
  return heard > configuration.voter_count() / 2;
}

void Core::advance_commit() {
  std::vector<LogIndex> copies;
  for (const Server& server : configuration().servers) {
    if (!server.voter) continue;
    const auto at = peers_.find(server.node);
    // Invariant 3: the leader's own copy counts once it is durable, and only if it is a voter
    // (a leader that removes itself does not count: dissertation 4.2.2).
    copies.push_back(at == peers_.end() ? durable_ : at->second.match);
  }
  CHECK_THAT(!copies.empty());
  // Indices alone are sorted: no ties that could be seen.
  std::sort(copies.begin(), copies.end(), std::greater<>());
  const LogIndex held = copies[copies.size() / 2];
  if (held <= commit_) return;
  // Raft 5.4.2: only entries of the current term commit by counting, those before them with them.
  if (log_.term_at(held) != term_ && !MUTANT("raft-commit-old-term")) return;
  commit_to(held);
  for (auto& [node, peer] : peers_) tell_commit(peer);
  // Dissertation 4.2.2: a leader that is no voter any more steps down once that is committed.
  if (configurations_.back().index <= commit_ && !is_voter()) {
    become_follower(term_, std::nullopt);
    return;
  }
  promote_learner();
}

}  // namespace rejoin::raft
