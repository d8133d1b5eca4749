#include "sim/run/metrics.hpp"

namespace rejoin::sim {

const std::vector<MetricSpec>& metric_specs() {
  static const std::vector<MetricSpec> all = {
      {"abandoned_operations", "that clients gave up: their outcome stays unknown"},
      {"acknowledged_writes", "writes, deletes and changes that were answered with success"},
      {"bytes", "on the wire, for all purposes, resent ones too"},
      {"conflicts_lost", "acknowledged writes that were concurrent with the one that stayed"},
      {"consensus_bytes", "on the wire for Raft"},
      {"consensus_messages", "for Raft"},
      {"converged_after_ns",
       "from the last fault to the last change by a repair; none when replicas differ at the end"},
      {"corrupted_messages", "that the network changed on their way"},
      {"disk_bytes", "written to all disks"},
      {"dropped_messages", "that the network lost"},
      {"duplicated_messages", "that the network delivered twice"},
      {"elections", "won, in all groups"},
      {"failed_operations", "refused or given up"},
      {"foreground_bytes", "on the wire for clients' operations"},
      {"foreground_messages", "for clients' operations"},
      {"hints_delivered", "that owners took"},
      {"hints_dropped", "for age, room, or because their owner is another"},
      {"hints_stored", "writes kept for owners that were away"},
      {"hooks_fired", "partition-change hooks, on the nodes that gained"},
      {"hooks_without_source", "of these, without anyone to copy from"},
      {"lost_writes",
       "keys whose newest acknowledged write no live node holds at the end, or whose delete all "
       "have forgotten that still have the value"},
      {"maps_applied", "partition maps that a leader applied"},
      {"members_removed", "by the leader"},
      {"membership_bytes", "on the wire for joins, health checks and heartbeats"},
      {"membership_messages", "for joins, health checks and heartbeats"},
      {"messages", "for all purposes, resent ones too"},
      {"min_copies",
       "the fewest live copies of a newest acknowledged write, looked at after each step and at "
       "the "
       "end"},
      {"missing_keys", "at the end, copies that owners lack"},
      {"missing_reads", "answered NOT FOUND although a value had been acknowledged"},
      {"operations", "that clients invoked"},
      {"operations_per_s", "answered, from the first invocation to the last answer"},
      {"phantom_reads", "answered with a value that had been deleted"},
      {"read_latency_p50_ns", "of answered reads, the median"},
      {"read_latency_p99_ns", "of answered reads, the 99th percentile"},
      {"rebalances_refused", "for want of nodes"},
      {"rejected_messages", "that were malformed, corrupt or out of place"},
      {"repair_bytes", "on the wire for copies, comparisons, hints and read repair"},
      {"repair_messages", "for copies, comparisons, hints and read repair"},
      {"repair_rounds", "questions that repairs of partitions asked one after the other"},
      {"repairs_completed", "of partitions, passes of upkeep too"},
      {"repairs_failed", "of partitions; most are tried again"},
      {"repairs_started", "of partitions, passes of upkeep too"},
      {"resurrections", "keys that were read after their delete"},
      {"retransmitted_messages", "of streams, sent again by the network"},
      {"stale_key_ns", "time that copies were stale or missing, summed over all of them"},
      {"stale_keys", "at the end, copies that are older than what was acknowledged"},
      {"stale_ns", "time in which any copy that clients may ask for was stale or missing"},
      {"stale_reads", "answered with a value older than one that had been acknowledged"},
      {"staleness_max_ns", "the longest that an answer lay behind an acknowledgement"},
      {"staleness_versions_max", "the most acknowledged versions that an answer lay behind"},
      {"tombstones_collected", "copies of tombstones that nodes forgot by the rule"},
      {"unavailable_ns",
       "time in which an operation had been open for more than a second, or was about to be "
       "refused"},
      {"unavailable_reads", "refused"},
      {"write_latency_p50_ns", "of acknowledged writes, the median"},
      {"write_latency_p99_ns", "of acknowledged writes, the 99th percentile"},
  };
  return all;
}

}  // namespace rejoin::sim
