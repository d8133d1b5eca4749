// How a nemesis draws a fault: what the fault declares about itself (FaultSpec::nemesis), and what
// the generator of schedules reads (sim/scenario/nemesis.hpp).
//
// Invariant: each fault says how it is drawn, or why no preset draws it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/params.hpp"

namespace rejoin {

struct NemesisSpec {
  // What becomes of the victims when it is over.
  enum class After : std::uint8_t {
    nothing,
    // It may have stopped them: they are started again.
    restart,
    // Their disks may be corrupt: they are started, so that they find out, and a little later
    // started with an empty one.
    restart_then_wipe,
    // Their disks lie: what they were told is durable is not, and a Raft server that has lost a
    // vote or an entry may not come back with the rest (Ongaro, dissertation 3.8). They are started
    // with an empty disk.
    wipe,
  };
  struct Value {
    std::string_view param;
    std::string_view draw;  // as a file's `nemesis.faults` writes it: `1%..10%`, `{ pick: [..] }`
  };

  std::string_view every{};  // from the end of one instance to the start of the next: `5s..20s`
  std::string_view lasts{};  // `for`; empty for what is done in a moment
  std::vector<Value> values{};
  // The parameter of type hosts or host_sets whose nodes are out of action while it lasts: they
  // are dead, cut off, or cannot be trusted (of sets, all but the largest). Empty: nobody is.
  std::string_view out{};
  After after = After::nothing;
  // Whether it destroys with these parameters, where that depends on them (else
  // FaultSpec::destroys says).
  bool (*destroys)(const Params& params) = nullptr;
  // Why no preset draws it; all of the above is empty then.
  std::string_view exempt{};
};

}  // namespace rejoin
