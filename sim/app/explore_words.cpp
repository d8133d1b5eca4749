#include "sim/app/explore_words.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>

#include "model/params.hpp"
#include "sim/app/out_words.hpp"

namespace rejoin::app {

namespace {

constexpr std::pair<CampaignOutKind, std::string_view> kKinds[] = {
    {CampaignOutKind::text, "text"},     {CampaignOutKind::json, "json"},
    {CampaignOutKind::jsonl, "jsonl"},   {CampaignOutKind::junit, "junit"},
    {CampaignOutKind::github, "github"}, {CampaignOutKind::html, "html"}};

std::optional<std::uint64_t> number_in(std::string_view text, int base = 10) {
  std::uint64_t out = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

tl::expected<std::uint64_t, std::string> count_of(std::string_view flag, const std::string& text,
                                                  std::uint64_t otherwise, std::uint64_t most) {
  if (text.empty()) return otherwise;
  const auto number = number_in(text);
  if (number && *number >= 1 && *number <= most) return *number;
  return tl::unexpected(error_text(std::string(flag) + ": `" + text + "` is not what it takes",
                                   "a whole number from 1 to " + std::to_string(most)));
}

tl::expected<std::uint32_t, std::string> jobs_of(const std::string& text) {
  constexpr std::uint64_t kJobsMax = 1'024;
  const auto out = count_of("-j", text, 0, kJobsMax);
  if (!out) return tl::unexpected(out.error());
  return static_cast<std::uint32_t>(*out);
}

// `A..B`, both ends included.
tl::expected<sim::SeedRange, std::string> range_of(const std::string& text) {
  const auto wrong = [&](const std::string& why) {
    return tl::unexpected(error_text("--seeds: `" + text + "` " + why,
                                     "A..B, the first and the last seed, as in --seeds 1..1000"));
  };
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return wrong("is no range");
  const auto first = number_in(std::string_view(text).substr(0, dots));
  const auto last = number_in(std::string_view(text).substr(dots + 2));
  if (!first || !last) return wrong("is no range of seeds");
  if (*first > *last) return wrong("is empty: the first seed is behind the last");
  return sim::SeedRange{.first = *first, .last = *last};
}

void declare_fuzz(CLI::App& command, ExploreWords& words) {
  command.add_option("--runs", words.runs, "how many seeds, from --seed or 1 on (1000)");
  command.add_option("--seeds", words.seeds, "A..B: these seeds, both included");
  command.add_option("-j,--jobs", words.jobs, "processes (all cores)");
  command.add_flag("-x,--exitfirst", words.stop_first, "stop at the first failure");
  command.add_option("--max-failures", words.max_failures, "stop after so many failures");
  command.add_option("--max-time", words.max_time, "stop after so long, in real time, as 10m");
  command.add_option("--save-dir", words.save_dir,
                     "where failures are kept, and found again (results/fuzz/SCENARIO)");
  command.add_flag("--no-shrink", words.no_shrink, "save failures as they were found");
}

void declare_shrink(CLI::App& command, ExploreWords& words) {
  command.add_option("--save", words.save, "FILE to write (standard output)");
  command.add_option("-j,--jobs", words.jobs, "processes (all cores)");
}

void declare_hunt(CLI::App& command, ExploreWords& words) {
  command.add_option("--bug", words.bugs, "only this one; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--runs", words.runs, "seeds at most, of each stretch (200)");
  command.add_option("--stretches", words.stretches, "how many times to search (5)");
  command.add_option("-j,--jobs", words.jobs, "processes (all cores)");
  command.add_option("--out", words.pages, "html=FILE: also write a page; - is standard output")
      ->allow_extra_args(false);
}

tl::expected<Command, std::string> fuzz_of(Selection selection, const ExploreWords& words,
                                           const std::vector<std::string>& outs) {
  FuzzCommand out;
  if (!words.seeds.empty()) {
    if (!words.runs.empty() || selection.seed) {
      return tl::unexpected(error_text(
          "--seeds says which seeds; so does " + std::string(selection.seed ? "--seed" : "--runs"),
          "one of them"));
    }
    const auto range = range_of(words.seeds);
    if (!range) return tl::unexpected(range.error());
    out.seeds = *range;
  } else {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    const auto runs = count_of("--runs", words.runs, 1'000, kMost);
    if (!runs) return tl::unexpected(runs.error());
    out.seeds.first = selection.seed.value_or(1);
    if (out.seeds.first > kMost - (*runs - 1)) {
      return tl::unexpected(error_text("there are not " + std::to_string(*runs) + " seeds from " +
                                       std::to_string(out.seeds.first) + " on"));
    }
    out.seeds.last = out.seeds.first + (*runs - 1);
  }
  const auto jobs = jobs_of(words.jobs);
  if (!jobs) return tl::unexpected(jobs.error());
  out.jobs = *jobs;
  if (words.stop_first && !words.max_failures.empty()) {
    return tl::unexpected(error_text("-x is --max-failures 1", "one of them"));
  }
  const auto failures = count_of("--max-failures", words.max_failures, words.stop_first ? 1 : 0,
                                 std::numeric_limits<std::uint64_t>::max());
  if (!failures) return tl::unexpected(failures.error());
  out.failures_max = *failures;
  if (!words.max_time.empty()) {
    const auto time = parse_duration(words.max_time);
    if (!time || *time <= 0ns) {
      return tl::unexpected(error_text("--max-time: `" + words.max_time + "` is not a time",
                                       "a duration such as 90s or 10m"));
    }
    out.time_max = std::chrono::ceil<std::chrono::milliseconds>(*time);
  }
  auto requests = outs_of<CampaignOut>(outs, kKinds, "campaigns");
  if (!requests) return tl::unexpected(requests.error());
  out.outputs = *std::move(requests);
  const auto page = std::find_if(out.outputs.begin(), out.outputs.end(), [](const auto& request) {
    return request.kind == CampaignOutKind::html;
  });
  // A page is of one campaign.
  if (page != out.outputs.end() && selection.files.size() > 1) {
    return tl::unexpected(error_text(
        "--out: a page is of one campaign, and these are " + std::to_string(selection.files.size()),
        "one file at a time"));
  }
  out.save_dir = words.save_dir;
  out.shrinks = !words.no_shrink;
  out.selection = std::move(selection);
  return out;
}

tl::expected<Command, std::string> shrink_of(Selection selection, const ExploreWords& words) {
  if (selection.files.size() > 1) {
    return tl::unexpected(error_text("`rejoin shrink` takes one file at a time"));
  }
  const auto jobs = jobs_of(words.jobs);
  if (!jobs) return tl::unexpected(jobs.error());
  return ShrinkCommand{.selection = std::move(selection), .jobs = *jobs, .save = words.save};
}

tl::expected<Command, std::string> hunt_of(const ExploreWords& words) {
  HuntCommand out{.bugs = words.bugs};
  const auto jobs = jobs_of(words.jobs);
  if (!jobs) return tl::unexpected(jobs.error());
  out.jobs = *jobs;
  const auto runs = count_of("--runs", words.runs, out.runs, 1'000'000'000);
  if (!runs) return tl::unexpected(runs.error());
  out.runs = *runs;
  const auto stretches = count_of("--stretches", words.stretches, out.stretches, 1'000);
  if (!stretches) return tl::unexpected(stretches.error());
  out.stretches = static_cast<std::uint32_t>(*stretches);
  const auto requests = outs_of<CampaignOut>(words.pages, kKinds, "campaigns");
  if (!requests) return tl::unexpected(requests.error());
  for (const CampaignOut& request : *requests) {
    if (request.kind != CampaignOutKind::html || !out.page.empty()) {
      return tl::unexpected(
          error_text("--out: a hunt writes one page and nothing else", "as in --out html=FILE"));
    }
    out.page = request.file.value_or("hunt.html");
  }
  return out;
}

}  // namespace rejoin::app
