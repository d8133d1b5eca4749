// Ordered streams: what TCP gives, one connection for each direction of two hosts.
//
// Invariants:
// 1. In order, without gap or double, or broken: a message arrives only when the one before it
//    has; what a broken connection held never arrives.
// 2. A stream without trouble needs no event but those of its messages.
// 3. A segment that is lost stalls all behind it and is sent again after rto_min, doubled each time
//    up to rto_max (RFC 6298, section 5); after reset_after without progress the connection breaks,
//    and the next message opens another.
// 4. A connection does not outlive a process at either end.
//
// The two directions are two connections, each dialled by its sender (as in Cassandra's messaging
// between nodes). Acknowledgements are not modelled: a cut of the way back stops only handshakes.
// So are windows: what is behind a stall waits at the sender. A copy that is lost is found out by
// the timer alone, never by duplicate acknowledgements (RFC 5681, 3.2).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "model/options.hpp"
#include "sim/kernel/carrier.hpp"
#include "sim/kernel/flat_map.hpp"
#include "sim/kernel/transit.hpp"

namespace rejoin::sim {

class Streams {
 public:
  // Both outlive it.
  Streams(const StreamOptions& options, Transit& transit, Carrier& carrier)
      : options_(options), transit_(transit), carrier_(carrier) {}

  void send(Parcel&& parcel);
  // The same where nothing is wrong and the connection is open; none: nothing was done.
  [[nodiscard]] std::optional<Direct> send_direct(MonotonicTime now, const Sending& sending) {
    const std::uint32_t* const slot = slots_.find(link_id(sending.from, sending.to));
    if (slot == nullptr) [[unlikely]]
      return std::nullopt;
    Stream& stream = streams_[*slot - 1];
    if (!stream.connected || stream.stalled) [[unlikely]]
      return std::nullopt;
    const auto arrival = transit_.send_plain(now, sending);
    if (!arrival) return std::nullopt;
    stream.last_arrival = std::max<MonotonicTime>(*arrival, stream.last_arrival + 1ns);
    return Direct{.arrival = stream.last_arrival, .stream = *slot, .number = ++stream.sent};
  }
  // Whether its process gets it now. When not, it is kept for later or lost. `up`: the host is.
  [[nodiscard]] bool arrive(Parcel& parcel, bool up);
  // The next of its stream, and no other waits; false: nothing was done.
  [[nodiscard]] bool arrives_direct(std::uint32_t stream, std::uint32_t number) {
    Stream& on = streams_[stream - 1];
    if (on.stalled || number != on.settled + 1) [[unlikely]]
      return false;
    ++on.settled;
    return true;
  }
  // Of wakes that the carrier was asked for.
  [[nodiscard]] bool awaits(std::uint64_t link, std::uint64_t ticket) const;
  void wake(std::uint64_t link);
  // A clog has ended: what it alone held arrives at this instant.
  void release();
  // Its process is gone.
  void host_stopped(Address host);

 private:
  struct Stream {
    Address from{};
    Address to{};
    MonotonicTime last_arrival{};
    std::uint32_t sent = 0;     // messages, of all connections
    std::uint32_t settled = 0;  // up to here they have arrived, or never will
    bool connected = false;
    bool stalled = false;  // there is a Stall
  };
  // A message that is on no wire.
  struct Held {
    Parcel parcel{};
    bool arrived = false;     // it waits at the receiver's end: for one before it, or for a clog
    std::uint64_t bytes = 0;  // to be sent
  };
  struct Stall {
    std::map<std::uint32_t, Held> held;  // by number
    std::uint64_t unsent = 0;            // of them, those that have not arrived
    MonotonicTime since{};               // without progress
    Duration rto{};
    std::uint64_t ticket = 0;  // of the wake that counts; 0: none
    MonotonicTime wake_at = kForever;
  };

  [[nodiscard]] std::uint32_t slot_of(Address from, Address to);
  [[nodiscard]] Stall* stall_of(const Stream& stream);
  // False when it is lost; then it is ready for the next try.
  [[nodiscard]] bool transmit(Stream& stream, Held& held);
  // How long it takes first; none when it fails.
  [[nodiscard]] std::optional<Duration> connect(Stream& stream, const Parcel& first);
  void hold(Stream& stream, Held&& held);
  void keep_waking(const Stream& stream, Stall& stall);
  void retry(Stream& stream, Stall& stall);
  void drain(Stream& stream);
  void end_stall(Stream& stream);
  void break_off(Stream& stream);

  const StreamOptions options_;
  Transit& transit_;
  Carrier& carrier_;
  FlatMap<std::uint32_t> slots_;  // by link; 1 + index into streams_
  std::vector<Stream> streams_;
  std::map<std::uint64_t, Stall> stalls_;  // by link: few at a time
  std::uint64_t last_ticket_ = 0;
};

}  // namespace rejoin::sim
