// One machine: its disk, its timers, and the process that runs on it while it is up. It is the Env
// and the Observer of that process.
//
// Invariants:
// 1. Lives are counted from 1; each start is a new one. Timers and completions are of one life.
// 2. A crash or halt takes effect when nothing of the process is on the stack.
#pragma once

#include <memory>
#include <string>

#include "sim/kernel/disk.hpp"
#include "sim/kernel/engine.hpp"

namespace rejoin::sim {

// What ends a life, in the order in which it was asked for.
struct Stop {
  class Host* host = nullptr;
  Fact fact;  // ProcessCrashed or ProcessHalted
};

class Host final : public Env, public Observer {
 public:
  Host(Engine& engine, HostSpec spec, std::vector<Stop>& stops);

  // ---- Env ----
  [[nodiscard]] MonotonicTime now() const override { return engine_.now; }
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] Address self() const override { return spec_.address; }
  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override;
  void arm(TimerId timer, MonotonicTime deadline) override;
  void disarm(TimerId timer) override;
  void append(std::string_view file, ByteView data) override;
  void sync(std::string_view file, IoToken token) override;
  void read(std::string_view file, IoToken token) override;
  void replace(std::string_view file, ByteView data, IoToken token) override;
  void remove(std::string_view file, IoToken token) override;
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override;
  void halt(std::string_view reason) override;

  // ---- Observer ----
  void on_fact(const FactSource& source, const Fact& fact) override;

  // ---- For the kernel ----
  [[nodiscard]] const HostSpec& spec() const { return spec_; }
  [[nodiscard]] FactSource source() const { return {spec_.node, spec_.client, {}}; }
  [[nodiscard]] bool is_up() const { return process_ != nullptr && !doomed_; }
  [[nodiscard]] Process* process() const { return is_up() ? process_.get() : nullptr; }
  [[nodiscard]] const Disk& disk() const { return disk_; }
  // An event that was scheduled for `life` still counts.
  [[nodiscard]] bool lives(std::uint64_t life) const { return process_ && life_ == life; }
  [[nodiscard]] bool is_starting(std::uint64_t start) const { return start_pending_ == start; }

  void provision(std::string_view file, ByteView data);
  bool schedule_start(RestartOptions options);
  bool crash(CrashScope scope);
  void end_life(const Fact& fact);

  // ---- Events ----
  void on_start(const EventRecord& record);
  void on_deliver(const EventRecord& record);
  void on_timer(std::uint32_t slot);
  void on_io(const EventRecord& record);

 private:
  void request_stop(const Fact& fact);
  void schedule_io(const Disk::Requested& requested, IoToken token);
  void fold(const DurableWrite& write);

  Engine& engine_;
  const HostSpec spec_;
  std::vector<Stop>& stops_;
  Disk disk_;
  TimerTable timers_;
  std::unique_ptr<Process> process_;
  std::uint64_t life_ = 0;
  std::uint64_t starts_ = 0;         // requested
  std::uint64_t start_pending_ = 0;  // which of them; 0: none
  Wipe wipe_at_start_ = Wipe::none;
  std::uint32_t version_ = 1;  // of the software
  bool doomed_ = false;        // a stop waits
};

}  // namespace rejoin::sim
