// Reads: which owners are asked, and what their answers come to.
#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "protocols/client/coordinator_impl.hpp"

namespace rejoin {

using coordinator_detail::contains;

void Coordinator::Impl::start_read(Request& request) {
  find_owners(request);
  request.answered = false;
  request.asked = 0;
  request.candidates.clear();
  request.refused.clear();
  request.answers.clear();
  forget_repair(request.message.id);
  const PartitionId partition = replica.partition_of_key(request.message.key);
  for (const NodeId owner : request.owners) {
    if (cluster.state().find(owner) == nullptr) continue;
    if (owner == self) {
      // The nearest replica.
      if (gate.is_open(partition)) request.candidates.insert(request.candidates.begin(), self);
    } else {
      request.candidates.push_back(owner);
    }
  }
  if (request.candidates.size() < request.needed) {
    return answer(request, ResultKind::unavailable);
  }
  // One: the others are asked only when this one is silent or refuses.
  const std::size_t at_once =
      request.message.level == Consistency::one ? 1 : request.candidates.size();
  while (request.asked < at_once) ask_next(request);
}

void Coordinator::Impl::ask_next(Request& request) {
  const NodeId node = request.candidates[request.asked++];
  const auto tries = static_cast<std::int64_t>(
      request.message.level == Consistency::one ? request.candidates.size() : 1);
  env.arm(TimerId(request.message.id.client.value), env.now() + options.timeout / tries);
  const ReplicaRead read{.id = request.message.id,
                         .attempt = request.message.attempt,
                         .epoch = request.epoch,
                         .key = request.message.key};
  if (node == self) return replica.read(env.self(), read);
  // A member when the read began; it may have been removed since, and then cannot be reached.
  const Member* const member = cluster.state().find(node);
  if (member == nullptr) return;
  asked(member->address);
  send_for_request(env, member->address, read);
}

void Coordinator::Impl::handle(const ReplicaReadReply& reply) {
  if (RepairedRead* const read = find_repair(reply.id, reply.attempt)) {
    // Its client need not wait for this one.
    if (reply.accepted) {
      compare(*read, reply.replica, reply.record);
    } else {
      std::erase(read->asked, reply.replica);
    }
    return drop_if_done(reply.id);
  }
  Request* const request = find_open(reply.id);
  if (request == nullptr || request->message.operation != OperationKind::read) return;
  if (reply.attempt != request->message.attempt) return;
  const auto asked_end = request->candidates.begin() + static_cast<std::ptrdiff_t>(request->asked);
  if (std::find(request->candidates.begin(), asked_end, reply.replica) == asked_end) return;
  const bool answered_before =
      std::any_of(request->answers.begin(), request->answers.end(),
                  [&](const ReplicaReadReply& other) { return other.replica == reply.replica; });
  if (answered_before || contains(request->refused, reply.replica)) return;

  if (reply.accepted) {
    request->answers.push_back(reply);
    if (request->answers.size() < request->needed) return;
    return finish_read(*request, choose(*request));
  }
  request->refused.push_back(reply.replica);
  if (request->candidates.size() - request->refused.size() < request->needed) {
    return answer(*request, ResultKind::unavailable);
  }
  // Level one: the next, if nobody else is being asked already.
  const std::size_t silent = request->asked - request->refused.size();
  if (silent == 0 && request->asked < request->candidates.size()) ask_next(*request);
}

// What the answers come to; without versions the own one, else that of the first owner.
std::optional<Record> Coordinator::Impl::choose(const Request& request) const {
  std::optional<Record> found;
  bool any = false;
  for (const NodeId node : request.candidates) {  // the own first, then in order of the map
    for (const ReplicaReadReply& reply : request.answers) {
      if (reply.replica != node ||
          (any && rules.scheme == VersionScheme::none && rules.conflict->join == nullptr)) {
        continue;
      }
      any = true;
      if (reply.record) found = merge(rules, found ? &*found : nullptr, *reply.record).record;
    }
  }
  CHECK_THAT(any);
  return found;
}

void Coordinator::Impl::on_timeout(ClientId client) {
  const auto at = requests.find(client);
  if (at == requests.end() || at->second.answered) return;
  Request& request = at->second;
  if (request.message.operation != OperationKind::read) return;
  if (request.asked < request.candidates.size()) return ask_next(request);
  answer(request, ResultKind::unavailable);
}

void Coordinator::Impl::answer_read(Request& request, const std::optional<Record>& found) {
  request.answered = true;
  env.disarm(TimerId(request.message.id.client.value));
  ClientReply reply;
  replica.show(found ? &*found : nullptr, reply);
  send_answer(request.client, request.message, std::move(reply));
}

}  // namespace rejoin
