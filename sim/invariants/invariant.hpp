// An invariant: a judge of facts and histories. One .cpp each in sim/invariants/, with one
// registration and one test that accepts a good history and rejects a bad one.
//
// Invariants of invariants:
// 1. A judge sees facts only; it never asks a node and includes no protocol's header.
// 2. It says how often it judged; a pass with no judgement is vacuous.
// 3. A violation is reported once per (invariant, node, key), with evidence a stranger can follow,
//    and at most kViolationsMax by one invariant; the rest is counted.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/facts.hpp"
#include "model/params.hpp"
#include "model/registry.hpp"
#include "model/run_record.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

inline constexpr std::size_t kViolationsMax = 100;

struct FactEvent {
  MonotonicTime at{};
  std::uint64_t event = 0;
  FactSource source;
  const Fact& fact;
};

// A set of kinds of facts, by their index in the variant.
using FactSet = std::uint64_t;
static_assert(std::variant_size_v<Fact> <= 64);

namespace invariant_detail {
template <class T, std::size_t I = 0>
[[nodiscard]] constexpr FactSet bit_of() {
  if constexpr (std::is_same_v<T, std::variant_alternative_t<I, Fact>>) {
    return FactSet{1} << I;
  } else {
    return bit_of<T, I + 1>();
  }
}
}  // namespace invariant_detail

// fact_set<fact::BecameLeader, fact::Committed>()
template <class... T>
[[nodiscard]] constexpr FactSet fact_set() {
  return (FactSet{0} | ... | invariant_detail::bit_of<T>());
}

// What a plugin reports: what `says` and `evidence` are is told at Violation.
struct Finding {
  NodeId node{};  // none when it concerns no single node
  Key key{};      // empty when it concerns no single key
  std::string says{};
  std::vector<std::string> evidence{};
};

class Invariant {
 public:
  // Only the facts in `interests` are shown to before() and after().
  // `sees_twins`: also those of a second machine with the id of a node, which are nobody's state.
  explicit Invariant(FactSet interests, bool sees_twins = false)
      : interests_(interests), sees_twins_(sees_twins) {}
  Invariant(const Invariant&) = delete;
  Invariant& operator=(const Invariant&) = delete;
  virtual ~Invariant() = default;

  // `world` has not yet absorbed this fact in before(), and has in after().
  virtual void before(const FactEvent& /*fact*/, const World& /*world*/) {}
  virtual void after(const FactEvent& /*fact*/, const World& /*world*/) {}
  // Once, when the run has settled.
  virtual void at_end(const World& /*world*/, MonotonicTime /*at*/, std::uint64_t /*event*/) {}

  [[nodiscard]] FactSet interests() const { return interests_; }
  [[nodiscard]] bool sees_twins() const { return sees_twins_; }
  [[nodiscard]] std::uint64_t judged() const { return judged_; }
  // `invariant` is left empty: the name is the registry's.
  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
  // Of what was reported since the last call: what its nodes have been through.
  void note_roles(const World& world) {
    for (; noted_ < violations_.size(); ++noted_) {
      Violation& violation = violations_[noted_];
      const auto node = world.nodes().find(violation.node);
      if (node != world.nodes().end()) violation.role = role_of(node->second);
    }
  }
  // Violations beyond kViolationsMax, which were not kept.
  [[nodiscard]] std::uint64_t suppressed() const { return suppressed_; }

 protected:
  void count_judgement() { ++judged_; }
  // True when nothing was reported for (node, key) yet: ask before gathering evidence.
  [[nodiscard]] bool is_new(NodeId node, const Key& key) const {
    return !reported_.contains({node, key});
  }
  void report(MonotonicTime at, std::uint64_t event, Finding finding) {
    if (!reported_.insert({finding.node, finding.key}).second) return;
    if (violations_.size() >= kViolationsMax) {
      ++suppressed_;
      return;
    }
    Violation& violation = violations_.emplace_back();
    violation.at = at;
    violation.event = event;
    violation.node = finding.node;
    violation.key = std::move(finding.key);
    violation.says = std::move(finding.says);
    violation.evidence = std::move(finding.evidence);
  }
  void report(const FactEvent& fact, Finding finding) {
    report(fact.at, fact.event, std::move(finding));
  }

 private:
  FactSet interests_;
  bool sees_twins_;
  std::uint64_t judged_ = 0;
  std::uint64_t suppressed_ = 0;
  std::vector<Violation> violations_;
  std::size_t noted_ = 0;
  std::set<std::pair<NodeId, Key>> reported_;
};

struct InvariantSpec {
  std::string_view name;
  std::string_view help;          // one line: what must hold
  std::string_view details;       // when it is judged, what counts as evidence, source
  bool liveness = false;          // judged in the last phase only
  std::vector<ParamSpec> params;  // each with a default: a mechanism may promise it by name alone
  // Params are complete.
  std::unique_ptr<Invariant> (*make)(const Params& params) = nullptr;
};

using Invariants = Registry<InvariantSpec>;

// In an invariant's .cpp, once, inside namespace rejoin::sim:
//   const bool registered = register_invariant<NoStaleRead>("no-stale-read", "...", "...");
// T is made from its parameters, if it has any.
template <class T>
bool register_invariant(std::string_view name, std::string_view help, std::string_view details,
                        bool liveness = false, std::vector<ParamSpec> params = {}) {
  return Invariants::add({name, help, details, liveness, std::move(params),
                          [](const Params& given) -> std::unique_ptr<Invariant> {
                            if constexpr (std::is_constructible_v<T, const Params&>) {
                              return std::make_unique<T>(given);
                            } else {
                              return std::make_unique<T>();
                            }
                          }});
}

}  // namespace rejoin::sim
