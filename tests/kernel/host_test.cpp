// What a crash takes and leaves: disks, completions, messages, lives.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

struct ReadBack {
  IoStatus status{};
  std::string content;
  bool done = false;
};

// The script of a life that reads `file` and remembers what it found.
Script reader(std::string file, ReadBack& found) {
  Script script;
  script.start = [file](Env& env) { env.read(file, kRead); };
  script.io = [&found](Env&, const IoDone& done) {
    found = {done.status, text_of(done.data), true};
  };
  return script;
}

// Runs `first` on a machine until `crash_at`, then reads `file` in its next life.
ReadBack after_crash(const Script& first, MonotonicTime crash_at, const std::string& file,
                     std::uint64_t seed, RestartOptions restart = {}) {
  KernelOptions options;
  options.seed = seed;
  Machines machines(options, 1);
  ReadBack found;
  machines.script(1) = first;
  machines.at(crash_at, [&] {
    CHECK(machines.kernel.crash(Address(1)));
    machines.script(1) = reader(file, found);
    CHECK(machines.kernel.start(Address(1), restart));
  });
  machines.start_all();
  machines.run();
  CHECK(found.done);
  return found;
}

TEST_CASE("what was synced survives a crash, of the rest a prefix of any length") {
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Script first;
    first.start = [](Env& env) {
      env.append("log", as_bytes("durable"));
      env.sync("log", kSynced);
    };
    first.io = [](Env& env, const IoDone& done) {
      CHECK(done.status == IoStatus::ok);
      env.append("log", as_bytes("-lost"));
    };
    const ReadBack found = after_crash(first, at_time(10ms), "log", seed);
    CHECK(found.status == IoStatus::ok);
    CHECK(std::string("durable-lost").starts_with(found.content));
    CHECK(found.content.size() >= 7);
    lengths.insert(found.content.size());
  }
  CHECK(lengths == std::set<std::size_t>{7, 8, 9, 10, 11, 12});
}

TEST_CASE("a sync that had not completed at the crash promises nothing") {
  std::set<std::size_t> lengths;
  bool absent = false;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Script first;
    first.start = [](Env& env) {
      env.append("log", as_bytes("abc"));
      env.sync("log", kSynced);
    };
    first.io = [](Env&, const IoDone&) { FAIL("completed after the crash"); };
    const ReadBack found = after_crash(first, at_time(1us), "log", seed);
    lengths.insert(found.content.size());
    if (found.status == IoStatus::not_found) {
      absent = true;
      CHECK(found.content.empty());
    }
  }
  CHECK(lengths == std::set<std::size_t>{0, 1, 2, 3});
  CHECK(absent);
}

TEST_CASE("a replace under way at the crash leaves the old content or the new, whole") {
  // The first is done within 0.4 ms; the second is a millisecond on the bus.
  const std::string renewed(500'000, 'n');
  std::set<std::string> contents;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Script first;
    first.start = [](Env& env) { env.replace("state", as_bytes("old"), kReplaced); };
    first.io = [&](Env& env, const IoDone&) { env.replace("state", as_bytes(renewed), kReplaced); };
    contents.insert(after_crash(first, at_time(900us), "state", seed).content);
  }
  CHECK((contents == std::set<std::string>{"old", renewed}));
}

TEST_CASE("a replace that completed survives, and so does a file that was removed not") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Script first;
    first.start = [](Env& env) {
      env.replace("state", as_bytes("old"), kReplaced);
      env.replace("state", as_bytes("new"), kReplaced);
      env.append("gone", as_bytes("x"));
      env.sync("gone", kSynced);
      env.remove("gone", kSynced);
    };
    CHECK(after_crash(first, at_time(1s), "state", seed).content == "new");
    CHECK(after_crash(first, at_time(1s), "gone", seed).status == IoStatus::not_found);
  }
}

TEST_CASE("a wiped machine starts on an empty disk, and says so") {
  Script first;
  first.start = [](Env& env) { env.replace("state", as_bytes("old"), kReplaced); };
  CHECK(after_crash(first, at_time(1s), "state", 1, {.wipe = Wipe::all}).status ==
        IoStatus::not_found);
  CHECK(after_crash(first, at_time(1s), "state", 1, {.wipe = Wipe::none}).content == "old");
}

TEST_CASE("a provisioned file is there before the first start") {
  Machines machines(KernelOptions{}, 1);
  ReadBack found;
  machines.kernel.provision(Address(1), "seed", as_bytes("founding"));
  machines.script(1) = reader("seed", found);
  machines.start_all();
  machines.run();
  CHECK(found.content == "founding");
}

TEST_CASE("operations on one file complete in order and see what was requested before them") {
  CHECK(rc::check([] {
    const auto operations = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5));
    KernelOptions options;
    options.seed = *rc::gen::arbitrary<std::uint64_t>();
    Machines machines(options, 1);
    std::vector<std::pair<std::uint64_t, std::string>> expected;
    std::vector<std::pair<std::uint64_t, std::string>> seen;
    machines.script(1).start = [&](Env& env) {
      std::string view;
      for (std::size_t i = 0; i < operations.size(); ++i) {
        const IoToken token(std::uint64_t{1} << 56U | i);
        const std::string data = std::to_string(i) + ",";
        switch (operations[i]) {
          case 0:
            view += data;
            env.append("file", as_bytes(data));
            continue;
          case 1:
            env.sync("file", token);
            expected.emplace_back(i, "");
            break;
          case 2:
            env.read("file", token);
            expected.emplace_back(i, view);
            break;
          case 3:
            view = data;
            env.replace("file", as_bytes(data), token);
            expected.emplace_back(i, "");
            break;
          default:
            view.clear();
            env.remove("file", token);
            expected.emplace_back(i, "");
        }
      }
    };
    machines.script(1).io = [&](Env&, const IoDone& done) {
      seen.emplace_back(done.token.value & 0xffffffU, text_of(done.data));
    };
    machines.start_all();
    machines.run();
    RC_ASSERT(seen == expected);
  }));
}

TEST_CASE("timers and completions of a former life never reach the next") {
  Machines machines(KernelOptions{}, 1);
  machines.script(1).start = [](Env& env) {
    env.arm(kTick, at_time(1ms));
    env.append("log", Bytes(50'000'000));  // a tenth of a second on the bus
    env.sync("log", kSynced);
  };
  machines.script(1).timer = [](Env&, TimerId) { FAIL("a timer of the former life"); };
  machines.script(1).io = [](Env&, const IoDone&) { FAIL("a completion of the former life"); };
  machines.at(at_time(500us), [&] {
    CHECK(machines.kernel.crash(Address(1)));
    CHECK_FALSE(machines.kernel.crash(Address(1)));
    machines.script(1).start = {};
    CHECK(machines.kernel.start(Address(1)));
    CHECK_FALSE(machines.kernel.start(Address(1)));
  });
  machines.start_all();
  machines.run();
  CHECK(machines.recorder.count("ProcessStarted") == 2);
  CHECK(machines.recorder.count("SyncRequested") == 1);
  CHECK(machines.recorder.count("SyncCompleted") == 0);
}

TEST_CASE("messages of a crashed process arrive, and those to it are dropped") {
  Machines machines({.seed = 1, .fifo = false, .network = constant_network(10ms), .disk = {}}, 2);
  std::string heard;
  machines.script(1).start = [](Env& env) { send_text(env, Address(2), "last words", 1); };
  machines.script(1).message = [](Env&, Address, ByteView) { FAIL("heard by the dead"); };
  machines.script(2).start = [](Env& env) { send_text(env, Address(1), "are you there", 1); };
  machines.script(2).message = [&](Env&, Address, ByteView frame) { heard = text_of(frame); };
  machines.at(at_time(5ms), [&] { CHECK(machines.kernel.crash(Address(1))); });
  machines.start_all();
  machines.run();
  CHECK(heard == "last words");
  CHECK(machines.kernel.traffic().dropped == 1);
  CHECK_FALSE(machines.kernel.is_up(Address(1)));
  CHECK(machines.kernel.process(Address(1)) == nullptr);
}

TEST_CASE("a crash at the fact that a sync was requested comes before it completes") {
  Machines machines(KernelOptions{}, 1);
  std::uint64_t lives = 0;
  bool returned = false;
  machines.script(1).start = [&](Env& env) {
    if (++lives > 1) return;
    env.append("log", as_bytes("abc"));
    env.sync("log", kSynced);
    returned = true;  // the crash waits until this handler has returned
  };
  machines.script(1).io = [](Env&, const IoDone&) { FAIL("told of a sync after the crash"); };
  machines.recorder.also_fact = [&](const FactSource&, const Fact& fact) {
    if (!std::holds_alternative<fact::SyncRequested>(fact)) return;
    CHECK(machines.kernel.crash(Address(1)));
    CHECK_FALSE(machines.kernel.is_up(Address(1)));
    CHECK_FALSE(machines.kernel.crash(Address(1)));
    CHECK(machines.kernel.start(Address(1)));
  };
  machines.start_all();
  machines.run();
  CHECK(returned);
  CHECK(lives == 2);
  CHECK(machines.recorder.count("ProcessCrashed") == 1);
  CHECK(machines.recorder.count("ProcessStarted") == 2);
  CHECK(machines.recorder.count("SyncCompleted") == 0);
}

TEST_CASE("a crash at the fact that a sync has completed keeps the bytes and tells nobody") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    KernelOptions options;
    options.seed = seed;
    Machines machines(options, 1);
    ReadBack found;
    machines.script(1).start = [](Env& env) {
      env.append("log", as_bytes("abc"));
      env.sync("log", kSynced);
    };
    machines.script(1).io = [](Env&, const IoDone&) { FAIL("told of it"); };
    machines.recorder.also_fact = [&](const FactSource&, const Fact& fact) {
      if (!std::holds_alternative<fact::SyncCompleted>(fact)) return;
      CHECK(machines.kernel.crash(Address(1)));
      machines.script(1) = reader("log", found);
      CHECK(machines.kernel.start(Address(1)));
    };
    machines.start_all();
    machines.run();
    CHECK(found.content == "abc");
  }
}

TEST_CASE("facts of crashes may ask for further crashes and starts") {
  Machines machines(KernelOptions{}, 3);
  machines.recorder.also_fact = [&](const FactSource& source, const Fact& fact) {
    if (!std::holds_alternative<fact::ProcessCrashed>(fact)) return;
    if (source.node.value < 3) {
      CHECK(machines.kernel.crash(Address(source.node.value + 1)));
    } else {
      CHECK(machines.kernel.start(Address(1)));
    }
  };
  machines.at(at_time(1ms), [&] { CHECK(machines.kernel.crash(Address(1))); });
  machines.start_all();
  machines.run();
  CHECK(machines.recorder.count("ProcessCrashed") == 3);
  CHECK(machines.kernel.is_up(Address(1)));
  CHECK_FALSE(machines.kernel.is_up(Address(2)));
  CHECK_FALSE(machines.kernel.is_up(Address(3)));
}

TEST_CASE("a halt takes effect after the event, once, and says why") {
  Machines machines(KernelOptions{}, 1);
  machines.script(1).start = [](Env& env) {
    env.halt("sync failed");
    env.halt("again");
    env.arm(kTick, env.now() + 1ms);
  };
  machines.script(1).timer = [](Env&, TimerId) { FAIL("ran after it halted"); };
  machines.start_all();
  machines.run();
  CHECK(machines.recorder.count("ProcessHalted") == 1);
  CHECK(machines.recorder.facts.back().text == "ProcessHalted{reason: \"sync failed\"}");
  CHECK(machines.kernel.start(Address(1)));
}

TEST_CASE("a crash takes back a start that has not happened") {
  Machines machines(KernelOptions{}, 1);
  CHECK(machines.kernel.start(Address(1), {.wipe = Wipe::all}));
  CHECK(machines.kernel.crash(Address(1)));
  CHECK(machines.kernel.next_event_at() == kForever);
  CHECK(machines.kernel.start(Address(1)));
  machines.run();
  CHECK(machines.recorder.count("ProcessStarted") == 1);
  CHECK(machines.recorder.count("DiskWiped") == 0);
}

TEST_CASE("syncs and replaces are counted over all lives of a machine") {
  Machines machines(KernelOptions{}, 1);
  machines.script(1).start = [](Env& env) {
    env.append("a", as_bytes("x"));
    env.sync("a", kSynced);
    env.replace("b", as_bytes("y"), kReplaced);
    env.sync("absent", kSynced);
    env.read("a", kRead);
    env.remove("b", kSynced);
  };
  machines.at(at_time(1s), [&] {
    CHECK(machines.kernel.crash(Address(1)));
    CHECK(machines.kernel.start(Address(1)));
  });
  machines.start_all();
  machines.run();
  CHECK(machines.recorder.count("SyncRequested") == 4);
  CHECK(machines.recorder.count("SyncCompleted{count: 4}") == 1);
  CHECK(machines.kernel.disk_bytes_written() == 4);
}

TEST_CASE("the wall clock starts in 2024 and runs with the monotonic one") {
  Machines machines(KernelOptions{}, 1);
  machines.script(1).timer = [](Env& env, TimerId) {
    CHECK(env.wall_now() == WallTime(1'704'067'205s));
  };
  machines.script(1).start = [](Env& env) { env.arm(kTick, at_time(5s)); };
  machines.start_all();
  machines.run();
  CHECK(machines.kernel.now() == at_time(5s));
}

}  // namespace
}  // namespace rejoin::sim
