// Rendezvous hashing (Thaler and Ravishankar 1998), as ClusterKit computes it: nodes ascending by
// the first four bytes, big-endian, of md5(partition name + node name). A join moves 1/(n+1) of
// the partitions' primaries, all of them to the node that joined.

#include <algorithm>
#include <utility>

#include "model/hash.hpp"
#include "protocols/partitioning/placement.hpp"

namespace rejoin {

namespace {

std::uint32_t score(PartitionId partition, NodeId node) {
  const auto digest = md5(to_name(partition) + to_name(node));
  std::uint32_t head = 0;
  for (std::size_t i = 0; i < 4; ++i) head = head << 8U | digest[i];
  return head;
}

std::vector<std::vector<NodeId>> place(const PlacementInput& input, const Params& /*params*/) {
  const std::size_t copies = std::min<std::size_t>(input.replication, input.members.size());
  std::vector<std::vector<NodeId>> owners(input.partitions);
  std::vector<std::pair<std::uint32_t, NodeId>> ranked(input.members.size());
  for (std::uint32_t p = 0; p < input.partitions; ++p) {
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      ranked[i] = {score(PartitionId(p), input.members[i]), input.members[i]};
    }
    // Four bytes collide: the node id breaks the tie, so that the order is total.
    const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(copies);
    std::partial_sort(ranked.begin(), end, ranked.end());
    owners[p].reserve(copies);
    for (auto at = ranked.begin(); at != end; ++at) owners[p].push_back(at->second);
  }
  return owners;
}

[[maybe_unused]] const bool registered = Placements::add(
    {.name = "rendezvous",
     .help = "each partition's nodes by hash of (partition, node); a join moves 1/(n+1)",
     .params = {},
     .place = &place});

}  // namespace

}  // namespace rejoin
