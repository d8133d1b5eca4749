// Schemas of single values: durations, shares, hosts, parameters of plugins.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/params.hpp"
#include "sim/scenario/fields.hpp"

namespace rejoin::sim::schema {

using Json = nlohmann::ordered_json;

// The spelling of a key or name that files are written in.
[[nodiscard]] std::string spelled(std::string_view name);
[[nodiscard]] Json ref(std::string_view definition);
[[nodiscard]] Json described(Json schema, std::string_view help);
[[nodiscard]] Json one_of(std::vector<std::string> values);  // or a pick among them
[[nodiscard]] Json list_of(Json item);
// A map of these keys and no others, but for x- keys.
[[nodiscard]] Json map_of(std::vector<std::pair<std::string, Json>> keys,
                          const std::vector<std::string>& required = {});

[[nodiscard]] Json of(const ParamSpec& spec);
[[nodiscard]] Json of(const Field& field);
// The parameters of a plugin as a map; those without a default are required when `complete` (a file
// that extends another may leave them out).
[[nodiscard]] Json of_params(const std::vector<ParamSpec>& specs, bool complete);

// `definitions` that the above refer to.
[[nodiscard]] std::vector<std::pair<std::string, Json>> definitions();

}  // namespace rejoin::sim::schema
