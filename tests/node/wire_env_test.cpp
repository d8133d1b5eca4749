#include "protocols/node/wire_env.hpp"

#include <doctest/doctest.h>

#include "model/fields.hpp"
#include "tests/support/fake_env.hpp"

namespace rejoin {
namespace {

struct Probe {
  static constexpr MessageKind kind{Channel::node, 9};
  std::uint64_t number = 0;
  REJOIN_FIELDS(number)
};

constexpr Address kPeer{2};

// The first byte of what `env` sends to the peer.
WireFormat format_sent(WireEnv& env, test::FakeEnv& machine) {
  machine.sent.clear();
  env.send(kPeer, Transport::datagram, encode_message(Probe{.number = 7}),
           Tag{.kind = Probe::kind});
  REQUIRE(machine.sent.size() == 1);
  const Bytes& frame = machine.sent.front().frame;
  REQUIRE(decode_frame(frame).has_value());
  CHECK(decode<Probe>(decode_frame(frame)->body)->number == 7);
  return static_cast<WireFormat>(frame.front() & 0x0fU);
}

Bytes from_peer(WireFormat format, WireFormat reads) {
  return reframe(encode_message(Probe{}), format, reads);
}

}  // namespace

TEST_CASE("new software speaks the first format until its peer shows that it reads more") {
  test::FakeEnv machine(Address(1));
  WireEnv env(machine, 2);
  CHECK(format_sent(env, machine) == 1);
  REQUIRE(env.decode(kPeer, from_peer(1, 1)).has_value());
  CHECK(format_sent(env, machine) == 1);
  REQUIRE(env.decode(kPeer, from_peer(1, 2)).has_value());
  CHECK(format_sent(env, machine) == 2);
}

TEST_CASE("a peer that was downgraded is spoken to as it can read") {
  test::FakeEnv machine(Address(1));
  WireEnv env(machine, 2);
  REQUIRE(env.decode(kPeer, from_peer(2, 2)).has_value());
  CHECK(format_sent(env, machine) == 2);
  REQUIRE(env.decode(kPeer, from_peer(1, 1)).has_value());
  CHECK(format_sent(env, machine) == 1);
}

TEST_CASE("a peer of a future format is spoken to in the newest that this software knows") {
  test::FakeEnv machine(Address(1));
  WireEnv env(machine, 2);
  REQUIRE(env.decode(kPeer, from_peer(2, 9)).has_value());
  CHECK(format_sent(env, machine) == 2);
}

TEST_CASE("old software refuses the new format, and speaks its own to everyone") {
  test::FakeEnv machine(Address(1));
  WireEnv env(machine, 1);
  CHECK_FALSE(env.decode(kPeer, from_peer(2, 2)).has_value());
  REQUIRE(env.decode(kPeer, from_peer(1, 2)).has_value());
  CHECK(format_sent(env, machine) == 1);
}

}  // namespace rejoin
