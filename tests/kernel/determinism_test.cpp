#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

constexpr std::uint32_t kNodes = 5;

class Trace final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override {
    lines.push_back(std::to_string(event.event) + " " + std::string(to_name(event.kind)) + " " +
                    to_hex(event.chain));
    last = event;
  }
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override { ++facts; }
  void on_send(MonotonicTime, std::uint64_t, Address, Address, ByteView, const Tag&) override {
    ++sends;
  }
  void on_drop(MonotonicTime, std::uint64_t, Address, Address, const Tag&,
               DropReason reason) override {
    ++drops[reason];
  }

  std::vector<std::string> lines;
  TraceEvent last;
  std::uint64_t facts = 0;
  std::uint64_t sends = 0;
  std::map<DropReason, std::uint64_t> drops;
};

// Every node tells every other each 10 ms, logs what it hears and syncs its log.
void gossip(Machines& machines) {
  for (std::uint32_t n = 1; n <= kNodes; ++n) {
    Script& script = machines.script(n);
    script.start = [](Env& env) { env.arm(kTick, env.now() + 10ms); };
    script.timer = [n](Env& env, TimerId) {
      const auto round = static_cast<std::uint64_t>(env.now().time_since_epoch() / 10ms);
      for (std::uint32_t to = 1; to <= kNodes; ++to) {
        if (to != n) send_text(env, Address(to), "round " + std::to_string(round), round);
      }
      if (round < 100) env.arm(kTick, env.now() + 10ms);
    };
    script.message = [](Env& env, Address, ByteView frame) {
      env.append("log", frame);
      env.sync("log", kSynced);
    };
  }
}

struct Outcome {
  Hash128 digest;
  std::uint64_t events;
  std::vector<std::string> trace;
};

Outcome run_gossip(std::uint64_t seed, bool fifo, bool faults, bool traced = false) {
  KernelOptions options;
  options.seed = seed;
  options.fifo = fifo;
  options.network.loss = Share{100'000};
  Trace trace;
  Machines machines(options, kNodes, traced ? &trace : nullptr);
  gossip(machines);
  if (faults) {
    machines.at(at_time(200ms), [&] { CHECK(machines.kernel.crash(Address(3))); });
    machines.at(at_time(300ms), [&] { CHECK(machines.kernel.start(Address(3))); });
  }
  machines.start_all();
  machines.run();
  return {machines.kernel.digest(), machines.kernel.events(), trace.lines};
}

TEST_CASE("one seed is one run, faults included") {
  const Outcome once = run_gossip(7, false, true);
  const Outcome again = run_gossip(7, false, true);
  CHECK(once.events > 2'000);
  CHECK(once.events == again.events);
  CHECK(once.digest == again.digest);
}

TEST_CASE("another seed, another order or another fault is another run") {
  const Hash128 plain = run_gossip(7, false, false).digest;
  CHECK(plain != run_gossip(8, false, false).digest);
  CHECK(plain != run_gossip(7, true, false).digest);
  CHECK(plain != run_gossip(7, false, true).digest);
}

TEST_CASE("a trace changes nothing, and numbers every event with its chain") {
  const Outcome plain = run_gossip(7, false, true);
  const Outcome traced = run_gossip(7, false, true, true);
  CHECK(plain.digest == traced.digest);
  REQUIRE(traced.trace.size() == plain.events);
  CHECK(traced.trace == run_gossip(7, false, true, true).trace);
  CHECK(traced.trace.back().starts_with(std::to_string(plain.events) + " "));
}

TEST_CASE("a fact, a payload or a durable byte that differs changes the digest") {
  const auto digest = [](std::string_view sent, std::string_view stored, std::uint64_t count) {
    Machines machines(KernelOptions{}, 2);
    machines.script(1).start = [=](Env& env) {
      send_text(env, Address(2), sent, 1);
      env.append("file", as_bytes(stored));
      env.sync("file", kSynced);
    };
    machines.start_all();
    machines.run();
    machines.kernel.publish({}, fact::SyncCompleted{count});
    return machines.kernel.digest();
  };
  const Hash128 base = digest("a", "x", 1);
  CHECK(base == digest("a", "x", 1));
  CHECK(base != digest("b", "x", 1));
  CHECK(base != digest("a", "y", 1));
  CHECK(base != digest("a", "x", 2));
}

// The order in which node 3 hears, at one instant, of what nodes 1 and 2 sent it.
std::string order_of_ties(std::uint64_t seed, bool fifo) {
  KernelOptions options{
      .seed = seed, .fifo = fifo, .network = constant_network(1ms), .disk = DiskOptions{}};
  Machines machines(options, 3);
  for (const std::uint32_t n : {1U, 2U}) {
    machines.script(n).start = [n](Env& env) {
      for (std::uint64_t i = 0; i < 4; ++i) {
        send_text(env, Address(3), std::to_string(n), i);
      }
    };
  }
  std::string heard;
  machines.script(3).message = [&](Env&, Address, ByteView frame) { heard += text_of(frame); };
  (void)machines.kernel.start(Address(1));
  (void)machines.kernel.step();
  machines.start_all();
  machines.run();
  return heard;
}

TEST_CASE("events at one instant are ordered by a keyed hash, or by arrival with fifo") {
  CHECK(order_of_ties(1, true) == "11112222");
  CHECK(order_of_ties(2, true) == "11112222");
  const std::string hashed = order_of_ties(1, false);
  CHECK(hashed.size() == 8);
  CHECK(hashed != "11112222");
  CHECK(hashed != order_of_ties(2, false));
  CHECK(hashed == order_of_ties(1, false));
}

// When each message of node 2 to node 3 arrives, with or without node 1 sending to all.
std::map<std::string, MonotonicTime> arrivals(bool with_node_1) {
  KernelOptions options;
  options.network.bandwidth_bytes_per_s = 0;
  options.network.loss = Share{200'000};
  Machines machines(options, 3);
  for (std::uint32_t n = 1; n <= 2; ++n) {
    machines.script(n).start = [n](Env& env) {
      for (std::uint64_t i = 0; i < 200; ++i) {
        send_text(env, Address(3), std::to_string(n) + ":" + std::to_string(i), i);
      }
    };
  }
  std::map<std::string, MonotonicTime> at;
  machines.script(3).message = [&](Env& env, Address from, ByteView frame) {
    if (from == Address(2)) at[text_of(frame)] = env.now();
  };
  if (with_node_1) (void)machines.kernel.start(Address(1));
  (void)machines.kernel.start(Address(2));
  (void)machines.kernel.start(Address(3));
  machines.run();
  return at;
}

TEST_CASE("taking one sender away moves no draw of another") {
  const auto with = arrivals(true);
  CHECK(with.size() > 120);
  CHECK(with.size() < 200);
  CHECK(with == arrivals(false));
}

TEST_CASE("a process draws by what for, not by how often") {
  const auto drawn = [](std::uint64_t seed, bool others_first) {
    Machines machines({.seed = seed, .fifo = false, .network = {}, .disk = {}}, 1);
    std::uint64_t value = 0;
    machines.script(1).start = [&](Env& env) {
      if (others_first) CHECK(env.random("other", 1, 0) != env.random("other", 2, 0));
      value = env.random("election", 5, 0);
      CHECK(value == env.random("election", 5, 0));
      CHECK(value != env.random("election", 5, 1));
      CHECK(value != env.random("jitter", 5, 0));
    };
    machines.start_all();
    machines.run();
    return value;
  };
  CHECK(drawn(1, false) == drawn(1, true));
  CHECK(drawn(1, false) != drawn(2, false));
}

}  // namespace
}  // namespace rejoin::sim
