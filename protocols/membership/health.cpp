// Health checks: the leader asks every other member in turn, and removes who fails too often.

#include "model/check.hpp"
#include "protocols/membership/internal.hpp"
#include "protocols/membership/membership.hpp"

namespace rejoin {

using membership::HealthCheck;
using membership::HealthReply;

// ---- The leader ----------------------------------------------------------------------------

// Counts start at zero: what the leader before counted is not known here.
void Membership::start_checks() {
  watched_.clear();
  cycle_ = 0;
  cycle_due_ = false;
  next_cycle_ = env_.now() + options_.interval;
  env_.arm(membership::kCycleTimer, next_cycle_);
}

void Membership::stop_checks() {
  env_.disarm(membership::kCycleTimer);
  env_.disarm(membership::kCheckTimer);
  checking_.reset();
  watched_.clear();
}

// A ticker: a cycle that outlasts the interval is followed by the next at once, and the beat stays.
void Membership::on_cycle_timer() {
  if (!leading_) return;
  next_cycle_ += options_.interval;
  env_.arm(membership::kCycleTimer, next_cycle_);
  if (checking_) {
    cycle_due_ = true;
  } else {
    begin_cycle();
  }
}

void Membership::begin_cycle() {
  ++cycle_;
  cycle_due_ = false;
  position_ = 0;
  to_check_ = cluster_.state().member_ids();
  check_next();
}

void Membership::check_next() {
  checking_.reset();
  for (; position_ < to_check_.size(); ++position_) {
    const NodeId node = to_check_[position_];
    const Member* member = cluster_.state().find(node);
    if (node == self_ || member == nullptr) continue;
    checking_ = node;
    ++position_;
    env_.send_message(member->address, Transport::datagram, HealthCheck{.number = check_number()},
                      Purpose::membership, check_number());
    return env_.arm(membership::kCheckTimer, env_.now() + options_.timeout);
  }
  if (cycle_due_) begin_cycle();
}

// Unique to (term, cycle), so that an answer to another leader's check, or a late one, is known.
std::uint64_t Membership::check_number() const {
  return consensus_.term(kClusterGroup).value << 32U | (cycle_ & 0xffffffffU);
}

void Membership::judge(bool healthy) {
  if (!leading_ || !checking_) return;
  const NodeId node = *checking_;
  std::uint32_t failures = 0;
  if (cluster_.state().find(node) != nullptr) {  // else it was removed while it was checked
    Watched& member = watched(node);
    failures = member.failures = healthy ? 0 : member.failures + 1;
    member.detector->on_check({.at = env_.now(), .healthy = healthy, .failures = failures});
  }
  bus_.publish(fact::HealthChecked{.target = node, .healthy = healthy, .failures = failures});
  remove_suspects();
  check_next();
}

Membership::Watched& Membership::watched(NodeId node) {
  Watched& out = watched_[node];
  if (!out.detector) {
    const DetectorSpec* const spec = Detectors::find(options_.detector);
    CHECK_THAT(spec != nullptr);
    out.detector = spec->make(options_);
  }
  return out;
}

// Again at every check and every change, as a proposal may be refused or lost.
void Membership::remove_suspects() {
  for (const auto& [node, member] : watched_) {
    if (!member.detector->suspects()) continue;
    // Out of the configuration: its removal is in the log already.
    if (consensus_.configuration(kClusterGroup).find(node) == nullptr) continue;
    propose_removal(node);
  }
}

bool Membership::on_health_reply(Address from, const HealthReply& reply) {
  if (!leading_ || !checking_ || reply.number != check_number()) return true;
  const Member* member = cluster_.state().find(*checking_);
  if (member != nullptr && member->address != from) return true;
  env_.disarm(membership::kCheckTimer);
  // Another process at the member's address, or another life of it, is not the member.
  judge(member != nullptr && reply.ready && reply.node == member->node &&
        reply.incarnation == member->incarnation);
  return true;
}

// ---- Every node ----------------------------------------------------------------------------

bool Membership::on_health_check(Address from, const HealthCheck& check) {
  std::string reason = why_not_ready();
  const bool ready = reason.empty();
  if (published_ready_ != ready) {
    published_ready_ = ready;
    bus_.publish(fact::NodeReady{.ready = ready, .reason = reason});
  }
  const HealthReply reply{.number = check.number,
                          .node = self_,
                          .incarnation = identity_ ? identity_->incarnation : Incarnation{},
                          .ready = ready,
                          .reason = std::move(reason)};
  env_.send_message(from, Transport::datagram, reply, Purpose::membership, check.number);
  return true;
}

std::string Membership::why_not_ready() const {
  if (!identity_) return "it has no identity yet";
  if (!options_.ready_needs_map_members) return {};
  const ClusterState& state = cluster_.state();
  for (const auto& owners : state.map->owners) {
    for (const NodeId node : owners) {
      if (state.find(node) == nullptr) {
        return "the map names " + to_name(node) + ", which is no member";
      }
    }
  }
  return {};
}

}  // namespace rejoin
