#include "tests/invariants/raft_facts.hpp"

namespace rejoin::sim::raft_facts {

Fact leads(std::uint64_t term) {
  return fact::BecameLeader{kClusterGroup, Term(term)};
}

Fact steps_down(std::uint64_t term) {
  return fact::LostLeadership{kClusterGroup, Term(term)};
}

Fact votes(std::uint64_t term, std::uint32_t candidate, std::uint64_t incarnation) {
  return fact::VoteGranted{kClusterGroup, Term(term), NodeId(candidate), Incarnation(incarnation)};
}

std::uint64_t content(std::uint64_t index, std::uint64_t term) {
  return index * 1000 + term;
}

Fact appends(std::uint64_t index, std::uint64_t term, std::uint64_t digest) {
  return fact::EntryAppended{kClusterGroup, LogIndex(index), Term(term), digest};
}

Fact appends(std::uint64_t index, std::uint64_t term) {
  return appends(index, term, content(index, term));
}

Fact truncates(std::uint64_t from) {
  return fact::LogTruncated{kClusterGroup, LogIndex(from)};
}

Fact commits(std::uint64_t term, std::uint64_t index) {
  return fact::Committed{kClusterGroup, Term(term), LogIndex(index)};
}

Fact applies(std::uint64_t index, std::uint64_t term) {
  return fact::EntryApplied{kClusterGroup, LogIndex(index), Term(term), content(index, term)};
}

Fact installs(std::uint64_t index, std::uint64_t term) {
  return fact::SnapshotInstalled{kClusterGroup, LogIndex(index), Term(term)};
}

Fact compacts(std::uint64_t index) {
  return fact::LogCompacted{kClusterGroup, LogIndex(index)};
}

Fact recovers(std::uint64_t snapshot, std::uint64_t last, std::uint64_t term) {
  return fact::LogRecovered{kClusterGroup, LogIndex(snapshot), LogIndex(last), Term(term)};
}

}  // namespace rejoin::sim::raft_facts
