// The operations of a workload, drawn one by one.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/math.hpp"
#include "model/params.hpp"
#include "model/random.hpp"
#include "sim/run/workload.hpp"

namespace rejoin::sim {

namespace {

// What a draw of an operation decides.
enum Draw : std::uint64_t { kBegins, kKind, kKey, kWithin, kSize, kElement };

constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr std::uint64_t kPpm = 1'000'000;

// Of all clients together; exact sums need no better than a nanosecond.
Duration between(const action::Workload& workload) {
  return Duration(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(kHour) / workload.rate_per_hour));
}

// Between two operations of one client: the hour is divided last, so that the mean is exact to the
// nanosecond.
Duration between_of_client(const action::Workload& workload) {
  using Wide = unsigned __int128;
  const Wide hour = static_cast<Wide>(kHour) * workload.clients;
  return Duration(static_cast<std::int64_t>(hour / workload.rate_per_hour));
}

// By rank r, counted from 1, r^-exponent and all before it: e^(-exponent * ln r). Each is rounded
// down to a 2^-40th, so that even the millionth key is drawn as often as it should be to 1e-3.
std::vector<std::uint64_t> zipf_heads(std::size_t keys, std::uint32_t exponent_ppm) {
  constexpr std::uint64_t kOne = 1ULL << 40U;
  const std::uint64_t log_of_all = negative_log_q32(0);  // 64 ln 2: of 2^64 as a whole
  std::vector<std::uint64_t> out;
  out.reserve(keys);
  std::uint64_t head = 0;
  for (std::uint64_t rank = 1; rank <= keys; ++rank) {
    const std::uint64_t log = log_of_all - negative_log_q32(rank - 1);
    const auto exponent =
        static_cast<std::int64_t>(static_cast<unsigned __int128>(log) * exponent_ppm / kPpm);
    head += std::max<std::uint64_t>(1, times_exp(kOne, -exponent));
    out.push_back(head);
  }
  return out;
}

// Of `keys` keys, at least one and at most all.
std::size_t hot_keys(std::size_t keys, Share of) {
  const std::uint64_t exact = (static_cast<std::uint64_t>(keys) * of.ppm + kPpm - 1) / kPpm;
  return std::clamp<std::size_t>(static_cast<std::size_t>(exact), 1, keys);
}

// How many of the step's operations are the client's: they take turns.
std::uint64_t turns_of(ClientId client, std::uint64_t operations, std::uint32_t clients) {
  const std::uint64_t before = client.value - 1;
  return operations > before ? (operations - before - 1) / clients + 1 : 0;
}

}  // namespace

Load::Load(std::uint64_t seed, const Step& step, const action::Workload& workload,
           MonotonicTime fired)
    : seed_(seed), step_(step), workload_(workload), fired_(fired), label_(hash64(step.label)) {
  if (workload.popularity.kind == action::Workload::Popularity::Kind::zipf) {
    heads_ = zipf_heads(workload.keys.size(), workload.popularity.exponent_ppm);
  }
}

std::uint64_t Load::draw_of(ClientId client, std::uint64_t number, std::uint64_t what) const {
  return draw({.seed = seed_,
               .domain = Domain::workload,
               .who = mix(label_, client.value),
               .what = number,
               .attempt = what});
}

// ---- When ----------------------------------------------------------------------------------

std::optional<Load::Next> Load::next(ClientId client, MonotonicTime ended) {
  Progress& progress =
      clients_.try_emplace(client, Progress{.number = 0, .at = fired_}).first->second;
  const std::uint64_t number = progress.number + 1;
  if (workload_.operations && number > turns_of(client, *workload_.operations, workload_.clients)) {
    return std::nullopt;
  }
  const MonotonicTime at = begins(client, progress, ended);
  if (workload_.lasts && at - fired_ >= *workload_.lasts) return std::nullopt;
  progress = {.number = number, .at = at};
  return Next{.number = number, .at = at, .kept = keeps(client, number)};
}

MonotonicTime Load::begins(ClientId client, const Progress& before, MonotonicTime ended) const {
  const std::uint64_t number = before.number + 1;
  const std::uint64_t random = draw_of(client, number, kBegins);
  if (!is_open()) {
    // The first begins at once: there is nothing to think about yet.
    return number == 1 ? fired_ : ended + uniform(random, workload_.think);
  }
  const Duration mean = between_of_client(workload_);
  if (workload_.arrivals == action::Workload::Arrivals::poisson) {
    return before.at + exponential(random, mean);
  }
  return number == 1 ? fired_ + (client.value - 1) * between(workload_) : before.at + mean;
}

bool Load::keeps(ClientId client, std::uint64_t number) const {
  if (!workload_.keep) return true;
  const auto& keep = *workload_.keep;
  return std::any_of(keep.begin(), keep.end(), [&](const action::Workload::Range& each) {
    return each.client == client && each.first <= number && number <= each.last;
  });
}

// ---- What ----------------------------------------------------------------------------------

OperationRequest Load::request(ClientId client, std::uint64_t number) const {
  OperationRequest out;
  out.kind = kind_of(draw_of(client, number, kKind));
  out.key = workload_.keys[key_of(draw_of(client, number, kKey), draw_of(client, number, kWithin))];
  switch (out.kind) {
    case OperationKind::increment:
      out.value = "1";
      break;
    case OperationKind::add:
    case OperationKind::discard: {
      const std::uint64_t element = below(draw_of(client, number, kElement), workload_.elements);
      out.value = "element-" + std::to_string(element + 1);
      break;
    }
    case OperationKind::write: {
      const auto& size = workload_.value_size;
      const std::uint64_t bytes =
          size.min + below(draw_of(client, number, kSize), size.max - size.min + 1);
      out.value.assign(static_cast<std::size_t>(bytes), '.');
      break;
    }
    case OperationKind::read:
    case OperationKind::remove:
    case OperationKind::configure:
      break;
  }
  out.via = workload_.via;
  out.label = step_.label;
  return out;
}

OperationKind Load::kind_of(std::uint64_t random) const {
  std::uint64_t at = below(random, kPpm);
  for (const auto& [kind, share] : workload_.mix) {
    if (at < share.ppm) return kind;
    at -= share.ppm;
  }
  // The shares of a mix are all of it.
  const bool drawn = false;
  CHECK_THAT(drawn);
  return {};
}

std::size_t Load::key_of(std::uint64_t random, std::uint64_t within) const {
  using Kind = action::Workload::Popularity::Kind;
  const std::size_t keys = workload_.keys.size();
  const auto among = [within](std::size_t bound) {
    return static_cast<std::size_t>(below(within, bound));
  };
  switch (workload_.popularity.kind) {
    case Kind::uniform:
      return among(keys);
    case Kind::hot: {
      const std::size_t hot = hot_keys(keys, workload_.popularity.of);
      const bool is_hot = hot == keys || chance(random, workload_.popularity.share);
      return is_hot ? among(hot) : hot + among(keys - hot);
    }
    case Kind::zipf: {
      const std::uint64_t at = below(random, heads_.back());
      return static_cast<std::size_t>(std::upper_bound(heads_.begin(), heads_.end(), at) -
                                      heads_.begin());
    }
  }
  return 0;
}

// ---- How many ------------------------------------------------------------------------------

std::vector<action::Workload::Range> operations_of(std::uint64_t seed, const Step& step,
                                                   const action::Workload& workload) {
  if (workload.keep) return *workload.keep;
  std::vector<action::Workload::Range> out;
  Load load(seed, step, workload, {});
  for (std::uint32_t c = 1; c <= workload.clients; ++c) {
    const ClientId client(c);
    std::uint64_t count = 0;
    // Of a closed loop: as if each operation were over as it begins.
    for (auto next = load.next(client, {}); next; next = load.next(client, next->at)) ++count;
    if (count != 0) out.push_back({.client = client, .first = 1, .last = count});
  }
  return out;
}

namespace {

std::optional<std::string> problem_of_count(const action::Workload& workload) {
  if (workload.operations.has_value() == workload.lasts.has_value()) {
    return "a workload has either `operations` or `for`";
  }
  if (workload.operations && *workload.operations == 0) return "`operations` is above zero";
  if (workload.lasts && *workload.lasts <= Duration{}) return "`for` is above zero";
  const std::string too_many = "more than " + std::to_string(kOperationsMax) + " operations";
  if (workload.operations && *workload.operations > kOperationsMax) return too_many;
  if (!workload.lasts) return std::nullopt;
  using Wide = unsigned __int128;
  const auto lasts = static_cast<Wide>(workload.lasts->count());
  if (workload.rate_per_hour != 0) {
    if (lasts * workload.rate_per_hour / kHour > kOperationsMax) return too_many;
  } else if (workload.think.min <= Duration{}) {
    return "a closed loop with `for` needs `think` above zero: else nothing but the cluster bounds "
           "how many operations there are";
  } else if (lasts / static_cast<Wide>(workload.think.min.count()) * workload.clients >
             kOperationsMax) {
    return too_many;
  }
  return std::nullopt;
}

std::optional<std::string> problem_of_mix(const action::Workload& workload) {
  std::uint64_t sum = 0;
  for (const auto& [kind, share] : workload.mix) {
    if (kind == OperationKind::configure) return "`set` is no operation of a workload";
    sum += share.ppm;
  }
  if (sum != kPpm) {
    return "the shares of `mix` are 100% together, not " +
           to_text(ParamValue(Share{.ppm = static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                        sum, std::numeric_limits<std::uint32_t>::max()))}));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> problem_of(const action::Workload& workload) {
  if (workload.keys.empty()) return "a workload needs `keys`";
  if (workload.clients == 0) return "`clients` is a number from 1";
  if (auto problem = problem_of_count(workload)) return problem;
  if (auto problem = problem_of_mix(workload)) return problem;
  if (workload.value_size.min > workload.value_size.max) {
    return "`value-size` is the wrong way round: write the smaller size first";
  }
  if (workload.value_size.max > kValueBytesMax) {
    return "`value-size` is at most " + to_text(ParamValue(Size{kValueBytesMax}));
  }
  if (workload.think.min > workload.think.max) return "`think` is the wrong way round";
  if (workload.rate_per_hour > kRatePerHourMax) return "`rate` is at most 1000000/s";
  if (workload.rate_per_hour != 0 && workload.think != DurationRange{}) {
    return "`rate` is of an open loop and `think` of a closed one: one of them";
  }
  if (workload.elements == 0) return "`elements` is a number from 1";
  if (workload.popularity.exponent_ppm > kExponentMaxPpm) return "`zipf` is at most 10";
  for (std::size_t i = 0; workload.keep && i < workload.keep->size(); ++i) {
    const auto& range = (*workload.keep)[i];
    const bool apart = i == 0 || (*workload.keep)[i - 1].client < range.client ||
                       ((*workload.keep)[i - 1].client == range.client &&
                        (*workload.keep)[i - 1].last < range.first);
    if (range.first == 0 || range.first > range.last || !apart) {
      return "`keep` is ranges such as client-1/3..9, ascending and apart";
    }
  }
  return std::nullopt;
}

}  // namespace rejoin::sim
