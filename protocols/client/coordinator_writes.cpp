// Writes: their versions, the owners that take them, and when they are acknowledged.
#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/mutant.hpp"
#include "protocols/client/coordinator_impl.hpp"

namespace rejoin {

using coordinator_detail::contains;
using coordinator_detail::is_write;

// There is no timeout: an acknowledgement that comes late is as true, and nobody but the client
// knows how long it waits. Owners that missed the write are for the sync mechanisms to repair.
void Coordinator::Impl::start_write(Request& request) {
  find_owners(request);
  request.outdated = false;
  if (rules.scheme != VersionScheme::none && request.version == Version{}) {
    request.version = next_version(request.message.seen);
  }
  if (tracks_causality(rules.scheme) && !make(request)) return;
  replicate(request);
}

// Who counts the write: this store, in this life of it.
Actor Coordinator::Impl::writer_of(const Request& request) const {
  if (MUTANT("versions-actor-explosion")) return actor_of(request.message.id.client);
  return actor_of(self, store.life());
}

// Where versions track causality a write is made by an owner: it alone knows how far it has counted
// its writes of the key. False when it is not made here, or not durable yet.
bool Coordinator::Impl::make(Request& request) {
  if (!request.made) {
    if (!contains(request.owners, self)) {
      send_on(request);
      return false;
    }
    const Key& key = request.message.key;
    const bool removes = request.message.operation == OperationKind::remove;
    const PartitionId partition = replica.partition_of_key(key);
    const StoreWrite written = store.update(partition, key,
                                            {.value = removes ? Value{} : request.message.value,
                                             .deleted = removes,
                                             .version = request.version,
                                             .origin = request.message.id,
                                             .context = request.message.context},
                                            writer_of(request));
    request.made_seq = written.seq;
    request.made = store.get(partition, key);
    CHECK_THAT(request.made.has_value());
  }
  const bool durable = store.durable_sequence() >= request.made_seq;
  if (!durable && !MUTANT("versions-dot-not-synced")) return false;
  if (!std::exchange(request.written_here, true)) request.holders.push_back(self);
  return true;
}

// To an owner; each try to another, as the first may be down.
void Coordinator::Impl::send_on(const Request& request) {
  std::vector<Address> owners;
  for (const NodeId owner : request.owners) {
    const Member* const member = cluster.state().find(owner);
    if (member != nullptr) owners.push_back(member->address);
  }
  if (owners.empty()) return;  // the client tries elsewhere
  ClientReply reply;
  reply.leader = owners[request.message.attempt % owners.size()];
  send_answer(request.client, request.message, std::move(reply));
}

void Coordinator::Impl::replicate(Request& request) {
  request.replicated = true;
  const bool removes = request.message.operation == OperationKind::remove;
  ReplicaWrite write{.id = request.message.id,
                     .attempt = request.message.attempt,
                     .epoch = request.epoch,
                     .record = {},
                     .owners = request.owners,
                     .version = request.version};
  write.record = request.made ? *request.made
                              : Record{.key = request.message.key,
                                       .value = removes ? Value{} : request.message.value,
                                       .deleted = removes,
                                       .version = request.version,
                                       .origin = request.message.id,
                                       .causality = nullptr};
  for (const NodeId owner : request.owners) {
    const Member* const member = cluster.state().find(owner);
    if (contains(request.holders, owner)) continue;
    const bool down = member == nullptr || (owner != self && is_silent(member->address));
    if (down) stand_in(request, owner, write.record);
    if (member == nullptr) continue;
    if (owner != self) {
      asked(member->address);
      send_for_request(env, member->address, write);
    } else if (!std::exchange(request.written_here, true)) {
      replica.write(env.self(), write);
    }
  }
  keep_track(request, write.record);
  answer_if_held(request);  // a newer map may ask for less than an earlier attempt had
}

void Coordinator::Impl::on_durable() {
  replica.on_durable();
  if (!tracks_causality(rules.scheme)) return;
  for (auto& [client, request] : requests) {
    if (request.made && !request.replicated && make(request)) replicate(request);
  }
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

void Coordinator::Impl::handle(const ReplicaWriteReply& reply) {
  if (!reply.accepted) return on_refused(reply.id);
  missed.held(reply.id, reply.replica, reply.version);
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

// Two writes at one reading of the clock are told apart. A wall clock that is set back is not
// corrected: that its writes then lose is what timestamps mean. A hybrid clock goes on from the
// greatest version that this node or the client has met (Kulkarni et al. 2014, figure 5).
Version Coordinator::Impl::next_version(const Version& seen) {
  const WallTime reading = env.wall_now();
  Version next{.timestamp = reading, .writer = self};
  if (rules.scheme == VersionScheme::timestamp) {
    const bool set_back = reading < last_reading;
    if (!set_back) next.timestamp = std::max(reading, last_version.timestamp + Duration(1));
  } else {
    const Version known = MUTANT("versions-hlc-not-merged")
                              ? last_version
                              : std::max({last_version, store.newest(), seen});
    if (known.timestamp >= reading) {
      next.timestamp = known.timestamp;
      next.logical = known.logical + 1;
    }
  }
  last_version = next;
  last_reading = reading;
  return next;
}

}  // namespace rejoin
