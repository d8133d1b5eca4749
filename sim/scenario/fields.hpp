// The scalar keys of a scenario file: one table, from which files are read and written, unknown
// keys are explained, and a schema or manual can be made.
//
// Defaults are not repeated here: they are what `get` finds in a default Schedule.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "model/params.hpp"
#include "model/schedule.hpp"

namespace rejoin::sim {

struct Bounds {
  std::int64_t least = 0;  // of integers, ns and bytes
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

struct Field {
  // Empty: a key of the file itself. `network.weather`: the map `weather` in that of `network`.
  std::string_view section;
  std::string_view key;  // as files write it
  ParamType type{};
  std::string_view help;  // one line, with the trade-off where there is one
  Bounds bounds;
  std::vector<std::string_view> choices;  // of ParamType::choice, in the order of its enum
  ParamValue (*get)(const Schedule&, const Field&) = nullptr;
  void (*set)(Schedule&, const ParamValue&, const Field&) = nullptr;
};

// In the order in which files are written.
[[nodiscard]] const std::vector<Field>& fields();
[[nodiscard]] const Field* find_field(std::string_view section, std::string_view key);
[[nodiscard]] std::vector<std::string> keys_of_section(std::string_view section);
// Sections that the table has keys of, but for those within another.
[[nodiscard]] std::vector<std::string> sections();
// `weather` for `network`: the maps within a section.
[[nodiscard]] std::vector<std::string> sections_within(std::string_view section);

// Sets what a profile means: `documented` changes nothing, `clusterkit` is the library as its
// source behaves.
void apply_profile(Schedule& schedule);

}  // namespace rejoin::sim
