// Steps that generate operations: `workload: { keys, operations, mix, ... }`.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "model/distribution.hpp"
#include "sim/scenario/read.hpp"

namespace rejoin::sim {

namespace {

constexpr std::uint32_t kPpm = 1'000'000;
constexpr std::int64_t kExponentMaxPpm = 10'000'000;
constexpr std::uint64_t kRateMax = 1'000'000;  // a second

constexpr std::array<std::pair<std::string_view, OperationKind>, 6> kMixed = {
    {{"read", OperationKind::read},
     {"write", OperationKind::write},
     {"delete", OperationKind::remove},
     {"increment", OperationKind::increment},
     {"add", OperationKind::add},
     {"discard", OperationKind::discard}}};

const std::vector<std::string> kWorkloadKeys = {
    "arrivals", "clients",    "elements",   "for",        "keep", "keys",
    "level",    "mix",        "operations", "popularity", "rate", "read-level",
    "think",    "value-size", "via",        "write-level"};

std::string share_text(std::uint64_t ppm) {
  return rejoin::to_text(ParamValue(Share{.ppm = static_cast<std::uint32_t>(ppm)}));
}

// `client-1/3..9`, or one: `client-1/3`.
std::optional<action::Workload::Range> range_of(std::string_view text) {
  constexpr std::string_view prefix = "client-";
  const std::size_t slash = text.find('/');
  if (!text.starts_with(prefix) || slash == std::string_view::npos) return std::nullopt;
  const auto client = parse_integer(text.substr(prefix.size(), slash - prefix.size()));
  std::string_view numbers = text.substr(slash + 1);
  const std::size_t dots = numbers.find("..");
  const auto first = parse_integer(numbers.substr(0, dots));
  const auto last =
      dots == std::string_view::npos ? first : parse_integer(numbers.substr(dots + 2));
  if (!client || !first || !last || *client < 1 ||
      *client > std::numeric_limits<std::uint32_t>::max() || *first < 1 || *last < *first) {
    return std::nullopt;
  }
  return action::Workload::Range{.client = ClientId(static_cast<std::uint32_t>(*client)),
                                 .first = static_cast<std::uint64_t>(*first),
                                 .last = static_cast<std::uint64_t>(*last)};
}

}  // namespace

action::Workload ScheduleReader::read_workload(const Entry& entry) {
  action::Workload out;
  if (!want_map(entry.value, entry.key)) return out;
  out.mix = {{OperationKind::read, Share{.ppm = kPpm / 2}},
             {OperationKind::write, Share{.ppm = kPpm / 2}}};
  for (const Entry& each : entry.value.entries) {
    if (!is_ignored(each.key)) read_workload_key(each, out);
  }
  read_workload_levels(entry.value, out);
  const Tree* const keys = entry.value.find("keys");
  if (keys == nullptr) {
    problems_.add(entry.mark, "`workload` needs `keys`, such as key-1..key-100");
    return out;
  }
  bool writes = false;
  const Tree* const mix = entry.value.find("mix");
  for (const auto& [kind, share] : out.mix) {
    writes = writes || (makes_keys(kind) && share.ppm != 0);
    if (changes_key(kind)) operations_.push_back({mix != nullptr ? mix->mark : entry.mark, kind});
  }
  if (!writes) asked_for_.push_back({keys->mark, out.keys});
  return out;
}

void ScheduleReader::read_workload_key(const Entry& entry, action::Workload& out) {
  const std::string key = normal_name(entry.key);
  const Tree& value = entry.value;
  const auto number = [&](std::int64_t most, std::string_view wanted) -> std::uint64_t {
    const auto read = read_as<std::int64_t>(value, key, ParamType::integer);
    if (!read) return 1;
    if (*read >= 1 && *read <= most) return static_cast<std::uint64_t>(*read);
    wrong(value, entry.key, wanted);
    return 1;
  };
  if (key == "keys") {
    out.keys = read_keys(value);
  } else if (key == "operations") {
    out.operations = number(1'000'000, "a number from 1 to 1000000");
  } else if (key == "for") {
    const auto lasts = read_as<Duration>(value, "for", ParamType::duration);
    if (lasts && *lasts <= 0ns) {
      problems_.add(value.mark, "`for` must be above zero, not " + found(value));
    }
    out.lasts = lasts;
  } else if (key == "clients") {
    const std::int64_t most =
        cluster_known_ ? schedule_.cluster.clients : std::numeric_limits<std::uint32_t>::max();
    out.clients = static_cast<std::uint32_t>(
        number(most, "a number from 1 to cluster.clients, " + std::to_string(most)));
  } else if (key == "mix") {
    read_mix(value, out);
  } else if (key == "popularity") {
    read_popularity(value, out.popularity);
  } else if (key == "value_size") {
    read_value_size(value, out.value_size);
  } else if (key == "elements") {
    out.elements = number(1'000'000, "a number from 1 to 1000000");
  } else if (key == "rate") {
    read_rate(value, out);
  } else if (key == "arrivals") {
    const auto text =
        read_as<std::string>(value, "arrivals", ParamType::choice, {"poisson", "even"});
    out.arrivals =
        text == "even" ? action::Workload::Arrivals::even : action::Workload::Arrivals::poisson;
  } else if (key == "think") {
    out.think =
        read_as<DurationRange>(value, "think", ParamType::duration_range).value_or(DurationRange{});
  } else if (key == "via") {
    out.via = read_as<NodeId>(value, "via", ParamType::node).value_or(NodeId{});
  } else if (key == "keep") {
    read_keep(value, out);
  } else if (key != "level" && key != "read_level" && key != "write_level") {
    unknown_key(entry, "`workload`", kWorkloadKeys);
  }
}

// `level` is both.
void ScheduleReader::read_workload_levels(const Tree& workload, action::Workload& out) {
  if (const Tree* const both = workload.find("level")) {
    out.read_level = out.write_level = read_level(*both, "level");
    for (const std::string_view one : {"read-level", "write-level"}) {
      if (const Tree* const also = workload.find(one)) {
        problems_.add(also->mark, "`level` and `" + std::string(one) + "` in one workload",
                      "`level` is both");
      }
    }
    return;
  }
  if (const Tree* const level = workload.find("read-level")) {
    out.read_level = read_level(*level, "read-level");
  }
  if (const Tree* const level = workload.find("write-level")) {
    out.write_level = read_level(*level, "write-level");
  }
}

void ScheduleReader::read_mix(const Tree& mix, action::Workload& out) {
  if (!want_map(mix, "mix")) return;
  out.mix.clear();
  std::uint64_t sum = 0;
  bool whole = true;
  for (const Entry& each : mix.entries) {
    if (is_ignored(each.key)) continue;
    const std::string name = normal_name(each.key);
    const auto* const kind = std::find_if(kMixed.begin(), kMixed.end(),
                                          [&](const auto& known) { return known.first == name; });
    if (kind == kMixed.end()) {
      unknown_key(each, "`mix`", {"add", "delete", "discard", "increment", "read", "write"});
      whole = false;
      continue;
    }
    const auto share = read_as<Share>(each.value, each.key, ParamType::share);
    whole = whole && share.has_value();
    if (!share) continue;
    out.mix[kind->second] = *share;
    sum += share->ppm;
  }
  if (!whole || sum == kPpm) return;
  problems_.add(mix.mark, "the shares of `mix` are 100% together, not " + share_text(sum),
                sum < kPpm ? share_text(kPpm - sum) + " of the operations are of no kind" : "");
}

void ScheduleReader::read_popularity(const Tree& value, action::Workload::Popularity& out) {
  using Kind = action::Workload::Popularity::Kind;
  constexpr std::string_view wanted = "uniform, { zipf: 0.99 } or { hot: { share: 90%, of: 10% } }";
  if (value.is_scalar() && value.text == "uniform") return;
  if (!value.is_map() || value.entries.size() != 1) return wrong(value, "popularity", wanted);
  const Entry& entry = value.entries.front();
  if (normal_name(entry.key) == "zipf") {
    out.kind = Kind::zipf;
    const auto exponent =
        entry.value.is_scalar() ? parse_millionths(entry.value.text) : std::nullopt;
    if (!exponent || *exponent > kExponentMaxPpm) {
      return wrong(entry.value, "zipf", "a number such as 0.99, from 0 to 10");
    }
    out.exponent_ppm = static_cast<std::uint32_t>(*exponent);
  } else if (normal_name(entry.key) == "hot") {
    out.kind = Kind::hot;
    if (!want_map(entry.value, "hot")) return;
    for (const Entry& each : entry.value.entries) {
      const std::string key = normal_name(each.key);
      if (key == "share") {
        out.share = read_as<Share>(each.value, "share", ParamType::share).value_or(out.share);
      } else if (key == "of") {
        out.of = read_as<Share>(each.value, "of", ParamType::share).value_or(out.of);
        if (out.of.ppm == 0) wrong(each.value, "of", "a share of the keys above zero");
      } else if (!is_ignored(each.key)) {
        unknown_key(each, "`hot`", {"of", "share"});
      }
    }
  } else {
    unknown_key(entry, "`popularity`", {"hot", "uniform", "zipf"});
  }
}

void ScheduleReader::read_value_size(const Tree& value, action::Workload::SizeRange& out) {
  constexpr std::string_view wanted = "a size such as 16B, or a range such as 1KiB..4KiB";
  if (!value.is_scalar()) return wrong(value, "value-size", wanted);
  const std::string_view text = value.text;
  const std::size_t dots = text.find("..");
  const auto first = parse_size(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : parse_size(text.substr(dots + 2));
  if (!first || !last) return wrong(value, "value-size", wanted);
  if (*first > *last) {
    problems_.add(value.mark, "the range " + found(value) + " is the wrong way round",
                  "write the smaller size first");
    return;
  }
  out = {.min = *first, .max = *last};
}

void ScheduleReader::read_rate(const Tree& value, action::Workload& out) {
  constexpr std::string_view wanted = "operations a time, such as 200/s, 30/m or 5/h";
  if (!value.is_scalar()) return wrong(value, "rate", wanted);
  const std::string_view text = value.text;
  const std::size_t slash = text.find('/');
  const auto number = parse_integer(text.substr(0, slash));
  const std::string_view unit = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  const std::uint64_t an_hour = unit == "s" ? 3'600 : unit == "m" ? 60 : unit == "h" ? 1 : 0;
  if (!number || an_hour == 0) return wrong(value, "rate", wanted);
  if (*number < 1 || static_cast<std::uint64_t>(*number) > kRateMax) {
    problems_.add(value.mark,
                  "`rate` is 1 to " + std::to_string(kRateMax) + " a time, not " + found(value),
                  *number == 0 ? "a workload that never begins anything is no workload" : "");
    return;
  }
  out.rate_per_hour = static_cast<std::uint64_t>(*number) * an_hour;
}

void ScheduleReader::read_keep(const Tree& value, action::Workload& out) {
  constexpr std::string_view wanted =
      "operations of clients such as client-1/7 or client-1/3..9, ascending and each once";
  out.keep.emplace();
  const std::vector<Tree> one = {value};
  for (const Tree& item : value.is_list() ? value.items : one) {
    const auto range = item.is_scalar() ? range_of(item.text) : std::nullopt;
    const bool ascends =
        range &&
        (out.keep->empty() || out.keep->back().client < range->client ||
         (out.keep->back().client == range->client && out.keep->back().last < range->first));
    if (!ascends) return wrong(item, "keep", wanted);
    out.keep->push_back(*range);
  }
}

}  // namespace rejoin::sim
