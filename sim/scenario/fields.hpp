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
  std::string_view section;  // empty: a key of the file itself
  std::string_view key;      // as files write it
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
// Sections that the table has keys of.
[[nodiscard]] std::vector<std::string> sections();

// Sets what a profile means: `documented` changes nothing, `clusterkit` is the library as its
// source behaves.
void apply_profile(Schedule& schedule);

}  // namespace rejoin::sim
