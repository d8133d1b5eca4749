// Presets: a name for the composition that a known system runs with, at its defaults. One .cpp each
// in this folder, with one registration.
//
// A preset is named where mechanisms are, and stands for those of its `sync`. Whatever else it says
// (versions, tombstones, levels of clients, ...) goes for what the scenario leaves open.
//
// Not here: the mechanisms (mechanism.hpp), and how its settings are read (sim/scenario).
#pragma once

#include <string_view>

#include "model/registry.hpp"

namespace rejoin {

struct PresetSpec {
  std::string_view name;
  std::string_view help;      // one line: which system, by which parts
  std::string_view details;   // a paragraph: what differs from that system, and sources
  std::string_view settings;  // YAML, as a scenario has it; `sync` is there
};

using Presets = Registry<PresetSpec>;

}  // namespace rejoin
