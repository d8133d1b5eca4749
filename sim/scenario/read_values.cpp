#include <algorithm>
#include <set>
#include <utility>

#include "sim/scenario/read.hpp"
#include "sim/scenario/selectors.hpp"

namespace rejoin::sim {

std::optional<ParamText> as_param_text(const Tree& tree) {
  if (tree.is_scalar()) return ParamText{tree.text};
  if (!tree.is_list()) return std::nullopt;
  const bool nested = !tree.items.empty() && tree.items[0].is_list();
  std::vector<std::string> flat;
  std::vector<std::vector<std::string>> sets;
  for (const Tree& item : tree.items) {
    if (item.is_list() != nested) return std::nullopt;
    if (!nested) {
      if (!item.is_scalar()) return std::nullopt;
      flat.push_back(item.text);
      continue;
    }
    auto& set = sets.emplace_back();
    for (const Tree& inner : item.items) {
      if (!inner.is_scalar()) return std::nullopt;
      set.push_back(inner.text);
    }
  }
  if (nested) return ParamText{std::move(sets)};
  return ParamText{std::move(flat)};
}

namespace {

constexpr std::size_t kKeysMax = 1'000'000;  // of a step
constexpr std::size_t kKeyBytesMax = 1'024;

// `key-` and 7 of `key-7`.
struct NumberedKey {
  std::string prefix;
  std::int64_t number = 0;
};
std::optional<NumberedKey> numbered_key(std::string_view text) {
  const std::size_t end = text.find_last_not_of("0123456789");
  const std::size_t digits = end == std::string_view::npos ? 0 : end + 1;
  const auto number = parse_integer(text.substr(digits));
  if (!number) return std::nullopt;
  return NumberedKey{std::string(text.substr(0, digits)), *number};
}

bool is_bare_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// Why people get this type wrong.
std::string hint_for(const Tree& value, const ParamSpec& spec) {
  if (!value.is_scalar()) return {};
  const std::string& text = value.text;
  switch (spec.type) {
    case ParamType::duration:
    case ParamType::duration_range:
    case ParamType::latency:
    case ParamType::offset:
      if (is_bare_number(text) && text.size() < 20) {
        return "the unit is missing: " + text + "s or " + text + "ms?";
      }
      return {};
    case ParamType::size:
      if (is_bare_number(text) && text.size() < 20) {
        return "the unit is missing: " + text + "B or " + text + "KiB?";
      }
      return {};
    case ParamType::choice: {
      const std::string near = nearest_name(text, {spec.choices.begin(), spec.choices.end()});
      return near.empty() ? "" : "did you mean `" + near + "`?";
    }
    case ParamType::hosts: {
      const std::string near = nearest_name(text, selector_words());
      return near.empty() ? "" : "did you mean `" + near + "`?";
    }
    default:
      return {};
  }
}

// A host that a set before its own has named already; null: there is none.
const Tree* in_two_sets(const Tree& value, const ParamSpec& spec) {
  if (spec.type != ParamType::host_sets || !value.is_list()) return nullptr;
  std::set<std::string> seen;
  for (const Tree& set : value.items) {
    for (const Tree& host : set.items) {
      if (host.is_scalar() && !seen.insert(host.text).second) return &host;
    }
  }
  return nullptr;
}

}  // namespace

void ScheduleReader::wrong(const Tree& value, std::string_view name, std::string_view wanted,
                           std::string hint) {
  // A pick that could not be resolved was complained about already.
  if (is_pick(value)) return;
  problems_.add(
      value.mark,
      "`" + written_name(name) + "` takes " + std::string(wanted) + ", not " + found(value),
      std::move(hint));
}

void ScheduleReader::unknown_key(const Entry& entry, std::string_view where,
                                 const std::vector<std::string>& known) {
  problems_.add(entry.mark, "unknown key `" + entry.key + "` in " + std::string(where),
                known_hint(entry.key, known));
}

bool ScheduleReader::want_map(const Tree& value, std::string_view name) {
  if (value.is_map() && !is_pick(value)) return true;
  wrong(value, name, "a map");
  return false;
}

std::optional<ParamValue> ScheduleReader::read_value(const Tree& value, const ParamSpec& spec) {
  if (spec.type == ParamType::latency && value.is_map() && !is_pick(value)) {
    const std::size_t before = problems_.size();
    LatencyOptions latency;
    read_latency(value, latency);
    if (problems_.size() != before) return std::nullopt;
    return Delay(std::move(latency));
  }
  const std::optional<ParamText> text = as_param_text(value);
  // The sentence of a type for a value of no type at all.
  const ParamText nothing{std::vector<std::string>{}};
  auto read = parse_param(spec, text ? *text : nothing);
  if (read && text) {
    check_hosts(value, spec, *read);
    return *std::move(read);
  }
  if (const Tree* const twice = in_two_sets(value, spec)) {
    problems_.add(twice->mark, "`" + twice->text + "` is in two sets of `" +
                                   written_name(spec.name) + "`: each host is in one");
    return std::nullopt;
  }
  wrong(value, spec.name, read ? "one value" : read.error(), hint_for(value, spec));
  return std::nullopt;
}

std::optional<Consistency> ScheduleReader::read_level(const Tree& value, std::string_view name) {
  const std::vector<std::string_view> names(kConsistencyNames.begin(), kConsistencyNames.end());
  const auto level = read_as<std::string>(value, name, ParamType::choice, names);
  if (!level) return std::nullopt;
  const auto at = std::find(names.begin(), names.end(), *level);
  return static_cast<Consistency>(at - names.begin());
}

bool ScheduleReader::check_bounds(const Tree& value, const Field& field, const ParamValue& read) {
  std::int64_t number = 0;
  if (const auto* integer = std::get_if<std::int64_t>(&read)) {
    number = *integer;
  } else if (const auto* duration = std::get_if<Duration>(&read)) {
    number = duration->count();
  } else if (const auto* range = std::get_if<DurationRange>(&read)) {
    number = range->min.count();
  } else if (const auto* size = std::get_if<Size>(&read)) {
    number = static_cast<std::int64_t>(size->bytes);
  } else {
    return true;
  }
  const bool is_integer = field.type == ParamType::integer;
  const bool is_time = field.type == ParamType::duration || field.type == ParamType::duration_range;
  const std::string name = "`" + std::string(field.key) + "`";
  if (number < field.bounds.least) {
    std::string wanted = " must be above zero, not ";
    if (is_integer) wanted = " is at least " + std::to_string(field.bounds.least) + ", not ";
    if (is_time && field.bounds.least > 1) {
      wanted = " is at least " + rejoin::to_text(Duration(field.bounds.least)) + ", not ";
    }
    problems_.add(value.mark, name + wanted + found(value));
    return false;
  }
  if (number > field.bounds.most) {
    problems_.add(value.mark, name + " is at most " + std::to_string(field.bounds.most) + ", not " +
                                  found(value));
    return false;
  }
  return true;
}

// Who is named must exist. Each complaint is placed at the name, where that has a place of its own.
void ScheduleReader::check_hosts(const Tree& value, const ParamSpec& spec, const ParamValue& read) {
  const auto check_all = [&](const Tree& names, const Selectors& hosts) {
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      check_host(names.is_list() ? names.items[i].mark : names.mark, hosts[i], spec.type);
    }
  };
  if (const auto* node = std::get_if<NodeId>(&read)) {
    if (!node->is_none()) check_host(value.mark, select(*node), spec.type);
  } else if (const auto* hosts = std::get_if<Selectors>(&read)) {
    check_all(value, *hosts);
  } else if (const auto* sets = std::get_if<std::vector<Selectors>>(&read)) {
    for (std::size_t i = 0; i < sets->size(); ++i) check_all(value.items[i], (*sets)[i]);
  }
}

void ScheduleReader::check_host(const Mark& mark, const Selector& host, ParamType type) {
  using Kind = Selector::Kind;
  const ClusterOptions& cluster = schedule_.cluster;
  switch (host.kind) {
    case Kind::node:
      if (!cluster_known_ || host.node.value <= cluster.nodes) return;
      return problems_.add(mark, "there is no " + to_name(host.node),
                           "the cluster has node-1 to " + to_name(NodeId(cluster.nodes)));
    case Kind::client:
      if (!cluster_known_ || host.client.value <= cluster.clients) return;
      return problems_.add(mark, "there is no " + to_name(host.client),
                           "the cluster has client-1 to " + to_name(ClientId(cluster.clients)) +
                               " (cluster.clients)");
    case Kind::random:
      if (!cluster_known_ || host.count <= cluster.nodes) return;
      return problems_.add(
          mark, "`" + to_text(host) + "` of " + std::to_string(cluster.nodes) + " nodes");
    case Kind::owner:
    case Kind::owners:
      return asked_for_.push_back({mark, {host.argument}});
    case Kind::zone:
      return sites_.push_back({mark, host.argument});
    case Kind::others:
      if (type == ParamType::host_sets) return;
      return problems_.add(mark, "`others` are those that no other set names: it needs sets",
                           "such as partition: [[node-1], [others]]");
    case Kind::twin:
      return check_host(mark, select(host.node), type);
    case Kind::leader:
    case Kind::follower:
    case Kind::followers:
    case Kind::member:
    case Kind::members:
    case Kind::majority:
    case Kind::minority:
    case Kind::nodes:
    case Kind::clients:
    case Kind::all:
      return;
  }
}

// Clients keep nothing on disk.
void ScheduleReader::check_disks(const Tree& value, const ParamSpec& spec,
                                 const Vocabulary::Plugin& fault) {
  if (!fault.needs_disk || spec.type != ParamType::hosts) return;
  const std::vector<Tree> one = {value};
  for (const Tree& name : value.is_list() ? value.items : one) {
    const auto host =
        name.is_scalar() ? parse_selector(name.text) : tl::expected<Selector, std::string>{};
    if (!host) continue;
    using Kind = Selector::Kind;
    if (host->kind != Kind::client && host->kind != Kind::clients && host->kind != Kind::all) {
      continue;
    }
    problems_.add(name.mark, "`" + fault.name + "` needs a disk, and clients have none",
                  "`nodes` is every node");
  }
}

std::optional<Address> ScheduleReader::read_address(const Tree& value, std::string_view name) {
  constexpr std::string_view prefix = "client-";
  if (value.is_scalar() && value.text.starts_with(prefix)) {
    const auto number = parse_integer(std::string_view(value.text).substr(prefix.size()));
    if (number && *number >= 1 && *number <= schedule_.cluster.clients) {
      return client_address(ClientId(static_cast<std::uint32_t>(*number)));
    }
    problems_.add(value.mark, "there is no " + value.text,
                  "the cluster has " + std::to_string(schedule_.cluster.clients) +
                      " clients (cluster.clients)");
    return std::nullopt;
  }
  const auto node = read_as<NodeId>(value, name, ParamType::node);
  if (!node) return std::nullopt;
  return Address(node->value);
}

std::map<std::string, Mark, std::less<>> ScheduleReader::marks_of(
    const Tree& value, const Vocabulary::Plugin& plugin) {
  std::map<std::string, Mark, std::less<>> out;
  for (const ParamSpec& spec : plugin.params) {
    const Tree* const given = value.is_map() ? value.find(spec.name) : nullptr;
    if (given != nullptr) out.emplace(spec.name, given->mark);
  }
  const bool alone = value.is_scalar() || value.is_list();
  if (alone && !plugin.params.empty()) out.emplace(plugin.params.front().name, value.mark);
  return out;
}

Params ScheduleReader::read_params(const Tree& value, const Vocabulary::Plugin& plugin,
                                   const Mark& name, bool first_alone) {
  Params out = default_params(plugin.params);
  const auto read = [&](const Tree& text, const ParamSpec& spec) {
    if (auto parsed = read_value(text, spec)) {
      check_disks(text, spec, plugin);
      out.set(spec.name, *std::move(parsed));
    } else {
      out.set(spec.name, false);  // wrong, but not missing
    }
  };
  const bool nothing = value.kind == Tree::Kind::null ||
                       (value.is_scalar() && value.text == "true" && plugin.params.empty());
  if (value.is_map() && !is_pick(value)) {
    for (const Entry& entry : value.entries) {
      if (is_ignored(entry.key)) continue;
      const auto spec = std::find_if(
          plugin.params.begin(), plugin.params.end(),
          [&](const ParamSpec& each) { return normal_name(each.name) == normal_name(entry.key); });
      if (spec != plugin.params.end()) {
        read(entry.value, *spec);
        continue;
      }
      std::vector<std::string> known;
      for (const ParamSpec& each : plugin.params) known.push_back(written_name(each.name));
      unknown_key(entry, "`" + plugin.name + "`", known);
    }
  } else if (!nothing) {
    if (first_alone && !plugin.params.empty()) {
      read(value, plugin.params.front());
    } else {
      wrong(value, plugin.name, plugin.params.empty() ? "no parameters" : "a map of parameters");
    }
  }
  for (const ParamSpec& spec : plugin.params) {
    if (out.has(spec.name)) continue;
    problems_.add(name, "`" + plugin.name + "` needs `" + written_name(spec.name) +
                            "`: " + std::string(spec.help));
  }
  return out;
}

// ---- Keys ----------------------------------------------------------------------------------

std::vector<Key> ScheduleReader::read_keys(const Tree& keys) {
  std::vector<Key> out;
  if (keys.is_list()) {
    for (const Tree& item : keys.items) add_keys(item, out);
  } else {
    add_keys(keys, out);
  }
  if (keys.is_list() && keys.items.empty()) wrong(keys, "keys", "at least one key");
  return out;
}

void ScheduleReader::add_keys(const Tree& text, std::vector<Key>& out) {
  constexpr std::string_view wanted =
      "a key such as key-1, a range such as key-1..key-100, or a list";
  if (!text.is_scalar() || text.text.empty()) return wrong(text, "keys", wanted);
  const std::size_t dots = text.text.find("..");
  if (dots == std::string::npos) {
    if (text.text.size() > kKeyBytesMax) {
      return problems_.add(text.mark,
                           "a key longer than " + std::to_string(kKeyBytesMax) + " bytes");
    }
    out.push_back(text.text);
    return;
  }
  const auto first = numbered_key(std::string_view(text.text).substr(0, dots));
  const auto last = numbered_key(std::string_view(text.text).substr(dots + 2));
  if (!first || !last || first->prefix != last->prefix || first->prefix.empty() ||
      first->prefix.size() > kKeyBytesMax) {
    return wrong(text, "keys", wanted);
  }
  if (first->number > last->number) {
    problems_.add(text.mark, "the range " + found(text) + " is the wrong way round",
                  "write the smaller number first");
    return;
  }
  if (static_cast<std::uint64_t>(last->number - first->number) >= kKeysMax - out.size()) {
    problems_.add(text.mark, "more than " + std::to_string(kKeysMax) + " keys in a step");
    return;
  }
  for (std::int64_t n = first->number; n <= last->number; ++n) {
    out.push_back(first->prefix + std::to_string(n));
  }
}

}  // namespace rejoin::sim
