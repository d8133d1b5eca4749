#include "protocols/client/coordinator.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "protocols/client/coordinator_impl.hpp"

namespace rejoin {

REGISTER_MESSAGE(ClientRequest, Purpose::foreground);
REGISTER_MESSAGE(ClientReply, Purpose::foreground);
REGISTER_MESSAGE(LocateRequest, Purpose::foreground);
REGISTER_MESSAGE(LocateReply, Purpose::foreground);
REGISTER_MESSAGE(MapRequest, Purpose::foreground);
REGISTER_MESSAGE(MapReply, Purpose::foreground);
REGISTER_MESSAGE(MapNotice, Purpose::foreground);
REGISTER_MESSAGE(ReplicaWrite, Purpose::foreground);
REGISTER_MESSAGE(ReplicaWriteReply, Purpose::foreground);
REGISTER_MESSAGE(ReplicaRead, Purpose::foreground);
REGISTER_MESSAGE(ReplicaReadReply, Purpose::foreground);
REGISTER_MESSAGE(ReplicaRepair, Purpose::repair);
REGISTER_MESSAGE(ReplicaRepairReply, Purpose::repair);
REGISTER_MESSAGE(RepairRead, Purpose::repair);
REGISTER_MESSAGE(RepairReadReply, Purpose::repair);
REGISTER_MESSAGE(HintedWrite, Purpose::foreground);
REGISTER_MESSAGE(HintedWriteReply, Purpose::foreground);

using coordinator_detail::contains;
using coordinator_detail::is_write;

// ---- Requests ------------------------------------------------------------------------------

void Coordinator::Impl::handle(Address from, const ClientRequest& message) {
  if (message.direct) return replica.direct_read(from, message);
  const bool configures = message.operation == OperationKind::configure;
  if (!configures && !replica.ready()) {
    // A write is left unanswered: the client tries elsewhere, and nothing has happened here.
    if (message.operation == OperationKind::read) {
      ClientReply reply;
      reply.result = ResultKind::unavailable;
      send_answer(from, message, std::move(reply));
    }
    return;
  }
  const auto [at, fresh] = requests.try_emplace(message.id.client);
  Request& request = at->second;
  if (!fresh && message.id.n < request.message.id.n) return;  // late: its client has gone on
  if (fresh || message.id.n > request.message.id.n) {
    // The client has asked elsewhere since, may have its acknowledgement, and may have written
    // again: a version that is given only now would be newer than what came after this write.
    if (changes_key(message.operation) && message.expires != WallTime{} &&
        message.expires < env.wall_now()) {
      if (fresh) requests.erase(at);
      return;
    }
    request = Request();
    request.message = message;
    request.client = from;
    configuring.erase(message.id.client);
    env.disarm(TimerId(message.id.client.value));
    return start(request);
  }
  if (message.attempt < request.message.attempt) return;
  const bool again = message.attempt > request.message.attempt;
  request.message.attempt = message.attempt;
  request.client = from;
  if (request.answered && message.operation != OperationKind::read) {
    return answer(request, ResultKind::ok);  // the answer was lost, the effect was not
  }
  if (again) start(request);
}

void Coordinator::Impl::start(Request& request) {
  switch (request.message.operation) {
    case OperationKind::write:
    case OperationKind::remove:
    case OperationKind::increment:
    case OperationKind::add:
    case OperationKind::discard:
      return start_write(request);
    case OperationKind::read:
      return start_read(request);
    case OperationKind::configure:
      return start_configure(request);
  }
}

void Coordinator::Impl::find_owners(Request& request) {
  const PartitionMap& map = *cluster.state().map;
  request.owners = map.owners_of(replica.partition_of_key(request.message.key));
  request.epoch = map.epoch;
  // Of the copies asked for, not of the owners in the map: those are fewer where members are, and a
  // coordinator that was removed and has not heard of it still counts all.
  request.needed = replicas_needed(request.message.level, replication);
}

void Coordinator::Impl::start_configure(Request& request) {
  const RequestId id = request.message.id;
  const auto& sessions = cluster.state().sessions;
  const auto session = sessions.find(id.client);
  if (session != sessions.end() && session->second >= id.n) {
    // Took effect already. A later one of this client has, too: nobody waits for this answer.
    if (session->second == id.n) answer(request, ResultKind::ok);
    return;
  }
  const Term term = consensus.term(kClusterGroup);
  // Under way; whatever its fate, a second copy in the log would not change it.
  if (request.proposed == term && consensus.leads(kClusterGroup)) return;
  const ClusterCommand command = command::ChangeSetting{
      .request = id, .name = request.message.key, .value = request.message.value};
  if (consensus.propose(kClusterGroup, encode(command)).index) {
    request.proposed = term;
    configuring.insert(id.client);
    return;
  }
  const std::optional<raft::Server> leader = consensus.leader(kClusterGroup);
  if (!leader || leader->node == self) return;  // nobody to name: the client tries elsewhere
  ClientReply reply;
  reply.leader = leader->address;
  send_answer(request.client, request.message, std::move(reply));
}

void Coordinator::Impl::answer_configured() {
  const auto& sessions = cluster.state().sessions;
  for (auto at = configuring.begin(); at != configuring.end();) {
    Request& request = requests.at(*at);
    const auto session = sessions.find(*at);
    if (session != sessions.end() && session->second >= request.message.id.n) {
      at = configuring.erase(at);
      if (session->second == request.message.id.n) answer(request, ResultKind::ok);
    } else {
      ++at;
    }
  }
}

coordinator_detail::Request* Coordinator::Impl::find_open(const RequestId& id) {
  const auto at = requests.find(id.client);
  if (at == requests.end() || at->second.message.id != id || at->second.answered) return nullptr;
  return &at->second;
}

void Coordinator::Impl::handle_local_replies() {
  // A local answer may make the coordinator ask the next candidate, which is another node.
  for (const Replica::LocalReply& reply : replica.take_local()) {
    std::visit([this](const auto& message) { handle(message); }, reply);
  }
}

void Coordinator::Impl::answer(Request& request, ResultKind result) {
  request.answered = true;
  ClientReply reply;
  reply.result = result;
  reply.version = request.version;
  if (request.message.operation == OperationKind::read) {
    env.disarm(TimerId(request.message.id.client.value));
  }
  configuring.erase(request.message.id.client);
  send_answer(request.client, request.message, std::move(reply));
}

void Coordinator::Impl::locate(Address from, const LocateRequest& message) {
  const Member* const member = cluster.state().find(message.node);
  if (member == nullptr) return;
  env.send_message(from, Transport::datagram,
                   LocateReply{.node = message.node, .address = member->address},
                   Purpose::foreground, mix(from.value, message.node.value));
}

namespace {

// Of one node. Those beyond find out when they ask again.
constexpr std::size_t kWatchersMax = 10'000;

}  // namespace

void Coordinator::Impl::show_map(Address from, const MapRequest& message) {
  if (!replica.ready()) return;  // the client asks elsewhere
  if (map_watchers.size() < kWatchersMax) map_watchers.insert(from);
  send_by_size(env, from, MapReply{.number = message.number, .map = *cluster.state().map},
               Purpose::foreground, mix(from.value, MapReply::kind.value),
               static_cast<std::uint32_t>(message.number));
}

// Once each, as a watch of ZooKeeper's: whoever asks for the map watches again.
void Coordinator::Impl::notify_watchers() {
  const Epoch epoch = cluster.state().map->epoch;
  for (const Address client : std::exchange(map_watchers, {})) {
    env.send_message(client, Transport::datagram, MapNotice{.epoch = epoch}, Purpose::foreground,
                     mix(client.value, epoch.value));
  }
}

void Coordinator::Impl::send_answer(Address client, const ClientRequest& message,
                                    ClientReply reply) {
  reply.id = message.id;
  reply.attempt = message.attempt;
  reply.served_by = self;
  send_for_request(env, client, reply);
}

// ---- The component -------------------------------------------------------------------------

Coordinator::Coordinator(Env& machine, NodeBus& /*bus*/, NodeId self, CoordinatorOptions options,
                         const ClusterStateMachine& cluster, raft::Consensus& consensus,
                         Store& store, const Gate& gate, const Coordination& coordination,
                         const PartitioningOptions& partitioning)
    : impl_(std::make_unique<Impl>(machine, self, options, cluster, consensus, store, gate,
                                   coordination, partitioning)) {}
Coordinator::~Coordinator() = default;

void Coordinator::start() {}

namespace {

bool well_formed(const ClientRequest& message) {
  return !message.id.is_none() && message.operation <= kLastOperationKind &&
         message.context.well_formed() && message.level <= kLastConsistency &&
         (!message.direct || message.operation == OperationKind::read);
}

}  // namespace

bool Coordinator::on_message(Address from, MessageKind kind, ByteView body) {
  if (!is_client(from)) impl_->heard(from);
  if (kind == ClientRequest::kind) {
    const auto message = decode<ClientRequest>(body);
    if (!message || !is_client(from) || !well_formed(*message)) return false;
    impl_->handle(from, *message);
  } else if (kind == LocateRequest::kind) {
    const auto message = decode<LocateRequest>(body);
    if (!message || !is_client(from)) return false;
    impl_->locate(from, *message);
  } else if (kind == MapRequest::kind) {
    const auto message = decode<MapRequest>(body);
    if (!message || !is_client(from) || message->number == 0) return false;
    impl_->show_map(from, *message);
  } else if (is_client(from)) {
    return false;
  } else if (kind == ReplicaWrite::kind) {
    const auto message = decode<ReplicaWrite>(body);
    if (!message || message->id.is_none()) return false;
    if (!impl_->replica.takes(message->record)) return false;
    impl_->replica.write(from, *message);
  } else if (kind == ReplicaRead::kind) {
    const auto message = decode<ReplicaRead>(body);
    if (!message || message->id.is_none()) return false;
    impl_->replica.read(from, *message);
  } else if (kind == ReplicaWriteReply::kind) {
    const auto message = decode<ReplicaWriteReply>(body);
    if (!message) return false;
    impl_->handle(*message);
  } else if (kind == ReplicaReadReply::kind) {
    const auto message = decode<ReplicaReadReply>(body);
    if (!message || (message->record && !impl_->replica.takes(*message->record))) return false;
    impl_->handle(*message);
  } else if (!impl_->take_for_mechanisms(from, kind, body)) {
    return false;
  }
  impl_->handle_local_replies();
  return true;
}

bool Coordinator::Impl::take_for_mechanisms(Address from, MessageKind kind, ByteView body) {
  if (kind == ReplicaRepair::kind) {
    const auto message = decode<ReplicaRepair>(body);
    if (!message || message->id.is_none() || !replica.takes(message->record)) return false;
    replica.repair(from, *message);
  } else if (kind == RepairRead::kind) {
    const auto message = decode<RepairRead>(body);
    if (!message || message->id.is_none()) return false;
    replica.read(from, *message);
  } else if (kind == HintedWrite::kind) {
    const auto message = decode<HintedWrite>(body);
    if (!message || message->id.is_none() || !replica.takes(message->record)) return false;
    return replica.keep_hint(from, *message);
  } else if (kind == ReplicaRepairReply::kind) {
    const auto message = decode<ReplicaRepairReply>(body);
    if (!message) return false;
    handle(*message);
  } else if (kind == RepairReadReply::kind) {
    const auto message = decode<RepairReadReply>(body);
    if (!message || (message->record && !replica.takes(*message->record))) return false;
    handle(*message);
  } else if (kind == HintedWriteReply::kind) {
    const auto message = decode<HintedWriteReply>(body);
    if (!message) return false;
    handle(*message);
  } else {
    return false;
  }
  return true;
}

void Coordinator::on_timer(TimerId timer) {
  if (timer == coordinator_detail::kMissedTimer) {
    impl_->keep_missed();
    return impl_->handle_local_replies();
  }
  if (timer == coordinator_detail::kRepairTimer) return impl_->end_repairs();
  impl_->on_timeout(ClientId(static_cast<std::uint32_t>(timer.value)));
  impl_->handle_local_replies();
}

// Its files are the store's.
void Coordinator::on_io(const IoDone& /*done*/) {}

void Coordinator::on_local(const LocalEvent& event) {
  if (std::holds_alternative<local::StoreDurable>(event)) impl_->on_durable();
  if (std::holds_alternative<local::HintsDurable>(event)) impl_->replica.on_hints_durable();
  if (const auto* changed = std::get_if<local::ClusterChanged>(&event)) {
    impl_->follow_members();
    if (changed->old_map != nullptr) {
      impl_->follow_map();
      impl_->notify_watchers();
    }
  }
  impl_->answer_configured();
  impl_->handle_local_replies();
}

}  // namespace rejoin
