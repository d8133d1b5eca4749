// Scenario files: YAML to schedules. The only door to yaml-cpp.
//
// A file is read into a tree of nodes with marks, `extends` is merged in (maps merge, lists
// replace, timeline steps merge by label), `--set` overrides are applied, picks are resolved for a
// seed, and the tree is turned into a Schedule. Every complaint names file:line:column, what was
// found, what is allowed and the nearest known name; all complaints of a file come together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/comparison_record.hpp"
#include "model/schedule.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

// Of the files that are read and written here. It rises when a file would come to mean something
// else; keys that are added raise nothing.
inline constexpr std::int64_t kFormat = 1;

// One thing that is wrong with a file or an override.
struct Diagnostic {
  std::string file;         // or `--set PATH=VALUE`
  int line = 0;             // from 1; 0 when the whole file is meant
  int column = 0;           // from 1
  std::string message;      // what is wrong
  std::string hint;         // what is allowed, the nearest name; may be empty
  std::string source_line;  // for the caret; may be empty
};
// `file:line:column: error: message`, the line, a caret, `hint`: as compilers print it.
[[nodiscard]] std::string to_text(const Diagnostic& diagnostic);

using Diagnostics = std::vector<Diagnostic>;

struct Override {
  std::string path;   // timeline.T4.after
  std::string value;  // as YAML would write it
};

// A scenario that has been read and merged, but whose picks are open.
class Scenario {
 public:
  struct Impl;
  explicit Scenario(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::uint64_t seed() const;    // of the file
  [[nodiscard]] std::uint32_t trials() const;  // of the file, 1 when absent
  // Whether the merged file has that key: `nemesis`.
  [[nodiscard]] bool has(std::string_view key) const;
  // The merged file as YAML: what `validate --resolved` prints. Reads back as the same scenario.
  [[nodiscard]] std::string resolved() const;

  // What the file asks of a comparison. No run is judged by them.
  [[nodiscard]] const std::vector<Threshold>& thresholds() const;

  // Resolves the picks by (seed, path) and checks every value.
  [[nodiscard]] tl::expected<Schedule, Diagnostics> materialise(std::uint64_t seed) const;
  // A complaint about what was written at `where` (as steps of a schedule have it), with its line.
  [[nodiscard]] Diagnostic at(const std::string& where, std::string message,
                              std::string hint = {}) const;

 private:
  std::shared_ptr<const Impl> impl_;
};

// Reads the file and everything it extends. The picks are open, but each alternative of each of
// them was checked. `--sync B+C` is the override `sync=B+C`.
[[nodiscard]] tl::expected<Scenario, Diagnostics> load_scenario(
    const std::string& file, const Vocabulary& vocabulary,
    const std::vector<Override>& overrides = {});
// The same from text; `file` names it in complaints, and `extends` is relative to it.
[[nodiscard]] tl::expected<Scenario, Diagnostics> read_scenario(
    const std::string& file, const std::string& text, const Vocabulary& vocabulary,
    const std::vector<Override>& overrides = {});

// A schedule as a scenario file that reads back as the same schedule: only what differs from its
// profile's defaults, with nothing left to pick.
[[nodiscard]] std::string to_yaml(const Schedule& schedule);
// As a person would write it: without parameters that are their plugin's defaults, which another
// version may change.
[[nodiscard]] std::string to_short_yaml(const Schedule& schedule, const Vocabulary& vocabulary);

}  // namespace rejoin::sim
