// The commands of `rejoin`: what each was asked to do, and the functions that do it.
//
// Invariants:
// 1. Results go to standard output, everything else to standard error.
// 2. A command that gets bad input says so and returns bad_input before anything has run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/explore/campaign.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::app {

inline constexpr std::string_view kVersion = "0.1.0";

// What scripts and CI look at.
enum class ExitStatus : int {
  as_expected = 0,
  not_as_expected = 1,  // an invariant broke, an expectation was missed, vacuous, unbounded
  bad_input = 2,        // or usage; nothing was run
  replays_differ = 3,
  own_failure = 4,
  not_judged = 125,   // of `run --bisect`: skip this commit
  interrupted = 130,  // what there was until then is reported and saved
};

// Which runs, and how.
struct Selection {
  std::vector<std::string> files;
  std::optional<std::uint64_t> seed = {};  // instead of the file's
  std::vector<sim::Override> overrides = {};
  std::optional<std::string> sync = {};  // A, or A+B
  bool expectations = true;
};

enum class Format : std::uint8_t { text, json };

// What `--out` can write.
enum class OutKind : std::uint8_t {
  text,
  json,
  schedule,  // what was run, as a scenario file with nothing left to pick
  edn,       // the history of clients, as Jepsen's checkers read it
  jsonl,     // the same, an operation a line
  html,      // the page: one file that opens anywhere
  csv,       // for spreadsheets: metrics a row a run; below results/ also steps and reads
  markdown,  // tables for a pull request
  perfetto,  // a trace for ui.perfetto.dev
  shiviz,    // a log with vector clocks, for ShiViz
  mermaid,   // a sequence diagram of what led to the first violation
  svg,       // the staleness of each node over time, for a paper
};
struct OutRequest {
  OutKind kind{};
  std::optional<std::string> file = {};  // `-` is standard output; none: below results/
};

struct RunCommand {
  Selection selection;
  bool bisect = false;  // see bisect.hpp
  bool verify = false;
  std::string verify_with = {};      // the program to compare with; empty: this one
  std::optional<std::string> trace;  // the filter, may be empty
  MonotonicTime trace_from{};
  MonotonicTime trace_until = kForever;
  Format format = Format::text;
  std::vector<OutRequest> outputs;
  bool open = false;  // the page, when it is written
};
struct ReplayCommand {  // hidden: the second process of --verify
  bool expectations = true;
};
struct ValidateCommand {
  std::vector<std::string> files;
  bool resolved = false;
};
struct ListCommand {
  std::string kind;  // empty: everything, a line each
  std::string name;  // of one of that kind; empty: all of them
};
// What `fuzz --out` can write.
enum class CampaignOutKind : std::uint8_t {
  text,
  json,
  jsonl,  // a line a seed
  junit,
  github,  // annotations; and the summary of the step, where GITHUB_STEP_SUMMARY says
  html,    // the page
};
struct CampaignOut {
  CampaignOutKind kind{};
  std::optional<std::string> file = {};  // `-` is standard output; none: in the save folder
};
struct FuzzCommand {
  Selection selection;
  sim::SeedRange seeds{.first = 1, .last = 1'000};
  std::uint32_t jobs = 0;                               // 0: all cores
  std::uint64_t failures_max = 0;                       // 0: no bound
  std::optional<std::chrono::milliseconds> time_max{};  // real
  std::string save_dir{};  // empty: results/fuzz/SCENARIO, see folder_of
  bool shrinks = true;
  std::vector<CampaignOut> outputs{};
  bool open = false;  // the page, when it is written
};
struct ShrinkCommand {
  Selection selection;
  std::uint32_t jobs = 0;
  std::string save{};  // empty: standard output
};
struct HuntCommand {
  std::vector<std::string> bugs{};  // empty: all
  std::uint64_t runs = 200;         // at most, of a stretch of seeds
  std::uint32_t stretches = 5;
  std::uint32_t jobs = 0;
  std::string page{};  // a file of HTML to write; `-`: standard output; empty: none
};
// What `compare --out` can write.
enum class CompareOutKind : std::uint8_t {
  text,
  json,
  csv,       // a row a run
  markdown,  // a table for a pull request
  svg,       // the charts, for a paper
  html,
};
struct CompareOut {
  CompareOutKind kind{};
  std::optional<std::string> file = {};  // `-` is standard output; none: below results/
};
// A value of the file that takes several.
struct Vary {
  std::string path;
  std::vector<std::string> values;
};
struct CompareCommand {
  Selection selection;                    // one file; no sync, no seed
  std::vector<std::string> strategies{};  // A, or A+B
  std::vector<Vary> vary{};
  sim::SeedRange seeds{.first = 1, .last = 30};
  std::uint32_t jobs = 0;              // 0: all cores
  std::string reference{};             // empty: the first strategy
  std::vector<std::string> metrics{};  // to be shown; empty: those that matter
  std::string save_baseline{};         // a name; empty: none is saved
  std::string baseline{};              // a name; empty: none is compared with
  std::vector<CompareOut> outputs{};
  bool open = false;
};
struct SchemaCommand {};
struct PrintCommand {  // --help, --version
  std::string text;
};

using Command = std::variant<RunCommand, ReplayCommand, ValidateCommand, ListCommand, SchemaCommand,
                             FuzzCommand, ShrinkCommand, HuntCommand, CompareCommand, PrintCommand>;

[[nodiscard]] ExitStatus execute(const RunCommand& command);
[[nodiscard]] ExitStatus execute(const ReplayCommand& command);
[[nodiscard]] ExitStatus execute(const ValidateCommand& command);
[[nodiscard]] ExitStatus execute(const ListCommand& command);
[[nodiscard]] ExitStatus execute(const SchemaCommand& command);
[[nodiscard]] ExitStatus execute(const FuzzCommand& command);
[[nodiscard]] ExitStatus execute(const ShrinkCommand& command);
[[nodiscard]] ExitStatus execute(const HuntCommand& command);
[[nodiscard]] ExitStatus execute(const CompareCommand& command);
[[nodiscard]] ExitStatus execute(const PrintCommand& command);

// Plants a bug in this process, or, with an empty name, none. Only `rejoin-hunt` has one.
using Planter = bool (*)(std::string_view name);
void set_planter(Planter plant);
// For -j: as many as there are.
[[nodiscard]] std::uint32_t all_cores();
// The commit that this program was built from, as far as it was known; may be empty.
[[nodiscard]] std::string build_commit();

// `error: WHAT`, and `  hint: HINT` unless that is empty.
[[nodiscard]] std::string error_text(std::string_view what, std::string_view hint = {});
// ``did you mean `NEAREST`? KIND: a, b, c``.
[[nodiscard]] std::string hint_of(std::string_view name, const std::vector<std::string>& known,
                                  std::string_view kind);
void print(std::string_view text);        // to standard output
void print_error(std::string_view text);  // to standard error
// Standard output is a terminal and NO_COLOR is not set.
[[nodiscard]] bool wants_colour();

}  // namespace rejoin::app
