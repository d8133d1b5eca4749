// A network alone: its carrier is a list of what is due, and remembers all that became of messages.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "sim/kernel/carrier.hpp"
#include "sim/kernel/network.hpp"
#include "tests/support/machines.hpp"

namespace rejoin::sim::testing {

inline constexpr Address kA{1};
inline constexpr Address kB{2};
inline constexpr Address kC{3};

[[nodiscard]] Tag tag_of(std::uint64_t identity, std::uint32_t attempt = 0,
                         Purpose purpose = Purpose::foreground);

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
                const TopologyOptions& topology = {});

  [[nodiscard]] MonotonicTime time() const override { return now; }
  [[nodiscard]] EffectId next_effect() override;
  [[nodiscard]] EffectCounts& counts() override { return effect_counts; }
  void carry(MonotonicTime at, Parcel&& parcel) override;
  void wake(MonotonicTime at, std::uint64_t link, std::uint64_t ticket) override;
  void lose(const Parcel& parcel, DropReason reason) override;
  void note(const Parcel& parcel, Mishap mishap) override;

  void send(Address from, Address to, const Tag& tag, Transport transport = Transport::datagram,
            std::size_t size_bytes = 100);
  void stream(std::uint64_t identity, std::size_t size_bytes = 100);
  // Runs what is due up to `end`; the clock is then there.
  void run_until(MonotonicTime end);
  void run();
  // When this one message arrives, sent now on a network that nothing else uses.
  [[nodiscard]] std::optional<MonotonicTime> arrival(Address from, Address to, const Tag& tag,
                                                     std::size_t size_bytes = 100);
  [[nodiscard]] std::vector<std::uint64_t> identities() const;
  [[nodiscard]] std::uint64_t count(Mishap mishap) const;
  [[nodiscard]] std::uint64_t count(DropReason reason) const;

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

  void dispatch(Due& item);

  std::vector<Due> due;
  std::uint64_t order = 0;

 public:
  Network network;
};

}  // namespace rejoin::sim::testing
