#include "protocols/membership/membership.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "protocols/membership/internal.hpp"

namespace rejoin {

using membership::HealthCheck;
using membership::HealthReply;
using membership::JoinReply;
using membership::JoinRequest;

REGISTER_MESSAGE(JoinRequest, Purpose::membership);
REGISTER_MESSAGE(JoinReply, Purpose::membership);
REGISTER_MESSAGE(HealthCheck, Purpose::membership);
REGISTER_MESSAGE(HealthReply, Purpose::membership);

namespace {

constexpr std::string_view kIdentityFile = "identity";
constexpr IoToken kReadIdentity{1};
constexpr IoToken kWriteIdentity{2};

}  // namespace

Membership::Membership(Env& machine, NodeBus& bus, NodeId self, MembershipOptions options,
                       bool learners, std::vector<Address> seeds,
                       const ClusterStateMachine& cluster, raft::Consensus& consensus)
    : env_(machine, Channel::membership, "membership"),
      bus_(bus),
      self_(self),
      options_(options),
      learners_(learners),
      seeds_(std::move(seeds)),
      cluster_(cluster),
      consensus_(consensus) {}

void Membership::start() {
  env_.read(kIdentityFile, kReadIdentity);
}

bool Membership::on_message(Address from, MessageKind kind, ByteView body) {
  // Only nodes speak of membership.
  if (is_client(from)) return false;
  if (kind == JoinRequest::kind) {
    const auto request = decode<JoinRequest>(body);
    return request && on_join_request(from, *request);
  }
  if (kind == JoinReply::kind) {
    const auto reply = decode<JoinReply>(body);
    return reply && on_join_reply(from, *reply);
  }
  if (kind == HealthCheck::kind) {
    const auto check = decode<HealthCheck>(body);
    return check && on_health_check(from, *check);
  }
  if (kind == HealthReply::kind) {
    const auto reply = decode<HealthReply>(body);
    return reply && on_health_reply(from, *reply);
  }
  return false;
}

void Membership::on_timer(TimerId timer) {
  if (timer == membership::kJoinTimer) {
    on_join_timer();
  } else if (timer == membership::kOrphanTimer) {
    on_orphan_timer();
  } else if (timer == membership::kCycleTimer) {
    on_cycle_timer();
  } else {
    CHECK_THAT(timer == membership::kCheckTimer);
    judge(false);
  }
}

void Membership::on_io(const IoDone& done) {
  if (done.token == kReadIdentity) {
    on_identity_read(done);
  } else {
    CHECK_THAT(done.token == kWriteIdentity);
    on_identity_written(done);
  }
}

void Membership::on_local(const LocalEvent& event) {
  if (const auto* leader = std::get_if<local::LeaderChanged>(&event)) {
    if (leader->group == kClusterGroup) on_leader_changed(*leader);
  } else if (const auto* caught_up = std::get_if<local::CaughtUp>(&event)) {
    if (caught_up->group == kClusterGroup) review(true);
  } else if (const auto* changed = std::get_if<local::ClusterChanged>(&event)) {
    on_cluster_changed(*changed);
  }
}

// ---- Identity ------------------------------------------------------------------------------

void Membership::on_identity_read(const IoDone& done) {
  CHECK_THAT(standing_ == Standing::reading);
  if (done.status == IoStatus::failed) return env_.halt("the identity file cannot be read");
  if (done.status == IoStatus::not_found) {
    want_life(Incarnation{});
    return begin_asking();
  }
  const std::optional<Identity> identity = decode_identity(done.data);
  if (!identity) {
    // It is replaced whole, so no crash explains this. A guess would risk two lives with one
    // incarnation, of which both vote; a person, or an empty disk, decides.
    bus_.publish(fact::StorageCorrupt{
        .file = "membership.identity", .offset = 0, .what = "it is no identity"});
    return env_.halt("the identity file is damaged; restart this node on an empty disk");
  }
  if (identity->node != self_) {
    return env_.halt("the disk belongs to " + to_name(identity->node));
  }
  identity_ = identity;
  bus_.post(local::IdentityKnown{
      .node = self_, .incarnation = identity_->incarnation, .from_disk = true});
  // Announces itself even when its disk says that it is a member: it may have been removed while
  // it was down, or be at another address now.
  begin_asking();
}

void Membership::write_identity() {
  env_.replace(kIdentityFile, encode_identity(persisting_), kWriteIdentity);
}

void Membership::on_identity_written(const IoDone& done) {
  CHECK_THAT(standing_ == Standing::persisting);
  if (done.status != IoStatus::ok) return env_.halt("the identity file cannot be written");
  identity_ = persisting_;
  wants_life_ = false;
  was_member_ = false;
  bus_.post(local::IdentityKnown{.node = self_, .incarnation = identity_->incarnation});
  begin_asking();
}

// ---- Whether this node is a member ---------------------------------------------------------

void Membership::on_leader_changed(const local::LeaderChanged& changed) {
  if (changed.self == leading_) return;
  leading_ = changed.self;
  waiting_.clear();
  if (leading_) {
    start_checks();
    review(true);
  } else {
    stop_checks();
  }
}

void Membership::on_cluster_changed(const local::ClusterChanged& changed) {
  for (const NodeId node : changed.removed) watched_.erase(node);
  // A snapshot may be the one that this disk held at start: it says nothing about now.
  review(!changed.from_snapshot);
  if (!leading_) return;
  remove_suspects();
  answer_waiting();
}

// Looks at what the applied state says about this node. `current`: that state comes from a leader,
// not only from this disk.
void Membership::review(bool current) {
  const bool in_question = standing_ == Standing::asking || standing_ == Standing::member;
  if (!identity_ || wants_life_ || !in_question) return;
  const Member* member = cluster_.state().find(self_);
  if (member != nullptr && member->incarnation > identity_->incarnation) {
    return halt_superseded();
  }
  // Final in every later state, so even an old snapshot is to be believed.
  if (cluster_.state().is_over(self_, identity_->incarnation)) return on_removed();
  if (current && standing_ == Standing::asking && is_applied_member()) settle();
}

bool Membership::is_applied_member() const {
  const Member* member = cluster_.state().find(self_);
  return member != nullptr && identity_ && member->incarnation == identity_->incarnation &&
         member->address == env_.self();
}

void Membership::settle() {
  CHECK_THAT(identity_ && !wants_life_);
  standing_ = Standing::member;
  was_member_ = true;
  settled_at_ = env_.now();
  env_.disarm(membership::kJoinTimer);
  env_.arm(membership::kOrphanTimer, settled_at_ + options_.orphan_timeout);
}

// This life is over. Whoever was evicted alive may be told to stay away (ClusterKit joins at start
// only); a process that finds out at its start joins in any case.
void Membership::on_removed() {
  CHECK_THAT(identity_ && !wants_life_);
  bus_.post(local::Evicted{});
  env_.disarm(membership::kOrphanTimer);
  if (was_member_ && !options_.rejoin_when_removed) {
    standing_ = Standing::evicted;
    env_.disarm(membership::kJoinTimer);
    return;
  }
  want_life(identity_->incarnation);
  begin_asking();
}

// Dissertation 4.2.3 leaves removed servers to campaign in vain; this one asks why it hears nobody.
void Membership::on_orphan_timer() {
  if (standing_ != Standing::member) return;
  const MonotonicTime now = env_.now();
  const MonotonicTime heard = consensus_.leads(kClusterGroup)
                                  ? now
                                  : consensus_.leader_heard(kClusterGroup).value_or(settled_at_);
  const MonotonicTime due = std::max(heard, settled_at_) + options_.orphan_timeout;
  if (now < due) return env_.arm(membership::kOrphanTimer, due);
  begin_asking();
}

void Membership::halt_superseded() {
  env_.halt("superseded: a later life of " + to_name(self_) + " is a member");
}

}  // namespace rejoin
