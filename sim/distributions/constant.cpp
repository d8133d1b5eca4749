// Always the same delay.
#include "model/distribution.hpp"

namespace rejoin::sim {
namespace {

class Constant final : public Distribution {
 public:
  explicit Constant(Duration value) : value_(value) {}
  [[nodiscard]] Duration sample(const DrawKey&) const override { return value_; }
  [[nodiscard]] std::optional<Duration> mean() const override { return value_; }

 private:
  Duration value_;
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  return problem_of_delay("value", options.params.get<Duration>("value"), 0ns);
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<Constant>(options.params.get<Duration>("value"));
}

[[maybe_unused]] const bool registered =
    Distributions::add({.name = "constant",
                        .help = "always the same",
                        .params = {{.name = "value",
                                    .type = ParamType::duration,
                                    .unit = "",
                                    .fallback = "",
                                    .help = "the delay",
                                    .choices = {}}},
                        .problem = problem,
                        .make = make});

}  // namespace
}  // namespace rejoin::sim
