// Whoever comes last stays: what a store without versions does.
#include "protocols/versions/conflict.hpp"

namespace rejoin {

namespace {

[[maybe_unused]] const bool registered = Conflicts::add({
    .name = "overwrite",
    .help = "Whatever arrives last replaces what is there",
    .details =
        "All that a store without versions can do. Replicas that get two writes in different "
        "orders differ for ever, and a copy that was under way while a client wrote can put the "
        "older value back.",
    .fits = {ConflictSpec::Needs::nothing},
});

}  // namespace

}  // namespace rejoin
