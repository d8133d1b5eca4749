// A network alone: its carrier is a list of what is due, and remembers all that became of messages.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "sim/kernel/carrier.hpp"
#include "sim/kernel/network.hpp"
#include "tests/kernel/support.hpp"

namespace rejoin::sim::testing {

inline constexpr Address kA{1};
inline constexpr Address kB{2};
inline constexpr Address kC{3};

[[nodiscard]] inline Tag tag_of(std::uint64_t identity, std::uint32_t attempt = 0,
                                Purpose purpose = Purpose::foreground) {
  return {.kind = kPing, .purpose = purpose, .identity = identity, .attempt = attempt};
}

struct Arrived {
  MonotonicTime at{};
  Address from{};
  Address to{};
  std::uint64_t identity = 0;
  Bytes frame{};
  friend bool operator==(const Arrived&, const Arrived&) = default;
};

struct Dropped {
  MonotonicTime at{};
  std::uint64_t identity = 0;
  DropReason reason{};
};

class Wire final : public Carrier {
 public:
  explicit Wire(const NetworkOptions& options, std::uint64_t seed = 1,
                const TopologyOptions& topology = {})
      : network(options, topology, seed, *this) {}

  [[nodiscard]] MonotonicTime time() const override { return now; }
  [[nodiscard]] EffectId next_effect() override { return EffectId(++effects); }
  [[nodiscard]] EffectCounts& counts() override { return effect_counts; }
  void carry(MonotonicTime at, Parcel&& parcel) override {
    due.push_back({.at = std::max(at, now), .order = ++order, .parcel = std::move(parcel)});
  }
  void wake(MonotonicTime at, std::uint64_t link, std::uint64_t ticket) override {
    due.push_back({.at = at, .order = ++order, .link = link, .ticket = ticket});
  }
  void lose(const Parcel& parcel, DropReason reason) override {
    dropped.push_back({now, parcel.tag.identity, reason});
  }
  void note(const Parcel& parcel, Mishap mishap) override {
    mishaps.emplace_back(parcel.tag.identity, mishap);
  }

  void send(Address from, Address to, const Tag& tag, Transport transport = Transport::datagram,
            std::size_t size_bytes = 100) {
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
  void stream(std::uint64_t identity, std::size_t size_bytes = 100) {
    send(kA, kB, tag_of(identity), Transport::stream, size_bytes);
  }
  // Runs what is due up to `end`; the clock is then there.
  void run_until(MonotonicTime end) {
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
  void run() { run_until(kForever); }
  // When this one message arrives, sent now on a network that nothing else uses.
  [[nodiscard]] std::optional<MonotonicTime> arrival(Address from, Address to, const Tag& tag,
                                                     std::size_t size_bytes = 100) {
    const MonotonicTime sent = now;
    arrived.clear();
    send(from, to, tag, Transport::datagram, size_bytes);
    run();
    now = sent;
    return arrived.empty() ? std::nullopt : std::optional(arrived.front().at);
  }
  [[nodiscard]] std::vector<std::uint64_t> identities() const {
    std::vector<std::uint64_t> out;
    for (const Arrived& item : arrived) out.push_back(item.identity);
    return out;
  }
  [[nodiscard]] std::uint64_t count(Mishap mishap) const {
    std::uint64_t n = 0;
    for (const auto& item : mishaps) n += item.second == mishap ? 1U : 0U;
    return n;
  }
  [[nodiscard]] std::uint64_t count(DropReason reason) const {
    std::uint64_t n = 0;
    for (const auto& item : dropped) n += item.reason == reason ? 1U : 0U;
    return n;
  }

  MonotonicTime now{};
  std::vector<Arrived> arrived;
  std::vector<Dropped> dropped;
  std::vector<std::pair<std::uint64_t, Mishap>> mishaps;
  std::uint64_t wakes = 0;
  std::vector<Address> down;  // hosts without a process
  std::uint64_t effects = 0;
  EffectCounts effect_counts;
  bool direct = false;  // takes the direct way where there is one, as the kernel does
  std::uint64_t directly = 0;

 private:
  struct Due {
    MonotonicTime at{};
    std::uint64_t order = 0;
    Parcel parcel{};
    std::uint64_t link = 0;
    std::uint64_t ticket = 0;  // 0: a parcel
  };

  void dispatch(Due& item) {
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

  std::vector<Due> due;
  std::uint64_t order = 0;

 public:
  Network network;
};

}  // namespace rejoin::sim::testing
