// Writes canonical schedules from scenario files, for programs without YAML: one a (file, seed),
// because what a file leaves to a seed (picks, nemeses) is decided here.
//
//   rejoin_schedules OUT SEEDS EVENTS_MAX PATH...
//
// A PATH is a scenario file or a folder of them. SEEDS runs are written of each, from the file's
// own seed on, to OUT/PATH@SEED.schedule; other schedules there are removed. A run of more than
// EVENTS_MAX events is left out, which bounds what slow programs have to do. 0: none is.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run/canonical.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rejoin;

constexpr int kBadInput = 2;

struct Asked {
  fs::path out;
  std::uint64_t seeds = 0;
  std::uint64_t events_max = 0;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return value;
}

// Scenarios by name; what a folder's files share says nothing by itself.
std::vector<fs::path> files_of(const fs::path& path) {
  std::vector<fs::path> out;
  if (!fs::is_directory(path)) return {path};
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const fs::path& file = entry.path();
    if (file.extension() == ".yaml" && file.filename() != "base.yaml") out.push_back(file);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool is_too_long(Schedule schedule, std::uint64_t events_max) {
  if (events_max == 0) return false;
  schedule.limits.events = std::min(schedule.limits.events, events_max);
  return sim::run(schedule).events >= events_max;
}

// Of scenarios that are no more, or that an older program wrote.
void remove_schedules(const fs::path& folder) {
  if (!fs::is_directory(folder)) return;
  std::vector<fs::path> old;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".schedule") old.push_back(entry.path());
  }
  for (const fs::path& file : old) fs::remove(file);
}

bool write(const fs::path& file, ByteView bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  return out.good();
}

// False when the file is no scenario. `name` is without extension.
bool write_seeds(const fs::path& file, const fs::path& name, const Asked& asked) {
  const auto scenario = sim::load_scenario(file.string(), sim::linked_vocabulary());
  if (!scenario) {
    for (const auto& wrong : scenario.error()) std::fputs(sim::to_text(wrong).c_str(), stderr);
    return false;
  }
  for (std::uint64_t i = 0; i < asked.seeds; ++i) {
    const std::uint64_t seed = scenario->seed() + i;
    const auto schedule = scenario->materialise(seed);
    if (!schedule) {
      for (const auto& wrong : schedule.error()) std::fputs(sim::to_text(wrong).c_str(), stderr);
      return false;
    }
    if (is_too_long(*schedule, asked.events_max)) {
      std::fprintf(stderr, "%s, seed %llu: more than %llu events: left out\n", file.c_str(),
                   static_cast<unsigned long long>(seed),
                   static_cast<unsigned long long>(asked.events_max));
      continue;
    }
    const fs::path out = asked.out / (name.string() + "@" + std::to_string(seed) + ".schedule");
    if (!write(out, sim::encode_schedule(*schedule))) {
      std::fprintf(stderr, "%s cannot be written\n", out.c_str());
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto seeds = words.size() > 3 ? number(words[1]) : std::nullopt;
  const auto events_max = words.size() > 3 ? number(words[2]) : std::nullopt;
  if (!seeds || !events_max) {
    std::fputs("rejoin_schedules: OUT SEEDS EVENTS_MAX PATH...\n", stderr);
    return kBadInput;
  }
  const Asked asked{.out = words[0], .seeds = *seeds, .events_max = *events_max};
  remove_schedules(asked.out);
  for (std::size_t i = 3; i < words.size(); ++i) {
    for (const fs::path& file : files_of(words[i])) {
      fs::path name =
          file == fs::path(words[i]) ? file.filename() : file.lexically_relative(words[i]);
      if (!write_seeds(file, name.replace_extension(), asked)) return kBadInput;
    }
  }
  return 0;
}
