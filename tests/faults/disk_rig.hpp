// For the tests of the faults of disks: node 2 of a rig, what it found in its files when it started
// again, and how its operations ended.
#pragma once

#include <map>
#include <string>

#include "tests/faults/rig.hpp"

namespace rejoin::sim::testing {

struct DiskRig {
  explicit DiskRig(std::uint64_t seed = 1);
  ~DiskRig();

  void inject(MonotonicTime when, std::string_view fault, Params params = {},
              std::optional<Duration> lasts = {});
  // Power-cycles the node in the middle of a sync: it reads its journal 10 ms later.
  void power_cycle(MonotonicTime when);
  void run();
  [[nodiscard]] std::size_t count(char c) const;
  // How long each sync of the node took that it was told of; by its number.
  [[nodiscard]] std::map<std::string, Duration> sync_times() const;

  FaultRig rig;
  std::string journal;  // as last read at a start: an x for each tick
  IoStatus status{};    // of that read
  std::size_t synced = 0;
  std::size_t failed = 0;
};

}  // namespace rejoin::sim::testing
