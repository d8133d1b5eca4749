// `rejoin hunt`: what the search is worth, told by the bugs that it finds.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "model/mutant.hpp"
#include "reports/campaign_page.hpp"
#include "reports/html.hpp"
#include "reports/page.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/load.hpp"
#include "sim/app/terminal.hpp"
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
  if (!command.page.empty()) words.push_back("--out=html=" + command.page);
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

std::optional<std::uint64_t> clean_seeds(const sim::Hunted& hunted) {
  return sim::clean_seeds_needed(hunted.found(), hunted.ran);
}

// With swarms, as the search is run. A stretch that did not find it counts as all of its seeds.
PlantedBug planted_of(const MutantSpec& bug, const sim::Hunted& hunted, std::uint64_t runs) {
  return {.bug = std::string(bug.name),
          .invariant = std::string(bug.invariant),
          .median = hunted.percentile(50).value_or(runs),
          .p90 = hunted.percentile(90).value_or(runs),
          .found = hunted.found(),
          .of = hunted.seeds.size()};
}

// Text for standard error, or none.
std::optional<std::string> write_page(const std::string& path, const CampaignRecord& record) {
  if (path.empty()) return std::nullopt;
  const std::string html =
      reports::html_page("hunt", reports::campaign_page_json(record, kVersion));
  if (path == "-") {
    print(html);
    return std::nullopt;
  }
  std::ofstream out(path, std::ios::binary);
  out << html;
  out.close();
  if (out) return std::nullopt;
  return error_text("--out: cannot write `" + path + "`: " + std::strerror(errno));
}

std::optional<std::uint64_t> better(const std::optional<std::uint64_t>& one,
                                    const std::optional<std::uint64_t>& other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

// Bugs name their scenarios from the root of the project: it is here, or above this program.
std::string scenario_of(const MutantSpec& bug) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path below = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path scenario(bug.scenario);
  if (fs::exists(scenario, error)) return scenario.string();
  for (; !below.empty(); below = below.parent_path()) {
    if (fs::exists(below / scenario, error)) return (below / scenario).string();
    if (below == below.root_path()) break;
  }
  return scenario.string();
}

// Swarms draw by seed which classes of faults there are; the baseline has all of them, always. A
// scenario without a nemesis has nothing to draw, and no baseline.
struct Search {
  Job swarm;
  std::optional<Job> plain;
};

tl::expected<Job, std::string> load_job(const MutantSpec& bug,
                                        std::vector<sim::Override> overrides) {
  Selection selection{.files = {scenario_of(bug)}};
  selection.seed = 1;
  selection.expectations = false;
  selection.overrides = std::move(overrides);
  auto jobs = load(selection);
  if (!jobs) return tl::unexpected(jobs.error());
  return jobs->front();
}

tl::expected<Search, std::string> search_of(const MutantSpec& bug) {
  const auto with_swarm = [&bug](const char* value) {
    return load_job(bug, {{.path = "nemesis.swarm", .value = value}});
  };
  auto as_it_is = load_job(bug, {});
  if (!as_it_is) return tl::unexpected(as_it_is.error());
  if (!as_it_is->scenario.has("nemesis")) return Search{*std::move(as_it_is), std::nullopt};
  auto swarm = with_swarm("true");
  auto plain = with_swarm("false");
  if (!swarm || !plain) return tl::unexpected(swarm ? plain.error() : swarm.error());
  return Search{*std::move(swarm), *std::move(plain)};
}

// By name; all of them when none is named. The error is text for standard error.
tl::expected<std::vector<const MutantSpec*>, std::string> chosen_bugs(const HuntCommand& command) {
  std::vector<const MutantSpec*> bugs;
  std::vector<std::string> known;
  for (const MutantSpec& spec : mutants()) known.emplace_back(spec.name);
  for (const std::string& name : command.bugs.empty() ? known : command.bugs) {
    const auto found = std::find_if(mutants().begin(), mutants().end(),
                                    [&name](const MutantSpec& spec) { return spec.name == name; });
    if (found == mutants().end()) {
      return tl::unexpected(
          error_text("--bug: there is no bug `" + name + "`", hint_of(name, known, "bugs")));
    }
    bugs.push_back(&*found);
  }
  return bugs;
}

}  // namespace

void set_planter(Planter plant) {
  planter = plant;
}

ExitStatus execute(const HuntCommand& command) {
  const auto chosen = chosen_bugs(command);
  if (!chosen) {
    print_error(chosen.error());
    return ExitStatus::bad_input;
  }
  const std::vector<const MutantSpec*>& bugs = *chosen;
  if (planter == nullptr) return run_sibling(command);
  std::vector<Search> searches;
  for (const MutantSpec* bug : bugs) {
    auto search = search_of(*bug);
    if (!search) {
      print_error(search.error());
      return ExitStatus::bad_input;
    }
    searches.push_back(*std::move(search));
  }
  // Known before anything runs, as far as it can be.
  if (!command.page.empty() && command.page != "-" &&
      !std::ofstream(command.page, std::ios::binary | std::ios::app)) {
    print_error(error_text("--out: cannot write `" + command.page + "`: " + std::strerror(errno)));
    return ExitStatus::bad_input;
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
  CampaignRecord record;
  record.scenario = "hunt";
  record.sync = "the planted bugs' own scenarios";
  const auto start = std::chrono::steady_clock::now();
  const Interruptible interruptible;
  ProgressLine progress;
  options.interrupted = is_interrupted;
  for (std::size_t i = 0; i < bugs.size() && !is_interrupted(); ++i) {
    const auto search = [&](const Job& job, std::string_view how) {
      options.on_progress = [&](std::uint32_t stretch, std::uint64_t ran) {
        progress.show(fmt::format("{} ({} of {}), {}: stretch {} of {}, {}", bugs[i]->name, i + 1,
                                  bugs.size(), how, stretch, command.stretches,
                                  reports::counted(static_cast<std::size_t>(ran), "seed")));
      };
      return sim::hunt(job.scenario, *bugs[i], options);
    };
    planter(bugs[i]->name);
    const sim::Hunted swarm = search(searches[i].swarm, "with swarms");
    std::optional<sim::Hunted> plain;
    if (searches[i].plain) plain = search(*searches[i].plain, "without");
    planter("");
    progress.clear();
    // Of one that was cut off there is nothing to compare.
    if (swarm.interrupted || (plain && plain->interrupted)) break;
    missed = missed || (swarm.found() == 0 && (!plain || plain->found() == 0));
    record.ran += swarm.ran + (plain ? plain->ran : 0);
    record.planted.push_back(planted_of(*bugs[i], swarm, command.runs));
    std::vector<reports::Cell> row{{std::string(bugs[i]->name)}};
    add_search(row, swarm, command.runs);
    std::optional<std::uint64_t> needed = clean_seeds(swarm);
    if (plain) {
      add_search(row, *plain, command.runs);
      needed = better(needed, clean_seeds(*plain));
    } else {
      row.insert(row.end(), 3, {"-"});
    }
    row.push_back({needed ? reports::grouped(*needed) : "unknown"});
    table.rows.push_back(std::move(row));
  }
  constexpr std::size_t kWidth = 100;
  reports::Page page(kWidth, wants_colour());
  page.section("Seeds needed to find each planted bug");
  page.table(table);
  page.paragraph(fmt::format("found: stretches of {} seeds in which it was; median and 90%: seeds "
                             "up to the first that showed it; first where each seed leaves out "
                             "some of the faults, as swarms do, then where each has all of them "
                             "(-: the scenario draws no faults). "
                             "clean seeds: so many must pass after a fix, in the search that needs "
                             "fewer, for 99% confidence, if the bug is as rare as these stretches "
                             "may have it (the lower 99% bound of Clopper and Pearson).",
                             command.runs),
                 2);
  if (command.page != "-") print(page.take());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  record.seconds = took.count();
  if (const auto problem = write_page(command.page, record)) {
    print_error(*problem);
    return ExitStatus::own_failure;
  }
  if (is_interrupted()) return ExitStatus::interrupted;
  return missed ? ExitStatus::not_as_expected : ExitStatus::as_expected;
}

}  // namespace rejoin::app
