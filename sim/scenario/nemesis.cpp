// Reading the section: what was asked for, what the faults say of themselves, and what cannot be.
#include "sim/scenario/nemesis.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "model/distribution.hpp"
#include "model/params.hpp"
#include "sim/scenario/nemesis_hosts.hpp"
#include "sim/scenario/read.hpp"
#include "sim/scenario/yaml.hpp"

namespace rejoin::sim {

namespace {

const std::vector<std::string> kPresets = {"all", "clocks", "disks", "hosts", "mild", "network"};
const std::vector<std::string> kKeys = {"epoch",  "faults", "from",  "mode", "preset",
                                        "repair", "rest",   "swarm", "until"};
constexpr Duration kShortestPause = 10ms;

// How bad a value is, of the types that have an order.
std::int64_t badness(const ParamValue& value) {
  if (const auto* share = std::get_if<Share>(&value)) return share->ppm;
  if (const auto* range = std::get_if<DurationRange>(&value)) return range->max.count();
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* delay = std::get_if<Delay>(&value)) {
    // Of a range the longest; of a distribution what it takes in the long run, which may have no
    // end.
    const LatencyOptions& options = delay->options();
    if (options.params.has("range")) return options.params.get<DurationRange>("range").max.count();
    const auto mean = make_distribution(options)->mean();
    return mean ? mean->count() : std::numeric_limits<std::int64_t>::max();
  }
  return 0;
}

bool is_no(const Tree& value) {
  return value.is_scalar() && (value.text == "false" || value.text == "none");
}

void remark(Tree& tree, const Mark& mark) {
  tree.mark = mark;
  for (Tree& item : tree.items) remark(item, mark);
  for (Entry& entry : tree.entries) remark(entry.value, mark);
}

// What a preset means: a class of faults, or a property.
bool preset_has(const std::string& preset, const Vocabulary::Plugin& fault) {
  if (preset == "all") return true;
  if (preset == "mild") {
    const NemesisSpec& spec = fault.nemesis;
    return spec.out.empty() && !spec.alone && spec.after == NemesisSpec::After::nothing &&
           !fault.destroys && spec.destroys == nullptr;
  }
  return preset == fault.fault_class || preset == fault.fault_class + "s";
}

class Reader {
 public:
  Reader(const Vocabulary& vocabulary, const Schedule& schedule, Problems& problems)
      : vocabulary_(vocabulary), schedule_(schedule), problems_(problems) {}

  std::optional<Nemesis> read(const Tree& section) {
    if (section.is_map() && !is_pick(section)) {
      for (const Entry& entry : section.entries) read_key(entry);
      const Tree* const presets = section.find("preset");
      const Tree* const faults = section.find("faults");
      if (presets != nullptr) {
        read_presets(*presets);
      } else if (faults == nullptr) {
        add_preset("all", section.mark);
      }
      if (faults != nullptr) read_faults(*faults);
    } else {
      read_presets(section);
    }
    check(section);
    if (failed_) return std::nullopt;
    std::stable_sort(out_.faults.begin(), out_.faults.end(),
                     [](const auto& a, const auto& b) { return a.name < b.name; });
    return std::move(out_);
  }

 private:
  void complain(const Mark& mark, std::string message, std::string hint = {}) {
    failed_ = true;
    problems_.add(mark, std::move(message), std::move(hint));
  }
  void wrong(const Tree& value, std::string_view name, const std::string& wanted) {
    complain(value.mark, "`" + std::string(name) + "` takes " + wanted + ", not " + found(value));
  }

  void read_key(const Entry& entry) {
    const std::string key = normal_name(entry.key);
    const Tree& value = entry.value;
    const std::string text = value.is_scalar() ? value.text : "";
    if (key == "from" || key == "until" || key == "repair") {
      const auto time = parse_duration(text);
      if (!time) return wrong(value, key, time.error());
      if (key == "from") out_.from = MonotonicTime(*time);
      if (key == "until") out_.until = MonotonicTime(*time);
      if (key == "repair") out_.repair = *time;
    } else if (key == "epoch" || key == "rest") {
      if (const auto range = read_range(value, key)) {
        (key == "epoch" ? out_.epoch : out_.rest) = *range;
      }
    } else if (key == "mode") {
      if (text != "bounded" && text != "unbounded") return wrong(value, key, "bounded, unbounded");
      out_.bounded = text == "bounded";
    } else if (key == "swarm") {
      const auto flag = parse_flag(text);
      if (!flag) return wrong(value, key, flag.error());
      out_.swarm = *flag;
    } else if (!is_ignored(entry.key) && key != "preset" && key != "faults") {
      complain(entry.mark, "unknown key `" + entry.key + "` in `nemesis`",
               known_hint(entry.key, kKeys));
    }
  }

  std::optional<DurationRange> read_range(const Tree& value, std::string_view name) {
    const auto range = parse_duration_range(value.is_scalar() ? value.text : "");
    if (range) return *range;
    wrong(value, name, range.error());
    return std::nullopt;
  }

  // ---- Faults ----

  void read_presets(const Tree& presets) {
    const std::vector<Tree> one = {presets};
    for (const Tree& item : presets.is_list() ? presets.items : one) {
      const std::string name = item.is_scalar() ? normal_name(item.text) : "";
      if (std::find(kPresets.begin(), kPresets.end(), name) != kPresets.end()) {
        add_preset(name, item.mark);
      } else if (item.is_scalar()) {
        complain(item.mark, "unknown preset `" + item.text + "`", known_hint(item.text, kPresets));
      } else {
        wrong(item, "preset", "names of presets");
      }
    }
  }

  // A fault that this cluster has no place for is left out: no file asked for it by name.
  void add_preset(const std::string& preset, const Mark& mark) {
    for (const Vocabulary::Plugin& plugin : vocabulary_.faults) {
      const NemesisSpec& spec = plugin.nemesis;
      if (!spec.exempt.empty() || spec.every.empty() || !preset_has(preset, plugin)) continue;
      // A disk that lies breaks what Raft stands on; a bounded nemesis sees to it that its server
      // never comes back with what is left.
      if (!out_.bounded && spec.lies) continue;
      if (out_.bounded && takes_out(plugin) && expendable(schedule_) == 0) continue;
      NemesisFault fault{.name = plugin.name, .mark = mark, .plugin = &plugin};
      if (declared(fault) && fits(fault)) put(std::move(fault));
    }
  }

  static bool takes_out(const Vocabulary::Plugin& plugin) {
    return !plugin.nemesis.out.empty() || plugin.nemesis.alone || plugin.destroys ||
           plugin.nemesis.destroys != nullptr;
  }

  void put(NemesisFault fault) {
    std::erase_if(out_.faults, [&](const NemesisFault& other) { return other.name == fault.name; });
    out_.faults.push_back(std::move(fault));
  }

  // Fills in what the fault says of itself; false when it says nothing.
  bool declared(NemesisFault& fault) {
    const NemesisSpec& spec = fault.plugin->nemesis;
    if (spec.every.empty()) return false;
    fault.every = parse_duration_range(spec.every).value_or(DurationRange{});
    if (!spec.lasts.empty()) {
      fault.lasts = parse_duration_range(spec.lasts).value_or(DurationRange{});
    }
    for (const NemesisSpec::Value& value : spec.values) {
      auto tree = parse_override({std::string(value.param), std::string(value.draw)}, problems_);
      if (!tree) return false;
      remark(*tree, fault.mark);
      set_value(fault, std::string(value.param), *tree);
    }
    return true;
  }

  // False when the topology has no place for it, or the fault says that the cluster has none.
  bool fits(const NemesisFault& fault) const {
    DrawnValues first;
    for (const NemesisFault::Value& value : fault.values) {
      if (value.draw.count == 0) return false;
      first.emplace_back(value.param, value.draw.at(0));
    }
    if (!fault.plugin->problem) return true;
    return !fault.plugin->problem(params_of(*fault.plugin, first), schedule_);
  }

  void read_faults(const Tree& faults) {
    if (!faults.is_map() || is_pick(faults)) {
      return wrong(faults, "faults", "a map of faults, such as { crash: { every: 5s..20s } }");
    }
    for (const Entry& entry : faults.entries) {
      if (!is_ignored(entry.key)) read_fault(entry);
    }
  }

  void read_fault(const Entry& entry) {
    const Tree* const other = entry.value.find("fault");
    const std::string wanted = other != nullptr && other->is_scalar() ? other->text : entry.key;
    const Vocabulary::Plugin* const plugin = find_plugin(vocabulary_.faults, wanted);
    if (plugin == nullptr) {
      return complain(other != nullptr ? other->mark : entry.mark, "unknown fault `" + wanted + "`",
                      known_hint(wanted, names_of(vocabulary_.faults)));
    }
    const std::string name = other != nullptr ? entry.key : plugin->name;
    if (is_no(entry.value)) {
      std::erase_if(out_.faults, [&](const NemesisFault& each) { return each.name == name; });
      return;
    }
    // Its steps are `nemesis-NAME-N`, and may be written to a file.
    constexpr std::size_t kNameMax = 48;
    if (!is_label(name) || name.size() > kNameMax) {
      return complain(
          entry.mark,
          "a fault's own name has letters, digits and `-`, at most 48 of them, not `" + name + "`");
    }
    NemesisFault fault{.name = name, .mark = entry.mark, .plugin = plugin};
    const bool known = declared(fault);
    const bool plain = entry.value.kind == Tree::Kind::null ||
                       (entry.value.is_scalar() && entry.value.text == "true");
    if (!plain && (!entry.value.is_map() || is_pick(entry.value))) {
      return wrong(entry.value, entry.key, "a map such as { every: 5s..20s, for: 1s..10s }");
    }
    for (const Entry& each : entry.value.entries) read_fault_key(each, fault);
    if (!known && entry.value.find("every") == nullptr) {
      complain(entry.mark, "`" + name + "` needs `every`: the time between two of them",
               plugin->nemesis.exempt.empty() ? "" : std::string(plugin->nemesis.exempt));
    }
    check_fault(fault, entry);
    put(std::move(fault));
  }

  void read_fault_key(const Entry& entry, NemesisFault& fault) {
    const std::string key = normal_name(entry.key);
    if (key == "fault" || is_ignored(entry.key)) return;
    if (key == "every") {
      if (const auto range = read_range(entry.value, "every")) fault.every = *range;
    } else if (key == "for") {
      fault.lasts.reset();
      if (!is_no(entry.value)) fault.lasts = read_range(entry.value, "for");
      if (!fault.plugin->ends) {
        complain(entry.mark, "`" + fault.name + "` is done in a moment: it has no `for`");
      }
    } else {
      const auto& specs = fault.plugin->params;
      const auto spec = std::find_if(specs.begin(), specs.end(), [&](const ParamSpec& each) {
        return normal_name(each.name) == key;
      });
      if (spec != specs.end()) return set_value(fault, std::string(spec->name), entry.value);
      std::vector<std::string> known = {"every", "fault", "for"};
      for (const ParamSpec& each : specs) known.push_back(written_name(each.name));
      complain(entry.mark, "unknown key `" + entry.key + "` in `" + fault.name + "`",
               known_hint(entry.key, known));
    }
  }

  // A literal, a range or a pick.
  void set_value(NemesisFault& fault, const std::string& param, const Tree& value) {
    const auto& specs = fault.plugin->params;
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const ParamSpec& each) { return each.name == param; });
    const bool literal = spec == specs.end() || spec->type == ParamType::duration_range ||
                         spec->type == ParamType::latency || spec->type == ParamType::text;
    std::erase_if(fault.values, [&](const auto& each) { return each.param == param; });
    std::optional<Alternatives> draw;
    if (value.is_scalar() && (value.text == "any-site" || value.text == "any-link")) {
      draw = places(value);
    } else if (is_pick(value)) {
      draw = alternatives_of(value.entries[0].value, true, problems_);
    } else if (value.is_scalar() && !literal && is_range(value.text)) {
      draw = alternatives_of(value, false, problems_);
    } else {
      draw = Alternatives{1, true, [value](std::uint64_t) { return value; }};
    }
    failed_ |= !draw.has_value();
    if (draw) fault.values.push_back({param, *std::move(draw)});
  }

  [[nodiscard]] Alternatives places(const Tree& value) const {
    std::vector<Tree> names;
    if (value.text == "any-site") {
      for (const auto& site : schedule_.topology.sites) {
        const Tree inside = make_scalar("zone(" + site.name + ")", value.mark);
        if (out_.bounded && nodes_hit(inside, schedule_).least > expendable(schedule_)) continue;
        names.push_back(make_scalar(site.name, value.mark));
      }
    } else {
      for (const auto& link : schedule_.topology.links) {
        names.push_back(make_scalar(link.name, value.mark));
      }
    }
    return {names.size(), true,
            [names](std::uint64_t i) { return names[static_cast<std::size_t>(i)]; }};
  }

  // ---- What cannot be ----

  void check_fault(const NemesisFault& fault, const Entry& entry) {
    for (const ParamSpec& spec : fault.plugin->params) {
      if (!spec.fallback.empty()) continue;
      const bool given = std::any_of(fault.values.begin(), fault.values.end(),
                                     [&](const auto& value) { return value.param == spec.name; });
      if (given) continue;
      complain(entry.mark, "`" + fault.name + "` needs `" + std::string(spec.name) +
                               "`: " + std::string(spec.help));
    }
    const bool placed =
        std::all_of(fault.values.begin(), fault.values.end(),
                    [](const NemesisFault::Value& value) { return value.draw.count != 0; });
    if (!placed) {
      complain(entry.mark, "`" + fault.name +
                               "` needs a `topology`, and in mode bounded a site "
                               "that can be spared");
    }
    const auto mark_of = [&](std::string_view key) {
      const Tree* const value = entry.value.find(key);
      return value != nullptr ? value->mark : entry.mark;
    };
    if (fault.every.max < kShortestPause &&
        (entry.value.find("every") != nullptr || !fault.plugin->nemesis.every.empty())) {
      complain(mark_of("every"), "`every` is at least 10ms, so that a run can hold them");
    }
    if (fault.lasts && fault.lasts->max < kShortestStrike) {
      complain(mark_of("for"), "`for` is at least " + rejoin::to_text(kShortestStrike) +
                                   ": what is shorter is left out");
    }
    if (!out_.bounded) return;
    check_bearable(fault);
    if (fault.plugin->ends && !fault.lasts) {
      complain(entry.mark, "in mode bounded every fault is over some day: `" + fault.name +
                               "` needs a `for`, such as 2s..10s");
    }
    check_victims(fault, entry);
  }

  // What is worse for everyone at once must leave everyone in action.
  void check_bearable(const NemesisFault& fault) {
    for (const NemesisSpec::Most& most : fault.plugin->nemesis.bearable) {
      const auto& specs = fault.plugin->params;
      const auto spec = std::find_if(specs.begin(), specs.end(), [&](const ParamSpec& each) {
        return each.name == most.param;
      });
      const auto limit = parse_param(*spec, {std::string(most.value)});
      for (const NemesisFault::Value& value : fault.values) {
        if (value.param != most.param || !limit) continue;
        // The last of a range is its worst.
        const std::uint64_t last = std::max<std::uint64_t>(value.draw.count, 1) - 1;
        for (std::uint64_t i = value.draw.is_list ? 0 : last; i < value.draw.count; ++i) {
          const Tree drawn = value.draw.at(i);
          const auto text = as_param_text(drawn);
          const auto read = text ? parse_param(*spec, *text) : limit;
          if (!read || badness(*read) <= badness(*limit)) continue;
          complain(drawn.mark,
                   "a bounded nemesis draws `" + written_name(most.param) + "` of `" +
                       fault.plugin->name + "` up to " + std::string(most.value) + ", not " +
                       to_text(*read) + ": beyond, nobody may be left who is in action",
                   "`isolate` and `partition` cut off as many as can be spared; mode: unbounded "
                   "has no such limit");
        }
      }
    }
  }

  void check_victims(const NemesisFault& fault, const Entry& entry) {
    const std::uint32_t most = expendable(schedule_);
    const std::string_view out = fault.plugin->nemesis.out;
    if (takes_out(*fault.plugin) && most == 0) {
      return complain(entry.mark,
                      "`" + fault.name +
                          "` takes nodes out of action, and a bounded nemesis can "
                          "spare none here",
                      "a majority of every partition's owners stays in action: replication 3 on "
                      "3 nodes or more spares one");
    }
    for (const auto& value : fault.values) {
      if (value.param != out || !value.draw.is_list) continue;
      for (std::uint64_t i = 0; i < value.draw.count; ++i) {
        const Tree alternative = value.draw.at(i);
        if (nodes_hit(alternative, schedule_).least <= most) continue;
        complain(alternative.mark,
                 "a bounded nemesis can take " + std::to_string(most) +
                     (most == 1 ? " node" : " nodes") + " out of action at once, and `" +
                     value.param + "` names more",
                 "a majority of the voters and of every partition's owners stays; mode: unbounded "
                 "has no such limit");
      }
    }
  }

  void check(const Tree& section) {
    if (out_.from >= out_.until) {
      const Tree* const until = section.find("until");
      const Tree* const from = section.find("from");
      complain(until != nullptr  ? until->mark
               : from != nullptr ? from->mark
                                 : section.mark,
               "`from` is " + rejoin::to_text(out_.from.time_since_epoch()) +
                   ", not before `until`, which is " +
                   rejoin::to_text(out_.until.time_since_epoch()));
    }
    if (out_.until > MonotonicTime(schedule_.limits.virtual_time)) {
      const Tree* const until = section.find("until");
      complain(until != nullptr ? until->mark : section.mark,
               "`until` is " + rejoin::to_text(out_.until.time_since_epoch()) +
                   ", and the run ends after " + rejoin::to_text(schedule_.limits.virtual_time) +
                   " (limits.virtual-time)",
               "end it earlier, or let the run last longer");
    }
    if (out_.epoch.min < 4s) {
      const Tree* const epoch = section.find("epoch");
      complain(epoch != nullptr ? epoch->mark : section.mark, "an `epoch` is at least 4s");
    }
    if (out_.faults.empty() && !failed_) {
      complain(section.mark, "a nemesis without faults",
               "name a preset, or faults that this cluster has a place for");
    }
  }

  const Vocabulary& vocabulary_;
  const Schedule& schedule_;
  Problems& problems_;
  Nemesis out_;
  bool failed_ = false;
};

}  // namespace

Params params_of(const Vocabulary::Plugin& fault, const DrawnValues& values) {
  Params out = default_params(fault.params);
  for (const auto& [name, value] : values) {
    const auto spec = std::find_if(fault.params.begin(), fault.params.end(),
                                   [&, wanted = std::string_view(name)](const ParamSpec& each) {
                                     return each.name == wanted;
                                   });
    const auto text = as_param_text(value);
    if (spec == fault.params.end() || !text) continue;
    if (auto read = parse_param(*spec, *text)) out.set(name, *std::move(read));
  }
  return out;
}

std::uint32_t expendable(const Schedule& schedule) {
  const std::uint32_t nodes = schedule.cluster.nodes;
  const std::uint32_t founders =
      schedule.cluster.founders == 0 ? nodes : std::min(schedule.cluster.founders, nodes);
  const std::uint32_t owners = std::min(founders, schedule.node.partitioning.replication);
  const std::uint32_t voters = std::min(founders, schedule.node.raft.voters_max);
  const std::uint32_t least = std::min(owners, voters);
  return least == 0 ? 0 : (least - 1) / 2;
}

std::optional<Nemesis> read_nemesis(const Tree& section, const Vocabulary& vocabulary,
                                    const Schedule& schedule, Problems& problems) {
  return Reader(vocabulary, schedule, problems).read(section);
}

}  // namespace rejoin::sim
