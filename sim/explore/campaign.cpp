#include "sim/explore/campaign.hpp"

#include <map>
#include <utility>

namespace rejoin::sim {

namespace {

// How far, in seeds for each worker, one may be ahead.
constexpr std::uint64_t kAhead = 64;
constexpr std::chrono::milliseconds kTick{100};

}  // namespace

CampaignEnd run_campaign(const SeedRange& seeds, Workers& workers, CampaignListener& listener) {
  std::uint64_t submit = 0;  // offsets from the first seed, so that a range may end at 2^64 - 1
  std::uint64_t tell = 0;
  const std::uint64_t last = seeds.last - seeds.first;
  const std::uint64_t ahead = kAhead * workers.count();
  bool all_submitted = false;
  std::map<std::uint64_t, Trial> early;
  auto ticked = std::chrono::steady_clock::now();
  for (;;) {
    // Two for each worker: one to run and one to go on with.
    while (!all_submitted && workers.open() < std::size_t{2} * workers.count() &&
           submit - tell < ahead) {
      listener.on_begin(seeds.first + submit);
      workers.submit(submit, task_of_seed(seeds.first + submit));
      all_submitted = submit == last;
      ++submit;
    }
    std::optional<Workers::Answer> answer = workers.next(kTick);
    if (answer) {
      early.emplace(answer->task, trial_of(seeds.first + answer->task, *answer));
    }
    for (auto at = early.find(tell); at != early.end(); at = early.find(tell)) {
      const Trial trial = std::move(at->second);
      early.erase(at);
      const bool go_on = listener.on_trial(trial);
      if (!go_on) workers.abandon();
      if (tell == last) return CampaignEnd::all_seeds;
      if (!go_on) return CampaignEnd::enough;
      ++tell;
    }
    if (workers.failed()) return CampaignEnd::no_more_workers;
    const auto now = std::chrono::steady_clock::now();
    if (answer && now - ticked < kTick) continue;
    ticked = now;
    if (listener.on_tick()) continue;
    workers.abandon();
    return CampaignEnd::enough;
  }
}

}  // namespace rejoin::sim
