// A message on its way, and what the network asks of whoever holds the queue of events.
#pragma once

#include <cstdint>

#include "model/env.hpp"
#include "model/ids.hpp"
#include "model/random.hpp"
#include "model/time.hpp"
#include "sim/kernel/effect_counts.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

// One transmission of a message, as draws and queues see it.
struct Sending {
  Address from{};
  Address to{};
  Transport transport{};
  Purpose purpose{};
  std::uint64_t what = 0;     // the message, and which transmission of it by its stream
  std::uint64_t attempt = 0;  // the tag's
  std::uint64_t bytes = 0;
};
// `round`: how often its stream has sent it before.
[[nodiscard]] inline Sending sending_of(Address from, Address to, Transport transport,
                                        const Tag& tag, std::uint64_t bytes,
                                        std::uint32_t round = 0) {
  constexpr std::uint64_t kRoundSalt = 0x5e9d;
  const std::uint64_t what = mix(tag.kind.value, tag.identity);
  return {.from = from,
          .to = to,
          .transport = transport,
          .purpose = tag.purpose,
          .what = round == 0 ? what : mix(what, mix(kRoundSalt, round)),
          .attempt = tag.attempt,
          .bytes = bytes};
}

struct Parcel {
  Address from{};
  Address to{};
  Tag tag{};
  Bytes frame{};
  std::uint32_t stream = 0;  // 1 + its slot in Streams; 0: a datagram
  std::uint32_t number = 0;  // on its stream, counted from 1
  std::uint32_t round = 0;   // how often it was sent before
};

// Where a message without any trouble is to be carried to, without a parcel.
struct Direct {
  MonotonicTime arrival{};
  std::uint32_t stream = 0;  // as in Parcel
  std::uint32_t number = 0;
};

class Carrier {
 public:
  [[nodiscard]] virtual MonotonicTime time() const = 0;
  [[nodiscard]] virtual EffectId next_effect() = 0;
  [[nodiscard]] virtual EffectCounts& counts() = 0;
  // At `at`, the network is asked whether the parcel arrives (Network::arrive).
  virtual void carry(MonotonicTime at, Parcel&& parcel) = 0;
  // At `at`, Network::wake is called, if by then it still awaits that ticket.
  virtual void wake(MonotonicTime at, std::uint64_t link, std::uint64_t ticket) = 0;
  // It will not arrive.
  virtual void lose(const Parcel& parcel, DropReason reason) = 0;
  virtual void note(const Parcel& parcel, Mishap mishap) = 0;

 protected:
  ~Carrier() = default;
};

}  // namespace rejoin::sim
