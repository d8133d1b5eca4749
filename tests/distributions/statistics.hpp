// Do draws have the distribution that they claim? Bounds follow from the number of draws: each
// statistic may be five of its standard deviations off (one chance in 1.7 million, were seeds not
// fixed).
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "model/distribution.hpp"

namespace rejoin::sim {

inline constexpr std::uint64_t kDraws = 2'000'000;
inline constexpr long double kSigmas = 5;

DrawKey draw_key(std::uint64_t n);

[[nodiscard]] LatencyOptions latency_of(std::string distribution,
                                        std::vector<std::pair<std::string, ParamValue>> values);

struct Expected {
  long double mean_ns = 0;
  long double deviation_ns = 0;  // standard; infinite: the mean is not judged
  // Beyond that many ns, that share of the draws.
  std::vector<std::pair<long double, long double>> tails{};
};

void check_statistics(const LatencyOptions& options, const Expected& expected);

// The first draws, as any machine and compiler must make them.
void check_golden(const LatencyOptions& options, const std::vector<std::int64_t>& expected);

// Likewise 100,000 draws, folded into one number.
void check_digest(const LatencyOptions& options, std::uint64_t expected);

void check_mean(const LatencyOptions& options, long double mean_ns);

// The sentence about what is wrong contains `part`.
void check_problem(const LatencyOptions& options, const std::string& part);

// The x below which the share p of a standard normal is, by halving.
[[nodiscard]] long double normal_quantile(long double p);

}  // namespace rejoin::sim
