// Full copy whenever this node may have missed writes: on its return, of every partition that it
// owns, unless it was told not to, and on a change, of the partition that it gained.
#include "model/check.hpp"
#include "model/mutant.hpp"
#include "protocols/sync/promises.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kName = "rejoin-sync";

SourceRule rule_of(const std::string& source) {
  if (source == "one" || source == "first") return SourceRule::first;
  if (source == "quorum") return SourceRule::quorum;
  if (source == "all") return SourceRule::all;
  CHECK_THAT(source == "freshest");
  return SourceRule::freshest;
}

class RejoinSync final : public Mechanism {
 public:
  struct Options {
    SourceRule rule{};
    bool only_first = false;  // of the replicas that could be asked, the first alone
    bool wipe = false;
    bool on_return = true;
  };
  RejoinSync(SyncManager& manager, Options options) : manager_(manager), options_(options) {}

  void on_partition_change(const PartitionNeeded& change) override {
    const bool blind = MUTANT("sync-blind-hook");
    repair(change.partition, change.sources, blind ? MergeRule::overwrite : MergeRule::merge);
  }
  void on_return(const std::vector<Owned>& owned) override {
    for (const Owned& each : owned) {
      if (!repairs_on_return(each)) continue;
      repair(each.partition, manager_.replicas_of(each.partition), MergeRule::merge);
    }
  }
  [[nodiscard]] bool repairs_on_return(const Owned& owned) const override {
    return options_.on_return || owned.gained;
  }
  [[nodiscard]] bool repairs_on_change() const override { return true; }

 private:
  void repair(PartitionId partition, std::vector<NodeId> sources, MergeRule merge) {
    if (options_.only_first && sources.size() > 1) sources.resize(1);
    manager_.repair({.partition = partition,
                     .sources = std::move(sources),
                     .rule = options_.rule,
                     .merge = merge,
                     .wipe = options_.wipe,
                     .mechanism = std::string(kName)});
  }

  SyncManager& manager_;
  Options options_;
};

std::unique_ptr<Mechanism> make(SyncManager& manager, const Params& params) {
  const std::string& mode = params.get<std::string>("mode");
  CHECK_THAT(mode == "merge" || mode == "wipe");
  const std::string& source = params.get<std::string>("source");
  return std::make_unique<RejoinSync>(
      manager, RejoinSync::Options{.rule = rule_of(source),
                                   .only_first = source == "first",
                                   .wipe = mode == "wipe",
                                   .on_return = params.get<bool>("on_return")});
}

std::vector<Condition> conditions() {
  return {condition::versions(),
          condition::agreeing_clocks(),
          condition::strict_quorums(),
          condition::quorum_writes(),
          condition::covering_sources(),
          condition::majority(),
          // A wipe forgets, and if the node dies before what replaces it is durable, it is gone.
          {.name = "merging",
           .says = "mode: merge",
           .met = [](const Terms& /*terms*/,
                     const Params& params) { return params.get<std::string>("mode") == "merge"; },
           .promises = {"acknowledged-writes-survive", "no-stale-read-after-repair"}},
          condition::on_return(),
          condition::tombstones(),
          condition::latest_shown()};
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = kName,
    .help = "Copies every partition that it owns from a replica when a node returns or gains it",
    .details =
        "The simplest strategy that is right: a node assumes that it missed something and fetches "
        "everything, keeping the newer of two versions of a key. Its cost is the whole data of the "
        "node at every return, however short the absence. Without versions the copy overwrites: a "
        "write that arrives while it runs can be lost. A wipe drops keys that only this node has; "
        "merging keeps them. A wipe waits until the last source has answered whole, and merges "
        "instead when it could lose what a majority holds: when owners are missing from the map, "
        "when an owner other than this node was not copied whole (source quorum: a majority of "
        "owners without it was not), so with source freshest or one and more than two copies "
        "always, and when sources had to be accepted that are unrepaired themselves. Until the "
        "repair completes the node answers with old data, unless the gate fences it. Replicas may "
        "stay different: a member that misses a write without leaving, by a lost datagram or an "
        "outage shorter than its detection, is not repaired. A deleted key can be read again at a "
        "node that has not completed its repair, if its gate is open, or that was cut off.",
    .params = {{.name = "source",
                .type = ParamType::choice,
                .unit = "",
                .fallback = "freshest",
                .help = "replicas to copy from: the one that is ahead, the first that answers, the "
                        "first by the map (others when it does not answer), a majority, or all",
                .choices = {"freshest", "one", "first", "quorum", "all"}},
               {.name = "mode",
                .type = ParamType::choice,
                .unit = "",
                .fallback = "merge",
                .help = "merge into the local records, or replace them when the copy is whole",
                .choices = {"merge", "wipe"}},
               {.name = "on_return",
                .type = ParamType::flag,
                .unit = "",
                .fallback = "true",
                .help =
                    "a node that returns copies all that it owns; false: only what it gains, "
                    "as where others stream to who is new, and repair who was away; a copy that "
                    "its process did not outlive is not taken up again",
                .choices = {}}},
    .promises = {"acknowledged-writes-survive", "merge-never-regresses",
                 "no-stale-read-after-repair"},
    .conditions = conditions(),
    .repairs = [](const Params& /*params*/) { return true; },
    .make = &make,
    .exclusive = false,
});

}  // namespace

}  // namespace rejoin
