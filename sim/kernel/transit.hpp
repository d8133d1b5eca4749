// What one transmission meets between two hosts: queues, loss, delays, the links of the topology.
//
// Invariants:
// 1. Chances and delays are functions of (seed, link, message, transmission of it, what is wrong
//    with the link); queues alone remember what went before.
// 2. With nothing wrong and nothing limited a transmission costs one draw and no lookup.
//
// Transmissions are what effects are counted by: of a stream each try, of a connection that is
// being opened each half of the round trip.
//
// Not here: order, retransmission and connections (Streams), what effects are (LinkEffects).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/distribution.hpp"
#include "model/env.hpp"
#include "model/options.hpp"
#include "sim/kernel/carrier.hpp"
#include "sim/kernel/flat_map.hpp"
#include "sim/kernel/link_effects.hpp"
#include "sim/kernel/pipe.hpp"
#include "sim/kernel/topology.hpp"

namespace rejoin::sim {

[[nodiscard]] constexpr std::uint64_t link_id(Address from, Address to) {
  return std::uint64_t{from.value} << 32U | to.value;
}

// What a stream is cut into on Ethernet: 1500 bytes less the headers of IPv4 and TCP.
inline constexpr std::uint64_t kSegmentBytes = 1460;

struct Passage {
  MonotonicTime left{};     // the sender's end
  MonotonicTime arrival{};  // having passed all queues
};

class Transit {
 public:
  // The counts outlive it.
  Transit(const NetworkOptions& options, const TopologyOptions& topology, std::uint64_t seed,
          EffectCounts& counts);

  // None when it does not arrive (then `dropped` says why).
  [[nodiscard]] std::optional<Passage> send(MonotonicTime now, const Sending& sending,
                                            DropReason& dropped);
  // The same where nothing but the usual concerns it, which is the rule; none: ask send.
  [[nodiscard]] std::optional<MonotonicTime> send_plain(MonotonicTime now, const Sending& sending) {
    if (!plain_ || is_too_large(sending, options_.mtu_bytes)) [[unlikely]]
      return std::nullopt;
    MonotonicTime sent = now;
    if (options_.bandwidth_bytes_per_s != 0) [[unlikely]] {
      (void)leave_port(now, sent, sending, kUnbounded);
    }
    return sent + usual_delay(sending);
  }

  // From opening a connection until it is open (SYN, SYN-ACK), by the message that opens it; none
  // when one of the two is lost on the way.
  [[nodiscard]] std::optional<Duration> handshake(MonotonicTime now, const Sending& first);

  // The delay of a datagram's second copy, by the trouble that made it; it had left its port.
  [[nodiscard]] Duration copy_delay(MonotonicTime now, const Sending& sending,
                                    const Trouble& trouble);
  [[nodiscard]] bool is_duplicated(const Sending& sending, const Trouble& trouble) const;
  // Which bit of the frame is flipped by it; none: none.
  [[nodiscard]] std::optional<std::uint64_t> corrupted_bit(const Sending& sending,
                                                           const Trouble& trouble) const;
  // What the copy is to the draws.
  [[nodiscard]] static Sending copy_of(Sending sending, const Trouble& trouble);

  // Cut, or without a way through the topology.
  [[nodiscard]] bool is_cut(Address from, Address to, MonotonicTime at);
  [[nodiscard]] bool is_clogged(Address from, Address to) const {
    return from != to && effects_.is_clogged(from, to);
  }

  // What is_cut and is_clogged have said of a message comes true.
  void count_cut(Address from, Address to, MonotonicTime at);
  void count_clogged(Address from, Address to) { effects_.count_clogged(from, to, counts_); }

  // Cuts of the topology, by name. None when there is no such link or site.
  [[nodiscard]] EffectId cut_site_link(std::string_view name, EffectId id);
  [[nodiscard]] EffectId cut_site(std::string_view name, EffectId id);
  [[nodiscard]] bool has_site_cuts() const { return !site_cuts_.empty(); }
  bool restore(EffectId id);  // false when it is no such cut
  void restore_all();

  // A new host where a known one is (a twin, or itself before it moved): effects that are in force
  // there and latencies of links are its own, too. `in_topology`: it has no site of its own.
  void place(Address host, Address beside, bool in_topology);

  [[nodiscard]] LinkEffects& effects() { return effects_; }
  [[nodiscard]] Topology& topology() { return topology_; }
  // To be called after each change of effects.
  void effects_changed();
  // Nothing but its sender's port, the usual delay and, of a datagram, the MTU concerns a message.
  [[nodiscard]] bool is_plain() const { return plain_; }
  // No link is cut or clogged; messages under way arrive.
  [[nodiscard]] bool is_open() const { return open_; }

 private:
  static constexpr std::uint64_t kUnbounded = ~std::uint64_t{0};
  // What the options and the effects on one link add up to.
  struct Limits {
    std::uint64_t mtu_bytes;
    std::uint64_t link_bandwidth;
    std::uint64_t queue_bytes;
  };
  // What a name of the topology was cut by.
  struct SiteCut {
    std::string name;
    Topology::Part part;
  };
  using ByPurpose = std::array<std::uint32_t, kPurposeCount>;

  [[nodiscard]] static bool is_too_large(const Sending& sending, std::uint64_t mtu_bytes) {
    return sending.transport == Transport::datagram && mtu_bytes != 0 && sending.bytes > mtu_bytes;
  }
  // Moves `at` on to when the bytes have left the pipe; false when its queue is full.
  [[nodiscard]] static bool pass(Pipe& pipe, MonotonicTime now, MonotonicTime& at,
                                 std::uint64_t bytes, std::uint64_t bytes_per_s,
                                 std::uint64_t queue_bytes);
  [[nodiscard]] bool leave_port(MonotonicTime now, MonotonicTime& at, const Sending& sending,
                                std::uint64_t queue_bytes);
  // From the sender's port into the receiver's.
  [[nodiscard]] bool pass_links(MonotonicTime now, Passage& passage, const Sending& sending,
                                const Limits& limits, const std::vector<Hop>* path);
  [[nodiscard]] Limits limits_of(Address from, Address to) const;
  [[nodiscard]] bool is_on(const Trouble& trouble, const Sending& sending) const {
    return trouble.id.is_none() || trouble.links.contains(sending.from, sending.to);
  }
  [[nodiscard]] bool is_rough(MonotonicTime now, const Sending& sending,
                              const Trouble& trouble) const;
  [[nodiscard]] bool is_lost(MonotonicTime now, const Sending& sending,
                             const std::vector<Hop>* path);
  [[nodiscard]] bool is_hit(const DrawKey& key, Share share, const Sending& sending) const;
  // Of the usual latency and of troubles; without queues and topology.
  [[nodiscard]] Duration delay(MonotonicTime now, const Sending& sending);
  [[nodiscard]] Duration usual_delay(const Sending& sending) const {
    return latency_of(sending).sample({.seed = seed_,
                                       .domain = Domain::latency,
                                       .who = link_id(sending.from, sending.to),
                                       .what = sending.what,
                                       .attempt = sending.attempt});
  }
  [[nodiscard]] Duration hop_delay(const Sending& sending, const Hop& hop) const;
  // The whole way, without queues. There is a way.
  [[nodiscard]] Duration bare_delay(MonotonicTime now, const Sending& sending);
  // None (no way) only with a topology.
  [[nodiscard]] const std::vector<Hop>* path_of(Address from, Address to);
  [[nodiscard]] const Distribution& latency_of(const Sending& sending) const {
    if (!patterns_.empty()) [[unlikely]] {
      if (const Distribution* const found = pattern_of(sending)) return *found;
    }
    return *by_purpose_[static_cast<std::size_t>(sending.purpose)];
  }
  [[nodiscard]] const Distribution* pattern_of(const Sending& sending) const;
  [[nodiscard]] DrawKey key_of(Domain domain, const Sending& sending, std::uint64_t salt) const;
  void index_patterns();
  // What an end of a link is to first_pattern_; of a host that is absent or has moved, too.
  [[nodiscard]] std::uint32_t end_id(const NetworkOptions::End& end) const;
  // A host itself, the sites around it, and everyone: what an end of a link can call it.
  struct Ends {
    static constexpr std::size_t kMost = 8;  // sites are nested three deep
    std::array<std::uint32_t, kMost> ids{};
    std::size_t count = 0;
  };
  [[nodiscard]] Ends ends_of(Address host) const;

  void restore(const SiteCut& cut);

  // ---- What effects have done to a message ----
  void count_site_cuts(Address from, Address to);
  void count_too_large(const Sending& sending);
  void count_narrow(const Sending& sending);
  void count_full(const Sending& sending);

  const NetworkOptions options_;
  const std::uint64_t seed_;
  const bool has_topology_;
  bool plain_ = false;
  bool open_ = true;
  std::vector<std::unique_ptr<const Distribution>> own_;  // of by_purpose_
  std::array<const Distribution*, kPurposeCount> by_purpose_{};
  std::vector<std::unique_ptr<const Distribution>> patterns_;  // of NetworkOptions::links
  FlatMap<ByPurpose> first_pattern_;                           // by ends; 1 + its index
  bool has_site_patterns_ = false;
  FlatMap<std::uint32_t> first_address_;  // of hosts that are beside another one
  EffectCounts& counts_;
  LinkEffects effects_;
  Topology topology_;
  std::map<EffectId, SiteCut> site_cuts_;
  FlatMap<Pipe> ports_out_;  // by host
  FlatMap<Pipe> ports_in_;
  FlatMap<Pipe> links_;  // by link
  FlatMap<Pipe> hops_;   // by link of the topology and direction
};

}  // namespace rejoin::sim
