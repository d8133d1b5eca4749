#include "sim/scenario/fields.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "model/check.hpp"
#include "model/limits.hpp"

namespace rejoin::sim {

namespace {

template <class T>
ParamValue to_value(const T& value, const Field& field) {
  if constexpr (std::is_enum_v<T>) {
    return std::string(field.choices[static_cast<std::size_t>(value)]);
  } else if constexpr (std::is_same_v<T, std::uint32_t> || std::is_same_v<T, std::uint64_t>) {
    if (field.type == ParamType::size) return Size{value};
    return static_cast<std::int64_t>(value);
  } else {
    return value;
  }
}

template <class T>
void from_value(const ParamValue& value, T& out, const Field& field) {
  if constexpr (std::is_enum_v<T>) {
    const auto& name = std::get<std::string>(value);
    const auto at = std::find(field.choices.begin(), field.choices.end(), name);
    CHECK_THAT(at != field.choices.end());
    out = static_cast<T>(at - field.choices.begin());
  } else if constexpr (std::is_same_v<T, std::uint32_t> || std::is_same_v<T, std::uint64_t>) {
    const Size* const size = std::get_if<Size>(&value);
    out = size != nullptr ? static_cast<T>(size->bytes)
                          : static_cast<T>(std::get<std::int64_t>(value));
  } else {
    out = std::get<T>(value);
  }
}

template <class Member>
Field field(std::string_view section, std::string_view key, ParamType type, Member /*member*/,
            std::string_view help, Bounds bounds = {}, std::vector<std::string_view> choices = {}) {
  Field out{section, key, type, help, bounds, std::move(choices), nullptr, nullptr};
  out.get = [](const Schedule& s, const Field& f) { return to_value(Member{}(s), f); };
  out.set = [](Schedule& s, const ParamValue& v, const Field& f) { from_value(v, Member{}(s), f); };
  return out;
}

// A stateless accessor for both const and mutable schedules.
#define MEMBER(path) [](auto& s) -> auto& { return s.path; }

constexpr Bounds kPositive{.least = 1};
// Nothing in Raft is worth doing more often: a simulated second would cost a real one.
constexpr Bounds kMillisecond{.least = 1'000'000};
constexpr Bounds kCount{.least = 1, .most = std::numeric_limits<std::uint32_t>::max()};
constexpr std::int64_t kNodesMax = 1'000'000;

using List = std::vector<Field>;
using enum ParamType;

List of_file() {
  return {
      field("", "seed", integer, MEMBER(seed), "of every draw of the run"),
      field("", "profile", choice, MEMBER(profile),
            "documented: what ClusterKit's manual promises; clusterkit: what its code does", {},
            {"documented", "clusterkit"}),
      field("cluster", "nodes", integer, MEMBER(cluster.nodes), "node-1 to node-N",
            {.least = 1, .most = kNodesMax}),
      field("cluster", "founders", integer, MEMBER(cluster.founders),
            "node-1 to node-N found the cluster, the others start with empty disks and down; "
            "0: all found it",
            {.most = kNodesMax}),
      field("cluster", "clients", integer, MEMBER(cluster.clients), "client-1 to client-N",
            {.least = 1, .most = 100'000}),
      field("cluster", "partitions", integer, MEMBER(node.partitioning.partitions),
            "more spread load and repair more evenly, and cost more to track",
            {.least = 1, .most = kPartitionsMax}),
      field("cluster", "replication", integer, MEMBER(node.partitioning.replication),
            "copies of each partition", {.least = 1, .most = 1'000}),
      field("cluster", "placement", text, MEMBER(node.partitioning.placement),
            "which nodes own which partition"),
      field("cluster", "shortage", choice, MEMBER(node.partitioning.shortage),
            "with fewer nodes than copies: as many copies as nodes, or leave the map as it is", {},
            {"as-many-as-nodes", "refuse"}),
      field("cluster", "rebalance-delay", duration, MEMBER(node.partitioning.rebalance_delay),
            "from a change of members to the new map"),
      field("cluster", "rebalance-on-leadership", flag,
            MEMBER(node.partitioning.rebalance_on_leadership),
            "a new leader proposes the map that the one before it owed; else it is lost"),
      field("cluster", "skip-promoted-source", flag, MEMBER(node.partitioning.skip_promoted_source),
            "an old replica that becomes primary is not offered as a source"),
      field("cluster", "hooks-on-role-change", flag, MEMBER(node.partitioning.hooks_on_role_change),
            "OnPartitionChange runs for an owner that changes between primary and replica, too"),
  };
}

List of_membership() {
  return {
      field("membership", "detector", text, MEMBER(node.membership.detector),
            "how the leader takes a member for dead"),
      field("membership", "interval", duration, MEMBER(node.membership.interval),
            "between two rounds of health checks", kMillisecond),
      field("membership", "timeout", duration, MEMBER(node.membership.timeout),
            "of one health check", kMillisecond),
      field("membership", "failures", integer, MEMBER(node.membership.failures),
            "failed checks in a row before a node is removed", kCount),
      field("membership", "join-timeout", duration, MEMBER(node.membership.join_timeout),
            "of one attempt to join", kMillisecond),
      field("membership", "join-backoff", duration, MEMBER(node.membership.join_backoff),
            "before the second attempt; doubles from then on", kMillisecond),
      field("membership", "join-backoff-max", duration, MEMBER(node.membership.join_backoff_max),
            "at most", kMillisecond),
      field("membership", "orphan-timeout", duration, MEMBER(node.membership.orphan_timeout),
            "without a leader, before a member asks its seeds whether it was removed",
            kMillisecond),
      field("membership", "rejoin-when-removed", flag, MEMBER(node.membership.rejoin_when_removed),
            "a removed node that is alive joins again"),
      field("membership", "ready-needs-map-members", flag,
            MEMBER(node.membership.ready_needs_map_members),
            "a node whose map names a node that is no member answers that it is not ready"),
  };
}

List of_raft() {
  return {
      field("raft", "heartbeat", duration, MEMBER(node.raft.heartbeat),
            "leader to follower; well below the election timeout", kMillisecond),
      field("raft", "election", duration_range, MEMBER(node.raft.election),
            "without a leader, before a follower campaigns; drawn anew each time", kMillisecond),
      field("raft", "pre-vote", flag, MEMBER(node.raft.pre_vote),
            "candidates ask whether they could win before they raise the term"),
      field("raft", "check-quorum", flag, MEMBER(node.raft.check_quorum),
            "a leader that hears no quorum steps down"),
      field("raft", "entries-per-append", integer, MEMBER(node.raft.entries_per_append),
            "at most, of one message", kCount),
      field("raft", "appends-in-flight", integer, MEMBER(node.raft.appends_in_flight),
            "to one follower, unanswered", kCount),
      field("raft", "snapshot-entries", integer, MEMBER(node.raft.snapshot_entries),
            "applied entries between two snapshots", kPositive),
      field("raft", "trailing-entries", integer, MEMBER(node.raft.trailing_entries),
            "that stay in the log behind a snapshot, for slow followers"),
      field("raft", "snapshot-chunk", size, MEMBER(node.raft.snapshot_chunk_bytes),
            "of one message of a snapshot", kPositive),
      field("raft", "learners", flag, MEMBER(node.raft.learners),
            "new servers catch up before they vote"),
      field("raft", "voters-max", integer, MEMBER(node.raft.voters_max),
            "members beyond this many never vote", kCount),
  };
}

List of_network() {
  return {
      field("network", "loss", share, MEMBER(network.loss),
            "of datagrams; of segments of a stream, which it stalls"),
      field("network", "duplicate", share, MEMBER(network.duplicate),
            "of datagrams: a second copy arrives, by a delay of its own"),
      field("network", "reorder", share, MEMBER(network.reorder),
            "of datagrams: held back for a draw from reorder-by"),
      field("network", "reorder-by", duration_range, MEMBER(network.reorder_by),
            "how long a datagram is held back"),
      field("network", "corrupt", share, MEMBER(network.corrupt),
            "of datagrams: one bit is flipped"),
      field("network", "mtu", size, MEMBER(network.mtu_bytes),
            "a larger datagram is dropped; 0B: none is too large"),
      field("network", "bandwidth", size, MEMBER(network.bandwidth_bytes_per_s),
            "a second, of each sender's port; 0B: unlimited"),
      field("network", "receive-bandwidth", size, MEMBER(network.receive_bandwidth_bytes_per_s),
            "a second, of each receiver's port; 0B: unlimited"),
      field("network", "link-bandwidth", size, MEMBER(network.link_bandwidth_bytes_per_s),
            "a second, from each host to each other; 0B: unlimited"),
      field("network", "queue", size, MEMBER(network.queue_bytes),
            "what may wait for a port or link before datagrams are dropped; 0B: unlimited"),
      field("network.weather", "slot", duration, MEMBER(network.weather.slot),
            "a link's weather holds so long; 0s: there is none"),
      field("network.weather", "rough", share, MEMBER(network.weather.rough), "of slots"),
      field("network.weather", "extra", duration_range, MEMBER(network.weather.extra),
            "added to each message's delay in a rough slot"),
      field("network.weather", "loss", share, MEMBER(network.weather.loss),
            "of datagrams in a rough slot, besides the usual"),
      field("network.stream", "rto-min", duration, MEMBER(network.stream.rto_min),
            "a lost segment is sent again after this, doubled each time", kMillisecond),
      field("network.stream", "rto-max", duration, MEMBER(network.stream.rto_max),
            "doubled up to this", kMillisecond),
      field("network.stream", "reset-after", duration, MEMBER(network.stream.reset_after),
            "a connection whose oldest segment is unanswered for so long breaks, and loses all "
            "that it held",
            kPositive),
      field("network.stream", "handshake", flag, MEMBER(network.stream.handshake),
            "the first message of a connection waits for a round trip"),
  };
}

List of_machines() {
  return {
      field("disk", "append", duration_range, MEMBER(disk.append),
            "added to the sync that follows"),
      field("disk", "sync", duration_range, MEMBER(disk.sync), "until written data is durable"),
      field("disk", "read", duration_range, MEMBER(disk.read), "of one file"),
      field("host", "service", duration, MEMBER(host.service),
            "of each message, by a queue with one server: what a busy process takes"),
      field("host", "bytes-per-s", size, MEMBER(host.bytes_per_s),
            "that a process reads messages at, besides; 0B: no matter"),
      field("disk", "bandwidth", size, MEMBER(disk.bandwidth_bytes_per_s),
            "a second; 0B: unlimited"),
      field("disk", "capacity", size, MEMBER(disk.capacity_bytes),
            "of all files of a disk; 0B: unlimited"),
  };
}

List of_data() {
  const std::vector<std::string_view> levels(kConsistencyNames.begin(), kConsistencyNames.end());
  return {
      field(
          "", "versions", choice, MEMBER(node.store.versions),
          "none: the write that arrives last stays; timestamp, hlc: the one with the later clock; "
          "version-vector, dvv: concurrent ones are told apart",
          {}, {"none", "timestamp", "hlc", "version-vector", "dvv"}),
      field("", "conflict", text, MEMBER(node.store.conflict),
            "what becomes of concurrent values; `natural`: what the versions allow"),
      field("tombstones", "rule", choice, MEMBER(node.store.tombstones),
            "when a replica may forget that a key was deleted", {},
            {"keep", "none", "grace", "after-repair", "all-ack"}),
      field("tombstones", "grace", duration, MEMBER(node.store.tombstone_grace),
            "of rule grace, from the delete"),
      field("tombstones", "repair-delay", duration, MEMBER(node.store.tombstone_repair_delay),
            "of rule after-repair, from the start of a repair with every owner"),
      field("tombstones", "ack-delay", duration, MEMBER(node.store.tombstone_ack_delay),
            "of rule all-ack, from the last owner's word"),
      field("store", "snapshot-log", size, MEMBER(node.store.snapshot_log_bytes),
            "size of the log that triggers a snapshot", kPositive),
      field("coordinator", "timeout", duration, MEMBER(node.coordinator.timeout),
            "for the replicas' answers", kMillisecond),
      field("coordinator", "sloppy", flag, MEMBER(node.coordinator.sloppy),
            "another member stands in for an owner that is down, keeps the write for it as a hint, "
            "and counts; takes hinted-handoff"),
      field("", "gate", choice, MEMBER(node.sync.gate),
            "open: a node answers reads while it is repaired; fence: it refuses them until then; "
            "redirect: and sends who asks it directly on to another replica",
            {}, {"open", "fence", "redirect"}),
      field("fetch", "in-flight", integer, MEMBER(node.sync.fetches_in_flight),
            "partitions that a node repairs at once", kCount),
      field("fetch", "chunk", size, MEMBER(node.sync.fetch_chunk_bytes), "of one answer",
            kPositive),
      field("fetch", "timeout", duration, MEMBER(node.sync.fetch_timeout), "of one answer",
            kMillisecond),
      field("fetch", "attempts", integer, MEMBER(node.sync.fetch_attempts),
            "at each source, before the next is asked", kCount),
      field("fetch", "backoff", duration, MEMBER(node.sync.retry_backoff), "between two attempts",
            kMillisecond),
      field("client", "write", choice, MEMBER(client.write),
            "replicas that answer before a write is acknowledged", {}, levels),
      field("client", "read", choice, MEMBER(client.read),
            "replicas that answer before a read returns", {}, levels),
      field("client", "try-timeout", duration, MEMBER(client.try_timeout),
            "then another coordinator is asked, with the same request", kMillisecond),
      field("client", "timeout", duration, MEMBER(client.timeout),
            "then the outcome stays unknown for ever", kMillisecond),
      field("client", "avoid-silent", duration, MEMBER(client.avoid_silent),
            "a coordinator that let a try time out is asked last for so long"),
      field("client", "tries", integer, MEMBER(client.tries),
            "of one operation, at most, then it is given up; 0: as many as fit into the timeout",
            {.most = std::numeric_limits<std::uint32_t>::max()}),
      field("client", "cached-map", flag, MEMBER(client.cached_map),
            "a client keeps a copy of the partition map and asks an owner of the key first"),
      field("client", "map-refresh", duration, MEMBER(client.map_refresh),
            "between two times that a client asks for the map", kMillisecond),
      field(
          "client", "read-first", flag, MEMBER(client.read_first),
          "reads a key before it changes it, in one operation, so that it replaces what is there; "
          "for versions that track causality"),
      field("", "fifo", flag, MEMBER(fifo),
            "events at one instant happen in order of arrival, not of a hash"),
      field("limits", "heal", flag, MEMBER(limits.heal),
            "when the last step has completed, every fault that lasts ends (a crash alone stays, "
            "unless it has a `for`); false: they go on, and only safety can be asked for"),
      field("limits", "core", hosts, MEMBER(limits.core),
            "hosts that are started then, if they are down: liveness is judged on them"),
      field("limits", "promises", flag, MEMBER(limits.promises),
            "judge what mechanisms promise, and liveness; false: only safety"),
      field("limits", "virtual-time", duration, MEMBER(limits.virtual_time), "of a run", kPositive),
      field("limits", "events", integer, MEMBER(limits.events), "of a run", kPositive),
      field("limits", "settle", duration, MEMBER(limits.settle),
            "after the last step, until all is quiet", kPositive),
      field("limits", "settle-quiet", duration, MEMBER(limits.settle_quiet),
            "without a change, to be called quiet", kPositive),
      field("limits", "patience", duration, MEMBER(limits.patience),
            "of a step that waits for a fact", kPositive),
  };
}

#undef MEMBER

}  // namespace

const std::vector<Field>& fields() {
  static const List all = [] {
    List out;
    for (List part :
         {of_file(), of_membership(), of_raft(), of_network(), of_machines(), of_data()}) {
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }();
  return all;
}

const Field* find_field(std::string_view section, std::string_view key) {
  const std::string wanted = normal_name(key);
  for (const Field& each : fields()) {
    if (each.section == section && normal_name(each.key) == wanted) return &each;
  }
  return nullptr;
}

std::vector<std::string> keys_of_section(std::string_view section) {
  std::vector<std::string> out;
  for (const Field& each : fields()) {
    if (each.section == section) out.emplace_back(each.key);
  }
  return out;
}

std::vector<std::string> sections() {
  std::vector<std::string> out;
  for (const Field& each : fields()) {
    const std::string name(each.section.substr(0, each.section.find('.')));
    if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

std::vector<std::string> sections_within(std::string_view section) {
  std::vector<std::string> out;
  const std::string prefix = std::string(section) + ".";
  for (const Field& each : fields()) {
    if (!each.section.starts_with(prefix)) continue;
    const std::string name(each.section.substr(prefix.size()));
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

void apply_profile(Schedule& schedule) {
  if (schedule.profile != "clusterkit") return;
  NodeOptions& node = schedule.node;
  node.raft.heartbeat = 1s;
  node.raft.election = {1s, 2s};
  node.raft.pre_vote = false;
  node.raft.learners = false;
  node.raft.trailing_entries = 10'240;
  node.membership.ready_needs_map_members = true;
  node.membership.rejoin_when_removed = false;
  node.partitioning.partitions = 16;
  node.partitioning.rebalance_delay = 2s;
  node.partitioning.rebalance_on_leadership = false;
  node.partitioning.shortage = MapShortage::refuse;
  node.partitioning.skip_promoted_source = true;
  node.partitioning.hooks_on_role_change = true;
  node.sync.fetches_in_flight = 50;  // its pool of hooks
}

}  // namespace rejoin::sim
