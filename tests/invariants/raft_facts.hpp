// Facts of Raft's cluster group, short to write.
#pragma once

#include "model/facts.hpp"

namespace rejoin::sim::raft_facts {

Fact leads(std::uint64_t term);
Fact steps_down(std::uint64_t term);
Fact votes(std::uint64_t term, std::uint32_t candidate, std::uint64_t incarnation = 1);
// The content of an entry is as its digest: by default that of its index and term.
std::uint64_t content(std::uint64_t index, std::uint64_t term);
Fact appends(std::uint64_t index, std::uint64_t term, std::uint64_t digest);
Fact appends(std::uint64_t index, std::uint64_t term);
Fact truncates(std::uint64_t from);
Fact commits(std::uint64_t term, std::uint64_t index);
Fact applies(std::uint64_t index, std::uint64_t term);
Fact installs(std::uint64_t index, std::uint64_t term);
Fact compacts(std::uint64_t index);
Fact recovers(std::uint64_t snapshot, std::uint64_t last, std::uint64_t term);

}  // namespace rejoin::sim::raft_facts
