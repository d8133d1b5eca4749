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
  enum class Outcome : std::uint8_t {
    fails,           // as it was saved
    differs,         // not as it was saved: in another way
    mended,          // not at all
    no_longer_fits,  // there is nothing to run, or a step of it waits for what happens no more
  };
  std::string slug;
  std::string file;
  Outcome outcome{};
  std::string says;       // what it broke, or why it does not fit
  std::string shrunk_to;  // by this campaign; empty: nothing was left to do
  std::string reproduce;  // the command that shows it; empty: it no longer fails
};

// What a hunt for a planted bug came to: seeds until it was found, over stretches of seeds.
struct PlantedBug {
  std::string bug;
  std::string invariant;     // that is to see it
  std::uint64_t median = 0;  // seeds at most, where half of the stretches did not find it
  std::uint64_t p90 = 0;
  std::uint64_t found = 0;  // stretches
  std::uint64_t of = 0;
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
  std::uint64_t vacuous = 0;  // of those that passed: they prove nothing
  std::uint64_t failed = 0;
  // Seeds outside of the range: a campaign that was killed was running them.
  std::uint64_t left_ran = 0;
  std::uint64_t left_failed = 0;
  std::uint64_t events = 0;
  double seconds = 0;                // real time; the only figure that is not the program's
  std::string stopped;               // why before the last seed; empty: it was not
  std::vector<FailureGroup> groups;  // in order of their first seeds
  std::vector<ReplayedFailure> replayed;
  std::map<std::string, std::uint64_t> judged;    // by invariant, over all seeds
  std::map<std::string, std::uint64_t> injected;  // by fault, over all seeds
  // By fault and by the phase of the cluster in which it struck (`steady`, `electing`, ...).
  std::map<std::string, std::map<std::string, std::uint64_t>> injected_in;
  std::vector<std::uint64_t> failing;  // seeds of the range that failed, in order
  std::vector<PlantedBug> planted;     // of a hunt
};

// Invariants that no seed of a whole campaign gave anything to judge. Empty for one that was
// stopped: more seeds might have.
[[nodiscard]] std::vector<std::string> never_judged(const CampaignRecord& record);
// The verdict, for the exit status and every report: a seed failed, what was saved before still
// does, or an invariant was never judged.
[[nodiscard]] bool failed(const CampaignRecord& record);

}  // namespace rejoin
