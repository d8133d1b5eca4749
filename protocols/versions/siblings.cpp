// Concurrent values are all kept: a multi-value register.
#include "protocols/versions/conflict.hpp"

namespace rejoin {

namespace {

[[maybe_unused]] const bool registered = Conflicts::add({
    .name = "siblings",
    .help = "Concurrent values are all kept until a client replaces them (a multi-value register)",
    .details =
        "A read returns every value whose writers did not know of each other; whoever writes after "
        "having read them replaces them all. Nothing is lost, and the application merges. Clients "
        "that write without reading first pile up siblings. Source: DeCandia et al. 2007, section "
        "4.4; Shapiro et al. 2011, section 3.2.2.",
    .fits = {ConflictSpec::Needs::causality},
});

}  // namespace

}  // namespace rejoin
