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

// Cells of one way of searching.
void add_search(std::vector<reports::Cell>& row, const sim::Hunted& hunted, std::uint64_t runs) {
  row.push_back({fmt::format("{} of {}", hunted.found(), hunted.seeds.size()),
                 hunted.found() == 0 ? reports::Paint::bad : reports::Paint::plain});
  row.push_back({seeds_text(hunted.percentile(50), runs)});
  row.push_back({seeds_text(hunted.percentile(90), runs)});
}

std::optional<std::uint64_t> better(const std::optional<std::uint64_t>& one,
                                    const std::optional<std::uint64_t>& other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
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
                        {"without: found", reports::Align::right},
                        {"median", reports::Align::right},
                        {"90%", reports::Align::right},
                        {"clean seeds", reports::Align::right}},
                       {}};
  bool missed = false;
  for (std::size_t i = 0; i < bugs.size(); ++i) {
    planter(bugs[i]->name);
    const sim::Hunted swarm = sim::hunt(jobs[i].first.scenario, *bugs[i], options);
    const sim::Hunted plain = sim::hunt(jobs[i].second.scenario, *bugs[i], options);
    planter("");
    missed = missed || (swarm.found() == 0 && plain.found() == 0);
    std::vector<reports::Cell> row{{std::string(bugs[i]->name)}};
    add_search(row, swarm, command.runs);
    add_search(row, plain, command.runs);
    const auto needed = better(swarm.percentile(90), plain.percentile(90));
    row.push_back({needed ? reports::grouped(sim::clean_seeds_needed(*needed)) : "unknown"});
    table.rows.push_back(std::move(row));
  }
  constexpr std::size_t kWidth = 100;
  reports::Page page(kWidth, wants_colour());
  page.section("Seeds needed to find each planted bug");
  page.table(table);
  page.paragraph(fmt::format("found: stretches of {} seeds in which it was; median and 90%: seeds "
                             "up to the first that showed it; first where each seed leaves out "
                             "some of the faults, as swarms do, then where each has all of them. "
                             "clean seeds: so many must pass after a fix, in the search that finds "
                             "it sooner, for 99% confidence.",
                             command.runs),
                 2);
  print(page.take());
  return missed ? ExitStatus::not_as_expected : ExitStatus::as_expected;
}

}  // namespace rejoin::app
