#include "sim/scenario/presets.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/params.hpp"
#include "sim/scenario/merge.hpp"
#include "sim/scenario/yaml.hpp"

namespace rejoin::sim {

namespace {

const Vocabulary::Preset* preset_of(const Tree& item, const Vocabulary& vocabulary) {
  if (!item.is_map() || item.entries.size() != 1) return nullptr;
  const std::string name = normal_name(item.entries[0].key);
  const auto at =
      std::find_if(vocabulary.presets.begin(), vocabulary.presets.end(),
                   [&name](const auto& each) { return normal_name(each.name) == name; });
  return at == vocabulary.presets.end() ? nullptr : &*at;
}

// What the file says stays.
void put_under(Tree& file, const Tree& settings) {
  for (const Entry& entry : settings.entries) {
    Tree* const said = file.find(entry.key);
    if (said == nullptr) {
      file.entries.push_back(entry);
    } else if (said->is_map() && entry.value.is_map()) {
      put_under(*said, entry.value);
    }
  }
}

}  // namespace

void expand_presets(Tree& file, const Vocabulary& vocabulary, Problems& problems) {
  const Tree* const sync = file.find("sync");
  if (sync == nullptr) return;
  const Tree named = normal_sync(*sync);
  Tree mechanisms = make_list({}, sync->mark);
  std::vector<Tree> rest;
  for (const Tree& item : named.items) {
    const Vocabulary::Preset* const preset = preset_of(item, vocabulary);
    if (preset == nullptr) {
      mechanisms.items.push_back(item);
      continue;
    }
    const Entry& entry = item.entries[0];
    const bool alone = entry.value.kind == Tree::Kind::null ||
                       (entry.value.is_map() && entry.value.entries.empty());
    if (!alone) {
      problems.add(
          entry.mark, "the preset `" + preset->name + "` takes no parameters",
          "name it alone, and set those of its mechanisms: --set sync.NAME.PARAMETER=VALUE");
    }
    std::optional<Tree> settings = parse_yaml("preset " + preset->name, preset->settings, problems);
    if (!settings) continue;
    for (Tree& mechanism : normal_sync(*settings->find("sync")).items) {
      mechanism.entries[0].mark = entry.mark;
      mechanisms.items.push_back(std::move(mechanism));
    }
    settings->erase("sync");
    rest.push_back(*std::move(settings));
  }
  if (rest.empty()) return;
  file.set("sync", std::move(mechanisms));
  for (const Tree& settings : rest) put_under(file, settings);
}

}  // namespace rejoin::sim
