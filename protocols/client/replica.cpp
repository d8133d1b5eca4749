#include "protocols/client/replica.hpp"

#include <algorithm>

#include <utility>

namespace rejoin {

Replica::Replica(Env& env, NodeId self, VersionScheme versions, const ClusterStateMachine& cluster,
                 Store& store, const Gate& gate)
    : env_(env), self_(self), versions_(versions), cluster_(cluster), store_(store), gate_(gate) {}

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
                          .version = message.record.version};
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
  const MergeRule rule =
      versions_ == VersionScheme::none ? MergeRule::overwrite : MergeRule::newest;
  const StoreWrite written =
      store_.put(partition, message.record, rule, fact::WriteCause::foreground);
  reply.accepted = true;
  answer(asker, written.seq, std::move(reply));
}

void Replica::read(Address asker, const ReplicaRead& message) {
  ReplicaReadReply reply{.id = message.id,
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
  if (const Record* record = store_.get(partition, message.key)) {
    reply.record = *record;
  }
  answer(asker, store_.sequence_of(partition, message.key), std::move(reply));
}

void Replica::direct_read(Address client, const ClientRequest& request) {
  ClientReply reply{.id = request.id,
                    .attempt = request.attempt,
                    .result = ResultKind::unavailable,
                    .value = {},
                    .observed = {},
                    .served_by = self_,
                    .leader = {}};
  if (!ready()) return answer(client, 0, std::move(reply));
  const PartitionId partition = partition_of_key(request.key);
  if (!gate_.is_open(partition)) return answer(client, 0, std::move(reply));
  reply.result = ResultKind::not_found;
  if (const Record* record = store_.get(partition, request.key)) {
    reply.observed.push_back(record->origin);
    if (!record->deleted) {
      reply.result = ResultKind::value;
      reply.value = record->value;
    }
  }
  answer(client, store_.sequence_of(partition, request.key), std::move(reply));
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
    return;
  }
  std::visit([&](const auto& message) { send_for_request(env_, to, message); }, reply);
}

}  // namespace rejoin
