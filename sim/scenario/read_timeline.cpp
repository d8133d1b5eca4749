#include <algorithm>
#include <array>
#include <utility>

#include "sim/scenario/merge.hpp"
#include "sim/scenario/read.hpp"

namespace rejoin::sim {

namespace {

constexpr std::size_t kStepsMax = 10'000;
constexpr Duration kShortestQuiet = 1ms;

constexpr std::array<std::pair<std::string_view, OperationKind>, 8> kOperations = {
    {{"write", OperationKind::write},
     {"overwrite", OperationKind::write},
     {"delete", OperationKind::remove},
     {"read", OperationKind::read},
     {"set", OperationKind::configure},
     {"increment", OperationKind::increment},
     {"add", OperationKind::add},
     {"discard", OperationKind::discard}}};

using What = trigger::When::What;
constexpr std::array<std::pair<std::string_view, What>, 17> kFacts = {
    {{"removed", What::removed},
     {"joined", What::joined},
     {"leader", What::leader},
     {"rebalanced", What::rebalanced},
     {"repair_started", What::repair_started},
     {"repair_completed", What::repair_completed},
     {"started", What::started},
     {"ended", What::ended},
     {"crashed", What::crashed},
     {"halted", What::halted},
     {"storage_corrupt", What::storage_corrupt},
     {"gate_opened", What::gate_opened},
     {"hook_fired", What::hook_fired},
     {"upgraded", What::upgraded},
     {"committed", What::committed_index},
     {"sync_requested", What::sync_requested},
     {"sync_completed", What::sync_completed}}};

const std::vector<std::string> kFactNames = {
    "committed",      "crashed",          "ended",          "gate-opened", "halted",
    "hook-fired",     "joined",           "leader",         "quiet",       "rebalanced",
    "removed",        "repair-completed", "repair-started", "started",     "storage-corrupt",
    "sync-completed", "sync-requested",   "upgraded"};

// Faults that can be taken back.
std::vector<std::string> lasting(const std::vector<Vocabulary::Plugin>& faults) {
  std::vector<std::string> out;
  for (const Vocabulary::Plugin& fault : faults) {
    if (fault.ends) out.push_back(fault.name);
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

void ScheduleReader::read_timeline(const Tree& timeline) {
  if (!timeline.is_list()) return wrong(timeline, "timeline", "a list of steps");
  if (timeline.items.size() > kStepsMax) {
    problems_.add(timeline.mark, "more than " + std::to_string(kStepsMax) + " steps");
    return;
  }
  for (const Tree& item : timeline.items) {
    const Tree* const label = item.find("label");
    if (label != nullptr && label->is_scalar()) labels_.push_back(label->text);
  }
  for (const Tree& item : timeline.items) {
    if (auto step = read_step(item)) schedule_.timeline.push_back(*std::move(step));
  }
}

std::optional<Step> ScheduleReader::read_step(const Tree& tree) {
  if (!want_map(tree, "timeline")) return std::nullopt;
  Step step;
  step.where = to_text(tree.mark);
  const Entry* trigger = nullptr;
  const Entry* action = nullptr;
  for (const Entry& entry : tree.entries) {
    if (is_trigger(entry.key)) {
      if (trigger != nullptr) {
        problems_.add(entry.mark, "a second trigger: `" + trigger->key + "` and `" + entry.key +
                                      "` in one step");
      }
      trigger = &entry;
    } else if (normal_name(entry.key) == "remove") {
      problems_.add(entry.mark, "there is no inherited step to remove");
    } else if (is_action(entry.key)) {
      if (action != nullptr) {
        problems_.add(entry.mark,
                      "a second action: `" + action->key + "` and `" + entry.key + "` in one step",
                      "write a step for each");
      }
      action = &entry;
    }
  }
  const Tree* const label = tree.find("label");
  if (label != nullptr) step.label = label->text;
  if (trigger != nullptr) step.trigger = read_trigger(*trigger);
  if (tree.find("remove") != nullptr) return std::nullopt;
  if (action == nullptr && trigger == nullptr) {
    problems_.add(tree.mark, "a step that neither waits nor does anything",
                  "write an action, or `at`, `after` or `when`");
    return std::nullopt;
  }
  step.action = action != nullptr ? read_action(*action) : action::Wait{};
  for (const Entry& entry : tree.entries) {
    if (is_option(entry.key)) read_step_option(entry, step);
  }
  return step;
}

// Keys that say more about the action of their step.
void ScheduleReader::read_step_option(const Entry& entry, Step& step) {
  const std::string key = normal_name(entry.key);
  const Tree& value = entry.value;
  auto* const operate = std::get_if<action::Operate>(&step.action);
  auto* const inject = std::get_if<action::Inject>(&step.action);
  if (key == "background" && std::holds_alternative<action::Workload>(step.action)) {
    std::get<action::Workload>(step.action).background =
        read_as<bool>(value, key, ParamType::flag).value_or(false);
    return;
  }
  if (key == "expect" || key == "background") {
    if (operate == nullptr) {
      problems_.add(value.mark, "`" + entry.key + "` goes with operations of clients only");
    } else if (key == "expect") {
      read_step_expect(value, *operate);
    } else {
      operate->background = read_as<bool>(value, key, ParamType::flag).value_or(false);
    }
    return;
  }
  if (inject == nullptr) {
    problems_.add(
        value.mark, "`" + entry.key + "` goes with faults only",
        key == "for" ? "`after` in the next step is how long an operation is waited for" : "");
    return;
  }
  if (key == "may_miss") {
    inject->may_miss = read_as<bool>(value, entry.key, ParamType::flag).value_or(false);
    return;
  }
  const Vocabulary::Plugin* const fault = find_plugin(vocabulary_.faults, inject->fault);
  if (fault != nullptr && !fault->ends) {
    problems_.add(entry.mark, "`" + fault->name + "` does not last, so it takes no `for`",
                  "faults that last: " + joined(lasting(vocabulary_.faults)));
    return;
  }
  const auto lasts = read_as<Duration>(value, "for", ParamType::duration);
  if (lasts && *lasts <= 0ns) {
    problems_.add(value.mark, "`for` must be above zero, not " + found(value),
                  "a fault without `for` lasts until the end, or until `end: LABEL`");
  }
  inject->lasts = lasts;
}

// ---- Triggers ------------------------------------------------------------------------------

Trigger ScheduleReader::read_trigger(const Entry& entry) {
  if (normal_name(entry.key) == "when") return read_when(entry.value);
  const auto read = read_as<Duration>(entry.value, entry.key, ParamType::duration);
  if (!read) return {};
  if (normal_name(entry.key) == "at") return trigger::At{MonotonicTime(*read)};
  return trigger::After{*read};
}

Trigger ScheduleReader::read_when(const Tree& when) {
  if (!when.is_map() || when.entries.size() != 1 || is_pick(when)) {
    wrong(when, "when", "one fact such as { removed: node-3 } or { quiet: 5s }");
    return {};
  }
  const Entry& entry = when.entries[0];
  const std::string name = normal_name(entry.key);
  if (name == "quiet") {
    const auto length = read_as<Duration>(entry.value, "quiet", ParamType::duration);
    // While something is open it is looked at again and again, so long apart.
    if (length && *length < kShortestQuiet) {
      problems_.add(entry.value.mark, "`quiet` is at least " + rejoin::to_text(kShortestQuiet) +
                                          ", not " + found(entry.value));
    }
    return trigger::Quiet{length.value_or(0ns)};
  }
  const auto fact = std::find_if(kFacts.begin(), kFacts.end(),
                                 [&](const auto& each) { return each.first == name; });
  if (fact == kFacts.end()) {
    unknown_key(entry, "`when`", kFactNames);
    return {};
  }
  trigger::When out;
  out.what = fact->second;
  switch (out.what) {
    case What::removed:
    case What::joined:
    case What::leader:
    case What::crashed:
    case What::halted:
    case What::storage_corrupt:
    case What::gate_opened:
    case What::hook_fired:
    case What::upgraded:
    case What::repair_started:
    case What::repair_completed:
      read_who(entry.value, entry.key, out);
      break;
    case What::committed_index:
    case What::committed_count:
      return read_when_committed(out, entry);
    case What::rebalanced:
      if (!entry.value.is_scalar() || entry.value.text != "any") {
        wrong(entry.value, entry.key, "any");
      }
      break;
    case What::started:
    case What::ended:
      out.text = read_label(entry.value, entry.key);
      if (out.what == What::ended && !out.text.empty()) {
        ends_.push_back({entry.value.mark, out.text});
        waits_.push_back(ends_.back());
      }
      break;
    case What::sync_requested:
    case What::sync_completed:
      return read_when_sync(out, entry);
  }
  return out;
}

// The label of another step, as that step spells it.
std::string ScheduleReader::read_label(const Tree& value, std::string_view name) {
  const auto text = read_as<std::string>(value, name, ParamType::text);
  if (!text) return {};
  for (const std::string& label : labels_) {
    if (normal_name(label) == normal_name(*text)) return label;
  }
  problems_.add(value.mark, "no step has the label `" + *text + "`", known_hint(*text, labels_));
  return {};
}

Trigger ScheduleReader::read_when_sync(trigger::When when, const Entry& entry) {
  if (!want_map(entry.value, entry.key)) return {};
  for (const Entry& each : entry.value.entries) {
    const std::string key = normal_name(each.key);
    if (key == "node") {
      read_who(each.value, "node", when);
    } else if (key == "count") {
      const auto count = read_as<std::int64_t>(each.value, "count", ParamType::integer);
      when.count = static_cast<std::uint64_t>(count.value_or(1));
      if (when.count == 0) wrong(each.value, "count", "a number from 1");
    } else if (!is_ignored(each.key)) {
      unknown_key(each, "`" + entry.key + "`", {"count", "node"});
    }
  }
  for (const std::string_view key : {"node", "count"}) {
    if (entry.value.find(key) == nullptr) {
      problems_.add(entry.mark, "`" + entry.key + "` needs `" + std::string(key) + "`");
    }
  }
  return when;
}

// `{ index: 40 }`, or `{ count: 10 }` more than by then.
Trigger ScheduleReader::read_when_committed(trigger::When when, const Entry& entry) {
  if (!want_map(entry.value, entry.key)) return {};
  std::size_t given = 0;
  for (const Entry& each : entry.value.entries) {
    if (is_ignored(each.key)) continue;
    const std::string key = normal_name(each.key);
    if (key != "index" && key != "count") {
      unknown_key(each, "`" + entry.key + "`", {"count", "index"});
      continue;
    }
    ++given;
    when.what = key == "index" ? What::committed_index : What::committed_count;
    const auto number = read_as<std::int64_t>(each.value, key, ParamType::integer);
    when.count = static_cast<std::uint64_t>(number.value_or(1));
    if (when.count == 0) wrong(each.value, key, "a number from 1");
  }
  if (given != 1) {
    problems_.add(entry.mark, "`" + entry.key + "` needs either `index` or `count`",
                  "{ index: 40 }: that entry is; { count: 10 }: so many more are");
  }
  return when;
}

// A node, `any`, or selectors that are resolved when the waiting begins.
void ScheduleReader::read_who(const Tree& value, std::string_view name, trigger::When& when) {
  if (value.is_scalar() && value.text == "any") return;
  const auto who = read_as<Selectors>(value, name, ParamType::hosts);
  if (!who) return;
  const bool of_member =
      when.what == What::removed || when.what == What::joined || when.what == What::leader;
  for (const Selector& each : *who) {
    using Kind = Selector::Kind;
    if (each.kind == Kind::client || each.kind == Kind::clients || each.kind == Kind::all) {
      problems_.add(
          value.mark,
          "`" + std::string(name) + "` is of nodes, and `" + to_text(each) + "` has clients",
          "`nodes` is every node, and `any` whichever is first");
    } else if (each.kind == Kind::twin && of_member) {
      problems_.add(value.mark,
                    "`" + std::string(name) + "` is of members, and a twin is none of its own");
    }
  }
  const bool plain = who->size() == 1 && who->front().kind == Selector::Kind::node;
  if (plain) {
    when.node = who->front().node;
  } else {
    when.who = *who;
  }
}

// ---- Actions -------------------------------------------------------------------------------

Action ScheduleReader::read_action(const Entry& entry) {
  const std::string name = normal_name(entry.key);
  for (const auto& [operation, kind] : kOperations) {
    if (operation != name) continue;
    return kind == OperationKind::configure ? read_configure(entry) : read_operate(entry, kind);
  }
  if (name == "workload") return read_workload(entry);
  if (name == "wait") {
    if (entry.value.kind != Tree::Kind::null &&
        !(entry.value.is_scalar() && entry.value.text == "true")) {
      wrong(entry.value, "wait", "true", "how long is said by `at`, `after` or `when`");
    }
    return action::Wait{};
  }
  if (name == "end") {
    action::End end{read_label(entry.value, "end")};
    if (!end.label.empty()) ends_.push_back({entry.value.mark, end.label});
    return end;
  }
  if (const auto* fault = find_plugin(vocabulary_.faults, entry.key)) {
    action::Inject inject{.fault = fault->name,
                          .params = read_params(entry.value, *fault, entry.mark, true)};
    faults_.push_back({entry.mark, fault, inject.params, marks_of(entry.value, *fault)});
    return inject;
  }
  std::vector<std::string> known = names_of(vocabulary_.faults);
  for (const auto& operation : kOperations) known.emplace_back(operation.first);
  for (const std::string_view key : {"wait", "workload", "end", "label", "at", "after", "when",
                                     "for", "may-miss", "expect", "background", "remove"}) {
    known.emplace_back(key);
  }
  std::sort(known.begin(), known.end());
  problems_.add(entry.mark, "unknown action or key `" + entry.key + "` in a step",
                known_hint(entry.key, known));
  return action::Wait{};
}

action::Operate ScheduleReader::read_operate(const Entry& entry, OperationKind kind) {
  action::Operate out;
  out.kind = kind;
  if (!entry.value.is_map() || is_pick(entry.value)) {
    out.keys = read_keys(entry.value);  // `write: key-1..key-9`
    if (!makes_keys(kind)) asked_for_.push_back({entry.value.mark, out.keys});
    check_change(entry, out);
    return out;
  }
  if (entry.value.find("key") != nullptr && entry.value.find("keys") != nullptr) {
    problems_.add(entry.mark, "`key` and `keys` in one step", "keep one of them");
  }
  for (const Entry& each : entry.value.entries) {
    if (!is_ignored(each.key)) read_operate_key(each, out);
  }
  const Tree* const plural = entry.value.find("keys");
  const Tree* const keys = plural != nullptr ? plural : entry.value.find("key");
  if (keys != nullptr && !makes_keys(kind)) {
    asked_for_.push_back({keys->mark, out.keys});
  }
  if (keys == nullptr) {
    problems_.add(entry.mark, "`" + entry.key + "` needs `keys`, such as key-1..key-100");
  }
  if (out.direct && kind != OperationKind::read) {
    problems_.add(entry.mark, "`direct` is for reads: a write goes through a coordinator");
  } else if (out.direct && entry.value.find("via") == nullptr) {
    problems_.add(entry.mark, "a direct read needs `via`: the node that is read");
  } else if (out.direct && out.level) {
    problems_.add(entry.mark, "a direct read has no `level`: one node answers it");
  }
  check_change(entry, out);
  return out;
}

// What a counter is counted by, and what a set is given, are said where they are meant.
void ScheduleReader::check_change(const Entry& entry, const action::Operate& operate) {
  if (changes_key(operate.kind)) operations_.push_back({entry.mark, operate.kind});
  const bool map = entry.value.is_map();
  if (operate.kind == OperationKind::discard && operate.value.empty()) {
    problems_.add(entry.mark, "`discard` needs `element`: what is taken out of the set");
  }
  const Tree* const by = map ? entry.value.find("by") : nullptr;
  if (by != nullptr && operate.kind != OperationKind::increment) {
    problems_.add(by->mark, "`by` is for `increment`");
  }
  const Tree* const element = map ? entry.value.find("element") : nullptr;
  if (element != nullptr && operate.kind != OperationKind::add &&
      operate.kind != OperationKind::discard) {
    problems_.add(element->mark, "`element` is for `add` and `discard`");
  }
}

void ScheduleReader::read_operate_key(const Entry& entry, action::Operate& out) {
  const std::string key = normal_name(entry.key);
  const Tree& value = entry.value;
  if (key == "key" || key == "keys") {
    out.keys = read_keys(value);
  } else if (key == "level") {
    out.level = read_level(value, "level");
  } else if (key == "via") {
    out.via = read_as<NodeId>(value, "via", ParamType::node).value_or(NodeId{});
  } else if (key == "direct") {
    out.direct = read_as<bool>(value, "direct", ParamType::flag).value_or(false);
  } else if (key == "every") {
    out.every = read_as<Duration>(value, "every", ParamType::duration).value_or(0ns);
  } else if (key == "by") {
    const std::string text = value.is_scalar() ? value.text : "";
    if (!parse_integer(text.substr(text.starts_with('-') ? 1 : 0))) {
      return wrong(value, "by", "a number such as 1 or -5");
    }
    out.value = text;
  } else if (key == "element") {
    out.value = read_as<std::string>(value, "element", ParamType::text).value_or("");
  } else if (key == "clients") {
    const auto clients = read_as<std::int64_t>(value, "clients", ParamType::integer);
    if (!clients) return;
    if (cluster_known_ && (*clients < 1 || *clients > schedule_.cluster.clients)) {
      problems_.add(value.mark,
                    "`clients` is a number from 1 to " + std::to_string(schedule_.cluster.clients) +
                        ", not " + found(value),
                    "cluster.clients says how many there are");
      return;
    }
    out.clients = static_cast<std::uint32_t>(*clients);
  } else {
    unknown_key(entry, "an operation",
                {"by", "clients", "direct", "element", "every", "key", "keys", "level", "via"});
  }
}

action::Operate ScheduleReader::read_configure(const Entry& entry) {
  action::Operate out;
  out.kind = OperationKind::configure;
  if (!want_map(entry.value, entry.key)) return out;
  for (const Entry& each : entry.value.entries) {
    if (is_ignored(each.key)) continue;
    const auto text = read_as<std::string>(each.value, each.key, ParamType::text);
    if (!text) continue;
    out.keys.push_back(each.key);
    out.settings.insert_or_assign(each.key, *text);
  }
  if (entry.value.entries.empty()) wrong(entry.value, entry.key, "at least one setting");
  return out;
}

void ScheduleReader::read_step_expect(const Tree& value, action::Operate& operate) {
  const bool reads = operate.kind == OperationKind::read;
  const std::vector<std::string_view> allowed =
      reads ? std::vector<std::string_view>{"value", "not-found", "unavailable"}
            : std::vector<std::string_view>{"ok"};
  const auto text = read_as<std::string>(value, "expect", ParamType::choice, allowed);
  if (!text) return;
  for (const ResultKind kind :
       {ResultKind::ok, ResultKind::value, ResultKind::not_found, ResultKind::unavailable}) {
    if (to_name(kind) == *text) operate.expect = kind;
  }
}

// What is to be ended, or waited for until it has, must be a fault that does end.
void ScheduleReader::check_ends() {
  const auto step_of = [&](const std::string& label) {
    return std::find_if(schedule_.timeline.begin(), schedule_.timeline.end(),
                        [&](const Step& step) { return step.label == label; });
  };
  const std::string wanted = "faults that last: " + joined(lasting(vocabulary_.faults));
  for (const Use& use : ends_) {
    const auto step = step_of(use.name);
    if (step == schedule_.timeline.end()) continue;  // it is complained about itself
    const auto* const inject = std::get_if<action::Inject>(&step->action);
    const auto* const fault =
        inject == nullptr ? nullptr : find_plugin(vocabulary_.faults, inject->fault);
    if (fault == nullptr) {
      problems_.add(use.mark, "step `" + use.name + "` injects no fault that could end", wanted);
    } else if (!fault->ends) {
      problems_.add(use.mark,
                    "`" + fault->name + "` of step `" + use.name + "` does not last: it has no end",
                    wanted);
    }
  }
  if (!problems_.empty()) return;
  for (const Use& use : waits_) {
    const auto& inject = std::get<action::Inject>(step_of(use.name)->action);
    const bool ended =
        std::any_of(schedule_.timeline.begin(), schedule_.timeline.end(), [&](const Step& step) {
          const auto* const end = std::get_if<action::End>(&step.action);
          return end != nullptr && end->label == use.name;
        });
    if (inject.lasts || ended) continue;
    problems_.add(use.mark, "nothing ends the fault of step `" + use.name + "`",
                  "give it a duration, such as `for: 5s`, or write a step `end: " + use.name + "`");
  }
}

}  // namespace rejoin::sim
