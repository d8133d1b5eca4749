// Words of the commands that reports tell their reader to run.
#pragma once

#include <string>

namespace rejoin::reports {

// As a shell takes it: quoted unless it is plain (POSIX.1-2017, Shell Command Language, 2.2.2).
[[nodiscard]] std::string shell_word(const std::string& word);

}  // namespace rejoin::reports
