#include "model/wire.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "model/facts.hpp"
#include "model/history.hpp"
#include "model/message.hpp"
#include "model/record.hpp"

using namespace rejoin;

namespace {

struct Old {
  std::uint64_t a = 0;
  std::string b;
  REJOIN_FIELDS(a, b)
};
struct New {
  std::uint64_t a = 0;
  std::string b;
  std::optional<std::int64_t> c = 7;
  REJOIN_FIELDS(a, b, c)
};
struct HoldsOld {
  Old inner;
  std::uint64_t after = 0;
  REJOIN_FIELDS(inner, after)
};
struct HoldsNew {
  New inner;
  std::uint64_t after = 0;
  REJOIN_FIELDS(inner, after)
};
struct Ping {
  static constexpr MessageKind kind{Channel::node, 250};
  std::uint64_t number = 0;
  std::vector<std::string> names;
  REJOIN_FIELDS(number, names)
};
REGISTER_MESSAGE(Ping, Purpose::foreground);
enum class Nameless : std::uint8_t { first, second };

}  // namespace

TEST_CASE("integers take the bytes they need, and only the shortest encoding is read") {
  CHECK(encode(std::uint64_t{127}) == Bytes{0x7f});
  CHECK(encode(std::uint64_t{128}) == Bytes{0x80, 0x01});
  CHECK(encode(std::int64_t{-1}) == Bytes{0x01});
  CHECK_FALSE(decode<std::uint64_t>(Bytes{0x80, 0x00}).has_value());
  CHECK_FALSE(decode<bool>(Bytes{0x02}).has_value());
  CHECK_FALSE(decode<std::uint8_t>(Bytes{0x80, 0x02}).has_value());
  CHECK_FALSE(decode<std::uint64_t>(Bytes(11, 0xff)).has_value());
}

TEST_CASE("a value reads back as it was written") {
  CHECK(rc::check("records", [] {
    Record record;
    record.key = *rc::gen::arbitrary<std::string>();
    record.value = *rc::gen::arbitrary<std::string>();
    record.deleted = *rc::gen::arbitrary<bool>();
    record.version = {WallTime(Duration(*rc::gen::arbitrary<std::int64_t>())),
                      NodeId(*rc::gen::arbitrary<std::uint32_t>())};
    const auto back = decode<Record>(encode(record));
    RC_ASSERT(back.has_value());
    RC_ASSERT(encode(*back) == encode(record));
    RC_ASSERT(back->key == record.key);
    RC_ASSERT(back->version == record.version);
  }));
  CHECK(rc::check("maps and lists", [] {
    const auto value = *rc::gen::arbitrary<std::map<std::uint32_t, std::vector<std::int64_t>>>();
    const auto back = decode<std::map<std::uint32_t, std::vector<std::int64_t>>>(encode(value));
    RC_ASSERT(back == value);
  }));
}

TEST_CASE("an old reader skips new fields, and a new reader keeps its defaults") {
  const auto old = decode<HoldsOld>(encode(HoldsNew{{1, "x", 9}, 5}));
  REQUIRE(old.has_value());
  CHECK(old->inner.b == "x");
  CHECK(old->after == 5);
  const auto now = decode<HoldsNew>(encode(HoldsOld{{1, "x"}, 5}));
  REQUIRE(now.has_value());
  CHECK(now->inner.c == 7);
  CHECK(now->after == 5);
}

TEST_CASE("a count that the bytes cannot hold is refused before anything is allocated") {
  Writer writer;
  writer.varint(std::uint64_t{1} << 60U);
  CHECK_FALSE(decode<std::vector<std::uint64_t>>(writer.view()).has_value());
  CHECK_FALSE(decode<std::string>(writer.view()).has_value());
}

TEST_CASE("no bytes crash a reader, and what is read is canonical") {
  CHECK(rc::check([] {
    const auto bytes = *rc::gen::arbitrary<Bytes>();
    const auto value = decode<std::map<std::string, std::vector<std::uint64_t>>>(Bytes{});
    RC_ASSERT(!value.has_value());
    const auto list = decode<std::vector<std::uint64_t>>(bytes);
    if (list) RC_ASSERT(encode(*list) == bytes);
    (void)decode<HoldsNew>(bytes);
  }));
}

TEST_CASE("every bit of a frame counts") {
  const Bytes frame = encode_message(Ping{.number = 300, .names = {"a", "bc"}});
  REQUIRE(decode_frame(frame).has_value());
  CHECK(decode_frame(frame)->kind == Ping::kind);
  CHECK(describe_frame(frame) == "Ping{number: 300, names: [\"a\", \"bc\"]}");
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    Bytes flipped = frame;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    CAPTURE(bit);
    CHECK_FALSE(decode_frame(flipped).has_value());
  }
  for (std::size_t size = 0; size < frame.size(); ++size) {
    CHECK_FALSE(decode_frame(ByteView(frame).subspan(0, size)).has_value());
  }
}

TEST_CASE("a frame of the second format is read by who reads it, and every bit of it counts") {
  const Bytes first = encode_message(Ping{.number = 300, .names = {"a", "bc"}});
  const Bytes second = reframe(first, 2, 2);
  CHECK(decode_frame(first, 1)->sender_reads == 1);
  CHECK_FALSE(decode_frame(second, 1).has_value());
  const auto frame = decode_frame(second, 2);
  REQUIRE(frame.has_value());
  CHECK(frame->sender_reads == 2);
  CHECK(frame->kind == Ping::kind);
  CHECK(decode<Ping>(frame->body)->names.size() == 2);
  for (std::size_t bit = 0; bit < second.size() * 8; ++bit) {
    Bytes flipped = second;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    CAPTURE(bit);
    CHECK_FALSE(decode_frame(flipped).has_value());
  }
  // Newer software that speaks the old format is understood, and says what it reads.
  const Bytes polite = reframe(second, 1, 2);
  REQUIRE(decode_frame(polite, 1).has_value());
  CHECK(decode_frame(polite, 1)->sender_reads == 2);
  CHECK(reframe(polite, 1, 1) == first);
}

TEST_CASE("enums are described by the names beside them, and unknown values by their numbers") {
  CHECK(describe(Consistency::quorum) == "quorum");
  CHECK(describe(fact::WriteCause::repair) == "repair");
  CHECK(describe(static_cast<Consistency>(9)) == "9");
  CHECK(describe(Nameless::second) == "1");
}

TEST_CASE("points in time are described so that people can read them") {
  CHECK(describe(WallTime(24h * 19723 + 45'013'000us)) == "2024-01-01T00:00:45.013Z");
  CHECK(describe(WallTime(24h * 60 + 1ns)) == "1970-03-02T00:00:00.000000001Z");
  CHECK(describe(WallTime(-1s)) == "1969-12-31T23:59:59Z");
  CHECK(describe(MonotonicTime(61s + 250ms)) == "61.25s");
  CHECK(describe(MonotonicTime(-5ms)) == "-0.005s");
  CHECK(describe(MonotonicTime{}) == "0s");
  CHECK(describe(kForever) == "for ever");
}

TEST_CASE("a kind is found by number, and names its channel") {
  const MessageSpec* const spec = find_message_spec(Ping::kind);
  REQUIRE(spec != nullptr);
  CHECK(spec->name == "Ping");
  CHECK(spec->kind.channel() == Channel::node);
  CHECK(find_message_spec(MessageKind(Channel::node, 251)) == nullptr);
}
