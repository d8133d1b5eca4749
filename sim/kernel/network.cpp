#include "sim/kernel/network.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/check.hpp"
#include "sim/kernel/streams.hpp"
#include "sim/kernel/transit.hpp"

namespace rejoin::sim {
namespace {

// To oneself: no port, no weather, only not the same instant.
constexpr Duration kLoopback = 1us;

}  // namespace

struct Network::Impl {
  Impl(const NetworkOptions& options, const TopologyOptions& sites, std::uint64_t seed,
       Carrier& with)
      : transit(options, sites, seed, with.counts()),
        streams(options.stream, transit, with),
        carrier(with) {
    for (const TopologyOptions::Site& site : sites.sites) {
      for (const Address host : site.hosts) placed.push_back(host);
    }
    std::stable_sort(placed.begin(), placed.end());
  }

  Transit transit;
  Streams streams;
  Carrier& carrier;
  std::vector<Address> hosts;   // ascending
  std::vector<Address> placed;  // by the topology; ascending
  std::vector<Parcel> clogged;  // datagrams, in order of arrival

  void carry_datagram(Parcel&& parcel) {
    const MonotonicTime now = carrier.time();
    if (parcel.from == parcel.to) return carrier.carry(now + kLoopback, std::move(parcel));
    const Sending sending =
        sending_of(parcel.from, parcel.to, Transport::datagram, parcel.tag, parcel.frame.size(), 0);
    DropReason dropped{};
    const auto passage = transit.send(now, sending, dropped);
    if (!passage) return carrier.lose(parcel, dropped);
    if (!transit.is_plain()) {
      duplicate(parcel, sending, passage->left);
      corrupt(parcel, sending);
    }
    carrier.carry(passage->arrival, std::move(parcel));
  }

  void duplicate(const Parcel& parcel, const Sending& sending, MonotonicTime left) {
    for (const Trouble& trouble : transit.effects().troubles()) {
      if (!transit.is_duplicated(sending, trouble)) continue;
      carrier.note(parcel, Mishap::duplicated);
      carrier.counts().add(trouble.id);
      Parcel copy = parcel;
      corrupt(copy, Transit::copy_of(sending, trouble));
      const Duration delay = transit.copy_delay(carrier.time(), sending, trouble);
      carrier.carry(left + delay, std::move(copy));
    }
  }

  // One bit at most: two flips of one bit would be none.
  void corrupt(Parcel& parcel, const Sending& sending) {
    bool corrupted = false;
    for (const Trouble& trouble : transit.effects().troubles()) {
      const auto bit = transit.corrupted_bit(sending, trouble);
      if (!bit) continue;
      carrier.counts().add(trouble.id);
      if (std::exchange(corrupted, true)) continue;
      std::uint8_t& byte = parcel.frame[*bit / 8];
      byte = static_cast<std::uint8_t>(byte ^ 1U << (*bit % 8));
      carrier.note(parcel, Mishap::corrupted);
    }
  }

  [[nodiscard]] bool datagram_arrives(Parcel& parcel, bool up) {
    if (transit.is_cut(parcel.from, parcel.to, carrier.time())) {
      transit.count_cut(parcel.from, parcel.to, carrier.time());
      carrier.lose(parcel, DropReason::partition);
      return false;
    }
    if (transit.is_clogged(parcel.from, parcel.to)) {
      transit.count_clogged(parcel.from, parcel.to);
      carrier.note(parcel, Mishap::clogged);
      clogged.push_back(std::move(parcel));
      return false;
    }
    if (!up) carrier.lose(parcel, DropReason::host_down);
    return up;
  }

  void release() {
    transit.effects_changed();
    std::vector<Parcel> held;
    held.swap(clogged);
    for (Parcel& parcel : held) {
      if (transit.is_clogged(parcel.from, parcel.to)) {
        clogged.push_back(std::move(parcel));
      } else {
        carrier.carry(carrier.time(), std::move(parcel));
      }
    }
    streams.release();
  }

  EffectId begin_trouble(Trouble trouble) {
    trouble.id = carrier.next_effect();
    const EffectId id = trouble.id;
    transit.effects().trouble(std::move(trouble));
    transit.effects_changed();
    return id;
  }

  // The links without a way through the topology. Quadratic in the hosts that it places.
  [[nodiscard]] LinkSet wayless() {
    std::vector<std::pair<Address, Address>> out;
    if (!transit.has_site_cuts()) return LinkSet::pairs(out);
    for (const Address from : hosts) {
      for (const Address to : hosts) {
        if (from != to && transit.topology().path(from, to) == nullptr) out.emplace_back(from, to);
      }
    }
    return LinkSet::pairs(std::move(out));
  }
};

Network::Network(const NetworkOptions& options, const TopologyOptions& topology, std::uint64_t seed,
                 Carrier& carrier)
    : impl_(std::make_unique<Impl>(options, topology, seed, carrier)) {}
Network::~Network() = default;

void Network::add_host(Address host, Address beside) {
  std::vector<Address>& hosts = impl_->hosts;
  const auto at = std::lower_bound(hosts.begin(), hosts.end(), host);
  if (at == hosts.end() || *at != host) hosts.insert(at, host);  // an address may be used again
  if (beside.is_none()) return;
  const bool placed = std::binary_search(impl_->placed.begin(), impl_->placed.end(), host);
  impl_->transit.place(host, beside, !placed);
}

void Network::host_stopped(Address host) {
  impl_->streams.host_stopped(host);
}

// ---- Messages ------------------------------------------------------------------------------

void Network::send(Transport transport, Parcel&& parcel) {
  switch (transport) {
    case Transport::datagram:
      return impl_->carry_datagram(std::move(parcel));
    case Transport::stream:
      return impl_->streams.send(std::move(parcel));
  }
  CHECK_THAT(false);
}

bool Network::arrive(Parcel& parcel, bool up) {
  return parcel.stream == 0 ? impl_->datagram_arrives(parcel, up)
                            : impl_->streams.arrive(parcel, up);
}

std::optional<Direct> Network::send_direct(MonotonicTime now, const Sending& sending) {
  if (!impl_->transit.is_plain() || sending.from == sending.to) return std::nullopt;
  if (sending.transport == Transport::stream) return impl_->streams.send_direct(now, sending);
  const auto arrival = impl_->transit.send_plain(now, sending);
  if (!arrival) return std::nullopt;
  return Direct{.arrival = *arrival};
}

bool Network::arrives_direct(std::uint32_t stream, std::uint32_t number) {
  return impl_->transit.is_open() && (stream == 0 || impl_->streams.arrives_direct(stream, number));
}

bool Network::awaits(std::uint64_t link, std::uint64_t ticket) const {
  return impl_->streams.awaits(link, ticket);
}

void Network::wake(std::uint64_t link) {
  impl_->streams.wake(link);
}

bool Network::is_cut(Address from, Address to) const {
  return impl_->transit.is_cut(from, to, impl_->carrier.time());
}

// ---- Effects -------------------------------------------------------------------------------

EffectId Network::cut(LinkSet links) {
  const EffectId id = impl_->carrier.next_effect();
  impl_->transit.effects().cut(id, std::move(links));
  impl_->transit.effects_changed();
  return id;
}

EffectId Network::flap(LinkSet links, Duration period, Share down, MonotonicTime since) {
  const EffectId id = impl_->carrier.next_effect();
  impl_->transit.effects().flap(id, std::move(links), period, down, since);
  impl_->transit.effects_changed();
  return id;
}

EffectId Network::clog(LinkSet links) {
  const EffectId id = impl_->carrier.next_effect();
  impl_->transit.effects().clog(id, std::move(links));
  impl_->transit.effects_changed();
  return id;
}

EffectId Network::impair(LinkSet links, const Impairment& impairment, std::uint64_t key) {
  Trouble trouble;
  trouble.key = key;
  trouble.links = std::move(links);
  trouble.what = impairment;
  return impl_->begin_trouble(std::move(trouble));
}

EffectId Network::weather(LinkSet links, const WeatherOptions& weather, std::uint64_t key) {
  Trouble trouble;
  trouble.key = key;
  trouble.links = std::move(links);
  trouble.weather = weather;
  return impl_->begin_trouble(std::move(trouble));
}

EffectId Network::cut_site_link(std::string_view name) {
  return impl_->transit.cut_site_link(name, impl_->carrier.next_effect());
}

EffectId Network::cut_site(std::string_view name) {
  return impl_->transit.cut_site(name, impl_->carrier.next_effect());
}

bool Network::end(EffectId effect) {
  if (impl_->transit.restore(effect)) return true;
  if (!impl_->transit.effects().end(effect)) return false;
  impl_->release();
  return true;
}

std::uint64_t Network::heal() {
  const LinkSet wayless = impl_->wayless();
  std::vector<const LinkSet*> sets = impl_->transit.effects().obstructed();
  sets.push_back(&wayless);
  const std::uint64_t links = count_links(sets, impl_->hosts);
  impl_->transit.restore_all();
  impl_->transit.effects().heal();
  impl_->release();
  return links;
}

std::vector<Address> Network::hosts_of_site(std::string_view site) const {
  return impl_->transit.topology().hosts_of(site);
}

std::uint64_t Network::count(const LinkSet& links) const {
  return count_links({&links}, impl_->hosts);
}

}  // namespace rejoin::sim
