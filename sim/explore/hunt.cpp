#include "sim/explore/hunt.hpp"

#include <algorithm>
#include <cmath>

#include "sim/explore/campaign.hpp"
#include "sim/explore/workers.hpp"

namespace rejoin::sim {

namespace {

class FirstCatch final : public CampaignListener {
 public:
  FirstCatch(std::string_view invariant, const HuntOptions& options)
      : invariant_(invariant), options_(options) {}

  bool on_trial(const Trial& trial) override {
    ++ran_;
    const bool caught =
        std::any_of(trial.signatures.begin(), trial.signatures.end(),
                    [this](const Signature& signature) { return signature.what == invariant_; });
    if (caught) found_ = ran_;
    return !caught;
  }
  bool on_tick() override { return !options_.interrupted(); }
  [[nodiscard]] std::optional<std::uint64_t> found() const { return found_; }

 private:
  std::string_view invariant_;
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
    if (options.interrupted()) break;
    const std::uint64_t first = options.first_seed + stretch * options.runs_max;
    FirstCatch listener(bug.invariant, options);
    const CampaignEnd end =
        run_campaign({.first = first, .last = first + options.runs_max - 1}, workers, listener);
    if (end == CampaignEnd::no_more_workers) break;
    out.seeds.push_back(listener.found());
  }
  return out;
}

std::uint64_t clean_seeds_needed(std::uint64_t seeds) {
  if (seeds <= 1) return 1;
  const double miss = 1.0 - 1.0 / static_cast<double>(seeds);
  return static_cast<std::uint64_t>(std::ceil(std::log(0.01) / std::log(miss)));
}

}  // namespace rejoin::sim
