// What several runs say about a strategy: ranks, intervals, fronts, exponents.
//
// Invariants:
// 1. Every answer is the same bytes on every compiler and machine. Ranks and intervals are integer
//    arithmetic. Fits are not: they take logarithms of libm, and are told to three digits only,
//    far above its last bit.
// 2. An answer about one strategy does not depend on which others there are.
//
// Not here: what is compared with what (comparison.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace rejoin::reports {

// Of values in ascending order, not empty: the smallest that at least `percent` (0..100) of them do
// not exceed.
[[nodiscard]] std::int64_t nearest_rank(const std::vector<std::int64_t>& sorted,
                                        std::size_t percent);
// The same where `absent` more have no value and count as larger than any; none: that is one of
// them, or there is nothing.
[[nodiscard]] std::optional<std::int64_t> nearest_rank(const std::vector<std::int64_t>& sorted,
                                                       std::size_t absent, std::size_t percent);

struct Interval {
  std::int64_t low = 0;
  std::int64_t high = 0;
  [[nodiscard]] bool holds_zero() const { return low <= 0 && high >= 0; }
  friend bool operator==(const Interval&, const Interval&) = default;
};
// Fewer seeds cannot tell a difference at 95%: of n seeds that all have one sign, chance makes
// 2 in 2^n, and below 6 that is more than one in twenty.
inline constexpr std::size_t kPairsForInterval = 6;
inline constexpr std::size_t kResamples = 2'000;
// A difference, and the seed that it is of: differences of one seed are no independent witnesses.
struct Paired {
  std::int64_t value = 0;
  std::size_t seed = 0;  // an index
};
// The 95% interval of the median by bootstrap (Efron 1979), percentiles of kResamples resamples of
// the seeds, each with all that is of it, whose draws are keyed by `what`. None for fewer than
// kPairsForInterval seeds.
[[nodiscard]] std::optional<Interval> median_interval(std::vector<Paired> values,
                                                      std::string_view what);
// Of one value a seed.
[[nodiscard]] std::optional<Interval> median_interval(const std::vector<std::int64_t>& values,
                                                      std::string_view what);

// For each row of costs (none: worse than any value) whether no other row is at most as much in all
// and less in one. Rows are of equal length.
[[nodiscard]] std::vector<bool> pareto_front(
    const std::vector<std::vector<std::optional<std::int64_t>>>& costs);

// value ~ size^exponent, with a factor of its own for each group.
struct Sample {
  double size = 0;  // above 0
  std::int64_t value = 0;
  std::size_t group = 0;
};
struct Fit {
  double exponent = 0;  // rounded to three digits, as its 95% interval (Student's t) is
  double low = 0;
  double high = 0;
  std::size_t left_out = 0;  // values of 0 or less: they have no logarithm
};
inline constexpr std::size_t kSizesForFit = 3;
// Least squares of the logarithms. The error says why there is none.
[[nodiscard]] tl::expected<Fit, std::string> fit_exponent(const std::vector<Sample>& samples);

}  // namespace rejoin::reports
