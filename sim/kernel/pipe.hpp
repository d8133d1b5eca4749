// A line that carries one thing after the other: a host's port, a link.
//
// Invariants:
// 1. Bookings never overlap.
// 2. A booking takes the first gap at or after it comes that is long enough: what is booked now
//    for later (after a slow way to a far link) does not block what comes there before it.
#pragma once

#include <algorithm>
#include <vector>

#include "model/time.hpp"

namespace rejoin::sim {

class Pipe {
 public:
  // When what comes at `at` can begin to pass; it takes `length`. Bookings that were over by `now`
  // are forgotten; `now` never goes back.
  [[nodiscard]] MonotonicTime begin_of(MonotonicTime now, MonotonicTime at, Duration length) {
    const auto is_over = [now](const Booking& booking) { return booking.end <= now; };
    booked_.erase(booked_.begin(), std::find_if_not(booked_.begin(), booked_.end(), is_over));
    for (const Booking& booking : booked_) {
      if (at < booking.begin && at + length <= booking.begin) break;  // even what takes no time
      at = std::max(at, booking.end);
    }
    return at;
  }

  // `begin` is what begin_of answered for this length.
  void book(MonotonicTime begin, Duration length) {
    const MonotonicTime end = begin + length;
    const auto next = std::find_if(booked_.begin(), booked_.end(),
                                   [begin](const Booking& b) { return b.begin >= begin; });
    const bool joins_next = next != booked_.end() && next->begin == end;
    if (next != booked_.begin() && std::prev(next)->end == begin) {
      std::prev(next)->end = joins_next ? next->end : end;
      if (joins_next) booked_.erase(next);
    } else if (joins_next) {
      next->begin = begin;
    } else {
      booked_.insert(next, {begin, end});
    }
  }

 private:
  struct Booking {
    MonotonicTime begin;
    MonotonicTime end;
  };
  std::vector<Booking> booked_;  // ascending, with gaps between
};

}  // namespace rejoin::sim
