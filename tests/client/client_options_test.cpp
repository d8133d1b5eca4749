// What a client does that is asked to: few tries, a map of its own, a read before each change.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <set>

#include "protocols/client/client.hpp"
#include "protocols/client/map_cache.hpp"
#include "protocols/client/messages.hpp"
#include "tests/support/hand_env.hpp"

namespace rejoin {

namespace {

class Facts final : public Observer {
 public:
  void on_fact(const FactSource& /*source*/, const Fact& fact) override { bus.publish(fact); }
  HandBus bus;
};

class Rig {
 public:
  explicit Rig(ClientOptions options, std::uint32_t nodes = 6) {
    std::vector<NodeAddress> known;
    for (std::uint32_t n = 1; n <= nodes; ++n) {
      known.push_back({.node = NodeId(n), .address = Address(n)});
    }
    client.emplace(env, facts, ClientId(7), options, known);
    client->start();
  }
  void submit(OperationKind kind, const Key& key, std::uint64_t n) {
    OperationRequest request;
    request.id = {.client = ClientId(7), .n = n};
    request.kind = kind;
    request.key = key;
    request.value = kind == OperationKind::write ? "v" : "";
    request.level = Consistency::quorum;
    client->submit(std::move(request));
  }
  template <class M>
  struct Sent {
    Address to;
    M message;
  };
  // The messages of that kind since the last call; others are forgotten.
  template <class M>
  std::vector<Sent<M>> take() {
    std::vector<Sent<M>> out;
    for (const auto& sent : env.sent) {
      const auto frame = decode_frame(sent.frame);
      if (!frame || frame->kind != M::kind) continue;
      out.push_back({.to = sent.to, .message = *decode<M>(frame->body)});
    }
    env.sent.clear();
    return out;
  }
  // Fires what falls due, in order.
  void run(Duration length) {
    const MonotonicTime end = env.now() + length;
    while (true) {
      auto next = env.timers.end();
      for (auto at = env.timers.begin(); at != env.timers.end(); ++at) {
        const bool earlier = next == env.timers.end() || at->second < next->second;
        if (at->second <= end && earlier) next = at;
      }
      if (next == env.timers.end()) break;
      const TimerId timer = next->first;
      env.advance(std::max(next->second - env.now(), Duration{}));
      env.timers.erase(next);
      client->on_timer(timer);
    }
    env.advance(end - env.now());
  }
  void show_map(std::uint64_t number, Epoch epoch, std::vector<NodeId> owners) {
    const MapReply reply{.number = number, .map = {.epoch = epoch, .owners = {std::move(owners)}}};
    client->on_message(Address(1), encode_message(reply));
  }
  void reply(const Sent<ClientRequest>& to, ClientReply reply) {
    reply.id = to.message.id;
    reply.attempt = to.message.attempt;
    reply.served_by = NodeId(to.to.value);
    client->on_message(to.to, encode_message(reply));
  }
  template <class F>
  [[nodiscard]] std::size_t count() const {
    return facts.bus.all<F>().size();
  }

  HandDisk disk;
  HandEnv env{disk, client_address(ClientId(7))};
  Facts facts;
  std::optional<Client> client;
};

constexpr ClientOptions kFewTries{.try_timeout = 100ms, .timeout = 10s, .tries = 3};
constexpr ClientOptions kMapped{
    .try_timeout = 100ms, .timeout = 1s, .cached_map = true, .map_refresh = 2s};
constexpr ClientOptions kReadsFirst{
    .read = Consistency::all, .try_timeout = 100ms, .timeout = 1s, .read_first = true};

}  // namespace

TEST_CASE("tries: after so many an operation is given up, long before its timeout") {
  Rig rig(kFewTries);
  rig.submit(OperationKind::write, "k", 1);
  rig.run(299ms);
  CHECK(rig.take<ClientRequest>().size() == 3);
  CHECK(rig.count<fact::OperationAbandoned>() == 0);
  rig.run(1ms);
  CHECK(rig.count<fact::OperationAbandoned>() == 1);
  rig.submit(OperationKind::write, "k", 2);
  CHECK(rig.facts.bus.all<fact::OperationInvoked>()[1].operation.session == 1);
}

TEST_CASE("tries: a refusal is an answer when there is none left; being sent on is no try") {
  Rig rig(kFewTries);
  rig.submit(OperationKind::read, "k", 1);
  for (int refusal = 1; refusal <= 3; ++refusal) {
    CHECK(rig.count<fact::OperationReturned>() == 0);
    const auto sent = rig.take<ClientRequest>();
    REQUIRE(sent.size() == 1);
    rig.reply(sent[0], {.result = ResultKind::unavailable});
  }
  REQUIRE(rig.count<fact::OperationReturned>() == 1);
  CHECK(rig.facts.bus.all<fact::OperationReturned>()[0].operation.result ==
        ResultKind::unavailable);
  rig.submit(OperationKind::write, "k", 2);
  rig.reply(rig.take<ClientRequest>().at(0), {.result = ResultKind::none, .leader = Address(5)});
  rig.run(250ms);
  CHECK(rig.take<ClientRequest>().size() == 3);  // the one that was sent on, and two more
}

TEST_CASE("cached map: owners are asked first, then everyone") {
  Rig rig(kMapped);
  const auto asked = rig.take<MapRequest>();
  REQUIRE(asked.size() == 1);
  rig.show_map(asked[0].message.number, Epoch(4), {NodeId(5), NodeId(2)});
  rig.submit(OperationKind::write, "k", 1);
  rig.run(750ms);
  const auto sent = rig.take<ClientRequest>();
  REQUIRE(sent.size() == 8);
  CHECK(std::set<Address>{sent[0].to, sent[1].to} == std::set<Address>{Address(2), Address(5)});
  std::set<Address> all;
  for (const auto& each : sent) all.insert(each.to);
  CHECK(all.size() == 6);
}

TEST_CASE("cached map: it is asked for again, of another node, when it is old or nobody answers") {
  Rig rig(kMapped);
  const auto first = rig.take<MapRequest>();
  rig.run(100ms);
  const auto second = rig.take<MapRequest>();
  REQUIRE(second.size() == 1);
  CHECK(second[0].to != first.at(0).to);
  rig.show_map(second[0].message.number, Epoch(1), {NodeId(1)});
  rig.run(1999ms);
  CHECK(rig.take<MapRequest>().empty());
  rig.run(1ms);
  CHECK(rig.take<MapRequest>().size() == 1);
}

TEST_CASE("cached map: it is asked for at once when there is word of a newer one") {
  Rig rig(kMapped);
  rig.show_map(rig.take<MapRequest>().at(0).message.number, Epoch(4), {NodeId(5)});
  rig.client->on_message(Address(3), encode_message(MapNotice{.epoch = Epoch(4)}));
  CHECK(rig.take<MapRequest>().empty());
  rig.client->on_message(Address(3), encode_message(MapNotice{.epoch = Epoch(5)}));
  const auto asked = rig.take<MapRequest>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].to == Address(3));
  rig.show_map(asked[0].message.number, Epoch(5), {NodeId(6)});
  // An owner that sends the request on is none any more.
  rig.submit(OperationKind::write, "k", 1);
  const auto sent = rig.take<ClientRequest>();
  CHECK(sent.at(0).to == Address(6));
  rig.reply(sent[0], {.result = ResultKind::none, .leader = Address(2)});
  CHECK(rig.take<MapRequest>().size() == 1);
}

TEST_CASE("cached map: an older one is no news") {
  MapCache cache;
  CHECK(cache.owners_of("k").empty());
  CHECK(cache.take({.epoch = Epoch(3), .owners = {{NodeId(1)}}}) == MapCache::Taken::replaced);
  CHECK(cache.take({.epoch = Epoch(2), .owners = {{NodeId(2)}}}) == MapCache::Taken::old_news);
  CHECK(cache.take({.epoch = Epoch(3), .owners = {{NodeId(2)}}}) == MapCache::Taken::old_news);
  CHECK(cache.owners_of("k") == std::vector<NodeId>{NodeId(1)});
}

TEST_CASE("cached map: a malformed one is rejected, and the one that is kept stays") {
  Rig rig(kMapped);
  const std::uint64_t number = rig.take<MapRequest>().at(0).message.number;
  rig.show_map(number, Epoch(4), {NodeId(5)});
  std::size_t rejected = 0;
  const auto refuses = [&](const MapReply& reply) {
    rig.client->on_message(Address(1), encode_message(reply));
    CHECK(rig.count<fact::MessageRejected>() == ++rejected);
  };
  refuses({.number = number, .map = {.epoch = Epoch(), .owners = {{NodeId(1)}}}});
  refuses({.number = number, .map = {.epoch = Epoch(9), .owners = {}}});
  refuses({.number = number, .map = {.epoch = Epoch(9), .owners = {{NodeId(1), NodeId(1)}}}});
  refuses({.number = number, .map = {.epoch = Epoch(9), .owners = {{NodeId()}}}});
  refuses({.number = number + 1, .map = {.epoch = Epoch(9), .owners = {{NodeId(1)}}}});
  std::vector<NodeId> crowd;
  for (std::uint32_t n = 1; n <= 1'001; ++n) crowd.emplace_back(n);
  refuses({.number = number, .map = {.epoch = Epoch(9), .owners = {crowd}}});
  rig.submit(OperationKind::write, "k", 1);
  CHECK(rig.take<ClientRequest>().at(0).to == Address(5));
  // Whoever keeps no map has not asked.
  Rig other(kFewTries);
  other.show_map(1, Epoch(1), {NodeId(1)});
  other.client->on_message(Address(3), encode_message(MapNotice{.epoch = Epoch(5)}));
  CHECK(other.count<fact::MessageRejected>() == 2);
}

TEST_CASE("read first: one operation, whose context is what its read found") {
  Rig rig(kReadsFirst);
  rig.env.advance(1s);
  rig.submit(OperationKind::write, "k", 2);
  const auto read = rig.take<ClientRequest>();
  REQUIRE(read.size() == 1);
  CHECK(read[0].message.operation == OperationKind::read);
  CHECK(read[0].message.level == Consistency::all);
  CHECK(read[0].message.id.n == 1);
  CHECK(rig.count<fact::OperationInvoked>() == 0);
  rig.env.advance(30ms);
  const RequestId before{.client = ClientId(3), .n = 8};
  VersionVector seen;
  seen.add({.actor = actor_of(NodeId(2), 1), .counter = 4});
  rig.reply(read[0],
            {.result = ResultKind::value, .value = "old", .observed = {before}, .context = seen});
  const auto write = rig.take<ClientRequest>();
  REQUIRE(write.size() == 1);
  CHECK(write[0].message.operation == OperationKind::write);
  CHECK(write[0].message.value == "v");
  CHECK(write[0].message.level == Consistency::quorum);
  CHECK(write[0].message.id.n == 2);
  CHECK(write[0].message.context == seen);
  // A late answer to the read changes nothing.
  rig.reply(read[0], {.result = ResultKind::not_found});
  CHECK(rig.take<ClientRequest>().empty());
  rig.reply(write[0], {.result = ResultKind::ok});
  REQUIRE(rig.count<fact::OperationInvoked>() == 1);
  REQUIRE(rig.count<fact::OperationReturned>() == 1);
  const Operation done = rig.facts.bus.all<fact::OperationReturned>()[0].operation;
  CHECK(done.kind == OperationKind::write);
  CHECK(done.value == "v");
  CHECK(done.invoked == MonotonicTime(1s));
  CHECK(done.context == std::vector<RequestId>{before});
  CHECK(done.observed.empty());
  CHECK(done.id.n == 2);
}

TEST_CASE("read first: reads need no read, and a read that is never answered leaves all unknown") {
  Rig rig(kReadsFirst);
  rig.submit(OperationKind::read, "k", 1);
  const auto read = rig.take<ClientRequest>();
  CHECK(read.at(0).message.id.n == 1);
  rig.reply(read[0], {.result = ResultKind::not_found});
  CHECK(rig.count<fact::OperationReturned>() == 1);
  rig.submit(OperationKind::write, "k", 3);
  rig.reply(rig.take<ClientRequest>().at(0), {.result = ResultKind::unavailable});
  rig.run(1s);
  CHECK(rig.count<fact::OperationInvoked>() == 2);
  CHECK(rig.count<fact::OperationAbandoned>() == 1);
  CHECK(rig.count<fact::OperationReturned>() == 1);
}

}  // namespace rejoin
