#include "sim/kernel/network.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/check.hpp"

namespace rejoin::sim {
namespace {

// To oneself: no port, no weather, only not the same instant.
constexpr Duration kLoopback = 1us;

}  // namespace

Network::Network(const NetworkOptions& options, const TopologyOptions& topology, std::uint64_t seed,
                 Carrier& carrier)
    : carrier_(carrier),
      transit_(options, topology, seed, carrier.counts()),
      streams_(options.stream, transit_, carrier) {
  for (const TopologyOptions::Site& site : topology.sites) {
    placed_.insert(placed_.end(), site.hosts.begin(), site.hosts.end());
  }
  std::stable_sort(placed_.begin(), placed_.end());
}

void Network::add_host(Address host, Address beside) {
  const auto at = std::lower_bound(hosts_.begin(), hosts_.end(), host);
  if (at == hosts_.end() || *at != host) hosts_.insert(at, host);  // an address may be used again
  if (beside.is_none()) return;
  const bool placed = std::binary_search(placed_.begin(), placed_.end(), host);
  transit_.place(host, beside, !placed);
}

void Network::host_stopped(Address host) {
  streams_.host_stopped(host);
}

// ---- Messages ------------------------------------------------------------------------------

void Network::send(Transport transport, Parcel&& parcel) {
  switch (transport) {
    case Transport::datagram:
      return carry_datagram(std::move(parcel));
    case Transport::stream:
      return streams_.send(std::move(parcel));
  }
  CHECK_THAT(false);
}

bool Network::arrive(Parcel& parcel, bool up) {
  return parcel.stream == 0 ? datagram_arrives(parcel, up) : streams_.arrive(parcel, up);
}

void Network::carry_datagram(Parcel&& parcel) {
  const MonotonicTime now = carrier_.time();
  if (parcel.from == parcel.to) return carrier_.carry(now + kLoopback, std::move(parcel));
  const Sending sending =
      sending_of(parcel.from, parcel.to, Transport::datagram, parcel.tag, parcel.frame.size(), 0);
  DropReason dropped{};
  const auto passage = transit_.send(now, sending, dropped);
  if (!passage) return carrier_.lose(parcel, dropped);
  if (!transit_.is_plain()) {
    duplicate(parcel, sending, passage->left);
    corrupt(parcel, sending);
  }
  carrier_.carry(passage->arrival, std::move(parcel));
}

void Network::duplicate(const Parcel& parcel, const Sending& sending, MonotonicTime left) {
  for (const Trouble& trouble : transit_.effects().troubles()) {
    if (!transit_.is_duplicated(sending, trouble)) continue;
    carrier_.note(parcel, Mishap::duplicated);
    carrier_.counts().add(trouble.id);
    Parcel copy = parcel;
    corrupt(copy, Transit::copy_of(sending, trouble));
    const Duration delay = transit_.copy_delay(carrier_.time(), sending, trouble);
    carrier_.carry(left + delay, std::move(copy));
  }
}

// One bit at most: two flips of one bit would be none.
void Network::corrupt(Parcel& parcel, const Sending& sending) {
  bool corrupted = false;
  for (const Trouble& trouble : transit_.effects().troubles()) {
    const auto bit = transit_.corrupted_bit(sending, trouble);
    if (!bit) continue;
    carrier_.counts().add(trouble.id);
    if (std::exchange(corrupted, true)) continue;
    std::uint8_t& byte = parcel.frame[*bit / 8];
    byte = static_cast<std::uint8_t>(byte ^ 1U << (*bit % 8));
    carrier_.note(parcel, Mishap::corrupted);
  }
}

bool Network::datagram_arrives(Parcel& parcel, bool up) {
  if (transit_.is_cut(parcel.from, parcel.to, carrier_.time())) {
    transit_.count_cut(parcel.from, parcel.to, carrier_.time());
    carrier_.lose(parcel, DropReason::partition);
    return false;
  }
  if (transit_.is_clogged(parcel.from, parcel.to)) {
    transit_.count_clogged(parcel.from, parcel.to);
    carrier_.note(parcel, Mishap::clogged);
    clogged_.push_back(std::move(parcel));
    return false;
  }
  if (!up) carrier_.lose(parcel, DropReason::host_down);
  return up;
}

bool Network::awaits(std::uint64_t link, std::uint64_t ticket) const {
  return streams_.awaits(link, ticket);
}

void Network::wake(std::uint64_t link) {
  streams_.wake(link);
}

bool Network::is_cut(Address from, Address to) {
  return transit_.is_cut(from, to, carrier_.time());
}

// ---- Effects -------------------------------------------------------------------------------

EffectId Network::cut(LinkSet links) {
  const EffectId id = carrier_.next_effect();
  transit_.effects().cut(id, std::move(links));
  transit_.effects_changed();
  return id;
}

EffectId Network::flap(LinkSet links, Duration period, Share down, MonotonicTime since) {
  const EffectId id = carrier_.next_effect();
  transit_.effects().flap(id, std::move(links), period, down, since);
  transit_.effects_changed();
  return id;
}

EffectId Network::clog(LinkSet links) {
  const EffectId id = carrier_.next_effect();
  transit_.effects().clog(id, std::move(links));
  transit_.effects_changed();
  return id;
}

EffectId Network::begin_trouble(Trouble trouble) {
  trouble.id = carrier_.next_effect();
  const EffectId id = trouble.id;
  transit_.effects().trouble(std::move(trouble));
  transit_.effects_changed();
  return id;
}

EffectId Network::impair(LinkSet links, const Impairment& impairment, std::uint64_t key) {
  Trouble trouble;
  trouble.key = key;
  trouble.links = std::move(links);
  trouble.what = impairment;
  return begin_trouble(std::move(trouble));
}

EffectId Network::weather(LinkSet links, const WeatherOptions& weather, std::uint64_t key) {
  Trouble trouble;
  trouble.key = key;
  trouble.links = std::move(links);
  trouble.weather = weather;
  return begin_trouble(std::move(trouble));
}

EffectId Network::cut_site_link(std::string_view name) {
  return transit_.cut_site_link(name, carrier_.next_effect());
}

EffectId Network::cut_site(std::string_view name) {
  return transit_.cut_site(name, carrier_.next_effect());
}

// The links without a way through the topology. Quadratic in the hosts that it places.
LinkSet Network::wayless() {
  std::vector<std::pair<Address, Address>> out;
  if (!transit_.has_site_cuts()) return LinkSet::pairs(out);
  for (const Address from : hosts_) {
    for (const Address to : hosts_) {
      if (from != to && transit_.topology().path(from, to) == nullptr) out.emplace_back(from, to);
    }
  }
  return LinkSet::pairs(std::move(out));
}

void Network::release() {
  transit_.effects_changed();
  std::vector<Parcel> held;
  held.swap(clogged_);
  for (Parcel& parcel : held) {
    if (transit_.is_clogged(parcel.from, parcel.to)) {
      clogged_.push_back(std::move(parcel));
    } else {
      carrier_.carry(carrier_.time(), std::move(parcel));
    }
  }
  streams_.release();
}

bool Network::end(EffectId effect) {
  if (transit_.restore(effect)) return true;
  if (!transit_.effects().end(effect)) return false;
  release();
  return true;
}

std::uint64_t Network::heal() {
  const LinkSet stranded = wayless();
  std::vector<const LinkSet*> sets = transit_.effects().obstructed();
  sets.push_back(&stranded);
  const std::uint64_t links = count_links(sets, hosts_);
  transit_.restore_all();
  transit_.effects().heal();
  release();
  return links;
}

std::vector<Address> Network::hosts_of_site(std::string_view site) {
  return transit_.topology().hosts_of(site);
}

std::uint64_t Network::count(const LinkSet& links) const {
  return count_links({&links}, hosts_);
}

}  // namespace rejoin::sim
