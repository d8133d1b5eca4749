// What a scenario file may name beyond the format itself: the registered plugins and the metrics
// of a run. The composition root fills it, because this folder knows no registry of sim/ or
// protocols/.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/nemesis.hpp"
#include "model/params.hpp"
#include "model/schedule.hpp"
#include "model/value_problem.hpp"

namespace rejoin::sim {

struct Vocabulary {
  struct Plugin {
    std::string name;
    std::vector<ParamSpec> params = {};  // of a fault: the first may be given alone
    std::string help = {};
    // Of faults, as FaultSpec has them.
    std::string fault_class = {};
    bool ends = false;
    bool needs_disk = false;
    bool destroys = false;
    NemesisSpec nemesis = {};
    std::function<std::optional<ValueProblem>(const Params&, const Schedule&)> problem = {};
    // Of conflict resolvers: what clients do to such values; empty: they write and delete.
    std::vector<OperationKind> operations = {};
    // Of mechanisms and conflict resolvers: why it makes no sense in such a cluster; empty: it
    // does.
    std::function<std::string(const Params&, const Schedule&)> refuses = {};
  };
  // A name for several mechanisms and what goes with them.
  struct Preset {
    std::string name;
    std::string help;
    std::string settings;  // YAML, as a file has them; `sync` is there
  };
  std::vector<Plugin> faults;
  std::vector<Plugin> mechanisms;
  std::vector<Plugin> invariants;
  std::vector<Plugin> placements;
  std::vector<Plugin> detectors;
  std::vector<Plugin> conflicts;     // resolvers
  std::vector<Preset> presets;       // of mechanisms
  std::vector<std::string> metrics;  // as the run record spells them
};

// The plugin with that name (`-` and `_` alike), or null.
[[nodiscard]] const Vocabulary::Plugin* find_plugin(const std::vector<Vocabulary::Plugin>& among,
                                                    std::string_view name);
[[nodiscard]] std::vector<std::string> names_of(const std::vector<Vocabulary::Plugin>& plugins);

}  // namespace rejoin::sim
