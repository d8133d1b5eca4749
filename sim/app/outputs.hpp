// `--out KIND[=FILE]`: where what runs came to is written.
//
// Invariants:
// 1. Whatever cannot be written is known before anything runs, as far as it can be: files are
//    opened and folders made first. A file keeps what it held until there is something to write.
// 2. Only the names of folders below results/ depend on the real clock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "model/run_events.hpp"
#include "model/run_record.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/load.hpp"

namespace rejoin::app {

// What a run of several seeds or files came to.
struct Finished {
  const Job* job = nullptr;
  std::vector<RunRecord> trials;
  std::string text;  // its report, without colours
};

// One run, for what draws it.
struct Drawn {
  const RunRecord& record;
  RunEvents events;
  std::string command;  // that shows it again
};

class Outputs {
 public:
  // The error is text for standard error. The jobs outlive what is made.
  [[nodiscard]] static tl::expected<Outputs, std::string> open(const std::vector<OutRequest>& asked,
                                                               const std::vector<Job>& jobs);
  Outputs(Outputs&&) noexcept;
  Outputs& operator=(Outputs&&) noexcept;
  ~Outputs();

  // One of them goes to standard output, in place of the usual report.
  [[nodiscard]] bool takes_standard_output() const;
  // One of them draws runs: they are to be recorded, and given to `draw` one by one.
  [[nodiscard]] bool wants_events() const;
  // Writes the pictures of one run. The error is text for standard error.
  [[nodiscard]] std::optional<std::string> draw(std::size_t job, Drawn run);
  // The first page that was written; empty: none was, to a file.
  [[nodiscard]] const std::string& page() const { return page_; }
  // Writes all of it, and says on standard error where folders were made. The error is text for
  // standard error.
  [[nodiscard]] std::optional<std::string> write(const std::vector<Finished>& all);

 private:
  struct File;  // open, and closed with this
  struct Target {
    OutKind kind{};
    std::string path;            // `-`: standard output; empty: in the folders
    std::unique_ptr<File> file;  // of a path
  };
  Outputs();
  [[nodiscard]] std::optional<std::string> make_folders(const std::vector<Job>& jobs);

  std::vector<Target> targets_;
  std::vector<std::string> folders_;   // by job; empty when no target needs them
  std::vector<std::uint32_t> trials_;  // by job
  std::string page_;
};

// One object for one file, an array for several.
[[nodiscard]] std::string json_of(const std::vector<Finished>& all);
// As --out names it.
[[nodiscard]] std::string_view to_name(OutKind kind);
[[nodiscard]] std::optional<OutKind> out_kind_of(std::string_view name);
[[nodiscard]] std::vector<std::string> out_kinds();
// Drawn from what happened in a run, not from what it came to.
[[nodiscard]] bool is_picture(OutKind kind);

}  // namespace rejoin::app
