#include "sim/app/outputs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "reports/history.hpp"
#include "reports/html.hpp"
#include "reports/pictures.hpp"
#include "reports/report.hpp"
#include "reports/run_page.hpp"
#include "reports/tables.hpp"
#include "sim/app/results_folder.hpp"

namespace rejoin::app {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::pair<OutKind, std::string_view>, 12> kKinds = {
    {{OutKind::text, "text"},
     {OutKind::json, "json"},
     {OutKind::schedule, "schedule"},
     {OutKind::edn, "edn"},
     {OutKind::jsonl, "jsonl"},
     {OutKind::html, "html"},
     {OutKind::csv, "csv"},
     {OutKind::markdown, "markdown"},
     {OutKind::perfetto, "perfetto"},
     {OutKind::shiviz, "shiviz"},
     {OutKind::mermaid, "mermaid"},
     {OutKind::svg, "svg"}}};

// Whether one file of the kind is of one run: `a schedule`, `a history`. Empty when it tells of
// all.
std::string_view thing_of_one_run(OutKind kind) {
  switch (kind) {
    case OutKind::text:
    case OutKind::json:
    case OutKind::csv:
    case OutKind::markdown:
      return {};
    case OutKind::schedule:
      return "schedule";
    case OutKind::edn:
    case OutKind::jsonl:
      return "history";
    case OutKind::html:
      return "page";
    case OutKind::perfetto:
      return "trace";
    case OutKind::shiviz:
      return "log";
    case OutKind::mermaid:
      return "diagram";
    case OutKind::svg:
      return "picture";
  }
  return {};
}

std::string file_name(OutKind kind, std::size_t trials, std::uint64_t seed) {
  const std::string which = trials == 1 ? "" : fmt::format("-{}", seed);
  switch (kind) {
    case OutKind::text:
      return "report.txt";
    case OutKind::json:
      return "report.json";
    case OutKind::schedule:
      return "schedule" + which + ".yaml";
    case OutKind::edn:
      return "history" + which + ".edn";
    case OutKind::jsonl:
      return "history" + which + ".jsonl";
    case OutKind::html:
      return "page" + which + ".html";
    case OutKind::csv:
      return "metrics.csv";
    case OutKind::markdown:
      return "report.md";
    case OutKind::perfetto:
      return "trace" + which + ".json";
    case OutKind::shiviz:
      return "shiviz" + which + ".log";
    case OutKind::mermaid:
      return "causes" + which + ".mmd";
    case OutKind::svg:
      return "staleness" + which + ".svg";
  }
  return {};
}

}  // namespace

std::string_view to_name(OutKind kind) {
  for (const auto& [each, name] : kKinds) {
    if (each == kind) return name;
  }
  return {};
}

std::optional<OutKind> out_kind_of(std::string_view name) {
  for (const auto& [kind, each] : kKinds) {
    if (each == name) return kind;
  }
  return std::nullopt;
}

bool is_picture(OutKind kind) {
  return kind == OutKind::html || kind == OutKind::perfetto || kind == OutKind::shiviz ||
         kind == OutKind::mermaid || kind == OutKind::svg;
}

std::vector<std::string> out_kinds() {
  std::vector<std::string> out;
  for (const auto& [kind, name] : kKinds) out.emplace_back(name);
  return out;
}

std::string json_of(const std::vector<Finished>& all) {
  if (all.size() == 1) return reports::json_report(all.front().trials);
  std::vector<std::vector<RunRecord>> records;
  for (const Finished& each : all) records.push_back(each.trials);
  return reports::json_report_of_files(records);
}

struct Outputs::File {
  explicit File(const std::string& path)
      : descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }

  int descriptor;
};

Outputs::Outputs() = default;
Outputs::Outputs(Outputs&&) noexcept = default;
Outputs& Outputs::operator=(Outputs&&) noexcept = default;
Outputs::~Outputs() = default;

tl::expected<Outputs, std::string> Outputs::open(const std::vector<OutRequest>& asked,
                                                 const std::vector<Job>& jobs) {
  Outputs out;
  std::size_t runs = 0;
  for (const Job& job : jobs) {
    runs += job.trials;
    out.trials_.push_back(job.trials);
  }
  for (const OutRequest& request : asked) {
    Target target{.kind = request.kind, .path = request.file.value_or(""), .file = nullptr};
    const std::string_view thing = thing_of_one_run(request.kind);
    if (!thing.empty() && request.file && runs != 1) {
      return tl::unexpected(
          error_text(fmt::format("--out: `{}` holds one {}, and these are {} runs", *request.file,
                                 thing, runs),
                     fmt::format("--out {} writes each to a file of its own, below results/",
                                 to_name(request.kind))));
    }
    if (!target.path.empty() && target.path != "-") {
      for (const Job& job : jobs) {
        std::error_code ignored;
        if (!fs::equivalent(job.file, target.path, ignored)) continue;
        return tl::unexpected(
            error_text("--out: `" + target.path + "` is a scenario that is to be run"));
      }
      target.file = std::make_unique<File>(target.path);
      if (target.file->descriptor < 0) {
        return tl::unexpected(cannot_text("write", target.path, std::strerror(errno)));
      }
    }
    out.targets_.push_back(std::move(target));
  }
  const bool folders = std::any_of(out.targets_.begin(), out.targets_.end(),
                                   [](const Target& target) { return target.path.empty(); });
  if (folders) {
    if (auto wrong = out.make_folders(jobs)) return tl::unexpected(*std::move(wrong));
  }
  return out;
}

std::optional<std::string> Outputs::make_folders(const std::vector<Job>& jobs) {
  for (const Job& job : jobs) {
    auto folder = make_results_folder(job.scenario.name());
    if (!folder) return folder.error();
    folders_.push_back(*std::move(folder));
  }
  return std::nullopt;
}

bool Outputs::wants_events() const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [](const Target& target) { return is_picture(target.kind); });
}

bool Outputs::takes_standard_output() const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [](const Target& target) { return target.path == "-"; });
}

namespace {

// Of one run of a job: the kinds that tell of one.
std::string of_run(OutKind kind, const Finished& done, std::size_t trial) {
  switch (kind) {
    case OutKind::schedule:
      return sim::to_yaml(done.job->schedule(done.job->first_seed + trial));
    case OutKind::edn:
      return reports::history_edn(done.trials[trial]);
    case OutKind::jsonl:
      return reports::history_jsonl(done.trials[trial]);
    case OutKind::text:
    case OutKind::json:
    case OutKind::csv:
    case OutKind::markdown:
    case OutKind::html:
    case OutKind::perfetto:
    case OutKind::shiviz:
    case OutKind::mermaid:
    case OutKind::svg:
      break;
  }
  return {};
}

std::string picture_of(OutKind kind, Drawn&& run) {
  switch (kind) {
    case OutKind::html:
      return reports::html_page(run.record.scenario + ", seed " + std::to_string(run.record.seed),
                                reports::run_page_json(run.record, std::move(run.events),
                                                       {.version = std::string(kVersion),
                                                        .command = std::move(run.command)}));
    case OutKind::perfetto:
      return reports::perfetto_json(run.record, run.events);
    case OutKind::shiviz:
      return reports::shiviz_log(run.record, run.events);
    case OutKind::mermaid:
      return reports::mermaid_diagram(run.record, run.events);
    case OutKind::svg:
      return reports::staleness_svg(run.record, run.events);
    case OutKind::text:
    case OutKind::json:
    case OutKind::csv:
    case OutKind::markdown:
    case OutKind::schedule:
    case OutKind::edn:
    case OutKind::jsonl:
      break;
  }
  return {};
}

std::vector<std::vector<RunRecord>> records_of(const std::vector<Finished>& all) {
  std::vector<std::vector<RunRecord>> out;
  for (const Finished& each : all) out.push_back(each.trials);
  return out;
}

// The reports of several files in one.
std::string together(OutKind kind, const std::vector<Finished>& all) {
  switch (kind) {
    case OutKind::text: {
      std::string out;
      for (const Finished& each : all) out += (out.empty() ? "" : "\n") + each.text;
      return out;
    }
    case OutKind::json:
      return json_of(all);
    case OutKind::csv:
      return reports::metrics_csv(records_of(all));
    case OutKind::markdown:
      return reports::markdown_report(records_of(all));
    case OutKind::schedule:
    case OutKind::edn:
    case OutKind::jsonl:
      return of_run(kind, all.front(), 0);
    case OutKind::html:
    case OutKind::perfetto:
    case OutKind::shiviz:
    case OutKind::mermaid:
    case OutKind::svg:
      break;  // written run by run
  }
  return {};
}

std::optional<std::string> put_in_folder(OutKind kind, const Finished& done,
                                         const std::string& folder) {
  const Job& job = *done.job;
  if (thing_of_one_run(kind).empty()) {
    const std::vector<Finished> alone = {done};
    if (kind == OutKind::csv) {
      const std::string steps = reports::steps_csv(done.trials);
      if (auto wrong = write_file(folder + "/steps.csv", steps)) return wrong;
      const std::string reads = reports::reads_csv(done.trials);
      if (auto wrong = write_file(folder + "/reads.csv", reads)) return wrong;
    }
    return write_file(folder + "/" + file_name(kind, 1, 0), together(kind, alone));
  }
  for (std::uint32_t trial = 0; trial < job.trials; ++trial) {
    const std::uint64_t seed = job.first_seed + trial;
    const std::string path = folder + "/" + file_name(kind, job.trials, seed);
    if (auto wrong = write_file(path, of_run(kind, done, trial))) return wrong;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> Outputs::draw(std::size_t job, Drawn run) {
  for (const Target& target : targets_) {
    if (!is_picture(target.kind)) continue;
    const std::string text = picture_of(
        target.kind, {.record = run.record, .events = run.events, .command = run.command});
    std::string path = target.path;
    if (path == "-") {
      print(text);
      continue;
    }
    if (target.file != nullptr) {
      if (!replace_content(target.file->descriptor, text)) {
        return cannot_text("write", path, std::strerror(errno));
      }
    } else {
      path = folders_[job] + "/" + file_name(target.kind, trials_[job], run.record.seed);
      if (auto wrong = write_file(path, text)) return wrong;
    }
    if (target.kind == OutKind::html && page_.empty()) page_ = path;
  }
  return std::nullopt;
}

std::optional<std::string> Outputs::write(const std::vector<Finished>& all) {
  for (const Target& target : targets_) {
    if (is_picture(target.kind)) continue;  // drawn when its run ended
    if (target.path == "-") {
      print(together(target.kind, all));
    } else if (target.file != nullptr) {
      if (!replace_content(target.file->descriptor, together(target.kind, all))) {
        return cannot_text("write", target.path, std::strerror(errno));
      }
    } else {
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (auto wrong = put_in_folder(target.kind, all[i], folders_[i])) return wrong;
      }
    }
  }
  for (const std::string& folder : folders_) {
    if (auto wrong = point_latest_at(folder)) return wrong;
    print_error("results are in " + folder + "/\n");
  }
  return std::nullopt;
}

}  // namespace rejoin::app
