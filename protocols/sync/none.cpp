// No repair at all: the coordination library alone, which moves partitions and copies no data.
#include "protocols/sync/mechanism.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin {

namespace {

class None final : public Mechanism {};

std::unique_ptr<Mechanism> make(SyncManager& /*manager*/, const Params& /*params*/) {
  return std::make_unique<None>();
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = "none",
    .help = "No repair: a node keeps what it has, and answers with it",
    .details =
        "A node that was away serves the data of before its absence for as long as nobody "
        "overwrites it, and a node that gains a partition starts it empty. Only for clusters whose "
        "data can be lost, or to see what the others are for. It cannot be combined with another.",
    .params = {},
    .promises = {},
    .make = &make,
    .exclusive = true,
});

}  // namespace

}  // namespace rejoin
