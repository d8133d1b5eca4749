// What was measured: ranges of delays, and how often each was seen.
#include "model/distribution.hpp"

namespace rejoin::sim {
namespace {

__extension__ using SignedWide = __int128;

[[nodiscard]] std::vector<std::uint64_t> weights_of(const LatencyOptions& options) {
  std::vector<std::uint64_t> out;
  for (const LatencyOptions::Bucket& bucket : options.buckets) out.push_back(bucket.weight);
  return out;
}

class Histogram final : public Distribution {
 public:
  explicit Histogram(const LatencyOptions& options)
      : buckets_(options.buckets), weights_(weights_of(options)) {}

  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    const auto& bucket = buckets_[choose(draw(part(key, 1)), weights_)];
    return uniform(draw(part(key, 2)), bucket.range);
  }
  [[nodiscard]] std::optional<Duration> mean() const override {
    SignedWide sum = 0;
    SignedWide total = 0;
    for (const auto& bucket : buckets_) {
      const SignedWide ends = SignedWide{bucket.range.min.count()} + bucket.range.max.count();
      sum += ends * bucket.weight;
      total += bucket.weight;
    }
    return Duration(static_cast<std::int64_t>(sum / (2 * total)));
  }

 private:
  std::vector<LatencyOptions::Bucket> buckets_;
  std::vector<std::uint64_t> weights_;
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  if (auto wrong = problem_of_weights("histogram", weights_of(options))) return wrong;
  const DurationRange* before = nullptr;
  for (std::size_t i = 0; i < options.buckets.size(); ++i) {
    const DurationRange& range = options.buckets[i].range;
    if (auto wrong = problem_of_delay("range", range.min, 0ns, i)) return wrong;
    if (auto wrong = problem_of_delay("range", range.max, range.min, i)) return wrong;
    // A bucket may begin where the one before it ends.
    if (before != nullptr && range.min < before->max) {
      return ValueProblem("the ranges of a histogram ascend and do not overlap: " +
                              to_text(range.min) + " comes after " + to_text(before->max),
                          "range", i);
    }
    before = &range;
  }
  return std::nullopt;
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<Histogram>(options);
}

[[maybe_unused]] const bool registered =
    Distributions::add({.name = "histogram",
                        .help = "as measured: ranges and their weights, uniform within a range",
                        .params = {},
                        .has_buckets = true,
                        .problem = problem,
                        .make = make});

}  // namespace
}  // namespace rejoin::sim
