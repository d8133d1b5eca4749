// An invariant: a judge of facts and histories. One .cpp each in sim/invariants/, with one
// registration and one test that accepts a good history and rejects a bad one.
//
// Invariants of invariants:
// 1. A judge sees facts only; it never asks a node and includes no protocol's header.
// 2. It says how often it judged; a pass with no judgement is vacuous.
// 3. A violation is reported once per (invariant, node, key), with evidence a stranger can follow.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/facts.hpp"
#include "model/registry.hpp"
#include "model/run_record.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

struct FactEvent {
  MonotonicTime at{};
  std::uint64_t event = 0;
  FactSource source;
  const Fact& fact;
};

class Invariant {
 public:
  Invariant() = default;
  Invariant(const Invariant&) = delete;
  Invariant& operator=(const Invariant&) = delete;
  virtual ~Invariant() = default;

  // `world` has not yet absorbed this fact in before(), and has in after().
  virtual void before(const FactEvent& /*fact*/, const World& /*world*/) {}
  virtual void after(const FactEvent& /*fact*/, const World& /*world*/) {}
  // Once, when the run has settled.
  virtual void at_end(const World& /*world*/, MonotonicTime /*at*/, std::uint64_t /*event*/) {}

  [[nodiscard]] std::uint64_t judged() const { return judged_; }
  [[nodiscard]] std::vector<Violation>& violations() { return violations_; }

 protected:
  void count_judgement() { ++judged_; }
  // `violation.invariant` is filled in by the caller of the plugin.
  void report(Violation violation) { violations_.push_back(std::move(violation)); }

 private:
  std::uint64_t judged_ = 0;
  std::vector<Violation> violations_;
};

struct InvariantSpec {
  std::string_view name;
  std::string_view help;     // one line: what must hold
  std::string_view details;  // when it is judged, what counts as evidence, source
  bool liveness = false;     // judged in the last phase only
  std::unique_ptr<Invariant> (*make)() = nullptr;
};

using Invariants = Registry<InvariantSpec>;

}  // namespace rejoin::sim
