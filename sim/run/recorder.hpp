// The recorder: turns facts into what a run record holds. It counts, and keeps the table of
// transitions, the reads and the history; it judges nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/facts.hpp"
#include "model/run_record.hpp"
#include "model/schedule.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/world.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/stale_time.hpp"

namespace rejoin::sim {

class EventRecorder;

class Recorder {
 public:
  // `events` is told of stale reads; it may be null.
  Recorder(const Schedule& schedule, const World& world, RunRecord& record,
           EventRecorder* events = nullptr);

  // After the world has absorbed the fact.
  void on_fact(MonotonicTime at, const FactSource& source, const Fact& fact);
  void on_step_fired(std::size_t step, MonotonicTime at);
  void on_step_completed(std::size_t step, MonotonicTime at);
  void on_step_injected(std::size_t step, const std::string& says, const Injection& injection);
  // Once, when the run has ended, for each of those.
  void on_step_did(std::size_t step, std::uint64_t did);
  // Once, when the run has ended: metrics and traffic.
  void finish(const Kernel& kernel, bool converged);

 private:
  // When a node was down, and when it was no member: the reason of most stale reads.
  struct Absence {
    NodeId node;
    MonotonicTime from{};
    std::optional<MonotonicTime> until;
  };

  void take_row(std::size_t transition, MonotonicTime at);
  void take_late_rows(MonotonicTime at);
  void take_rows_of(NodeId returned, MonotonicTime at);
  void on_read(const Operation& read);
  [[nodiscard]] std::string why_stale(const Operation& read, const Operation& missed) const;
  void count(const FactSource& source, const Fact& fact);
  void count_copies();
  void count_lost();
  void set_metric(const std::string& name, std::uint64_t value);

  const Schedule& schedule_;
  const World& world_;
  RunRecord& record_;
  EventRecorder* events_;
  std::map<std::size_t, std::size_t> row_of_step_;
  std::map<std::size_t, std::size_t> fault_of_step_;  // index into record_.faults
  // Rows that are taken later than their step completes, but before the next step fires: a write
  // that one replica has acknowledged is still on its way to the others; a node that restarts
  // (named here) is shown when it is back in the cluster.
  std::map<std::size_t, NodeId> late_rows_;
  std::map<RequestId, std::size_t> operations_;  // index into record_.history
  std::map<RequestId, MonotonicTime> given_up_;  // operations that were abandoned
  std::set<std::string> read_steps_;             // labels
  std::vector<Absence> absences_;
  std::map<std::string, std::uint64_t> counts_;
  MonotonicTime last_fault_{};
  MonotonicTime last_repair_write_{};
  std::optional<std::uint64_t> copies_min_;
  StaleTime stale_time_;
  std::set<Key> resurrected_;  // read after their delete
};

}  // namespace rejoin::sim
