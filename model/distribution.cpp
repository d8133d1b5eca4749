#include "model/distribution.hpp"

#include <algorithm>

#include "model/check.hpp"

namespace rejoin {
namespace {

class Bounded final : public Distribution {
 public:
  Bounded(std::unique_ptr<const Distribution> inner, Duration floor, Duration cap)
      : inner_(std::move(inner)), floor_(floor), cap_(cap) {}

  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    return std::min(cap_ - floor_, inner_->sample(key)) + floor_;
  }
  // Of the uncapped draw: a cap only cuts tails that nobody expects to meet.
  [[nodiscard]] std::optional<Duration> mean() const override {
    const auto mean = inner_->mean();
    if (!mean) return std::nullopt;
    return std::min(cap_, floor_ + *mean);
  }

 private:
  std::unique_ptr<const Distribution> inner_;
  Duration floor_;
  Duration cap_;
};

}  // namespace

std::unique_ptr<const Distribution> make_distribution(const LatencyOptions& options) {
  const DistributionSpec* const spec = Distributions::find(options.distribution);
  CHECK_THAT(spec != nullptr);
  auto inner = spec->make(options);
  if (options.floor == 0ns && options.cap == kNoCap) return inner;
  return std::make_unique<Bounded>(std::move(inner), options.floor, options.cap);
}

std::optional<ValueProblem> problem_of(const LatencyOptions& options) {
  const DistributionSpec* const spec = Distributions::find(options.distribution);
  if (spec == nullptr) return "there is no distribution `" + options.distribution + "`";
  if (options.floor < 0ns || options.floor > kLongestDelay) {
    return ValueProblem("a `floor` is from 0s to " + to_text(kLongestDelay), "floor");
  }
  if (options.cap < options.floor) {
    return ValueProblem("a `cap` is at least the `floor`", "cap");
  }
  if (options.cap > kNoCap) {
    return ValueProblem("a `cap` is at most " + to_text(kNoCap), "cap");
  }
  if (spec->problem != nullptr) {
    if (auto wrong = spec->problem(options)) return wrong;
  }
  if (spec->make(options)->mean() < kLongestDraw) return std::nullopt;  // none is below any
  return "the mean of this " + options.distribution + " is beyond " + to_text(kLongestDraw);
}

std::optional<ValueProblem> problem_of_delay(std::string_view name, Duration value, Duration min,
                                             std::optional<std::size_t> item) {
  if (value >= min && value <= kLongestDelay) return std::nullopt;
  return ValueProblem("`" + std::string(name) + "` is from " + to_text(min) + " to " +
                          to_text(kLongestDelay) + ", not " + to_text(value),
                      name, item);
}

std::optional<ValueProblem> problem_of_weights(std::string_view name,
                                               const std::vector<std::uint64_t>& weights) {
  constexpr std::uint64_t kHeaviest = 1'000'000'000;
  constexpr std::size_t kMost = 10'000;
  if (weights.empty()) return "a " + std::string(name) + " is a list of at least one";
  if (weights.size() > kMost) {
    return "a " + std::string(name) + " is a list of at most " + std::to_string(kMost);
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] >= 1 && weights[i] <= kHeaviest) continue;
    return ValueProblem("a `weight` is from 1 to " + std::to_string(kHeaviest) + ", not " +
                            std::to_string(weights[i]),
                        "weight", i);
  }
  return std::nullopt;
}

std::size_t choose(std::uint64_t random, const std::vector<std::uint64_t>& weights) {
  std::uint64_t total = 0;
  for (const std::uint64_t weight : weights) total += weight;
  std::uint64_t left = below(random, total);
  std::size_t chosen = 0;
  while (left >= weights[chosen]) left -= weights[chosen++];
  return chosen;
}

std::optional<std::int64_t> parse_millionths(std::string_view text) {
  constexpr std::int64_t kMost = 1'000'000'000;
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  std::string digits(text.substr(point == text.size() ? point : point + 1));
  if (whole.empty() || whole.size() > 4 || digits.size() > 6) return std::nullopt;
  if (digits.empty() && point != text.size()) return std::nullopt;
  digits.append(6 - digits.size(), '0');
  std::int64_t out = 0;
  for (const char c : std::string(whole) + digits) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + (c - '0');
  }
  return out <= kMost ? std::optional(out) : std::nullopt;
}

}  // namespace rejoin
