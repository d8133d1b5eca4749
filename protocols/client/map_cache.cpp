#include "protocols/client/map_cache.hpp"

#include <algorithm>
#include <utility>

#include "model/limits.hpp"

namespace rejoin {

namespace {

constexpr std::size_t kOwnersMax = 1'000;  // no cluster has more copies

// Owners of a partition are distinct nodes. None at all is no mistake: nobody may be left.
bool well_formed(const std::vector<NodeId>& owners) {
  if (owners.size() > kOwnersMax) return false;
  std::vector<NodeId> sorted = owners;
  std::stable_sort(sorted.begin(), sorted.end());
  return (sorted.empty() || !sorted.front().is_none()) &&
         std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

bool well_formed(const PartitionMap& map) {
  return !map.epoch.is_none() && map.partition_count() != 0 &&
         map.partition_count() <= kPartitionsMax &&
         std::all_of(map.owners.begin(), map.owners.end(),
                     [](const std::vector<NodeId>& owners) { return well_formed(owners); });
}

}  // namespace

MapCache::Taken MapCache::take(PartitionMap map) {
  if (!well_formed(map)) return Taken::malformed;
  if (map.epoch <= map_.epoch) return Taken::old_news;
  map_ = std::move(map);
  return Taken::replaced;
}

const std::vector<NodeId>& MapCache::owners_of(const Key& key) const {
  static const std::vector<NodeId> nobody;
  if (map_.partition_count() == 0) return nobody;
  return map_.owners_of(partition_of(key, map_.partition_count()));
}

}  // namespace rejoin
