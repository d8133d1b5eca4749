// What a message meets: latencies, links, troubles.
#include <algorithm>
#include <array>
#include <utility>

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

std::vector<std::string> purpose_names() {
  std::vector<std::string> out;
  for (const Purpose purpose : kPurposes) out.emplace_back(to_name(purpose));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

void ScheduleReader::read_network(const Tree& network) {
  read_section(
      network, "network", {"latency", "latency-by-purpose", "links"}, [this](const Entry& entry) {
        const std::string key = normal_name(entry.key);
        const bool mine = key == "latency" || key == "latency_by_purpose" || key == "links";
        if (mine) read_network_key(entry);
        return mine;
      });
  check_network(network);
}

void ScheduleReader::read_network_key(const Entry& entry) {
  const std::string key = normal_name(entry.key);
  NetworkOptions& network = schedule_.network;
  if (key == "latency") return read_latency(entry.value, network.latency);
  if (key == "links") {
    if (!entry.value.is_list()) {
      return wrong(entry.value, "links", "a list of { from, to, purpose, latency }");
    }
    for (const Tree& item : entry.value.items) read_link(item);
    return;
  }
  if (!want_map(entry.value, entry.key)) return;
  for (const Entry& each : entry.value.entries) {
    if (is_ignored(each.key)) continue;
    if (const auto index = purpose_index(each.key)) {
      read_latency(each.value, network.latency_by_purpose[*index].emplace());
    } else {
      unknown_key(each, "`latency-by-purpose`", purpose_names());
    }
  }
}

void ScheduleReader::read_link(const Tree& item) {
  if (!want_map(item, "links")) return;
  NetworkOptions::Link link;
  bool both_ways = false;
  for (const Entry& entry : item.entries) {
    const std::string key = normal_name(entry.key);
    if (key == "from" || key == "to") {
      (key == "from" ? link.from : link.to) = read_end(entry.value, key);
    } else if (key == "between") {
      both_ways = true;
      const bool two = entry.value.is_list() && entry.value.items.size() == 2;
      if (!two) {
        wrong(entry.value, "between", "two ends such as [node-1, zone(eu)]");
        continue;
      }
      link.from = read_end(entry.value.items[0], "between");
      link.to = read_end(entry.value.items[1], "between");
    } else if (key == "purpose") {
      const auto index = entry.value.is_scalar() ? purpose_index(entry.value.text) : std::nullopt;
      if (index) {
        link.purpose = kPurposes[*index];
      } else {
        wrong(entry.value, "purpose", "one of consensus, foreground, membership, repair");
      }
    } else if (key == "latency") {
      read_latency(entry.value, link.latency);
    } else if (!is_ignored(entry.key)) {
      unknown_key(entry, "a link", {"between", "from", "latency", "purpose", "to"});
    }
  }
  if (item.find("latency") == nullptr) problems_.add(item.mark, "a link needs `latency`");
  if (both_ways && (item.find("from") != nullptr || item.find("to") != nullptr)) {
    problems_.add(item.find("between")->mark, "`between` is both ways, `from` and `to` are one",
                  "keep either");
  }
  NetworkOptions::Link back = link;
  std::swap(back.from, back.to);
  const bool is_turned = !(back == link);
  schedule_.network.links.push_back(std::move(link));
  if (both_ways && is_turned) schedule_.network.links.push_back(std::move(back));
}

// `node-1`, `client-1`, `zone(eu)`.
NetworkOptions::End ScheduleReader::read_end(const Tree& value, std::string_view name) {
  const auto selector = value.is_scalar() ? parse_selector(value.text)
                                          : tl::expected<Selector, std::string>(Selector{});
  if (selector && selector->kind == Selector::Kind::zone) {
    sites_.push_back({value.mark, selector->argument});
    return {.host = {}, .site = selector->argument};
  }
  const bool is_host =
      selector && value.is_scalar() &&
      (selector->kind == Selector::Kind::node || selector->kind == Selector::Kind::client);
  if (!is_host) {
    wrong(value, name, "a host such as node-1 or client-1, or the hosts of a site: zone(eu)");
    return {};
  }
  return {.host = read_address(value, name).value_or(Address{}), .site = {}};
}

void ScheduleReader::check_network(const Tree& network) {
  if (!problems_.empty()) return;
  const WeatherOptions& weather = schedule_.network.weather;
  const StreamOptions& stream = schedule_.network.stream;
  if (weather.slot == 0ns && !(weather == WeatherOptions{})) {
    problems_.add(network.find("weather")->mark, "weather needs a `slot`: how long it holds",
                  "such as { slot: 10s, rough: 20%, extra: 50ms..200ms }");
  }
  if (stream.rto_min > stream.rto_max) {
    problems_.add(network.find("stream")->mark,
                  "`rto-min` is at most `rto-max`: " + rejoin::to_text(stream.rto_min) +
                      " is more than " + rejoin::to_text(stream.rto_max));
  }
}

// ---- Latencies -----------------------------------------------------------------------------

void ScheduleReader::read_latency(const Tree& value, LatencyOptions& out) {
  constexpr std::string_view wanted =
      "a duration, a range, or a distribution such as { exponential: 1ms, floor: 200us }";
  if (value.is_scalar()) {
    const auto range = parse_duration_range(value.text);
    if (!range) return wrong(value, "latency", wanted);
    out = range->min == range->max ? constant_latency(range->min) : uniform_latency(*range);
    if (const auto problem = problem_of(out)) problems_.add(value.mark, problem->says);
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
      continue;
    }
    if (!out.distribution.empty()) return wrong(value, "latency", wanted);
    out.distribution = spec->name;
    if (spec->has_parts) {
      read_parts(entry.value, out);
    } else if (spec->has_buckets) {
      read_buckets(entry.value, out);
    } else {
      const Vocabulary::Plugin plugin{std::string(spec->name), spec->params};
      out.params = read_params(entry.value, plugin, entry.mark, true);
    }
  }
  if (out.distribution.empty()) return wrong(value, "latency", wanted);
  if (!problems_.empty()) return;  // perhaps of these values
  if (const auto problem = problem_of(out)) {
    problems_.add(blamed(value, out, *problem).mark, problem->says);
  }
}

// The value that the problem is of; the whole latency when it is of no single one.
const Tree& ScheduleReader::blamed(const Tree& latency, const LatencyOptions& options,
                                   const ValueProblem& problem) {
  const Tree* const bound = latency.find(problem.value);
  if (bound != nullptr && (problem.value == "floor" || problem.value == "cap")) return *bound;
  const Tree* const inner = latency.find(options.distribution);
  if (inner == nullptr) return latency;
  if (problem.item && inner->is_list() && *problem.item < inner->items.size()) {
    const Tree& item = inner->items[*problem.item];
    const Tree* const value = item.find(problem.value);
    return value != nullptr ? *value : item;
  }
  const Tree* const value = inner->is_map() ? inner->find(problem.value) : nullptr;
  return value != nullptr ? *value : *inner;
}

void ScheduleReader::read_parts(const Tree& list, LatencyOptions& out) {
  constexpr std::string_view wanted = "a list of { weight, latency }";
  if (!list.is_list()) return wrong(list, "mixture", wanted);
  for (const Tree& item : list.items) {
    if (!item.is_map()) {
      wrong(item, "mixture", wanted);
      continue;
    }
    LatencyOptions::Part part;
    for (const Entry& entry : item.entries) {
      const std::string key = normal_name(entry.key);
      if (key == "weight") {
        part.weight = read_weight(entry.value);
      } else if (key == "latency") {
        read_latency(entry.value, part.latency);
      } else if (!is_ignored(entry.key)) {
        unknown_key(entry, "a part of a mixture", {"latency", "weight"});
      }
    }
    if (item.find("latency") == nullptr) {
      problems_.add(item.mark, "a part of a mixture needs `latency`");
    }
    out.parts.push_back(std::move(part));
  }
}

void ScheduleReader::read_buckets(const Tree& list, LatencyOptions& out) {
  constexpr std::string_view wanted = "a list of { range, weight }";
  if (!list.is_list()) return wrong(list, "histogram", wanted);
  for (const Tree& item : list.items) {
    if (!item.is_map()) {
      wrong(item, "histogram", wanted);
      continue;
    }
    LatencyOptions::Bucket bucket;
    for (const Entry& entry : item.entries) {
      const std::string key = normal_name(entry.key);
      if (key == "range") {
        bucket.range = read_as<DurationRange>(entry.value, "range", ParamType::duration_range)
                           .value_or(DurationRange{});
      } else if (key == "weight") {
        bucket.weight = read_weight(entry.value);
      } else if (!is_ignored(entry.key)) {
        unknown_key(entry, "a bucket of a histogram", {"range", "weight"});
      }
    }
    if (item.find("range") == nullptr) {
      problems_.add(item.mark, "a bucket of a histogram needs `range`");
    }
    out.buckets.push_back(bucket);
  }
}

std::uint64_t ScheduleReader::read_weight(const Tree& value) {
  const auto weight = read_as<std::int64_t>(value, "weight", ParamType::integer);
  return static_cast<std::uint64_t>(weight.value_or(1));
}

}  // namespace rejoin::sim
