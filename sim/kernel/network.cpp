#include "sim/kernel/network.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

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

[[nodiscard]] Duration draw_latency(const LatencyOptions& options, std::uint64_t random) {
  switch (options.shape) {
    case LatencyOptions::Shape::constant:
      return options.mean;
    case LatencyOptions::Shape::uniform:
      return uniform(random, options.range);
    case LatencyOptions::Shape::exponential:
      return options.floor + exponential(random, options.mean);
  }
  CHECK_THAT(false);
}

}  // namespace

struct Network::Impl {
  NetworkOptions options;
  std::uint64_t seed = 0;
  std::map<LinkKey, LatencyOptions> links;
  FlatMap<MonotonicTime> port_free;     // by sender: when its port has sent all it has
  FlatMap<MonotonicTime> last_arrival;  // by stream
  std::size_t sweep_at = kStreamsSweptMin;
  std::map<Address, std::uint32_t> groups;
  std::uint64_t partition_links = 0;
  std::set<LinkKey> cuts;

  [[nodiscard]] const LatencyOptions& latency_of(Address from, Address to, Purpose purpose) const {
    if (!links.empty()) {
      if (const auto link = links.find({from, to}); link != links.end()) return link->second;
    }
    const auto index = static_cast<std::size_t>(purpose);
    if (index < options.latency_by_purpose.size() && options.latency_by_purpose[index]) {
      return *options.latency_by_purpose[index];
    }
    return options.latency;
  }

  [[nodiscard]] bool is_partitioned(Address from, Address to) const {
    const auto a = groups.find(from);
    const auto b = groups.find(to);
    return a != groups.end() && b != groups.end() && a->second != b->second;
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

Network::Network(const NetworkOptions& options, std::uint64_t seed)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  impl_->seed = seed;
  for (const auto& link : options.links) impl_->links[{link.from, link.to}] = link.latency;
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
  key.domain = Domain::latency;
  const LatencyOptions& latency = net.latency_of(from, to, tag.purpose);
  const MonotonicTime arrival = sent + draw_latency(latency, draw(key));
  return transport == Transport::stream ? net.in_order(now, from, to, arrival) : arrival;
}

bool Network::is_cut(Address from, Address to) const {
  const Impl& net = *impl_;
  if (from == to) return false;
  if (!net.groups.empty() && net.is_partitioned(from, to)) return true;
  return !net.cuts.empty() && net.cuts.contains({from, to});
}

std::uint64_t Network::partition(const std::vector<std::vector<Address>>& groups) {
  Impl& net = *impl_;
  net.groups.clear();
  std::vector<std::uint64_t> sizes;
  for (const auto& group : groups) {
    std::uint64_t size = 0;
    const auto number = static_cast<std::uint32_t>(sizes.size());
    for (const Address address : group) size += net.groups.emplace(address, number).second ? 1 : 0;
    sizes.push_back(size);
  }
  net.partition_links = 0;
  for (const std::uint64_t size : sizes) net.partition_links += size * (net.groups.size() - size);
  return net.partition_links;
}

bool Network::cut(Address from, Address to) {
  if (from == to || is_cut(from, to)) return false;
  return impl_->cuts.emplace(from, to).second;
}

std::uint64_t Network::heal() {
  Impl& net = *impl_;
  std::uint64_t links = net.partition_links;
  for (const auto& [from, to] : net.cuts) links += net.is_partitioned(from, to) ? 0 : 1;
  net.groups.clear();
  net.cuts.clear();
  net.partition_links = 0;
  return links;
}

Share Network::set_loss(Share loss) {
  return std::exchange(impl_->options.loss, loss);
}

}  // namespace rejoin::sim
