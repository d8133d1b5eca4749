// Copy in the partition-change hook, as ClusterKit's example does it: fetch the partition from its
// old owners and overwrite what is here, without versions. Nothing happens on a return that moves
// no partition.
#include "model/check.hpp"
#include "protocols/sync/mechanism.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kName = "hook-copy";

SourceRule rule_of(const std::string& sources) {
  if (sources == "first") return SourceRule::first;
  if (sources == "quorum") return SourceRule::quorum;
  CHECK_THAT(sources == "all");
  return SourceRule::all;
}

class HookCopy final : public Mechanism {
 public:
  HookCopy(SyncManager& manager, SourceRule rule) : manager_(manager), rule_(rule) {}

  void on_partition_change(const PartitionNeeded& change) override {
    manager_.repair({.partition = change.partition,
                     .sources = change.sources,
                     .rule = rule_,
                     .merge = MergeRule::overwrite,
                     .wipe = false,
                     .mechanism = std::string(kName)});
  }
  [[nodiscard]] bool repairs_on_change() const override { return true; }

 private:
  SyncManager& manager_;
  SourceRule rule_;
};

std::unique_ptr<Mechanism> make(SyncManager& manager, const Params& params) {
  return std::make_unique<HookCopy>(manager, rule_of(params.get<std::string>("sources")));
}

std::string refuses(const NodeOptions& options, const Params& /*params*/) {
  if (!tracks_causality(options.store.versions)) return {};
  return "it overwrites blindly, and versions that say what their writers had seen (" +
         std::string(to_name(options.store.versions)) + ") are there to prevent just that";
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = kName,
    .help = "Copies a partition from its old owners when it moves here, overwriting blindly",
    .details =
        "Runs in the partition-change hook only. A node that returns to the partitions it had gets "
        "no hook and stays stale; so does one whose outage was shorter than its detection. What is "
        "copied replaces what is here whatever is newer, so a write that arrives during the copy "
        "can be lost, and with several sources the one that answers last wins. Works when "
        "partitions only ever move to nodes that never held them and nobody writes meanwhile.",
    .params = {{.name = "sources",
                .type = ParamType::choice,
                .unit = "",
                .fallback = "all",
                .help = "old owners to copy from: the first that answers, a majority, or all",
                .choices = {"first", "quorum", "all"}}},
    .promises = {},
    .repairs = [](const Params& /*params*/) { return true; },
    .refuses = &refuses,
    .make = &make,
    .exclusive = false,
});

}  // namespace

}  // namespace rejoin
