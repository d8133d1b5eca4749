// A bell around a mean, without what would be below 0: the truncated normal distribution.
#include <algorithm>
#include <limits>

#include "model/distribution.hpp"
#include "model/math.hpp"

namespace rejoin::sim {
namespace {

__extension__ using SignedWide = __int128;

class Normal final : public Distribution {
 public:
  Normal(Duration mean, Duration deviation) : middle_(mean), deviation_(deviation) {
    // The draws below `least_` are those below 0. Quantiles rise, so halving finds it.
    std::uint64_t above = std::uint64_t{1} << 63U;  // its quantile is the middle, 0 or more
    while (least_ < above) {
      const std::uint64_t half = least_ + (above - least_) / 2;
      if (at(half) >= 0ns) {
        above = half;
      } else {
        least_ = half + 1;
      }
    }
  }

  [[nodiscard]] Duration sample(const DrawKey& key) const override {
    const std::uint64_t width = std::numeric_limits<std::uint64_t>::max() - least_;
    return std::max<Duration>(0ns, at(least_ + below(draw(key), width)));
  }

  // middle + deviation * density(a) / (1 - least), a = middle / deviation (Johnson, Kotz and
  // Balakrishnan, "Continuous Univariate Distributions", volume 1, 13.10).
  [[nodiscard]] std::optional<Duration> mean() const override {
    constexpr std::int64_t kDensityAt0Q62 = 1'839'796'536'686'825'613;  // 1 / sqrt(2 pi)
    constexpr std::int64_t kFar = 16;  // deviations, at which the density is below 2^-180
    if (middle_ / kFar >= deviation_) return middle_;
    const auto a_q32 = static_cast<std::int64_t>((static_cast<SignedWide>(middle_.count()) << 32) /
                                                 deviation_.count());
    const auto half_square_q32 =
        static_cast<std::int64_t>(static_cast<SignedWide>(a_q32) * a_q32 >> 33);
    const SignedWide density_q62 = times_exp(kDensityAt0Q62, -half_square_q32);
    const SignedWide kept_q62 = (std::numeric_limits<std::uint64_t>::max() - least_) >> 2U;
    return middle_ +
           Duration(static_cast<std::int64_t>(density_q62 * deviation_.count() / kept_q62));
  }

 private:
  [[nodiscard]] Duration at(std::uint64_t random) const {
    const SignedWide scaled = static_cast<SignedWide>(normal_q32(random)) * deviation_.count();
    return middle_ + Duration(static_cast<std::int64_t>(scaled >> 32));
  }

  Duration middle_;
  Duration deviation_;
  std::uint64_t least_ = 0;
};

std::optional<ValueProblem> problem(const LatencyOptions& options) {
  if (auto wrong = problem_of_delay("mean", options.params.get<Duration>("mean"), 0ns)) {
    return wrong;
  }
  return problem_of_delay("deviation", options.params.get<Duration>("deviation"));
}

std::unique_ptr<const Distribution> make(const LatencyOptions& options) {
  return std::make_unique<Normal>(options.params.get<Duration>("mean"),
                                  options.params.get<Duration>("deviation"));
}

[[maybe_unused]] const bool registered =
    Distributions::add({.name = "normal",
                        .help = "a bell around a mean; what would be below 0 is drawn again",
                        .params = {{.name = "mean",
                                    .type = ParamType::duration,
                                    .unit = "",
                                    .fallback = "",
                                    .help = "of the whole bell: what is cut off below 0 raises it",
                                    .choices = {}},
                                   {.name = "deviation",
                                    .type = ParamType::duration,
                                    .unit = "",
                                    .fallback = "",
                                    .help = "standard; of the whole bell",
                                    .choices = {}}},
                        .problem = problem,
                        .make = make});

}  // namespace
}  // namespace rejoin::sim
