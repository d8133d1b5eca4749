// The figures that every run reports: what each is, for people.
//
// Units are in the names: `_ns`, `_bytes`, `_per_s`; the rest are counts. A metric that a run has
// no value for (no read, no convergence) is none, not 0.
#pragma once

#include <string_view>
#include <vector>

namespace rejoin::sim {

struct MetricSpec {
  std::string_view name;
  std::string_view help;  // one line
};

// By name: what `expect: metrics` may say.
[[nodiscard]] const std::vector<MetricSpec>& metric_specs();

}  // namespace rejoin::sim
