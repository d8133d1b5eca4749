// What is done to hosts while they run: pauses, load, clocks, moves, twins, partial losses.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

constexpr Address kFirst{1};
constexpr Address kSecond{2};

KernelOptions options_of(std::uint64_t seed = 1, HostOptions host = {}) {
  KernelOptions options;
  options.seed = seed;
  options.network = constant_network(1ms);
  options.host = host;
  return options;
}

TimerId timer(std::uint64_t number) {
  return TimerId(std::uint64_t{1} << 56U | number);
}

ClockTrouble rate_of(std::int64_t ppm) {
  ClockTrouble trouble;
  trouble.monotonic_rate = Rate{ppm};
  return trouble;
}

struct Heard {
  MonotonicTime at{};
  std::string what;
  friend bool operator==(const Heard&, const Heard&) = default;
};

// Writes down when, in true time, the second node handled what.
void listen(Machines& machines, std::vector<Heard>& heard) {
  const auto note = [&machines, &heard](std::string what) {
    heard.push_back({machines.kernel.now(), std::move(what)});
  };
  Script& script = machines.script(2);
  script.message = [note](Env&, Address, ByteView frame) { note(text_of(frame)); };
  script.timer = [note](Env&, TimerId id) { note("timer " + std::to_string(id.value & 0xffffU)); };
  script.io = [note](Env&, const IoDone&) { note("synced"); };
}

// ---- Pauses ----------------------------------------------------------------------------------

TEST_CASE("what comes to a paused host is handled, in order, when the pause ends") {
  Machines machines(options_of(), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(1).start = [](Env& env) {
    for (std::uint64_t n = 0; n < 4; ++n) env.arm(timer(n), at_time(10ms + n * 1ms));
  };
  machines.script(1).timer = [](Env& env, TimerId id) {
    send_text(env, kSecond, "m" + std::to_string(id.value & 0xffU), id.value);
  };
  machines.script(2).start = [](Env& env) {
    env.arm(timer(1), at_time(11500us));
    env.append("log", as_bytes("x"));
    env.arm(timer(2), at_time(50ms));
  };
  EffectId pause;
  machines.at(at_time(5ms), [&] { pause = machines.kernel.pause(kSecond); });
  machines.at(at_time(20ms), [&] { CHECK(machines.kernel.end(pause)); });
  machines.start_all();
  machines.run();
  CHECK(heard == std::vector<Heard>{{at_time(20ms), "m0"},
                                    {at_time(20ms), "timer 1"},
                                    {at_time(20ms), "m1"},
                                    {at_time(20ms), "m2"},
                                    {at_time(20ms), "m3"},
                                    {at_time(50ms), "timer 2"}});
  CHECK_FALSE(machines.kernel.end(pause));
  CHECK_FALSE(machines.kernel.end(EffectId{}));
  CHECK(machines.kernel.pause(Address(77)).is_none());
}

TEST_CASE("two pauses of one host are over when both are") {
  Machines machines(options_of(), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(2).start = [](Env& env) { env.arm(timer(1), at_time(10ms)); };
  std::vector<EffectId> pauses;
  machines.at(at_time(5ms), [&] {
    pauses = {machines.kernel.pause(kSecond), machines.kernel.pause(kSecond)};
  });
  machines.at(at_time(20ms), [&] { CHECK(machines.kernel.end(pauses[0])); });
  machines.at(at_time(30ms), [&] { CHECK(machines.kernel.end(pauses[1])); });
  machines.start_all();
  machines.run();
  CHECK(heard == std::vector<Heard>{{at_time(30ms), "timer 1"}});
}

TEST_CASE("the disk works on while the host is paused, and the process hears of it later") {
  Machines machines(options_of(), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(2).start = [](Env& env) {
    env.append("log", as_bytes("abc"));
    env.sync("log", kSynced);
  };
  std::string found;
  EffectId pause;
  machines.at(at_time(1us), [&] { pause = machines.kernel.pause(kSecond); });
  machines.at(at_time(50ms), [&] {
    CHECK(machines.recorder.count("SyncCompleted") == 1);
    CHECK(heard.empty());
    CHECK(machines.kernel.crash(kSecond));
    machines.script(2).start = [](Env& env) { env.read("log", kRead); };
    machines.script(2).io = [&](Env&, const IoDone& done) { found = text_of(done.data); };
    CHECK(machines.kernel.start(kSecond));
  });
  machines.at(at_time(60ms), [&] {
    CHECK_FALSE(machines.kernel.is_up(kSecond));  // its start waits, too
    CHECK(machines.kernel.end(pause));
  });
  machines.start_all();
  machines.run();
  CHECK(heard.empty());
  CHECK(found == "abc");
}

TEST_CASE("a crash of a paused host drops what waits for it") {
  Machines machines(options_of(), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(1).start = [](Env& env) { send_text(env, kSecond, "lost", 1); };
  machines.script(2).start = [](Env& env) { env.arm(timer(1), at_time(2ms)); };
  EffectId pause;
  machines.at(at_time(500us), [&] { pause = machines.kernel.pause(kSecond); });
  machines.at(at_time(10ms), [&] {
    machines.script(2).start = {};
    CHECK(machines.kernel.crash(kSecond));
    CHECK(machines.kernel.start(kSecond));
    CHECK(machines.kernel.end(pause));
  });
  machines.start_all();
  machines.run();
  CHECK(heard.empty());
  CHECK(machines.kernel.is_up(kSecond));
  CHECK(machines.kernel.traffic().dropped == 1);
}

TEST_CASE("a timer that is disarmed or moved while it waits does not fire as it was") {
  Machines machines(options_of(), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(1).start = [](Env& env) { send_text(env, kSecond, "first", 1); };
  machines.script(2).start = [](Env& env) {
    for (std::uint64_t n = 1; n <= 3; ++n) env.arm(timer(n), at_time(n * 2ms));
  };
  const auto note = machines.script(2).message;
  machines.script(2).message = [note](Env& env, Address from, ByteView frame) {
    env.disarm(timer(1));
    env.arm(timer(2), at_time(40ms));
    env.disarm(timer(3));
    env.arm(timer(3), at_time(1ms));  // passed long ago: behind what waits already
    note(env, from, frame);
  };
  EffectId pause;
  machines.at(at_time(500us), [&] { pause = machines.kernel.pause(kSecond); });
  machines.at(at_time(20ms), [&] { CHECK(machines.kernel.end(pause)); });
  machines.start_all();
  machines.run();
  CHECK(heard == std::vector<Heard>{{at_time(20ms), "first"},
                                    {at_time(20ms), "timer 3"},
                                    {at_time(40ms), "timer 2"}});
}

// ---- Load ------------------------------------------------------------------------------------

TEST_CASE("a slow host is a queue with one server, in order of arrival") {
  Machines machines(options_of(1, {.service = 2ms, .bytes_per_s = 1000}), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(1).start = [](Env& env) {
    send_text(env, kSecond, "a", 1, Transport::stream);
    send_text(env, kSecond, "bb", 2, Transport::stream);
  };
  machines.script(2).start = [](Env& env) { env.arm(timer(1), at_time(2ms)); };
  EffectId more;
  machines.at(at_time(100ms), [&] { more = machines.kernel.slow(kSecond, {.service = 5ms}); });
  machines.at(at_time(150ms), [&] { CHECK(machines.kernel.end(more)); });
  machines.script(2).timer = [&heard, &machines](Env& env, TimerId id) {
    heard.push_back({machines.kernel.now(), "timer"});
    if (env.now() < at_time(200ms))
      env.arm(id, at_time(env.now() < at_time(100ms) ? 101ms : 201ms));
  };
  machines.start_all();
  machines.run();
  REQUIRE(heard.size() == 5);
  // The handshake of the stream takes a while: what counts is the distance.
  const auto a = std::find_if(heard.begin(), heard.end(), [](auto& h) { return h.what == "a"; });
  const auto b = std::find_if(heard.begin(), heard.end(), [](auto& h) { return h.what == "bb"; });
  REQUIRE(a != heard.end());
  REQUIRE(b != heard.end());
  CHECK(b->at - a->at == 4ms);
  CHECK(heard[3] == Heard{at_time(108ms), "timer"});
  CHECK(heard[4] == Heard{at_time(203ms), "timer"});
}

TEST_CASE("a host that takes no time handles everything at once, and clients are never slow") {
  for (const Duration service : {Duration{}, Duration{3ms}}) {
    Machines machines(options_of(1, {.service = service}), 1);
    MonotonicTime node_at{};
    MonotonicTime client_at{};
    Script client;
    client.start = [](Env& env) { env.arm(timer(1), at_time(10ms)); };
    client.timer = [&](Env&, TimerId) { client_at = machines.kernel.now(); };
    machines.script(1) = client;
    machines.script(1).timer = [&](Env&, TimerId) { node_at = machines.kernel.now(); };
    machines.kernel.add_host({.address = client_address(ClientId(1)),
                              .name = "client-1",
                              .node = {},
                              .client = ClientId(1),
                              .make = [&client](Env& env, Observer&, const Installed&) {
                                return std::make_unique<ScriptProcess>(env, client);
                              }});
    CHECK(machines.kernel.start(client_address(ClientId(1))));
    machines.start_all();
    machines.run();
    CHECK(node_at == at_time(10ms) + service);
    CHECK(client_at == at_time(10ms));
  }
}

TEST_CASE("pauses and load never change the order in which a host handles what arrives") {
  CHECK(rc::check([] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    constexpr std::uint64_t kMessages = 30;
    std::vector<std::vector<std::string>> orders;
    for (const bool hostile : {false, true}) {
      Machines machines(options_of(seed), 2);
      std::vector<Heard> heard;
      listen(machines, heard);
      machines.script(1).start = [](Env& env) {
        for (std::uint64_t n = 0; n < kMessages; ++n) env.arm(timer(n), at_time(n * 700us));
      };
      machines.script(1).timer = [](Env& env, TimerId id) {
        const std::uint64_t n = id.value & 0xffffU;
        send_text(env, kSecond, std::to_string(n), n);
      };
      if (hostile) {
        const auto effects = *rc::gen::inRange(1, 6);
        for (int i = 0; i < effects; ++i) {
          const Duration from(*rc::gen::inRange<std::int64_t>(0, 25'000'000));
          const Duration length(*rc::gen::inRange<std::int64_t>(1, 10'000'000));
          const Duration service(*rc::gen::inRange<std::int64_t>(0, 2'000'000));
          const bool pauses = *rc::gen::arbitrary<bool>();
          auto effect = std::make_shared<EffectId>();
          machines.at(at_time(from), [&machines, effect, pauses, service] {
            *effect = pauses ? machines.kernel.pause(kSecond)
                             : machines.kernel.slow(kSecond, {.service = service});
          });
          machines.at(at_time(from + length),
                      [&machines, effect] { CHECK(machines.kernel.end(*effect)); });
        }
      }
      machines.start_all();
      machines.run();
      std::vector<std::string>& order = orders.emplace_back();
      for (const Heard& each : heard) order.push_back(each.what);
      RC_ASSERT(order.size() == kMessages);
    }
    RC_ASSERT(orders[0] == orders[1]);
  }));
}

// ---- Clocks ----------------------------------------------------------------------------------

TEST_CASE("timers go by the clock of their host, those that are pending when it changes too") {
  Machines machines(options_of(), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(2).start = [](Env& env) {
    env.arm(timer(1), at_time(20ms));
    env.arm(timer(2), at_time(40ms));
  };
  machines.script(2).timer = [&](Env& env, TimerId id) {
    const auto n = id.value & 0xffU;
    heard.push_back({machines.kernel.now(), "timer " + std::to_string(n)});
    CHECK(env.now() == at_time(n * 20ms));
    CHECK(env.wall_now().time_since_epoch() - env.now().time_since_epoch() == 1'704'067'200s);
  };
  EffectId fast;
  machines.at(at_time(10ms),
              [&] { fast = machines.kernel.trouble_clock(kSecond, rate_of(1'000'000)); });
  machines.at(at_time(20ms), [&] { CHECK(machines.kernel.end(fast)); });
  machines.start_all();
  machines.run();
  CHECK(heard == std::vector<Heard>{{at_time(15ms), "timer 1"}, {at_time(30ms), "timer 2"}});
}

TEST_CASE("a timer fires at the first nanosecond at which its clock has reached the deadline") {
  CHECK(rc::check([] {
    Machines machines(options_of(), 1);
    const auto deadline = at_time(Duration(*rc::gen::inRange<std::int64_t>(1, 50'000'000)));
    const auto changes = *rc::gen::inRange(0, 6);
    for (int i = 0; i < changes; ++i) {
      const auto when = at_time(Duration(*rc::gen::inRange<std::int64_t>(0, 60'000'000)));
      const auto ppm = *rc::gen::inRange<std::int64_t>(-400'000, 400'000);
      machines.at(when, [&machines, ppm] {
        RC_ASSERT(!machines.kernel.trouble_clock(kFirst, rate_of(ppm)).is_none());
      });
    }
    bool fired = false;
    machines.script(1).start = [&](Env& env) { env.arm(timer(1), deadline); };
    machines.script(1).timer = [&](Env& env, TimerId) {
      fired = true;
      RC_ASSERT(env.now() >= deadline);
      // The slowest such clock shows each nanosecond; the fastest skips a few.
      RC_ASSERT(env.now() < deadline + 10ns);
    };
    machines.start_all();
    machines.run();
    RC_ASSERT(fired);
  }));
}

TEST_CASE("facts carry true times, whatever clock their process has") {
  Machines machines(options_of(), 1);
  std::vector<MonotonicTime> times;
  machines.recorder.also_fact = [&](const FactSource&, const Fact& fact) {
    if (const auto* repaired = std::get_if<fact::RepairCompleted>(&fact)) {
      times.push_back(repaired->started);
    }
  };
  Observer* observer = nullptr;
  machines.kernel.add_host({.address = Address(9),
                            .name = "node-9",
                            .node = NodeId(9),
                            .client = {},
                            .make = [&](Env& env, Observer& to, const Installed&) {
                              observer = &to;
                              return std::make_unique<ScriptProcess>(env, machines.script(1));
                            }});
  MonotonicTime started{};
  machines.script(1).start = [](Env& env) { env.arm(timer(1), at_time(5ms)); };
  machines.script(1).timer = [&](Env& env, TimerId) {
    if (started == MonotonicTime{}) {
      started = env.now();
      return env.arm(timer(1), env.now() + 20ms);
    }
    observer->on_fact({.node = NodeId(9), .client = {}, .incarnation = {}},
                      fact::RepairCompleted{PartitionId(1), 0, 0, started});
    observer->on_fact({.node = NodeId(9), .client = {}, .incarnation = {}},
                      fact::RepairCompleted{PartitionId(1), 0, 0, env.now()});
  };
  CHECK_FALSE(machines.kernel.trouble_clock(Address(9), rate_of(-500'000)).is_none());
  CHECK(machines.kernel.start(Address(9)));
  machines.run();
  CHECK(times == std::vector<MonotonicTime>{at_time(10ms), at_time(50ms)});
}

// ---- Losses ----------------------------------------------------------------------------------

TEST_CASE("a process that dies alone leaves what it had appended, a machine only what was synced") {
  std::set<std::string> machine;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const CrashScope scope : {CrashScope::machine, CrashScope::process}) {
      Machines machines(options_of(seed), 1);
      std::string found;
      machines.script(1).start = [](Env& env) { env.append("log", as_bytes("abcdef")); };
      machines.at(at_time(10ms), [&] {
        CHECK(machines.kernel.crash(kFirst, scope));
        machines.script(1).start = [](Env& env) { env.read("log", kRead); };
        machines.script(1).io = [&](Env&, const IoDone& done) { found = text_of(done.data); };
        CHECK(machines.kernel.start(kFirst));
      });
      machines.start_all();
      machines.run();
      if (scope == CrashScope::process) CHECK(found == "abcdef");
      if (scope == CrashScope::machine) machine.insert(found);
    }
  }
  CHECK(machine.size() > 3);
}

// Which of these files are there after a restart with that wipe.
std::set<std::string> kept_after(Wipe wipe, std::uint64_t seed, std::string& part) {
  const std::vector<std::string> files = {"membership.identity", "raft.log",
                                          "raft.snapshot-1",     "store.log",
                                          "store.snapshot",      "sync.state"};
  Machines machines(options_of(seed), 1);
  for (const std::string& file : files) machines.kernel.provision(kFirst, file, as_bytes("x"));
  std::set<std::string> kept;
  machines.script(1).start = [&](Env& env) {
    for (std::size_t i = 0; i < files.size(); ++i) {
      env.read(files[i], IoToken(std::uint64_t{1} << 56U | i));
    }
  };
  machines.script(1).io = [&](Env&, const IoDone& done) {
    if (done.status == IoStatus::ok) kept.insert(files[done.token.value & 0xffU]);
  };
  CHECK(machines.kernel.start(kFirst, {.wipe = wipe}));
  machines.run();
  for (const SeenFact& fact : machines.recorder.facts) {
    if (fact.text.starts_with("DiskWiped")) part = fact.text;
  }
  return kept;
}

TEST_CASE("a wipe takes all, what consensus keeps, what the store keeps, or each file or not") {
  using Files = std::set<std::string>;
  const Files consensus = {"membership.identity", "raft.log", "raft.snapshot-1"};
  const Files data = {"store.log", "store.snapshot", "sync.state"};
  std::string part;
  CHECK(kept_after(Wipe::all, 1, part).empty());
  CHECK(part.find("all") != std::string::npos);
  CHECK(kept_after(Wipe::consensus, 1, part) == data);
  CHECK(part.find("consensus") != std::string::npos);
  CHECK(kept_after(Wipe::data, 1, part) == consensus);
  CHECK(part.find("data") != std::string::npos);
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    sizes.insert(kept_after(Wipe::half, seed, part).size());
  }
  CHECK(sizes.size() >= 5);
  CHECK(part.find("half") != std::string::npos);
  part.clear();
  CHECK(kept_after(Wipe::none, 1, part).size() == 6);
  CHECK(part.empty());
}

TEST_CASE("what half a wipe takes is of whoever wiped, whatever starts there were before") {
  const auto kept = [](bool restarted_before, std::uint64_t key) {
    Machines machines(options_of(), 1);
    std::set<std::uint64_t> found;
    for (std::uint64_t n = 0; n < 64; ++n) {
      machines.kernel.provision(kFirst, "file-" + std::to_string(n), as_bytes("x"));
    }
    machines.script(1).io = [&](Env&, const IoDone& done) {
      if (done.status == IoStatus::ok) found.insert(done.token.value & 0xffU);
    };
    machines.at(at_time(1s), [&] {
      if (restarted_before) {
        CHECK(machines.kernel.crash(kFirst));
        CHECK(machines.kernel.start(kFirst));
      }
    });
    machines.at(at_time(2s), [&] {
      CHECK(machines.kernel.crash(kFirst));
      machines.script(1).start = [](Env& env) {
        for (std::uint64_t n = 0; n < 64; ++n) {
          env.read("file-" + std::to_string(n), IoToken(std::uint64_t{1} << 56U | n));
        }
      };
      CHECK(machines.kernel.start(kFirst, {.wipe = Wipe::half, .key = key}));
    });
    machines.start_all();
    machines.run();
    return found;
  };
  CHECK(kept(false, 1) == kept(true, 1));
  CHECK(kept(false, 1) != kept(false, 2));
}

// ---- Moves and twins -------------------------------------------------------------------------

TEST_CASE("a host that moves keeps its disk and its draws, and leaves its old address to nobody") {
  Machines machines(options_of(), 2);
  std::vector<std::pair<Address, std::uint64_t>> lives;
  std::string found;
  std::string heard;
  machines.script(2).start = [&](Env& env) {
    lives.emplace_back(env.self(), env.random("x", 1, 1));
    env.append("log", as_bytes("kept"));
    env.read("log", kRead);
    env.arm(timer(1), at_time(5ms));
  };
  machines.script(2).timer = [](Env& env, TimerId) { send_text(env, kFirst, "from here", 1); };
  machines.script(2).io = [&](Env&, const IoDone& done) { found = text_of(done.data); };
  machines.script(2).message = [](Env&, Address, ByteView) { FAIL("at the old address"); };
  machines.script(1).message = [&](Env&, Address from, ByteView) { heard = to_name(from); };
  machines.script(1).start = [](Env& env) { env.arm(timer(1), at_time(4ms)); };
  machines.script(1).timer = [](Env& env, TimerId) { send_text(env, kSecond, "hello", 1); };
  Address to;
  machines.at(at_time(2ms), [&] {
    to = machines.kernel.move(kSecond, 1);
    CHECK(machines.kernel.address_of(NodeId(2)) == to);
    CHECK_FALSE(machines.kernel.is_up(kSecond));
    CHECK(machines.kernel.move(Address(77), 1).is_none());
  });
  machines.start_all();
  machines.run();
  CHECK(to != kSecond);
  CHECK(to.value >= 1U << 20U);  // above all nodes
  CHECK_FALSE(is_client(to));
  REQUIRE(lives.size() == 2);
  CHECK(lives[1].first == to);
  CHECK(lives[0].second == lives[1].second);
  CHECK(found == "keptkept");
  CHECK(heard == to_name(to));
  CHECK(machines.kernel.traffic().dropped == 1);
  CHECK(machines.kernel.hosts() == std::vector<Address>{kFirst, to});
}

TEST_CASE("a twin is a second machine: a disk, a fate and draws of its own, facts that say so") {
  for (const bool copy : {true, false}) {
    Machines machines(options_of(), 1);
    std::vector<std::pair<Address, std::string>> found;
    std::set<std::uint64_t> draws;
    machines.kernel.provision(kFirst, "id", as_bytes("me"));
    machines.script(1).start = [&](Env& env) {
      draws.insert(env.random("election", 1, 1));
      env.read("id", kRead);
      env.append("id", as_bytes("!"));
    };
    machines.script(1).io = [&](Env& env, const IoDone& done) {
      found.emplace_back(env.self(), text_of(done.data));
    };
    Address twin;
    machines.at(at_time(5ms), [&] { twin = machines.kernel.twin(kFirst, copy, 1); });
    machines.at(at_time(10ms), [&] {
      CHECK(machines.kernel.address_of(NodeId(1)) == kFirst);
      CHECK(machines.kernel.crash(twin));
      CHECK(machines.kernel.is_up(kFirst));
    });
    machines.start_all();
    machines.run();
    REQUIRE(found.size() == 2);
    CHECK(found[1] == std::pair(twin, std::string(copy ? "me" : "")));
    CHECK(draws.size() == 2);
    std::size_t of_twin = 0;
    for (const SeenFact& fact : machines.recorder.facts) {
      CHECK(fact.source.node == NodeId(1));
      of_twin += fact.source.twin ? 1U : 0U;
    }
    CHECK(of_twin == 2);  // it started and crashed
  }
}

TEST_CASE("the address of a twin or a move is of whoever asked, however many there were before") {
  Machines machines(options_of(), 1);
  Machines crowded(options_of(), 1);
  machines.start_all();
  crowded.start_all();
  machines.run();
  crowded.run();
  std::set<Address> others;
  for (std::uint64_t key = 10; key < 30; ++key)
    others.insert(crowded.kernel.twin(kFirst, true, key));
  CHECK(others.size() == 20);
  const Address twin = machines.kernel.twin(kFirst, true, 1);
  CHECK(crowded.kernel.twin(kFirst, true, 1) == twin);
  const Address moved = machines.kernel.move(kFirst, 2);
  CHECK(crowded.kernel.move(kFirst, 2) == moved);
  CHECK(moved != twin);
  // Nobody is at an address that was left.
  CHECK(machines.kernel.move(moved, 2) != moved);
}

// ---- What effects have done ------------------------------------------------------------------

TEST_CASE(
    "pauses count what they hold, a slow host what takes longer, a wrong clock its readings") {
  Machines machines(options_of(), 2);
  std::vector<Heard> heard;
  listen(machines, heard);
  machines.script(1).start = [](Env& env) {
    for (std::uint64_t n = 1; n <= 30; ++n) env.arm(timer(n), at_time(n * 1ms));
  };
  machines.script(1).timer = [](Env& env, TimerId id) {
    (void)env.wall_now();
    send_text(env, kSecond, "x", id.value);
  };
  std::map<std::string, EffectId> effects;
  machines.at(at_time(100us), [&] {
    effects["pause"] = machines.kernel.pause(kSecond);
    effects["idle pause"] = machines.kernel.pause(Address(9));
    effects["frozen"] = machines.kernel.trouble_clock(kFirst, {.wall_frozen = true});
    effects["off"] = machines.kernel.trouble_clock(kFirst, {.wall_offset = 1s});
    effects["unread"] = machines.kernel.trouble_clock(kSecond, {.wall_offset = 1s});
  });
  machines.at(at_time(10'500us), [&] {
    for (const auto& [name, effect] : effects) (void)machines.kernel.end(effect);
    effects["slow"] = machines.kernel.slow(kSecond, {.service = 1us});
    effects["no load"] = machines.kernel.slow(kFirst, {});
  });
  machines.start_all();
  machines.run();
  const auto did = [&](const std::string& name) {
    return machines.kernel.done_by(effects.at(name));
  };
  CHECK(heard.size() == 30);
  CHECK(did("frozen") == 10);
  CHECK(did("off") == 10);
  CHECK(did("unread") == 0);
  CHECK(did("pause") >= 8);
  CHECK(did("pause") <= 10);
  // What was still under way or held when it began takes longer, too.
  CHECK(did("slow") >= 20);
  CHECK(did("slow") <= 30);
  CHECK(did("idle pause") == 0);
  CHECK(did("no load") == 0);
}

TEST_CASE("a diskless host forgets at each start, and its disk cannot be troubled") {
  Machines machines(options_of(), 0);
  std::string found = "?";
  Script script;
  script.start = [](Env& env) {
    env.read("file", kRead);
    env.replace("file", as_bytes("x"), kReplaced);
  };
  script.io = [&](Env&, const IoDone& done) {
    if (done.token == kRead) found = text_of(done.data);
  };
  machines.kernel.add_host(
      {.address = kFirst,
       .name = "client-1",
       .node = {},
       .client = ClientId(1),
       .make = [&script](Env& env, Observer&,
                         const Installed&) { return std::make_unique<ScriptProcess>(env, script); },
       .diskless = true});
  CHECK(machines.kernel.start(kFirst));
  machines.run();
  CHECK(machines.kernel.crash(kFirst));
  CHECK(machines.kernel.start(kFirst));
  machines.run();
  CHECK(found.empty());
  CHECK(machines.kernel.is_diskless(kFirst));
  CHECK(machines.kernel.twin(kFirst, true, 1).is_none());
  CHECK(machines.kernel.move(kFirst, 1).is_none());
}

// ---- The guard -------------------------------------------------------------------------------

TEST_CASE("the guard is up while a process or a listener runs, and down otherwise") {
  bool guarded = false;
  KernelOptions options = options_of();
  options.dispatching = &guarded;
  Machines machines(options, 1);
  std::size_t seen = 0;
  const auto look = [&] {
    CHECK(guarded);
    ++seen;
  };
  machines.script(1).start = [&](Env& env) {
    look();
    env.arm(timer(1), at_time(1ms));
  };
  machines.script(1).timer = [&](Env&, TimerId) {
    look();
    throw std::runtime_error("out of the process");
  };
  machines.recorder.also_fact = [&](const FactSource&, const Fact&) { look(); };
  machines.at(at_time(0s), look);
  machines.start_all();
  CHECK_FALSE(guarded);
  CHECK_THROWS(machines.run());
  CHECK_FALSE(guarded);
  CHECK(seen >= 4);
  machines.kernel.publish({}, fact::FaultEnded{});
  CHECK_FALSE(guarded);
}

}  // namespace
}  // namespace rejoin::sim
