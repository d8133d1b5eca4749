// The network between hosts: delay, loss, bandwidth and partitions, drawn by what a message means.
//
// Invariants:
// 1. Whether and when a message arrives is a function of (seed, link, tag) and of the state of
//    the links and of the sender's port; never of how many messages went before.
// 2. A stream is in order: of one (from, to), a later message never arrives before an earlier.
// 3. A partition is judged when the message is sent and again when it would arrive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/env.hpp"
#include "model/ids.hpp"
#include "model/options.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

class Network {
 public:
  Network(const NetworkOptions& options, std::uint64_t seed);
  ~Network();

  // When a message sent now arrives; none when it is lost (then `dropped` says why). Accounts for
  // the sender's port: a large transfer delays what is sent after it.
  [[nodiscard]] std::optional<MonotonicTime> route(MonotonicTime now, Address from, Address to,
                                                   Transport transport, std::size_t size_bytes,
                                                   const Tag& tag, DropReason& dropped);
  [[nodiscard]] bool is_cut(Address from, Address to) const;

  // ---- Faults ----
  // Cuts every link between addresses of different groups, both ways. Replaces earlier groups;
  // an address in no group talks to everyone. Returns the links cut (of listed addresses).
  std::uint64_t partition(const std::vector<std::vector<Address>>& groups);
  // Cuts one direction. False when it was cut already.
  bool cut(Address from, Address to);
  // Ends all partitions and cuts; returns how many links were cut.
  std::uint64_t heal();
  // Overrides the loss of datagrams from now on; returns what it was.
  Share set_loss(Share loss);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rejoin::sim
