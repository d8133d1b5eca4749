// The network between hosts: delay, loss, bandwidth and partitions, drawn by what a message means.
//
// Invariants:
// 1. Whether and when a message arrives is a function of (seed, link, tag), of the effects in force
//    and of the queues that it passes; never of how many messages went before.
// 2. A stream is in order, without gaps, or broken (Streams).
// 3. A partition is judged when a message is sent and again when it would arrive.
// 4. Effects compose; ending one leaves the others as they are.
//
// Not here: when events happen (Carrier), what one transmission meets (Transit).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/env.hpp"
#include "model/ids.hpp"
#include "model/options.hpp"
#include "sim/kernel/carrier.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/kernel/link_effects.hpp"
#include "sim/kernel/link_set.hpp"
#include "sim/kernel/streams.hpp"
#include "sim/kernel/transit.hpp"

namespace rejoin::sim {

class Network {
 public:
  // The carrier outlives it.
  Network(const NetworkOptions& options, const TopologyOptions& topology, std::uint64_t seed,
          Carrier& carrier);

  // A new host; `beside`: which one's site it shares, unless the topology names its own, and which
  // one's links: their latencies and the effects on them.
  void add_host(Address host, Address beside = {});
  // Its process is gone, and with it the connections of both ends.
  void host_stopped(Address host);

  // ---- Messages ----
  void send(Transport transport, Parcel&& parcel);
  // The same at less cost where nothing is wrong; none: nothing was done, and `send` is to be
  // asked.
  [[nodiscard]] std::optional<Direct> send_direct(MonotonicTime now, const Sending& sending) {
    if (!transit_.is_plain() || sending.from == sending.to) [[unlikely]]
      return std::nullopt;
    if (sending.transport == Transport::stream) return streams_.send_direct(now, sending);
    const auto arrival = transit_.send_plain(now, sending);
    if (!arrival) return std::nullopt;
    return Direct{.arrival = *arrival};
  }
  // Whether its process gets what was carried here, now. When not, it is kept for later or lost.
  // `up`: that there is a process.
  [[nodiscard]] bool arrive(Parcel& parcel, bool up);
  // What was carried here to a process arrives without being judged; false: ask `arrive`.
  [[nodiscard]] bool arrives_direct(std::uint32_t stream, std::uint32_t number) {
    return transit_.is_open() && (stream == 0 || streams_.arrives_direct(stream, number));
  }
  [[nodiscard]] bool awaits(std::uint64_t link, std::uint64_t ticket) const;
  void wake(std::uint64_t link);
  // At this moment.
  [[nodiscard]] bool is_cut(Address from, Address to);

  // ---- Effects; they end with `end` ----
  EffectId cut(LinkSet links);
  // Down for `down` of each period, by the clock alone, beginning down. The period is above 0.
  EffectId flap(LinkSet links, Duration period, Share down, MonotonicTime since);
  // Holds every message, and releases all of them at once when it ends.
  EffectId clog(LinkSet links);
  // `key`: whose draws these are, without the seed; not 0. Of equal keys at one time, what befalls
  // a message by one befalls it by the other.
  EffectId impair(LinkSet links, const Impairment& impairment, std::uint64_t key);
  EffectId weather(LinkSet links, const WeatherOptions& weather, std::uint64_t key);
  // A link of the topology, by its name; traffic takes the next shortest path, or none. None when
  // there is no such link.
  EffectId cut_site_link(std::string_view name);
  // Every link that leads out of the site.
  EffectId cut_site(std::string_view name);
  // False when it is no effect of the network, or over.
  bool end(EffectId effect);
  // Ends all cuts, flaps and clogs, of sites too; returns how many links (of known hosts) were
  // concerned; a cut link of the topology concerns those between hosts that it left without a way.
  std::uint64_t heal();

  // Every host below that site of the topology, ascending; empty when there is no such site.
  [[nodiscard]] std::vector<Address> hosts_of_site(std::string_view site);
  // How many directed links between known hosts the set holds.
  [[nodiscard]] std::uint64_t count(const LinkSet& links) const;

 private:
  void carry_datagram(Parcel&& parcel);
  void duplicate(const Parcel& parcel, const Sending& sending, MonotonicTime left);
  void corrupt(Parcel& parcel, const Sending& sending);
  [[nodiscard]] bool datagram_arrives(Parcel& parcel, bool up);
  EffectId begin_trouble(Trouble trouble);
  // What effects held and hold no longer goes on.
  void release();
  // The links without a way through the topology.
  [[nodiscard]] LinkSet wayless();

  Carrier& carrier_;
  Transit transit_;
  Streams streams_;
  std::vector<Address> hosts_;   // ascending
  std::vector<Address> placed_;  // by the topology; ascending
  std::vector<Parcel> clogged_;  // datagrams, in order of arrival
};

}  // namespace rejoin::sim
