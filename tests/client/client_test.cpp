#include "protocols/client/client.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <set>

#include "protocols/client/messages.hpp"
#include "tests/support/hand_env.hpp"

namespace rejoin {

namespace {

class Facts final : public Observer {
 public:
  void on_fact(const FactSource& source, const Fact& fact) override {
    CHECK(source.client == ClientId(7));
    CHECK(source.node.is_none());
    bus.publish(fact);
  }
  HandBus bus;
};

constexpr ClientOptions kOptions{.try_timeout = 100ms, .timeout = 1s};

class ClientRig {
 public:
  explicit ClientRig(std::uint32_t nodes = 3, ClientOptions options = kOptions) {
    std::vector<NodeAddress> known;
    for (std::uint32_t n = 1; n <= nodes; ++n) {
      known.push_back({.node = NodeId(n), .address = Address(n)});
    }
    client.emplace(env, facts, ClientId(7), options, known);
    client->start();
  }
  void submit(OperationRequest request) {
    request.id = {.client = ClientId(7), .n = ++submitted};
    client->submit(std::move(request));
  }
  // What was sent since the last call, to whom.
  struct Seen {
    Address to;
    ClientRequest request;
    Tag tag;
  };
  std::optional<Seen> take_sent() {
    std::erase_if(env.sent, [this](const auto& sent) {
      const auto frame = decode_frame(sent.frame);
      if (!frame || frame->kind != LocateRequest::kind) return false;
      located.emplace_back(sent.to, decode<LocateRequest>(frame->body)->node);
      return true;
    });
    if (env.sent.empty()) return std::nullopt;
    REQUIRE(env.sent.size() == 1);
    const auto sent = env.sent.front();
    env.sent.clear();
    const auto frame = decode_frame(sent.frame);
    REQUIRE(frame);
    const auto request = decode<ClientRequest>(frame->body);
    REQUIRE(request);
    return Seen{.to = sent.to, .request = *request, .tag = sent.tag};
  }
  // Who was asked where which node is, up to the last take_sent.
  std::vector<std::pair<Address, NodeId>> located;
  void reply(const Seen& to, ResultKind result, const Value& value = {},
             std::vector<RequestId> observed = {}, Address leader = {}) {
    const ClientReply message{.id = to.request.id,
                              .attempt = to.request.attempt,
                              .result = result,
                              .value = value,
                              .observed = std::move(observed),
                              .served_by = NodeId(to.to.value),
                              .leader = leader};
    client->on_message(to.to, encode_message(message));
  }
  // Lets time pass, firing what falls due.
  void run(Duration length) {
    const MonotonicTime end = env.now() + length;
    while (true) {
      auto next = env.timers.end();
      for (auto at = env.timers.begin(); at != env.timers.end(); ++at) {
        if (at->second <= end && (next == env.timers.end() || at->second < next->second)) {
          next = at;
        }
      }
      if (next == env.timers.end()) break;
      const TimerId timer = next->first;
      env.advance(std::max(next->second - env.now(), Duration{}));
      env.timers.erase(next);
      client->on_timer(timer);
    }
    env.advance(end - env.now());
  }
  template <class F>
  std::vector<F> all() const {
    return facts.bus.all<F>();
  }

  HandDisk disk;
  HandEnv env{disk, client_address(ClientId(7))};
  Facts facts;
  std::optional<Client> client;
  std::uint64_t submitted = 0;
};

OperationRequest write(const Key& key, const Value& value) {
  return {.id = {},
          .kind = OperationKind::write,
          .key = key,
          .value = value,
          .level = Consistency::quorum,
          .direct = false,
          .via = {},
          .pause = {},
          .label = "step"};
}
OperationRequest read(const Key& key, NodeId via = {}, bool direct = false) {
  return {.id = {},
          .kind = OperationKind::read,
          .key = key,
          .value = {},
          .level = Consistency::one,
          .direct = direct,
          .via = via,
          .pause = {},
          .label = {}};
}

}  // namespace

TEST_CASE("an operation is published when it is invoked and when its answer arrives") {
  ClientRig rig;
  rig.env.advance(5s);
  rig.submit(write("k", "v"));
  const auto sent = rig.take_sent();
  REQUIRE(sent);
  CHECK(sent->request.operation == OperationKind::write);
  CHECK(sent->request.key == "k");
  CHECK(sent->request.value == "v");
  CHECK(sent->request.level == Consistency::quorum);
  CHECK(sent->request.attempt == 1);
  CHECK(sent->tag.purpose == Purpose::foreground);
  REQUIRE(rig.all<fact::OperationInvoked>().size() == 1);
  const Operation invoked = rig.all<fact::OperationInvoked>()[0].operation;
  CHECK(invoked.invoked == MonotonicTime(5s));
  CHECK(invoked.result == ResultKind::none);
  CHECK(invoked.label == "step");
  CHECK_FALSE(invoked.returned);

  rig.run(30ms);
  rig.reply(*sent, ResultKind::ok);
  REQUIRE(rig.all<fact::OperationReturned>().size() == 1);
  const Operation returned = rig.all<fact::OperationReturned>()[0].operation;
  CHECK(returned.id == sent->request.id);
  CHECK(returned.returned == MonotonicTime(5s + 30ms));
  CHECK(returned.result == ResultKind::ok);
  CHECK(returned.value == "v");
  CHECK(returned.served_by == NodeId(sent->to.value));
  CHECK(rig.env.timers.empty());
}

TEST_CASE("a read returns the value and the write it came from; nothing found is no value") {
  ClientRig rig;
  rig.submit(read("k"));
  const RequestId origin{.client = ClientId(9), .n = 4};
  rig.reply(*rig.take_sent(), ResultKind::value, "found", {origin});
  rig.submit(read("gone"));
  rig.reply(*rig.take_sent(), ResultKind::not_found, "", {origin});
  const auto returned = rig.all<fact::OperationReturned>();
  REQUIRE(returned.size() == 2);
  CHECK(returned[0].operation.value == "found");
  CHECK(returned[0].operation.observed == std::vector{origin});
  CHECK(returned[1].operation.result == ResultKind::not_found);
  CHECK(returned[1].operation.observed == std::vector{origin});
}

TEST_CASE("one operation is open at a time, and a pause counts from the end of the one before") {
  ClientRig rig;
  rig.submit(write("a", "1"));
  OperationRequest second = write("b", "2");
  second.pause = 40ms;
  rig.submit(second);
  const auto first = rig.take_sent();
  rig.run(50ms);
  CHECK_FALSE(rig.take_sent());
  rig.reply(*first, ResultKind::ok);
  rig.run(39ms);
  CHECK_FALSE(rig.take_sent());
  rig.run(1ms);
  const auto sent = rig.take_sent();
  REQUIRE(sent);
  CHECK(sent->request.key == "b");
  CHECK(rig.all<fact::OperationInvoked>()[1].operation.invoked == MonotonicTime(90ms));
}

TEST_CASE("a retry keeps the request id, counts the attempt and goes to another coordinator") {
  ClientRig rig;
  rig.submit(write("k", "v"));
  std::vector<Address> asked;
  for (std::uint32_t attempt = 1; attempt <= 4; ++attempt) {
    const auto sent = rig.take_sent();
    REQUIRE(sent);
    CHECK(sent->request.id.n == 1);
    CHECK(sent->request.attempt == attempt);
    CHECK(sent->tag.attempt == attempt);
    CHECK(sent->request.value == "v");
    asked.push_back(sent->to);
    rig.run(100ms);
  }
  CHECK(std::set<Address>(asked.begin(), asked.begin() + 3).size() == 3);
  CHECK(asked[3] == asked[0]);
  CHECK(rig.all<fact::OperationInvoked>().size() == 1);
}

TEST_CASE("coordinators are drawn by request, so that requests spread over the nodes") {
  ClientRig rig;
  std::set<Address> asked;
  for (int n = 0; n < 30; ++n) {
    rig.submit(write("k", std::to_string(n)));
    const auto sent = rig.take_sent();
    asked.insert(sent->to);
    rig.reply(*sent, ResultKind::ok);
  }
  CHECK(asked.size() == 3);
}

TEST_CASE("an answer to an earlier attempt is an answer, once") {
  ClientRig rig;
  rig.submit(write("k", "v"));
  const auto first = rig.take_sent();
  rig.run(100ms);
  const auto second = rig.take_sent();
  rig.reply(*first, ResultKind::ok);
  rig.reply(*second, ResultKind::ok);
  rig.reply(*first, ResultKind::ok);
  CHECK(rig.all<fact::OperationReturned>().size() == 1);
}

TEST_CASE("without an answer an operation is abandoned, and its late answer changes nothing") {
  ClientRig rig;
  rig.submit(write("a", "1"));
  const auto first = rig.take_sent();
  rig.submit(write("b", "2"));
  for (int n = 0; n < 9; ++n) {
    rig.run(100ms);
    rig.env.sent.clear();
  }
  rig.run(99ms);
  CHECK(rig.all<fact::OperationAbandoned>().empty());
  rig.run(1ms);
  REQUIRE(rig.all<fact::OperationAbandoned>().size() == 1);
  const Operation abandoned = rig.all<fact::OperationAbandoned>()[0].operation;
  CHECK(abandoned.id.n == 1);
  CHECK(abandoned.result == ResultKind::none);
  CHECK_FALSE(abandoned.returned);
  CHECK(abandoned.session == 0);

  // The next is another session's.
  REQUIRE(rig.all<fact::OperationInvoked>().size() == 2);
  CHECK(rig.all<fact::OperationInvoked>()[1].operation.session == 1);
  rig.reply(*first, ResultKind::ok);
  CHECK(rig.all<fact::OperationReturned>().empty());
}

TEST_CASE("a read that is refused goes to each coordinator at once, then waits") {
  ClientRig rig;
  rig.submit(read("k"));
  std::set<Address> asked;
  for (int n = 0; n < 3; ++n) {
    const auto sent = rig.take_sent();
    REQUIRE(sent);
    asked.insert(sent->to);
    rig.reply(*sent, ResultKind::unavailable);
  }
  CHECK(asked.size() == 3);
  CHECK_FALSE(rig.take_sent());
  CHECK(rig.all<fact::OperationReturned>().empty());

  SUBCASE("and may be answered later") {
    rig.run(100ms);
    rig.reply(*rig.take_sent(), ResultKind::value, "v");
    CHECK(rig.all<fact::OperationReturned>()[0].operation.result == ResultKind::value);
  }
  SUBCASE("or returns unavailable at its timeout, which ends no session") {
    for (int n = 0; n < 10; ++n) {
      rig.run(100ms);
      rig.env.sent.clear();
    }
    REQUIRE(rig.all<fact::OperationReturned>().size() == 1);
    CHECK(rig.all<fact::OperationReturned>()[0].operation.result == ResultKind::unavailable);
    CHECK(rig.all<fact::OperationAbandoned>().empty());
    rig.submit(read("k"));
    CHECK(rig.all<fact::OperationInvoked>()[1].operation.session == 0);
  }
}

TEST_CASE("a direct read asks its node alone, and its refusal is an answer") {
  ClientRig rig;
  rig.submit(read("k", NodeId(2), true));
  for (int n = 0; n < 3; ++n) {
    const auto sent = rig.take_sent();
    REQUIRE(sent);
    CHECK(sent->to == Address(2));
    CHECK(sent->request.direct);
    rig.run(100ms);
  }
  rig.reply(*rig.take_sent(), ResultKind::unavailable);
  REQUIRE(rig.all<fact::OperationReturned>().size() == 1);
  CHECK(rig.all<fact::OperationReturned>()[0].operation.result == ResultKind::unavailable);
  CHECK(rig.all<fact::OperationReturned>()[0].operation.served_by == NodeId(2));
}

TEST_CASE("a refusal of an earlier attempt does not end the one under way") {
  ClientRig rig;
  rig.submit(read("k", NodeId(2), true));
  const auto first = rig.take_sent();
  rig.run(100ms);
  const auto second = rig.take_sent();
  rig.reply(*first, ResultKind::unavailable);
  CHECK(rig.all<fact::OperationReturned>().empty());
  rig.reply(*second, ResultKind::not_found);
  CHECK(rig.all<fact::OperationReturned>().size() == 1);
}

TEST_CASE("a setting is sent on to the leader that is named, but not for ever") {
  ClientRig rig;
  OperationRequest configure = write("color", "blue");
  configure.kind = OperationKind::configure;
  rig.submit(configure);
  auto sent = rig.take_sent();
  rig.reply(*sent, ResultKind::none, "", {}, Address(42));
  sent = rig.take_sent();
  REQUIRE(sent);
  CHECK(sent->to == Address(42));
  CHECK(sent->request.id.n == 1);
  CHECK(sent->request.attempt == 2);
  std::size_t hops = 1;
  while (sent) {
    rig.reply(*sent, ResultKind::none, "", {}, Address(43 + static_cast<std::uint32_t>(hops)));
    sent = rig.take_sent();
    ++hops;
  }
  CHECK(hops == 4);
  rig.run(100ms);
  sent = rig.take_sent();
  REQUIRE(sent);
  rig.reply(*sent, ResultKind::ok);
  CHECK(rig.all<fact::OperationReturned>()[0].operation.result == ResultKind::ok);
}

TEST_CASE("a corrupt frame, or an answer that does not fit the question, is rejected and counted") {
  ClientRig rig;
  rig.submit(write("k", "v"));
  const auto sent = rig.take_sent();
  Bytes frame = encode_message(ClientReply{.id = sent->request.id,
                                           .attempt = 1,
                                           .result = ResultKind::ok,
                                           .value = {},
                                           .observed = {},
                                           .served_by = NodeId(1),
                                           .leader = {}});
  std::size_t rejected = 0;
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    Bytes flipped = frame;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    rig.client->on_message(Address(1), flipped);
    CHECK(rig.all<fact::MessageRejected>().size() == ++rejected);
  }
  rig.reply(*sent, ResultKind::value, "v");
  rig.reply(*sent, ResultKind::unavailable);
  rig.reply(*sent, ResultKind::none);  // and no word of whom to ask
  CHECK(rig.all<fact::MessageRejected>().size() == rejected + 3);
  CHECK(rig.all<fact::OperationReturned>().empty());
  CHECK_FALSE(rig.take_sent());
}

TEST_CASE("large values go by stream, small ones as datagrams") {
  ClientRig rig;
  rig.submit(write("k", Value(100, 'x')));
  CHECK(rig.env.sent.back().transport == Transport::datagram);
  rig.reply(*rig.take_sent(), ResultKind::ok);
  rig.submit(write("k", Value(5000, 'x')));
  CHECK(rig.env.sent.back().transport == Transport::stream);
}

TEST_CASE("a client asks others where a silent node is, and follows it when it has moved") {
  ClientRig rig;
  rig.submit(read("k", NodeId(2), true));
  CHECK(rig.take_sent()->to == Address(2));
  rig.run(100ms);
  CHECK(rig.take_sent()->to == Address(2));
  rig.run(100ms);
  CHECK(rig.take_sent()->to == Address(2));
  REQUIRE(rig.located.size() == 2);
  CHECK(rig.located[0].second == NodeId(2));
  CHECK(rig.located[0].first != Address(2));
  CHECK(rig.located[1].first != Address(2));
  CHECK(rig.located[0].first != rig.located[1].first);
  const auto tell = [&rig](Address where) {
    rig.client->on_message(Address(1),
                           encode_message(LocateReply{.node = NodeId(2), .address = where}));
  };
  tell(Address(2));  // no news
  tell(Address{});   // nonsense
  CHECK_FALSE(rig.take_sent());
  tell(Address(1048578));
  CHECK(rig.take_sent()->to == Address(1048578));
  // From now on it is asked there.
  rig.run(100ms);
  CHECK(rig.take_sent()->to == Address(1048578));
}

}  // namespace rejoin
