// Versioned merge: a node that returns compares versions key by key, fetches what is newer there
// and gives what is newer here.
#include "protocols/sync/anti_entropy.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kName = "versioned-merge";

std::string refuses(const NodeOptions& options, const Params& params) {
  if (options.store.versions != VersionScheme::none) return pace_refusal(options, params);
  return "it merges by versions, and `versions` is none";
}

std::unique_ptr<Mechanism> make(SyncManager& manager, const Params& params) {
  AntiEntropy::Options options = anti_entropy_options(kName, params);
  options.transfer.means = Means::lists;
  const bool conflict = params.get<std::string>("equal") == "conflict";
  options.transfer.distrusts_equal = conflict;
  if (conflict) options.merge = MergeRule::resolve;
  return std::make_unique<AntiEntropy>(manager, std::move(options));
}

std::vector<ParamSpec> params() {
  std::vector<ParamSpec> out = anti_entropy_params("0s");
  out.push_back({.name = "equal",
                 .type = ParamType::choice,
                 .unit = "",
                 .fallback = "same",
                 .help = "what two records with one version are: the same, or a conflict, which is "
                         "resolved and stored by each comparison anew",
                 .choices = {"same", "conflict"}});
  return out;
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = kName,
    .help = "On a return, compares each key's version with the replicas and moves the newer ones",
    .details =
        "What a returning node lacks comes to it (pull), and what it alone holds goes to the "
        "others (push), so that an acknowledged write that only it has is not lost with it. Which "
        "of two versions stays is decided by the versions of the cluster. Nothing happens between "
        "returns (period: 0s), so what diverges without one, as after a partition of the network "
        "that nobody was removed for, stays.",
    .params = params(),
    .promises = comparison_promises(),
    .conditions = comparison_conditions(true),
    .repairs = &compares_on_return,
    .refuses = &refuses,
    .make = &make,
    .exclusive = false,
});

}  // namespace

}  // namespace rejoin
