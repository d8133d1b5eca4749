#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <vector>

#include "model/random.hpp"
#include "sim/kernel/engine.hpp"
#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

constexpr TimerId kOther{std::uint64_t{1} << 56U | 2};

TEST_CASE("a timer fires once, at its last deadline, and not when disarmed") {
  Machines machines(KernelOptions{}, 1);
  std::vector<std::pair<TimerId, MonotonicTime>> fired;
  machines.script(1).start = [](Env& env) {
    env.arm(kTick, at_time(10ms));
    env.arm(kTick, at_time(30ms));
    env.arm(kTick, at_time(20ms));
    env.arm(kOther, at_time(5ms));
    env.arm(kOther, at_time(15ms));
    env.disarm(kOther);
  };
  machines.script(1).timer = [&](Env& env, TimerId timer) { fired.emplace_back(timer, env.now()); };
  machines.start_all();
  machines.run();
  REQUIRE(fired.size() == 1);
  CHECK(fired[0] == std::pair(kTick, at_time(20ms)));
  CHECK(machines.kernel.now() == at_time(20ms));
}

TEST_CASE("a deadline that has passed fires at once, and one at the end of time never") {
  Machines machines(KernelOptions{}, 1);
  std::vector<MonotonicTime> fired;
  machines.script(1).start = [](Env& env) {
    env.arm(kTick, at_time(10ms));
    env.arm(kOther, kForever);
  };
  machines.script(1).timer = [&](Env& env, TimerId timer) {
    CHECK(timer == kTick);
    fired.push_back(env.now());
    if (fired.size() == 1) env.arm(kTick, at_time(1ms));
  };
  machines.start_all();
  machines.run();
  CHECK(fired == std::vector{at_time(10ms), at_time(10ms)});
  CHECK(machines.kernel.next_event_at() == kForever);
}

TEST_CASE("any sequence of arms and disarms fires what a plain table of deadlines says") {
  CHECK(rc::check([] {
    // (timer, delay in us, or disarm) every 10 us.
    const auto script = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 4), rc::gen::inRange(-20, 120)));
    Machines machines(KernelOptions{}, 1);
    std::vector<std::pair<std::uint64_t, MonotonicTime>> fired;
    std::map<std::uint64_t, MonotonicTime> table;
    std::vector<std::pair<std::uint64_t, MonotonicTime>> expected;
    machines.script(1).timer = [&](Env& env, TimerId timer) {
      fired.emplace_back(timer.value, env.now());
    };
    machines.start_all();
    (void)machines.kernel.step();
    // Control events never coincide with deadlines: they are at odd microseconds.
    for (std::size_t i = 0; i < script.size(); ++i) {
      const MonotonicTime when = at_time(Duration(10us * (i + 1)) + 1us);
      const auto [timer, delay] = script[i];
      const TimerId id(std::uint64_t{1} << 56U | static_cast<std::uint64_t>(timer));
      for (auto it = table.begin(); it != table.end();) {
        if (it->second < when) {
          expected.emplace_back(it->first, it->second);
          it = table.erase(it);
        } else {
          ++it;
        }
      }
      const MonotonicTime deadline = at_time(Duration(10us * (i + 1)) + delay * 2us);
      if (delay < 0) {
        table.erase(id.value);
      } else {
        table[id.value] = std::max(deadline, when);
      }
      machines.at(when, [&machines, id, delay = delay, deadline] {
        auto* const env_of = dynamic_cast<ScriptProcess*>(machines.kernel.process(Address(1)));
        if (delay < 0) {
          env_of->env().disarm(id);
        } else {
          env_of->env().arm(id, deadline);
        }
      });
    }
    for (const auto& [id, deadline] : table) expected.emplace_back(id, deadline);
    machines.run();
    std::sort(expected.begin(), expected.end());
    std::sort(fired.begin(), fired.end());
    RC_ASSERT(fired == expected);
  }));
}

// ---- Costs ---------------------------------------------------------------------------------

struct Rig {
  Recorder recorder;
  KernelOptions options;
  Engine engine{options, recorder, nullptr};
  TimerTable table;

  // Disposes of what surfaces before `now`, as the kernel does.
  void surface(MonotonicTime now) {
    engine.now = now;
    while (!engine.queue.empty() && engine.queue.front().at_ns <= now.time_since_epoch().count()) {
      const QueueEntry front = engine.queue.front();
      if (!engine.timer_is_due(front)) continue;
      FAIL("nothing is due");
    }
  }
};

TEST_CASE("a million resets to later keep one entry in the queue") {
  Rig rig;
  std::size_t most = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const MonotonicTime now = at_time(i * 10us);
    rig.surface(now);
    rig.engine.arm(rig.table, Address(1), kTick, now + 150ms);
    most = std::max(most, rig.engine.queue.size());
  }
  CHECK(most == 1);
}

TEST_CASE("a million resets to earlier, or disarms, leave the queue bounded") {
  Rig rig;
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    const TimerId timer(std::uint64_t{1} << 56U | (i % 3 == 0 ? 1 : i));
    const Duration far = 1h - Duration(static_cast<std::int64_t>(i));
    rig.engine.arm(rig.table, Address(1), timer, at_time(far));
    if (i % 3 != 0) rig.engine.disarm(rig.table, timer);
    most = std::max(most, rig.engine.queue.size());
  }
  CHECK(most <= 2'048);
  CHECK(rig.table.size() <= 2'048);
}

TEST_CASE("sweeping dead entries loses no timer that is armed") {
  Machines machines(KernelOptions{}, 1);
  std::uint64_t fired = 0;
  machines.script(1).start = [](Env& env) {
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      const TimerId timer(std::uint64_t{1} << 56U | i);
      env.arm(timer, at_time(1s + Duration(static_cast<std::int64_t>(i))));
      if (i % 10 != 0) env.disarm(timer);
    }
  };
  machines.script(1).timer = [&](Env&, TimerId timer) {
    CHECK((timer.value & 0xffffU) % 10 == 0);
    ++fired;
  };
  machines.start_all();
  machines.run();
  CHECK(fired == 2'000);
}

}  // namespace
}  // namespace rejoin::sim
