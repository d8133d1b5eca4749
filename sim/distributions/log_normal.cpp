// A bell on a scale of factors: what many independent slowdowns multiply to.
#include <algorithm>

#include "model/distribution.hpp"
#include "model/math.hpp"

namespace rejoin::sim {
namespace {

__extension__ using SignedWide = __int128;
constexpr std::int64_t kMillion = 1'000'000;

[[nodiscard]] Duration bounded(std::uint64_t nanoseconds) {
  return Duration(static_cast<std::int64_t>(
      std::min(nanoseconds, static_cast<std::uint64_t>(kLongestDraw.count()))));
}

class LogNormal final : public Distribution {
 public:
  LogNormal(Duration median, std::int64_t sigma_millionths)
      : median_ns_(static_cast<std::uint64_t>(median.count())), sigma_(sigma_millionths) {}

  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    const SignedWide exponent = static_cast<SignedWide>(normal_q32(draw(key))) * sigma_ / kMillion;
    return bounded(times_exp(median_ns_, static_cast<std::int64_t>(exponent)));
  }
  // median * e^(sigma^2 / 2).
  [[nodiscard]] std::optional<Duration> mean() const override {
    const SignedWide half_square =
        ((static_cast<SignedWide>(sigma_) * sigma_) << 31) / (kMillion * kMillion);
    return bounded(times_exp(median_ns_, static_cast<std::int64_t>(half_square)));
  }

 private:
  std::uint64_t median_ns_;
  std::int64_t sigma_;  // millionths
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  if (auto wrong = problem_of_delay("median", options.params.get<Duration>("median"))) {
    return wrong;
  }
  const auto sigma = parse_millionths(options.params.get<std::string>("sigma"));
  if (sigma && *sigma >= 1 && *sigma <= 10 * kMillion) return std::nullopt;
  return ValueProblem("`sigma` is a number such as 0.5, above 0 and at most 10, not " +
                          options.params.get<std::string>("sigma"),
                      "sigma");
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<LogNormal>(
      options.params.get<Duration>("median"),
      parse_millionths(options.params.get<std::string>("sigma")).value());
}

[[maybe_unused]] const bool registered =
    Distributions::add({.name = "log-normal",
                        .help = "a bell on a scale of factors: skewed, with a long tail",
                        .params = {{.name = "median",
                                    .type = ParamType::duration,
                                    .unit = "",
                                    .fallback = "",
                                    .help = "half are longer",
                                    .choices = {}},
                                   {.name = "sigma",
                                    .type = ParamType::text,
                                    .unit = "",
                                    .fallback = "",
                                    .help = "a number: the standard deviation of the logarithm",
                                    .choices = {}}},
                        .problem = problem,
                        .make = make});

}  // namespace
}  // namespace rejoin::sim
