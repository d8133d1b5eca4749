#include "protocols/client/coordinator.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "model/check.hpp"
#include "protocols/client/messages.hpp"
#include "protocols/client/replica.hpp"

namespace rejoin {

REGISTER_MESSAGE(ClientRequest, Purpose::foreground);
REGISTER_MESSAGE(ClientReply, Purpose::foreground);
REGISTER_MESSAGE(LocateRequest, Purpose::foreground);
REGISTER_MESSAGE(LocateReply, Purpose::foreground);
REGISTER_MESSAGE(ReplicaWrite, Purpose::foreground);
REGISTER_MESSAGE(ReplicaWriteReply, Purpose::foreground);
REGISTER_MESSAGE(ReplicaRead, Purpose::foreground);
REGISTER_MESSAGE(ReplicaReadReply, Purpose::foreground);

namespace {

// How many of a partition's owners must answer; at least one.
std::size_t answers_needed(Consistency level, std::size_t owners) {
  switch (level) {
    case Consistency::one:
      return 1;
    case Consistency::quorum:
      return owners / 2 + 1;
    case Consistency::all:
      return std::max<std::size_t>(owners, 1);
  }
  return owners;
}

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// The latest request of one client. A client has one operation open at a time, so what comes
// before it has no one waiting any more.
struct Request {
  ClientRequest message;  // with the latest attempt
  Address client;
  bool answered = false;

  std::vector<NodeId> owners;  // of the key, by the map as of the latest attempt
  Epoch epoch;                 // of that map
  std::size_t needed = 0;

  // Of a write.
  Version version;  // assigned once: a retry is no newer than the first try
  bool written_here = false;
  bool outdated = false;        // an owner by a newer map refused it: it must be sent anew
  std::vector<NodeId> holders;  // hold it durably

  // Of a read, its latest attempt.
  std::vector<NodeId> candidates;  // owners that can be asked, in that order
  std::size_t asked = 0;
  std::vector<NodeId> refused;
  std::vector<ReplicaReadReply> answers;

  // Of a configure: the term in which it was proposed.
  std::optional<Term> proposed;
};

bool is_write(const Request& request) {
  return request.message.operation == OperationKind::write ||
         request.message.operation == OperationKind::remove;
}

}  // namespace

struct Coordinator::Impl {
  Impl(Env& machine, NodeId self_id, CoordinatorOptions options_to_use, VersionScheme scheme,
       const ClusterStateMachine& cluster_state, raft::Consensus& raft, Store& store,
       const Gate& gate_of_node)
      : env(machine, Channel::coordinator, "coordinator"),
        self(self_id),
        options(options_to_use),
        versions(scheme),
        cluster(cluster_state),
        consensus(raft),
        gate(gate_of_node),
        replica(env, self_id, scheme, cluster_state, store, gate_of_node) {}

  void handle(Address from, const ClientRequest& message);
  void locate(Address from, const LocateRequest& message);
  void start(Request& request);
  void start_write(Request& request);
  void answer_if_held(Request& request);
  void follow_map();
  void on_refused(const RequestId& id);
  void start_read(Request& request);
  void ask_next(Request& request);
  void start_configure(Request& request);
  void answer_configured();
  void handle_local_replies();
  void handle(const ReplicaWriteReply& reply);
  void handle(const ReplicaReadReply& reply);
  void on_timeout(ClientId client);
  void answer(Request& request, ResultKind result, const ReplicaReadReply* found = nullptr);
  void send_answer(Address client, const ClientRequest& message, ClientReply reply);
  void find_owners(Request& request);
  [[nodiscard]] Request* find_open(const RequestId& id);
  [[nodiscard]] const ReplicaReadReply& choose(const Request& request) const;
  [[nodiscard]] Version next_version();

  SubEnv env;
  NodeId self;
  CoordinatorOptions options;
  VersionScheme versions;
  const ClusterStateMachine& cluster;
  raft::Consensus& consensus;
  const Gate& gate;
  Replica replica;
  std::map<ClientId, Request> requests;
  std::set<ClientId> configuring;  // whose latest request was proposed here and is not applied
  WallTime last_reading{};
  WallTime last_version{};
};

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
    const bool writes =
        message.operation == OperationKind::write || message.operation == OperationKind::remove;
    if (writes && message.expires != WallTime{} && message.expires < env.wall_now()) {
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
  // Relative to the owners in the map: that some are no members now lowers no bar.
  request.needed = answers_needed(request.message.level, request.owners.size());
}

// There is no timeout: an acknowledgement that comes late is as true, and nobody but the client
// knows how long it waits. Owners that missed the write are for the sync mechanisms to repair.
void Coordinator::Impl::start_write(Request& request) {
  find_owners(request);
  request.outdated = false;
  if (versions == VersionScheme::timestamp && request.version == Version{}) {
    request.version = next_version();
  }
  const bool removes = request.message.operation == OperationKind::remove;
  const ReplicaWrite write{.id = request.message.id,
                           .attempt = request.message.attempt,
                           .epoch = request.epoch,
                           .record = {.key = request.message.key,
                                      .value = removes ? Value{} : request.message.value,
                                      .deleted = removes,
                                      .version = request.version,
                                      .origin = request.message.id},
                           .owners = request.owners};
  for (const NodeId owner : request.owners) {
    const Member* const member = cluster.state().find(owner);
    if (member == nullptr || contains(request.holders, owner)) continue;
    if (owner != self) {
      send_for_request(env, member->address, write);
    } else if (!std::exchange(request.written_here, true)) {
      replica.write(env.self(), write);
    }
  }
  answer_if_held(request);  // a newer map may ask for less than an earlier attempt had
}

// A new map: open writes go to the owners that it names, too. Acknowledged ones are sent again only
// when an owner has just refused them: else others may have overwritten them by now.
void Coordinator::Impl::follow_map() {
  if (!replica.ready()) return;
  for (auto& [client, request] : requests) {
    const bool newer = request.epoch < cluster.state().map->epoch;
    if (newer && is_write(request) && (!request.answered || request.outdated)) {
      start_write(request);
    }
  }
}

void Coordinator::Impl::answer_if_held(Request& request) {
  // Those that held it by an earlier attempt's map may be no owners any more.
  const auto held = std::count_if(request.holders.begin(), request.holders.end(),
                                  [&](NodeId node) { return contains(request.owners, node); });
  if (request.answered || static_cast<std::size_t>(held) < request.needed) return;
  answer(request, ResultKind::ok);
}

void Coordinator::Impl::start_read(Request& request) {
  find_owners(request);
  request.answered = false;
  request.asked = 0;
  request.candidates.clear();
  request.refused.clear();
  request.answers.clear();
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
  if (member != nullptr) send_for_request(env, member->address, read);
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

// ---- Answers of replicas -------------------------------------------------------------------

Request* Coordinator::Impl::find_open(const RequestId& id) {
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

void Coordinator::Impl::handle(const ReplicaWriteReply& reply) {
  if (!reply.accepted) return on_refused(reply.id);
  Request* const request = find_open(reply.id);
  if (request == nullptr || !is_write(*request)) return;
  // A coordinator that restarted gave the retry another version: only that one counts.
  if (reply.version != request->version) return;
  if (!contains(request->owners, reply.replica) || contains(request->holders, reply.replica)) {
    return;
  }
  request->holders.push_back(reply.replica);
  answer_if_held(*request);
}

// The replica has a newer map; this node has it by now, or soon.
void Coordinator::Impl::on_refused(const RequestId& id) {
  const auto at = requests.find(id.client);
  if (at == requests.end() || at->second.message.id != id || !is_write(at->second)) return;
  at->second.outdated = true;
  follow_map();
}

void Coordinator::Impl::handle(const ReplicaReadReply& reply) {
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
    const ReplicaReadReply& found = choose(*request);
    const bool absent = !found.record || found.record->deleted;
    return answer(*request, absent ? ResultKind::not_found : ResultKind::value, &found);
  }
  request->refused.push_back(reply.replica);
  if (request->candidates.size() - request->refused.size() < request->needed) {
    return answer(*request, ResultKind::unavailable);
  }
  // Level one: the next, if nobody else is being asked already.
  const std::size_t silent = request->asked - request->refused.size();
  if (silent == 0 && request->asked < request->candidates.size()) ask_next(*request);
}

// The newest of the answers; without versions the own one, else that of the first owner.
const ReplicaReadReply& Coordinator::Impl::choose(const Request& request) const {
  const ReplicaReadReply* best = nullptr;
  for (const NodeId node : request.candidates) {  // the own first, then in order of the map
    for (const ReplicaReadReply& reply : request.answers) {
      if (reply.replica != node) continue;
      const bool newer = versions == VersionScheme::timestamp && best != nullptr && reply.record &&
                         (!best->record || best->record->version < reply.record->version);
      if (best == nullptr || newer) best = &reply;
    }
  }
  CHECK_THAT(best != nullptr);
  return *best;
}

void Coordinator::Impl::on_timeout(ClientId client) {
  const auto at = requests.find(client);
  if (at == requests.end() || at->second.answered) return;
  Request& request = at->second;
  if (request.message.operation != OperationKind::read) return;
  if (request.asked < request.candidates.size()) return ask_next(request);
  answer(request, ResultKind::unavailable);
}

void Coordinator::Impl::answer(Request& request, ResultKind result, const ReplicaReadReply* found) {
  request.answered = true;
  ClientReply reply;
  reply.result = result;
  if (found != nullptr && found->record) {
    reply.observed.push_back(found->record->origin);
    if (!found->record->deleted) reply.value = found->record->value;
  }
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

void Coordinator::Impl::send_answer(Address client, const ClientRequest& message,
                                    ClientReply reply) {
  reply.id = message.id;
  reply.attempt = message.attempt;
  reply.served_by = self;
  send_for_request(env, client, reply);
}

// Two writes at one reading of the clock are told apart. A clock that is set back is not
// corrected: that its writes then lose is what timestamps mean.
Version Coordinator::Impl::next_version() {
  const WallTime reading = env.wall_now();
  const bool set_back = reading < last_reading;
  last_version = set_back ? reading : std::max(reading, last_version + Duration(1));
  last_reading = reading;
  return {.timestamp = last_version, .writer = self};
}

// ---- The component -------------------------------------------------------------------------

Coordinator::Coordinator(Env& machine, NodeBus& /*bus*/, NodeId self, CoordinatorOptions options,
                         VersionScheme versions, const ClusterStateMachine& cluster,
                         raft::Consensus& consensus, Store& store, const Gate& gate)
    : impl_(std::make_unique<Impl>(machine, self, options, versions, cluster, consensus, store,
                                   gate)) {}
Coordinator::~Coordinator() = default;

void Coordinator::start() {}

namespace {

bool well_formed(const ClientRequest& message) {
  return !message.id.is_none() && message.operation <= OperationKind::configure &&
         message.level <= Consistency::all &&
         (!message.direct || message.operation == OperationKind::read);
}

}  // namespace

bool Coordinator::on_message(Address from, MessageKind kind, ByteView body) {
  if (kind == ClientRequest::kind) {
    const auto message = decode<ClientRequest>(body);
    if (!message || !is_client(from) || !well_formed(*message)) return false;
    impl_->handle(from, *message);
  } else if (kind == LocateRequest::kind) {
    const auto message = decode<LocateRequest>(body);
    if (!message || !is_client(from)) return false;
    impl_->locate(from, *message);
  } else if (is_client(from)) {
    return false;
  } else if (kind == ReplicaWrite::kind) {
    const auto message = decode<ReplicaWrite>(body);
    if (!message || message->id.is_none()) return false;
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
    if (!message) return false;
    impl_->handle(*message);
  } else {
    return false;
  }
  impl_->handle_local_replies();
  return true;
}

void Coordinator::on_timer(TimerId timer) {
  impl_->on_timeout(ClientId(static_cast<std::uint32_t>(timer.value)));
  impl_->handle_local_replies();
}

// Its files are the store's.
void Coordinator::on_io(const IoDone& /*done*/) {}

void Coordinator::on_local(const LocalEvent& event) {
  if (std::holds_alternative<local::StoreDurable>(event)) impl_->replica.on_durable();
  if (const auto* changed = std::get_if<local::ClusterChanged>(&event)) {
    if (changed->old_map != nullptr) impl_->follow_map();
  }
  impl_->answer_configured();
  impl_->handle_local_replies();
}

}  // namespace rejoin
