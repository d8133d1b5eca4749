// Three nodes that ping each other every 10 ms, count what they hear and keep a journal, for the
// tests of the faults.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/faults/fault.hpp"
#include "tests/kernel/support.hpp"

namespace rejoin::sim::testing {

class FaultRig {
 public:
  static constexpr std::uint32_t kNodes = 3;

  explicit FaultRig(std::uint64_t seed = 1)
      : machines({.seed = seed, .fifo = false, .network = constant_network(1ms), .disk = {}},
                 kNodes) {
    for (std::uint32_t n = 1; n <= kNodes; ++n) {
      Script& script = machines.script(n);
      script.start = [this, n](Env& env) {
        ++starts[n];
        env.read("journal", kRead);
        env.arm(kTick, env.now() + 10ms);
      };
      script.timer = [n](Env& env, TimerId) {
        const auto round = static_cast<std::uint64_t>(env.now().time_since_epoch().count());
        for (std::uint32_t to = 1; to <= kNodes; ++to) {
          if (to != n) send_text(env, Address(to), "ping", round);
        }
        if (env.now() < at_time(1s)) env.arm(kTick, env.now() + 10ms);
        env.append("journal", as_bytes("x"));
        env.sync("journal", kSynced);
      };
      script.message = [this, n](Env&, Address from, ByteView) { ++heard[from.value][n]; };
      script.io = [this, n](Env&, const IoDone& done) {
        if (done.token == kRead) journal_at_start[n] = done.data.size();
      };
    }
    machines.start_all();
  }

  // Injects at `when`, as a step of a schedule does; `touched` gets what it returned.
  void inject(MonotonicTime when, std::string_view fault, Params params) {
    const FaultSpec* const spec = Faults::find(fault);
    CHECK_THAT(spec != nullptr);
    CHECK_THAT(params.all().size() == spec->params.size());
    machines.at(when, [this, spec, params = std::move(params)] {
      touched.push_back(spec->inject(machines.kernel, params));
    });
  }
  void run_until(MonotonicTime end) { machines.run_until(end); }
  [[nodiscard]] bool is_up(std::uint32_t node) { return machines.kernel.is_up(Address(node)); }

  Machines machines;
  std::vector<std::uint64_t> touched;
  // Indexed by node, from 1; heard[from][to].
  std::array<std::uint64_t, kNodes + 1> starts{};
  std::array<std::array<std::uint64_t, kNodes + 1>, kNodes + 1> heard{};
  std::array<std::size_t, kNodes + 1> journal_at_start{};
};

[[nodiscard]] inline Params params_of(
    std::initializer_list<std::pair<std::string_view, ParamValue>> values) {
  Params params;
  for (const auto& [name, value] : values) params.set(name, value);
  return params;
}

[[nodiscard]] inline std::string says(std::string_view fault, const Params& params) {
  return Faults::find(fault)->says(params);
}

}  // namespace rejoin::sim::testing
