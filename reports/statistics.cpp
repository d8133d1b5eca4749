// The only door to Eigen.
#include "reports/statistics.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::reports {

std::int64_t nearest_rank(const std::vector<std::int64_t>& sorted, std::size_t percent) {
  const auto out = nearest_rank(sorted, 0, percent);
  CHECK_THAT(out.has_value());
  return *out;
}

std::optional<std::int64_t> nearest_rank(const std::vector<std::int64_t>& sorted,
                                         std::size_t absent, std::size_t percent) {
  CHECK_THAT(percent <= 100);
  const std::size_t rank = ((sorted.size() + absent) * percent + 99) / 100;
  const std::size_t at = std::max<std::size_t>(rank, 1) - 1;
  if (at >= sorted.size()) return std::nullopt;
  return sorted[at];
}

std::optional<Interval> median_interval(std::vector<Paired> values, std::string_view what) {
  // By value, so that medians are found by counting; ties by seed change no median.
  std::sort(values.begin(), values.end(), [](const Paired& a, const Paired& b) {
    return a.value != b.value ? a.value < b.value : a.seed < b.seed;
  });
  std::map<std::size_t, std::size_t> seeds;  // to their ranks among those that there are
  for (const Paired& each : values) seeds.emplace(each.seed, 0);
  if (seeds.size() < kPairsForInterval) return std::nullopt;
  if (values.front().value == values.back().value) {
    return Interval{values.front().value, values.front().value};
  }
  std::size_t count = 0;
  for (auto& [seed, rank] : seeds) rank = count++;
  for (Paired& each : values) each.seed = seeds.at(each.seed);
  const std::uint64_t key = hash64(what);
  std::vector<std::int64_t> medians;
  medians.reserve(kResamples);
  std::vector<std::size_t> times(count);
  for (std::size_t resample = 0; resample < kResamples; ++resample) {
    std::fill(times.begin(), times.end(), std::size_t{0});
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t random =
          draw({.seed = key, .domain = Domain::pick, .who = resample, .what = i, .attempt = 0});
      ++times[below(random, count)];
    }
    std::size_t all = 0;
    for (const Paired& each : values) all += times[each.seed];
    const std::size_t rank = (all + 1) / 2;
    std::size_t at = 0;
    for (std::size_t seen = times[values[0].seed]; seen < rank; seen += times[values[at].seed]) {
      ++at;
    }
    medians.push_back(values[at].value);
  }
  std::sort(medians.begin(), medians.end());
  // 2.5% of them on either side.
  constexpr std::size_t kOutside = kResamples / 40;
  return Interval{medians[kOutside - 1], medians[kResamples - kOutside]};
}

std::optional<Interval> median_interval(const std::vector<std::int64_t>& values,
                                        std::string_view what) {
  std::vector<Paired> pairs;
  std::vector<std::int64_t> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) pairs.push_back({sorted[i], i});
  return median_interval(std::move(pairs), what);
}

std::vector<bool> pareto_front(const std::vector<std::vector<std::optional<std::int64_t>>>& costs) {
  const auto less = [](const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b) {
    return a && (!b || *a < *b);
  };
  const auto beats = [&](std::size_t a, std::size_t b) {
    bool better = false;
    for (std::size_t i = 0; i < costs[a].size(); ++i) {
      if (less(costs[b][i], costs[a][i])) return false;
      better = better || less(costs[a][i], costs[b][i]);
    }
    return better;
  };
  std::vector<bool> out;
  for (std::size_t b = 0; b < costs.size(); ++b) {
    bool beaten = false;
    for (std::size_t a = 0; a < costs.size(); ++a) {
      CHECK_THAT(costs[a].size() == costs[b].size());
      beaten = beaten || (a != b && beats(a, b));
    }
    out.push_back(!beaten);
  }
  return out;
}

namespace {

// Student's t: 97.5% are below, by degrees of freedom from 1 on.
double t_quantile(std::size_t freedom) {
  constexpr double kTable[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                               2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                               2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                               2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
  constexpr double kNormal = 1.96;
  return freedom <= std::size(kTable) ? kTable[freedom - 1] : kNormal;
}

double rounded(double value) {
  constexpr double kDigits = 1'000;
  const double out = std::round(value * kDigits) / kDigits;
  return out == 0 ? 0 : out;  // no negative zero
}

}  // namespace

tl::expected<Fit, std::string> fit_exponent(const std::vector<Sample>& samples) {
  Fit out;
  std::vector<Sample> taken;
  std::set<double> sizes;
  std::map<std::size_t, Eigen::Index> groups;
  for (const Sample& sample : samples) {
    CHECK_THAT(sample.size > 0);
    if (sample.value <= 0) {
      ++out.left_out;
      continue;
    }
    taken.push_back(sample);
    sizes.insert(sample.size);
    groups.emplace(sample.group, static_cast<Eigen::Index>(groups.size()));
  }
  if (taken.empty()) return tl::unexpected(std::string("every value is 0"));
  const std::size_t unknown = 1 + groups.size();
  if (sizes.size() < kSizesForFit || taken.size() <= unknown) {
    return tl::unexpected("a fit takes " + std::to_string(kSizesForFit) +
                          " sizes with values above 0, and there are " +
                          std::to_string(sizes.size()));
  }
  const auto rows = static_cast<Eigen::Index>(taken.size());
  const auto columns = static_cast<Eigen::Index>(unknown);
  Eigen::MatrixXd design = Eigen::MatrixXd::Zero(rows, columns);
  Eigen::VectorXd observed(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const Sample& sample = taken[static_cast<std::size_t>(i)];
    design(i, 0) = std::log(sample.size);
    design(i, 1 + groups.at(sample.group)) = 1;
    observed(i) = std::log(static_cast<double>(sample.value));
  }
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> solver(design);
  // Sizes that no group has two of tell nothing apart from the groups.
  if (solver.rank() < columns) return tl::unexpected(std::string("no group has two sizes"));
  const Eigen::VectorXd found = solver.solve(observed);
  const std::size_t freedom = taken.size() - unknown;
  const double residual = (observed - design * found).squaredNorm() / static_cast<double>(freedom);
  const Eigen::MatrixXd covariance = (design.transpose() * design).inverse();
  const double width = t_quantile(freedom) * std::sqrt(residual * covariance(0, 0));
  out.exponent = rounded(found(0));
  out.low = rounded(found(0) - width);
  out.high = rounded(found(0) + width);
  return out;
}

}  // namespace rejoin::reports
