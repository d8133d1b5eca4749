// The mechanism `hinted-handoff`: what is kept, for how long, and how it reaches its owner. Nobody
// coordinates here: tests keep hints as a coordinator would.
#include "protocols/sync/hint_log.hpp"
#include "protocols/sync/hint_messages.hpp"
#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;
using sync_detail::HintDelivered;
using sync_detail::HintDelivery;

using Given = std::map<std::string, std::string>;

Setup handing_off(const Given& params = {}) {
  Setup setup;
  setup.sync.mechanisms = {mechanism("hinted-handoff", params)};
  setup.sync.fetch_timeout = 500ms;
  return setup;
}

// Node 3 is away, and node 1 keeps what it misses.
struct Handoff : Cluster {
  explicit Handoff(const Given& params = {}) : Cluster(handing_off(params)) {
    found_all();
    run_for(10ms);
  }
  std::optional<std::uint64_t> keep(const Record& record, std::uint32_t owner = 3) {
    const auto seq = node(1).coordination().hints->keep(NodeId(owner), record);
    node(1).drain();
    return seq;
  }
  void keep_many(int from, int to) {
    for (int i = from; i < to; ++i) keep(sync_test::record("k" + std::to_string(i), i));
  }
  // It starts, and node 1 hears of it.
  void back() {
    come_back(3);
    hear();
  }
  void hear() {
    node(1).coordination().hints->heard(Address(3));
    node(1).drain();
  }
  [[nodiscard]] std::vector<std::string> ends() {
    std::vector<std::string> out;
    for (const auto& ended : node(1).facts<fact::HintEnded>()) out.push_back(ended.how);
    return out;
  }
  [[nodiscard]] std::size_t deliveries() { return world().count(HintDelivery::kind); }
  [[nodiscard]] std::vector<Key> delivered_keys() {
    std::vector<Key> out;
    for (const Sent& sent : world().sent) {
      if (sent.kind != HintDelivery::kind) continue;
      const auto frame = decode_frame(sent.frame);
      REQUIRE(frame.has_value());
      out.push_back(decode<HintDelivery>(frame->body)->record.key);
    }
    return out;
  }
};

TEST_CASE("hinted-handoff: an owner that is back gets what it missed, and the hint ends") {
  Handoff cluster;
  cluster.node(3).crash();
  const auto seq = cluster.keep(record("a", 5));
  cluster.keep(record("b", 6, true));
  REQUIRE(seq.has_value());
  cluster.run_for(10ms);
  CHECK(cluster.node(1).facts<fact::HintStored>().size() == 2);
  CHECK(cluster.node(1).facts<fact::HintsDurable>().back().up_to >= *seq);
  CHECK(cluster.node(1).coordination().hints->durable_sequence() >= *seq);
  cluster.back();
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents() == std::map<Key, Value>{{"a", "a@5"}, {"b", "(deleted)"}});
  CHECK(cluster.ends() == std::vector<std::string>{"delivered", "delivered"});
  for (const auto& written : cluster.node(3).facts<fact::RecordWritten>()) {
    CHECK(written.cause == fact::WriteCause::repair);
  }
  for (const Sent& sent : cluster.world().sent) {
    if (sent.kind == HintDelivery::kind) CHECK(sent.tag.purpose == Purpose::repair);
  }
  const std::size_t before = cluster.deliveries();
  cluster.run_for(60s);
  CHECK(cluster.deliveries() == before);  // and then there is silence
}

TEST_CASE("hinted-handoff: an owner that is not heard of is tried once a round") {
  Handoff cluster(Given{{"retry", "2s"}});
  cluster.node(3).crash();
  cluster.keep_many(1, 20);
  cluster.run_for(9s);
  CHECK(cluster.deliveries() >= 3);
  CHECK(cluster.deliveries() <= 5);
  cluster.come_back(3);
  cluster.run_for(3s);
  CHECK(cluster.node(3).contents().size() == 19);
}

TEST_CASE("hinted-handoff: a hint ends when it is durable at its owner, and not before") {
  Handoff cluster;
  cluster.node(3).crash();
  cluster.keep(record("a", 5));
  cluster.come_back(3);
  cluster.node(3).hold_syncs(true);
  cluster.hear();
  cluster.run_for(100ms);
  CHECK(cluster.node(3).contents().size() == 1);
  CHECK(cluster.ends().empty());
  cluster.node(3).hold_syncs(false);
  cluster.run_for(100ms);
  CHECK(cluster.ends().size() == 1);
}

TEST_CASE("hinted-handoff: what the owner wrote meanwhile stays when it is newer") {
  Handoff cluster;
  cluster.node(3).crash();
  cluster.keep(record("a", 5));
  cluster.come_back(3);
  cluster.node(3).write(record("a", 9));
  cluster.hear();
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().at("a") == "a@9");
  CHECK(cluster.ends() == std::vector<std::string>{"delivered"});
}

TEST_CASE("hinted-handoff: lost messages are sent again, each try by another draw") {
  Handoff cluster(Given{{"retry", "1s"}});
  cluster.node(3).crash();
  cluster.keep(record("a", 5));
  int lost = 0;
  cluster.world().drops = [&lost](const Sent& sent) {
    return (sent.kind == HintDelivery::kind || sent.kind == HintDelivered::kind) && lost++ < 2;
  };
  cluster.back();
  cluster.run_for(10s);
  CHECK(cluster.ends() == std::vector<std::string>{"delivered"});
  std::vector<std::uint32_t> attempts;
  for (const Sent& sent : cluster.world().sent) {
    if (sent.kind == HintDelivery::kind) attempts.push_back(sent.tag.attempt);
  }
  CHECK(attempts.size() >= 2);
  for (std::uint32_t i = 0; i < attempts.size(); ++i) CHECK(attempts[i] == i);
}

TEST_CASE("hinted-handoff: the window bounds the outage, and the age of a hint") {
  Handoff cluster(Given{{"window", "1m"}, {"retry", "10s"}});
  cluster.node(3).crash();
  CHECK(cluster.keep(record("a", 1)).has_value());
  cluster.run_for(59s);
  CHECK(cluster.keep(record("b", 2)).has_value());
  cluster.run_for(2s);
  CHECK_FALSE(cluster.keep(record("c", 3)).has_value());
  cluster.run_for(10s);  // by now `a` is too old, and `b` is not
  cluster.back();
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents() == std::map<Key, Value>{{"b", "b@2"}});
  CHECK(cluster.ends() ==
        std::vector<std::string>{"its owner has been away for longer than the window",
                                 "older than the window", "delivered"});
  // It was heard of: the next outage is another one.
  CHECK(cluster.keep(record("d", 4)).has_value());
}

TEST_CASE("hinted-handoff: beyond the cap hints are dropped and counted") {
  Handoff cluster(Given{{"cap", "3"}});
  cluster.node(3).crash();
  cluster.keep_many(1, 6);
  CHECK(cluster.node(1).facts<fact::HintStored>().size() == 3);
  CHECK(cluster.ends() == std::vector<std::string>{"too many hints", "too many hints"});
  cluster.back();
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().size() == 3);
  CHECK(cluster.keep(record("z", 9)).has_value());  // there is room again
}

TEST_CASE("hinted-handoff: the throttle spreads the replay over time") {
  const auto time_of = [](const std::string& throttle) {
    Handoff cluster(Given{{"throttle", throttle}});
    cluster.node(3).crash();
    cluster.keep_many(1, 41);
    cluster.back();
    for (int step = 1; step <= 100; ++step) {
      cluster.run_for(100ms);
      if (cluster.node(3).contents().size() == 40) return step;
    }
    return 1000;
  };
  CHECK(time_of("0B") == 1);
  const int slow = time_of("1KiB");  // 40 records of some 55 bytes: about 2 s
  CHECK(slow >= 15);
  CHECK(slow <= 30);
}

TEST_CASE("hinted-handoff: order of replay") {
  for (const bool newest : {false, true}) {
    Handoff cluster(Given{{"order", newest ? "newest-first" : "arrival"}});
    cluster.node(3).crash();
    cluster.keep_many(1, 4);
    cluster.back();
    cluster.run_for(1s);
    const std::vector<Key> in_order{"k1", "k2", "k3"};
    const std::vector<Key> reversed{"k3", "k2", "k1"};
    CHECK(cluster.delivered_keys() == (newest ? reversed : in_order));
  }
}

TEST_CASE("hinted-handoff: the same record is kept once, a newer one besides") {
  Handoff cluster;
  cluster.node(3).crash();
  const auto first = cluster.keep(record("a", 1));
  CHECK(cluster.keep(record("a", 1)) == first);
  CHECK(cluster.keep(record("a", 2)) != first);
  CHECK(cluster.node(1).facts<fact::HintStored>().size() == 2);
}

// ---- Files ---------------------------------------------------------------------------------

TEST_CASE("hinted-handoff: durable hints outlive their holder's process, others do not") {
  for (const bool durable : {true, false}) {
    Handoff cluster(Given{{"durable", durable ? "true" : "false"}});
    cluster.node(3).crash();
    cluster.keep_many(1, 6);
    cluster.run_for(10ms);
    cluster.node(1).crash();
    cluster.run_for(10ms);
    cluster.come_back(1);
    cluster.run_for(10ms);
    cluster.back();
    cluster.run_for(11s);
    CHECK(cluster.node(3).contents().size() == (durable ? 5 : 0));
    CHECK(cluster.node(1).file("sync.hints").empty() != durable);
    if (!durable) CHECK(cluster.node(1).facts<fact::HintsDurable>().empty());
  }
}

TEST_CASE("hinted-handoff: a hint that was not synced is lost by a crash, and was not durable") {
  Handoff cluster;
  cluster.node(3).crash();
  cluster.node(1).hold_syncs(true);
  const auto seq = cluster.keep(record("a", 1));
  CHECK(cluster.node(1).coordination().hints->durable_sequence() < *seq);
  cluster.run_for(1s);
  cluster.node(1).crash();
  cluster.node(1).hold_syncs(false);
  cluster.come_back(1);
  cluster.back();
  cluster.run_for(11s);
  CHECK(cluster.node(3).contents().empty());
}

TEST_CASE("hinted-handoff: a torn tail is cut off and reported, what was synced stays") {
  Handoff cluster;
  cluster.node(3).crash();
  cluster.keep(record("a", 1));
  cluster.run_for(10ms);
  cluster.node(1).crash();
  std::string content = cluster.node(1).file("sync.hints");
  content += std::string("\x20\x00\x00\x00torn", 8);
  cluster.node(1).put_file({.name = "sync.hints", .content = {content.begin(), content.end()}});
  cluster.node(1).forget_facts();
  cluster.come_back(1);
  cluster.back();
  cluster.run_for(11s);
  CHECK(cluster.node(1).facts<fact::MessageRejected>().size() == 1);
  CHECK(cluster.node(1).facts<fact::StorageCorrupt>().empty());
  CHECK(cluster.node(3).contents().size() == 1);
}

TEST_CASE("hinted-handoff: any damage to what was synced is found, and halts the node") {
  Handoff cluster;
  cluster.node(3).crash();
  cluster.keep(record("a", 1));
  cluster.run_for(10ms);
  cluster.keep(record("b", 2));
  cluster.run_for(10ms);
  cluster.node(1).crash();
  const std::string content = cluster.node(1).file("sync.hints");
  const auto whole = sync_detail::read_hints(as_bytes(content));
  REQUIRE_FALSE(whole.damage.has_value());
  REQUIRE(whole.hints.size() == 2);
  std::size_t found = 0;
  for (std::size_t at = 0; at < content.size(); ++at) {
    std::string damaged = content;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const auto read = sync_detail::read_hints(as_bytes(damaged));
    // The last frame, a mark, vouches for all; without it the last hint looks as if it was torn.
    const bool unharmed = read.hints.size() == 2 && read.life == whole.life &&
                          read.hints.at(1).record == whole.hints.at(1).record &&
                          read.hints.at(2).record == whole.hints.at(2).record;
    CHECK((read.damage.has_value() || unharmed));
    if (read.damage && !read.damage->torn) ++found;
  }
  CHECK(found > content.size() / 2);
  std::string damaged = content;
  damaged[12] = static_cast<char>(damaged[12] ^ 1);
  cluster.node(1).put_file({.name = "sync.hints", .content = {damaged.begin(), damaged.end()}});
  cluster.node(1).forget_facts();
  cluster.come_back(1);
  cluster.run_for(10ms);
  CHECK(cluster.node(1).facts<fact::StorageCorrupt>().size() == 1);
  CHECK(cluster.node(1).halted().find("sync.hints is corrupt") != std::string::npos);
  CHECK_FALSE(cluster.node(1).coordination().hints->ready());
}

TEST_CASE("hinted-handoff: the file does not grow with what has been delivered") {
  Handoff cluster(Given{{"throttle", "0B"}});
  for (int round = 0; round < 30; ++round) {
    Record big = record("k" + std::to_string(round), round + 1);
    big.value.assign(100'000, 'x');
    cluster.keep(big);
    cluster.hear();
    cluster.run_for(1s);
  }
  CHECK(cluster.ends().size() == 30);
  CHECK(cluster.node(1).file("sync.hints").size() < 2 * sync_detail::HintLog::kWasteBytesMax);
}

// ---- Other lives, other owners ---------------------------------------------------------------

// The member's next life, on every node that runs.
void readmit(Cluster& cluster, std::uint32_t n, std::uint64_t incarnation, LogIndex index) {
  const Bytes command =
      encode(ClusterCommand{command::SetMember{{NodeId(n), Incarnation(incarnation), Address(n)}}});
  for (std::uint32_t other = 1; other <= 2; ++other) {
    cluster.node(other).cluster().apply(index, Term{1}, command, false);
  }
  cluster.drain_all();
}

TEST_CASE("hinted-handoff: a lost disk gets the hints of its node, or those of its life alone") {
  for (const bool by_incarnation : {false, true}) {
    Handoff cluster(Given{{"keyed_by", by_incarnation ? "incarnation" : "node"}});
    cluster.node(3).crash();
    cluster.keep(record("a", 1));
    cluster.node(3).wipe_disk();
    readmit(cluster, 3, 2, LogIndex(100));
    cluster.come_back(3, Incarnation(2));
    cluster.hear();
    cluster.run_for(11s);
    CHECK(cluster.node(3).contents().size() == (by_incarnation ? 0 : 1));
    CHECK(cluster.ends() == std::vector<std::string>{by_incarnation
                                                         ? "its owner is another incarnation now"
                                                         : "delivered"});
  }
}

TEST_CASE("hinted-handoff: hints for who owns the key no more go to all who do") {
  Handoff cluster;
  cluster.node(3).crash();
  cluster.keep(record("a", 1));
  cluster.run_for(10ms);
  cluster.move_to({nodes({1, 2})});
  cluster.drain_all();
  cluster.run_for(11s);
  CHECK(cluster.ends() == std::vector<std::string>{"delivered"});
  CHECK(cluster.node(1).contents().size() == 1);
  CHECK(cluster.node(2).contents().size() == 1);
  cluster.come_back(3);
  cluster.hear();
  cluster.run_for(11s);
  CHECK(cluster.node(3).contents().empty());
}

TEST_CASE("hinted-handoff: an owner by an older map refuses, and gets it when it knows") {
  Setup setup = handing_off({{"retry", "1s"}});
  Cluster cluster(setup);
  cluster.assume_owners({nodes({1, 2})});
  cluster.found(3);
  cluster.assume_owners({nodes({1, 2, 3})});
  cluster.found(1);
  cluster.found(2);
  cluster.run_for(10ms);
  (void)cluster.node(1).coordination().hints->keep(NodeId(3), record("a", 1));
  cluster.run_for(3s);
  CHECK(cluster.node(3).contents().empty());
  CHECK(cluster.node(1).facts<fact::HintEnded>().empty());
  cluster.move_to({nodes({1, 2, 3})});
  cluster.drain_all();
  cluster.run_for(3s);
  CHECK(cluster.node(3).contents().size() == 1);
}

// ---- Bad input -----------------------------------------------------------------------------

TEST_CASE(
    "hinted-handoff: hints that are damaged, or for another, are rejected and change nothing") {
  Handoff cluster;
  HintDelivery hint{.life = 1, .seq = 1, .target = NodeId(3), .record = record("a", 1)};
  hint.record.causality = std::make_shared<const Causality>();
  CHECK_FALSE(cluster.node(3).receive(Address(1), encode_message(hint)));
  hint.record.causality = nullptr;
  hint.target = NodeId(2);
  CHECK_FALSE(cluster.node(3).receive(Address(1), encode_message(hint)));
  hint.target = NodeId(3);
  CHECK_FALSE(cluster.node(3).receive(client_address(ClientId(1)), encode_message(hint)));
  const Bytes cut = encode_frame(HintDelivery::kind, ByteView());
  CHECK_FALSE(cluster.node(3).receive(client_address(ClientId(1)), cut));
  CHECK(cluster.node(3).contents().empty());
}

TEST_CASE("hinted-handoff: only the owner that was asked ends a hint") {
  Handoff cluster;
  cluster.node(3).crash();
  const auto seq = cluster.keep(record("a", 1));
  cluster.world().drops = [](const Sent& sent) { return sent.kind == HintDelivery::kind; };
  cluster.hear();  // it is under way
  cluster.run_for(1ms);
  REQUIRE(cluster.deliveries() == 1);
  const auto frame = decode_frame(cluster.world().sent.back().frame);
  const auto sent = decode<HintDelivery>(frame->body);
  REQUIRE(sent->seq == *seq);
  const auto say = [&](Address from, HintDelivered message) {
    return cluster.node(1).receive(from, encode_message(message));
  };
  const HintDelivered right{.life = sent->life, .seq = *seq, .target = NodeId(3), .accepted = true};
  HintDelivered wrong = right;
  wrong.life = sent->life + 1;
  CHECK(say(Address(3), wrong));
  wrong = right;
  wrong.seq = *seq + 1;
  CHECK(say(Address(3), wrong));
  wrong = right;
  wrong.target = NodeId(2);
  CHECK(say(Address(2), wrong));
  CHECK(say(Address(2), right));
  CHECK_FALSE(say(client_address(ClientId(1)), right));
  CHECK(cluster.ends().empty());
  CHECK(say(Address(3), right));
  CHECK(cluster.ends() == std::vector<std::string>{"delivered"});
}

TEST_CASE("hinted-handoff: what makes no sense is refused with the reason") {
  const MechanismSpec& spec = *Mechanisms::find("hinted-handoff");
  const auto refusal = [&spec](const Given& params, bool sloppy) {
    NodeOptions options;
    options.coordinator.sloppy = sloppy;
    return spec.refuses(options, handing_off(params).sync.mechanisms.front().params);
  };
  CHECK(refusal({}, false).empty());
  CHECK(refusal({}, true).empty());
  CHECK(refusal({{"durable", "false"}}, false).empty());
  CHECK_FALSE(refusal({{"durable", "false"}}, true).empty());
  CHECK_FALSE(refusal({{"retry", "0s"}}, false).empty());
}

}  // namespace
}  // namespace rejoin
