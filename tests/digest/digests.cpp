// Prints one line a run: schedule, seed, digest, events, verdict. Needs the core alone, so that it
// can be built by any compiler, at any optimisation, with any library: the lines must be the same.
#include <cstdio>

#include "sim/run/run.hpp"
#include "sim/run/verdict.hpp"
#include "tests/support/seed_schedule.hpp"

int main() {
  using namespace rejoin;
  for (const char* mechanism : {"none", "hook-copy", "rejoin-sync"}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Schedule schedule = test::seed_schedule(mechanism);
      schedule.seed = seed;
      const RunRecord record = sim::run(schedule);
      std::printf("%s %llu %s %llu %s\n", mechanism, static_cast<unsigned long long>(seed),
                  to_hex(record.digest).c_str(), static_cast<unsigned long long>(record.events),
                  std::string(to_name(record.verdict)).c_str());
    }
  }
  return 0;
}
