#include "protocols/partitioning/placement.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"

namespace rejoin {

tl::expected<PartitionMap, std::string> make_map(Epoch epoch, const PartitioningOptions& options,
                                                 std::vector<NodeId> members) {
  const PlacementSpec* placement = Placements::find(options.placement);
  if (placement == nullptr) {
    return tl::unexpected("no placement is called \"" + options.placement + "\"");
  }
  if (options.partitions == 0 || options.replication == 0) {
    return tl::unexpected(std::string("partitions and replication are at least 1"));
  }
  // Equal ids are the same member: no ties that could be seen.
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  const bool is_short = members.size() < options.replication;
  if (members.empty() || (is_short && options.shortage == MapShortage::refuse)) {
    return tl::unexpected("not enough nodes: " + std::to_string(members.size()) + " of " +
                          std::to_string(options.replication));
  }
  PartitionMap map{.epoch = epoch,
                   .owners = placement->place({.partitions = options.partitions,
                                               .replication = options.replication,
                                               .members = std::move(members)},
                                              default_params(placement->params))};
  CHECK_THAT(map.owners.size() == options.partitions);
  return map;
}

}  // namespace rejoin
