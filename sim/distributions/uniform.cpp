// Any delay of a range, each as likely.
#include "model/distribution.hpp"

namespace rejoin::sim {
namespace {

class Uniform final : public Distribution {
 public:
  explicit Uniform(DurationRange range) : range_(range) {}
  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    return uniform(draw(key), range_);
  }
  [[nodiscard]] std::optional<Duration> mean() const override {
    return range_.min + (range_.max - range_.min) / 2;
  }

 private:
  DurationRange range_;
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  const auto range = options.params.get<DurationRange>("range");
  if (auto wrong = problem_of_delay("range", range.min, 0ns)) return wrong;
  return problem_of_delay("range", range.max, range.min);
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<Uniform>(options.params.get<DurationRange>("range"));
}

[[maybe_unused]] const bool registered =
    Distributions::add({.name = "uniform",
                        .help = "any of a range, each as likely",
                        .params = {{.name = "range",
                                    .type = ParamType::duration_range,
                                    .unit = "",
                                    .fallback = "",
                                    .help = "both ends included",
                                    .choices = {}}},
                        .problem = problem,
                        .make = make});

}  // namespace
}  // namespace rejoin::sim
