// A power law: never below a minimum, and a tail that no mean prepares for. Of shape a, the share
// of draws beyond x is (minimum / x)^a.
#include <algorithm>

#include "model/distribution.hpp"
#include "model/math.hpp"

namespace rejoin::sim {
namespace {

__extension__ using SignedWide = __int128;
constexpr std::int64_t kMillion = 1'000'000;

class Pareto final : public Distribution {
 public:
  Pareto(Duration minimum, std::int64_t shape_millionths)
      : minimum_(minimum), shape_millionths_(shape_millionths) {}

  // Its logarithm above the minimum's is exponential.
  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    const auto exponent = static_cast<std::int64_t>(
        static_cast<SignedWide>(negative_log_q32(draw(key))) * kMillion / shape_millionths_);
    const std::uint64_t drawn = times_exp(static_cast<std::uint64_t>(minimum_.count()), exponent);
    return Duration(static_cast<std::int64_t>(
        std::min(drawn, static_cast<std::uint64_t>(kLongestDraw.count()))));
  }

  [[nodiscard]] std::optional<Duration> mean() const override {
    if (shape_millionths_ <= kMillion) return std::nullopt;
    const SignedWide mean = static_cast<SignedWide>(minimum_.count()) * shape_millionths_ /
                            (shape_millionths_ - kMillion);
    return Duration(
        static_cast<std::int64_t>(std::min(mean, static_cast<SignedWide>(kLongestDraw.count()))));
  }

 private:
  Duration minimum_;
  std::int64_t shape_millionths_;
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  if (auto wrong = problem_of_delay("minimum", options.params.get<Duration>("minimum"))) {
    return wrong;
  }
  const auto shape = parse_millionths(options.params.get<std::string>("shape"));
  if (shape && *shape >= kMillion / 100) return std::nullopt;
  return ValueProblem("`shape` is a number such as 1.5, from 0.01 to 1000, not " +
                          options.params.get<std::string>("shape"),
                      "shape");
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<Pareto>(
      options.params.get<Duration>("minimum"),
      parse_millionths(options.params.get<std::string>("shape")).value());
}

[[maybe_unused]] const bool registered = Distributions::add(
    {.name = "pareto",
     .help = "a heavy tail: few are very long",
     .params = {{.name = "minimum",
                 .type = ParamType::duration,
                 .unit = "",
                 .fallback = "",
                 .help = "the shortest, and the likeliest",
                 .choices = {}},
                {.name = "shape",
                 .type = ParamType::text,
                 .unit = "",
                 .fallback = "",
                 .help = "a number: the lower, the heavier the tail; there is no mean up to 1",
                 .choices = {}}},
     .problem = problem,
     .make = make});

}  // namespace
}  // namespace rejoin::sim
