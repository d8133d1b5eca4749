// What judges of session guarantees have in common: two look at what a read returns to a session,
// two at the order that stores and readers give to two versions of one session.
//
// Invariants:
// 1. The order of versions is World::older; versions that are concurrent by it are never a
//    violation, even when their session could tell them apart.
// 2. Deletes are versions. NOT FOUND without a tombstone is having seen nothing.
#pragma once

#include <string>
#include <vector>

#include "sim/invariants/evidence.hpp"
#include "sim/invariants/session_shadow.hpp"

namespace rejoin::sim {

// A read shows what its session had of the key before, or something that may have replaced it.
class SessionReads : public Invariant {
 public:
  SessionReads() : Invariant(SessionShadow::kInterests) {}
  void after(const FactEvent& event, const World& world) final;

 protected:
  // What the session of this read had.
  [[nodiscard]] virtual const std::vector<SessionVersion>& had_before(const SessionShadow& sessions,
                                                                      RequestId read) const = 0;
  // `had been acknowledged to it` or `it had been shown`.
  [[nodiscard]] virtual std::string how() const = 0;

 private:
  void judge(const FactEvent& event, const Operation& read, const World& world);

  SessionShadow sessions_;
};

// Nobody prefers a version to another one that came after it in a session: no store puts the
// earlier in place of the later or refuses the later for the earlier, and no read returns both as
// if they were concurrent.
class SessionOrder : public Invariant {
 public:
  SessionOrder() : Invariant(SessionShadow::kInterests | fact_set<fact::RecordWritten>()) {}
  void before(const FactEvent& event, const World& world) final;
  void after(const FactEvent& event, const World& world) final;

 protected:
  // Of two versions of a key: the session of `later` had written, or had seen, `earlier`.
  [[nodiscard]] virtual bool in_order(const SessionShadow& sessions, const World& world,
                                      const Operation& earlier, const Operation& later) const = 0;
  // `wrote` or `had seen`: what the client of the later one did with the earlier.
  [[nodiscard]] virtual std::string how() const = 0;

 private:
  void judge_store(const FactEvent& event, const fact::RecordWritten& written, const World& world);
  void judge_siblings(const FactEvent& event, const Operation& read, const World& world);
  [[nodiscard]] bool is_before(const World& world, RequestId earlier, RequestId later) const;
  [[nodiscard]] std::string order_text(const World& world, RequestId earlier,
                                       RequestId later) const;

  SessionShadow sessions_;
};

}  // namespace rejoin::sim
