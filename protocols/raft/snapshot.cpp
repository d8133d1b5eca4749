// Log compaction and chunked InstallSnapshot: Raft 7, dissertation 5.
#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "protocols/raft/core.hpp"

namespace rejoin::raft {

namespace {

// A leader's snapshot larger than this is refused: nothing is allocated for it.
constexpr std::uint64_t kSnapshotBytesMax = 1ULL << 32U;

}  // namespace

// ---- Compaction ------------------------------------------------------------------------------

bool Core::compaction_due() const {
  return saving_.empty() && commit_.value - snapshot_.index.value >= options_.snapshot_entries &&
         options_.snapshot_entries != 0;
}

void Core::compact(MonotonicTime now, Bytes state) {
  now_ = now;
  CHECK_THAT(compaction_due());
  const auto in_force = std::find_if(configurations_.rbegin(), configurations_.rend(),
                                     [&](const auto& c) { return c.index <= commit_; });
  CHECK_THAT(in_force != configurations_.rend());
  Snapshot snapshot{.index = commit_,
                    .term = log_.term_at(commit_).value(),
                    .configuration = in_force->value,
                    .state = std::move(state)};
  auto encoded = std::make_shared<const Bytes>(encode_snapshot(snapshot));
  snapshot.state.clear();
  output_.saves.push_back({encoded});
  saving_.push_back({.meta = std::move(snapshot),
                     .encoded = std::move(encoded),
                     .state = {},
                     .request = {},
                     .reply_to = {},
                     .settled = {}});
}

void Core::on_snapshot_saved(MonotonicTime now) {
  now_ = now;
  CHECK_THAT(!saving_.empty());
  Saving saved = std::move(saving_.front());
  saving_.pop_front();
  if (saved.state && saved.meta.index > commit_) {
    finish_install(std::move(saved));
  } else {
    finish_compaction(std::move(saved));
  }
}

void Core::finish_compaction(Saving saved) {
  const bool installed = saved.state.has_value();
  snapshot_ = std::move(saved.meta);
  snapshot_encoded_ = std::move(saved.encoded);
  // Entries overtook an installed snapshot while it was being written: it is as good as our own.
  if (installed && saved.request.to == self_) {
    send(saved.reply_to,
         InstallSnapshotResponse{.header = answer_to(saved.request),
                                 .index = snapshot_.index,
                                 .next_offset = snapshot_encoded_->size(),
                                 .installed = true},
         std::max(hard_state_seq_, seq_covering(snapshot_.index)));
  }
  const std::uint64_t kept = std::min(options_.trailing_entries, snapshot_.index.value);
  const LogIndex start(snapshot_.index.value - kept);
  if (start <= log_.start_index()) return;
  log_.compact(start);
  // The snapshot's configuration stands for all before it.
  while (configurations_.size() > 1 && configurations_[1].index <= snapshot_.index) {
    configurations_.erase(configurations_.begin());
  }
  output_.facts.emplace_back(fact::LogCompacted{group_, start});
  output_.rewrite_log = true;
}

// ---- Leader ----------------------------------------------------------------------------------

void Core::begin_snapshot(Progress& peer) {
  CHECK_THAT(snapshot_encoded_ != nullptr && snapshot_.index >= log_.start_index());
  peer.mode = Progress::Mode::snapshot;
  peer.snapshot = snapshot_encoded_;
  peer.snapshot_index = snapshot_.index;
  peer.snapshot_term = snapshot_.term;
  peer.offset = 0;
  send_chunk(peer);
}

void Core::send_chunk(Progress& peer) {
  const std::uint64_t size = peer.snapshot->size();
  const std::uint64_t length = std::min(options_.snapshot_chunk_bytes, size - peer.offset);
  const auto begin = peer.snapshot->begin() + static_cast<std::ptrdiff_t>(peer.offset);
  peer.in_flight.clear();
  peer.in_flight.push_back({peer.snapshot_index, round_});
  send(peer.server.address,
       InstallSnapshot{.header = header_to(peer.server, peer.resends),
                       .index = peer.snapshot_index,
                       .index_term = peer.snapshot_term,
                       .settled = settled(),
                       .size_bytes = size,
                       .offset = peer.offset,
                       .chunk = Bytes(begin, begin + static_cast<std::ptrdiff_t>(length))},
       hard_state_seq_);
}

bool Core::install_snapshot_response(Address /*from*/, const InstallSnapshotResponse& m) {
  Progress* peer = answering_peer(m.header);
  if (peer == nullptr || peer->mode != Progress::Mode::snapshot) return true;
  if (m.index != peer->snapshot_index) return true;
  if (m.installed) {
    peer->mode = Progress::Mode::replicate;
    peer->snapshot.reset();
    peer->in_flight.clear();
    peer->resends = 0;
    peer->match = std::max(peer->match, m.index);
    peer->next = peer->match.next();
    advance_commit();
    if (role_ != Role::leader) return true;
    promote_learner();
    if (Progress* still = answering_peer(m.header)) replicate(*still);
    return true;
  }
  if (m.next_offset > peer->snapshot->size()) return false;
  // All sent: it is being written. A lost answer is asked for again after a heartbeat.
  if (m.next_offset == peer->offset || m.next_offset == peer->snapshot->size()) return true;
  peer->offset = m.next_offset;
  peer->resends = 0;
  send_chunk(*peer);
  return true;
}

// ---- Follower --------------------------------------------------------------------------------

bool Core::install_snapshot(Address from, const InstallSnapshot& m) {
  if (role_ == Role::leader && m.header.term == term_) return false;
  if (m.size_bytes > kSnapshotBytesMax || m.offset > m.size_bytes ||
      m.chunk.size() > m.size_bytes - m.offset) {
    return false;
  }
  InstallSnapshotResponse answer{.header = answer_to(m.header), .index = m.index};
  if (!accept_leader(from, m.header)) {
    send(from, answer, hard_state_seq_);
    return true;
  }
  answer.header.term = term_;
  note_settled(m.settled);
  if (m.index <= commit_) {
    // Committed entries agree with every leader's (Raft 5.4.3).
    answer.installed = true;
    send(from, answer, std::max(hard_state_seq_, seq_covering(m.index)));
    return true;
  }
  // Being written: the answer follows when that is done.
  if (!saving_.empty() && saving_.back().meta.index >= m.index) return true;

  if (!incoming_ || incoming_->index != m.index || incoming_->term != m.index_term ||
      incoming_->size_bytes != m.size_bytes) {
    incoming_ =
        Incoming{.index = m.index, .term = m.index_term, .size_bytes = m.size_bytes, .bytes = {}};
  }
  Bytes& bytes = incoming_->bytes;
  if (m.offset == bytes.size()) bytes.insert(bytes.end(), m.chunk.begin(), m.chunk.end());
  answer.next_offset = bytes.size();
  if (bytes.size() < m.size_bytes) {
    send(from, answer, hard_state_seq_);
    return true;
  }
  auto encoded = std::make_shared<const Bytes>(std::move(bytes));
  incoming_.reset();
  std::optional<Snapshot> snapshot = decode_snapshot(*encoded);
  if (!snapshot || snapshot->index != m.index || snapshot->term != m.index_term) return false;
  std::optional<Bytes> state = std::exchange(snapshot->state, {});
  output_.saves.push_back({encoded});
  saving_.push_back({.meta = std::move(*snapshot),
                     .encoded = std::move(encoded),
                     .state = std::move(state),
                     .request = m.header,
                     .reply_to = from,
                     .settled = m.settled});
  return true;
}

// The snapshot is on disk and newer than what is committed here: it replaces the state.
void Core::finish_install(Saving saved) {
  // A leader has every committed entry already; it became one while this was being written.
  const bool agrees = log_.contains(saved.meta.index, saved.meta.term);
  if (agrees) {
    log_.compact(saved.meta.index);
  } else {
    if (log_.last_index() > commit_) {
      output_.facts.emplace_back(fact::LogTruncated{group_, commit_.next()});
    }
    log_ = EntryLog(saved.meta.index, saved.meta.term);
  }
  if (role_ != Role::follower) become_follower(term_, std::nullopt);
  std::vector<LoggedConfiguration> configurations;
  configurations.push_back({saved.meta.index, saved.meta.configuration});
  for (const Entry& entry : log_.entries()) {
    if (entry.configuration) configurations.push_back({entry.index, *entry.configuration});
  }
  configurations_ = std::move(configurations);
  snapshot_ = std::move(saved.meta);
  snapshot_encoded_ = std::move(saved.encoded);
  commit_ = snapshot_.index;
  durable_ = std::max(std::min(durable_, log_.last_index()), snapshot_.index);
  if (!agrees) durable_ = snapshot_.index;
  for (Unsynced& pending : unsynced_) pending.last = std::min(pending.last, log_.last_index());
  const PersistSeq seq = persist(record::SnapshotMark{group_, snapshot_.index, snapshot_.term});
  output_.facts.emplace_back(fact::SnapshotInstalled{group_, snapshot_.index, snapshot_.term});
  output_.restore = std::move(saved.state);
  output_.rewrite_log = true;
  // What we believe was replaced as a whole: current means as current as the snapshot's sender.
  settled_target_.reset();
  caught_up_ = false;
  note_settled(saved.settled);
  if (saved.request.to != self_) return;
  send(saved.reply_to,
       InstallSnapshotResponse{.header = answer_to(saved.request),
                               .index = snapshot_.index,
                               .next_offset = snapshot_encoded_->size(),
                               .installed = true},
       std::max(hard_state_seq_, seq));
}

}  // namespace rejoin::raft
