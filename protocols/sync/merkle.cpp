// Anti-entropy by Merkle trees: replicas compare trees of what they hold and exchange what differs.
#include "model/check.hpp"
#include "protocols/sync/anti_entropy.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kName = "merkle";

reconcile::MerkleShape shape_of(const Params& params) {
  const auto number = [&params](std::string_view name) {
    return static_cast<std::uint32_t>(params.get<std::int64_t>(name));
  };
  return {.fanout = number("fanout"), .depth = number("depth"), .salt = 0};
}

std::string refuses(const NodeOptions& options, const Params& params) {
  for (const std::string_view name : {"fanout", "depth", "leaf_budget"}) {
    const std::int64_t value = params.get<std::int64_t>(name);
    const bool zero_is_fine = name == "leaf_budget";
    if (value < (zero_is_fine ? 0 : 1) || value > reconcile::MerkleOptions::kLeafBudgetMax) {
      return std::string(name) + " is a number from " + (zero_is_fine ? "0" : "1") + " to " +
             std::to_string(reconcile::MerkleOptions::kLeafBudgetMax);
    }
  }
  return shape_of(params).problem().value_or(pace_refusal(options, params));
}

std::unique_ptr<Mechanism> make(SyncManager& manager, const Params& params) {
  CHECK_THAT(!shape_of(params).problem());
  manager.keep_trees({.shape = shape_of(params),
                      .exchange = {.leaf_budget = static_cast<std::uint32_t>(
                                       params.get<std::int64_t>("leaf_budget"))},
                      .rebuild_after = params.get<Duration>("rebuild")});
  AntiEntropy::Options options = anti_entropy_options(kName, params);
  options.transfer.means = Means::trees;
  return std::make_unique<AntiEntropy>(manager, std::move(options));
}

std::vector<ParamSpec> params() {
  std::vector<ParamSpec> out = anti_entropy_params("10m");
  const auto number = [&out](std::string_view name, std::string_view fallback,
                             std::string_view help) {
    out.push_back({.name = name,
                   .type = ParamType::integer,
                   .unit = "",
                   .fallback = fallback,
                   .help = help,
                   .choices = {}});
  };
  number("fanout", "16", "children of a node of the tree, a power of two; more: fewer rounds");
  number("depth", "5", "levels below the root; fanout^depth leaves, at most 2^24");
  number("leaf_budget", "4", "below a node with so few records they are listed at once");
  out.push_back({.name = "rebuild",
                 .type = ParamType::duration,
                 .unit = "",
                 .fallback = "7d",
                 .help = "a tree that is older is made anew from the store",
                 .choices = {}});
  return out;
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = kName,
    .help = "Compares Merkle trees with the replicas, and exchanges the records that differ",
    .details =
        "Each replica keeps a tree of digests over what it holds of a partition. Two replicas "
        "compare roots, then the children of nodes that differ, down to the keys: bytes and rounds "
        "grow with what differs and with the depth of the tree, hardly with the data. A node that "
        "returns does so before it counts as repaired (on-return), and all do every so often, "
        "which mends what nobody noticed. Without versions it cannot tell which of two values is "
        "newer, and the one that is fetched stays. Trees take memory, and each write updates one "
        "(Cassandra: depth up to 20; Riak: 2^20 segments, width 1024; Garage: every 10 minutes).",
    .params = params(),
    .promises = comparison_promises(),
    .conditions = comparison_conditions(false),
    .repairs = &compares_on_return,
    .refuses = &refuses,
    .make = &make,
    .exclusive = false,
});

}  // namespace

}  // namespace rejoin
