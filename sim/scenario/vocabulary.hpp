// What a scenario file may name beyond the format itself: the registered plugins and the metrics
// of a run. The composition root fills it, because this folder knows no registry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/params.hpp"

namespace rejoin::sim {

struct Vocabulary {
  struct Plugin {
    std::string name;
    std::vector<ParamSpec> params;  // of a fault: the first may be given alone
  };
  std::vector<Plugin> faults;
  std::vector<Plugin> mechanisms;
  std::vector<Plugin> invariants;
  std::vector<Plugin> placements;
  std::vector<std::string> metrics;  // as the run record spells them
};

// The plugin with that name (`-` and `_` alike), or null.
[[nodiscard]] const Vocabulary::Plugin* find_plugin(const std::vector<Vocabulary::Plugin>& among,
                                                    std::string_view name);
[[nodiscard]] std::vector<std::string> names_of(const std::vector<Vocabulary::Plugin>& plugins);

}  // namespace rejoin::sim
