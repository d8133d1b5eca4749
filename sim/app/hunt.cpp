// `rejoin hunt`: what the search is worth, told by the bugs that it finds.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "model/mutant.hpp"
#include "reports/page.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/load.hpp"
#include "sim/explore/hunt.hpp"

namespace rejoin::app {

namespace {

Planter planter = nullptr;

// This program has no bugs in it; its sibling has.
ExitStatus run_sibling(const HuntCommand& command) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string sibling = (self.parent_path() / "rejoin-hunt").string();
  std::vector<std::string> words = {sibling, "hunt"};
  for (const std::string& bug : command.bugs) {
    words.emplace_back("--bug");
    words.push_back(bug);
  }
  words.push_back("--runs=" + std::to_string(command.runs));
  words.push_back("--stretches=" + std::to_string(command.stretches));
  if (command.jobs != 0) words.push_back("--jobs=" + std::to_string(command.jobs));
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(sibling.c_str(), pointers.data());
  print_error(error_text("cannot run `" + sibling + "`: " + std::strerror(errno),
                         "it is built beside rejoin: cmake --build BUILD --target rejoin-hunt"));
  return ExitStatus::own_failure;
}

std::string seeds_text(const std::optional<std::uint64_t>& seeds, std::uint64_t runs) {
  return seeds ? reports::grouped(*seeds) : "> " + reports::grouped(runs);
}

// Swarms draw by seed which classes of faults there are; the baseline has all of them, always.
tl::expected<Job, std::string> job_of(const MutantSpec& bug, bool swarm) {
  Selection selection{.files = {std::string(bug.scenario)}};
  selection.seed = 1;
  selection.expectations = false;
  selection.overrides = {{.path = "nemesis.swarm", .value = swarm ? "true" : "false"}};
  auto jobs = load(selection);
  if (!jobs) return tl::unexpected(jobs.error());
  return jobs->front();
}

}  // namespace

void set_planter(Planter plant) {
  planter = plant;
}

ExitStatus execute(const HuntCommand& command) {
  std::vector<const MutantSpec*> bugs;
  std::vector<std::string> known;
  for (const MutantSpec& spec : mutants()) known.emplace_back(spec.name);
  for (const std::string& name : command.bugs.empty() ? known : command.bugs) {
    const auto found = std::find_if(mutants().begin(), mutants().end(),
                                    [&name](const MutantSpec& spec) { return spec.name == name; });
    if (found == mutants().end()) {
      print_error(
          error_text("--bug: there is no bug `" + name + "`", hint_of(name, known, "bugs")));
      return ExitStatus::bad_input;
    }
    bugs.push_back(&*found);
  }
  if (planter == nullptr) return run_sibling(command);
  std::vector<std::pair<Job, Job>> jobs;
  for (const MutantSpec* bug : bugs) {
    const auto swarm = job_of(*bug, true);
    const auto plain = job_of(*bug, false);
    if (!swarm || !plain) {
      print_error(swarm ? plain.error() : swarm.error());
      return ExitStatus::bad_input;
    }
    jobs.emplace_back(*swarm, *plain);
  }
  sim::HuntOptions options{.runs_max = command.runs,
                           .stretches = command.stretches,
                           .jobs = command.jobs != 0 ? command.jobs : all_cores(),
                           .run = {.expectations = false, .dispatch = guarded_dispatch()}};
  reports::Table table{{{"bug"},
                        {"found", reports::Align::right},
                        {"median", reports::Align::right},
                        {"90%", reports::Align::right},
                        {"without swarm", reports::Align::right},
                        {"clean seeds after a fix", reports::Align::right}},
                       {}};
  bool missed = false;
  for (std::size_t i = 0; i < bugs.size(); ++i) {
    planter(bugs[i]->name);
    const sim::Hunted swarm = sim::hunt(jobs[i].first.scenario, *bugs[i], options);
    const sim::Hunted plain = sim::hunt(jobs[i].second.scenario, *bugs[i], options);
    planter("");
    const auto median = swarm.percentile(50);
    const auto high = swarm.percentile(90);
    missed = missed || swarm.found() == 0;
    table.rows.push_back({{std::string(bugs[i]->name)},
                          {fmt::format("{} of {}", swarm.found(), swarm.seeds.size()),
                           swarm.found() == 0 ? reports::Paint::bad : reports::Paint::plain},
                          {seeds_text(median, command.runs)},
                          {seeds_text(high, command.runs)},
                          {seeds_text(plain.percentile(50), command.runs)},
                          {high ? reports::grouped(sim::clean_seeds_needed(*high)) : "unknown"}});
  }
  constexpr std::size_t kWidth = 100;
  reports::Page page(kWidth, wants_colour());
  page.section("Seeds needed to find each planted bug");
  page.table(table);
  page.paragraph(fmt::format("found: stretches of {} seeds in which it was; median and 90%: seeds "
                             "up to the first that showed it; without swarm: the median when every "
                             "seed has every fault.",
                             command.runs),
                 2);
  print(page.take());
  return missed ? ExitStatus::not_as_expected : ExitStatus::as_expected;
}

}  // namespace rejoin::app
