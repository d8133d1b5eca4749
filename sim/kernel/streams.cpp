#include "sim/kernel/streams.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"

namespace rejoin::sim {
namespace {

// To oneself: no port, no weather, only not the same instant.
constexpr Duration kLoopback = 1us;

}  // namespace

std::uint32_t Streams::slot_of(Address from, Address to) {
  std::uint32_t& slot = slots_[link_id(from, to)];
  if (slot == 0) {
    streams_.push_back({.from = from, .to = to});
    slot = static_cast<std::uint32_t>(streams_.size());
  }
  return slot;
}

Streams::Stall* Streams::stall_of(const Stream& stream) {
  return stream.stalled ? &stalls_.at(link_id(stream.from, stream.to)) : nullptr;
}

// ---- Sending -------------------------------------------------------------------------------

void Streams::send(Parcel&& parcel) {
  parcel.stream = slot_of(parcel.from, parcel.to);
  Stream& stream = streams_[parcel.stream - 1];
  parcel.number = ++stream.sent;
  if (parcel.from == parcel.to) {
    stream.last_arrival =
        std::max<MonotonicTime>(carrier_.time() + kLoopback, stream.last_arrival + 1ns);
    return carrier_.carry(stream.last_arrival, std::move(parcel));
  }
  const std::uint64_t bytes = parcel.frame.size();
  Held held{.parcel = std::move(parcel), .arrived = false, .bytes = bytes};
  const Stall* const stall = stall_of(stream);
  if (stall != nullptr && stall->unsent != 0) return hold(stream, std::move(held));
  if (transmit(stream, held)) return;
  carrier_.note(held.parcel, Mishap::stalled);
  hold(stream, std::move(held));
}

std::optional<Duration> Streams::connect(Stream& stream, const Parcel& first) {
  if (stream.connected) return Duration{};
  if (options_.handshake) {
    const auto round_trip = transit_.handshake(
        carrier_.time(),
        sending_of(stream.from, stream.to, Transport::stream, first.tag, 0, first.round));
    stream.connected = round_trip.has_value();
    return round_trip;
  }
  stream.connected = true;
  return Duration{};
}

bool Streams::transmit(Stream& stream, Held& held) {
  Parcel& parcel = held.parcel;
  if (parcel.round != 0) carrier_.note(parcel, Mishap::retransmitted);
  const auto opening = connect(stream, parcel);
  DropReason reason{};
  const auto passage = !opening
                           ? std::nullopt
                           : transit_.send(carrier_.time(),
                                           sending_of(stream.from, stream.to, Transport::stream,
                                                      parcel.tag, held.bytes, parcel.round),
                                           reason);
  if (!passage) {
    ++parcel.round;
    // All but the segment that was lost has arrived (RFC 2018).
    if (opening && reason == DropReason::loss) held.bytes = std::min(held.bytes, kSegmentBytes);
    return false;
  }
  MonotonicTime at = passage->arrival + *opening;
  // What is sent into a stall may overtake: it is put in order where it arrives.
  if (!stream.stalled) at = std::max<MonotonicTime>(at, stream.last_arrival + 1ns);
  stream.last_arrival = std::max(stream.last_arrival, at);
  carrier_.carry(at, std::move(parcel));
  return true;
}

// ---- Stalls --------------------------------------------------------------------------------

void Streams::hold(Stream& stream, Held&& held) {
  const auto [at, is_new] = stalls_.try_emplace(link_id(stream.from, stream.to));
  Stall& stall = at->second;
  if (is_new) {
    stream.stalled = true;
    stall.since = carrier_.time();
    stall.rto = options_.rto_min;
  }
  stall.unsent += held.arrived ? 0U : 1U;
  const std::uint32_t number = held.parcel.number;
  const bool is_only = stall.held.emplace(number, std::move(held)).second;
  CHECK_THAT(is_only);
  keep_waking(stream, stall);
}

void Streams::keep_waking(const Stream& stream, Stall& stall) {
  const MonotonicTime broken_at = stall.since + options_.reset_after;
  MonotonicTime at = kForever;
  if (stall.unsent != 0) {
    at = std::min(broken_at, carrier_.time() + stall.rto);
  } else if (transit_.is_clogged(stream.from, stream.to)) {
    at = broken_at;
  }
  if (stall.wake_at <= at) return;
  stall.ticket = ++last_ticket_;
  stall.wake_at = at;
  carrier_.wake(at, link_id(stream.from, stream.to), stall.ticket);
}

bool Streams::awaits(std::uint64_t link, std::uint64_t ticket) const {
  const auto stall = stalls_.find(link);
  return stall != stalls_.end() && stall->second.ticket == ticket;
}

void Streams::wake(std::uint64_t link) {
  const auto found = stalls_.find(link);
  CHECK_THAT(found != stalls_.end());
  Stall& stall = found->second;
  Stream& stream = streams_[*slots_.find(link) - 1];
  stall.ticket = 0;
  stall.wake_at = kForever;
  const bool is_unanswered = stall.unsent != 0 || transit_.is_clogged(stream.from, stream.to);
  if (is_unanswered && carrier_.time() - stall.since >= options_.reset_after) {
    return break_off(stream);
  }
  if (stall.unsent != 0) retry(stream, stall);
  if (stall.held.empty()) return end_stall(stream);
  keep_waking(stream, stall);
}

void Streams::retry(Stream& stream, Stall& stall) {
  bool progress = false;
  for (auto at = stall.held.begin(); at != stall.held.end();) {
    Held& held = at->second;
    if (held.arrived) {
      ++at;
      continue;
    }
    const bool is_first_try = held.parcel.round == 0;
    if (!transmit(stream, held)) {
      if (is_first_try) carrier_.note(held.parcel, Mishap::stalled);
      break;
    }
    progress = true;
    --stall.unsent;
    at = stall.held.erase(at);
  }
  if (progress) stall.since = carrier_.time();
  stall.rto = progress ? options_.rto_min : std::min(2 * stall.rto, options_.rto_max);
}

void Streams::end_stall(Stream& stream) {
  stalls_.erase(link_id(stream.from, stream.to));
  stream.stalled = false;
}

void Streams::break_off(Stream& stream) {
  stream.connected = false;
  stream.settled = stream.sent;
  const Stall* const stall = stall_of(stream);
  if (stall == nullptr) return;
  for (const auto& [number, held] : stall->held) carrier_.lose(held.parcel, DropReason::reset);
  end_stall(stream);
}

// ---- Arriving ------------------------------------------------------------------------------

bool Streams::arrive(Parcel& parcel, bool up) {
  Stream& stream = streams_[parcel.stream - 1];
  if (parcel.number <= stream.settled) {  // of a connection that has broken since
    carrier_.lose(parcel, up ? DropReason::reset : DropReason::host_down);
    return false;
  }
  if (transit_.is_cut(stream.from, stream.to, carrier_.time())) {
    transit_.count_cut(stream.from, stream.to, carrier_.time());
    carrier_.note(parcel, Mishap::stalled);
    ++parcel.round;
    const std::uint64_t bytes = parcel.frame.size();
    hold(stream, {.parcel = std::move(parcel), .arrived = false, .bytes = bytes});
    return false;
  }
  const bool clogged = transit_.is_clogged(stream.from, stream.to);
  if (!up && !clogged) {
    carrier_.lose(parcel, DropReason::host_down);
    break_off(stream);
    return false;
  }
  if (clogged || parcel.number != stream.settled + 1) {
    if (clogged) {
      transit_.count_clogged(stream.from, stream.to);
      carrier_.note(parcel, Mishap::clogged);
    }
    hold(stream, {.parcel = std::move(parcel), .arrived = true, .bytes = 0});
    return false;
  }
  ++stream.settled;
  drain(stream);
  return true;
}

// One at a time: the next follows when this one has arrived.
void Streams::drain(Stream& stream) {
  Stall* const stall = stall_of(stream);
  if (stall == nullptr || transit_.is_clogged(stream.from, stream.to)) return;
  const auto first = stall->held.begin();
  if (!first->second.arrived || first->first != stream.settled + 1) return;
  stall->since = carrier_.time();
  carrier_.carry(carrier_.time(), std::move(first->second.parcel));
  stall->held.erase(first);
  if (stall->held.empty()) end_stall(stream);
}

void Streams::release() {
  std::vector<std::uint64_t> links;
  for (const auto& [link, stall] : stalls_) links.push_back(link);
  for (const std::uint64_t link : links) drain(streams_[*slots_.find(link) - 1]);
}

void Streams::host_stopped(Address host) {
  for (Stream& stream : streams_) {
    // What a dead sender had on the wire arrives, unless the connection was stalled: what its
    // machine held for it is gone.
    if (stream.to == host || (stream.from == host && stream.stalled)) break_off(stream);
    if (stream.from == host) stream.connected = false;
  }
}

}  // namespace rejoin::sim
