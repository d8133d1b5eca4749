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

std::optional<std::string> problem_of(const LatencyOptions& options) {
  const DistributionSpec* const spec = Distributions::find(options.distribution);
  if (spec == nullptr) return "there is no distribution `" + options.distribution + "`";
  if (options.cap < options.floor) return "a `cap` is at least the `floor`";
  return spec->problem == nullptr ? std::nullopt : spec->problem(options);
}

}  // namespace rejoin
