// For the tests of the faults of disks: node 2 of a rig, what it found in its files when it started
// again, and how its operations ended.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/faults/rig.hpp"

namespace rejoin::sim::testing {

struct DiskRig {
  explicit DiskRig(std::uint64_t seed = 1) : rig({.seed = seed}) {
    rig.machines.script(2).io = [this](Env&, const IoDone& done) {
      failed += done.status == IoStatus::failed ? 1U : 0U;
      if (done.token == kRead) {
        journal = text_of(done.data);
        status = done.status;
      } else if (done.status == IoStatus::ok) {
        ++synced;
      }
    };
  }
  void inject(MonotonicTime when, std::string_view fault, Params params = {},
              std::optional<Duration> lasts = {}) {
    params.set("target", nodes({2}));
    (void)rig.inject(when, fault, params, lasts);
  }
  // Power-cycles the node in the middle of a sync: it reads its journal 10 ms later.
  void power_cycle(MonotonicTime when) {
    rig.machines.at(when, [this] { (void)rig.machines.kernel.crash(Address(2)); });
    rig.machines.at(when + 10ms, [this] { (void)rig.machines.kernel.start(Address(2)); });
  }
  void run() { rig.run_until(at_time(2s)); }
  [[nodiscard]] std::size_t count(char c) const {
    return static_cast<std::size_t>(std::count(journal.begin(), journal.end(), c));
  }
  // How long each sync of the node took that it was told of; by its number.
  [[nodiscard]] std::map<std::string, Duration> sync_times() const {
    std::map<std::string, MonotonicTime> requested;
    std::map<std::string, Duration> out;
    for (const SeenFact& fact : rig.machines.recorder.facts) {
      if (fact.source.node != NodeId(2)) continue;
      const std::string number = fact.text.substr(fact.text.find('{') + 1);
      if (fact.text.starts_with("SyncRequested")) requested[number] = fact.at;
      if (fact.text.starts_with("SyncCompleted")) out[number] = fact.at - requested.at(number);
    }
    return out;
  }

  FaultRig rig;
  std::string journal;  // as last read at a start: an x for each tick
  IoStatus status{};    // of that read
  std::size_t synced = 0;
  std::size_t failed = 0;
};

}  // namespace rejoin::sim::testing
