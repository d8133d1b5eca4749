// Runs schedules and prints one line each: name, seed, digest, events, verdict. Needs the core
// alone, so that it can be built by any compiler, at any optimisation, with any library, for any
// machine: the lines must be the same.
//
//   rejoin_digests [--seeds A..B] [PATH...]
//
// A PATH is a canonical schedule (sim/run/canonical.hpp) or a folder of them, by name and with
// their own seeds unless others are given. Without any: T0 to T5 as built in, seeds 1..5.
//
//   rejoin_digests replay-steps [--no-expect]
//
// is the second process of `rejoin run --verify-with PROGRAM`.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run/canonical.hpp"
#include "sim/run/run.hpp"
#include "sim/run/steps.hpp"
#include "sim/run/verdict.hpp"
#include "tests/support/seed_schedule.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rejoin;

constexpr int kBadInput = 2;

struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

struct Words {
  std::optional<Seeds> seeds;
  std::vector<std::string> paths;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Words> parse(const std::vector<std::string>& words) {
  Words out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "--seeds") {
      out.paths.push_back(words[i]);
      continue;
    }
    if (++i == words.size()) return std::nullopt;
    const std::size_t dots = words[i].find("..");
    const auto first = number(words[i].substr(0, dots));
    const auto last = dots == std::string::npos ? first : number(words[i].substr(dots + 2));
    if (!first || !last || *last < *first) return std::nullopt;
    out.seeds = Seeds{.first = *first, .last = *last};
  }
  return out;
}

// The files of a folder and all below it, by name; a file is itself.
std::vector<fs::path> files_of(const fs::path& path) {
  std::vector<fs::path> out;
  if (!fs::is_directory(path)) return {path};
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.path().extension() == ".schedule") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// `faults/crash@7.schedule` is `faults/crash`: the seed has a column of its own.
std::string name_of(const fs::path& file, const fs::path& folder) {
  fs::path relative = file == folder ? file.filename() : file.lexically_relative(folder);
  relative.replace_extension();
  const std::string name = relative.generic_string();
  return name.substr(0, name.rfind('@'));
}

void run_one(const std::string& name, const Schedule& schedule) {
  const RunRecord record = sim::run(schedule);
  std::printf("%s %llu %s %llu %s\n", name.c_str(), static_cast<unsigned long long>(schedule.seed),
              to_hex(record.digest).c_str(), static_cast<unsigned long long>(record.events),
              std::string(to_name(record.verdict)).c_str());
  // Who waits for the others sees how far this is.
  std::fflush(stdout);
}

void run_seeds(const std::string& name, Schedule schedule, const std::optional<Seeds>& seeds) {
  if (!seeds) return run_one(name, schedule);
  for (std::uint64_t seed = seeds->first; seed <= seeds->last; ++seed) {
    schedule.seed = seed;
    run_one(name, schedule);
  }
}

bool run_file(const fs::path& file, const std::string& name, const std::optional<Seeds>& seeds) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto schedule = sim::decode_schedule(as_bytes(text));
  if (!in.is_open() || !schedule) {
    std::fprintf(stderr, "rejoin_digests: %s: %s\n", file.c_str(),
                 in.is_open() ? schedule.error().c_str() : "cannot be read");
    return false;
  }
  const std::vector<std::string> wrong = sim::check_schedule(*schedule);
  for (const std::string& complaint : wrong) {
    std::fprintf(stderr, "rejoin_digests: %s: %s\n", file.c_str(), complaint.c_str());
  }
  if (!wrong.empty()) return false;
  run_seeds(name, *schedule, seeds);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "replay-steps") {
    const bool expectations = std::find(words.begin(), words.end(), "--no-expect") == words.end();
    return sim::replay_steps(stdin, stdout, {.expectations = expectations}) ? 0 : kBadInput;
  }
  const auto asked = parse(words);
  if (!asked) {
    std::fputs("rejoin_digests: [--seeds A..B] [PATH...], with seeds as in 1..20\n", stderr);
    return kBadInput;
  }
  for (const std::string& path : asked->paths) {
    for (const fs::path& file : files_of(path)) {
      if (!run_file(file, name_of(file, path), asked->seeds)) return kBadInput;
    }
  }
  if (asked->paths.empty()) {
    for (const char* mechanism : {"none", "hook-copy", "rejoin-sync"}) {
      run_seeds(std::string("t0-t5/") + mechanism, test::seed_schedule(mechanism),
                asked->seeds.value_or(Seeds{.first = 1, .last = 5}));
    }
  }
  return 0;
}
