// Whether this node answers for a partition. Written by the sync component, read by the
// coordinator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/ids.hpp"

namespace rejoin {

class Gate {
 public:
  explicit Gate(std::uint32_t partitions, bool redirects = false)
      : open_(partitions, true), redirects_(redirects) {}

  // Who asks this node itself for what is fenced is sent on to another replica.
  [[nodiscard]] bool redirects() const { return redirects_; }

  [[nodiscard]] bool is_open(PartitionId partition) const { return open_[partition.value]; }
  [[nodiscard]] std::size_t partition_count() const { return open_.size(); }
  void open(PartitionId partition) { open_[partition.value] = true; }
  void close(PartitionId partition) { open_[partition.value] = false; }

 private:
  std::vector<bool> open_;
  bool redirects_;
};

}  // namespace rejoin
