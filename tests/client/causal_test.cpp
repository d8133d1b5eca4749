// Coordinators where versions track causality, and hybrid clocks: who makes a write, when others
// get it, what a reader is told, and what its next write replaces.
#include <algorithm>

#include "tests/client/coordinator_rig.hpp"

namespace rejoin {
namespace {

using Values = std::vector<Value>;
constexpr auto kWrite = OperationKind::write;
constexpr auto kRead = OperationKind::read;
constexpr auto kAll = Consistency::all;

ClientRequest write(std::uint64_t n, const Value& value, const VersionVector& context = {}) {
  ClientRequest out = ClusterRig::request(n, kWrite, "k", kAll, value);
  out.context = context;
  return out;
}

Values values_of(const ClientReply& reply) {
  Values out = reply.others;
  if (reply.result == ResultKind::value) out.push_back(reply.value);
  std::sort(out.begin(), out.end());
  return out;
}

ClientReply read(ClusterRig& rig, std::uint32_t at, std::uint64_t n) {
  rig.ask(at, ClusterRig::request(n, kRead, "k", kAll));
  rig.settle();
  const auto answer = rig.take_answer();
  REQUIRE(answer.has_value());
  return *answer;
}

std::size_t count(const ClusterRig& rig, std::size_t node, MessageKind kind) {
  const auto& sent = rig.nodes[node]->env.sent;
  return static_cast<std::size_t>(std::count_if(
      sent.begin(), sent.end(), [kind](const auto& each) { return each.tag.kind == kind; }));
}

TEST_CASE("dvv: nobody gets a write before its dot is durable where it was made") {
  ClusterRig rig(3, VersionScheme::dvv);
  rig.ask(1, write(1, "v"));
  CHECK(count(rig, 0, ReplicaWrite::kind) == 0);
  rig.node(1).sync();
  CHECK(count(rig, 0, ReplicaWrite::kind) == 2);
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
  CHECK(rig.value_at(3, "k") == "v");
}

TEST_CASE("dvv: blind writes are siblings, and who has read them replaces them") {
  for (const VersionScheme scheme : {VersionScheme::dvv, VersionScheme::version_vector}) {
    ClusterRig rig(3, scheme);
    rig.ask(1, write(1, "a"));
    rig.settle();
    rig.answers.clear();
    rig.ask(2, write(2, "b"));
    rig.settle();
    rig.answers.clear();
    const ClientReply both = read(rig, 3, 3);
    CHECK(values_of(both) == Values{"a", "b"});
    CHECK(both.observed.size() == 2);
    rig.ask(3, write(4, "c", both.context));
    rig.settle();
    rig.answers.clear();
    CHECK(values_of(read(rig, 1, 5)) == Values{"c"});
  }
}

TEST_CASE("dvv: a retry at the same coordinator is the same write") {
  ClusterRig rig(3, VersionScheme::dvv);
  rig.ask(1, write(1, "v"));
  rig.settle(without({2, 3}));
  CHECK_FALSE(rig.take_answer());
  ClientRequest again = write(1, "v");
  again.attempt = 2;
  rig.ask(1, again);
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
  CHECK(values_of(read(rig, 2, 2)) == Values{"v"});
}

TEST_CASE("dvv: a node that is no owner sends the client on, each try to another owner") {
  ClusterRig rig(3, VersionScheme::dvv);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    rig.set_map(NodeId(n), Epoch(2), {NodeId(1), NodeId(2)}, {NodeId(1), NodeId(2), NodeId(3)});
  }
  ClientRequest asked = write(1, "v");
  std::vector<Address> sent_to;
  for (std::uint32_t attempt = 1; attempt <= 2; ++attempt) {
    asked.attempt = attempt;
    rig.ask(3, asked);
    rig.settle();
    const auto answer = rig.take_answer();
    REQUIRE(answer.has_value());
    CHECK(answer->result == ResultKind::none);
    sent_to.push_back(answer->leader);
  }
  std::sort(sent_to.begin(), sent_to.end());
  CHECK(sent_to == std::vector<Address>{Address(1), Address(2)});
  CHECK(rig.value_at(3, "k") == "absent");
}

Record make_forged() {
  Record out;
  out.key = "k";
  out.value = "evil";
  return out;
}

TEST_CASE("dvv: a record that no replica could have made is refused, and changes nothing") {
  ClusterRig rig(3, VersionScheme::dvv);
  ReplicaWrite forged{.id = {.client = kRigClient, .n = 1},
                      .attempt = 1,
                      .epoch = Epoch(1),
                      .record = make_forged(),
                      .owners = {NodeId(1), NodeId(2), NodeId(3)}};
  const Bytes message = encode_message(forged);
  const auto frame = decode_frame(message);
  REQUIRE(frame.has_value());
  CHECK_FALSE(rig.node(1).coordinator.on_message(Address(2), frame->kind, frame->body));
  CHECK(rig.value_at(1, "k") == "absent");
}

TEST_CASE("hlc: a write is later than all that its node has stored and its client has met") {
  ClusterRig rig(3, VersionScheme::hlc);
  rig.plant(1, "k", "from a clock far ahead", 7, 1h);
  rig.ask(1, write(1, "v"));
  rig.settle();
  rig.answers.clear();
  const Version after = rig.node(1).store.get(kOnly, "k")->version;
  CHECK(rig.value_at(1, "k") == "v");
  CHECK(after.timestamp == WallTime(1h));
  CHECK(after.logical == 1);
  // Another coordinator, which has not stored it, is told by the client.
  ClientRequest other = ClusterRig::request(2, kWrite, "other", kAll, "w");
  other.seen = {.timestamp = WallTime(2h), .writer = NodeId(9), .logical = 4};
  rig.ask(2, other);
  rig.settle();
  const Version told = rig.node(2).store.get(kOnly, "other")->version;
  CHECK(told.timestamp == WallTime(2h));
  CHECK(told.logical == 5);
}

TEST_CASE("timestamp: a client that has met a later clock is not believed") {
  ClusterRig rig(3, VersionScheme::timestamp);
  rig.plant(1, "k", "from a clock far ahead", 7, 1h);
  rig.ask(1, write(1, "v"));
  rig.settle();
  CHECK(rig.value_at(1, "k") == "from a clock far ahead");
}

}  // namespace
}  // namespace rejoin
