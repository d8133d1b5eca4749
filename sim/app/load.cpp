#include "sim/app/load.hpp"

#include <algorithm>
#include <limits>

#include "model/check.hpp"
#include "sim/run/check.hpp"
#include "sim/run/vocabulary.hpp"

namespace rejoin::app {

const sim::Vocabulary& vocabulary() {
  static const sim::Vocabulary all = sim::linked_vocabulary();
  return all;
}

namespace {

std::string text_of(const sim::Diagnostics& diagnostics) {
  std::string out;
  for (const sim::Diagnostic& diagnostic : diagnostics) out += sim::to_text(diagnostic);
  return out;
}

// `--sync A+B` names mechanisms by itself: a mistake in it is told once, not once a file.
std::string check_sync(const std::string& sync) {
  std::vector<std::string> known = sim::names_of(vocabulary().mechanisms);
  for (const auto& preset : vocabulary().presets) known.push_back(preset.name);
  std::sort(known.begin(), known.end());
  std::string wrong;
  for (std::size_t at = 0; at <= sync.size();) {
    const std::size_t plus = std::min(sync.find('+', at), sync.size());
    const std::string name = sync.substr(at, plus - at);
    at = plus + 1;
    const bool is_known = normal_name(name) == "none" ||
                          std::any_of(known.begin(), known.end(), [&name](const std::string& each) {
                            return normal_name(each) == normal_name(name);
                          });
    if (is_known) continue;
    wrong += error_text("--sync: there is no mechanism `" + name + "`",
                        hint_of(name, known, "mechanisms and presets"));
  }
  return wrong;
}

tl::expected<Job, std::string> load_file(const std::string& file, const Selection& selection,
                                         const std::vector<sim::Override>& overrides, bool open) {
  auto scenario = sim::load_scenario(file, vocabulary(), overrides);
  if (!scenario) return tl::unexpected(text_of(scenario.error()));
  Job job{.file = file, .scenario = std::move(*scenario), .first_seed = 0, .trials = 1};
  job.first_seed = selection.seed.value_or(job.scenario.seed());
  job.trials = std::max<std::uint32_t>(1, job.scenario.trials());
  if (job.first_seed > std::numeric_limits<std::uint64_t>::max() - (job.trials - 1)) {
    return tl::unexpected(error_text(file + ": there are not " + std::to_string(job.trials) +
                                     " seeds from " + std::to_string(job.first_seed) + " on"));
  }
  for (std::uint32_t trial = 0; trial < job.trials && !open; ++trial) {
    const std::string wrong = problems_of(job.scenario, job.first_seed + trial);
    if (!wrong.empty()) return tl::unexpected(wrong);
  }
  return job;
}

tl::expected<std::vector<Job>, std::string> load_files(const Selection& selection, bool open) {
  std::vector<sim::Override> overrides = selection.overrides;
  if (selection.sync) {
    const std::string wrong = check_sync(*selection.sync);
    if (!wrong.empty()) return tl::unexpected(wrong);
    // First: --set may say more of what --sync names.
    overrides.insert(overrides.begin(), {.path = "sync", .value = *selection.sync});
  }
  std::vector<Job> jobs;
  std::string wrong;
  for (const std::string& file : selection.files) {
    auto job = load_file(file, selection, overrides, open);
    if (job) {
      jobs.push_back(std::move(*job));
    } else {
      wrong += job.error();
    }
  }
  if (!wrong.empty()) return tl::unexpected(wrong);
  return jobs;
}

}  // namespace

std::string problems_of(const sim::Scenario& scenario, std::uint64_t seed) {
  const auto schedule = scenario.materialise(seed);
  if (!schedule) return text_of(schedule.error());
  std::string out;
  for (const sim::Complaint& each : sim::complaints_about(*schedule)) {
    out += sim::to_text(scenario.at(each.where, each.what, each.allowed));
  }
  return out;
}

Schedule Job::schedule(std::uint64_t seed) const {
  auto schedule = scenario.materialise(seed);
  CHECK_THAT(schedule.has_value());  // load() has tried
  return std::move(*schedule);
}

tl::expected<std::vector<Job>, std::string> load(const Selection& selection) {
  return load_files(selection, false);
}
tl::expected<std::vector<Job>, std::string> load_open(const Selection& selection) {
  return load_files(selection, true);
}

}  // namespace rejoin::app
