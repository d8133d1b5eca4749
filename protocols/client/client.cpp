#include "protocols/client/client.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "model/check.hpp"
#include "protocols/client/map_cache.hpp"
#include "protocols/client/messages.hpp"
#include "protocols/versions/conflict.hpp"

namespace rejoin {

namespace {

constexpr TimerId timer(std::uint64_t number) {
  return TimerId(static_cast<std::uint64_t>(Channel::client) << 56U | number);
}
constexpr TimerId kPause = timer(1);      // before the next operation
constexpr TimerId kTry = timer(2);        // of the attempt under way
constexpr TimerId kOperation = timer(3);  // of the operation under way
constexpr TimerId kMap = timer(4);        // until the map is asked for again

// Two nodes that take each other for the leader would send a client to and fro at the speed of
// the network; after this many redirects it waits for the try's timer.
constexpr std::uint32_t kRedirectsMax = 3;

struct Open {
  OperationRequest request;
  Operation operation;
  bool reads_first = false;       // the read before the change that was asked for is under way
  RequestId id;                   // of what is under way: the operation, or that read
  Value payload;                  // what is sent as its value
  std::uint32_t attempt = 0;      // the latest message, from 1
  std::uint32_t tries = 0;        // of them, those that nobody sent on
  std::uint64_t start = 0;        // where round robin began
  std::vector<Address> first;     // owners of the key by the cached map: they come before that
  std::uint64_t turns = 0;        // coordinators taken by round robin so far
  std::uint32_t redirects = 0;    // since the try's timer last fired
  std::uint64_t unavailable = 0;  // refusals since then
  bool refused_ever = false;
  std::optional<Address> asked;  // by the latest try
};

// What the last read of a key has shown.
struct Seen {
  VersionVector context;
  std::vector<RequestId> observed;
  Value state;  // of a replicated data type, as it was sent
};

}  // namespace

struct Client::Impl {
  Impl(Env& env_to_use, Observer& observer_to_use, ClientId id, ClientOptions options_to_use,
       std::vector<NodeAddress> known)
      : env(env_to_use),
        observer(observer_to_use),
        self(id),
        options(std::move(options_to_use)),
        conflict(Conflicts::find(options.conflict)),
        nodes(std::move(known)) {}

  void begin_next();
  void invoke();
  void make_change();
  void try_next();
  [[nodiscard]] bool has_tries_left() const;
  [[nodiscard]] OperationKind sends() const;
  [[nodiscard]] Value payload_of(const OperationRequest& request);
  void take_read(const ClientReply& reply);
  void send_try(std::optional<Address> target);
  [[nodiscard]] std::optional<Address> next_target();
  void finish(ResultKind result);
  void close();
  [[nodiscard]] bool handle(const ClientReply& reply);
  void on_redirect(Address leader);
  void locate(Address silent);
  void on_located(const LocateReply& reply);
  void on_unavailable(NodeId node);
  void ask_for_map(std::optional<Address> of = std::nullopt);
  [[nodiscard]] bool handle(const MapReply& reply);
  [[nodiscard]] bool handle(Address from, const MapNotice& notice);
  void prefer_owners();
  void on_try_timeout();
  void on_operation_timeout();
  void publish(const Fact& fact) {
    observer.on_fact({.node = {}, .client = self, .incarnation = {}}, fact);
  }

  Env& env;
  Observer& observer;
  ClientId self;
  ClientOptions options;
  const ConflictSpec* conflict;  // null: values are plain
  std::map<Key, Seen> seen;
  std::map<Key, Value> changes;  // the last state that each key's changes made
  Version newest;                // that it has met
  std::vector<NodeAddress> nodes;
  std::deque<OperationRequest> queue;
  std::optional<Open> open;
  bool started = false;
  bool pausing = false;
  std::uint32_t session = 0;
  std::map<Address, MonotonicTime> silent_until;  // coordinators that let a try time out
  MapCache map;
  std::uint64_t map_asks = 0;
  bool map_awaited = false;
};

// ---- Operations, one after the other -------------------------------------------------------

void Client::Impl::begin_next() {
  if (!started || open || pausing || queue.empty()) return;
  if (queue.front().pause > Duration{}) {
    pausing = true;
    env.arm(kPause, env.now() + queue.front().pause);
    return;
  }
  invoke();
}

void Client::Impl::invoke() {
  CHECK_THAT(!open && !queue.empty());
  open.emplace();
  open->request = std::move(queue.front());
  queue.pop_front();
  const OperationRequest& request = open->request;
  Operation& operation = open->operation;
  operation.id = request.id;
  operation.kind = request.kind;
  operation.key = request.key;
  const bool carries_value =
      request.kind != OperationKind::read && request.kind != OperationKind::remove;
  if (carries_value) operation.value = request.value;
  operation.level = request.level;
  operation.direct = request.direct;
  operation.via = request.via;
  operation.label = request.label;
  operation.session = session;
  operation.invoked = env.now();
  if (!nodes.empty()) {
    open->start = below(env.random("coordinator", request.id.n, 1), nodes.size());
  }
  prefer_owners();
  env.arm(kOperation, env.now() + options.timeout);
  open->reads_first = options.read_first && changes_key(request.kind);
  if (!open->reads_first) return make_change();
  open->id = {.client = self, .n = request.id.n - 1};
  try_next();
}

// The operation itself: what comes first has been read, if anything does.
void Client::Impl::make_change() {
  open->reads_first = false;
  const OperationRequest& request = open->request;
  open->id = request.id;
  open->payload = payload_of(request);
  const auto known = seen.find(request.key);
  const bool replaces = changes_key(request.kind) && known != seen.end();
  if (replaces && !known->second.context.empty()) {
    open->operation.context = known->second.observed;
  }
  publish(fact::OperationInvoked{.operation = open->operation});
  open->tries = 0;
  open->turns = 0;
  try_next();
}

void Client::Impl::try_next() {
  ++open->tries;
  send_try(next_target());
}

bool Client::Impl::has_tries_left() const {
  return options.tries == 0 || open->tries < options.tries;
}

OperationKind Client::Impl::sends() const {
  return open->reads_first ? OperationKind::read : open->operation.kind;
}

// A change of a replicated data type is made here, once, so that a retry is the same change.
Value Client::Impl::payload_of(const OperationRequest& request) {
  if (conflict == nullptr || conflict->change == nullptr || !changes_key(request.kind)) {
    return open->operation.value;
  }
  const auto known = seen.find(request.key);
  Value& own = changes[request.key];
  own = conflict->change({.kind = request.kind,
                          .request = request.id,
                          .text = request.value,
                          .own = own,
                          .seen = known == seen.end() ? Value{} : known->second.state});
  return own;
}

// The node that was named, else each node in turn (owners first, when there is a map), those that
// were silent lately last. None when
// that node's address is not known.
std::optional<Address> Client::Impl::next_target() {
  if (nodes.empty()) return std::nullopt;
  if (open->request.via.is_none()) {
    const std::size_t owners = open->first.size();
    const std::size_t round = owners + nodes.size();
    const auto take_turn = [&] {
      const std::uint64_t turn = open->turns++ % round;
      return turn < owners ? open->first[turn]
                           : nodes[(open->start + turn - owners) % nodes.size()].address;
    };
    for (std::size_t skipped = 0; skipped < round; ++skipped) {
      const Address next = take_turn();
      const auto silent = silent_until.find(next);
      if (silent == silent_until.end() || silent->second <= env.now()) return next;
    }
    return take_turn();
  }
  const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const NodeAddress& known) {
    return known.node == open->request.via;
  });
  return at == nodes.end() ? std::nullopt : std::optional(at->address);
}

void Client::Impl::send_try(std::optional<Address> target) {
  ++open->attempt;
  open->asked = target;
  env.arm(kTry, env.now() + options.try_timeout);
  if (!target) return;
  const Operation& operation = open->operation;
  const auto known = seen.find(operation.key);
  const bool replaces = changes_key(sends()) && known != seen.end();
  send_for_request(env, *target,
                   ClientRequest{.id = open->id,
                                 .attempt = open->attempt,
                                 .operation = sends(),
                                 .key = operation.key,
                                 .value = open->payload,
                                 .level = open->reads_first ? options.read : operation.level,
                                 .direct = operation.direct,
                                 .expires = env.wall_now() + options.try_timeout,
                                 .context = replaces ? known->second.context : VersionVector{},
                                 .seen = newest});
}

// ---- Answers -------------------------------------------------------------------------------

// False when no node that works would answer so.
bool Client::Impl::handle(const ClientReply& reply) {
  if (reply.result > ResultKind::unavailable) return false;
  // Late or duplicated: of an operation that has ended.
  if (!open || reply.id != open->id) return true;
  const bool reads = sends() == OperationKind::read;
  switch (reply.result) {
    case ResultKind::none:
      if (reply.leader.is_none()) return false;
      // An earlier try's word on where to go is no news.
      if (reply.attempt == open->attempt) on_redirect(reply.leader);
      return true;
    case ResultKind::unavailable:
      if (!reads) return false;
      if (reply.attempt == open->attempt) on_unavailable(reply.served_by);
      return true;
    case ResultKind::ok:
      if (reads) return false;
      newest = std::max(newest, reply.version);
      break;
    case ResultKind::value:
    case ResultKind::not_found:
      if (!reads || !reply.context.well_formed()) return false;
      take_read(reply);
      if (open->reads_first) {
        make_change();
        return true;
      }
      break;
  }
  // The answer to any try is an answer to the operation.
  open->operation.served_by = reply.served_by;
  finish(reply.result);
  return true;
}

void Client::Impl::take_read(const ClientReply& reply) {
  const Key& key = open->operation.key;
  const bool shows = conflict != nullptr && conflict->show != nullptr;
  if (!open->reads_first) {
    Operation& read = open->operation;
    if (reply.result == ResultKind::value) {
      read.value = shows ? conflict->show(reply.value) : reply.value;
      read.others = reply.others;
    }
    read.observed = reply.observed;
  }
  newest = std::max(newest, reply.version);
  if (reply.context.empty() && !shows) return;
  seen[key] = {.context = reply.context, .observed = reply.observed, .state = reply.value};
}

void Client::Impl::on_redirect(Address leader) {
  // Whom the map called an owner says that it is none.
  const bool misled =
      std::find(open->first.begin(), open->first.end(), open->asked) != open->first.end();
  if (misled && !map_awaited) ask_for_map();
  if (open->redirects++ < kRedirectsMax) send_try(leader);
}

// A direct read asked one node and has its answer. Else the next coordinator may reach more
// replicas; when each has refused, they are asked again after the try's timer.
void Client::Impl::on_unavailable(NodeId node) {
  open->refused_ever = !open->reads_first;
  if (open->operation.direct) {
    open->operation.served_by = node;
    return finish(ResultKind::unavailable);
  }
  if (!has_tries_left()) return on_operation_timeout();
  const std::uint64_t others = open->request.via.is_none() ? nodes.size() : 1;
  if (++open->unavailable < others) try_next();
}

void Client::Impl::finish(ResultKind result) {
  open->operation.result = result;
  open->operation.returned = env.now();
  publish(fact::OperationReturned{.operation = open->operation});
  close();
}

void Client::Impl::close() {
  env.disarm(kTry);
  env.disarm(kOperation);
  open.reset();
  begin_next();
}

// ---- Timers --------------------------------------------------------------------------------

void Client::Impl::on_try_timeout() {
  if (!open) return;
  open->redirects = 0;
  open->unavailable = 0;
  if (open->asked) {
    silent_until[*open->asked] = env.now() + options.avoid_silent;
    locate(*open->asked);
  }
  if (!has_tries_left()) return on_operation_timeout();
  try_next();
}

// A node that does not answer may be somewhere else. Each try asks another of the others, for who
// is asked may know no better.
void Client::Impl::locate(Address silent) {
  const auto at = std::find_if(nodes.begin(), nodes.end(), [silent](const NodeAddress& known) {
    return known.address == silent;
  });
  if (at == nodes.end() || nodes.size() == 1) return;
  const auto index = static_cast<std::size_t>(at - nodes.begin());
  const std::size_t others = nodes.size() - 1;
  const Address asked = nodes[(index + 1 + open->attempt % others) % nodes.size()].address;
  const LocateRequest request{.node = at->node};
  env.send(asked, Transport::datagram, encode_message(request),
           {.kind = LocateRequest::kind,
            .purpose = Purpose::foreground,
            .identity = mix(mix(self.value, open->operation.id.n), at->node.value),
            .attempt = open->attempt});
}

void Client::Impl::on_located(const LocateReply& reply) {
  const auto at = std::find_if(nodes.begin(), nodes.end(), [&reply](const NodeAddress& known) {
    return known.node == reply.node;
  });
  if (at == nodes.end() || reply.address.is_none() || at->address == reply.address) return;
  at->address = reply.address;
  if (open && open->request.via == reply.node) send_try(at->address);
}

void Client::Impl::on_operation_timeout() {
  if (!open) return;
  // A read has no effect, so that being refused is all there is to know about it.
  if (open->refused_ever) return finish(ResultKind::unavailable);
  // It was asked for, and is part of the history, though nothing was sent but its read.
  if (open->reads_first) publish(fact::OperationInvoked{.operation = open->operation});
  publish(fact::OperationAbandoned{.operation = open->operation});
  ++session;
  seen.clear();
  close();
}

// ---- The map -------------------------------------------------------------------------------

// Each time another node, unless one has just spoken of a newer map.
void Client::Impl::ask_for_map(std::optional<Address> of) {
  if (nodes.empty()) return;
  const std::uint64_t first = below(env.random("map", 1, 1), nodes.size());
  const Address to = of ? *of : nodes[(first + map_asks) % nodes.size()].address;
  ++map_asks;
  map_awaited = true;
  env.arm(kMap, env.now() + options.try_timeout);
  send_by_size(env, to, MapRequest{.number = map_asks}, Purpose::foreground,
               mix(self.value, MapRequest::kind.value), static_cast<std::uint32_t>(map_asks));
}

// False when no node that works would answer so.
bool Client::Impl::handle(const MapReply& reply) {
  if (reply.number == 0 || reply.number > map_asks) return false;
  if (map.take(reply.map) == MapCache::Taken::malformed) return false;
  map_awaited = false;
  env.arm(kMap, env.now() + options.map_refresh);
  return true;
}

bool Client::Impl::handle(Address from, const MapNotice& notice) {
  if (!options.cached_map) return false;
  if (notice.epoch > map.epoch() && !map_awaited) ask_for_map(from);
  return true;
}

// The owners that are known by address, from a drawn one on, so that all of them are asked.
void Client::Impl::prefer_owners() {
  const std::vector<NodeId>& owners = map.owners_of(open->operation.key);
  if (owners.empty() || open->operation.kind == OperationKind::configure) return;
  const std::uint64_t first = below(env.random("owner", open->request.id.n, 1), owners.size());
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const NodeId owner = owners[(first + i) % owners.size()];
    const auto at = std::find_if(nodes.begin(), nodes.end(),
                                 [&](const NodeAddress& known) { return known.node == owner; });
    if (at != nodes.end()) open->first.push_back(at->address);
  }
}

// ---- The process ---------------------------------------------------------------------------

Client::Client(Env& env, Observer& observer, ClientId self, ClientOptions options,
               std::vector<NodeAddress> nodes)
    : impl_(std::make_unique<Impl>(env, observer, self, options, std::move(nodes))) {}
Client::~Client() = default;

void Client::submit(OperationRequest request) {
  CHECK_THAT(request.id.client == impl_->self && !request.id.is_none());
  impl_->queue.push_back(std::move(request));
  impl_->begin_next();
}

void Client::start() {
  impl_->started = true;
  if (impl_->options.cached_map) impl_->ask_for_map();
  impl_->begin_next();
}

void Client::on_message(Address from, ByteView bytes) {
  impl_->silent_until.erase(from);
  const std::optional<Frame> frame = decode_frame(bytes, kFirstFormat);
  if (frame && frame->kind == LocateReply::kind) {
    if (const auto located = decode<LocateReply>(frame->body)) return impl_->on_located(*located);
  }
  if (frame && frame->kind == MapReply::kind) {
    const auto reply = decode<MapReply>(frame->body);
    if (reply && impl_->handle(*reply)) return;
  } else if (frame && frame->kind == MapNotice::kind) {
    const auto notice = decode<MapNotice>(frame->body);
    if (notice && impl_->handle(from, *notice)) return;
  }
  const std::optional<ClientReply> reply =
      frame && frame->kind == ClientReply::kind ? decode<ClientReply>(frame->body) : std::nullopt;
  if (!reply || !impl_->handle(*reply)) {
    impl_->publish(fact::MessageRejected{.reason = describe_frame(bytes)});
  }
}

void Client::on_timer(TimerId timer) {
  if (timer == kPause) {
    impl_->pausing = false;
    impl_->invoke();
  } else if (timer == kTry) {
    impl_->on_try_timeout();
  } else if (timer == kMap) {
    impl_->ask_for_map();
  } else {
    CHECK_THAT(timer == kOperation);
    impl_->on_operation_timeout();
  }
}

// A client has no files.
void Client::on_io(const IoDone& /*done*/) {}

}  // namespace rejoin
