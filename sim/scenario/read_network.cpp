// Network and topology: latencies, links, sites.
#include <algorithm>
#include <array>

#include "model/distribution.hpp"
#include "sim/scenario/read.hpp"

namespace rejoin::sim {

namespace {

constexpr std::array<Purpose, kPurposeCount> kPurposes = {Purpose::foreground, Purpose::repair,
                                                          Purpose::membership, Purpose::consensus};

std::optional<std::size_t> purpose_index(std::string_view name) {
  for (std::size_t i = 0; i < kPurposes.size(); ++i) {
    if (normal_name(to_name(kPurposes[i])) == normal_name(name)) return i;
  }
  return std::nullopt;
}

}  // namespace

// ---- Network -------------------------------------------------------------------------------

void ScheduleReader::read_network_key(const Entry& entry) {
  const std::string key = normal_name(entry.key);
  NetworkOptions& network = schedule_.network;
  if (key == "latency") return read_latency(entry.value, network.latency);
  if (key == "links") return read_links(entry.value);
  if (!want_map(entry.value, entry.key)) return;
  for (const Entry& each : entry.value.entries) {
    if (is_ignored(each.key)) continue;
    if (const auto index = purpose_index(each.key)) {
      read_latency(each.value, network.latency_by_purpose[*index].emplace());
    } else {
      unknown_key(each, "`latency-by-purpose`",
                  {"consensus", "foreground", "membership", "repair"});
    }
  }
}

void ScheduleReader::read_latency(const Tree& value, LatencyOptions& out) {
  constexpr std::string_view wanted =
      "a duration, a range, or a distribution such as { exponential: 1ms, floor: 200us }";
  if (value.is_scalar()) {
    const auto range = parse_duration_range(value.text);
    if (!range) return wrong(value, "latency", wanted);
    out = range->min == range->max ? constant_latency(range->min) : uniform_latency(*range);
    return;
  }
  if (!value.is_map() || is_pick(value)) return wrong(value, "latency", wanted);
  out = {};
  out.distribution.clear();
  for (const Entry& entry : value.entries) {
    if (is_ignored(entry.key)) continue;
    const std::string key = normal_name(entry.key);
    if (key == "floor" || key == "cap") {
      const auto read = read_as<Duration>(entry.value, entry.key, ParamType::duration);
      (key == "floor" ? out.floor : out.cap) = read.value_or(0ns);
      continue;
    }
    const DistributionSpec* const spec = Distributions::find(entry.key);
    if (spec == nullptr) {
      std::vector<std::string> known = Distributions::names();
      known.insert(known.end(), {"cap", "floor"});
      std::sort(known.begin(), known.end());
      unknown_key(entry, "`latency`", known);
      out.distribution = "unknown";
    } else if (!out.distribution.empty()) {
      return wrong(value, "latency", wanted);
    } else {
      out.distribution = spec->name;
      const Vocabulary::Plugin plugin{std::string(spec->name), spec->params};
      out.params = read_params(entry.value, plugin, entry.mark, true);
    }
  }
  if (out.distribution.empty()) return wrong(value, "latency", wanted);
  if (!problems_.empty()) return;
  if (const auto problem = problem_of(out)) problems_.add(value.mark, *problem);
}

void ScheduleReader::read_links(const Tree& links) {
  if (!links.is_list()) return wrong(links, "links", "a list of { from, to, latency }");
  for (const Tree& item : links.items) {
    if (!want_map(item, "links")) continue;
    NetworkOptions::Link link;
    for (const Entry& entry : item.entries) {
      const std::string key = normal_name(entry.key);
      if (key == "from") {
        link.from = read_address(entry.value, "from").value_or(Address{});
      } else if (key == "to") {
        link.to = read_address(entry.value, "to").value_or(Address{});
      } else if (key == "latency") {
        read_latency(entry.value, link.latency);
      } else if (!is_ignored(entry.key)) {
        unknown_key(entry, "a link", {"from", "latency", "to"});
      }
    }
    for (const std::string_view key : {"from", "to", "latency"}) {
      if (item.find(key) == nullptr) {
        problems_.add(item.mark, "a link needs `" + std::string(key) + "`");
      }
    }
    schedule_.network.links.push_back(link);
  }
}

}  // namespace rejoin::sim
