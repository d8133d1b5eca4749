// Memoryless: what a single queue with random arrivals adds.
#include "model/distribution.hpp"
#include "model/math.hpp"

namespace rejoin::sim {
namespace {

class Exponential final : public Distribution {
 public:
  explicit Exponential(Duration mean) : mean_(mean) {}
  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    return exponential(draw(key), mean_);
  }
  [[nodiscard]] std::optional<Duration> mean() const override { return mean_; }

 private:
  Duration mean_;
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  return problem_of_delay("mean", options.params.get<Duration>("mean"));
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<Exponential>(options.params.get<Duration>("mean"));
}

[[maybe_unused]] const bool registered =
    Distributions::add({.name = "exponential",
                        .help = "memoryless: many short, few long",
                        .params = {{.name = "mean",
                                    .type = ParamType::duration,
                                    .unit = "",
                                    .fallback = "",
                                    .help = "of what comes on top of the floor",
                                    .choices = {}}},
                        .problem = problem,
                        .make = make});

}  // namespace
}  // namespace rejoin::sim
