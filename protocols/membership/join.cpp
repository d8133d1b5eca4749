// Joining, from both sides.

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "protocols/membership/internal.hpp"
#include "protocols/membership/membership.hpp"

namespace rejoin {

using membership::JoinAnswer;
using membership::JoinReply;
using membership::JoinRequest;

namespace {

// Redirects followed without a pause; two nodes that name each other are then left alone a while.
constexpr std::uint32_t kRedirectsMax = 3;
// Nodes whose requests a leader keeps; the others ask again by themselves.
constexpr std::size_t kWaitingMax = 1024;

}  // namespace

// ---- Asking --------------------------------------------------------------------------------

void Membership::want_life(Incarnation replaces) {
  wants_life_ = true;
  replaces_ = replaces;
  nonce_ = env_.random("admission",
                       static_cast<std::uint64_t>(env_.now().time_since_epoch().count()), 0);
}

void Membership::begin_asking() {
  standing_ = Standing::asking;
  rotation_ = 0;
  redirects_ = 0;
  backoff_ = options_.join_backoff;
  ask();
}

Incarnation Membership::asked_incarnation() const {
  return identity_ && !wants_life_ ? identity_->incarnation : Incarnation{};
}

// Whom to ask, best first. What a removed node knows about members is old: it asks its seeds first.
std::vector<Address> Membership::targets() const {
  std::vector<Address> all;
  const auto offer = [&](Address address) {
    if (address == env_.self() || address.is_none()) return;
    if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  };
  const auto offer_seeds = [&] {
    for (const Address seed : seeds_) offer(seed);
  };
  if (wants_life_) offer_seeds();
  if (const auto leader = consensus_.leader(kClusterGroup)) offer(leader->address);
  for (const auto& [node, member] : cluster_.state().members) {
    if (node != self_) offer(member.address);
  }
  // After a start nothing is applied yet that the log holds: where members have moved since the
  // snapshot only the configuration in the log says, and all the seeds may be among them.
  for (const raft::Server& server : consensus_.configuration(kClusterGroup).servers) {
    if (server.node != self_) offer(server.address);
  }
  offer_seeds();
  return all;
}

void Membership::ask() {
  CHECK_THAT(standing_ == Standing::asking);
  if (consensus_.leads(kClusterGroup) && is_applied_member()) return settle();
  if (moved_while_leading()) return wait_and_ask();
  const std::vector<Address> all = targets();
  if (all.empty()) return wait_and_ask();
  redirects_ = 0;
  ask_at(all[rotation_++ % all.size()]);
}

// A leader that came back at another address, and won: it would ask itself where it used to be.
bool Membership::moved_while_leading() {
  if (!consensus_.leads(kClusterGroup) || !identity_ || wants_life_) return false;
  const Member* member = cluster_.state().find(self_);
  const raft::Server* server = consensus_.configuration(kClusterGroup).find(self_);
  if (member == nullptr || member->incarnation != identity_->incarnation) return false;
  if (server == nullptr || server->incarnation != identity_->incarnation) return false;
  if (server->address != env_.self()) {
    Member moved = *member;
    moved.address = env_.self();
    propose_set(moved, server->voter);
  }
  return true;
}

void Membership::ask_at(Address target) {
  ++number_;
  unanswered_ = true;
  const JoinRequest request{.cluster = identity_ ? identity_->cluster : ClusterId{},
                            .node = self_,
                            .incarnation = asked_incarnation(),
                            .address = env_.self(),
                            .replaces = wants_life_ ? replaces_ : Incarnation{},
                            .nonce = wants_life_ ? nonce_ : 0,
                            .number = number_};
  bus_.publish(fact::JoinRequested{.seed = target});
  env_.send_message(target, Transport::datagram, request, Purpose::membership,
                    request.incarnation.value, static_cast<std::uint32_t>(number_));
  env_.arm(membership::kJoinTimer, env_.now() + options_.join_timeout);
}

void Membership::wait_and_ask() {
  unanswered_ = false;
  env_.arm(membership::kJoinTimer, env_.now() + backoff_);
  backoff_ = std::min(backoff_ * 2, options_.join_backoff_max);
}

void Membership::on_join_timer() {
  if (standing_ != Standing::asking) return;
  // An orphan whose leader has come back needs no answer.
  const auto heard = consensus_.leader_heard(kClusterGroup);
  const bool is_fresh = heard && env_.now() - *heard < options_.orphan_timeout;
  if (was_member_ && !wants_life_ && is_fresh && is_applied_member()) return settle();
  if (unanswered_) return wait_and_ask();
  ask();
}

bool Membership::on_join_reply(Address from, const JoinReply& reply) {
  if (reply.node != self_ || reply.answer > JoinAnswer::no_leader) return false;
  // An answer to an earlier question.
  if (standing_ != Standing::asking || reply.number != number_) return true;
  if (reply.asked != asked_incarnation()) return true;
  if (reply.nonce != (wants_life_ ? nonce_ : 0)) return true;
  const bool is_foreign =
      identity_ && !reply.cluster.is_none() && reply.cluster != identity_->cluster;
  if (is_foreign) {
    if (unanswered_) wait_and_ask();
    return true;
  }
  take_answer(from, reply);
  return true;
}

void Membership::take_answer(Address from, const JoinReply& reply) {
  const bool was_unanswered = std::exchange(unanswered_, false);
  switch (reply.answer) {
    case JoinAnswer::welcome:
      if (!wants_life_) settle();
      return;
    case JoinAnswer::joining:
      if (!was_unanswered) return;
      backoff_ = options_.join_backoff;
      // The leader answers again when it is done; asking again is for when that is lost.
      rotation_ = 0;
      return wait_and_ask();
    case JoinAnswer::assigned:
      return on_assigned(reply);
    case JoinAnswer::occupied:
      if (!wants_life_ || reply.incarnation <= replaces_) break;
      // The life before this disk was emptied. Naming it proves that the request is not a late
      // one, from before that life.
      replaces_ = reply.incarnation;
      return ask_at(from);
    case JoinAnswer::removed:
      if (!wants_life_) return on_removed();
      break;
    case JoinAnswer::superseded:
      return halt_superseded();
    case JoinAnswer::redirect:
      if (!was_unanswered) return;
      if (reply.leader == env_.self() || reply.leader.is_none()) break;
      if (redirects_ == kRedirectsMax) break;
      ++redirects_;
      return ask_at(reply.leader);
    case JoinAnswer::wrong_cluster:
    case JoinAnswer::no_leader:
      break;
  }
  if (was_unanswered) wait_and_ask();
}

// Invariant 1: durable first. Until then it says nothing, so whatever else arrives waits.
void Membership::on_assigned(const JoinReply& reply) {
  const Incarnation before = identity_ ? identity_->incarnation : replaces_;
  if (!wants_life_ || reply.cluster.is_none() || reply.incarnation <= before) {
    return wait_and_ask();
  }
  standing_ = Standing::persisting;
  env_.disarm(membership::kJoinTimer);
  persisting_ = Identity{.cluster = reply.cluster, .node = self_, .incarnation = reply.incarnation};
  write_identity();
}

// ---- Being asked ---------------------------------------------------------------------------

bool Membership::on_join_request(Address from, const JoinRequest& request) {
  if (request.node.is_none() || request.address != from) return false;
  const JoinReply reply = answer(request);
  if (leading_ && reply.answer == JoinAnswer::joining) {
    if (waiting_.size() < kWaitingMax || waiting_.contains(request.node)) {
      waiting_[request.node] = request;
    }
  } else {
    waiting_.erase(request.node);
  }
  send_reply(from, reply);
  return true;
}

JoinReply Membership::answer(const JoinRequest& request) {
  const ClusterId cluster = cluster_.state().cluster;
  JoinReply reply{.answer = JoinAnswer::no_leader,
                  .cluster = cluster,
                  .node = request.node,
                  .asked = request.incarnation,
                  .nonce = request.nonce,
                  .number = request.number,
                  .incarnation = {},
                  .leader = {}};
  const bool is_foreign = !request.cluster.is_none() && request.cluster != cluster;
  if (is_foreign && !cluster.is_none()) {
    reply.answer = JoinAnswer::wrong_cluster;
  } else if (consensus_.leads(kClusterGroup)) {
    answer_as_leader(request, reply);
  } else if (const auto leader = consensus_.leader(kClusterGroup);
             leader && leader->address != request.address) {
    reply.answer = JoinAnswer::redirect;
    reply.leader = leader->address;
  }
  return reply;
}

void Membership::answer_as_leader(const JoinRequest& request, JoinReply& reply) {
  const ClusterState& state = cluster_.state();
  const Member* member = state.find(request.node);
  reply.answer = JoinAnswer::joining;
  if (request.node == self_) {
    // Whoever asks, it is not this node: this one leads.
    reply.answer = JoinAnswer::superseded;
  } else if (request.incarnation.is_none()) {
    give_life(request, reply);
  } else if (member != nullptr && member->incarnation == request.incarnation) {
    confirm(request, *member, reply);
  } else if (member != nullptr && member->incarnation > request.incarnation) {
    reply.answer = JoinAnswer::superseded;
  } else if (state.is_over(request.node, request.incarnation)) {
    reply.answer = JoinAnswer::removed;
  } else {
    add(request);
  }
}

// The life that asks is a member; at this address?
void Membership::confirm(const JoinRequest& request, const Member& member, JoinReply& reply) {
  const raft::Server* server = consensus_.configuration(kClusterGroup).find(request.node);
  // It is being removed, which it will hear when that is done.
  if (server == nullptr || server->incarnation != member.incarnation) return;
  if (member.address == request.address && server->address == request.address) {
    reply.answer = JoinAnswer::welcome;
  } else if (server->address != request.address) {
    Member moved = member;
    moved.address = request.address;
    propose_set(moved, server->voter);
  }
}

void Membership::give_life(const JoinRequest& request, JoinReply& reply) {
  const ClusterState& state = cluster_.state();
  const Member* member = state.find(request.node);
  const raft::Server* server = consensus_.configuration(kClusterGroup).find(request.node);
  if (member != nullptr || server != nullptr) {
    const Incarnation life = std::max(member != nullptr ? member->incarnation : Incarnation{},
                                      server != nullptr ? server->incarnation : Incarnation{});
    if (request.replaces < life) {
      reply.answer = JoinAnswer::occupied;
      reply.incarnation = life;
    } else if (server != nullptr) {
      propose_removal(request.node);
    }
    return;
  }
  const Admission* admission = state.find_admission(request.node);
  if (admission != nullptr && admission->nonce == request.nonce) {
    reply.answer = JoinAnswer::assigned;
    reply.incarnation = admission->incarnation;
    return;
  }
  const ClusterCommand command = command::Admit{.node = request.node, .nonce = request.nonce};
  // Refused or lost: the node asks again.
  static_cast<void>(consensus_.propose(kClusterGroup, encode(command)));
}

// A life that was given out and is no member yet.
void Membership::add(const JoinRequest& request) {
  const raft::Server* server = consensus_.configuration(kClusterGroup).find(request.node);
  if (server != nullptr) {
    // Invariant 2. The same life: its addition is under way.
    if (server->incarnation != request.incarnation) propose_removal(request.node);
    return;
  }
  // Out of the configuration, its removal not applied yet.
  if (cluster_.state().find(request.node) != nullptr) return;
  propose_set(
      {.node = request.node, .incarnation = request.incarnation, .address = request.address},
      !learners_);
}

// Both are tried again for as long as whoever wanted them asks again, so a refusal is no event.
void Membership::propose_set(const Member& member, bool voter) {
  raft::MemberChange change;
  change.set = raft::Server{.node = member.node,
                            .incarnation = member.incarnation,
                            .address = member.address,
                            .voter = voter};
  const ClusterCommand command = command::SetMember{member};
  static_cast<void>(consensus_.propose_member(kClusterGroup, change, encode(command)));
}

void Membership::propose_removal(NodeId node) {
  const Member* member = cluster_.state().find(node);
  raft::MemberChange change;
  change.remove = node;
  Bytes command;
  if (member != nullptr) {
    command = encode(
        ClusterCommand(command::RemoveMember{.node = node, .incarnation = member->incarnation}));
  }
  static_cast<void>(consensus_.propose_member(kClusterGroup, change, std::move(command)));
}

void Membership::send_reply(Address to, const JoinReply& reply) {
  env_.send_message(to, Transport::datagram, reply, Purpose::membership, reply.asked.value,
                    static_cast<std::uint32_t>(reply.number));
}

// Something was applied: whoever waits for it hears at once, rather than when it asks again.
void Membership::answer_waiting() {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const JoinReply reply = answer(at->second);
    if (reply.answer == JoinAnswer::joining) {
      ++at;
      continue;
    }
    send_reply(at->second.address, reply);
    at = waiting_.erase(at);
  }
}

}  // namespace rejoin
