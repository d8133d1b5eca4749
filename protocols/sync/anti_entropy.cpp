#include "protocols/sync/anti_entropy.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"
#include "protocols/sync/promises.hpp"

namespace rejoin {

namespace {

constexpr std::uint64_t kPassTimer = 1;
constexpr std::int64_t kVisitsMax = 1'000'000;

SourceRule rule_of(const std::string& source) {
  if (source == "one") return SourceRule::first;
  if (source == "quorum") return SourceRule::quorum;
  CHECK_THAT(source == "all");
  return SourceRule::all;
}

}  // namespace

AntiEntropy::AntiEntropy(SyncManager& manager, Options options)
    : manager_(manager), options_(std::move(options)) {}

void AntiEntropy::on_partition_change(const PartitionNeeded& change) {
  if (options_.on_return) repair(change.partition, change.sources);
}

void AntiEntropy::on_return(const std::vector<Owned>& owned) {
  if (!options_.on_return) return;
  for (const Owned& each : owned) repair(each.partition, manager_.replicas_of(each.partition));
}

void AntiEntropy::repair(PartitionId partition, std::vector<NodeId> sources) {
  manager_.repair({.partition = partition,
                   .sources = std::move(sources),
                   .rule = options_.source,
                   .merge = options_.merge,
                   .wipe = false,
                   .transfer = options_.transfer,
                   .claims = true,
                   .mechanism = options_.name});
}

void AntiEntropy::start() {
  if (options_.period > Duration::zero()) schedule();
}

void AntiEntropy::schedule() {
  Duration wait = options_.period;
  if (options_.jitter > Duration::zero()) {
    wait +=
        uniform(manager_.random(options_.name, period_++, 0), {Duration::zero(), options_.jitter});
  }
  manager_.arm(*this, kPassTimer, manager_.now() + wait);
}

void AntiEntropy::on_timer(std::uint64_t /*number*/) {
  schedule();
  if (!left_.empty() || under_way_ != 0) return;  // invariant 1
  const std::vector<PartitionId> owned = manager_.owned();
  auto from = std::lower_bound(owned.begin(), owned.end(), next_);
  if (from == owned.end()) from = owned.begin();
  if (from == owned.begin()) ++pass_;
  left_.assign(from, owned.end());
  if (options_.visits != 0 && left_.size() > options_.visits) left_.resize(options_.visits);
  if (options_.visits != 0 && !left_.empty()) next_ = PartitionId(left_.back().value + 1);
  visit_next();
}

void AntiEntropy::visit_next() {
  if (std::exchange(visiting_, true)) return;  // one that ends at once is told of from inside
  while (!left_.empty() && under_way_ < options_.concurrency) {
    const PartitionId partition = left_.front();
    left_.pop_front();
    const std::vector<NodeId> replicas = manager_.replicas_of(partition);
    if (replicas.empty()) continue;
    const NodeId peer = replicas[(pass_ + partition.value) % replicas.size()];
    ++under_way_;
    manager_.repair({.partition = partition,
                     .sources = {peer},
                     .rule = SourceRule::first,
                     .merge = options_.merge,
                     .wipe = false,
                     .transfer = options_.transfer,
                     .claims = false,
                     .mechanism = options_.name});
  }
  visiting_ = false;
}

void AntiEntropy::on_pass_ended(PartitionId /*partition*/) {
  if (under_way_ > 0) --under_way_;
  visit_next();
}

std::vector<ParamSpec> anti_entropy_params(std::string_view period) {
  return {{.name = "on_return",
           .type = ParamType::flag,
           .unit = "",
           .fallback = "true",
           .help = "a node that returns, or gains a partition, compares before it counts as "
                   "repaired; false: the next pass finds it",
           .choices = {}},
          {.name = "source",
           .type = ParamType::choice,
           .unit = "",
           .fallback = "quorum",
           .help = "with whom it compares then: one replica, a majority, or all that answer",
           .choices = {"one", "quorum", "all"}},
          {.name = "period",
           .type = ParamType::duration,
           .unit = "",
           .fallback = period,
           .help = "from one pass over all partitions to the next, or from one part of it, as "
                   "`visits` says; 0s: none",
           .choices = {}},
          {.name = "visits",
           .type = ParamType::integer,
           .unit = "partitions",
           .fallback = "0",
           .help = "compared in a period, the next ones in the next; 0: all in each",
           .choices = {}},
          {.name = "jitter",
           .type = ParamType::duration,
           .unit = "",
           .fallback = "0s",
           .help = "each period is longer by up to so much, so that nodes do not march in step",
           .choices = {}},
          {.name = "concurrency",
           .type = ParamType::integer,
           .unit = "partitions",
           .fallback = "1",
           .help = "compared at once in a pass; at most fetch.in-flight",
           .choices = {}},
          {.name = "direction",
           .type = ParamType::choice,
           .unit = "",
           .fallback = "both",
           .help = "pull: what the other has and this one lacks comes here; push: the reverse",
           .choices = {"pull", "push", "both"}}};
}

bool compares_on_return(const Params& params) {
  return params.get<bool>("on_return");
}

std::string pace_refusal(const NodeOptions& options, const Params& params) {
  constexpr Duration kPeriodMin = std::chrono::milliseconds(1);
  const Duration period = params.get<Duration>("period");
  if (period > Duration::zero() && period < kPeriodMin) {
    return "period is 0s for none, or 1ms and more";
  }
  const std::int64_t visits = params.get<std::int64_t>("visits");
  if (visits < 0 || visits > kVisitsMax) {
    return "visits is a number from 0, which is all, to " + std::to_string(kVisitsMax);
  }
  if (period == Duration::zero()) {
    if (params.get<Duration>("jitter") > Duration::zero()) {
      return "jitter is added to each period, and there is none";
    }
    if (visits > 0) return "visits are those of a period, and there is none";
    if (!params.get<bool>("on_return")) {
      return "with on-return false and no period nothing is ever compared";
    }
  }
  const std::int64_t concurrency = params.get<std::int64_t>("concurrency");
  const std::int64_t most = options.sync.fetches_in_flight;
  if (concurrency < 1 || concurrency > most) {
    return "concurrency is a number from 1 to " + std::to_string(most) + ", fetch.in-flight";
  }
  return {};
}

AntiEntropy::Options anti_entropy_options(std::string_view name, const Params& params) {
  AntiEntropy::Options out;
  out.name = name;
  out.on_return = params.get<bool>("on_return");
  out.source = rule_of(params.get<std::string>("source"));
  out.period = params.get<Duration>("period");
  out.jitter = params.get<Duration>("jitter");
  out.visits = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(params.get<std::int64_t>("visits"), 0, kVisitsMax));
  out.concurrency = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(params.get<std::int64_t>("concurrency"), 1, 1'000'000));
  const std::string& direction = params.get<std::string>("direction");
  out.transfer.pull = direction != "push";
  out.transfer.push = direction != "pull";
  return out;
}

std::vector<std::string_view> comparison_promises() {
  return {"acknowledged-writes-survive", "merge-never-regresses", "no-stale-read-after-repair"};
}

std::vector<Condition> comparison_conditions(bool refuses_none) {
  std::vector<Condition> out;
  if (!refuses_none) out.push_back(condition::versions());
  out.push_back(condition::agreeing_clocks());
  out.push_back(condition::strict_quorums());
  out.push_back(condition::quorum_writes());
  out.push_back(condition::covering_sources());
  out.push_back(condition::majority());
  out.push_back(
      {.name = "pull",
       .says = "direction pull or both",
       .met = [](const Terms& /*terms*/,
                 const Params& params) { return params.get<std::string>("direction") != "push"; },
       .promises = {"acknowledged-writes-survive", "no-stale-read-after-repair"}});
  out.push_back(condition::on_return());
  out.push_back(condition::tombstones());
  out.push_back(condition::latest_shown());
  return out;
}

}  // namespace rejoin
