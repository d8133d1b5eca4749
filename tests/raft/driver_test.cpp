// The driver on hand-stepped machines: real frames, real files, real log bytes.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocols/raft/raft.hpp"
#include "tests/support/fake_env.hpp"

namespace rejoin::raft {
namespace {

constexpr std::uint64_t kIdMask = (1ULL << kChannelShift) - 1;

class Words final : public StateMachine {
 public:
  void apply(LogIndex, Term, ByteView command, bool) override {
    words.emplace_back(command.begin(), command.end());
  }
  [[nodiscard]] Bytes snapshot() const override { return encode(words); }
  [[nodiscard]] tl::expected<void, SnapshotRefused> restore(ByteView bytes) override {
    auto restored = decode<std::vector<std::string>>(bytes);
    if (!restored) return tl::unexpected(SnapshotRefused{.damaged = true, .why = "no words"});
    if (!restored->empty() && restored->front() == "others") {
      return tl::unexpected(SnapshotRefused{.damaged = false, .why = "made for others"});
    }
    words = *restored;
    return {};
  }
  std::vector<std::string> words;
};

struct Machine {
  explicit Machine(std::uint32_t n) : node(n), env(Address(n)) {}

  void boot(const RaftOptions& options) {
    env.completions.clear();
    env.timers.clear();
    bus = std::make_unique<test::FakeBus>();
    words = std::make_unique<Words>();
    raft = std::make_unique<Raft>(env, *bus, NodeId(node), options);
    raft->add_group(kClusterGroup, *words);
    raft->start();
    raft->on_local(local::IdentityKnown{NodeId(node), Incarnation(1)});
  }
  void complete() {
    while (!env.completions.empty() && !env.halted) {
      IoDone done = env.completions.front();
      env.completions.pop_front();
      done.token = IoToken(done.token.value & kIdMask);
      raft->on_io(done);
    }
  }

  std::uint32_t node;
  test::FakeEnv env;
  std::unique_ptr<test::FakeBus> bus;
  std::unique_ptr<Words> words;
  std::unique_ptr<Raft> raft;
};

struct Cluster {
  explicit Cluster(const RaftOptions& chosen) : options(chosen) {
    Configuration founders;
    for (const std::uint32_t n : {1U, 2U, 3U}) {
      founders.servers.push_back({NodeId(n), Incarnation(1), Address(n), true});
    }
    for (auto& machine : machines) {
      for (const DiskFile& file :
           bootstrap_files(kClusterGroup, founders, encode(std::vector<std::string>{}))) {
        machine.env.files[file.name] = file.content;
      }
      machine.boot(options);
    }
  }
  void run(Duration duration) {
    const MonotonicTime end = now + duration;
    for (; now < end; now += 1ms) step();
  }
  void step() {
    for (auto& m : machines) {
      m.env.time = now;
      m.complete();
      for (const auto& [timer, deadline] : std::map(m.env.timers)) {
        if (deadline > now) continue;
        m.env.timers.erase(timer);
        m.raft->on_timer(TimerId(timer.value & kIdMask));
      }
      for (const auto& sent : std::exchange(m.env.sent, {})) {
        if (cut_off == m.env.address || cut_off == sent.to) continue;
        const auto frame = decode_frame(sent.frame);
        REQUIRE(frame.has_value());
        Raft& to = *machines.at(sent.to.value - 1).raft;
        CHECK(to.on_message(m.env.address, frame->kind, frame->body));
      }
    }
  }
  Machine* leader() {
    for (auto& m : machines) {
      if (m.raft->leads(kClusterGroup)) return &m;
    }
    return nullptr;
  }

  RaftOptions options;
  Address cut_off;  // neither hears nor is heard
  MonotonicTime now{};
  std::array<Machine, 3> machines{Machine(1), Machine(2), Machine(3)};
};

void propose(Cluster& cluster, const std::string& word) {
  Machine* leader = cluster.leader();
  REQUIRE(leader != nullptr);
  const ByteView bytes = as_bytes(word);
  CHECK(leader->raft->propose(kClusterGroup, Bytes(bytes.begin(), bytes.end())).index);
  cluster.run(100ms);
}

TEST_CASE("three machines elect, replicate, compact and come back from their files") {
  RaftOptions options;
  options.snapshot_entries = 4;
  options.trailing_entries = 1;
  Cluster cluster(options);
  cluster.run(2s);
  std::vector<std::string> expected;
  for (int i = 0; i < 10; ++i) {
    expected.push_back("word-" + std::to_string(i));
    propose(cluster, expected.back());
  }
  for (auto& m : cluster.machines) {
    CHECK(m.words->words == expected);
    CHECK_FALSE(m.bus->facts_of<fact::LogCompacted>().empty());
    CHECK(m.bus->events_of<local::CaughtUp>().size() == 1);
  }
  for (auto& m : cluster.machines) m.boot(options);
  cluster.run(2s);
  propose(cluster, "after");
  expected.emplace_back("after");
  for (auto& m : cluster.machines) CHECK(m.words->words == expected);
}

TEST_CASE("a failed sync halts the node, and nothing that waited for it is sent") {
  Cluster cluster({});
  cluster.run(2s);
  Machine* leader = cluster.leader();
  REQUIRE(leader != nullptr);
  Machine& follower = cluster.machines.at(leader->node == 1 ? 1 : 0);
  follower.env.io_fails = true;
  propose(cluster, "word");
  CHECK(follower.env.halted.has_value());
  CHECK(follower.words->words.empty());
  CHECK(leader->words->words == std::vector<std::string>{"word"});
}

TEST_CASE("a snapshot that the state machine has no place for halts a server at its start") {
  Machine machine(1);
  const auto boot_with = [&](const Bytes& state) {
    const Configuration alone{{{NodeId(1), Incarnation(1), Address(1), true}}};
    for (const DiskFile& file : bootstrap_files(kClusterGroup, alone, state)) {
      machine.env.files[file.name] = file.content;
    }
    machine.env.halted.reset();
    machine.boot({});
    machine.complete();
  };
  boot_with(encode(std::vector<std::string>{"others"}));
  CHECK(machine.env.halted == "made for others");
  // Its disk is as it should be.
  CHECK(machine.bus->facts_of<fact::StorageCorrupt>().empty());
  CHECK(machine.bus->facts_of<fact::LogRecovered>().empty());
  boot_with({0xff});
  CHECK(machine.env.halted ==
        "raft.snapshot-1 is corrupt: no words; restart this server on an "
        "empty disk");
  CHECK(machine.bus->facts_of<fact::StorageCorrupt>().size() == 1);
}

TEST_CASE("a snapshot that the state machine has no place for halts whoever is sent it") {
  RaftOptions options;
  options.snapshot_entries = 4;
  options.trailing_entries = 1;
  Cluster cluster(options);
  cluster.run(2s);
  Machine* leader = cluster.leader();
  REQUIRE(leader != nullptr);
  Machine& behind = cluster.machines.at(leader->node == 1 ? 1 : 0);
  cluster.cut_off = behind.env.address;
  for (const char* const word : {"others", "a", "b", "c", "d", "e"}) propose(cluster, word);
  cluster.cut_off = {};
  behind.bus->events.clear();
  cluster.run(2s);
  CHECK(behind.env.halted == "made for others");
  CHECK(behind.words->words.empty());
  CHECK(behind.bus->events_of<local::CaughtUp>().empty());
  // It was written down before it was looked at: the next start need not ask anyone.
  behind.env.halted.reset();
  behind.boot(options);
  behind.complete();
  CHECK(behind.env.halted == "made for others");
}

TEST_CASE("a damaged log tail is reported, cut, and mended before anything is appended") {
  Cluster cluster({});
  cluster.run(2s);
  propose(cluster, "kept");
  Machine& machine = cluster.machines[1];
  machine.env.files.at("raft.log").insert(machine.env.files.at("raft.log").end(), 5, 0xee);
  machine.boot(cluster.options);
  machine.complete();
  REQUIRE(machine.bus->facts_of<fact::MessageRejected>().size() == 1);
  CHECK(machine.bus->facts_of<fact::MessageRejected>()[0].reason.find("torn record") !=
        std::string::npos);
  CHECK_FALSE(recover_log(machine.env.files.at("raft.log")).damage.has_value());
  cluster.run(2s);
  propose(cluster, "next");
  CHECK(machine.words->words == std::vector<std::string>{"kept", "next"});
  CHECK_FALSE(recover_log(machine.env.files.at("raft.log")).damage.has_value());
}

}  // namespace
}  // namespace rejoin::raft
