#include "protocols/membership/cluster_state.hpp"

#include <algorithm>
#include <utility>

#include "model/mutant.hpp"

namespace rejoin {

namespace {

// A snapshot as it is written. An empty or foreign byte string has no format and is refused.
struct Image {
  static constexpr std::uint32_t kFormat = 1;

  std::uint32_t format = 0;
  ClusterId cluster;
  std::vector<Member> members;
  std::map<NodeId, Incarnation> incarnations;
  PartitionMap map;
  std::map<std::string, std::string> settings;
  std::map<ClientId, std::uint64_t> sessions;
  std::map<NodeId, Admission> admissions;

  REJOIN_FIELDS(format, cluster, members, incarnations, map, settings, sessions, admissions)
};

bool well_formed(const Member& member) {
  return !member.node.is_none() && !member.incarnation.is_none();
}

bool well_formed(const PartitionMap& map) {
  for (const std::vector<NodeId>& owners : map.owners) {
    for (auto owner = owners.begin(); owner != owners.end(); ++owner) {
      if (owner->is_none() || std::find(owners.begin(), owner, *owner) != owner) return false;
    }
  }
  return true;
}

fact::MemberInfo info_of(const Member& member) {
  return {.node = member.node, .incarnation = member.incarnation, .address = member.address};
}

// What differs between two states, as the siblings see it. A node that is a member in both, in
// another life, has gone and come.
local::ClusterChanged difference(const ClusterState& before, const ClusterState& after) {
  local::ClusterChanged changed;
  changed.new_map = after.map;
  if (*before.map != *after.map) changed.old_map = before.map;
  for (const auto& [node, old] : before.members) {
    const Member* now = after.find(node);
    if (now == nullptr || now->incarnation != old.incarnation) changed.removed.push_back(node);
  }
  for (const auto& [node, now] : after.members) {
    const Member* old = before.find(node);
    if (old == nullptr || old->incarnation != now.incarnation) {
      changed.joined.push_back(node);
    } else if (old->address != now.address) {
      changed.updated.push_back(node);
    }
  }
  return changed;
}

}  // namespace

const Member* ClusterState::find(NodeId node) const {
  const auto at = members.find(node);
  return at == members.end() ? nullptr : &at->second;
}

std::vector<NodeId> ClusterState::member_ids() const {
  std::vector<NodeId> ids;
  ids.reserve(members.size());
  for (const auto& [node, member] : members) ids.push_back(node);
  return ids;
}

const Admission* ClusterState::find_admission(NodeId node) const {
  const auto at = admissions.find(node);
  return at == admissions.end() ? nullptr : &at->second;
}

bool ClusterState::is_over(NodeId node, Incarnation incarnation) const {
  if (incarnation > highest_incarnation(node)) return false;
  const Member* member = find(node);
  if (member != nullptr && member->incarnation == incarnation) return false;
  const Admission* admission = find_admission(node);
  return admission == nullptr || admission->incarnation != incarnation;
}

Incarnation ClusterState::highest_incarnation(NodeId node) const {
  const auto at = incarnations.find(node);
  return at == incarnations.end() ? Incarnation{} : at->second;
}

Bytes encode_state(const ClusterState& state) {
  Image image{.format = Image::kFormat,
              .cluster = state.cluster,
              .members = {},
              .incarnations = state.incarnations,
              .map = *state.map,
              .settings = state.settings,
              .sessions = state.sessions,
              .admissions = state.admissions};
  for (const auto& [node, member] : state.members) image.members.push_back(member);
  return encode(image);
}

std::optional<ClusterState> decode_state(ByteView bytes) {
  std::optional<Image> image = decode<Image>(bytes);
  if (!image || image->format != Image::kFormat || !well_formed(image->map)) return std::nullopt;
  ClusterState state;
  state.cluster = image->cluster;
  for (const Member& member : image->members) {
    const auto highest = image->incarnations.find(member.node);
    if (!well_formed(member) || highest == image->incarnations.end()) return std::nullopt;
    if (highest->second < member.incarnation) return std::nullopt;
    if (!state.members.emplace(member.node, member).second) return std::nullopt;
  }
  for (const auto& [node, admission] : image->admissions) {
    const auto highest = image->incarnations.find(node);
    if (highest == image->incarnations.end()) return std::nullopt;
    if (highest->second != admission.incarnation) return std::nullopt;
  }
  state.incarnations = std::move(image->incarnations);
  state.map = std::make_shared<const PartitionMap>(std::move(image->map));
  state.settings = std::move(image->settings);
  state.sessions = std::move(image->sessions);
  state.admissions = std::move(image->admissions);
  return state;
}

ClusterStateMachine::ClusterStateMachine(NodeBus& bus, std::uint32_t partitions)
    : bus_(bus), partitions_(partitions) {
  state_.map = std::make_shared<const PartitionMap>();
}

void ClusterStateMachine::apply(LogIndex index, Term /*term*/, ByteView bytes, bool leading) {
  // Bytes that are no command of ours (a newer peer's) change nothing, on every node alike.
  const std::optional<ClusterCommand> parsed = decode<ClusterCommand>(bytes);
  if (!parsed) return;
  std::visit([&](const auto& parsed_command) { apply_command(index, parsed_command, leading); },
             *parsed);
}

void ClusterStateMachine::took_effect(LogIndex index, RequestId request,
                                      local::ClusterChanged changed) {
  bus_.publish(fact::CommandApplied{.group = kClusterGroup, .index = index, .request = request});
  changed.new_map = state_.map;
  bus_.post(std::move(changed));
}

void ClusterStateMachine::apply_command(LogIndex index, const command::SetMember& command,
                                        bool leading) {
  const Member& wanted = command.member;
  if (!well_formed(wanted)) return;
  const Member* current = state_.find(wanted.node);
  if (current != nullptr && *current == wanted) return;
  const Admission* admission = state_.find_admission(wanted.node);
  const Incarnation highest = state_.highest_incarnation(wanted.node);
  const bool is_admitted = admission != nullptr && admission->incarnation == wanted.incarnation;
  const bool is_same_life = current != nullptr && current->incarnation == wanted.incarnation;
  // Invariant 1: a life that is over never comes back, however late its command is applied.
  if (!is_admitted && !is_same_life && wanted.incarnation <= highest) return;
  local::ClusterChanged changed;
  if (current == nullptr) {
    const bool rejoin = is_admitted ? admission->returns : !highest.is_none();
    bus_.publish(
        fact::MemberAdded{.member = info_of(wanted), .on_leader = leading, .rejoin = rejoin});
    changed.joined.push_back(wanted.node);
  } else {
    bus_.publish(fact::MemberUpdated{.member = info_of(wanted), .on_leader = leading});
    if (is_same_life) {
      changed.updated.push_back(wanted.node);
    } else {
      changed.removed.push_back(wanted.node);
      changed.joined.push_back(wanted.node);
    }
  }
  state_.members[wanted.node] = wanted;
  state_.incarnations[wanted.node] = wanted.incarnation;
  state_.admissions.erase(wanted.node);
  publish_members();
  took_effect(index, RequestId{}, std::move(changed));
}

void ClusterStateMachine::apply_command(LogIndex index, const command::RemoveMember& command,
                                        bool leading) {
  const Member* current = state_.find(command.node);
  if (current == nullptr || current->incarnation != command.incarnation) return;
  state_.members.erase(command.node);
  bus_.publish(fact::MemberRemoved{
      .node = command.node, .incarnation = command.incarnation, .on_leader = leading});
  publish_members();
  local::ClusterChanged changed;
  changed.removed.push_back(command.node);
  took_effect(index, RequestId{}, std::move(changed));
}

void ClusterStateMachine::apply_command(LogIndex index, const command::Admit& command,
                                        bool /*leading*/) {
  if (command.node.is_none() || state_.find(command.node) != nullptr) return;
  const Admission* known = state_.find_admission(command.node);
  if (known != nullptr && known->nonce == command.nonce) return;
  const Incarnation highest = state_.highest_incarnation(command.node);
  const bool returns = known != nullptr ? known->returns : !highest.is_none();
  state_.incarnations[command.node] = highest.next();
  state_.admissions[command.node] =
      Admission{.incarnation = highest.next(), .nonce = command.nonce, .returns = returns};
  took_effect(index, RequestId{}, {});
}

void ClusterStateMachine::apply_command(LogIndex index, const command::SetMap& command,
                                        bool leading) {
  const PartitionMap& current = *state_.map;
  if (command.map.epoch != current.epoch.next() || !well_formed(command.map)) return;
  // Invariant 4: keys and gates are computed with the number of partitions.
  const std::size_t count = command.map.partition_count();
  if (count == 0 || (!current.epoch.is_none() && count != current.partition_count())) return;
  local::ClusterChanged changed;
  changed.old_map = std::exchange(state_.map, std::make_shared<const PartitionMap>(command.map));
  publish_map(leading);
  took_effect(index, RequestId{}, std::move(changed));
}

void ClusterStateMachine::apply_command(LogIndex index, const command::ChangeSetting& command,
                                        bool /*leading*/) {
  const RequestId request = command.request;
  if (!request.is_none()) {
    std::uint64_t& last = state_.sessions[request.client];
    // Invariant 3. A client has one request open at a time, so what is not newer than its last
    // is a retry of it, or was abandoned (dissertation 6.3).
    if (request.n <= last && !MUTANT("cluster-apply-twice")) return;
    last = std::max(last, request.n);
  }
  state_.settings[command.name] = command.value;
  bus_.publish(fact::SettingApplied{
      .request = request, .name = command.name, .value = command.value, .index = index});
  took_effect(index, request, {});
}

Bytes ClusterStateMachine::snapshot() const {
  return encode_state(state_);
}

tl::expected<void, raft::SnapshotRefused> ClusterStateMachine::restore(ByteView snapshot) {
  std::optional<ClusterState> restored = decode_state(snapshot);
  if (!restored) return tl::unexpected(raft::SnapshotRefused{.why = "its state makes no sense"});
  const std::size_t count = restored->map->partition_count();
  if (!restored->map->epoch.is_none() && count != partitions_) {
    return tl::unexpected(
        raft::SnapshotRefused{.damaged = false,
                              .why = "configured for " + std::to_string(partitions_) +
                                     " partitions, and the cluster has " + std::to_string(count)});
  }
  local::ClusterChanged changed = difference(state_, *restored);
  changed.from_snapshot = true;
  state_ = std::move(*restored);
  if (!changed.joined.empty() || !changed.removed.empty() || !changed.updated.empty()) {
    publish_members();
  }
  if (changed.old_map != nullptr) publish_map(false);
  bus_.post(std::move(changed));
  return {};
}

void ClusterStateMachine::publish_members() {
  fact::MembersApplied applied;
  applied.members.reserve(state_.members.size());
  for (const auto& [node, member] : state_.members) applied.members.push_back(info_of(member));
  bus_.publish(applied);
}

void ClusterStateMachine::publish_map(bool leading) {
  bus_.publish(fact::MapApplied{
      .map = state_.map, .fingerprint = fingerprint(*state_.map), .on_leader = leading});
}

}  // namespace rejoin
