// The words of `fuzz`, `shrink` and `hunt`: their flags, and what they mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/app/commands.hpp"

namespace CLI {
class App;
}

namespace rejoin::app {

// A number from 1 to `most`; `otherwise` when there is no text. The error is text for standard
// error, here and below.
[[nodiscard]] tl::expected<std::uint64_t, std::string> count_of(std::string_view flag,
                                                                const std::string& text,
                                                                std::uint64_t otherwise,
                                                                std::uint64_t most);
// Of -j; 0 when there is no text.
[[nodiscard]] tl::expected<std::uint32_t, std::string> jobs_of(const std::string& text);
// `A..B`, both ends included.
[[nodiscard]] tl::expected<sim::SeedRange, std::string> range_of(const std::string& text);

// As they were given: what they mean is checked here, so that the messages are ours.
struct ExploreWords {
  std::string runs;
  std::string seeds;
  std::string jobs;
  bool stop_first = false;
  std::string max_failures;
  std::string max_time;
  std::string save_dir;
  std::string save;
  bool no_shrink = false;
  std::vector<std::string> bugs;
  std::string stretches;
  std::vector<std::string> pages;
};

void declare_fuzz(CLI::App& command, ExploreWords& words);
void declare_shrink(CLI::App& command, ExploreWords& words);
void declare_hunt(CLI::App& command, ExploreWords& words);

// `first_seed`: what --seed said. `outs`: the words of --out. The error is text for standard error.
[[nodiscard]] tl::expected<Command, std::string> fuzz_of(Selection selection,
                                                         const ExploreWords& words,
                                                         const std::vector<std::string>& outs);
[[nodiscard]] tl::expected<Command, std::string> shrink_of(Selection selection,
                                                           const ExploreWords& words);
[[nodiscard]] tl::expected<Command, std::string> hunt_of(const ExploreWords& words);

}  // namespace rejoin::app
