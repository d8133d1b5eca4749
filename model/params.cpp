#include "model/params.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "model/check.hpp"
#include "model/options.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kDurationWanted = "a duration such as 20s, 1h30m or 250us";
constexpr std::string_view kRangeWanted = "a duration such as 20s, or a range such as 150ms..300ms";
constexpr std::string_view kLatencyWanted =
    "a duration, a range, or a distribution such as { exponential: 1ms, floor: 200us }";
constexpr std::string_view kSizeWanted = "a size such as 64KiB or 100MB";
constexpr std::string_view kShareWanted = "a share such as 10% or 0.1, at least 0 and at most 1";
constexpr std::string_view kIntegerWanted = "a whole number such as 3, without leading zeros";
constexpr std::string_view kNodeWanted = "a node such as node-3";
constexpr std::string_view kSetsWanted = "sets of hosts such as [[node-1, node-2], [others]]";

using Error = tl::unexpected<std::string>;

Error wanted(std::string_view sentence) {
  return Error(std::string(sentence));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal number `whole.fraction`, still in digits, so that it can be scaled exactly.
struct Decimal {
  std::string_view whole;
  std::string_view fraction;
};

// Takes a decimal number from the front of `text`.
std::optional<Decimal> take_decimal(std::string_view& text) {
  const auto digits = [&text] {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    const std::string_view taken = text.substr(0, n);
    text.remove_prefix(n);
    return taken;
  };
  Decimal out{.whole = digits(), .fraction = {}};
  if (out.whole.empty()) return std::nullopt;
  // A range `1..3` is no fraction.
  if (text.size() >= 2 && text[0] == '.' && is_digit(text[1])) {
    text.remove_prefix(1);
    out.fraction = digits();
  }
  return out;
}

// number * unit, exactly; none when it is no whole number or exceeds `max`.
std::optional<std::uint64_t> scale(const Decimal& number, std::uint64_t unit, std::uint64_t max) {
  using Wide = unsigned __int128;
  Wide value = 0;
  for (const char c : number.whole) {
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > max) return std::nullopt;
  }
  value *= unit;
  std::string_view fraction = number.fraction;
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > 18) return std::nullopt;  // keeps the products below 2^127
  Wide numerator = 0;
  Wide denominator = 1;
  for (const char c : fraction) {
    numerator = numerator * 10 + static_cast<unsigned>(c - '0');
    denominator *= 10;
  }
  if (numerator * unit % denominator != 0) return std::nullopt;
  value += numerator * unit / denominator;
  if (value > max) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

using Unit = std::pair<std::string_view, std::uint64_t>;

// Largest first; a text may name several, in this order, each once.
constexpr std::array<Unit, 7> kDurationUnits = {{{"d", 86'400'000'000'000},
                                                 {"h", 3'600'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"ms", 1'000'000},
                                                 {"us", 1'000},
                                                 {"ns", 1}}};

constexpr std::array<Unit, 9> kSizeUnits = {{{"TiB", 1ULL << 40U},
                                             {"TB", 1'000'000'000'000},
                                             {"GiB", 1ULL << 30U},
                                             {"GB", 1'000'000'000},
                                             {"MiB", 1ULL << 20U},
                                             {"MB", 1'000'000},
                                             {"KiB", 1ULL << 10U},
                                             {"kB", 1'000},
                                             {"B", 1}}};

constexpr auto kInt64Max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

std::string range_text(DurationRange range) {
  if (range.min == range.max) return to_text(range.min);
  return to_text(range.min) + ".." + to_text(range.max);
}

// The unit that divides the size and gives the shortest text, binary ones first.
std::string size_text(Size size) {
  std::string best;
  for (const auto& [name, unit] : kSizeUnits) {
    if (size.bytes % unit != 0) continue;
    const std::string text = std::to_string(size.bytes / unit) + std::string(name);
    if (size.bytes != 0 && (best.empty() || text.size() < best.size())) best = text;
  }
  return best.empty() ? "0B" : best;
}

std::string share_text(Share share) {
  std::string out = std::to_string(share.ppm / 10'000);
  std::string fraction = std::to_string(10'000 + share.ppm % 10'000).substr(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) out += "." + fraction;
  return out + "%";
}

template <class List, class Item>
std::string list_text(const List& items, Item item_text) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ", ";
    out += item_text(item);
  }
  return out + "]";
}

std::string hosts_text(const Selectors& hosts) {
  return list_text(hosts, [](const Selector& selector) { return to_text(selector); });
}

// As a file would write it: `5ms`, `1ms..3ms`, `{exponential: 1ms, floor: 200us}`.
std::string latency_text(const LatencyOptions& latency) {
  const bool bare = latency.floor == Duration::zero() && latency.cap == kNoCap;
  const auto& params = latency.params.all();
  if (bare && (latency.distribution == "constant" || latency.distribution == "uniform")) {
    return to_text(params.begin()->second);
  }
  std::string out = "{" + latency.distribution + ": ";
  if (!latency.parts.empty()) {
    out += list_text(latency.parts, [](const LatencyOptions::Part& part) {
      return "{weight: " + std::to_string(part.weight) +
             ", latency: " + latency_text(part.latency) + "}";
    });
  } else if (!latency.buckets.empty()) {
    out += list_text(latency.buckets, [](const LatencyOptions::Bucket& bucket) {
      return "{range: " + range_text(bucket.range) + ", weight: " + std::to_string(bucket.weight) +
             "}";
    });
  } else if (params.size() == 1) {
    out += to_text(params.begin()->second);
  } else {
    std::string values;
    for (const auto& [name, value] : params) {
      values += (values.empty() ? "" : ", ") + name + ": " + to_text(value);
    }
    out += "{" + values + "}";
  }
  if (latency.floor != Duration::zero()) out += ", floor: " + to_text(latency.floor);
  if (latency.cap != kNoCap) out += ", cap: " + to_text(latency.cap);
  return out + "}";
}

tl::expected<Selectors, std::string> parse_hosts(const std::vector<std::string>& names) {
  Selectors out;
  for (const std::string& name : names) {
    const auto selector = parse_selector(name);
    if (!selector) return Error(selector.error());
    if (std::find(out.begin(), out.end(), *selector) != out.end()) {
      return Error("each host once, not " + name + " twice");
    }
    out.push_back(*selector);
  }
  if (out.empty()) return wanted("a list of at least one host");
  return out;
}

tl::expected<ParamValue, std::string> parse_choice(const ParamSpec& spec, std::string_view text) {
  std::string allowed;
  for (const std::string_view choice : spec.choices) {
    if (normal_name(choice) == normal_name(text)) return std::string(choice);
    if (!allowed.empty()) allowed += choice == spec.choices.back() ? " or " : ", ";
    allowed += choice;
  }
  return Error(allowed);
}

tl::expected<ParamValue, std::string> parse_scalar(const ParamSpec& spec, const std::string& text) {
  const auto as_value = [](auto value) { return ParamValue(std::move(value)); };
  switch (spec.type) {
    case ParamType::flag:
      return parse_flag(text).map(as_value);
    case ParamType::integer:
      return parse_integer(text).map(as_value);
    case ParamType::duration:
      return parse_duration(text).map(as_value);
    case ParamType::duration_range:
      return parse_duration_range(text).map(as_value);
    case ParamType::size:
      return parse_size(text).map([](std::uint64_t bytes) { return ParamValue(Size{bytes}); });
    case ParamType::share:
      return parse_share(text).map(as_value);
    case ParamType::choice:
      return parse_choice(spec, text);
    case ParamType::text:
      return ParamValue(text);
    case ParamType::node: {
      const NodeId node = node_from_name(text);
      if (node.is_none() && !(text == "none" && spec.fallback == "none")) {
        return wanted(kNodeWanted);
      }
      return ParamValue(node);
    }
    case ParamType::hosts:
      if (text == "none" && spec.fallback == "none") return ParamValue(Selectors{});
      return parse_hosts({text}).map(as_value);
    case ParamType::host_sets:
      if (text == "none" && spec.fallback == "none") return ParamValue(std::vector<Selectors>{});
      break;
    case ParamType::offset:
      return parse_offset(text).map(as_value);
    case ParamType::rate:
      return parse_rate(text).map(as_value);
    case ParamType::latency: {
      const auto range = parse_duration_range(text);
      if (!range) return wanted(kLatencyWanted);
      return ParamValue(
          Delay(range->min == range->max ? constant_latency(range->min) : uniform_latency(*range)));
    }
  }
  return wanted(kSetsWanted);
}

tl::expected<ParamValue, std::string> parse_sets(
    const std::vector<std::vector<std::string>>& lists) {
  std::vector<Selectors> out;
  Selectors seen;
  for (const auto& names : lists) {
    auto hosts = parse_hosts(names);
    if (!hosts) return Error(hosts.error());
    for (const Selector& host : *hosts) {
      if (std::find(seen.begin(), seen.end(), host) != seen.end()) {
        return Error("each host in one set, not " + to_text(host) + " in two");
      }
      seen.push_back(host);
    }
    out.push_back(*std::move(hosts));
  }
  if (out.empty()) return wanted(kSetsWanted);
  return ParamValue(std::move(out));
}

// Insertions, deletions, replacements, and swaps of neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({replace, last[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before = std::exchange(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::string_view to_name(ParamType type) {
  switch (type) {
    case ParamType::flag:
      return "flag";
    case ParamType::integer:
      return "integer";
    case ParamType::duration:
      return "duration";
    case ParamType::duration_range:
      return "duration range";
    case ParamType::size:
      return "size";
    case ParamType::share:
      return "share";
    case ParamType::choice:
      return "choice";
    case ParamType::text:
      return "text";
    case ParamType::node:
      return "node";
    case ParamType::hosts:
      return "hosts";
    case ParamType::host_sets:
      return "sets of hosts";
    case ParamType::offset:
      return "offset";
    case ParamType::rate:
      return "rate";
    case ParamType::latency:
      return "latency";
  }
  return "?";
}

void Params::set(std::string_view name, ParamValue value) {
  values_.insert_or_assign(normal_name(name), std::move(value));
}

bool Params::has(std::string_view name) const {
  return values_.contains(normal_name(name));
}

const ParamValue& Params::at(std::string_view name) const {
  const auto at = values_.find(normal_name(name));
  CHECK_THAT(at != values_.end());
  return at->second;
}

tl::expected<ParamValue, std::string> parse_param(const ParamSpec& spec, const ParamText& text) {
  if (const auto* scalar = std::get_if<std::string>(&text.text)) {
    return parse_scalar(spec, *scalar);
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&text.text)) {
    if (spec.type == ParamType::hosts) {
      return parse_hosts(*list).map([](auto hosts) { return ParamValue(std::move(hosts)); });
    }
  } else if (spec.type == ParamType::host_sets) {
    return parse_sets(std::get<std::vector<std::vector<std::string>>>(text.text));
  }
  // A list where there may be none: an empty text is wrong for every type but text itself.
  if (spec.type == ParamType::text) return wanted("one text, not a list");
  return parse_scalar(spec, "");
}

std::string to_text(const ParamValue& value) {
  struct Visitor {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(Duration duration) const { return rejoin::to_text(duration); }
    std::string operator()(DurationRange range) const { return range_text(range); }
    std::string operator()(Size size) const { return size_text(size); }
    std::string operator()(Share share) const { return share_text(share); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(NodeId node) const { return to_name(node); }
    std::string operator()(const Selectors& hosts) const {
      if (hosts.size() == 1) return to_text(hosts.front());
      return hosts.empty() ? "none" : hosts_text(hosts);
    }
    std::string operator()(const std::vector<Selectors>& sets) const {
      return sets.empty() ? "none" : list_text(sets, hosts_text);
    }
    std::string operator()(Rate rate) const {
      return (rate.ppm < 0 ? "-" : "+") + std::to_string(std::abs(rate.ppm)) + "ppm";
    }
    std::string operator()(const Delay& delay) const { return latency_text(delay.options()); }
  };
  return std::visit(Visitor{}, value);
}

Params default_params(const std::vector<ParamSpec>& specs) {
  Params out;
  for (const ParamSpec& spec : specs) {
    if (spec.fallback.empty()) continue;
    auto value = parse_param(spec, {std::string(spec.fallback)});
    CHECK_THAT(value.has_value());  // a plugin's own default
    out.set(spec.name, *std::move(value));
  }
  return out;
}

tl::expected<Duration, std::string> parse_duration(std::string_view text) {
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  if (text.empty()) return wanted(kDurationWanted);
  while (!text.empty()) {
    const std::optional<Decimal> number = take_decimal(text);
    if (!number) return wanted(kDurationWanted);
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    const std::string_view name = text.substr(0, letters);
    while (next_unit < kDurationUnits.size() && kDurationUnits[next_unit].first != name) {
      ++next_unit;
    }
    if (next_unit == kDurationUnits.size()) return wanted(kDurationWanted);
    const auto part = scale(*number, kDurationUnits[next_unit++].second, kInt64Max - total);
    if (!part) return wanted("a duration in whole nanoseconds, below 292 years");
    total += *part;
    text.remove_prefix(letters);
  }
  return Duration(static_cast<std::int64_t>(total));
}

tl::expected<DurationRange, std::string> parse_duration_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto min = parse_duration(text.substr(0, dots));
  const auto max = dots == std::string_view::npos ? min : parse_duration(text.substr(dots + 2));
  if (!min || !max) return wanted(kRangeWanted);
  if (*min > *max) return wanted("a range from the smaller to the larger, such as 150ms..300ms");
  return DurationRange{.min = *min, .max = *max};
}

tl::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  const std::optional<Decimal> number = take_decimal(text);
  if (!number) return wanted(kSizeWanted);
  for (const auto& [name, unit] : kSizeUnits) {
    if (text != name) continue;
    const auto bytes = scale(*number, unit, kInt64Max);
    if (!bytes) return wanted("a size in whole bytes, below 8 EiB");
    return *bytes;
  }
  return wanted(kSizeWanted);
}

tl::expected<Share, std::string> parse_share(std::string_view text) {
  constexpr std::uint64_t whole = 1'000'000;
  const std::optional<Decimal> number = take_decimal(text);
  if (!number || (text != "%" && !text.empty())) return wanted(kShareWanted);
  const auto ppm = scale(*number, text.empty() ? whole : whole / 100, kInt64Max);
  if (!ppm) {
    // Too fine or too large: of both, the second is what people mean to hear.
    const std::uint64_t least =
        scale({.whole = number->whole, .fraction = {}}, 1, kInt64Max).value_or(kInt64Max);
    const bool large = least >= (text.empty() ? 1U : 100U);
    return wanted(large ? kShareWanted : "a share in whole millionths, such as 0.0001%");
  }
  if (*ppm > whole) return wanted(kShareWanted);
  return Share{static_cast<std::uint32_t>(*ppm)};
}

tl::expected<Duration, std::string> parse_offset(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto magnitude = parse_duration(text);
  if (!magnitude) return wanted("a duration with or without a sign, such as -5s or 250ms");
  return negative ? -*magnitude : *magnitude;
}

tl::expected<Rate, std::string> parse_rate(std::string_view text) {
  constexpr std::string_view allowed =
      "a rate such as +200ppm, -1% or 0.01, above -100% and up to +100%";
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t ppm = 0;
  if (text.ends_with("ppm")) {
    const auto number = parse_integer(text.substr(0, text.size() - 3));
    if (!number || *number > 1'000'000) return wanted(allowed);
    ppm = *number;
  } else {
    const auto share = parse_share(text);
    if (!share) return wanted(allowed);
    ppm = share->ppm;
  }
  if (negative && ppm == 1'000'000) return wanted(allowed);  // a clock that stands is frozen
  return Rate{negative ? -ppm : ppm};
}

tl::expected<std::int64_t, std::string> parse_integer(std::string_view text) {
  const std::size_t digits = text.size();
  std::string_view rest = text;
  const std::optional<Decimal> number = take_decimal(rest);
  if (!number || !rest.empty() || !number->fraction.empty()) return wanted(kIntegerWanted);
  // YAML 1.1 reads 010 as eight; here it is a mistake.
  if (digits > 1 && text.front() == '0') return wanted(kIntegerWanted);
  const auto value = scale(*number, 1, kInt64Max);
  if (!value) return wanted("a whole number below 2^63");
  return static_cast<std::int64_t>(*value);
}

tl::expected<bool, std::string> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return wanted("true or false");
}

std::string normal_name(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t name_max = 64;  // nobody mistypes more; bounds the work
  if (name.size() > name_max) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > name_max) continue;
    const std::size_t distance = edit_distance(normal_name(name), normal_name(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace rejoin
