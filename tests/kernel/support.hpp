// A process made of functions, and a listener that remembers, for the tests of the kernel and of
// the faults.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/kernel.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim::testing {

struct Script {
  std::function<void(Env&)> start{};
  std::function<void(Env&, Address, ByteView)> message{};
  std::function<void(Env&, TimerId)> timer{};
  std::function<void(Env&, const IoDone&)> io{};
};

class ScriptProcess final : public Process {
 public:
  ScriptProcess(Env& env, const Script& script) : env_(env), script_(script) {}
  void start() override {
    if (script_.start) script_.start(env_);
  }
  void on_message(Address from, ByteView frame) override {
    if (script_.message) script_.message(env_, from, frame);
  }
  void on_timer(TimerId timer) override {
    if (script_.timer) script_.timer(env_, timer);
  }
  void on_io(const IoDone& done) override {
    if (script_.io) script_.io(env_, done);
  }
  [[nodiscard]] Env& env() { return env_; }

 private:
  Env& env_;
  const Script& script_;
};

struct SeenFact {
  MonotonicTime at{};
  FactSource source{};
  std::string text{};
};

class Recorder final : public KernelListener {
 public:
  void on_fact(MonotonicTime at, std::uint64_t, const FactSource& source,
               const Fact& fact) override {
    facts.push_back({at, source, describe(fact)});
    if (also_fact) also_fact(source, fact);
  }
  void on_control(std::uint64_t id) override {
    if (control) control(id);
  }
  [[nodiscard]] std::size_t count(std::string_view name) const {
    std::size_t n = 0;
    for (const SeenFact& fact : facts) n += fact.text.starts_with(name) ? 1U : 0U;
    return n;
  }

  std::vector<SeenFact> facts;
  std::function<void(const FactSource&, const Fact&)> also_fact;
  std::function<void(std::uint64_t)> control;
};

inline NetworkOptions constant_network(Duration latency) {
  NetworkOptions network;
  network.latency = constant_latency(latency);
  network.bandwidth_bytes_per_s = 0;
  return network;
}

// Nodes 1..n, each at the address of its number, all with one script.
class Machines {
 public:
  Machines(const KernelOptions& options, std::uint32_t nodes, TraceSink* trace = nullptr)
      : kernel(options, recorder, trace), scripts(nodes + 1), versions(nodes + 1) {
    for (std::uint32_t n = 1; n <= nodes; ++n) {
      kernel.add_host({.address = Address(n),
                       .name = to_name(NodeId(n)),
                       .node = NodeId(n),
                       .client = {},
                       .make = [this, n](Env& env, Observer&, std::uint32_t version) {
                         versions[n] = version;
                         return std::make_unique<ScriptProcess>(env, scripts[n]);
                       }});
    }
  }
  // Of the software that was last started on a node.
  [[nodiscard]] std::uint32_t version_started(std::uint32_t node) const { return versions[node]; }
  [[nodiscard]] Script& script(std::uint32_t node) { return scripts[node]; }
  void start_all() {
    for (std::uint32_t n = 1; n < scripts.size(); ++n) (void)kernel.start(Address(n));
  }
  void run_until(MonotonicTime end) {
    while (kernel.next_event_at() <= end && kernel.next_event_at() != kForever) {
      (void)kernel.step();
    }
  }
  void run() { run_until(kForever); }
  // Runs `action` as a control event at `at`.
  void at(MonotonicTime at, std::function<void()> action) {
    actions.push_back(std::move(action));
    recorder.control = [this](std::uint64_t id) { actions[id](); };
    kernel.control_at(at, actions.size() - 1, actions.size() - 1);
  }

  Recorder recorder;
  Kernel kernel;
  std::vector<Script> scripts;
  std::vector<std::uint32_t> versions;
  std::deque<std::function<void()>> actions;  // a deque: one that runs may add another
};

inline constexpr MessageKind kPing{Channel::node, 1};
inline constexpr TimerId kTick{std::uint64_t{1} << 56U | 1};
inline constexpr IoToken kSynced{std::uint64_t{1} << 56U | 1};
inline constexpr IoToken kRead{std::uint64_t{1} << 56U | 2};
inline constexpr IoToken kReplaced{std::uint64_t{1} << 56U | 3};

[[nodiscard]] inline MonotonicTime at_time(Duration since_start) {
  return MonotonicTime(since_start);
}
[[nodiscard]] inline std::string text_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}
inline void send_text(Env& env, Address to, std::string_view text, std::uint64_t identity,
                      Transport transport = Transport::datagram) {
  const ByteView bytes = as_bytes(text);
  env.send(to, transport, Bytes(bytes.begin(), bytes.end()),
           {.kind = kPing, .purpose = Purpose::foreground, .identity = identity, .attempt = 0});
}

}  // namespace rejoin::sim::testing
