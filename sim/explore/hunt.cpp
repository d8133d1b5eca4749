#include "sim/explore/hunt.hpp"

#include <algorithm>
#include <cmath>

#include "sim/explore/campaign.hpp"
#include "sim/explore/workers.hpp"

namespace rejoin::sim {

namespace {

class FirstCatch final : public CampaignListener {
 public:
  FirstCatch(std::string_view invariant, std::uint32_t stretch, const HuntOptions& options)
      : invariant_(invariant), stretch_(stretch), options_(options) {}

  bool on_trial(const Trial& trial) override {
    ++ran_;
    const bool caught =
        std::any_of(trial.signatures.begin(), trial.signatures.end(),
                    [this](const Signature& signature) { return signature.what == invariant_; });
    if (caught) found_ = ran_;
    return !caught;
  }
  bool on_tick() override {
    if (options_.on_progress) options_.on_progress(stretch_, ran_);
    return !options_.interrupted();
  }
  [[nodiscard]] std::optional<std::uint64_t> found() const { return found_; }
  [[nodiscard]] std::uint64_t ran() const { return ran_; }

 private:
  std::string_view invariant_;
  std::uint32_t stretch_;
  const HuntOptions& options_;
  std::uint64_t ran_ = 0;
  std::optional<std::uint64_t> found_;
};

}  // namespace

std::size_t Hunted::found() const {
  return static_cast<std::size_t>(
      std::count_if(seeds.begin(), seeds.end(), [](const auto& each) { return each.has_value(); }));
}

std::optional<std::uint64_t> Hunted::percentile(unsigned percent) const {
  if (seeds.empty()) return std::nullopt;
  std::vector<std::uint64_t> sorted;
  for (const auto& each : seeds) {
    if (each) sorted.push_back(*each);
  }
  std::sort(sorted.begin(), sorted.end());
  const std::size_t rank = std::max<std::size_t>(1, (seeds.size() * percent + 99) / 100);
  if (rank > sorted.size()) return std::nullopt;
  return sorted[rank - 1];
}

Hunted hunt(const Scenario& scenario, const MutantSpec& bug, const HuntOptions& options) {
  Workers workers({.count = options.jobs}, trial_work(scenario, options.run));
  Hunted out;
  for (std::uint32_t stretch = 0; stretch < options.stretches; ++stretch) {
    const std::uint64_t first = options.first_seed + stretch * options.runs_max;
    FirstCatch listener(bug.invariant, stretch + 1, options);
    const CampaignEnd end =
        run_campaign({.first = first, .last = first + options.runs_max - 1}, workers, listener);
    if (end == CampaignEnd::no_more_workers) break;
    out.interrupted = options.interrupted();
    // What was cut off says nothing of how long it takes.
    if (end == CampaignEnd::enough && !listener.found()) break;
    out.seeds.push_back(listener.found());
    out.ran += listener.ran();
    if (out.interrupted) break;
  }
  return out;
}

namespace {

constexpr double kDoubt = 0.01;

// That fewer than `found` of `ran` show what each shows with probability p.
double chance_of_fewer(std::uint64_t found, std::uint64_t ran, double p) {
  const auto n = static_cast<double>(ran);
  double sum = 0;
  for (std::uint64_t i = 0; i < found; ++i) {
    const auto k = static_cast<double>(i);
    const double ways = std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
    sum += std::exp(ways + k * std::log(p) + (n - k) * std::log1p(-p));
  }
  return sum;
}

}  // namespace

std::optional<std::uint64_t> clean_seeds_needed(std::uint64_t found, std::uint64_t ran) {
  if (found == 0) return std::nullopt;
  // The more frequent it is, the less likely are so few: the bound is where these are as many as
  // one would see once in a hundred times, or more.
  double low = 0;
  double high = 1;
  constexpr int kHalvings = 60;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (1 - chance_of_fewer(found, ran, middle) < kDoubt ? low : high) = middle;
  }
  return static_cast<std::uint64_t>(std::ceil(std::log(kDoubt) / std::log1p(-low)));
}

}  // namespace rejoin::sim
