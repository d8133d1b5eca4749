// What owners did not take: whom this node has not heard of, who stands in for them, and what is
// kept for them.
#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "protocols/client/coordinator_impl.hpp"

namespace rejoin {

using coordinator_detail::contains;
using coordinator_detail::is_write;
using coordinator_detail::kMissedTimer;

// ---- Who is there --------------------------------------------------------------------------

void Coordinator::Impl::heard(Address from) {
  if (coordination.hints == nullptr) return;
  unanswered.erase(from);
  coordination.hints->heard(from);
}

void Coordinator::Impl::asked(Address node) {
  if (coordination.hints != nullptr) unanswered.try_emplace(node, env.now());
}

bool Coordinator::Impl::is_silent(Address node) const {
  const auto at = unanswered.find(node);
  return at != unanswered.end() && env.now() - at->second >= options.timeout;
}

void Coordinator::Impl::follow_members() {
  fallbacks.forget();
  std::set<Address> members;
  if (unanswered.empty()) return;
  for (const auto& [node, member] : cluster.state().members) members.insert(member.address);
  std::erase_if(unanswered, [&](const auto& one) { return !members.contains(one.first); });
}

// ---- Sloppy quorums ------------------------------------------------------------------------

// Dynamo, section 4.6: the first healthy nodes of the preference list. One node stands in for one
// owner, so that as many machines hold the write as its level asks for.
bool Coordinator::Impl::stand_in(Request& request, NodeId owner, const Record& record) {
  if (!options.sloppy || coordination.hints == nullptr) return false;
  const auto usable = [&](NodeId node) {
    const Member* const member = cluster.state().find(node);
    if (member == nullptr || (node != self && is_silent(member->address))) return false;
    return std::none_of(request.fallbacks.begin(), request.fallbacks.end(),
                        [&](const auto& one) { return one.first != owner && one.second == node; });
  };
  const std::vector<NodeId> nodes = fallbacks.of(replica.partition_of_key(record.key));
  const auto known = request.fallbacks.find(owner);
  const bool goes_on =
      known != request.fallbacks.end() && contains(nodes, known->second) && usable(known->second);
  const auto chosen = goes_on ? std::find(nodes.begin(), nodes.end(), known->second)
                              : std::find_if(nodes.begin(), nodes.end(), usable);
  if (chosen == nodes.end()) return false;
  request.fallbacks[owner] = *chosen;
  const HintedWrite write{.id = request.message.id,
                          .attempt = request.message.attempt,
                          .owner = owner,
                          .record = record,
                          .version = request.version};
  if (*chosen == self) return replica.keep_hint(env.self(), write);
  const Address address = cluster.state().find(*chosen)->address;
  asked(address);
  send_for_request(env, address, write, Purpose::foreground, owner.value);
  return true;
}

void Coordinator::Impl::handle(const HintedWriteReply& reply) {
  const auto at = requests.find(reply.id.client);
  if (at == requests.end()) return;
  Request& request = at->second;
  if (request.message.id != reply.id || !is_write(request)) return;
  if (reply.version != request.version) return;
  const auto fallback = request.fallbacks.find(reply.owner);
  if (fallback == request.fallbacks.end() || fallback->second != reply.fallback) return;
  missed.held(reply.id, reply.owner, reply.version);
  if (!contains(request.owners, reply.owner) || contains(request.holders, reply.owner)) return;
  request.holders.push_back(reply.owner);
  answer_if_held(request);
}

// ---- Hints ---------------------------------------------------------------------------------

// The write was sent. Owners that are known to be away get a hint at once, the others when they
// have not answered in time. This node itself holds it, or halts.
void Coordinator::Impl::keep_track(Request& request, const Record& record) {
  HintKeeper* const hints = coordination.hints;
  if (hints == nullptr) return;
  MissedWrite write{.record = record,
                    .version = request.version,
                    .waiting = {},
                    .due = env.now() + options.timeout};
  for (const NodeId owner : request.owners) {
    if (owner == self || contains(request.holders, owner)) continue;
    const Member* const member = cluster.state().find(owner);
    const bool away = member == nullptr || is_silent(member->address);
    if (away && !request.fallbacks.contains(owner) && hints->ready()) {
      (void)hints->keep(owner, record);
    } else {
      write.waiting.push_back(owner);
    }
  }
  if (!write.waiting.empty()) missed.add(request.message.id, std::move(write));
  arm_missed();
}

// Owners that the map names no more are left out: whoever owns the partition now copied it from
// those that hold the write.
void Coordinator::Impl::keep_missed() {
  HintKeeper* const hints = coordination.hints;
  CHECK_THAT(hints != nullptr);
  while (auto due = missed.take_due(env.now())) {
    auto& [id, write] = *due;
    const PartitionMap& map = *cluster.state().map;
    const PartitionId partition = replica.partition_of_key(write.record.key);
    Request* const open = find_open(id);
    std::vector<NodeId> still;
    for (const NodeId owner : std::exchange(write.waiting, {})) {
      if (!map.owns(owner, partition)) continue;
      const bool may_stand_in = open != nullptr && open->version == write.version &&
                                !open->fallbacks.contains(owner) && !contains(open->holders, owner);
      if ((may_stand_in && stand_in(*open, owner, write.record)) || !hints->ready()) {
        still.push_back(owner);
      } else {
        (void)hints->keep(owner, write.record);
      }
    }
    if (still.empty()) continue;
    write.waiting = std::move(still);
    write.due = env.now() + options.timeout;
    missed.add(id, std::move(write));
  }
  arm_missed();
}

void Coordinator::Impl::arm_missed() {
  const std::optional<MonotonicTime> next = missed.next_due();
  if (!next) return env.disarm(kMissedTimer);
  env.arm(kMissedTimer, std::max(*next, env.now()));
}

}  // namespace rejoin
