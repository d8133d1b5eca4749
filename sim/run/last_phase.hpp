// The last phase of a run: every fault that can be taken back is, the core of the cluster is
// started, and the world is left alone until it is quiet. Liveness is judged on what comes of it.
//
// Invariants:
// 1. Without a core (Limits::core) nothing is started: the dead stay dead.
// 2. A core node comes back on its own disk, unless it has found that disk corrupt (StorageCorrupt)
//    or stops by itself twice: then on an empty one, as an operator would do it. It is tried so
//    often and no more.
// 3. With a core, quiet means besides that each node of it is up, a member, and has no repair left.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/facts.hpp"
#include "model/run_record.hpp"
#include "model/schedule.hpp"
#include "sim/invariants/world.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/timeline.hpp"

namespace rejoin::sim {

class LastPhase {
 public:
  LastPhase(const Schedule& schedule, Kernel& kernel, const World& world, Timeline& timeline)
      : schedule_(schedule), kernel_(kernel), world_(world), timeline_(timeline) {}

  // From the start of the run on, after the world has absorbed it.
  void on_fact(const FactSource& source, const Fact& fact);

  void begin();
  // Whether the run is over, with the next event at that time. May start nodes of the core.
  [[nodiscard]] bool is_over(MonotonicTime next_event);
  // What the core lacks, in sentences (unless no promises are asked for), and the row of the table.
  void finish(RunRecord& record) const;

 private:
  static constexpr std::uint32_t kTriesMax = 3;

  struct Past {
    bool started = false;            // at any time: who never was is not ours to start
    bool corrupt = false;            // what it read back was not what it wrote
    std::string halted{};            // why this process stopped by itself
    std::set<PartitionId> failed{};  // repairs that failed and were not completed since
    std::uint32_t tries = 0;
  };

  bool revive();
  [[nodiscard]] bool is_whole(NodeId node) const;
  [[nodiscard]] bool repairs(NodeId node) const;

  const Schedule& schedule_;
  Kernel& kernel_;
  const World& world_;
  Timeline& timeline_;
  std::map<NodeId, Past> past_;
  std::vector<NodeId> core_;
  std::vector<std::string> started_;  // for the row
  bool begun_ = false;
  MonotonicTime began_{};
  MonotonicTime quiet_from_{};
};

}  // namespace rejoin::sim
