// Read repair: the answers to a read are compared, and replicas that differ are given what all of
// them come to.
#include <algorithm>
#include <utility>

#include "model/mutant.hpp"
#include "protocols/client/coordinator_impl.hpp"

namespace rejoin {

using coordinator_detail::contains;
using coordinator_detail::kRepairTimer;

namespace {

// Reads that are being compared. One that comes when there are so many is answered and not mended,
// unless its client waits for that: then it has no more than one.
constexpr std::size_t kRepairsMax = 10'000;

}  // namespace

bool Coordinator::Impl::repairs(const Request& request) {
  const std::optional<ReadRepair>& wanted = coordination.read_repair;
  if (!wanted || rules.scheme == VersionScheme::none) return false;
  if (!wanted->blocking && repairs_under_way.size() >= kRepairsMax) return false;
  const RequestId id = request.message.id;
  return chance(env.random("read repair", mix(id.client.value, id.n), request.message.attempt),
                wanted->probability);
}

// As many have answered as the level asks for.
void Coordinator::Impl::finish_read(Request& request, const std::optional<Record>& found) {
  if (!repairs(request)) return answer_read(request, found);
  const RequestId id = request.message.id;
  const auto asked_end = request.candidates.begin() + static_cast<std::ptrdiff_t>(request.asked);
  RepairedRead& read = repairs_under_way[id];
  read = {.id = id,
          .attempt = request.message.attempt,
          .epoch = request.epoch,
          .shown = found,
          .merged = found,
          .needed = request.needed,
          .until = env.now() + options.timeout,
          .asked = {request.candidates.begin(), asked_end},
          .answered = {},
          .current = {},
          .mending = {},
          .held = {}};
  for (const NodeId node : request.refused) std::erase(read.asked, node);
  repairs_end.emplace(read.until, id);
  arm_repairs();
  for (const ReplicaReadReply& answer : request.answers) {
    compare(read, answer.replica, answer.record);
  }
  read.waiting = true;
  if (coordination.read_repair->blocking && !MUTANT("sync-repair-not-awaited")) {
    env.arm(TimerId(id.client.value), read.until);
    tell_if_held(read);
  } else {
    read.waiting = false;
    answer_read(request, found);
  }
  if (coordination.read_repair->background) ask_the_others(request, read);
  drop_if_done(id);
}

// Level one asks a single replica.
void Coordinator::Impl::ask_the_others(Request& request, RepairedRead& read) {
  for (; request.asked < request.candidates.size(); ++request.asked) {
    const NodeId node = request.candidates[request.asked];
    const Member* const member = cluster.state().find(node);
    if (member == nullptr || node == self) continue;
    read.asked.push_back(node);
    asked(member->address);
    send_for_request(env, member->address,
                     RepairRead{.id = read.id,
                                .attempt = read.attempt,
                                .epoch = read.epoch,
                                .key = request.message.key},
                     Purpose::repair);
  }
}

RepairedRead* Coordinator::Impl::find_repair(const RequestId& id, std::uint32_t attempt) {
  const auto at = repairs_under_way.find(id);
  if (at == repairs_under_way.end() || at->second.attempt != attempt) return nullptr;
  return &at->second;
}

void Coordinator::Impl::compare(RepairedRead& read, NodeId node,
                                const std::optional<Record>& record) {
  if (std::erase(read.asked, node) == 0) return;
  if (record) {
    Merged merged = merge(rules, read.merged ? &*read.merged : nullptr, *record);
    if (merged.changed) {
      read.merged = std::move(merged.record);
      ++read.round;
      read.current.clear();
      read.mending.clear();
      for (const NodeId other : read.answered) mend(read, other);
    }
  }
  read.answered.push_back(node);
  if (record != read.merged) return mend(read, node);
  read.current.push_back(node);
  read.held.push_back(node);
  tell_if_held(read);
}

void Coordinator::Impl::mend(RepairedRead& read, NodeId node) {
  if (coordination.read_repair->local && node != self) return;
  const Member* const member = cluster.state().find(node);
  if (member == nullptr) return;
  read.mending.push_back(node);
  const ReplicaRepair repair{.id = read.id,
                             .attempt = read.attempt,
                             .round = read.round,
                             .epoch = read.epoch,
                             .record = *read.merged};
  if (node == self) return replica.repair(env.self(), repair);
  send_for_request(env, member->address, repair, Purpose::repair, read.round);
}

void Coordinator::Impl::handle(const RepairReadReply& reply) {
  RepairedRead* const read = find_repair(reply.id, reply.attempt);
  if (read == nullptr) return;
  if (reply.accepted) {
    compare(*read, reply.replica, reply.record);
  } else {
    std::erase(read->asked, reply.replica);
  }
  drop_if_done(reply.id);
}

void Coordinator::Impl::handle(const ReplicaRepairReply& reply) {
  RepairedRead* const read = find_repair(reply.id, reply.attempt);
  if (read == nullptr || !contains(read->mending, reply.replica)) return;
  // Every round brings at least what the client is shown.
  if (reply.accepted && !contains(read->held, reply.replica)) read->held.push_back(reply.replica);
  if (reply.round == read->round) {
    std::erase(read->mending, reply.replica);
    if (reply.accepted) read->current.push_back(reply.replica);
  }
  tell_if_held(*read);
  drop_if_done(reply.id);
}

void Coordinator::Impl::tell_if_held(RepairedRead& read) {
  if (!read.waiting) return;
  const bool held = coordination.read_repair->local ? !contains(read.mending, self)
                                                    : read.held.size() >= read.needed;
  if (!held) return;
  read.waiting = false;
  Request* const request = find_open(read.id);
  if (request != nullptr && request->message.attempt == read.attempt) {
    answer_read(*request, read.shown);
  }
}

void Coordinator::Impl::drop_if_done(const RequestId& id) {
  const auto at = repairs_under_way.find(id);
  if (at == repairs_under_way.end()) return;
  const RepairedRead& read = at->second;
  if (!read.waiting && read.asked.empty() && read.mending.empty()) forget_repair(id);
}

void Coordinator::Impl::forget_repair(const RequestId& id) {
  const auto at = repairs_under_way.find(id);
  if (at == repairs_under_way.end()) return;
  repairs_end.erase({at->second.until, id});
  repairs_under_way.erase(at);
  arm_repairs();
}

// What has not answered by now is for other mechanisms. A client that waits is told by its own
// timer.
void Coordinator::Impl::end_repairs() {
  while (!repairs_end.empty() && repairs_end.begin()->first <= env.now()) {
    const RequestId id = repairs_end.begin()->second;
    repairs_end.erase(repairs_end.begin());
    repairs_under_way.erase(id);
  }
  arm_repairs();
}

void Coordinator::Impl::arm_repairs() {
  if (repairs_end.empty()) return env.disarm(kRepairTimer);
  env.arm(kRepairTimer, repairs_end.begin()->first);
}

}  // namespace rejoin
