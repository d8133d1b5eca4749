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
        "node and 2^15 leaves. A node that restarts serves at once; one that gains a range, as by "
        "bootstrap or removenode, streams it from one replica and serves reads of it when that is "
        "done. Here members that are silent for long are removed by the cluster itself, so that "
        "they come back as new ones do. A read at level quorum asks all replicas, and not just as "
        "many as it needs and others when they are slow (speculative_retry). Clients ask for level "
        "one unless told otherwise, as its drivers do. Sources: "
        "cassandra.yaml and the pages on hints, read repair, repair and bootstrap of the Apache "
        "Cassandra 4 documentation.",
    .settings = R"(
versions: timestamp
tombstones: { rule: grace, grace: 240h }
gate: fence
coordinator: { sloppy: false }
client: { read: one, write: one }
sync:
  - rejoin-sync: { on-return: false, source: one }
  - hinted-handoff: { window: 3h, throttle: 1MiB, durable: true, retry: 10s }
  - read-repair: { mode: blocking, scope: all, probability: 100%, background: false }
  - merkle: { on-return: false, period: 168h, fanout: 2, depth: 15 }
)",
});

}  // namespace

}  // namespace rejoin
