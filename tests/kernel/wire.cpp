#include "tests/kernel/wire.hpp"

#include <algorithm>

namespace rejoin::sim::testing {

Tag tag_of(std::uint64_t identity, std::uint32_t attempt, Purpose purpose) {
  return {.kind = kPing, .purpose = purpose, .identity = identity, .attempt = attempt};
}

Wire::Wire(const NetworkOptions& options, std::uint64_t seed, const TopologyOptions& topology)
    : network(options, topology, seed, *this) {}

EffectId Wire::next_effect() {
  return EffectId(++effects);
}

void Wire::carry(MonotonicTime at, Parcel&& parcel) {
  due.push_back({.at = std::max(at, now), .order = ++order, .parcel = std::move(parcel)});
}

void Wire::wake(MonotonicTime at, std::uint64_t link, std::uint64_t ticket) {
  due.push_back({.at = at, .order = ++order, .link = link, .ticket = ticket});
}

void Wire::lose(const Parcel& parcel, DropReason reason) {
  dropped.push_back({now, parcel.tag.identity, reason});
}

void Wire::note(const Parcel& parcel, Mishap mishap) {
  mishaps.emplace_back(parcel.tag.identity, mishap);
}

void Wire::send(Address from, Address to, const Tag& tag, Transport transport,
                std::size_t size_bytes) {
  if (direct) {
    if (const auto way =
            network.send_direct(now, sending_of(from, to, transport, tag, size_bytes))) {
      ++directly;
      return carry(way->arrival, {.from = from,
                                  .to = to,
                                  .tag = tag,
                                  .frame = Bytes(size_bytes),
                                  .stream = way->stream,
                                  .number = way->number});
    }
  }
  network.send(transport, {.from = from, .to = to, .tag = tag, .frame = Bytes(size_bytes)});
}

void Wire::stream(std::uint64_t identity, std::size_t size_bytes) {
  send(kA, kB, tag_of(identity), Transport::stream, size_bytes);
}

void Wire::run_until(MonotonicTime end) {
  while (!due.empty()) {
    const auto next = std::min_element(due.begin(), due.end(), [](const Due& a, const Due& b) {
      return a.at != b.at ? a.at < b.at : a.order < b.order;
    });
    if (next->at > end) break;
    Due item = std::move(*next);
    due.erase(next);
    now = std::max(now, item.at);
    dispatch(item);
  }
  if (end != kForever) now = end;
}

void Wire::run() {
  run_until(kForever);
}

std::optional<MonotonicTime> Wire::arrival(Address from, Address to, const Tag& tag,
                                           std::size_t size_bytes) {
  const MonotonicTime sent = now;
  arrived.clear();
  send(from, to, tag, Transport::datagram, size_bytes);
  run();
  now = sent;
  return arrived.empty() ? std::nullopt : std::optional(arrived.front().at);
}

std::vector<std::uint64_t> Wire::identities() const {
  std::vector<std::uint64_t> out;
  for (const Arrived& item : arrived) out.push_back(item.identity);
  return out;
}

std::uint64_t Wire::count(Mishap mishap) const {
  std::uint64_t n = 0;
  for (const auto& item : mishaps) n += item.second == mishap ? 1U : 0U;
  return n;
}

std::uint64_t Wire::count(DropReason reason) const {
  std::uint64_t n = 0;
  for (const auto& item : dropped) n += item.reason == reason ? 1U : 0U;
  return n;
}

void Wire::dispatch(Due& item) {
  if (item.ticket != 0) {
    if (!network.awaits(item.link, item.ticket)) return;
    ++wakes;
    return network.wake(item.link);
  }
  Parcel& parcel = item.parcel;
  const bool up = std::find(down.begin(), down.end(), parcel.to) == down.end();
  const bool at_once = direct && up && network.arrives_direct(parcel.stream, parcel.number);
  if (!at_once && !network.arrive(parcel, up)) return;
  arrived.push_back({now, parcel.from, parcel.to, parcel.tag.identity, parcel.frame});
}

}  // namespace rejoin::sim::testing
