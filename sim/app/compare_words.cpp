#include "sim/app/compare_words.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "model/params.hpp"
#include "sim/app/explore_words.hpp"
#include "sim/app/out_words.hpp"
#include "sim/run/metrics.hpp"

namespace rejoin::app {

namespace {

constexpr std::pair<CompareOutKind, std::string_view> kKinds[] = {
    {CompareOutKind::text, "text"}, {CompareOutKind::json, "json"},
    {CompareOutKind::csv, "csv"},   {CompareOutKind::markdown, "markdown"},
    {CompareOutKind::svg, "svg"},   {CompareOutKind::html, "html"}};

// More than anybody reads, and a bound on what one command starts.
constexpr std::size_t kStrategiesMax = 64;
constexpr std::size_t kCellsMax = 10'000;
constexpr std::uint64_t kSeedsMax = 1'000'000;
constexpr std::uint64_t kRunsMax = 10'000'000;

tl::expected<std::vector<std::string>, std::string> strategies_of(const std::string& text) {
  const std::string hint = "as in --sync none,rejoin-sync,hinted-handoff+merkle";
  if (text.empty()) return tl::unexpected(error_text("`rejoin compare` needs --sync", hint));
  std::vector<std::string> out;
  for (std::string& name : split_list(text)) {
    if (name.empty()) {
      return tl::unexpected(error_text("--sync: `" + text + "` has an empty name", hint));
    }
    const bool again = std::any_of(out.begin(), out.end(), [&name](const std::string& other) {
      return normal_name(other) == normal_name(name);
    });
    if (again) return tl::unexpected(error_text("--sync: `" + name + "` twice", "each once"));
    out.push_back(std::move(name));
  }
  if (out.size() > kStrategiesMax) {
    return tl::unexpected(
        error_text("--sync: more than " + std::to_string(kStrategiesMax) + " strategies at once"));
  }
  return out;
}

tl::expected<std::vector<Vary>, std::string> vary_of(const std::vector<std::string>& words) {
  std::vector<Vary> out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return tl::unexpected(error_text("--vary: `" + word + "` is not PATH=A,B",
                                       "as in --vary timeline.back.after=10s,1m"));
    }
    Vary vary{.path = word.substr(0, equals), .values = split_list(word.substr(equals + 1))};
    for (const char* const own : {"sync", "seed", "trials"}) {
      if (normal_name(vary.path) != own) continue;
      const std::string flag = vary.path == "sync" ? "--sync A,B" : "--seeds N or A..B";
      return tl::unexpected(
          error_text("--vary: `" + vary.path + "` is what " + flag + " is for", flag));
    }
    const bool again = std::any_of(out.begin(), out.end(), [&vary](const Vary& other) {
      return normal_name(other.path) == normal_name(vary.path);
    });
    if (again) return tl::unexpected(error_text("--vary: `" + vary.path + "` twice", "each once"));
    for (std::size_t i = 0; i < vary.values.size(); ++i) {
      const std::string& value = vary.values[i];
      if (value.empty()) {
        return tl::unexpected(error_text("--vary: `" + word + "` has an empty value"));
      }
      if (std::find(vary.values.begin(), vary.values.begin() + static_cast<std::ptrdiff_t>(i),
                    value) != vary.values.begin() + static_cast<std::ptrdiff_t>(i)) {
        return tl::unexpected(error_text("--vary: `" + word + "` has `" + value + "` twice"));
      }
    }
    out.push_back(std::move(vary));
  }
  return out;
}

// N: seeds 1 to N.
tl::expected<sim::SeedRange, std::string> seeds_of(const std::string& text,
                                                   sim::SeedRange otherwise) {
  if (text.empty()) return otherwise;
  if (text.find("..") != std::string::npos) {
    auto range = range_of(text);
    if (range && (range->count() == 0 || range->count() > kSeedsMax)) {
      return tl::unexpected(error_text("--seeds: `" + text + "` are more than " +
                                       std::to_string(kSeedsMax) + " seeds"));
    }
    return range;
  }
  const auto count = count_of("--seeds", text, 0, kSeedsMax);
  if (!count) {
    return tl::unexpected(error_text(
        "--seeds: `" + text + "` is not what it takes",
        "N, a number from 1 to " + std::to_string(kSeedsMax) + ", or A..B, both included"));
  }
  return sim::SeedRange{.first = 1, .last = *count};
}

tl::expected<std::vector<std::string>, std::string> metrics_of(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  std::vector<std::string> known;
  for (const sim::MetricSpec& spec : sim::metric_specs()) known.emplace_back(spec.name);
  for (const std::string& name : split_list(text)) {
    const auto found = std::find_if(known.begin(), known.end(), [&name](const std::string& each) {
      return normal_name(each) == normal_name(name);
    });
    if (found == known.end()) {
      return tl::unexpected(error_text("--metrics: there is no metric `" + name + "`",
                                       hint_of(name, known, "metrics")));
    }
    if (std::find(out.begin(), out.end(), *found) == out.end()) out.push_back(*found);
  }
  return out;
}

// They name a file of results/baselines/SCENARIO.
std::string wrong_name(std::string_view flag, const std::string& name) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  constexpr std::size_t kLongest = 100;
  const bool plain = name.find_first_not_of(kPlain) == std::string::npos &&
                     !name.starts_with(".") && name.size() <= kLongest;
  if (plain) return {};
  return error_text(std::string(flag) + ": `" + name + "` is no name of a baseline",
                    "letters, digits, - _ and . not at the beginning, up to 100 of them");
}

}  // namespace

std::string_view to_name(CompareOutKind kind) {
  for (const auto& [each, name] : kKinds) {
    if (each == kind) return name;
  }
  return {};
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[' || c == '(') {
      ++depth;
    } else if (c == '}' || c == ']' || c == ')') {
      --depth;
    } else if (c == ',' && depth <= 0) {
      out.emplace_back();
      continue;
    }
    out.back() += c;
  }
  return out;
}

void declare_compare(CLI::App& command, CompareWords& words) {
  command.add_option("--sync", words.sync, "A,B+C,D: the strategies; B+C composes mechanisms");
  command
      .add_option("--vary", words.vary,
                  "PATH=A,B: each value of the file in turn; may be repeated, for a grid")
      ->allow_extra_args(false);
  command.add_option("--seeds", words.seeds, "N or A..B: the same for every strategy (30)");
  command.add_option("-j,--jobs", words.jobs, "processes (all cores)");
  command.add_option("--reference", words.reference,
                     "the strategy that others are compared with (the first)");
  command.add_option("--metrics", words.metrics, "A,B: what is shown, instead of what matters");
  command.add_option("--save-baseline", words.save_baseline,
                     "NAME: keep it below results/baselines/ to compare with later");
  command.add_option("--baseline", words.baseline,
                     "NAME: compare with what was kept; worse exits with 1");
  command
      .add_option("--out", words.outs,
                  "KIND[=FILE]: also write text, json, csv, markdown, svg or html; - is standard "
                  "output, without =FILE it goes below results/")
      ->allow_extra_args(false);
}

tl::expected<Command, std::string> compare_of(Selection selection, const CompareWords& words) {
  if (selection.files.size() > 1) {
    return tl::unexpected(error_text("`rejoin compare` takes one file at a time"));
  }
  CompareCommand out;
  auto strategies = strategies_of(words.sync);
  if (!strategies) return tl::unexpected(strategies.error());
  out.strategies = *std::move(strategies);
  auto vary = vary_of(words.vary);
  if (!vary) return tl::unexpected(vary.error());
  out.vary = *std::move(vary);
  const auto seeds = seeds_of(words.seeds, out.seeds);
  if (!seeds) return tl::unexpected(seeds.error());
  out.seeds = *seeds;
  std::uint64_t cells = 1;
  for (const Vary& each : out.vary) cells = std::min(cells * each.values.size(), kCellsMax + 1);
  if (cells > kCellsMax || cells * out.seeds.count() * out.strategies.size() > kRunsMax) {
    return tl::unexpected(error_text("these are more than " + std::to_string(kRunsMax) +
                                         " runs, or " + std::to_string(kCellsMax) + " cells",
                                     "fewer values of --vary, or fewer seeds"));
  }
  const auto jobs = jobs_of(words.jobs);
  if (!jobs) return tl::unexpected(jobs.error());
  out.jobs = *jobs;
  auto metrics = metrics_of(words.metrics);
  if (!metrics) return tl::unexpected(metrics.error());
  out.metrics = *std::move(metrics);
  for (const auto& [flag, name] : {std::pair{"--save-baseline", &words.save_baseline},
                                   std::pair{"--baseline", &words.baseline}}) {
    const std::string wrong = wrong_name(flag, *name);
    if (!wrong.empty()) return tl::unexpected(wrong);
  }
  out.reference = words.reference;
  const bool known =
      out.reference.empty() ||
      std::any_of(out.strategies.begin(), out.strategies.end(), [&out](const std::string& name) {
        return normal_name(name) == normal_name(out.reference);
      });
  if (!known) {
    return tl::unexpected(error_text("--reference: `" + out.reference + "` is not compared",
                                     hint_of(out.reference, out.strategies, "strategies")));
  }
  out.save_baseline = words.save_baseline;
  out.baseline = words.baseline;
  auto requests = outs_of<CompareOut>(words.outs, kKinds, "comparisons");
  if (!requests) return tl::unexpected(requests.error());
  out.outputs = *std::move(requests);
  out.selection = std::move(selection);
  out.selection.sync.reset();  // --sync here is a list
  return out;
}

}  // namespace rejoin::app
