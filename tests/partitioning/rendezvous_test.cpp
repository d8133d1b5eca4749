#include <doctest/doctest.h>

#include <map>

#include "protocols/partitioning/placement.hpp"

namespace rejoin {
namespace {

std::vector<NodeId> nodes(std::uint32_t count) {
  std::vector<NodeId> all;
  for (std::uint32_t n = count; n >= 1; --n) all.emplace_back(n);
  return all;
}

PartitionMap map_of(std::uint32_t partitions, std::uint32_t replication, std::uint32_t count) {
  PartitioningOptions options;
  options.partitions = partitions;
  options.replication = replication;
  options.placement = "rendezvous";
  return *make_map(Epoch(1), options, nodes(count));
}

std::vector<std::uint32_t> primaries(const PartitionMap& map) {
  std::map<NodeId, std::uint32_t> counts;
  for (const auto& owners : map.owners) ++counts[owners.front()];
  std::vector<std::uint32_t> out;
  for (const auto& [node, count] : counts) out.push_back(count);
  return out;
}

TEST_CASE("ClusterKit's vectors hold: primaries by node, and owners by key") {
  CHECK(primaries(map_of(64, 3, 3)) == std::vector<std::uint32_t>{17, 25, 22});
  CHECK(primaries(map_of(16, 3, 3)) == std::vector<std::uint32_t>{6, 6, 4});
  for (const std::uint32_t partitions : {16U, 64U}) {
    const PartitionMap map = map_of(partitions, 3, 3);
    CHECK(partition_of("user:125", partitions) == PartitionId(15));
    CHECK(map.owners[15] == std::vector{NodeId(2), NodeId(1), NodeId(3)});
    CHECK(partition_of("key-125", partitions) == PartitionId(9));
    CHECK(map.owners[9] == std::vector{NodeId(3), NodeId(2), NodeId(1)});
  }
}

TEST_CASE("a join moves about 1/(n+1) of the primaries, all of them to the node that joined") {
  constexpr std::uint32_t partitions = 4096;
  for (const std::uint32_t n : {3U, 7U, 15U}) {
    const PartitionMap before = map_of(partitions, 1, n);
    const PartitionMap after = map_of(partitions, 1, n + 1);
    std::uint32_t moved = 0;
    for (std::uint32_t p = 0; p < partitions; ++p) {
      if (before.owners[p] == after.owners[p]) continue;
      ++moved;
      CHECK(after.owners[p].front() == NodeId(n + 1));
    }
    // Binomial: five standard deviations are below a fifth of the mean here at most.
    const std::uint32_t mean = partitions / (n + 1);
    CHECK(moved > mean - mean * 3 / 10);
    CHECK(moved < mean + mean * 3 / 10);
  }
}

TEST_CASE("with too few nodes there are as many copies as nodes, or no map") {
  CHECK(map_of(16, 3, 2).owners[0].size() == 2);
  PartitioningOptions options;
  options.shortage = MapShortage::refuse;
  const auto refused = make_map(Epoch(1), options, nodes(2));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == "not enough nodes: 2 of 3");
  CHECK(make_map(Epoch(1), options, nodes(3)).has_value());
  CHECK_FALSE(make_map(Epoch(1), {}, {}).has_value());
  options.placement = "astrology";
  CHECK(make_map(Epoch(1), options, nodes(3)).error() == "no placement is called \"astrology\"");
}

}  // namespace
}  // namespace rejoin
