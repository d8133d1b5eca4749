#include "protocols/partitioning/partitioning.hpp"

#include <iterator>
#include <utility>

#include "model/check.hpp"
#include "protocols/partitioning/hooks.hpp"
#include "protocols/partitioning/placement.hpp"

namespace rejoin {

namespace {

constexpr TimerId kRebalanceTimer{1};
// Between two looks at a proposal that was refused or is under way. Short against an election and
// long against a commit.
constexpr Duration kRetry = 100ms;

bool names(const PartitionMap& map, NodeId node) {
  for (std::uint32_t p = 0; p < map.partition_count(); ++p) {
    if (map.owns(node, PartitionId(p))) return true;
  }
  return false;
}

}  // namespace

Partitioning::Partitioning(Env& machine, NodeBus& bus, NodeId self, PartitioningOptions options,
                           const ClusterStateMachine& cluster, raft::Consensus& consensus)
    : env_(machine, Channel::partitioning, "partitioning"),
      bus_(bus),
      self_(self),
      options_(std::move(options)),
      cluster_(cluster),
      consensus_(consensus) {}

// It has no messages: all that it says goes through the log.
bool Partitioning::on_message(Address /*from*/, MessageKind /*kind*/, ByteView /*body*/) {
  return false;
}

void Partitioning::on_io(const IoDone& /*done*/) {
  CHECK_THAT(false);  // it keeps no files
}

void Partitioning::on_local(const LocalEvent& event) {
  if (const auto* leader = std::get_if<local::LeaderChanged>(&event)) {
    if (leader->group == kClusterGroup) on_leader_changed(*leader);
  } else if (const auto* changed = std::get_if<local::ClusterChanged>(&event)) {
    on_cluster_changed(*changed);
  }
}

void Partitioning::on_timer(TimerId timer) {
  CHECK_THAT(timer == kRebalanceTimer);
  scheduled_ = false;
  rebalance();
}

// ---- The leader ----------------------------------------------------------------------------

void Partitioning::on_leader_changed(const local::LeaderChanged& changed) {
  if (changed.self == leading_) return;
  stop();
  leading_ = changed.self;
  // The leader before may have died between a change of members and its map. ClusterKit's new
  // leader does not look, and the rebalance is lost.
  if (leading_ && options_.rebalance_on_leadership) schedule(options_.rebalance_delay);
}

void Partitioning::on_cluster_changed(const local::ClusterChanged& changed) {
  for (const NodeId node : changed.removed) {
    removed_.insert(node);
    joined_.erase(node);
  }
  for (const NodeId node : changed.joined) {
    removed_.erase(node);
    const Member* member = cluster_.state().find(node);
    joined_[node] = member != nullptr && member->incarnation.value > 1;
  }
  if (changed.old_map != nullptr) {
    CHECK_THAT(changed.new_map != nullptr);
    if (has_baseline_) run_hooks(*changed.old_map, *changed.new_map);
    has_baseline_ = true;
    forget_explained(*changed.new_map);
  }
  const bool members_changed = !changed.joined.empty() || !changed.removed.empty();
  if (leading_ && (members_changed || changed.old_map != nullptr)) {
    schedule(members_changed ? options_.rebalance_delay : Duration{});
  }
}

// A look that is due already sees whatever changes until then.
void Partitioning::schedule(Duration delay) {
  if (scheduled_) return;
  if (delay == Duration{}) return rebalance();
  scheduled_ = true;
  env_.arm(kRebalanceTimer, env_.now() + delay);
}

void Partitioning::stop() {
  if (scheduled_) env_.disarm(kRebalanceTimer);
  scheduled_ = false;
  proposed_.reset();
  refused_for_.reset();
}

// The configuration is in force once appended, members once applied: they differ while a change
// is between the two.
bool Partitioning::membership_settled() const {
  const auto& servers = consensus_.configuration(kClusterGroup).servers;
  const auto& members = cluster_.state().members;
  if (servers.size() != members.size()) return false;
  auto server = servers.begin();
  for (const auto& [node, member] : members) {
    if (server->node != node || server->incarnation != member.incarnation) return false;
    ++server;
  }
  return true;
}

void Partitioning::rebalance() {
  if (!leading_ || !consensus_.leads(kClusterGroup)) return;
  const Term term = consensus_.term(kClusterGroup);
  // What was proposed in an earlier term may be gone; in this one it will be applied.
  const bool is_under_way =
      proposed_ && proposed_in_ == term && consensus_.applied(kClusterGroup) < *proposed_;
  if (is_under_way) return schedule(kRetry);
  proposed_.reset();
  if (!membership_settled()) return schedule(kRetry);
  const ClusterState& state = cluster_.state();
  const std::vector<NodeId> members = state.member_ids();
  const auto wanted = make_map(state.map->epoch.next(), options_, members);
  if (!wanted) return refuse(wanted.error(), members);
  refused_for_.reset();
  // Who is configured for another number of partitions has no state, and cannot lead.
  CHECK_THAT(state.map->epoch.is_none() ||
             wanted->partition_count() == state.map->partition_count());
  if (wanted->owners == state.map->owners) return;
  const ClusterCommand command = command::SetMap{*wanted};
  proposed_ = consensus_.propose(kClusterGroup, encode(command)).index;
  proposed_in_ = term;
  // Looks again even when the proposal was taken: it may still be refused when it is applied.
  schedule(kRetry);
}

// Once for each set of members, however often it is looked at.
void Partitioning::refuse(const std::string& reason, const std::vector<NodeId>& members) {
  if (refused_for_ == members) return;
  refused_for_ = members;
  bus_.publish(fact::RebalanceRefused{.reason = reason});
}

// ---- Hooks ---------------------------------------------------------------------------------

// Every node runs the hooks of every partition in ClusterKit; only those for itself do anything.
void Partitioning::run_hooks(const PartitionMap& before, const PartitionMap& after) {
  const std::vector<NodeId> nobody;
  const std::vector<NodeId> members = cluster_.state().member_ids();
  const fact::ChangeReason reason = reason_for(self_);
  for (std::uint32_t i = 0; i < after.partition_count(); ++i) {
    const PartitionId p(i);
    if (!after.owns(self_, p)) continue;
    const OwnerChange change{.before = i < before.partition_count() ? before.owners_of(p) : nobody,
                             .after = after.owners_of(p),
                             .members = members};
    for (const NodeId target : hook_targets(change, options_)) {
      if (target != self_) continue;
      std::vector<NodeId> sources = hook_sources(change, target, options_);
      bus_.publish(fact::HookFired{
          .partition = p, .copy_from = sources, .copy_to = target, .reason = reason});
      bus_.post(local::PartitionChanged{
          .partition = p, .copy_from = std::move(sources), .copy_to = target, .reason = reason});
    }
  }
}

fact::ChangeReason Partitioning::reason_for(NodeId target) const {
  const auto came = joined_.find(target);
  if (came != joined_.end()) {
    return came->second ? fact::ChangeReason::rejoin : fact::ChangeReason::added;
  }
  return removed_.empty() ? fact::ChangeReason::rebalance : fact::ChangeReason::removed;
}

// A map that names a node has taken account of its coming, one that does not, of its going.
void Partitioning::forget_explained(const PartitionMap& after) {
  for (auto at = joined_.begin(); at != joined_.end();) {
    at = names(after, at->first) ? joined_.erase(at) : std::next(at);
  }
  for (auto at = removed_.begin(); at != removed_.end();) {
    at = names(after, *at) ? std::next(at) : removed_.erase(at);
  }
}

}  // namespace rejoin
