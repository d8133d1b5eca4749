// A campaign record: all that a campaign leaves behind. Reports read it and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rejoin {

// Failures with one signature.
struct FailureGroup {
  std::string slug;  // of the signature, and of the folder
  std::string what;  // the invariant, or `crash`, `hang`, `unbounded`, ...
  std::string role;  // of the node concerned; may be empty
  std::string says;  // what broke in the first of them, as a sentence
  std::uint64_t first_seed = 0;
  std::uint64_t count = 0;
  std::string saved;      // file of the smallest schedule; empty when none could be saved
  std::string shrunk_to;  // `3 nodes, 1 key, 2 faults, 4 steps (from ...)`; empty: not shrunk
  std::string reproduce;  // the command that shows it again
};

// A failure that an earlier campaign saved, run again before the first seed.
struct ReplayedFailure {
  enum class Outcome : std::uint8_t { fails, mended, no_longer_fits };
  std::string slug;
  std::string file;
  Outcome outcome{};
  std::string says;  // what it broke, or why it does not fit
};

struct CampaignRecord {
  std::string scenario;
  std::string file;
  std::string sync;
  std::string commit;            // of the program; may be empty
  std::uint64_t first_seed = 0;  // of what was asked for, inclusive
  std::uint64_t last_seed = 0;
  std::uint64_t ran = 0;  // seeds that were run, from the first on
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t events = 0;
  double seconds = 0;                // real time; the only figure that is not the program's
  std::string stopped;               // why before the last seed; empty: it was not
  std::vector<FailureGroup> groups;  // in order of their first seeds
  std::vector<ReplayedFailure> replayed;
  std::map<std::string, std::uint64_t> judged;    // by invariant, over all seeds
  std::map<std::string, std::uint64_t> injected;  // by fault, over all seeds
};

}  // namespace rejoin
