// What is not a message of ours, or not from whom it says, changes nothing.
#include "protocols/sync/messages.hpp"

#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;
using namespace sync_detail;

// Two partitions; a repair of partition 0 on node 3 has asked node 1 and has no answer yet.
struct Asked : Cluster {
  Asked() : Cluster({.nodes = 3, .partitions = 2}) {
    found_all();
    PartitionId other{1};
    for (int i = 0; mine.empty() || alien.empty(); ++i) {
      const Key key = "key-" + std::to_string(i);
      (partition_of(key, 2) == other ? alien : mine) = key;
    }
    node(1).write(record(mine, 10));
    run_for(10ms);
    node(3).sync().repair({.partition = kOnly,
                           .sources = nodes({1}),
                           .rule = SourceRule::first,
                           .merge = MergeRule::merge,
                           .wipe = false,
                           .mechanism = "test"});
    world().drops = [](const Sent& sent) { return sent.kind == FetchReply::kind; };
    run_for(20ms);
    const auto reply = decode<FetchReply>(decode_frame(world().sent.back().frame)->body);
    REQUIRE(reply.has_value());
    good = *reply;
    node(3).forget_facts();
  }
  bool receive(const FetchReply& reply, Address from = Address{1}) {
    return node(3).receive(from, encode_message(reply));
  }

  Key mine;
  Key alien;  // of the other partition
  FetchReply good;
};

TEST_CASE("a malformed answer is rejected, and the right one is still accepted afterwards") {
  Asked asked;
  std::vector<FetchReply> bad(8, asked.good);
  bad[0].partition = PartitionId{7};
  bad[1].partition = PartitionId{1};
  bad[2].state = static_cast<SourceState>(9);
  bad[3].state = SourceState::unable;  // and yet has records
  bad[4].records.push_back(bad[4].records[0]);
  bad[5].records[0].key = bad[5].last = asked.alien;
  bad[6].last = "another";
  bad[7].records.clear();
  bad[7].last.clear();
  bad[7].more = true;
  for (const FetchReply& reply : bad) CHECK_FALSE(asked.receive(reply));
  CHECK_FALSE(asked.receive(asked.good, Address{2}));
  CHECK(asked.node(3).all_facts().empty());
  CHECK(asked.node(3).contents().empty());

  CHECK(asked.receive(asked.good));
  CHECK(asked.node(3).contents().size() == 1);
}

TEST_CASE("an answer to another repair or chunk is ignored") {
  Asked asked;
  FetchReply other = asked.good;
  ++other.repair;
  CHECK(asked.receive(other));
  other = asked.good;
  ++other.chunk;
  CHECK(asked.receive(other));
  CHECK(asked.node(3).all_facts().empty());
}

TEST_CASE("a request for another node, from a client or of no such partition is rejected") {
  Asked asked;
  FetchRequest fetch;
  fetch.source = NodeId{1};
  CHECK(asked.node(1).receive(Address{3}, encode_message(fetch)));
  const std::size_t sent = asked.world().sent.size();
  CHECK_FALSE(asked.node(1).receive(client_address(ClientId{1}), encode_message(fetch)));
  CHECK_FALSE(asked.node(2).receive(Address{3}, encode_message(fetch)));
  fetch.partition = PartitionId{2};
  CHECK_FALSE(asked.node(1).receive(Address{3}, encode_message(fetch)));
  FreshnessRequest freshness;
  freshness.source = NodeId{2};
  CHECK_FALSE(asked.node(1).receive(Address{3}, encode_message(freshness)));
  CHECK(asked.world().sent.size() == sent);
}

TEST_CASE("each bit of each kind of message, flipped, is rejected and changes nothing") {
  Asked asked;
  FreshnessReply freshness;
  freshness.source = NodeId{1};
  FetchRequest fetch;
  fetch.source = NodeId{3};
  FreshnessRequest probe;
  probe.source = NodeId{3};
  const std::size_t sent = asked.world().sent.size();
  for (const Bytes& frame : {encode_message(asked.good), encode_message(freshness),
                             encode_message(fetch), encode_message(probe)}) {
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      Bytes flipped = frame;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ 1U << bit % 8);
      CHECK_FALSE(asked.node(3).receive(Address{1}, flipped));
    }
  }
  CHECK(asked.node(3).all_facts().empty());
  CHECK(asked.world().sent.size() == sent);
}

TEST_CASE("a body that is cut short at any byte, under a right checksum, changes no data") {
  Asked asked;
  const Bytes whole = encode_message(asked.good);
  const std::optional<Frame> frame = decode_frame(whole);
  REQUIRE(frame.has_value());
  for (std::size_t size = 0; size < frame->body.size(); ++size) {
    const Bytes cut = encode_frame(FetchReply::kind, frame->body.first(size));
    static_cast<void>(asked.node(3).receive(Address{1}, cut));
    CHECK(asked.node(3).contents().empty());
  }
}

}  // namespace
}  // namespace rejoin
