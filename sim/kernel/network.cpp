#include "sim/kernel/network.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "model/check.hpp"
#include "model/distribution.hpp"
#include "model/math.hpp"
#include "model/random.hpp"
#include "sim/kernel/flat_map.hpp"

namespace rejoin::sim {
namespace {

using LinkKey = std::pair<Address, Address>;

// To oneself: no port, no weather, only not the same instant.
constexpr Duration kLoopback = 1us;
// Streams whose last arrival has passed need no memory; swept when the table has doubled.
constexpr std::size_t kStreamsSweptMin = 1024;

[[nodiscard]] std::uint64_t link_id(Address from, Address to) {
  return std::uint64_t{from.value} << 32U | to.value;
}

[[nodiscard]] auto lower_bound_host(const std::vector<std::pair<Address, std::uint32_t>>& hosts,
                                    Address host) {
  return std::lower_bound(hosts.begin(), hosts.end(), host,
                          [](const auto& item, Address wanted) { return item.first < wanted; });
}

[[nodiscard]] std::optional<std::uint32_t> group_of(
    const std::vector<std::pair<Address, std::uint32_t>>& hosts, Address host) {
  const auto at = lower_bound_host(hosts, host);
  if (at == hosts.end() || at->first != host) return std::nullopt;
  return at->second;
}

[[nodiscard]] std::vector<std::pair<Address, std::uint32_t>> grouped(
    const std::vector<std::vector<Address>>& groups) {
  std::vector<std::pair<Address, std::uint32_t>> out;
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    for (const Address host : groups[g]) out.emplace_back(host, g);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

// ---- Link sets -----------------------------------------------------------------------------

LinkSet LinkSet::all() {
  return {};
}
LinkSet LinkSet::pairs(std::vector<std::pair<Address, Address>> directed) {
  LinkSet out;
  out.kind_ = Kind::pairs;
  out.pairs_ = std::move(directed);
  std::sort(out.pairs_.begin(), out.pairs_.end());
  return out;
}
LinkSet LinkSet::between(std::vector<std::vector<Address>> groups) {
  LinkSet out;
  out.kind_ = Kind::between;
  out.from_ = grouped(groups);
  return out;
}
LinkSet LinkSet::from_to(std::vector<Address> from, std::vector<Address> to) {
  LinkSet out;
  out.kind_ = Kind::from_to;
  out.from_ = grouped({std::move(from)});
  out.to_ = grouped({std::move(to)});
  return out;
}
LinkSet LinkSet::touching(std::vector<Address> hosts) {
  LinkSet out;
  out.kind_ = Kind::touching;
  out.from_ = grouped({std::move(hosts)});
  return out;
}

bool LinkSet::contains(Address from, Address to) const {
  if (from == to) return false;
  switch (kind_) {
    case Kind::all:
      return true;
    case Kind::pairs:
      return std::binary_search(pairs_.begin(), pairs_.end(), std::pair(from, to));
    case Kind::between: {
      const auto a = group_of(from_, from);
      const auto b = group_of(from_, to);
      return a && b && *a != *b;
    }
    case Kind::from_to:
      return group_of(from_, from) && group_of(to_, to);
    case Kind::touching:
      return group_of(from_, from) || group_of(from_, to);
  }
  CHECK_THAT(false);
}

// ---- The network ---------------------------------------------------------------------------

struct Network::Impl {
  using Shape = std::unique_ptr<const Distribution>;
  Shape usual;
  std::vector<Shape> by_purpose;
  NetworkOptions options;
  std::vector<Address> hosts;
  std::uint64_t last_effect = 0;
  std::map<EffectId, LinkSet> cuts;
  std::map<EffectId, std::pair<LinkSet, Impairment>> impairments;
  std::uint64_t seed = 0;
  std::map<LinkKey, Shape> links;
  FlatMap<MonotonicTime> port_free;     // by sender: when its port has sent all it has
  FlatMap<MonotonicTime> last_arrival;  // by stream
  std::size_t sweep_at = kStreamsSweptMin;
  [[nodiscard]] const Distribution& latency_of(Address from, Address to, Purpose purpose) const {
    if (!links.empty()) {
      if (const auto link = links.find({from, to}); link != links.end()) return *link->second;
    }
    const auto index = static_cast<std::size_t>(purpose);
    if (by_purpose[index]) return *by_purpose[index];
    return *usual;
  }

  // Strictly after the message before it: two arrivals at one instant would be ordered by hash.
  [[nodiscard]] MonotonicTime in_order(MonotonicTime now, Address from, Address to,
                                       MonotonicTime arrival) {
    if (last_arrival.size() >= sweep_at) sweep(now);
    MonotonicTime& last = last_arrival[link_id(from, to)];
    last = std::max(arrival, last + 1ns);
    return last;
  }

  void sweep(MonotonicTime now) {
    FlatMap<MonotonicTime> kept;
    last_arrival.for_each([&](std::uint64_t key, MonotonicTime last) {
      if (last >= now) kept[key] = last;
    });
    last_arrival = std::move(kept);
    sweep_at = std::max(kStreamsSweptMin, 2 * last_arrival.size());
  }
};

Network::Network(const NetworkOptions& options, const TopologyOptions& /*topology*/,
                 std::uint64_t seed)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  impl_->seed = seed;
  impl_->usual = make_distribution(options.latency);
  for (const auto& latency : options.latency_by_purpose) {
    impl_->by_purpose.push_back(latency ? make_distribution(*latency) : nullptr);
  }
  impl_->by_purpose.resize(kPurposeCount);
  for (const auto& link : options.links) {
    impl_->links[{link.from, link.to}] = make_distribution(link.latency);
  }
}
Network::~Network() = default;

std::optional<MonotonicTime> Network::route(MonotonicTime now, Address from, Address to,
                                            Transport transport, std::size_t size_bytes,
                                            const Tag& tag, DropReason& dropped) {
  Impl& net = *impl_;
  if (from == to) {
    const MonotonicTime arrival = now + kLoopback;
    return transport == Transport::stream ? net.in_order(now, from, to, arrival) : arrival;
  }
  // The port is busy with what is lost on the way, too: the sender does not know.
  MonotonicTime sent = now;
  if (net.options.bandwidth_bytes_per_s != 0) {
    MonotonicTime& free = net.port_free[from.value];
    sent = std::max(now, free) + transfer_time(size_bytes, net.options.bandwidth_bytes_per_s);
    free = sent;
  }
  if (is_cut(from, to)) {
    dropped = DropReason::partition;
    return std::nullopt;
  }
  DrawKey key{.seed = net.seed,
              .domain = Domain::loss,
              .who = link_id(from, to),
              .what = mix(tag.kind.value, tag.identity),
              .attempt = tag.attempt};
  if (transport == Transport::datagram && chance(draw(key), net.options.loss)) {
    dropped = DropReason::loss;
    return std::nullopt;
  }
  for (const auto& [id, item] : net.impairments) {
    key.attempt = tag.attempt + (id.value << 32U);
    if (transport == Transport::datagram && item.first.contains(from, to) &&
        chance(draw(key), item.second.loss)) {
      dropped = DropReason::loss;
      return std::nullopt;
    }
  }
  key.attempt = tag.attempt;
  key.domain = Domain::latency;
  const MonotonicTime arrival = sent + net.latency_of(from, to, tag.purpose).sample(key);
  return transport == Transport::stream ? net.in_order(now, from, to, arrival) : arrival;
}

bool Network::is_cut(Address from, Address to) const {
  if (from == to) return false;
  for (const auto& [id, links] : impl_->cuts) {
    if (links.contains(from, to)) return true;
  }
  return false;
}

void Network::add_host(Address host) {
  impl_->hosts.push_back(host);
}

EffectId Network::cut(LinkSet links) {
  const EffectId id(++impl_->last_effect);
  impl_->cuts.emplace(id, std::move(links));
  return id;
}

EffectId Network::impair(LinkSet links, const Impairment& impairment) {
  const EffectId id(++impl_->last_effect);
  impl_->impairments.emplace(id, std::pair(std::move(links), impairment));
  return id;
}

bool Network::end(EffectId effect) {
  return impl_->cuts.erase(effect) + impl_->impairments.erase(effect) != 0;
}

std::uint64_t Network::heal() {
  std::uint64_t links = 0;
  for (const Address from : impl_->hosts) {
    for (const Address to : impl_->hosts) links += is_cut(from, to) ? 1U : 0U;
  }
  impl_->cuts.clear();
  return links;
}

std::uint64_t Network::count(const LinkSet& links) const {
  std::uint64_t count = 0;
  for (const Address from : impl_->hosts) {
    for (const Address to : impl_->hosts) count += links.contains(from, to) ? 1U : 0U;
  }
  return count;
}

}  // namespace rejoin::sim
