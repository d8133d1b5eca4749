// SessionShadow: what each session of each client had written and seen of each key when it went
// on. A session is what one client did between two of its timeouts (Operation::session): after a
// timeout it cannot know what it has done.
//
// Session guarantees are those of Terry et al. 1994, as far as keys are concerned one by one: keys
// lie in partitions with owners of their own, and no store is asked to hold two in one order.
//
// Invariants:
// 1. What a session had when it invoked an operation is what had returned to it before.
// 2. Only what is newest is kept: of two versions at one server the older one says nothing more.
// 3. A direct read asks one node on purpose, so only what the session did through that node can
//    oblige it: see obliged_by.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "model/facts.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

// A version that a session wrote or saw.
struct SessionVersion {
  RequestId version;
  RequestId by;        // the write itself, or the read that returned it
  NodeId server;       // which answered
  MonotonicTime at{};  // when
};

class SessionShadow {
 public:
  static constexpr FactSet kInterests = fact_set<fact::OperationInvoked, fact::OperationReturned>();

  // `world` has absorbed the fact.
  void absorb(const FactEvent& event, const World& world);

  // Of the operation's key, when the session invoked it: until it is forgotten, or always for a
  // write, whose order against what was seen before it stays of interest.
  [[nodiscard]] const std::vector<SessionVersion>& written_before(RequestId operation) const;
  [[nodiscard]] const std::vector<SessionVersion>& seen_before(RequestId operation) const;

  // Of a read that was judged.
  void forget(RequestId read) { before_.erase(read); }

 private:
  struct Versions {
    std::vector<SessionVersion> written;
    std::vector<SessionVersion> seen;
  };
  using SessionKey = std::tuple<ClientId, std::uint32_t, Key>;

  static void add(std::vector<SessionVersion>& versions, const SessionVersion& added,
                  const World& world);

  std::map<SessionKey, Versions> sessions_;
  std::map<RequestId, Versions> before_;  // by operation
};

// Whether an answer to this read has to show the version: any answer through a coordinator, that
// of a direct read when the same node had answered before.
[[nodiscard]] bool obliged_by(const Operation& read, const SessionVersion& version);

// Whether an answer shows neither `version` nor anything that may have taken its place: all that
// it shows is older; or it shows nothing of a key that was written, and no delete explains that.
// Concurrent versions may take each other's place.
[[nodiscard]] bool misses(const Operation& read, RequestId version, const World& world);

}  // namespace rejoin::sim
