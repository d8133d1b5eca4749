// What campaigns found, in a folder: one folder a way of failing, with the schedule that showed it,
// the shrunk one, and the end of its trace.
//
//   DIR/journal.jsonl                       what was begun and what ended, a line each
//   DIR/SIGNATURE/schedule.yaml             as it was found
//   DIR/SIGNATURE/shrunk.yaml               as small as it has become
//   DIR/SIGNATURE/trace.txt                 the last events of the shrunk one
//
// Invariants:
// 1. A file is whole or not there, whenever the process is killed and however full the disk is: it
//    is written beside its place and then put there.
// 2. Of one signature the smallest that still shows it is kept, whichever campaign found it. What
//    does not any more is moved aside (`shrunk.old.yaml`) when a new failure takes its place.
// 3. A saved schedule carries what it showed (`found:`), never an expectation: running it fails
//    while the bug lives, and no longer once it is mended.
// 4. Two campaigns may be at work in one folder: each has temporary files of its own, and neither
//    forgets what the other began.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "model/schedule.hpp"
#include "sim/explore/signature.hpp"
#include "sim/explore/trial.hpp"

namespace rejoin::sim {

// Of a schedule that is saved.
struct Provenance {
  Signature signature;
  std::string says;  // what broke, as a sentence
  std::string file;  // the scenario that it was drawn from
  std::uint64_t seed = 0;
  std::string flags;     // that it was run with: `--sync none`; may be empty
  std::string version;   // of rejoin
  std::string commit;    // that it was built from; may be empty
  bool minimal = false;  // nothing can be left out of it
};

// The scenario file of a failure: opening comment, `found:`, and the schedule without expectations.
// `summary`: more lines for the opening comment. `notes`: comments behind their steps.
// `vocabulary`: to write it as a person would (to_short_yaml); null: with every parameter, so that
// it stays what it is when defaults change.
[[nodiscard]] std::string failure_file(const Schedule& schedule, const Provenance& from,
                                       const std::vector<std::string>& summary,
                                       const std::vector<StepNote>& notes,
                                       const Vocabulary* vocabulary);

// What a file says that it showed: the name of the signature's folder. None: it says nothing.
[[nodiscard]] std::optional<std::string> found_signature(const std::string& yaml);
// Whether it says that nothing can be left out of it.
[[nodiscard]] bool is_minimal(const std::string& yaml);
// The invariant, or what else of that kind it says that broke.
[[nodiscard]] std::optional<std::string> found_broke(const std::string& yaml);
// The seed of the scenario that it was drawn from, if it says.
[[nodiscard]] std::optional<std::uint64_t> found_seed(const std::string& yaml);
// The whole file; empty when it cannot be read.
[[nodiscard]] std::string content_of(const std::string& path);

class Findings {
 public:
  // Makes the folder, and tries whether it can be written to. The error is a sentence.
  [[nodiscard]] static tl::expected<Findings, std::string> open(const std::string& folder);

  struct Saved {
    std::string slug;
    std::string file;  // shrunk.yaml, or schedule.yaml when it was never shrunk
    friend bool operator==(const Saved&, const Saved&) = default;
  };
  // Of this and earlier campaigns, by name.
  [[nodiscard]] std::vector<Saved> saved() const;
  // The smallest there is of that signature so far.
  [[nodiscard]] std::optional<Saved> find(const Signature& signature) const;

  // Each replaces what is there; the error is a sentence.
  [[nodiscard]] std::optional<std::string> save_schedule(const Signature& signature,
                                                         const std::string& yaml);
  [[nodiscard]] std::optional<std::string> save_shrunk(const Signature& signature,
                                                       const std::string& yaml,
                                                       const std::string& trace);
  // What is saved of that signature shows it no longer: out of the way.
  void set_aside(const Signature& signature);
  // Removes what campaigns that were killed did not get into its place. Nobody else may be at work
  // here.
  void remove_parts();
  // Where they are.
  [[nodiscard]] std::string folder_of(const Signature& signature) const;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  explicit Findings(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

// Replaces the file at once or not at all; the error is a sentence.
[[nodiscard]] std::optional<std::string> write_file(const std::string& path,
                                                    const std::string& content);
// Whether write_file could: nothing is left of the attempt.
[[nodiscard]] std::optional<std::string> try_to_write(const std::string& path);

// The journal: which seeds were begun and which ended, so that a campaign that was killed can say
// what it was doing, and the next one begins with that.
//
// Whoever writes to it holds a lock on it, which the others share. Who gets it alone knows that
// nobody else is at work: what was begun and did not end was killed, and a journal in which nothing
// is open begins anew.
class Journal {
 public:
  // Appends to DIR/journal.jsonl. The error is a sentence.
  [[nodiscard]] static tl::expected<Journal, std::string> open(const std::string& folder);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&& other) noexcept;
  ~Journal();

  // No other campaign was at work in the folder when this one began.
  [[nodiscard]] bool is_alone() const { return alone_; }
  // Begun by campaigns of that scenario and never ended: whatever killed them may be one of these.
  // Empty when others are at work: they may be theirs.
  [[nodiscard]] std::vector<std::uint64_t> unfinished(const std::string& scenario) const;

  // Handed to the system before they return: only a machine that dies takes them along.
  void begin(const std::string& scenario, std::uint64_t seed);
  void end(const std::string& scenario, const Trial& trial);
  // The campaign ended by itself: what it did not finish, it did not want.
  void close(const std::string& scenario);
  // The first thing that could not be written, as a sentence.
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }

 private:
  Journal() = default;
  [[nodiscard]] bool lock(short type, bool wait) const;
  void read_unfinished();
  void write(const std::string& line);

  std::string path_;
  std::string campaign_;  // this one, as lines name it
  int file_ = -1;
  bool alone_ = false;
  bool ends_in_line_ = true;  // what was there before
  std::vector<std::pair<std::string, std::uint64_t>> unfinished_;
  std::optional<std::string> failure_;
};

}  // namespace rejoin::sim
