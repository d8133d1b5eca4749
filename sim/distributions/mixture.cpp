// Sometimes this, sometimes that: a cache that misses, a packet that takes the long way.
#include "model/distribution.hpp"

namespace rejoin::sim {
namespace {

__extension__ using SignedWide = __int128;

[[nodiscard]] std::vector<std::uint64_t> weights_of(const LatencyOptions& options) {
  std::vector<std::uint64_t> out;
  for (const LatencyOptions::Part& each : options.parts) out.push_back(each.weight);
  return out;
}

class Mixture final : public Distribution {
 public:
  explicit Mixture(const LatencyOptions& options) : weights_(weights_of(options)) {
    for (const LatencyOptions::Part& each : options.parts) {
      parts_.push_back(make_distribution(each.latency));
    }
  }

  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    return parts_[choose(draw(part(key, 1)), weights_)]->sample(part(key, 2));
  }
  [[nodiscard]] std::optional<Duration> mean() const override {
    SignedWide sum = 0;
    SignedWide total = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto mean = parts_[i]->mean();
      if (!mean) return std::nullopt;
      sum += static_cast<SignedWide>(mean->count()) * weights_[i];
      total += weights_[i];
    }
    return Duration(static_cast<std::int64_t>(sum / total));
  }

 private:
  std::vector<std::uint64_t> weights_;
  std::vector<std::unique_ptr<const Distribution>> parts_;
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  if (auto wrong = problem_of_weights("mixture", weights_of(options))) return wrong;
  for (std::size_t i = 0; i < options.parts.size(); ++i) {
    if (const auto wrong = problem_of(options.parts[i].latency)) {
      return ValueProblem(wrong->says, "latency", i);
    }
  }
  return std::nullopt;
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<Mixture>(options);
}

[[maybe_unused]] const bool registered =
    Distributions::add({.name = "mixture",
                        .help = "one of several distributions, each with its weight",
                        .params = {},
                        .has_parts = true,
                        .problem = problem,
                        .make = make});

}  // namespace
}  // namespace rejoin::sim
