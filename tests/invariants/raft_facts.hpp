// Facts of Raft's cluster group, short to write.
#pragma once

#include "model/facts.hpp"

namespace rejoin::sim::raft_facts {

inline Fact leads(std::uint64_t term) {
  return fact::BecameLeader{kClusterGroup, Term(term)};
}
inline Fact steps_down(std::uint64_t term) {
  return fact::LostLeadership{kClusterGroup, Term(term)};
}
inline Fact votes(std::uint64_t term, std::uint32_t candidate, std::uint64_t incarnation = 1) {
  return fact::VoteGranted{kClusterGroup, Term(term), NodeId(candidate), Incarnation(incarnation)};
}
// The content of an entry is as its digest: by default that of its index and term.
inline std::uint64_t content(std::uint64_t index, std::uint64_t term) {
  return index * 1000 + term;
}
inline Fact appends(std::uint64_t index, std::uint64_t term, std::uint64_t digest) {
  return fact::EntryAppended{kClusterGroup, LogIndex(index), Term(term), digest};
}
inline Fact appends(std::uint64_t index, std::uint64_t term) {
  return appends(index, term, content(index, term));
}
inline Fact truncates(std::uint64_t from) {
  return fact::LogTruncated{kClusterGroup, LogIndex(from)};
}
inline Fact commits(std::uint64_t term, std::uint64_t index) {
  return fact::Committed{kClusterGroup, Term(term), LogIndex(index)};
}
inline Fact applies(std::uint64_t index, std::uint64_t term) {
  return fact::EntryApplied{kClusterGroup, LogIndex(index), Term(term), content(index, term)};
}
inline Fact installs(std::uint64_t index, std::uint64_t term) {
  return fact::SnapshotInstalled{kClusterGroup, LogIndex(index), Term(term)};
}
inline Fact compacts(std::uint64_t index) {
  return fact::LogCompacted{kClusterGroup, LogIndex(index)};
}
inline Fact recovers(std::uint64_t snapshot, std::uint64_t last, std::uint64_t term) {
  return fact::LogRecovered{kClusterGroup, LogIndex(snapshot), LogIndex(last), Term(term)};
}

}  // namespace rejoin::sim::raft_facts
