// What a verdict on linearizability costs: histories of registers that are registers, so that
// nothing is found early, by how many clients ask a key at once; and what a short witness costs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "model/check.hpp"
#include "model/random.hpp"
#include "sim/invariants/linearizability.hpp"

namespace rejoin::sim {
namespace {

constexpr std::uint64_t kLostOutcomes = 100;  // one in so many

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t roll(std::uint64_t sides) {
    return draw({.seed = seed_, .domain = Domain::workload, .what = ++rolls_}) % sides;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t rolls_ = 0;
};

// Half reads, a tenth deletes; each takes effect between its call and its return.
std::vector<Call> history(std::uint64_t seed, std::size_t size, std::size_t clients) {
  struct Client {
    std::optional<std::size_t> call;
    bool effective = false;
  };
  Dice dice(seed);
  std::vector<Client> all(clients);
  std::vector<Call> calls;
  std::uint64_t content = kAbsent;
  for (std::uint64_t position = 1; calls.size() < size; ++position) {
    Client& client = all[dice.roll(clients)];
    if (!client.call) {
      client = {.call = calls.size(), .effective = false};
      const std::uint64_t kind = dice.roll(10);
      Call call{.invoked = position};
      call.kind = kind < 4 ? CallKind::write : kind < 5 ? CallKind::remove : CallKind::read;
      if (call.kind == CallKind::write) call.version = calls.size() + 1;
      calls.push_back(call);
    } else if (!client.effective) {
      client.effective = true;
      Call& call = calls[*client.call];
      if (call.kind == CallKind::read) {
        call.version = content;
      } else {
        content = call.version;
      }
      if (dice.roll(kLostOutcomes) == 0) client.call.reset();
    } else {
      calls[*client.call].returned = position;
      client.call.reset();
    }
  }
  return calls;
}

// 100,000 operations: `keys` registers, each asked by `clients`.
void verdict(benchmark::State& state) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  const auto clients = static_cast<std::size_t>(state.range(1));
  std::vector<std::vector<Call>> histories;
  for (std::uint64_t key = 0; key < keys; ++key) {
    histories.push_back(history(key, 100'000 / keys, clients));
  }
  std::uint64_t configurations = 0;
  for (auto _ : state) {
    configurations = 0;
    for (const std::vector<Call>& calls : histories) {
      const Linearization found = linearize(calls);
      CHECK_THAT(found.verdict == Linearizability::linearizable);
      configurations += found.configurations;
    }
  }
  state.counters["configurations"] = static_cast<double>(configurations);
  state.SetItemsProcessed(state.iterations() * 100'000);
}
BENCHMARK(verdict)
    ->ArgNames({"keys", "clients"})
    ->Args({1'000, 3})
    ->Args({1'000, 10})
    ->Args({1'000, 30})
    ->Args({10, 10})
    ->Args({1, 10})
    ->Unit(benchmark::kMillisecond);

// The last read of a value returns the first that was ever read.
void witness(benchmark::State& state) {
  std::vector<Call> calls = history(1, static_cast<std::size_t>(state.range(0)), 10);
  const auto reads_value = [](const Call& call) {
    return call.kind == CallKind::read && call.returned && call.version != kAbsent;
  };
  std::find_if(calls.rbegin(), calls.rend(), reads_value)->version =
      std::find_if(calls.begin(), calls.end(), reads_value)->version;
  for (auto _ : state) {
    CHECK_THAT(linearize(calls).verdict == Linearizability::not_linearizable);
    const Witness found = find_witness(calls);
    CHECK_THAT(found.minimal);
    state.counters["operations"] = static_cast<double>(found.operations.size());
  }
}
BENCHMARK(witness)->ArgName("history")->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rejoin::sim
