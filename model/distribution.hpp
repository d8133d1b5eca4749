// Distributions of delays: what a latency is drawn from. One .cpp each in sim/distributions/.
//
// Invariants:
// 1. A draw is a pure function of its key, in integers: equal on every machine.
// 2. A draw is never negative.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/options.hpp"
#include "model/params.hpp"
#include "model/random.hpp"
#include "model/registry.hpp"
#include "model/value_problem.hpp"

namespace rejoin {

class Distribution {
 public:
  Distribution() = default;
  Distribution(const Distribution&) = delete;
  Distribution& operator=(const Distribution&) = delete;
  virtual ~Distribution() = default;

  [[nodiscard]] virtual Duration sample(const DrawKey& key) const = 0;
  // None where there is no mean (a Pareto tail of index 1 or less).
  [[nodiscard]] virtual std::optional<Duration> mean() const = 0;
};

struct DistributionSpec {
  std::string_view name;
  std::string_view help;
  // The first is the one that a file may give alone: `{ exponential: 1ms }`. `floor` and `cap`
  // go with every distribution and are not named here.
  std::vector<ParamSpec> params;
  bool has_parts = false;    // takes `LatencyOptions::parts` (a mixture)
  bool has_buckets = false;  // takes `LatencyOptions::buckets` (a histogram)
  // What is wrong with these values; none: nothing. They are complete; floor and cap are judged by
  // problem_of. The items that it may name are parts or buckets.
  std::optional<ValueProblem> (*problem)(const LatencyOptions& options) = nullptr;
  // Only of options without a problem; without floor and cap, which make_distribution adds.
  std::unique_ptr<const Distribution> (*make)(const LatencyOptions& options) = nullptr;
};

using Distributions = Registry<DistributionSpec>;

// Floor + draw, at most cap. The options name a registered distribution and have no problem.
[[nodiscard]] std::unique_ptr<const Distribution> make_distribution(const LatencyOptions& options);
// What is wrong with the options as a whole: an unknown name, a problem of its distribution, a cap
// below the floor. None: nothing.
[[nodiscard]] std::optional<ValueProblem> problem_of(const LatencyOptions& options);

// ---- For the plugins -----------------------------------------------------------------------

// The longest that a parameter may be: draws and their sums stay far from overflow.
inline constexpr Duration kLongestDelay = 24h * 365;
// Draws beyond are this: a message that is never seen again.
inline constexpr Duration kLongestDraw = kNoCap;

// A sentence unless min <= value <= kLongestDelay.
[[nodiscard]] std::optional<ValueProblem> problem_of_delay(
    std::string_view name, Duration value, Duration min = 1ns,
    std::optional<std::size_t> item = std::nullopt);
// A sentence unless each weight is 1 or more and they are 1..10^4 of 1..10^9.
[[nodiscard]] std::optional<ValueProblem> problem_of_weights(
    std::string_view name, const std::vector<std::uint64_t>& weights);
// Which of these weights the draw falls on. They have no problem.
[[nodiscard]] std::size_t choose(std::uint64_t random, const std::vector<std::uint64_t>& weights);

// A decimal number such as 1.5, in millionths; none when it is no such number, has more than six
// places behind the point, or is above 1000.
[[nodiscard]] std::optional<std::int64_t> parse_millionths(std::string_view text);

// Independent draws of one sample: `part(key, 1)`, `part(key, 2)`, ...
[[nodiscard]] constexpr DrawKey part(DrawKey key, std::uint64_t number) {
  key.what = mix(key.what, number);
  return key;
}

}  // namespace rejoin
