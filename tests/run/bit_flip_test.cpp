// One message of each kind, each of its bits flipped in turn: a node rejects it, says so, and does
// nothing else.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "protocols/node/node.hpp"
#include "sim/run/run.hpp"
#include "tests/support/hand_world.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

// Keeps the first frame of each kind that goes over the wire, and where it went.
class FirstFrames final : public TraceSink {
 public:
  struct Sent {
    Address from;
    Address to;
    Bytes frame;
  };
  std::map<MessageKind, Sent> frames;

  void on_event(const TraceEvent&) override {}
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_send(MonotonicTime, std::uint64_t, Address from, Address to, ByteView frame,
               const Tag& tag) override {
    frames.try_emplace(tag.kind,
                       Sent{.from = from, .to = to, .frame = Bytes(frame.begin(), frame.end())});
  }
  void on_drop(MonotonicTime, std::uint64_t, Address, Address, const Tag&, DropReason) override {}
};

// Schedules that between them use every message there is.
std::map<MessageKind, FirstFrames::Sent> one_of_each_kind() {
  FirstFrames sink;
  Schedule schedule = test::seed_schedule("rejoin-sync");
  schedule.client.cached_map = true;
  action::Operate quorum = test::operate(OperationKind::read, {"key-1"});
  quorum.level = Consistency::all;
  action::Operate configure;
  configure.kind = OperationKind::configure;
  configure.settings = {{"mode", "fast"}};
  schedule.timeline.push_back(test::step("R", trigger::Next{}, quorum));
  schedule.timeline.push_back(test::step("S", trigger::Next{}, configure));
  // A wiped disk is brought up by a snapshot.
  action::Inject wiped = test::inject("restart", NodeId(2));
  wiped.params.set("wipe", std::string("true"));
  schedule.timeline.push_back(test::step("C", trigger::Next{}, test::inject("crash", NodeId(2))));
  schedule.timeline.push_back(test::step("W", trigger::Next{}, wiped));
  // A client that waits for a node which has moved asks another where it is.
  action::Operate via_moved = test::operate(OperationKind::write, {"key-1"});
  via_moved.via = NodeId(1);
  schedule.timeline.push_back(
      test::step("M", trigger::After{20s}, test::inject("move", NodeId(1))));
  schedule.timeline.push_back(test::step("V", trigger::After{20s}, via_moved));
  (void)run(schedule, {.expectations = false, .trace = &sink});
  // Replicas that miss writes, and compare what they hold.
  for (const char* const name : {"merkle", "digest-list"}) {
    Schedule comparing = test::seed_schedule(name);
    comparing.node.store.versions = VersionScheme::timestamp;
    comparing.node.sync.mechanisms.front().params.set("period", Duration(1s));
    comparing.network.loss = Share{300'000};
    (void)run(comparing, {.expectations = false, .trace = &sink});
  }
  // Owners that miss writes: hints, stand-ins, and reads that mend.
  Schedule hinting = test::seed_schedule("hinted-handoff");
  hinting.node.store.versions = VersionScheme::timestamp;
  hinting.node.sync.mechanisms.push_back(
      {"read-repair", default_params(Mechanisms::find("read-repair")->params)});
  hinting.node.coordinator.sloppy = true;
  hinting.cluster.nodes = 4;
  hinting.network.loss = Share{200'000};
  hinting.timeline.push_back(
      test::step("Q", trigger::After{1s}, test::operate(OperationKind::read, test::keys(1, 100))));
  action::Operate majority = test::operate(OperationKind::read, test::keys(1, 100));
  majority.level = Consistency::quorum;
  hinting.timeline.push_back(test::step("N", trigger::Next{}, majority));
  (void)run(hinting, {.expectations = false, .trace = &sink});
  // And tombstones that all owners have to know of.
  Schedule deleting = test::seed_schedule("rejoin-sync");
  deleting.node.store.versions = VersionScheme::timestamp;
  deleting.node.store.tombstones = TombstoneRule::all_ack;
  deleting.node.store.tombstone_ack_delay = 1s;
  deleting.timeline.push_back(test::step("D", trigger::After{1s},
                                         test::operate(OperationKind::remove, {"key-1", "key-2"})));
  deleting.timeline.push_back(test::step("L", trigger::After{20s}, action::Wait{}));
  (void)run(deleting, {.expectations = false, .trace = &sink});
  return sink.frames;
}

// A founding member on the hand-stepped Env, settled, with its facts and sends watched.
struct Victim {
  test::HandWorld world;
  std::uint64_t rejected = 0;
  std::uint64_t other_facts = 0;

  Victim() {
    const NodeConfig config{.node = NodeId(1), .seeds = {Address(2), Address(3)}, .options = {}};
    const std::vector<Founder> founders = {
        {NodeId(1), Address(1)}, {NodeId(2), Address(2)}, {NodeId(3), Address(3)}};
    world.add_host(Address(1), [config](Env& env, Observer& observer) {
      return std::make_unique<Node>(env, observer, config);
    });
    for (DiskFile& file : Founding(ClusterId(1), founders, {}).files_of(NodeId(1))) {
      world.put_file(Address(1), file.name, std::move(file.content));
    }
    world.start(Address(1));
    const MonotonicTime settled = world.now() + 50ms;
    world.run_until([&] { return world.now() >= settled; }, 50ms);
    world.watch = [this](const FactSource&, const Fact& fact) {
      if (std::holds_alternative<fact::MessageRejected>(fact)) {
        ++rejected;
      } else {
        ++other_facts;
      }
    };
  }
};

}  // namespace

TEST_CASE("every kind of message is seen on the wire, so that none escapes the flips") {
  const auto frames = one_of_each_kind();
  std::string missing;
  for (const MessageSpec& spec : message_specs()) {
    if (!frames.contains(spec.kind)) missing += std::string(spec.name) + " ";
  }
  CHECK(missing == "");
}

TEST_CASE("a message with any one bit flipped is rejected and counted, and changes nothing") {
  std::size_t flips = 0;
  for (const auto& [kind, sent] : one_of_each_kind()) {
    INFO(describe_frame(sent.frame));
    REQUIRE(decode_frame(sent.frame).has_value());
    Victim victim;
    Process& node = *victim.world.process(Address(1));
    std::uint64_t expected = 0;
    for (std::size_t bit = 0; bit < sent.frame.size() * 8; ++bit) {
      Bytes flipped = sent.frame;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
      CHECK_FALSE(decode_frame(flipped).has_value());
      node.on_message(sent.from, flipped);
      ++expected;
    }
    CHECK(victim.rejected == expected);
    CHECK(victim.other_facts == 0);
    flips += expected;
  }
  CHECK(flips > 5'000);
}

}  // namespace rejoin::sim
