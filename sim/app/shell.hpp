// Commands as a reader copies them into a shell.
#pragma once

#include <string>
#include <vector>

#include "reports/shell_word.hpp"
#include "sim/app/commands.hpp"

namespace rejoin::app {

using reports::shell_word;

// What this program is called, with what makes it what it is: `rejoin`, `rejoin-hunt --bug NAME`.
[[nodiscard]] const std::string& program_words();
void set_program_words(std::string words);

// The flags that change what is run: `--sync none --set client.write=one`; may be empty.
[[nodiscard]] std::string flags_of(const Selection& selection);

}  // namespace rejoin::app
