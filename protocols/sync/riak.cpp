// What Riak KV 2 does by default.
#include "protocols/sync/preset.hpp"

namespace rejoin {

namespace {

[[maybe_unused]] const bool registered = Presets::add({
    .name = "riak",
    .help = "Sloppy quorums, handoff, read repair and Merkle trees; concurrent values are siblings",
    .details =
        "The next members in order stand in for owners that are away and hand over what they "
        "took, however late; reads repair in the background; trees of 2^20 segments, 1024 children "
        "a node, are compared, two partitions at each tick of 15 s, and made anew each week. "
        "Writes find stand-ins while one owner is up to "
        "make them; reads ask owners alone. A deletion is forgotten 3 s after every "
        "owner has it (delete_mode). Clients ask for majorities of 3 and read before they write. "
        "A node that returns serves at once. Versions are dotted version vectors, as its bucket "
        "types have them. Sources: the pages on replication properties, active anti-entropy, "
        "conflict resolution and deletion of the Riak KV 2.2 documentation.",
    .settings = R"(
versions: dvv
tombstones: { rule: all-ack, ack-delay: 3s }
gate: open
coordinator: { sloppy: true }
client: { read: quorum, write: quorum, read-first: true }
sync:
  - hinted-handoff: { window: 87600h, throttle: 0B, durable: true }
  - read-repair: { mode: async, scope: all, probability: 100% }
  - merkle: { on-return: false, period: 15s, visits: 2, concurrency: 2, fanout: 1024, depth: 2, rebuild: 168h }
)",
});

}  // namespace

}  // namespace rejoin
