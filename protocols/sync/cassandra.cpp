// What Apache Cassandra 4 does by default.
#include "protocols/sync/preset.hpp"

namespace rejoin {

namespace {

[[maybe_unused]] const bool registered = Presets::add({
    .name = "cassandra",
    .help = "Hints, blocking read repair and Merkle trees; the latest timestamp wins",
    .details =
        "Hints are kept for 3 h and replayed at 1 MiB/s; a read at a level above one waits until "
        "its repair is durable; a deletion is remembered for 10 days (gc_grace_seconds), so that "
        "every partition has to be compared more often than that: here each week, which is what "
        "its manual asks operators for, as nothing does it by itself. Trees have two children a "
        "node and 2^15 leaves. A node that returns serves at once, and one that gains a range gets "
        "nothing: what bootstrap and removenode stream there is missing here. Reads at level one "
        "look at the other replicas in the background, as read_repair_chance had it up to 3.11. "
        "Clients ask for level one unless told otherwise, as its drivers do. Sources: "
        "cassandra.yaml and the pages on hints, "
        "read repair and repair of the Apache Cassandra 4 documentation.",
    .settings = R"(
versions: timestamp
tombstones: { rule: grace, grace: 240h }
gate: open
coordinator: { sloppy: false }
client: { read: one, write: one }
sync:
  - hinted-handoff: { window: 3h, throttle: 1MiB, durable: true, retry: 10s }
  - read-repair: { mode: blocking, scope: all, probability: 100% }
  - merkle: { on-return: false, period: 168h, fanout: 2, depth: 15 }
)",
});

}  // namespace

}  // namespace rejoin
