#include "sim/kernel/transit.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/math.hpp"
#include "model/random.hpp"

namespace rejoin::sim {
namespace {

constexpr std::uint64_t kSynBytes = 40;

// Ends of links that are sites begin here: above all addresses.
constexpr std::uint32_t kFirstSiteEnd = 0xc0000000;

// Keep the draws of one message apart. Values are arbitrary and distinct.
enum Salt : std::uint64_t {
  kDuplicateSalt = 0xd1,
  kCopySalt,
  kReorderSalt,
  kReorderBySalt,
  kCorruptSalt,
  kBitSalt,
  kRoughExtraSalt,
  kRoughLossSalt,
  kHopSalt,
  kSynSalt,
  kSynAckSalt,
};

// Whether at least one of `count` independent chances strikes: random / 2^64 against (1 - p)^count
// in fixed point, rounded down in each step. Nested in the share and in the count.
[[nodiscard]] bool any_of_many(std::uint64_t random, Share share, std::uint64_t count) {
  if (share.ppm >= 1'000'000) return true;
  constexpr std::uint64_t one = ~std::uint64_t{0};
  const auto times = [](std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(a) * b) >> 64U);
  };
  std::uint64_t power = one / 1'000'000 * (1'000'000 - share.ppm);
  std::uint64_t none_struck = one;
  for (; count != 0; count >>= 1U) {
    if ((count & 1U) != 0) none_struck = times(none_struck, power);
    power = times(power, power);
  }
  return random >= none_struck;
}

[[nodiscard]] std::uint64_t hop_id(const Hop& hop) {
  return std::uint64_t{hop.link} << 1U | (hop.back ? 1U : 0U);
}

[[nodiscard]] bool is_never(const Impairment& what) {
  return what.loss.ppm == 0 && what.duplicate.ppm == 0 && what.reorder.ppm == 0 &&
         what.corrupt.ppm == 0;
}

}  // namespace

Transit::Transit(const NetworkOptions& options, const TopologyOptions& topology, std::uint64_t seed,
                 EffectCounts& counts)
    : options_(options),
      seed_(seed),
      has_topology_(!topology.sites.empty()),
      counts_(counts),
      topology_(topology) {
  own_.push_back(make_distribution(options.latency));
  by_purpose_.fill(own_.front().get());
  CHECK_THAT(options.latency_by_purpose.size() <= kPurposeCount);
  for (std::size_t p = 0; p < options.latency_by_purpose.size(); ++p) {
    if (!options.latency_by_purpose[p]) continue;
    own_.push_back(make_distribution(*options.latency_by_purpose[p]));
    by_purpose_[p] = own_.back().get();
  }
  index_patterns();
  Impairment usual;
  usual.loss = options.loss;
  usual.duplicate = options.duplicate;
  usual.reorder = options.reorder;
  usual.reorder_by = options.reorder_by;
  usual.corrupt = options.corrupt;
  if (!is_never(usual) || options.weather.slot != 0ns) effects_.usual(usual, options.weather);
  effects_changed();
}

void Transit::effects_changed() {
  open_ = effects_.are_all_open() && !has_topology_;
  plain_ = open_ && effects_.troubles().empty() && options_.receive_bandwidth_bytes_per_s == 0 &&
           options_.link_bandwidth_bytes_per_s == 0 && options_.queue_bytes == 0;
}

// ---- Latency of links ----------------------------------------------------------------------

void Transit::index_patterns() {
  for (const NetworkOptions::Link& link : options_.links) {
    patterns_.push_back(make_distribution(link.latency));
    has_site_patterns_ |= !link.from.site.empty() || !link.to.site.empty();
    ByPurpose& first =
        first_pattern_[link_id(Address(end_id(link.from)), Address(end_id(link.to)))];
    for (std::size_t p = 0; p < kPurposeCount; ++p) {
      const bool matches = !link.purpose || static_cast<std::size_t>(*link.purpose) == p;
      if (matches && first[p] == 0) first[p] = static_cast<std::uint32_t>(patterns_.size());
    }
  }
}

std::uint32_t Transit::end_id(const NetworkOptions::End& end) const {
  if (end.site.empty()) return end.host.value;
  const auto site = topology_.find_site(end.site);
  CHECK_THAT(site.has_value());
  return kFirstSiteEnd + *site;
}

Transit::Ends Transit::ends_of(Address host) const {
  const std::uint32_t* const first = first_address_.find(host.value);
  Ends out;
  out.ids[out.count++] = 0;  // everyone
  out.ids[out.count++] = first == nullptr ? host.value : *first;
  if (!has_site_patterns_) return out;
  for (auto site = topology_.site_of(host); site && out.count < Ends::kMost;
       site = topology_.holder_of(*site)) {
    out.ids[out.count++] = kFirstSiteEnd + *site;
  }
  return out;
}

const Distribution* Transit::pattern_of(const Sending& sending) const {
  const Ends from = ends_of(sending.from);
  const Ends to = ends_of(sending.to);
  std::uint32_t first = 0;
  for (std::size_t f = 0; f < from.count; ++f) {
    for (std::size_t t = 0; t < to.count; ++t) {
      const ByPurpose* const known =
          first_pattern_.find(link_id(Address(from.ids[f]), Address(to.ids[t])));
      if (known == nullptr) continue;
      const std::uint32_t index = (*known)[static_cast<std::size_t>(sending.purpose)];
      if (index != 0 && (first == 0 || index < first)) first = index;
    }
  }
  return first == 0 ? nullptr : patterns_[first - 1].get();
}

void Transit::place(Address host, Address beside, bool in_topology) {
  if (in_topology) topology_.place(host, beside);
  const std::uint32_t* const known = first_address_.find(beside.value);
  const std::uint32_t first = known == nullptr ? beside.value : *known;
  first_address_[host.value] = first;
  effects_.adopt(host, beside);
}

// ---- Draws ---------------------------------------------------------------------------------

DrawKey Transit::key_of(Domain domain, const Sending& sending, std::uint64_t salt) const {
  return {.seed = seed_,
          .domain = domain,
          .who = link_id(sending.from, sending.to),
          .what = salt == 0 ? sending.what : mix(sending.what, salt),
          .attempt = sending.attempt};
}

bool Transit::is_hit(const DrawKey& key, Share share, const Sending& sending) const {
  if (share.ppm == 0) return false;
  if (sending.transport == Transport::datagram) return chance(draw(key), share);
  const std::uint64_t segments = std::max<std::uint64_t>(
      1, sending.bytes / kSegmentBytes + (sending.bytes % kSegmentBytes != 0 ? 1 : 0));
  return any_of_many(draw(key), share, segments);
}

bool Transit::is_rough(MonotonicTime now, const Sending& sending, const Trouble& trouble) const {
  if (trouble.weather.slot == 0ns) return false;
  const auto slot = static_cast<std::uint64_t>(now.time_since_epoch() / trouble.weather.slot);
  return chance(draw({.seed = seed_,
                      .domain = Domain::weather,
                      .who = link_id(sending.from, sending.to),
                      .what = mix(slot, trouble.key)}),
                trouble.weather.rough);
}

bool Transit::is_lost(MonotonicTime now, const Sending& sending, const std::vector<Hop>* path) {
  bool lost = false;
  for (const Trouble& trouble : effects_.troubles()) {
    if (!is_on(trouble, sending)) continue;
    const bool rough = is_rough(now, sending, trouble);
    const DrawKey rough_key = key_of(Domain::weather, sending, mix(trouble.key, kRoughLossSalt));
    const bool hit =
        is_hit(key_of(Domain::loss, sending, trouble.key), trouble.what.loss, sending) ||
        (rough && is_hit(rough_key, trouble.weather.loss, sending));
    if (rough || hit) counts_.add(trouble.id);
    lost = lost || hit;
  }
  if (lost || path == nullptr) return lost;
  return std::any_of(path->begin(), path->end(), [&](const Hop& hop) {
    return is_hit(key_of(Domain::loss, sending, mix(kHopSalt, hop_id(hop))), hop.loss, sending);
  });
}

Duration Transit::delay(MonotonicTime now, const Sending& sending) {
  Duration out = usual_delay(sending);
  for (const Trouble& trouble : effects_.troubles()) {
    if (!is_on(trouble, sending)) continue;
    if (trouble.extra) {
      const Duration extra = trouble.extra->sample(key_of(Domain::latency, sending, trouble.key));
      if (extra > 0ns) counts_.add(trouble.id);
      out += extra;
    }
    if (is_rough(now, sending, trouble)) {
      const DrawKey key = key_of(Domain::weather, sending, mix(trouble.key, kRoughExtraSalt));
      out += uniform(draw(key), trouble.weather.extra);
    }
    if (sending.transport != Transport::datagram || trouble.what.reorder.ppm == 0) continue;
    if (chance(draw(key_of(Domain::network, sending, mix(trouble.key, kReorderSalt))),
               trouble.what.reorder)) {
      const DrawKey key = key_of(Domain::network, sending, mix(trouble.key, kReorderBySalt));
      counts_.add(trouble.id);
      out += uniform(draw(key), trouble.what.reorder_by);
    }
  }
  return out;
}

Duration Transit::hop_delay(const Sending& sending, const Hop& hop) const {
  return hop.latency->sample(key_of(Domain::latency, sending, mix(kHopSalt, hop_id(hop))));
}

Duration Transit::bare_delay(MonotonicTime now, const Sending& sending) {
  Duration out = delay(now, sending);
  const std::vector<Hop>* const path = path_of(sending.from, sending.to);
  if (path == nullptr) return out;
  for (const Hop& hop : *path) out += hop_delay(sending, hop);
  return out;
}

bool Transit::is_duplicated(const Sending& sending, const Trouble& trouble) const {
  return trouble.what.duplicate.ppm != 0 && is_on(trouble, sending) &&
         chance(draw(key_of(Domain::network, sending, mix(trouble.key, kDuplicateSalt))),
                trouble.what.duplicate);
}

Sending Transit::copy_of(Sending sending, const Trouble& trouble) {
  sending.what = mix(sending.what, mix(trouble.key, kCopySalt));
  return sending;
}

Duration Transit::copy_delay(MonotonicTime now, const Sending& sending, const Trouble& trouble) {
  return bare_delay(now, copy_of(sending, trouble));
}

std::optional<std::uint64_t> Transit::corrupted_bit(const Sending& sending,
                                                    const Trouble& trouble) const {
  if (trouble.what.corrupt.ppm == 0 || sending.bytes == 0 || !is_on(trouble, sending) ||
      !chance(draw(key_of(Domain::network, sending, mix(trouble.key, kCorruptSalt))),
              trouble.what.corrupt)) {
    return std::nullopt;
  }
  return below(draw(key_of(Domain::network, sending, mix(trouble.key, kBitSalt))),
               8 * sending.bytes);
}

// ---- The way -------------------------------------------------------------------------------

const std::vector<Hop>* Transit::path_of(Address from, Address to) {
  return has_topology_ ? topology_.path(from, to) : nullptr;
}

bool Transit::is_cut(Address from, Address to, MonotonicTime at) {
  if (from == to) return false;
  return effects_.is_cut(from, to, at) || (has_topology_ && topology_.path(from, to) == nullptr);
}

void Transit::count_cut(Address from, Address to, MonotonicTime at) {
  effects_.count_cut(from, to, at, counts_);
  if (!site_cuts_.empty() && path_of(from, to) == nullptr) count_site_cuts(from, to);
}

// ---- Cuts of the topology --------------------------------------------------------------------

EffectId Transit::cut_site_link(std::string_view name, EffectId id) {
  if (!topology_.cut_link(name)) return {};
  site_cuts_.emplace(id, SiteCut{.name = std::string(name), .part = *topology_.link(name)});
  return id;
}

EffectId Transit::cut_site(std::string_view name, EffectId id) {
  if (!topology_.cut_site(name)) return {};
  site_cuts_.emplace(id, SiteCut{.name = std::string(name), .part = *topology_.site(name)});
  return id;
}

void Transit::restore(const SiteCut& cut) {
  CHECK_THAT(cut.part.is_link ? topology_.restore_link(cut.name)
                              : topology_.restore_site(cut.name));
}

bool Transit::restore(EffectId id) {
  const auto cut = site_cuts_.find(id);
  if (cut == site_cuts_.end()) return false;
  restore(cut->second);
  site_cuts_.erase(cut);
  return true;
}

void Transit::restore_all() {
  for (const auto& [id, cut] : site_cuts_) restore(cut);
  site_cuts_.clear();
}

// ---- What effects have done to a message -----------------------------------------------------

void Transit::count_site_cuts(Address from, Address to) {
  for (const auto& [id, cut] : site_cuts_) {
    if (topology_.usually_crosses(from, to, cut.part)) counts_.add(id);
  }
}

void Transit::count_too_large(const Sending& sending) {
  for (const Trouble& trouble : effects_.troubles()) {
    if (is_on(trouble, sending) && is_too_large(sending, trouble.what.mtu_bytes)) {
      counts_.add(trouble.id);
    }
  }
}

void Transit::count_narrow(const Sending& sending) {
  const auto time = [&](std::uint64_t rate) { return transfer_time(sending.bytes, rate); };
  for (const Trouble& trouble : effects_.troubles()) {
    const std::uint64_t rate = trouble.what.bandwidth_bytes_per_s;
    if (rate == 0 || !is_on(trouble, sending)) continue;
    if (time(rate) > time(options_.link_bandwidth_bytes_per_s)) counts_.add(trouble.id);
  }
}

void Transit::count_full(const Sending& sending) {
  for (const Trouble& trouble : effects_.troubles()) {
    if (trouble.what.queue_bytes && is_on(trouble, sending)) counts_.add(trouble.id);
  }
}

// ---- Limits ----------------------------------------------------------------------------------

Transit::Limits Transit::limits_of(Address from, Address to) const {
  const auto tightest = [](std::uint64_t a, std::uint64_t b) {  // 0: none
    return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
  };
  Limits out{.mtu_bytes = options_.mtu_bytes,
             .link_bandwidth = options_.link_bandwidth_bytes_per_s,
             .queue_bytes = options_.queue_bytes};
  std::optional<std::uint64_t> queue;
  for (const Trouble& trouble : effects_.troubles()) {
    if (trouble.id.is_none() || !trouble.links.contains(from, to)) continue;
    out.mtu_bytes = tightest(out.mtu_bytes, trouble.what.mtu_bytes);
    out.link_bandwidth = tightest(out.link_bandwidth, trouble.what.bandwidth_bytes_per_s);
    if (trouble.what.queue_bytes) queue = tightest(queue.value_or(0), *trouble.what.queue_bytes);
  }
  out.queue_bytes = queue.value_or(out.queue_bytes);
  return out;
}

bool Transit::pass(Pipe& pipe, MonotonicTime now, MonotonicTime& at, std::uint64_t bytes,
                   std::uint64_t bytes_per_s, std::uint64_t queue_bytes) {
  const Duration length = transfer_time(bytes, bytes_per_s);
  const MonotonicTime begin = pipe.begin_of(now, at, length);
  if (queue_bytes != kUnbounded && bytes <= queue_bytes) {
    // Waiting for as long as the rest of the queue takes to pass: the queue is full.
    if (begin - at > transfer_time(queue_bytes - bytes, bytes_per_s)) return false;
  } else if (queue_bytes != kUnbounded && begin != at) {
    return false;
  }
  pipe.book(begin, length);
  at = begin + length;
  return true;
}

bool Transit::leave_port(MonotonicTime now, MonotonicTime& at, const Sending& sending,
                         std::uint64_t queue_bytes) {
  return pass(ports_out_[sending.from.value], now, at, sending.bytes,
              options_.bandwidth_bytes_per_s, queue_bytes);
}

bool Transit::pass_links(MonotonicTime now, Passage& passage, const Sending& sending,
                         const Limits& limits, const std::vector<Hop>* path) {
  const std::uint64_t bytes = sending.bytes;
  const std::uint64_t queue = limits.queue_bytes;
  if (limits.link_bandwidth != 0) {
    count_narrow(sending);
    if (!pass(links_[link_id(sending.from, sending.to)], now, passage.left, bytes,
              limits.link_bandwidth, queue)) {
      return false;
    }
  }
  MonotonicTime& at = passage.arrival;
  at = passage.left + delay(now, sending);
  if (path != nullptr) {
    for (const Hop& hop : *path) {
      if (hop.bandwidth_bytes_per_s != 0 &&
          !pass(hops_[hop_id(hop)], now, at, bytes, hop.bandwidth_bytes_per_s, queue)) {
        return false;
      }
      at += hop_delay(sending, hop);
    }
  }
  return options_.receive_bandwidth_bytes_per_s == 0 ||
         pass(ports_in_[sending.to.value], now, at, bytes, options_.receive_bandwidth_bytes_per_s,
              queue);
}

std::optional<Passage> Transit::send(MonotonicTime now, const Sending& sending,
                                     DropReason& dropped) {
  if (!site_cuts_.empty()) count_site_cuts(sending.from, sending.to);
  Limits limits = limits_of(sending.from, sending.to);
  if (is_too_large(sending, limits.mtu_bytes)) {
    count_too_large(sending);
    dropped = DropReason::too_large;
    return std::nullopt;
  }
  // A stream waits for room: its sender is told to hold back (RFC 9293, 3.8.6).
  const bool bounded = limits.queue_bytes != 0 && sending.transport == Transport::datagram;
  if (!bounded) limits.queue_bytes = kUnbounded;
  dropped = DropReason::queue_full;
  Passage passage{.left = now, .arrival = now};
  // The port is busy with what is lost on the way, too: the sender does not know.
  if (options_.bandwidth_bytes_per_s != 0 &&
      !leave_port(now, passage.left, sending, limits.queue_bytes)) {
    count_full(sending);
    return std::nullopt;
  }
  if (is_cut(sending.from, sending.to, now)) {
    effects_.count_cut(sending.from, sending.to, now, counts_);
    dropped = DropReason::partition;
    return std::nullopt;
  }
  const std::vector<Hop>* const path = path_of(sending.from, sending.to);
  if (is_lost(now, sending, path)) {
    dropped = DropReason::loss;
    return std::nullopt;
  }
  if (!pass_links(now, passage, sending, limits, path)) return std::nullopt;
  return passage;
}

std::optional<Duration> Transit::handshake(MonotonicTime now, const Sending& first) {
  Duration out{};
  Sending half = first;
  half.bytes = kSynBytes;
  for (const std::uint64_t salt : {std::uint64_t{kSynSalt}, std::uint64_t{kSynAckSalt}}) {
    half.what = mix(first.what, salt);
    // A clog on the way there holds the message itself, where it arrives.
    const bool is_held = salt == kSynAckSalt && is_clogged(half.from, half.to);
    if (is_held) count_clogged(half.from, half.to);
    const bool is_stopped = is_cut(half.from, half.to, now);
    if (is_stopped) count_cut(half.from, half.to, now);
    if (is_held || is_stopped || is_lost(now, half, path_of(half.from, half.to))) {
      return std::nullopt;
    }
    out += bare_delay(now, half);
    std::swap(half.from, half.to);
  }
  return out;
}

}  // namespace rejoin::sim
