// Reads YAML text into a Tree. Bounds what a file can cost: its size, its depth, and the values
// that it has once aliases are expanded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/scenario/tree.hpp"

namespace rejoin::sim {

inline constexpr std::size_t kFileBytesMax = 10'000'000;
inline constexpr std::size_t kValuesMax = 200'000;
inline constexpr std::size_t kDepthMax = 32;

// None when the text is not one YAML document; `problems` then says why. Duplicate and merge
// keys are complained about, too, but leave a tree.
[[nodiscard]] std::optional<Tree> parse_yaml(const std::string& file, const std::string& text,
                                             Problems& problems);
// One value of an override: the same, in one line, marked as a whole.
[[nodiscard]] std::optional<Tree> parse_override(const Override& change, Problems& problems);

// The file's bytes; none when it cannot be read or is too large.
[[nodiscard]] std::optional<std::string> read_file(const std::string& file, const Mark& asked_by,
                                                   Problems& problems);

}  // namespace rejoin::sim
