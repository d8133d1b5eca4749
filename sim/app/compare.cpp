// `rejoin compare`: several strategies on the same scenario, seeds and weather.
#include <algorithm>
#include <limits>
#include <set>

#include "model/hash.hpp"
#include "model/params.hpp"
#include "reports/comparison.hpp"
#include "reports/page.hpp"
#include "sim/app/browser.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/compare_outputs.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/load.hpp"
#include "sim/app/shell.hpp"
#include "sim/app/terminal.hpp"
#include "sim/explore/compare.hpp"
#include "sim/run/metrics.hpp"

namespace rejoin::app {

namespace {

// What a value measures, so that costs can be fitted to it: nanoseconds, bytes, millionths, a
// count, or the keys of a range (key-1..key-100).
std::optional<double> size_of(const std::string& value) {
  if (const auto number = parse_integer(value)) return static_cast<double>(*number);
  if (const auto time = parse_duration(value)) return static_cast<double>(time->count());
  if (const auto size = parse_size(value)) return static_cast<double>(*size);
  if (const auto share = parse_share(value)) return static_cast<double>(share->ppm);
  const std::size_t dots = value.find("..");
  if (dots == std::string::npos) return std::nullopt;
  const auto number_at_end = [](std::string_view name) {
    const std::size_t from = name.find_last_not_of("0123456789") + 1;
    return parse_integer(name.substr(from));
  };
  const auto first = number_at_end(std::string_view(value).substr(0, dots));
  const auto last = number_at_end(std::string_view(value).substr(dots + 2));
  if (!first || !last || *last < *first) return std::nullopt;
  return static_cast<double>(*last - *first + 1);
}

// Complaints of many cells are told once each. An override is told as the flag that gave it.
class Complaints {
 public:
  // `cell` is its name; what does not say by which varied value it is wrong is told with it.
  void add(std::string text, const std::vector<Vary>& vary, const std::string& cell) {
    for (const Vary& each : vary) {
      const std::string set = "--set " + each.path + "=";
      for (std::size_t at = text.find(set); at != std::string::npos; at = text.find(set, at)) {
        text.replace(at, 5, "--vary");
      }
    }
    const std::string sync = "--set sync=";
    for (std::size_t at = text.find(sync); at != std::string::npos; at = text.find(sync, at)) {
      text.replace(at, sync.size(), "--sync ");
    }
    if (!vary.empty() && !text.starts_with("--vary ")) text = "with " + cell + ":\n" + text;
    if (seen_.insert(text).second) text_ += text;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::set<std::string> seen_;
  std::string text_;
};

std::vector<sim::Override> overrides_of(const CompareCommand& command,
                                        const ComparisonRecord& record, std::size_t cell) {
  std::vector<sim::Override> out = command.selection.overrides;
  const std::vector<std::string> values = record.values_of(cell);
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.push_back({.path = record.vary[i].path, .value = values[i]});
  }
  return out;
}

using Scenarios = std::vector<std::vector<sim::Scenario>>;

// Every strategy in every cell is a scenario that can be run: what is wrong with one of them is
// told before anything runs.
tl::expected<Scenarios, std::string> load_all(const CompareCommand& command,
                                              const ComparisonRecord& record) {
  Scenarios out;
  Complaints wrong;
  for (const std::string& strategy : record.strategies) {
    auto& cells = out.emplace_back();
    for (std::size_t cell = 0; cell < record.cells(); ++cell) {
      Selection selection = command.selection;
      selection.sync = strategy;
      selection.expectations = false;
      selection.overrides = overrides_of(command, record, cell);
      auto jobs = load_open(selection);
      if (!jobs) {
        wrong.add(jobs.error(), command.vary, record.name_of(cell));
        continue;
      }
      const std::string problems = problems_of(jobs->front().scenario, record.first_seed);
      if (!problems.empty()) {
        wrong.add("--sync " + strategy + " cannot be run in this scenario:\n" + problems,
                  command.vary, record.name_of(cell));
      }
      cells.push_back(std::move(jobs->front().scenario));
    }
  }
  if (!wrong.text().empty()) return tl::unexpected(wrong.text());
  return out;
}

// All of the record that is known before the first run.
tl::expected<ComparisonRecord, std::string> begin_record(const CompareCommand& command) {
  Selection selection = command.selection;
  selection.expectations = false;
  const auto jobs = load_open(selection);
  if (!jobs) return tl::unexpected(jobs.error());
  const Job& job = jobs->front();
  ComparisonRecord out;
  out.rejoin = kVersion;
  out.commit = build_commit();
  out.scenario = job.scenario.name();
  out.file = job.file;
  out.fingerprint = to_hex(hash128(as_bytes(job.scenario.resolved())));
  out.strategies = command.strategies;
  for (std::size_t i = 0; i < out.strategies.size(); ++i) {
    if (normal_name(out.strategies[i]) == normal_name(command.reference)) out.reference = i;
  }
  for (const Vary& each : command.vary) {
    VariedPath& path = out.vary.emplace_back();
    path.path = each.path;
    path.values = each.values;
    for (const std::string& value : each.values) path.sizes.push_back(size_of(value));
  }
  out.first_seed = command.seeds.first;
  out.seeds_asked = command.seeds.count();
  out.thresholds = job.scenario.thresholds();
  for (const sim::MetricSpec& spec : sim::metric_specs()) {
    out.help.emplace(spec.name, spec.help);
  }
  out.metrics = command.metrics;
  const std::string flags = flags_of(command.selection);
  out.flags = flags.empty() ? "" : " " + flags;
  return out;
}

ExitStatus say(const std::string& error, ExitStatus status) {
  print_error(error);
  return status;
}

}  // namespace

ExitStatus execute(const CompareCommand& command) {
  auto begun = begin_record(command);
  if (!begun) return say(begun.error(), ExitStatus::bad_input);
  ComparisonRecord& record = *begun;
  const auto scenarios = load_all(command, record);
  if (!scenarios) return say(scenarios.error(), ExitStatus::bad_input);
  if (const auto first = scenarios->front().front().materialise(record.first_seed)) {
    record.about = first->about;
  }
  if (!command.baseline.empty()) {
    auto baseline = load_baseline(record, command.baseline);
    if (!baseline) return say(baseline.error(), ExitStatus::bad_input);
    record.baseline = *std::move(baseline);
  }
  if (!command.save_baseline.empty()) {
    const auto wrong = prepare_baseline(record.scenario, command.save_baseline);
    if (wrong) return say(*wrong, ExitStatus::bad_input);
  }
  CompareOutputs outputs;
  if (const auto wrong = outputs.open(command.outputs, record.scenario, record.file)) {
    return say(*wrong, ExitStatus::bad_input);
  }

  const Interruptible interruptible;
  ProgressLine progress;
  sim::Compared compared = sim::compare(
      *scenarios,
      {.seeds = command.seeds,
       .jobs = command.jobs != 0 ? command.jobs : all_cores(),
       .run = {.expectations = false, .dispatch = guarded_dispatch()},
       .interrupted = is_interrupted,
       .on_progress = [&progress](const sim::CompareProgress& now) {
         progress.show(progress_text(
             {.doing = "runs", .done = now.done, .all = now.all, .seconds = now.seconds}));
       }});
  progress.clear();
  if (compared.no_more_workers) {
    return say(error_text("no process can be made to run anything in"), ExitStatus::own_failure);
  }
  record.runs = std::move(compared.runs);
  record.seeds = compared.seeds;
  if (compared.interrupted) record.stopped = "interrupted";
  if (record.seeds == 0) {
    return say(error_text("interrupted before every strategy had met the first seed"),
               ExitStatus::interrupted);
  }
  const reports::Analysis analysis = reports::analyse(record);
  if (!outputs.takes_standard_output()) {
    print(reports::comparison_text(record, analysis,
                                   {.colour = wants_colour(), .width = report_width()}));
  }
  if (const auto wrong = outputs.write(record, analysis)) {
    return say(*wrong, ExitStatus::own_failure);
  }
  if (command.open && !outputs.page().empty()) print_error(open_page(outputs.page()));
  if (compared.interrupted) {
    if (!command.save_baseline.empty()) print_error("no baseline was saved: interrupted\n");
    return ExitStatus::interrupted;
  }
  if (!command.save_baseline.empty()) {
    const auto wrong = save_baseline(record, command.save_baseline);
    if (wrong) return say(*wrong, ExitStatus::own_failure);
  }
  return analysis.failed ? ExitStatus::not_as_expected : ExitStatus::as_expected;
}

}  // namespace rejoin::app
