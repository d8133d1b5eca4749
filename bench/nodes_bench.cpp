// Events a second, by the number of nodes: of the kernel alone (every node has one message under
// way to a random peer, and resets a timer on each delivery), and of whole clusters at work.
//
// Both pay for all that a run pays for: keyed draws, the network model, the digest.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "model/random.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin {
namespace {

class Deaf final : public sim::KernelListener {
 public:
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_control(std::uint64_t) override {}
};

// Hands what it gets to a random peer, for ever.
class Courier final : public Process {
 public:
  Courier(Env& env, std::uint32_t nodes) : env_(env), nodes_(nodes) {}

  void start() override { pass_on(); }
  void on_message(Address, ByteView) override {
    env_.arm(kIdle, env_.now() + 150ms);
    pass_on();
  }
  void on_timer(TimerId) override { pass_on(); }
  void on_io(const IoDone&) override {}

 private:
  static constexpr TimerId kIdle{1};

  void pass_on() {
    const std::uint64_t draw = env_.random("peer", ++sent_, 0);
    const Address to(1 + static_cast<std::uint32_t>(below(draw, nodes_)));
    env_.send(to, Transport::datagram, Bytes(16),
              {.kind = MessageKind(Channel::node, 1), .identity = sent_});
  }

  Env& env_;
  std::uint32_t nodes_;
  std::uint64_t sent_ = 0;
};

void deliveries(benchmark::State& state) {
  const auto nodes = static_cast<std::uint32_t>(state.range(0));
  Deaf deaf;
  sim::Kernel kernel({.seed = 1}, deaf);
  for (std::uint32_t n = 1; n <= nodes; ++n) {
    kernel.add_host({.address = Address(n),
                     .name = to_name(NodeId(n)),
                     .node = NodeId(n),
                     .client = {},
                     .make = [nodes](Env& env, Observer&, const sim::Installed&) {
                       return std::make_unique<Courier>(env, nodes);
                     }});
    (void)kernel.start(Address(n));
  }
  for (std::uint32_t warm = 0; warm < 4 * nodes; ++warm) (void)kernel.step();
  for (auto _ : state) {
    if (!kernel.step()) state.SkipWithError("the kernel ran dry");
  }
  state.SetItemsProcessed(state.iterations());
}

// A cluster that writes a hundred keys and then beats for a simulated while.
void clusters(benchmark::State& state) {
  Schedule schedule = test::seed_schedule("none");
  schedule.cluster.nodes = static_cast<std::uint32_t>(state.range(0));
  schedule.timeline = {
      test::step("writes", trigger::Next{},
                 test::operate(OperationKind::write, test::keys(1, 100))),
      test::step("end", trigger::At{MonotonicTime(Duration(state.range(1) * 1'000'000))},
                 action::Wait{})};
  schedule.limits.settle = 0s;
  std::uint64_t events = 0;
  for (auto _ : state) {
    const RunRecord record = sim::run(schedule);
    if (record.verdict == Verdict::unbounded) state.SkipWithError("the run did not end");
    events += record.events;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
}

BENCHMARK(deliveries)->Name("deliveries/nodes")->Arg(3)->Arg(100)->Arg(1'000)->Arg(10'000);
// Nodes, and how long they run, in simulated milliseconds.
BENCHMARK(clusters)
    ->Name("cluster/nodes/ms")
    ->Args({3, 30'000})
    ->Args({100, 10'000})
    ->Args({1'000, 2'000})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rejoin
