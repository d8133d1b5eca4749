#include "sim/app/compare_outputs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/params.hpp"
#include "reports/html.hpp"
#include "sim/app/results_folder.hpp"

namespace rejoin::app {

namespace fs = std::filesystem;

namespace {

std::string file_name(CompareOutKind kind) {
  switch (kind) {
    case CompareOutKind::text:
      return "comparison.txt";
    case CompareOutKind::json:
      return "comparison.json";
    case CompareOutKind::csv:
      return "runs.csv";
    case CompareOutKind::markdown:
      return "comparison.md";
    case CompareOutKind::svg:
      return "comparison.svg";
    case CompareOutKind::html:
      return "comparison.html";
  }
  return {};
}

std::string content_of(CompareOutKind kind, const ComparisonRecord& record,
                       const reports::Analysis& analysis) {
  switch (kind) {
    case CompareOutKind::text:
      return reports::comparison_text(record, analysis, {});
    case CompareOutKind::json:
      return reports::comparison_json(record, analysis);
    case CompareOutKind::csv:
      return reports::comparison_csv(record);
    case CompareOutKind::markdown:
      return reports::comparison_markdown(record, analysis);
    case CompareOutKind::svg:
      return reports::comparison_svg(record, analysis);
    case CompareOutKind::html:
      return reports::html_page(record.scenario + ": strategies compared",
                                reports::comparison_page(record, analysis));
  }
  return {};
}

}  // namespace

CompareOutputs::~CompareOutputs() {
  for (const Target& target : targets_) {
    if (target.file > STDERR_FILENO) ::close(target.file);
  }
}

std::optional<std::string> CompareOutputs::open(const std::vector<CompareOut>& asked,
                                                const std::string& scenario,
                                                const std::string& scenario_file) {
  for (const CompareOut& each : asked) {
    Target target{.kind = each.kind, .path = each.file.value_or(""), .file = STDOUT_FILENO};
    if (target.path.empty() && folder_.empty()) {
      auto folder = make_results_folder(scenario);
      if (!folder) return folder.error();
      folder_ = *std::move(folder);
    }
    if (target.path.empty()) target.path = folder_ + "/" + file_name(each.kind);
    if (target.path != "-") {
      std::error_code ignored;
      if (fs::equivalent(scenario_file, target.path, ignored)) {
        return error_text("--out: `" + target.path + "` is the scenario that is to be run");
      }
      target.file = ::open(target.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
      if (target.file < 0) return cannot_text("write", target.path, std::strerror(errno));
    }
    targets_.push_back(target);
  }
  return std::nullopt;
}

std::string CompareOutputs::page() const {
  for (const Target& target : targets_) {
    if (target.kind == CompareOutKind::html && target.path != "-") return target.path;
  }
  return {};
}

bool CompareOutputs::takes_standard_output() const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [](const Target& target) { return target.path == "-"; });
}

std::optional<std::string> CompareOutputs::write(const ComparisonRecord& record,
                                                 const reports::Analysis& analysis) {
  for (const Target& target : targets_) {
    const std::string content = content_of(target.kind, record, analysis);
    if (target.path == "-") {
      print(content);
    } else if (!replace_content(target.file, content)) {
      return cannot_text("write", target.path, std::strerror(errno));
    }
  }
  if (folder_.empty()) return std::nullopt;
  if (auto wrong = point_latest_at(folder_)) return wrong;
  print_error("results are in " + folder_ + "/\n");
  return std::nullopt;
}

// ---- Baselines ---------------------------------------------------------------------------------

namespace {

std::string folder_of(const std::string& scenario) {
  return "results/baselines/" + folder_name(scenario);
}

std::vector<std::string> saved_baselines(const std::string& scenario) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_of(scenario), error)) {
    if (entry.path().extension() == ".json") out.push_back(entry.path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

bool shares(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&b](const std::string& one) {
    return std::any_of(b.begin(), b.end(), [&one](const std::string& other) {
      return normal_name(one) == normal_name(other);
    });
  });
}

// What keeps the two from being compared; empty: nothing.
std::string mismatch(const ComparisonRecord& record, const reports::SavedBaseline& saved,
                     std::string* hint) {
  const ComparisonBaseline& baseline = saved.baseline;
  *hint = "--save-baseline saves one of this comparison";
  if (saved.scenario != record.scenario) {
    return "is of the scenario `" + saved.scenario + "`, and this is `" + record.scenario + "`";
  }
  if (saved.fingerprint != record.fingerprint) {
    return "is of another scenario: the file, or what --set makes of it, has changed since";
  }
  if (!shares(record.strategies, baseline.strategies)) {
    *hint = "strategies that it has: " + listed(baseline.strategies);
    return "has none of these strategies";
  }
  std::vector<std::string> cells;
  for (std::size_t cell = 0; cell < record.cells(); ++cell) cells.push_back(record.name_of(cell));
  if (!shares(cells, baseline.cells)) {
    const std::string had = listed(baseline.cells);
    *hint = had.empty() ? "nothing was varied in it" : "cells that it has: " + had;
    return "has none of these cells";
  }
  const std::uint64_t last = record.first_seed + (record.seeds_asked - 1);
  const std::uint64_t last_there = baseline.first_seed + (baseline.seeds - 1);
  if (last < baseline.first_seed || last_there < record.first_seed) {
    *hint = "seeds that it has: " + std::to_string(baseline.first_seed) + ".." +
            std::to_string(last_there);
    return "has none of these seeds";
  }
  return {};
}

}  // namespace

std::string baseline_path(const std::string& scenario, const std::string& name) {
  return folder_of(scenario) + "/" + name + ".json";
}

std::optional<std::string> prepare_baseline(const std::string& scenario, const std::string& name) {
  const std::string folder = folder_of(scenario);
  const auto wrong = [&](const std::string& why) {
    return error_text("--save-baseline: cannot write `" + baseline_path(scenario, name) +
                      "`: " + why);
  };
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return wrong(error.message());
  if (::access(folder.c_str(), W_OK) != 0) return wrong(std::strerror(errno));
  return std::nullopt;
}

std::optional<std::string> save_baseline(const ComparisonRecord& record, const std::string& name) {
  const std::string path = baseline_path(record.scenario, name);
  const std::string part = path + ".part";
  if (auto wrong = write_file(part, reports::baseline_json(record))) return wrong;
  std::error_code error;
  fs::rename(part, path, error);
  if (error) return cannot_text("write", path, error.message());
  print_error("the baseline is in " + path + "\n");
  return std::nullopt;
}

tl::expected<ComparisonBaseline, std::string> load_baseline(const ComparisonRecord& record,
                                                            const std::string& name) {
  const std::string path = baseline_path(record.scenario, name);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const std::vector<std::string> known = saved_baselines(record.scenario);
    return tl::unexpected(
        error_text("--baseline: there is no baseline `" + name + "` of `" + record.scenario + "`",
                   known.empty() ? "none is saved yet: --save-baseline " + name
                                 : hint_of(name, known, "baselines")));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto saved = reports::read_baseline(text);
  if (!saved) return tl::unexpected(error_text("--baseline: `" + path + "` " + saved.error()));
  std::string hint;
  const std::string why = mismatch(record, *saved, &hint);
  if (!why.empty()) return tl::unexpected(error_text("--baseline: `" + path + "` " + why, hint));
  saved->baseline.name = name;
  return std::move(saved->baseline);
}

}  // namespace rejoin::app
