// What merging costs, by scheme: a million records, each with one that another replica holds of the
// key.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "model/check.hpp"
#include "model/random.hpp"
#include "protocols/versions/merge.hpp"

namespace rejoin {
namespace {

constexpr std::uint64_t kRecords = 1'000'000;

Record record_of(const VersionRules& rules, std::uint64_t n, std::uint64_t write) {
  const Key key = "key-" + std::to_string(n);
  const Version version{.timestamp = WallTime(Duration(static_cast<std::int64_t>(write))),
                        .writer = NodeId(static_cast<std::uint32_t>(write % 5 + 1))};
  const RequestId origin{.client = ClientId(1), .n = write};
  const Value value = "value-" + std::to_string(write);
  if (!tracks_causality(rules.scheme)) {
    return {.key = key, .value = value, .version = version, .origin = origin};
  }
  return update(rules, key, nullptr,
                {.value = value, .version = version, .origin = origin, .context = {}},
                actor_of(version.writer, 1))
      .record;
}

// Two of three pairs are concurrent, as far as anyone can say.
void merge_records(benchmark::State& state) {
  StoreOptions options;
  options.versions = static_cast<VersionScheme>(state.range(0));
  const VersionRules rules(options);
  std::vector<Record> here;
  std::vector<Record> there;
  for (std::uint64_t n = 0; n < kRecords; ++n) {
    here.push_back(record_of(rules, n, 2 * n + 1));
    there.push_back(n % 3 == 0 ? here.back() : record_of(rules, n, 2 * n + 2));
  }
  std::uint64_t changed = 0;
  for (auto _ : state) {
    for (std::uint64_t n = 0; n < kRecords; ++n) {
      changed += merge(rules, &here[n], there[n]).changed ? 1 : 0;
    }
  }
  CHECK_THAT(changed != 0);
  state.SetLabel(std::string(to_name(options.versions)));
  state.counters["records/s"] =
      benchmark::Counter(static_cast<double>(kRecords) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}
BENCHMARK(merge_records)->DenseRange(0, 4)->Unit(benchmark::kMillisecond)->Name("merge");

}  // namespace
}  // namespace rejoin
