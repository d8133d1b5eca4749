// Golden files: what a person read once and found right. UPDATE_GOLDEN=1 rewrites them.
#pragma once

#include <string>

namespace rejoin::test {

std::string read_file(const std::string& path);

// `name` is relative to tests/golden.
void check_golden(const std::string& name, const std::string& text);

}  // namespace rejoin::test
