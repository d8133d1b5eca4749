// A run record of T0-T5, written by hand: reports are tested without a simulator.
#pragma once

#include <string>

#include "model/run_record.hpp"

namespace rejoin::test {

inline MonotonicTime at(Duration time) {
  return MonotonicTime(time);
}

inline NodeSnapshot alive(std::uint32_t node, std::uint64_t keys, bool leader = false) {
  return {.node = NodeId(node), .state = NodeState::alive, .leader = leader, .keys = keys};
}

inline NodeSnapshot in_state(std::uint32_t node, NodeState state, std::uint64_t keys) {
  return {.node = NodeId(node), .state = state, .keys = keys};
}

inline Operation write_of(std::uint32_t key, Duration invoked, std::string label) {
  Operation write;
  write.id = {.client = ClientId(1), .n = key};
  write.kind = OperationKind::write;
  write.key = "key-" + std::to_string(key);
  write.value = "client-1/" + std::to_string(key);
  write.label = std::move(label);
  write.invoked = at(invoked);
  write.returned = at(invoked + 3ms);
  write.result = ResultKind::ok;
  write.served_by = NodeId(1 + key % 2);
  return write;
}

inline Operation direct_read(std::uint32_t key, NodeId node, Duration invoked) {
  Operation read;
  read.id = {.client = ClientId(1), .n = 1000 + key};
  read.kind = OperationKind::read;
  read.key = "key-" + std::to_string(key);
  read.direct = true;
  read.via = node;
  read.served_by = node;
  read.label = "T5";
  read.invoked = at(invoked);
  read.returned = at(invoked + 2ms);
  read.result = ResultKind::not_found;
  return read;
}

inline ReadRecord stale_read_of_125() {
  return {.operation = direct_read(125, NodeId(3), 68200ms),
          .stale = true,
          .expected_value = "client-1/125",
          .why =
              "client-1 wrote key-125 in step T3, acknowledged at 46.028s; node-3 was down from "
              "30.000s to 57.100s, so the write never reached it, and nothing has brought it "
              "since"};
}

inline void add_violations(RunRecord& record) {
  record.violations.push_back(
      {.invariant = "no-stale-read",
       .at = at(68202ms),
       .event = 9120,
       .node = NodeId(3),
       .key = "key-125",
       .role = "restarted",
       .expected = true,
       .says = "node-3 answered a read of key-125 with NOT FOUND, although client-1/125 had been "
               "acknowledged before the read was invoked.",
       .evidence = {"46.025s client-1 writes key-125 (client-1/125), acknowledged at 46.028s",
                    "68.200s client-1 reads key-125 at node-3: NOT FOUND"}});
  for (std::uint32_t key = 101; key <= 150; ++key) {
    record.violations.push_back(
        {.invariant = "replicas-converge",
         .at = at(98202ms),
         .event = 9900,
         .node = NodeId(3),
         .key = "key-" + std::to_string(key),
         .role = "restarted",
         .expected = true,
         .says = "node-3 owns key-" + std::to_string(key) +
                 " and does not hold it when the run has settled; node-1 and node-2 do.",
         .evidence = {"node-1 and node-2 hold client-1/" + std::to_string(key)}});
  }
}

inline void add_transitions(RunRecord& record) {
  NodeSnapshot returned = alive(3, 100);
  returned.missing_keys = 50;
  const auto step = [&record](std::string label, Duration time, std::string what,
                              std::vector<NodeSnapshot> nodes) {
    record.transitions.push_back({.at = at(time),
                                  .completed = at(time + 200ms),
                                  .label = std::move(label),
                                  .what = std::move(what),
                                  .nodes = std::move(nodes)});
  };
  step("T0", 1200ms, "write key-1..key-100 (100 keys)",
       {alive(1, 100, true), alive(2, 100), alive(3, 100)});
  step("T1", 30s, "node-3 crashes",
       {alive(1, 100, true), alive(2, 100), in_state(3, NodeState::dead, 100)});
  step("T2", 45013ms, "wait",
       {alive(1, 100, true), alive(2, 100), in_state(3, NodeState::offline, 100)});
  step("T3", 45900ms, "write key-101..key-150 (50 keys)",
       {alive(1, 150, true), alive(2, 150), in_state(3, NodeState::offline, 100)});
  step("T4", 57100ms, "node-3 restarts", {alive(1, 150, true), alive(2, 150), returned});
  step("T5", 68200ms, "read key-125 at node-3", {alive(1, 150, true), alive(2, 150), returned});
}

inline RunRecord t0_t5() {
  RunRecord record;
  record.scenario = "t0-t5";
  record.file = "scenarios/seed/t0-t5.yaml";
  record.about = "Node 3 dies, misses 50 writes and rejoins: what does it serve?";
  record.profile = "documented";
  record.sync = "none";
  record.versions = "none";
  record.nodes = 3;
  record.partitions = 64;
  record.replication = 3;
  record.verdict_says = "broke no-stale-read, replicas-converge, as expected";
  record.digest = {.high = 0x0123456789abcdefULL, .low = 0xfedcba9876543210ULL};
  record.virtual_end = at(98202ms);
  record.wall_ns = 4'200'000;
  record.events = 9900;
  record.messages = 4321;
  record.bytes = 345'678;
  record.messages_by_purpose = {750, 0, 571, 3000};
  record.bytes_by_purpose = {60'000, 0, 45'678, 240'000};
  record.warnings = {"T1: heal: the fault touched nothing"};
  record.judged = {{"no-stale-read", 1}, {"raft-election-safety", 3}, {"replicas-converge", 450}};
  record.injected = {{"crash", 1}, {"restart", 1}};
  const auto fault = [&record](std::string label, std::string name) {
    record.faults.push_back({.label = std::move(label),
                             .fault = std::move(name),
                             .touched = 1,
                             .unit = "host",
                             .did = 1,
                             .of = "host"});
  };
  fault("T1", "crash");
  fault("T4", "restart");
  record.metrics = {{"bytes", 345'678},    {"converged_after_ns", std::nullopt},
                    {"disk_bytes", 51234}, {"min_copies", 2},
                    {"missing_reads", 1},  {"repair_bytes", 0},
                    {"stale_reads", 0}};
  for (std::uint32_t key = 1; key <= 100; ++key) {
    record.history.push_back(write_of(key, 1200ms + key * 5ms, "T0"));
  }
  for (std::uint32_t key = 101; key <= 150; ++key) {
    record.history.push_back(write_of(key, 45900ms + (key - 100) * 5ms, "T3"));
  }
  record.reads = {stale_read_of_125()};
  record.history.push_back(record.reads.front().operation);
  add_transitions(record);
  add_violations(record);
  return record;
}

}  // namespace rejoin::test
