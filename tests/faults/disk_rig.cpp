#include "tests/faults/disk_rig.hpp"

#include <algorithm>

namespace rejoin::sim::testing {

DiskRig::DiskRig(std::uint64_t seed) : rig({.seed = seed}) {
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

DiskRig::~DiskRig() = default;

void DiskRig::inject(MonotonicTime when, std::string_view fault, Params params,
                     std::optional<Duration> lasts) {
  params.set("target", nodes({2}));
  (void)rig.inject(when, fault, params, lasts);
}

void DiskRig::power_cycle(MonotonicTime when) {
  rig.machines.at(when, [this] { (void)rig.machines.kernel.crash(Address(2)); });
  rig.machines.at(when + 10ms, [this] { (void)rig.machines.kernel.start(Address(2)); });
}

void DiskRig::run() {
  rig.run_until(at_time(2s));
}

std::size_t DiskRig::count(char c) const {
  return static_cast<std::size_t>(std::count(journal.begin(), journal.end(), c));
}

std::map<std::string, Duration> DiskRig::sync_times() const {
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

}  // namespace rejoin::sim::testing
