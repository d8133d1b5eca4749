#include "protocols/sync/anti_entropy.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"
#include "protocols/sync/promises.hpp"

namespace rejoin {

namespace {

constexpr std::uint64_t kPassTimer = 1;

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

void AntiEntropy::on_return(const std::vector<PartitionId>& owned) {
  if (!options_.on_return) return;
  for (const PartitionId partition : owned) repair(partition, manager_.replicas_of(partition));
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
    wait += uniform(manager_.random(options_.name, pass_, 0), {Duration::zero(), options_.jitter});
  }
  manager_.arm(*this, kPassTimer, manager_.now() + wait);
}

void AntiEntropy::on_timer(std::uint64_t /*number*/) {
  schedule();
  if (!left_.empty() || under_way_ != 0) return;  // invariant 1
  ++pass_;
  const std::vector<PartitionId> owned = manager_.owned();
  left_.assign(owned.begin(), owned.end());
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
           .help = "from one pass over all partitions to the next; 0s: none",
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

std::string pace_refusal(const NodeOptions& options, const Params& params) {
  constexpr Duration kPeriodMin = std::chrono::milliseconds(1);
  const Duration period = params.get<Duration>("period");
  if (period > Duration::zero() && period < kPeriodMin) {
    return "period is 0s for none, or 1ms and more";
  }
  if (period == Duration::zero() && params.get<Duration>("jitter") > Duration::zero()) {
    return "jitter is added to each period, and there is none";
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
  out.push_back({.name = "on-return",
                 .says = "on-return: true",
                 .met = [](const Terms& /*terms*/,
                           const Params& params) { return params.get<bool>("on_return"); },
                 .promises = {"acknowledged-writes-survive", "no-stale-read-after-repair"}});
  out.push_back(condition::tombstones());
  out.push_back(condition::latest_shown());
  return out;
}

}  // namespace rejoin
