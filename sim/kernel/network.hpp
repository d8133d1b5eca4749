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
#include <string_view>
#include <utility>
#include <vector>

#include "model/env.hpp"
#include "model/ids.hpp"
#include "model/options.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

// Which directed links an effect is on.
class LinkSet {
 public:
  [[nodiscard]] static LinkSet all();
  [[nodiscard]] static LinkSet pairs(std::vector<std::pair<Address, Address>> directed);
  // Between hosts of different groups, both ways; a host in no group is on none of them.
  [[nodiscard]] static LinkSet between(std::vector<std::vector<Address>> groups);
  [[nodiscard]] static LinkSet from_to(std::vector<Address> from, std::vector<Address> to);
  [[nodiscard]] static LinkSet touching(std::vector<Address> hosts);  // to and from them

  [[nodiscard]] bool contains(Address from, Address to) const;

 private:
  enum class Kind : std::uint8_t { all, pairs, between, from_to, touching };
  Kind kind_ = Kind::all;
  std::vector<std::pair<Address, Address>> pairs_;            // sorted
  std::vector<std::pair<Address, std::uint32_t>> from_, to_;  // sorted; with the group of each
};

// What is wrong with links, on top of NetworkOptions. Chances are independent of one another.
struct Impairment {
  Share loss{};
  Share duplicate{};
  Share reorder{};
  DurationRange reorder_by{1ms, 10ms};
  Share corrupt{};
  std::optional<LatencyOptions> extra{};       // added to each message's delay
  std::uint64_t bandwidth_bytes_per_s = 0;     // each link's own cap; 0: none
  std::uint64_t mtu_bytes = 0;                 // 0: as it is
  std::optional<std::uint64_t> queue_bytes{};  // replaces NetworkOptions::queue_bytes
};

class Network {
 public:
  Network(const NetworkOptions& options, const TopologyOptions& topology, std::uint64_t seed);
  ~Network();

  void add_host(Address host);

  // When a message sent now arrives; none when it is lost (then `dropped` says why). Accounts for
  // the sender's port: a large transfer delays what is sent after it.
  [[nodiscard]] std::optional<MonotonicTime> route(MonotonicTime now, Address from, Address to,
                                                   Transport transport, std::size_t size_bytes,
                                                   const Tag& tag, DropReason& dropped);
  [[nodiscard]] bool is_cut(Address from, Address to) const;

  // ---- Effects; they end with `end` ----
  EffectId cut(LinkSet links);
  // Down for `down` of each period, by the clock alone, beginning down.
  EffectId flap(LinkSet links, Duration period, Share down, MonotonicTime since);
  // Holds every message, and releases all of them at once when it ends.
  EffectId clog(LinkSet links);
  EffectId impair(LinkSet links, const Impairment& impairment);
  EffectId weather(LinkSet links, const WeatherOptions& weather);
  // A link of the topology, by its name; traffic takes the next shortest path, or none. None when
  // there is no such link.
  EffectId cut_site_link(std::string_view name);
  // Every link that leads out of the site.
  EffectId cut_site(std::string_view name);
  // False when it is no effect of the network, or over.
  bool end(EffectId effect);
  // Ends all cuts, flaps and clogs; returns how many links (of known hosts) were concerned.
  std::uint64_t heal();

  // How many directed links between known hosts the set holds.
  [[nodiscard]] std::uint64_t count(const LinkSet& links) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rejoin::sim
