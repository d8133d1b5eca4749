// What mechanisms share that compare a partition with its replicas: on a return or a change with as
// many as make it repaired, and for upkeep, period by period, with one after the other.
//
// Invariants:
// 1. A pass visits every partition that this node owns once, with one replica each, the next one in
//    the next pass; at most `concurrency` at once, and at most `visits` in a period. What is not
//    done when its period is over goes on; nothing is started beside it.
// 2. Passes claim nothing: who was met may have missed what others have. A repair on a return does,
//    when it has met a majority (source: quorum), everyone who answers (all), or one (one).
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "protocols/sync/mechanism.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin {

class AntiEntropy final : public Mechanism {
 public:
  struct Options {
    std::string name;
    Transfer transfer;
    bool on_return = true;
    SourceRule source = SourceRule::quorum;
    MergeRule merge = MergeRule::merge;
    Duration period{};         // 0: no upkeep
    Duration jitter{};         // added to each period
    std::uint32_t visits = 0;  // of a period; 0: a pass in each
    std::uint32_t concurrency = 1;
  };
  AntiEntropy(SyncManager& manager, Options options);

  void on_partition_change(const PartitionNeeded& change) override;
  void on_return(const std::vector<Owned>& owned) override;
  void start() override;
  void on_timer(std::uint64_t number) override;
  void on_pass_ended(PartitionId partition) override;
  [[nodiscard]] bool repairs_on_return(const Owned& /*owned*/) const override {
    return options_.on_return;
  }
  [[nodiscard]] bool repairs_on_change() const override { return options_.on_return; }

 private:
  void repair(PartitionId partition, std::vector<NodeId> sources);
  void schedule();
  void visit_next();

  SyncManager& manager_;
  Options options_;
  std::uint64_t pass_ = 0;
  std::uint64_t period_ = 0;      // of this process
  PartitionId next_;              // where the pass goes on; the first, when each is whole
  std::deque<PartitionId> left_;  // of this period
  std::uint32_t under_way_ = 0;
  bool visiting_ = false;
};

// The parameters that they share; `period`: its default.
[[nodiscard]] std::vector<ParamSpec> anti_entropy_params(std::string_view period);
// Whether one that was made so repairs who returns or gains a partition.
[[nodiscard]] bool compares_on_return(const Params& params);
// Why passes cannot be paced so; empty: they can.
[[nodiscard]] std::string pace_refusal(const NodeOptions& options, const Params& params);
// All but the transfer.
[[nodiscard]] AntiEntropy::Options anti_entropy_options(std::string_view name,
                                                        const Params& params);
// What a repair by comparison promises, and under which conditions.
[[nodiscard]] std::vector<std::string_view> comparison_promises();
// `refuses_none`: it refuses to run without versions.
[[nodiscard]] std::vector<Condition> comparison_conditions(bool refuses_none);

}  // namespace rejoin
