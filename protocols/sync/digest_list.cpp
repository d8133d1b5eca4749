// Anti-entropy by lists: replicas send key and fingerprint of all that they hold and exchange what
// differs. The baseline that trees are measured by.
#include "protocols/sync/anti_entropy.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kName = "digest-list";

std::unique_ptr<Mechanism> make(SyncManager& manager, const Params& params) {
  AntiEntropy::Options options = anti_entropy_options(kName, params);
  options.transfer.means = Means::lists;
  return std::make_unique<AntiEntropy>(manager, std::move(options));
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = kName,
    .help = "Compares lists of all keys with the replicas, and exchanges the records that differ",
    .details =
        "A replica sends key and fingerprint of everything that it holds of a partition, and the "
        "other says what differs. It costs some 20 bytes and the key for each record, however "
        "little differs: less than copying values that are large, more than trees when replicas "
        "are nearly equal. It takes no memory between two comparisons, and writes pay nothing.",
    .params = anti_entropy_params("10m"),
    .promises = comparison_promises(),
    .conditions = comparison_conditions(false),
    .repairs = &compares_on_return,
    .refuses = &pace_refusal,
    .make = &make,
    .exclusive = false,
});

}  // namespace

}  // namespace rejoin
