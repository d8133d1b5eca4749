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
    // What is left on their disks may make no whole: who has stopped over that is started with an
    // empty disk.
    replace,
    // Their disks may be corrupt, or may have lost votes and entries without anyone knowing, and
    // no Raft server may come back with the rest (Ongaro, dissertation 3.8). They are started while
    // they are cut off, so that they find out what can be found out, and then with an empty disk.
    wipe,
  };
  struct Value {
    std::string_view param;
    std::string_view draw;  // as a file's `nemesis.faults` writes it: `1%..10%`, `{ pick: [..] }`
  };

  // Of a parameter that makes links or disks worse for everyone.
  struct Most {
    std::string_view param;
    std::string_view value;  // `30%`, `200ms`
  };

  std::string_view every{};  // from the end of one instance to the start of the next: `5s..20s`
  std::string_view lasts{};  // `for`; empty for what is done in a moment
  std::vector<Value> values{};
  // The parameter of type hosts or host_sets whose nodes are out of action while it lasts: they
  // are dead, cut off, or cannot be trusted (of sets, all but the largest). Empty: nobody is.
  std::string_view out{};
  // Whom it keeps from whom is not known before: nobody else is out of action meanwhile.
  bool alone = false;
  After after = After::nothing;
  // It is about what a crash leaves or a start reads: they are restarted halfway.
  bool restarts = false;
  // Whether it destroys with these parameters, where that depends on them (else
  // FaultSpec::destroys says).
  bool (*destroys)(const Params& params) = nullptr;
  // What it does to a disk cannot be told from a crash that tore what was not synced yet, so that
  // a Raft server comes back without votes and entries that it gave (Alagappan et al.,
  // "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018): no preset of an unbounded
  // nemesis draws it.
  bool lies = false;
  // It takes nobody out of action up to these; beyond, nobody may be left who is in action, and a
  // bounded nemesis draws no such thing.
  std::vector<Most> bearable{};
  // Why no preset draws it; all of the above is empty then.
  std::string_view exempt{};
};

}  // namespace rejoin
