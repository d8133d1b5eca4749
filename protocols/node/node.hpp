// A node: the fixed array of its components on one Env, and the bus between them.
//
// Invariants:
// 1. Outside events (start, message, timer, completion) go to one component; then the local events
//    that it posted are drained, in order, each to every component in the order raft, membership,
//    partitioning, store, coordinator, sync, until none is left.
// 2. A frame that is corrupt, of an unknown kind, or refused by its component changes no state and
//    is published as MessageRejected.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/env.hpp"
#include "model/facts.hpp"
#include "model/options.hpp"

namespace rejoin {

struct NodeConfig {
  NodeId node;
  std::vector<Address> seeds;  // whom to ask to join, never itself; in order
  NodeOptions options;
  WireFormat reads = kFirstFormat;  // the newest that this software reads and speaks
};

class Node final : public Process {
 public:
  Node(Env& env, Observer& observer, const NodeConfig& config);
  ~Node() override;

  void start() override;
  void on_message(Address from, ByteView frame) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A founding member.
struct Founder {
  NodeId node;
  Address address;
};

// The birth of a cluster: one identical snapshot (cluster id, configuration, map of epoch 1) for
// every founding member, whose machine has it and its own identity before its first start. A
// machine without them joins through its seeds.
class Founding {
 public:
  Founding(ClusterId cluster, const std::vector<Founder>& founders, const NodeOptions& options);
  [[nodiscard]] std::vector<DiskFile> files_of(NodeId self) const;

 private:
  ClusterId cluster_;
  std::vector<DiskFile> shared_;  // by all of them
};

}  // namespace rejoin
