#include "sim/scenario/merge.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "model/distribution.hpp"
#include "model/params.hpp"
#include "sim/scenario/yaml.hpp"

namespace rejoin::sim {

namespace {

bool is_one_of(std::string_view key, std::initializer_list<std::string_view> names) {
  const std::string normal = normal_name(key);
  return std::find(names.begin(), names.end(), normal) != names.end();
}

// A latency that names its distribution: nothing else has such keys alone.
bool has_shape(const Tree& latency) {
  bool named = false;
  for (const Entry& entry : latency.entries) {
    if (is_one_of(entry.key, {"floor", "cap"}) || is_ignored(entry.key)) continue;
    if (Distributions::find(entry.key) == nullptr) return false;
    named = true;
  }
  return named;
}

Tree merge_maps(const Tree& base, const Tree& over) {
  if (!base.is_map() || !over.is_map() || is_pick(base) || is_pick(over) || has_shape(over)) {
    return over;
  }
  Tree out = base;
  out.mark = over.mark;
  for (const Entry& entry : over.entries) {
    Tree* const old = out.find(entry.key);
    if (old != nullptr) {
      *old = merge_maps(*old, entry.value);
    } else {
      out.entries.push_back(entry);
    }
  }
  return out;
}

const Tree* label_of(const Tree& step) {
  const Tree* const label = step.find("label");
  return label != nullptr && label->is_scalar() ? label : nullptr;
}

bool has_label(const Tree& step, const std::string& normal_label) {
  const Tree* const label = label_of(step);
  return label != nullptr && normal_name(label->text) == normal_label;
}

std::vector<std::string> labels_of(const Tree& timeline) {
  std::vector<std::string> out;
  for (const Tree& step : timeline.items) {
    if (const Tree* const label = label_of(step)) out.push_back(label->text);
  }
  return out;
}

const Entry* action_of(const Tree& step) {
  const auto at = std::find_if(step.entries.begin(), step.entries.end(),
                               [](const Entry& entry) { return is_action(entry.key); });
  return at == step.entries.end() ? nullptr : &*at;
}

// `crash: node-3` as `crash: { target: node-3 }`, so that parameters can be added to it.
void spell_out(Tree& step, const Vocabulary& vocabulary) {
  for (Entry& entry : step.entries) {
    if (!is_action(entry.key) || (entry.value.is_map() && !is_pick(entry.value))) continue;
    const Vocabulary::Plugin* const fault = find_plugin(vocabulary.faults, entry.key);
    std::string first;
    if (fault != nullptr && !fault->params.empty()) first = fault->params.front().name;
    if (is_one_of(entry.key,
                  {"write", "overwrite", "delete", "read", "increment", "add", "discard"}))
      first = "keys";
    if (first.empty() || entry.value.kind == Tree::Kind::null) continue;
    const Mark mark = entry.value.mark;
    std::vector<Entry> alone;
    alone.push_back({first, mark, std::move(entry.value)});
    entry.value = make_map(std::move(alone), mark);
  }
}

Tree merge_step(const Tree& base, const Tree& over, const Vocabulary& vocabulary) {
  Tree kept = base;
  const Entry* const was = action_of(base);
  const Entry* const is = action_of(over);
  if (is != nullptr && is->value.is_map() && !is_pick(is->value)) spell_out(kept, vocabulary);
  const bool other_action =
      was != nullptr && is != nullptr && normal_name(was->key) != normal_name(is->key);
  const auto replaces = [&](auto is_kind) {
    return std::any_of(over.entries.begin(), over.entries.end(),
                       [&](const Entry& entry) { return is_kind(entry.key); });
  };
  const bool new_trigger = replaces(is_trigger);
  const bool new_action = replaces(is_action);
  std::erase_if(kept.entries, [&](const Entry& entry) {
    if (new_trigger && is_trigger(entry.key)) return true;
    if (other_action && is_option(entry.key)) return true;
    // The same action goes on with its parameters.
    return new_action && is_action(entry.key) && over.find(entry.key) == nullptr;
  });
  return merge_maps(kept, over);
}

Tree merge_timelines(const Tree& base, const Tree& over, const Vocabulary& vocabulary,
                     Problems& problems) {
  if (!base.is_list() || !over.is_list()) return over;
  Tree out = base;
  out.mark = over.mark;
  for (const Tree& step : over.items) {
    const Tree* const label = label_of(step);
    if (label == nullptr) {
      out.items.push_back(step);
      continue;
    }
    const std::string name = normal_name(label->text);
    const auto old = std::find_if(out.items.begin(), out.items.end(),
                                  [&](const Tree& other) { return has_label(other, name); });
    const Tree* const remove = step.find("remove");
    if (remove == nullptr) {
      if (old == out.items.end()) {
        out.items.push_back(step);
      } else {
        *old = merge_step(*old, step, vocabulary);
      }
    } else if (!remove->is_scalar() || remove->text != "true") {
      problems.add(remove->mark, "`remove` takes true, not " + found(*remove));
    } else if (old == out.items.end()) {
      problems.add(label->mark, "there is no step `" + label->text + "` to remove",
                   known_hint(label->text, labels_of(base)));
    } else {
      out.items.erase(old);
    }
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == separator) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

// { a: { b: value } } from a.b and a value.
Tree nested(const std::vector<std::string>& path, std::size_t from, Tree value) {
  for (std::size_t i = path.size(); i > from; --i) {
    const Mark mark = value.mark;
    std::vector<Entry> entries;
    entries.push_back({path[i - 1], mark, std::move(value)});
    value = make_map(std::move(entries), mark);
  }
  return value;
}

// timeline.LABEL.rest
void override_step(Tree& file, const std::vector<std::string>& path, Tree value,
                   const Vocabulary& vocabulary, Problems& problems) {
  const Mark mark = value.mark;
  Tree* const timeline = file.find("timeline");
  const std::vector<std::string> known =
      timeline != nullptr ? labels_of(*timeline) : std::vector<std::string>{};
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (normal_name(known[i]) != normal_name(path[1])) continue;
    Tree step = nested(path, 2, std::move(value));
    if (!step.is_map()) {
      problems.add(mark, "a step is a map, not " + found(step));
      return;
    }
    step.set("label", make_scalar(known[i], mark));
    *timeline = merge_timelines(*timeline, make_list({std::move(step)}, timeline->mark), vocabulary,
                                problems);
    return;
  }
  problems.add(mark, "no step has the label `" + path[1] + "`", known_hint(path[1], known));
}

// Names and maps of one name each, as maps of one name each.
Tree normal_check(const Tree& check) {
  Tree out = make_list({}, check.mark);
  for (const Tree& item : check.is_list() ? check.items : std::vector<Tree>{check}) {
    if (!item.is_scalar()) {
      out.items.push_back(item);
      continue;
    }
    std::vector<Entry> entries;
    entries.push_back({item.text, item.mark, make_map({}, item.mark)});
    out.items.push_back(make_map(std::move(entries), item.mark));
  }
  return out;
}

// sync.MECHANISM.rest, check.INVARIANT.rest
void override_plugin(Tree& file, const std::vector<std::string>& path, Tree value,
                     Problems& problems) {
  const bool is_sync = is_one_of(path[0], {"sync"});
  const std::string section = is_sync ? "sync" : "check";
  const Tree* const old = file.find(section);
  Tree all = old == nullptr ? make_list({}) : is_sync ? normal_sync(*old) : normal_check(*old);
  std::vector<std::string> known;
  for (Tree& plugin : all.items) {
    if (plugin.entries.empty()) continue;
    Entry& entry = plugin.entries[0];
    known.push_back(entry.key);
    if (normal_name(entry.key) != normal_name(path[1])) continue;
    entry.value = merge_maps(entry.value, nested(path, 2, std::move(value)));
    file.set(section, std::move(all));
    return;
  }
  const std::string none = is_sync ? "it has sync: none" : "it has an empty `check`";
  problems.add(value.mark,
               is_sync ? "the scenario does not use the mechanism `" + path[1] + "`"
                       : "the scenario does not check the invariant `" + path[1] + "`",
               known.empty() ? none : known_hint(path[1], known));
}

}  // namespace

bool is_trigger(std::string_view key) {
  return is_one_of(key, {"at", "after", "when"});
}

bool is_action(std::string_view key) {
  return !is_trigger(key) && !is_option(key) && !is_ignored(key) &&
         !is_one_of(key, {"label", "remove"});
}

bool is_option(std::string_view key) {
  return is_one_of(key, {"for", "may_miss", "expect", "background"});
}

Tree merge(const Tree& base, const Tree& over, const Vocabulary& vocabulary, Problems& problems) {
  if (!base.is_map() || !over.is_map()) return over;
  Tree out = base;
  out.mark = over.mark;
  for (const Entry& entry : over.entries) {
    Tree* const old = out.find(entry.key);
    if (old == nullptr) {
      out.entries.push_back(entry);
    } else if (is_one_of(entry.key, {"timeline"})) {
      *old = merge_timelines(*old, entry.value, vocabulary, problems);
    } else if (is_one_of(entry.key, {"sync"})) {
      *old = entry.value;
    } else {
      *old = merge_maps(*old, entry.value);
    }
  }
  return out;
}

void settle_labels(Tree& file, bool may_number, Problems& problems) {
  Tree* const timeline = file.find("timeline");
  if (timeline == nullptr || !timeline->is_list()) return;
  std::set<std::string> seen;
  std::size_t number = 0;
  for (Tree& step : timeline->items) {
    ++number;
    // A removal may stand beside a new step of the same label: the way to move a step to the end.
    if (!step.is_map() || step.find("remove") != nullptr) continue;
    if (step.find("label") == nullptr) {
      if (!may_number) {
        problems.add(step.mark, "a step without a label",
                     "steps of files that extend or are extended merge by label");
        continue;
      }
      step.set("label", make_scalar("step-" + std::to_string(number), step.mark));
    }
    const Tree& label = *step.find("label");
    if (!label.is_scalar() || !is_label(label.text)) {
      problems.add(label.mark, "a label is a name of letters, digits and `-`, not " + found(label));
    } else if (!seen.insert(normal_name(label.text)).second) {
      problems.add(label.mark, "a second step with the label `" + label.text + "`",
                   "labels are unique; `-`, `_` and case do not tell them apart");
    }
  }
}

Tree normal_sync(const Tree& sync) {
  Tree out = make_list({}, sync.mark);
  const auto mechanism = [&](std::string name, const Mark& mark, Tree params) {
    std::vector<Entry> entries;
    entries.push_back({std::move(name), mark, std::move(params)});
    out.items.push_back(make_map(std::move(entries), mark));
  };
  const auto by_name = [&](const Tree& names) {
    for (std::string& name : split(names.text, '+')) {
      mechanism(std::move(name), names.mark, make_map({}, names.mark));
    }
  };
  if (sync.is_scalar() && sync.text != "none") by_name(sync);
  for (const Entry& entry : sync.entries) mechanism(entry.key, entry.mark, entry.value);
  for (const Tree& item : sync.items) {
    if (item.is_scalar()) {
      by_name(item);
    } else if (item.is_map()) {
      for (const Entry& entry : item.entries) mechanism(entry.key, entry.mark, entry.value);
    } else {
      out.items.push_back(item);  // the reader complains
    }
  }
  return out;
}

void apply_override(Tree& file, const Override& change, const Vocabulary& vocabulary,
                    Problems& problems) {
  std::optional<Tree> value = parse_override(change, problems);
  if (!value) return;
  const std::vector<std::string> path = split(change.path, '.');
  if (std::find(path.begin(), path.end(), "") != path.end() || path.size() > kDepthMax) {
    problems.add(value->mark, "`" + change.path + "` is no path",
                 "a path is keys joined by dots, such as timeline.T4.after");
    return;
  }
  if (path.size() >= 2 && is_one_of(path[0], {"timeline"})) {
    override_step(file, path, *std::move(value), vocabulary, problems);
  } else if (path.size() >= 3 && is_one_of(path[0], {"sync", "check"})) {
    override_plugin(file, path, *std::move(value), problems);
  } else if (is_one_of(path[0], {"extends", "format"})) {
    problems.add(value->mark, "`" + path[0] + "` cannot be set");
  } else {
    file = merge(file, nested(path, 0, *std::move(value)), vocabulary, problems);
  }
}

}  // namespace rejoin::sim
