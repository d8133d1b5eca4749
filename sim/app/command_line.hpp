// From words to a command. The only door to CLI11.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "sim/app/commands.hpp"

namespace rejoin::app {

// `words` without the program's name. The error is text for standard error.
[[nodiscard]] tl::expected<Command, std::string> parse_command_line(
    const std::vector<std::string>& words);

// `run ... --bisect`, however wrong the rest is: what can not be judged exits with 125 then.
[[nodiscard]] bool asks_to_bisect(const std::vector<std::string>& words);

}  // namespace rejoin::app
