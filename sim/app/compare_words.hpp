// The words of `compare`: its flags, and what they mean.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/app/commands.hpp"

namespace CLI {
class App;
}

namespace rejoin::app {

// As they were given: what they mean is checked here, so that the messages are ours.
struct CompareWords {
  std::string sync;
  std::vector<std::string> vary;
  std::string seeds;
  std::string jobs;
  std::string reference;
  std::string metrics;
  std::string save_baseline;
  std::string baseline;
  std::vector<std::string> outs;
};

void declare_compare(CLI::App& command, CompareWords& words);

// The error is text for standard error.
[[nodiscard]] tl::expected<Command, std::string> compare_of(Selection selection,
                                                            const CompareWords& words);

// As --out names it.
[[nodiscard]] std::string_view to_name(CompareOutKind kind);
// `A,B`, where commas within brackets or quotes do not count.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

}  // namespace rejoin::app
