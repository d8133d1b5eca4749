// A process made of functions, and a listener that remembers, for the tests of the kernel and of
// the faults.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
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
  ScriptProcess(Env& env, const Script& script);
  ~ScriptProcess() override;
  void start() override;
  void on_message(Address from, ByteView frame) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;
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
  ~Recorder() override;
  void on_fact(MonotonicTime at, std::uint64_t, const FactSource& source,
               const Fact& fact) override;
  void on_control(std::uint64_t id) override;
  [[nodiscard]] std::size_t count(std::string_view name) const;

  std::vector<SeenFact> facts;
  std::function<void(const FactSource&, const Fact&)> also_fact;
  std::function<void(std::uint64_t)> control;
};

[[nodiscard]] NetworkOptions constant_network(Duration latency);

// Nodes 1..n, each at the address of its number, all with one script.
class Machines {
 public:
  Machines(const KernelOptions& options, std::uint32_t nodes, TraceSink* trace = nullptr);
  ~Machines();

  // Of the software that was last started on a node.
  [[nodiscard]] std::uint32_t version_started(std::uint32_t node) const {
    return installed[node].version;
  }
  [[nodiscard]] Script& script(std::uint32_t node) { return scripts[node]; }
  void start_all();
  void run_until(MonotonicTime end);
  void run() { run_until(kForever); }
  // Runs `action` as a control event at `at`.
  void at(MonotonicTime at, std::function<void()> action);

  Recorder recorder;
  Kernel kernel;
  std::vector<Script> scripts;
  std::vector<Installed> installed;           // as it was when a node was last started
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
[[nodiscard]] std::string text_of(ByteView bytes);
void send_text(Env& env, Address to, std::string_view text, std::uint64_t identity,
               Transport transport = Transport::datagram);

}  // namespace rejoin::sim::testing
