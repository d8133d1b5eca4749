#include "protocols/client/replica.hpp"

#include <algorithm>
#include <utility>

#include "model/mutant.hpp"

namespace rejoin {

Replica::Replica(Env& env, NodeId self, const ClusterStateMachine& cluster, Store& store,
                 const Gate& gate, const Coordination& coordination)
    : env_(env),
      self_(self),
      cluster_(cluster),
      store_(store),
      gate_(gate),
      coordination_(coordination) {}

bool Replica::ready() const {
  return store_.ready() && cluster_.state().map->partition_count() != 0;
}

PartitionId Replica::partition_of_key(const Key& key) const {
  return partition_of(key, cluster_.state().map->partition_count());
}

void Replica::write(Address asker, const ReplicaWrite& message) {
  ReplicaWriteReply reply{.id = message.id,
                          .attempt = message.attempt,
                          .replica = self_,
                          .accepted = false,
                          .version = message.version};
  // Whether a restarted node owns the partition it knows only once it has a map.
  if (!ready()) return;
  const PartitionId partition = partition_of_key(message.record.key);
  // Owners that the coordinator's older map does not name would miss the write for good: their
  // repair may have asked its sources already. It writes anew when it has this map, too.
  const std::vector<NodeId>& owners = cluster_.state().map->owners_of(partition);
  const bool outdated = message.epoch < cluster_.state().map->epoch &&
                        std::any_of(owners.begin(), owners.end(), [&](NodeId owner) {
                          return std::find(message.owners.begin(), message.owners.end(), owner) ==
                                 message.owners.end();
                        });
  if (outdated || !may_serve(partition, message.epoch)) {
    return answer(asker, 0, std::move(reply));
  }
  const StoreWrite written =
      store_.put(partition, message.record, MergeRule::merge, fact::WriteCause::foreground);
  reply.accepted = true;
  answer(asker, written.seq, std::move(reply));
}

void Replica::read(Address asker, const ReplicaRead& message) {
  answer_read<ReplicaReadReply>(asker, message);
}

void Replica::read(Address asker, const RepairRead& message) {
  answer_read<RepairReadReply>(asker, message);
}

template <class Answer, class Question>
void Replica::answer_read(Address asker, const Question& message) {
  Answer reply{.id = message.id,
               .attempt = message.attempt,
               .replica = self_,
               .accepted = false,
               .record = std::nullopt};
  if (!ready()) return answer(asker, 0, std::move(reply));
  const PartitionId partition = partition_of_key(message.key);
  if (!may_serve(partition, message.epoch) || !gate_.is_open(partition)) {
    return answer(asker, 0, std::move(reply));
  }
  reply.accepted = true;
  reply.record = store_.get(partition, message.key);
  answer(asker, store_.sequence_of(partition, message.key), std::move(reply));
}

// A fenced partition takes it, too: what is merged is no older for it.
void Replica::repair(Address asker, const ReplicaRepair& message) {
  ReplicaRepairReply reply{.id = message.id,
                           .attempt = message.attempt,
                           .round = message.round,
                           .replica = self_,
                           .accepted = false};
  if (!ready()) return;
  const PartitionId partition = partition_of_key(message.record.key);
  if (!may_serve(partition, message.epoch)) return answer(asker, 0, std::move(reply));
  const StoreWrite written =
      store_.put(partition, message.record, MergeRule::merge, fact::WriteCause::repair);
  reply.accepted = true;
  answer(asker, written.seq, std::move(reply));
}

bool Replica::keep_hint(Address asker, const HintedWrite& message) {
  HintKeeper* const hints = coordination_.hints;
  const bool known = cluster_.state().highest_incarnation(message.owner) != Incarnation{};
  if (hints == nullptr || message.owner == self_ || !known) return false;
  if (!hints->ready()) return true;
  const std::optional<std::uint64_t> seq = hints->keep(message.owner, message.record);
  if (!seq) return true;
  const HintedWriteReply reply{.id = message.id,
                               .attempt = message.attempt,
                               .owner = message.owner,
                               .fallback = self_,
                               .version = message.version};
  waiting_hints_.emplace(*seq, Waiting{.to = asker, .reply = reply});
  on_hints_durable();
  return true;
}

void Replica::on_hints_durable() {
  if (coordination_.hints == nullptr) return;
  const std::uint64_t durable = coordination_.hints->durable_sequence();
  while (!waiting_hints_.empty() &&
         (waiting_hints_.begin()->first <= durable || MUTANT("sync-hint-not-durable"))) {
    const auto node = waiting_hints_.extract(waiting_hints_.begin());
    send(node.mapped().to, node.mapped().reply);
  }
}

void Replica::direct_read(Address client, const ClientRequest& request) {
  ClientReply reply;
  reply.id = request.id;
  reply.attempt = request.attempt;
  reply.result = ResultKind::unavailable;
  reply.served_by = self_;
  if (!ready()) return answer(client, 0, std::move(reply));
  const PartitionId partition = partition_of_key(request.key);
  if (!gate_.is_open(partition)) {
    if (gate_.redirects()) redirect(partition, request, reply);
    return answer(client, 0, std::move(reply));
  }
  const std::optional<Record> record = store_.get(partition, request.key);
  show(record ? &*record : nullptr, reply);
  answer(client, store_.sequence_of(partition, request.key), std::move(reply));
}

// Each try goes to another of the other owners: the first may be fenced, too.
void Replica::redirect(PartitionId partition, const ClientRequest& request,
                       ClientReply& reply) const {
  std::vector<Address> others;
  for (const NodeId owner : cluster_.state().map->owners_of(partition)) {
    const Member* const member = cluster_.state().find(owner);
    if (owner != self_ && member != nullptr) others.push_back(member->address);
  }
  if (others.empty()) return;
  reply.result = ResultKind::none;
  reply.leader = others[request.attempt % others.size()];
}

void Replica::show(const Record* record, ClientReply& reply) const {
  reply.result = ResultKind::not_found;
  if (record == nullptr) return;
  const VersionRules& rules = store_.rules();
  std::vector<Sibling> siblings = shown(rules, *record);
  if (rules.conflict->origins != nullptr) {
    reply.observed = origins_of(rules, *record);
  } else {
    for (const Sibling& each : siblings) reply.observed.push_back(each.origin);
  }
  reply.version = record->version;
  if (record->causality != nullptr) reply.context = record->causality->clock;
  for (Sibling& each : siblings) {
    if (each.deleted) continue;
    if (reply.result == ResultKind::value) {
      reply.others.push_back(std::move(each.value));
    } else {
      reply.result = ResultKind::value;
      reply.value = std::move(each.value);
    }
  }
}

void Replica::on_durable() {
  // Answering makes no new sequence, so this ends.
  while (!waiting_.empty() && waiting_.begin()->first <= store_.durable_sequence()) {
    const auto node = waiting_.extract(waiting_.begin());
    send(node.mapped().to, node.mapped().reply);
  }
}

std::vector<Replica::LocalReply> Replica::take_local() {
  return std::exchange(local_, {});
}

bool Replica::may_serve(PartitionId partition, Epoch asker_epoch) const {
  const PartitionMap& map = *cluster_.state().map;
  return map.epoch < asker_epoch || map.owns(self_, partition);
}

void Replica::answer(Address to, std::uint64_t seq, Reply reply) {
  if (seq != 0 && seq > store_.durable_sequence()) {
    waiting_.emplace(seq, Waiting{.to = to, .reply = std::move(reply)});
    return;
  }
  send(to, reply);
}

void Replica::send(Address to, const Reply& reply) {
  if (const auto* client = std::get_if<ClientReply>(&reply)) {
    return send_for_request(env_, to, *client);
  }
  if (to == env_.self()) {
    if (const auto* write = std::get_if<ReplicaWriteReply>(&reply)) local_.emplace_back(*write);
    if (const auto* read = std::get_if<ReplicaReadReply>(&reply)) local_.emplace_back(*read);
    if (const auto* repair = std::get_if<ReplicaRepairReply>(&reply)) local_.emplace_back(*repair);
    if (const auto* hint = std::get_if<HintedWriteReply>(&reply)) local_.emplace_back(*hint);
    return;
  }
  std::visit(
      [&]<class M>(const M& message) {
        if constexpr (std::is_same_v<M, ReplicaRepairReply>) {
          send_for_request(env_, to, message, Purpose::repair, message.round);
        } else if constexpr (std::is_same_v<M, RepairReadReply>) {
          send_for_request(env_, to, message, Purpose::repair);
        } else if constexpr (std::is_same_v<M, HintedWriteReply>) {
          send_for_request(env_, to, message, Purpose::foreground, message.owner.value);
        } else {
          send_for_request(env_, to, message);
        }
      },
      reply);
}

}  // namespace rejoin
