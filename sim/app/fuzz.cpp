// `rejoin fuzz`: the search for failures.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "model/hash.hpp"
#include "model/wire.hpp"
#include "reports/campaign.hpp"
#include "reports/page.hpp"
#include "sim/app/browser.hpp"
#include "sim/app/campaign_outputs.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/load.hpp"
#include "sim/app/portrait.hpp"
#include "sim/app/shell.hpp"
#include "sim/app/terminal.hpp"
#include "sim/explore/fuzz.hpp"

namespace rejoin::app {

namespace {

std::uint32_t jobs_of(std::uint32_t asked) {
  return asked != 0 ? asked : all_cores();
}

// What can be said of a file before its campaign.
struct FirstLook {
  std::string wrong;  // text for standard error; empty: it can be run
  std::string sync;   // what is run: `none`, `rejoin-sync+read-repair`
  REJOIN_FIELDS(wrong, sync)
};

FirstLook look_at(const Job& job, std::uint64_t seed) {
  FirstLook out;
  out.wrong = problems_of(job.scenario, seed);
  if (!out.wrong.empty()) return out;
  for (const auto& mechanism : job.schedule(seed).node.sync.mechanisms) {
    out.sync += (out.sync.empty() ? "" : "+") + mechanism.name;
  }
  if (out.sync.empty()) out.sync = "none";
  return out;
}

// Drawing a seed may fail by what the seed picked: that is a finding of the campaign. What is wrong
// with the first few of them all is wrong with the file. Looked at in a worker, as any of them may
// take its process along.
FirstLook first_look(const Job& job, const sim::SeedRange& seeds) {
  constexpr std::uint64_t kTries = 8;
  sim::Workers worker({.count = 1}, [&job](ByteView task) {
    return encode(look_at(job, decode<std::uint64_t>(task).value_or(0)));
  });
  FirstLook out;
  bool died = false;
  const std::uint64_t last = seeds.last - seeds.first;
  for (std::uint64_t i = 0; i < kTries && i <= last; ++i) {
    const auto answer = sim::ask(worker, encode(seeds.first + i));
    if (!answer || answer->death) {
      died = true;
      continue;
    }
    FirstLook look = decode<FirstLook>(answer->reply).value_or(FirstLook{});
    if (look.wrong.empty()) return look;
    if (out.wrong.empty()) out = std::move(look);
  }
  if (died) out.wrong.clear();
  out.sync = "unknown";
  return out;
}

// Where failures of this file run in this way are kept: what --sync and --set make of a scenario is
// another one, whose failures say nothing about this one.
std::string folder_of(const FuzzCommand& command, const Job& job, bool alone) {
  if (!command.save_dir.empty()) {
    return alone ? command.save_dir : command.save_dir + "/" + job.scenario.name();
  }
  std::string words;
  const Selection& selection = command.selection;
  if (selection.sync) words = "sync=" + *selection.sync;
  for (const sim::Override& set : selection.overrides) {
    words += (words.empty() ? "" : ",") + set.path + "=" + set.value;
  }
  const std::string folder = "results/fuzz/" + job.scenario.name();
  if (words.empty()) return folder;
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.=,+";
  constexpr std::size_t kLongest = 80;
  std::string name = words.substr(0, kLongest);
  for (char& c : name) {
    if (kPlain.find(c) == std::string_view::npos) c = '-';
  }
  if (name != words) name += fmt::format("-{:08x}", hash64(words) >> 32U);
  return folder + "/" + name;
}

// A campaign over the seeds of one file.
struct Search {
  Job job;
  std::string sync;
  std::string folder;
  sim::FuzzPlace place;
};

tl::expected<std::vector<Search>, std::string> prepare(const FuzzCommand& command) {
  Selection selection = command.selection;
  selection.expectations = false;
  selection.seed = command.seeds.first;
  auto jobs = load_open(selection);
  if (!jobs) return tl::unexpected(jobs.error());
  std::string wrong;
  std::vector<FirstLook> looks;
  for (const Job& job : *jobs) {
    looks.push_back(first_look(job, command.seeds));
    wrong += looks.back().wrong;
  }
  if (!wrong.empty()) return tl::unexpected(wrong);
  std::vector<Search> out;
  for (std::size_t i = 0; i < jobs->size(); ++i) {
    const std::string folder = folder_of(command, (*jobs)[i], jobs->size() == 1);
    auto place = sim::FuzzPlace::open(folder);
    if (!place) {
      return tl::unexpected(
          error_text(place.error(), "--save-dir DIR: a folder that can be written to"));
    }
    out.push_back({.job = std::move((*jobs)[i]),
                   .sync = looks[i].sync,
                   .folder = folder,
                   .place = *std::move(place)});
  }
  return out;
}

sim::FuzzOptions options_of(const FuzzCommand& command, const Search& search) {
  sim::FuzzOptions out{.seeds = command.seeds, .file = search.job.file};
  out.jobs = jobs_of(command.jobs);
  out.failures_max = command.failures_max;
  out.time_max = command.time_max;
  out.shrinks = command.shrinks;
  out.sync = search.sync;
  out.flags = flags_of(command.selection);
  out.version = kVersion;
  out.commit = build_commit();
  out.run = {.expectations = false, .dispatch = guarded_dispatch()};
  out.interrupted = is_interrupted;
  out.portray = portrait_of;
  out.reproduce = [](const std::string& file) {
    return program_words() + " run " + shell_word(file);
  };
  const std::string flags = out.flags.empty() ? "" : " " + out.flags;
  out.reproduce_seed = [file = search.job.file, flags](std::uint64_t seed) {
    return program_words() + " run " + shell_word(file) + " --seed " + std::to_string(seed) +
           flags + " --no-expect";
  };
  return out;
}

ExitStatus status_of(const sim::FuzzResult& result) {
  for (const std::string& name : never_judged(result.record)) {
    print_error(error_text(result.record.file + ": no seed gave " + name + " anything to judge",
                           "more seeds, or a `check` without it"));
  }
  if (result.failure) {
    print_error(error_text(*result.failure));
    return ExitStatus::own_failure;
  }
  return failed(result.record) ? ExitStatus::not_as_expected : ExitStatus::as_expected;
}

}  // namespace

std::uint32_t all_cores() {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cores > 0 ? static_cast<std::uint32_t>(cores) : 1;
}

ExitStatus execute(const FuzzCommand& command) {
  auto searches = prepare(command);
  if (!searches) {
    print_error(searches.error());
    return ExitStatus::bad_input;
  }
  CampaignOutputs outputs;
  if (const auto problem = outputs.open(command.outputs, searches->front().folder)) {
    print_error(*problem);
    return ExitStatus::bad_input;
  }

  const Interruptible interruptible;
  ProgressLine progress;
  ExitStatus status = ExitStatus::as_expected;
  std::vector<CampaignRecord> records;
  for (Search& search : *searches) {
    sim::FuzzOptions options = options_of(command, search);
    options.on_trial = [&](const sim::Trial& trial) {
      outputs.line(json_line(search.job.scenario.name(), trial));
    };
    options.on_progress = [&](const sim::FuzzProgress& now) { progress.show(progress_text(now)); };
    options.trouble = [&] { return outputs.failure(); };
    sim::FuzzResult result = sim::fuzz(search.job.scenario, vocabulary(), search.place, options);
    progress.clear();
    if (!outputs.takes_standard_output()) {
      if (!records.empty()) print("\n");
      print(reports::campaign_text(result.record, {.colour = wants_colour()}));
    }
    status = std::max(status, status_of(result));
    records.push_back(std::move(result.record));
    if (result.interrupted) status = ExitStatus::interrupted;
    if (result.interrupted || outputs.failure()) break;
  }
  outputs.finish(records);
  if (outputs.failure()) {
    print_error(error_text(*outputs.failure()));
    status = std::max(status, ExitStatus::own_failure);
  }
  if (command.open && !outputs.page().empty()) print_error(open_page(outputs.page()));
  return status;
}

}  // namespace rejoin::app
