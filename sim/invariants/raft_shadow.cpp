#include "sim/invariants/raft_shadow.hpp"

#include <algorithm>

namespace rejoin::sim {

std::optional<ShadowEntry> ShadowLog::at(LogIndex index) const {
  if (index <= base_ || index > last()) return std::nullopt;
  return entries_[index.value - base_.value - 1];
}

std::optional<Term> ShadowLog::term_at(LogIndex index) const {
  if (index == base_) return base_term_;
  const std::optional<ShadowEntry> entry = at(index);
  return entry ? std::optional(entry->term) : std::nullopt;
}

void ShadowLog::append(LogIndex index, const ShadowEntry& entry) {
  if (index <= base_) return;
  if (index <= last()) truncate(index);
  while (last().next() < index) entries_.push_back(std::nullopt);
  entries_.push_back(entry);
}

void ShadowLog::learn(LogIndex index, const ShadowEntry& entry) {
  if (index <= base_ || index > last()) return;
  auto& known = entries_[index.value - base_.value - 1];
  if (!known) known = entry;
}

void ShadowLog::truncate(LogIndex from) {
  doubtful_from_ = doubtful_from_ ? std::min(*doubtful_from_, from) : from;
  while (last() >= from && !entries_.empty()) entries_.pop_back();
}

void ShadowLog::compact(LogIndex index, std::optional<Term> term) {
  if (index <= base_) return;
  if (!term) term = term_at(index);
  if (index >= last()) {
    entries_.clear();
  } else {
    entries_.erase(entries_.begin(),
                   entries_.begin() + static_cast<std::ptrdiff_t>(index.value - base_.value));
  }
  base_ = index;
  base_term_ = term;
}

void ShadowLog::recover(LogIndex snapshot, LogIndex last_index) {
  // It has lost a snapshot, and with it the log that we knew.
  if (snapshot < base_) *this = ShadowLog();
  compact(snapshot, std::nullopt);
  while (last() > last_index && !entries_.empty()) entries_.pop_back();
  while (last() < last_index) entries_.push_back(std::nullopt);
  if (doubtful_from_) {
    for (LogIndex i = std::max(*doubtful_from_, base_.next()); i <= last(); i = i.next()) {
      entries_[i.value - base_.value - 1].reset();
    }
  }
  doubtful_from_.reset();
}

const ShadowServer* RaftShadow::find(GroupId group, NodeId node) const {
  const auto at = servers_.find({group, node});
  return at == servers_.end() ? nullptr : &at->second;
}

void RaftShadow::show_term(ShadowServer& server, Term term) {
  server.term = std::max(server.term, term);
}

void RaftShadow::absorb_process(const FactEvent& event) {
  const bool started = std::holds_alternative<fact::ProcessStarted>(event.fact);
  const auto* wiped = std::get_if<fact::DiskWiped>(&event.fact);
  const NodeId node = event.source.node;
  if (wiped == nullptr) up_[node] = started;
  for (auto& [id, server] : servers_) {
    if (id.second != node) continue;
    // Of half of its files nobody knows what is left, until the log is read.
    if (wiped != nullptr && wiped->part != "data") server.log = ShadowLog();
    // The term of its new life may be lower: what was not durable never happened.
    server.term = Term();
    server.leads = false;
    server.uncommitted.clear();
    server.up = up_[node];
  }
}

void RaftShadow::absorb(const FactEvent& event) {
  if ((kInterests >> event.fact.index() & 1U) == 0 || event.source.node.is_none()) return;
  if (event.source.twin) return;
  if (std::holds_alternative<fact::ProcessStarted>(event.fact) ||
      std::holds_alternative<fact::ProcessCrashed>(event.fact) ||
      std::holds_alternative<fact::ProcessHalted>(event.fact) ||
      std::holds_alternative<fact::DiskWiped>(event.fact)) {
    absorb_process(event);
    return;
  }
  const auto server_of_group = [&](GroupId group) -> ShadowServer& {
    auto [at, is_new] = servers_.try_emplace({group, event.source.node});
    if (is_new) at->second.up = up_[event.source.node];
    return at->second;
  };
  if (const auto* appended = std::get_if<fact::EntryAppended>(&event.fact)) {
    ShadowServer& server = server_of_group(appended->group);
    server.log.append(appended->index, {appended->term, appended->digest});
    show_term(server, appended->term);
    if (server.leads) server.uncommitted.push_back({appended->index, event.at});
  } else if (const auto* truncated = std::get_if<fact::LogTruncated>(&event.fact)) {
    server_of_group(truncated->group).log.truncate(truncated->from);
  } else if (const auto* committed = std::get_if<fact::Committed>(&event.fact)) {
    ShadowServer& server = server_of_group(committed->group);
    show_term(server, committed->term);
    server.committed_in_term = server.leads && committed->term == server.leads_term;
    auto& open = server.uncommitted;
    while (!open.empty() && open.front().index <= committed->index) open.pop_front();
  } else if (const auto* applied = std::get_if<fact::EntryApplied>(&event.fact)) {
    server_of_group(applied->group).log.learn(applied->index, {applied->term, applied->digest});
  } else if (const auto* installed = std::get_if<fact::SnapshotInstalled>(&event.fact)) {
    ShadowLog& log = server_of_group(installed->group).log;
    // Figure 13 of the Raft paper, step 6: a log that has the snapshot's last entry goes on.
    if (log.term_at(installed->index) != installed->term) log.truncate(log.base().next());
    log.compact(installed->index, installed->term);
  } else if (const auto* compacted = std::get_if<fact::LogCompacted>(&event.fact)) {
    server_of_group(compacted->group).log.compact(compacted->index, std::nullopt);
  } else if (const auto* recovered = std::get_if<fact::LogRecovered>(&event.fact)) {
    ShadowServer& server = server_of_group(recovered->group);
    server.log.recover(recovered->snapshot, recovered->last);
    show_term(server, recovered->term);
  } else if (const auto* vote = std::get_if<fact::VoteGranted>(&event.fact)) {
    show_term(server_of_group(vote->group), vote->term);
  } else if (const auto* leads = std::get_if<fact::BecameLeader>(&event.fact)) {
    ShadowServer& server = server_of_group(leads->group);
    show_term(server, leads->term);
    server.leads = true;
    server.leads_term = leads->term;
    server.leads_since = event.at;
    server.committed_in_term = false;
    server.uncommitted.clear();
  } else if (const auto* lost = std::get_if<fact::LostLeadership>(&event.fact)) {
    ShadowServer& server = server_of_group(lost->group);
    server.leads = false;
    server.uncommitted.clear();
  }
}

}  // namespace rejoin::sim
