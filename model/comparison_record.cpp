#include "model/comparison_record.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rejoin {

namespace {

constexpr std::array<std::pair<Threshold::Of, std::string_view>, 6> kNames = {
    {{Threshold::Of::min, "min"},
     {Threshold::Of::p10, "p10"},
     {Threshold::Of::median, "median"},
     {Threshold::Of::p90, "p90"},
     {Threshold::Of::p99, "p99"},
     {Threshold::Of::max, "max"}}};

}  // namespace

std::string_view to_name(Threshold::Of of) {
  for (const auto& [each, name] : kNames) {
    if (each == of) return name;
  }
  return {};
}

std::optional<Threshold::Of> threshold_of(std::string_view name) {
  for (const auto& [of, each] : kNames) {
    if (each == name) return of;
  }
  return std::nullopt;
}

std::size_t ComparisonRecord::cells() const {
  std::size_t out = 1;
  for (const VariedPath& each : vary) out *= each.values.size();
  return out;
}

std::vector<std::string> ComparisonRecord::values_of(std::size_t cell) const {
  std::vector<std::string> out(vary.size());
  for (std::size_t i = vary.size(); i > 0; --i) {
    const std::vector<std::string>& values = vary[i - 1].values;
    out[i - 1] = values[cell % values.size()];
    cell /= values.size();
  }
  return out;
}

std::string ComparisonRecord::name_of(std::size_t cell) const {
  const std::vector<std::string> values = values_of(cell);
  std::string out;
  for (std::size_t i = 0; i < vary.size(); ++i) {
    out += (out.empty() ? "" : ", ") + vary[i].path + "=" + values[i];
  }
  return out;
}

}  // namespace rejoin
