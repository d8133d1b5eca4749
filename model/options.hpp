// What can be chosen about a cluster: the options of every protocol and of its machines, each with
// its default and its trade-off. Protocols and the simulator read these; scenario files set them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/history.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/params.hpp"
#include "model/random.hpp"
#include "model/record.hpp"
#include "model/time.hpp"

namespace rejoin {

struct RaftOptions {
  // Leader to follower. Shorter finds losses earlier and costs messages; well below election min.
  Duration heartbeat = 50ms;
  // A follower that hears nothing for a draw from this campaigns; a fresh draw each time.
  // Wider splits fewer votes, longer elects later (Ongaro and Ousterhout 2014, section 9.3).
  DurationRange election{150ms, 300ms};
  // Candidates ask whether they could win before they raise the term (dissertation 9.6).
  bool pre_vote = true;
  // A leader that hears no quorum for an election timeout steps down (dissertation 6.2), and
  // servers that hear a leader reject candidates (4.2.3).
  bool check_quorum = true;
  std::uint32_t entries_per_append = 64;
  // Appends to one follower that may be unanswered at once (pipelining).
  std::uint32_t appends_in_flight = 8;
  // Applied entries beyond the last snapshot that trigger the next, and how many stay behind it
  // so that a slow follower needs no snapshot.
  std::uint64_t snapshot_entries = 8192;
  std::uint64_t trailing_entries = 1024;
  std::uint64_t snapshot_chunk_bytes = 64 * 1024;
  // New servers learn until they have caught up, then vote. False: they vote at once.
  bool learners = true;
  // Members beyond this many stay learners: a quorum of thousands would commit nothing.
  std::uint32_t voters_max = 7;
};

struct MembershipOptions {
  std::string detector = "heartbeat";  // a registered failure detector
  // Health checks, one node after the other.
  Duration interval = 5s;
  Duration timeout = 2s;
  std::uint32_t failures = 3;   // in a row, then the leader proposes removal
  Duration join_timeout = 10s;  // of one attempt to join
  Duration join_backoff = 1s;   // doubled each time, up to join_backoff_max
  Duration join_backoff_max = 8s;
  // A member that hears no leader for this long asks its seeds whether it was removed.
  Duration orphan_timeout = 2s;
  bool rejoin_when_removed = true;
  // ClusterKit: a node whose map names a node that is no member answers "not ready" (HTTP 503),
  // which its checker counts as a failure.
  bool ready_needs_map_members = false;
};

enum class MapShortage : std::uint8_t {
  as_many_as_nodes,  // fewer nodes than the replication factor: as many copies as nodes
  refuse,            // ClusterKit: the map stays as it is
};

struct PartitioningOptions {
  std::uint32_t partitions = 64;
  std::uint32_t replication = 3;
  std::string placement = "rendezvous";  // a registered placement
  // From a change of members to the new map. 0 proposes at once.
  Duration rebalance_delay = 0ms;
  MapShortage shortage = MapShortage::as_many_as_nodes;
  // A new leader looks whether the map is what the placement says. False (ClusterKit): it does
  // not, and a rebalance whose leader died inside the delay is lost.
  bool rebalance_on_leadership = true;
  // Hooks: which old owners are offered as sources.
  // false: every old owner that is still a member. true (ClusterKit): an old replica that the
  // change promotes to primary is skipped.
  bool skip_promoted_source = false;
  // false: one event for each node that becomes an owner. true (ClusterKit): also for an owner
  // that changes between primary and replica.
  bool hooks_on_role_change = false;
};

enum class GateMode : std::uint8_t {
  open,   // answers reads with whatever it has while it is being repaired
  fence,  // refuses reads of a partition until its repair has completed
  // The same, and sends who asks it directly on to a replica that can answer.
  redirect,
};

// When a replica may forget that a key was deleted. Whoever still has an older value then brings it
// back.
enum class TombstoneRule : std::uint8_t {
  keep,          // never: it costs memory for ever, and nothing comes back
  none,          // at once: a delete leaves nothing
  grace,         // when it is so old (Cassandra: gc_grace_seconds, 10 days)
  after_repair,  // so long after a repair with every owner that began later (ScyllaDB: an hour)
  all_ack,       // so long after every owner has said that it holds it (Garage: a day)
};

struct StoreOptions {
  VersionScheme versions = VersionScheme::none;
  // A registered conflict resolver; `natural`: overwrite without versions, lww under those that are
  // ordered, siblings under those that track causality.
  std::string conflict = "natural";
  TombstoneRule tombstones = TombstoneRule::keep;
  // From the delete, from the start of the repair, from the last owner's word.
  Duration tombstone_grace = 240h;
  Duration tombstone_repair_delay = 1h;
  Duration tombstone_ack_delay = 24h;
  std::uint64_t snapshot_log_bytes = 4 * 1024 * 1024;  // log size that triggers a snapshot
};

struct CoordinatorOptions {
  Duration timeout = 1s;  // for the replicas' answers
  // An owner that is down is stood in for by the next member in the order of the placement, which
  // keeps the write for it and counts for the level (Dynamo, section 4.6). Writes stay possible
  // while owners are away; reads need not meet them any more. Takes the mechanism hinted-handoff.
  bool sloppy = false;
};

struct SyncOptions {
  GateMode gate = GateMode::open;
  struct Mechanism {
    std::string name;
    Params params;  // complete
    friend bool operator==(const Mechanism&, const Mechanism&) = default;
  };
  std::vector<Mechanism> mechanisms;    // empty: none
  std::uint32_t fetches_in_flight = 4;  // partitions repaired at once, per node
  std::uint64_t fetch_chunk_bytes = 64 * 1024;
  Duration fetch_timeout = 5s;
  std::uint32_t fetch_attempts = 5;
  Duration retry_backoff = 500ms;
};

struct ClientOptions {
  Consistency write = Consistency::one;
  Consistency read = Consistency::one;
  Duration try_timeout = 1500ms;  // then the next coordinator is asked, with the same request id
  Duration timeout = 10s;         // then the operation stays open for ever; the session ends
  // A coordinator that let a try time out is asked last for so long, or until it is heard again.
  Duration avoid_silent = 10s;
  // Tries of one operation, at most: then it is given up as after `timeout`. 0: as many as fit into
  // that. Fewer load a sick cluster less and leave more outcomes unknown. Being sent on is no try.
  std::uint32_t tries = 0;
  // Keeps a copy of the partition map and asks an owner of the key first: it saves a hop, and a
  // stale copy costs one or a try. It asks for the map when it starts, every `map_refresh`, and
  // when it is told that there is a newer one.
  bool cached_map = false;
  Duration map_refresh = 10s;
  // Where versions track causality: reads a key, at the level of reads, before each change of it,
  // so that the change replaces what is there and makes no sibling. It costs a round trip.
  bool read_first = false;
  std::string conflict = "natural";  // as StoreOptions has it: what values are
};

struct NodeOptions {
  RaftOptions raft;
  MembershipOptions membership;
  PartitioningOptions partitioning;
  StoreOptions store;
  CoordinatorOptions coordinator;
  SyncOptions sync;
};

// ---- Machines ------------------------------------------------------------------------------

// Far above any delay, far below overflow.
inline constexpr Duration kNoCap = 24h * 365 * 100;

// A delay: `floor` plus a draw from a registered distribution (model/distribution.hpp), together
// at most `cap`.
struct LatencyOptions {
  struct Part;
  struct Bucket {
    DurationRange range{};     // uniform within
    std::uint64_t weight = 1;  // relative to the others'
    friend bool operator==(const Bucket&, const Bucket&) = default;
  };
  std::string distribution = "exponential";
  Params params{};  // complete, of that distribution
  Duration floor{};
  Duration cap = kNoCap;
  // Of a mixture. Without {}: clang would need all of Part here.
  std::vector<Part> parts;
  std::vector<Bucket> buckets{};  // of a histogram, ascending and disjoint
  friend bool operator==(const LatencyOptions&, const LatencyOptions&);
};
struct LatencyOptions::Part {
  std::uint64_t weight = 1;  // relative to the others'
  LatencyOptions latency{};
  friend bool operator==(const Part&, const Part&) = default;
};
inline bool operator==(const LatencyOptions& a, const LatencyOptions& b) {
  return a.distribution == b.distribution && a.params == b.params && a.floor == b.floor &&
         a.cap == b.cap && a.parts == b.parts && a.buckets == b.buckets;
}
[[nodiscard]] LatencyOptions constant_latency(Duration value);
[[nodiscard]] LatencyOptions uniform_latency(DurationRange range);
[[nodiscard]] LatencyOptions exponential_latency(Duration mean, Duration floor = {});

// Weather: in each slot of time a link is rough or not, by a keyed draw of (link, slot), the same
// whatever else happens. A slot of 0 is none.
struct WeatherOptions {
  Duration slot{};
  Share rough{};          // of slots
  DurationRange extra{};  // added to each message's delay in a rough slot
  Share loss{};           // of datagrams in a rough slot, besides the usual
  friend bool operator==(const WeatherOptions&, const WeatherOptions&) = default;
};

// What a stream does about trouble, as TCP does.
struct StreamOptions {
  // A segment that is lost (the network's `loss`, a cut link) is sent again after this, doubled
  // each time up to rto_max; all behind it waits (RFC 6298, section 5).
  Duration rto_min = 200ms;
  Duration rto_max = 5s;
  // A connection whose oldest segment is unanswered for this long is reset: all that it held is
  // lost, and the next message opens another.
  Duration reset_after = 15s;
  // The first message of a connection waits for a round trip first (SYN, SYN-ACK).
  bool handshake = true;
  friend bool operator==(const StreamOptions&, const StreamOptions&) = default;
};

struct NetworkOptions {
  LatencyOptions latency = exponential_latency(1ms, 200us);
  // By message purpose, where it differs from `latency`; index is Purpose.
  std::vector<std::optional<LatencyOptions>> latency_by_purpose =
      std::vector<std::optional<LatencyOptions>>(kPurposeCount);
  // A host, every host of a site of the topology and of what lies in it, or every host.
  struct End {
    Address host{};      // at its first address: it stays itself when it moves
    std::string site{};  // when there is no host
    [[nodiscard]] bool is_any() const { return host.is_none() && site.empty(); }
    friend bool operator==(const End&, const End&) = default;
  };
  // Directed; the first that matches goes before all of the above.
  struct Link {
    End from{};
    End to{};
    std::optional<Purpose> purpose{};
    LatencyOptions latency{};
    friend bool operator==(const Link&, const Link&) = default;
  };
  std::vector<Link> links{};
  Share loss{};       // of datagrams; of segments of a stream, which it stalls
  Share duplicate{};  // of datagrams: a second copy arrives, by a delay of its own
  Share reorder{};    // of datagrams: held back by a draw from `reorder_by`
  DurationRange reorder_by{1ms, 10ms};
  Share corrupt{};                   // of datagrams: one bit is flipped
  std::uint64_t mtu_bytes = 65'507;  // a larger datagram is dropped (RFC 768, RFC 791); 0: none
  std::uint64_t bandwidth_bytes_per_s = 125'000'000;  // out of each host's port; 0: unlimited
  std::uint64_t receive_bandwidth_bytes_per_s = 0;    // into each host's port; 0: unlimited
  std::uint64_t link_bandwidth_bytes_per_s = 0;       // of each directed link; 0: unlimited
  // Of what waits for a port or link; a datagram that finds it full is dropped. 0: unbounded.
  std::uint64_t queue_bytes = 0;
  WeatherOptions weather{};
  StreamOptions stream{};
};

// Where hosts are: sites in a tree (a region holds zones, a zone racks), joined by links. A message
// between two sites crosses the links of the shortest path (by mean latency), one after the other,
// and pays each one's delay and bandwidth, besides NetworkOptions::latency. Hosts of one site pay
// that alone. A site's link to the one that holds it is there without being named, and free.
struct TopologyOptions {
  enum class Kind : std::uint8_t { region, zone, rack };
  struct Site {
    std::string name{};
    Kind kind = Kind::zone;
    std::string within{};          // the name of the site that holds it; empty: none
    std::vector<Address> hosts{};  // directly in it; ascending
    friend bool operator==(const Site&, const Site&) = default;
  };
  struct Link {
    std::string name{};  // `a--b` unless it has one of its own
    std::string a{};     // sites
    std::string b{};
    LatencyOptions latency{};                 // one way, either way; it has a mean
    std::optional<LatencyOptions> back{};     // from b to a, where it differs
    std::uint64_t bandwidth_bytes_per_s = 0;  // each way; 0: unlimited
    Share loss{};
    friend bool operator==(const Link&, const Link&) = default;
  };
  std::vector<Site> sites{};  // empty: all hosts are in one place
  std::vector<Link> links{};
  friend bool operator==(const TopologyOptions&, const TopologyOptions&) = default;
};

// What a host takes to handle one event (a message, timer or completion): a queue with one server.
struct HostOptions {
  Duration service{};             // of each message
  std::uint64_t bytes_per_s = 0;  // that it reads messages at, besides; 0: no matter
  friend bool operator==(const HostOptions&, const HostOptions&) = default;
};

struct DiskOptions {
  DurationRange append{2us, 10us};  // added to the next sync
  DurationRange sync{80us, 400us};
  DurationRange read{50us, 200us};
  std::uint64_t bandwidth_bytes_per_s = 500'000'000;  // 0: unlimited
  std::uint64_t capacity_bytes = 0;                   // of all files; 0: unlimited
};

}  // namespace rejoin
