// In what way a run failed, apart from who, where, when and how often: by it failures are grouped,
// and shrinking keeps it.
//
// Invariants:
// 1. Runs that differ in names and numbers alone have one signature.
// 2. It says nothing that a smaller schedule could not say too: what a node had been through, not
//    which steps did it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/fields.hpp"
#include "model/run_record.hpp"

namespace rejoin::sim {

struct Signature {
  // The registered name of the invariant that broke; or `unbounded` (the run did not end within its
  // bounds), `step-never-fired`, `crash` (of the code that was run), `hang`.
  std::string what;
  // What the node concerned had been through (Violation::role); empty when there is none.
  std::string role;
  // What was said, with names and numbers left out: `a direct read of KEY at NODE returned NOT
  // FOUND, but should have seen the write of VALUE`.
  std::string shape;

  friend auto operator<=>(const Signature&, const Signature&) = default;
  friend bool operator==(const Signature&, const Signature&) = default;
  REJOIN_FIELDS(what, role, shape)
};

// One line: `no-stale-read, restarted node: a direct read ...`.
[[nodiscard]] std::string to_text(const Signature& signature);
// For names of folders: `no-stale-read-restarted-1f3a90c2`, the digits being of the whole.
[[nodiscard]] std::string to_slug(const Signature& signature);

// A sentence without its names and numbers.
[[nodiscard]] std::string shape_of(std::string_view sentence);

// Of one violation.
[[nodiscard]] Signature signature_of(const Violation& violation);
// Whether it was seen where the run was cut off by its bound: what is judged at the end (that
// replicas agree, say) means nothing there.
[[nodiscard]] bool is_of_cut_end(const Violation& violation, const RunRecord& record);

// Every way in which the run failed, each once, in the order in which they showed. Empty for a run
// that did not fail. What was expected is no failure; a run that proves nothing (vacuous) neither.
[[nodiscard]] std::vector<Signature> signatures_of(const RunRecord& record);

// Of a process that died while it ran something: what it said last, and how it ended.
[[nodiscard]] Signature crash_signature(std::string_view last_words, std::string_view ending);

}  // namespace rejoin::sim
