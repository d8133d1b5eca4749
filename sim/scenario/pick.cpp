#include "sim/scenario/pick.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>

#include "model/hash.hpp"
#include "model/params.hpp"
#include "model/random.hpp"

namespace rejoin::sim {

namespace {

constexpr std::size_t kRoundsMax = 64;

constexpr const char* kWanted =
    "a range such as 10s..60s, 1..5 or node-1..node-3, or a list such as [3, 5, 7]";

// A range of values that can be counted: value i is `make(i)`, i in 0..count-1.
struct Countable {
  std::uint64_t count = 0;
  std::function<std::string(std::uint64_t)> make;
};

// Durations are drawn in steps of a thousandth of the largest unit that both ends are whole in:
// 10s..60s in milliseconds, so that a chosen value stays readable.
std::int64_t duration_step(Duration min, Duration max) {
  for (const std::int64_t unit : {1'000'000'000, 1'000'000, 1'000}) {
    if (min.count() % unit == 0 && max.count() % unit == 0) return unit / 1000;
  }
  return 1;
}

// The number at the end of a name, such as that of `node-3`; none without one.
struct Numbered {
  std::string prefix;
  std::int64_t number = 0;
};
std::optional<Numbered> numbered(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[text.size() - 1 - digits] >= '0' &&
         text[text.size() - 1 - digits] <= '9') {
    ++digits;
  }
  const auto number = parse_integer(text.substr(text.size() - digits));
  if (!number) return std::nullopt;
  return Numbered{std::string(text.substr(0, text.size() - digits)), *number};
}

// Values from `min` to `max` in steps; count 0 when they are the wrong way round.
Countable counted(std::int64_t min, std::int64_t max, std::int64_t step,
                  std::function<std::string(std::int64_t)> text) {
  Countable out;
  if (min > max) return out;
  out.count = static_cast<std::uint64_t>((max - min) / step) + 1;
  out.make = [min, step, text = std::move(text)](std::uint64_t i) {
    return text(min + static_cast<std::int64_t>(i) * step);
  };
  return out;
}

std::optional<Countable> parse_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const std::string_view low = text.substr(0, dots);
  const std::string_view high = text.substr(dots + 2);
  if (const auto min = parse_integer(low), max = parse_integer(high); min && max) {
    return counted(*min, *max, 1, [](std::int64_t v) { return std::to_string(v); });
  }
  if (const auto min = parse_duration(low), max = parse_duration(high); min && max) {
    return counted(min->count(), max->count(), duration_step(*min, *max),
                   [](std::int64_t v) { return rejoin::to_text(Duration(v)); });
  }
  if (const auto min = parse_size(low), max = parse_size(high); min && max) {
    return counted(
        static_cast<std::int64_t>(*min), static_cast<std::int64_t>(*max), 1,
        [](std::int64_t v) { return to_text(ParamValue(Size{static_cast<std::uint64_t>(v)})); });
  }
  if (const auto min = parse_share(low), max = parse_share(high); min && max) {
    return counted(min->ppm, max->ppm, 1, [](std::int64_t v) {
      return to_text(ParamValue(Share{static_cast<std::uint32_t>(v)}));
    });
  }
  if (const auto min = parse_offset(low), max = parse_offset(high); min && max) {
    return counted(min->count(), max->count(), duration_step(*min, *max), [](std::int64_t v) {
      return (v < 0 ? "-" : "+") + rejoin::to_text(Duration(v < 0 ? -v : v));
    });
  }
  if (const auto min = parse_rate(low), max = parse_rate(high); min && max) {
    return counted(min->ppm, max->ppm, 1,
                   [](std::int64_t v) { return to_text(ParamValue(Rate{v})); });
  }
  const auto min = numbered(low);
  const auto max = numbered(high);
  if (!min || !max || min->prefix != max->prefix) return std::nullopt;
  return counted(min->number, max->number, 1,
                 [prefix = min->prefix](std::int64_t v) { return prefix + std::to_string(v); });
}

// Chooses one of `count` (>= 1) alternatives; `is_list` tells a list from a range.
using Choose =
    std::function<std::uint64_t(const std::string& path, std::uint64_t count, bool is_list)>;

void resolve(Tree& tree, const std::string& path, const Choose& choose, Problems& problems) {
  if (is_pick(tree)) {
    const auto choice = alternatives_of(tree.entries[0].value, false, problems);
    if (!choice) return;
    Tree chosen = choice->at(choose(path, choice->count, choice->is_list));
    tree = std::move(chosen);
    return;
  }
  const auto below_path = [&](std::string_view name) {
    return path.empty() ? normal_name(name) : path + "." + normal_name(name);
  };
  for (Entry& entry : tree.entries) {
    if (is_ignored(entry.key)) continue;
    const std::string inner = below_path(entry.key);
    if (inner != "nemesis.faults") resolve(entry.value, inner, choose, problems);
  }
  for (std::size_t i = 0; i < tree.items.size(); ++i) {
    Tree& item = tree.items[i];
    const Tree* const label = item.find("label");
    if (label != nullptr && label->is_scalar()) {
      resolve(item, below_path(label->text), choose, problems);
    } else if (item.is_map() && item.entries.size() == 1 && !is_pick(item)) {
      resolve(item, path, choose, problems);  // `- name: { ... }` is told apart by its name
    } else {
      resolve(item, below_path(std::to_string(i)), choose, problems);
    }
  }
}

}  // namespace

std::optional<Alternatives> alternatives_of(const Tree& what, bool lists, Problems& problems) {
  const bool items = std::all_of(what.items.begin(), what.items.end(), [&](const Tree& item) {
    return item.is_scalar() || (lists && item.is_list());
  });
  if (what.is_list() && !what.items.empty() && items) {
    return Alternatives{
        .count = what.items.size(), .is_list = true, .at = [all = what.items](std::uint64_t i) {
          return all[static_cast<std::size_t>(i)];
        }};
  }
  auto range = what.is_scalar() ? parse_range(what.text) : std::nullopt;
  if (!range) {
    problems.add(what.mark, "`pick` takes " + std::string(kWanted) + ", not " + found(what));
    return std::nullopt;
  }
  if (range->count == 0) {
    problems.add(what.mark, "the range " + found(what) + " is the wrong way round",
                 "write the smaller value first");
    return std::nullopt;
  }
  return Alternatives{.count = range->count,
                      .is_list = false,
                      .at = [make = std::move(range->make), mark = what.mark](std::uint64_t i) {
                        return make_scalar(make(i), mark);
                      }};
}

bool is_range(std::string_view text) {
  return parse_range(text).has_value();
}

void resolve_picks(Tree& tree, std::uint64_t seed, Problems& problems) {
  const Choose by_draw = [seed](const std::string& path, std::uint64_t count, bool) {
    const DrawKey key{.seed = seed, .domain = Domain::pick, .who = hash64(path)};
    return below(draw(key), count);
  };
  resolve(tree, "", by_draw, problems);
}

std::size_t pick_rounds(const Tree& tree) {
  Tree copy = tree;
  Problems ignored;
  std::size_t rounds = 1;
  const Choose longest = [&rounds](const std::string&, std::uint64_t count, bool is_list) {
    const std::uint64_t here = is_list ? count : std::min<std::uint64_t>(count, 2);
    rounds = std::max(rounds, static_cast<std::size_t>(std::min<std::uint64_t>(here, kRoundsMax)));
    return std::uint64_t{0};
  };
  resolve(copy, "", longest, ignored);
  return rounds;
}

void resolve_picks_of_round(Tree& tree, std::size_t round, Problems& problems) {
  const Choose in_turn = [round](const std::string&, std::uint64_t count, bool is_list) {
    if (is_list) return round % count;
    return round % 2 == 0 ? 0 : count - 1;
  };
  resolve(tree, "", in_turn, problems);
}

}  // namespace rejoin::sim
