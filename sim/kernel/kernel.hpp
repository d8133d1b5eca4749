// The kernel: one simulated world. It owns virtual time, the event queue, the network, the disks
// and the hosts, dispatches one event at a time and folds each into the digest.
//
// Invariants:
// 1. Events are ordered by time, then by a keyed hash of what they are (or, with fifo, by order of
//    scheduling), then by order of scheduling. Nothing else decides.
// 2. Every event, every fact and every durable write folds into the chain, in order.
// 3. A crash drops the process, its timers, what its disk had not synced, and the completions it
//    waited for. Messages it had sent are under way and arrive.
// 4. An event for a former life of a process is dropped without a trace in the new one.
//
// Not here: what processes do (protocols), what a scenario is (sim/run), any judgement.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "model/env.hpp"
#include "model/facts.hpp"
#include "model/hash.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/options.hpp"
#include "model/time.hpp"

namespace rejoin::sim {

class Network;

struct KernelOptions {
  std::uint64_t seed = 1;
  bool fifo = false;
  NetworkOptions network;
  DiskOptions disk;
};

// Makes the program of a host, anew at each start.
using ProcessFactory = std::function<std::unique_ptr<Process>(Env& env, Observer& observer)>;

struct HostSpec {
  Address address;
  std::string name;  // `node-3`, `client-1`
  NodeId node;       // none for a client
  ClientId client;   // none for a node
  ProcessFactory make;
};

struct RestartOptions {
  bool wipe = false;  // start on an empty disk
};

enum class EventKind : std::uint8_t { start, deliver, timer, io, control };
[[nodiscard]] std::string_view to_name(EventKind kind);

// One dispatched event, for traces and for `--verify`.
struct TraceEvent {
  MonotonicTime at{};
  std::uint64_t event = 0;  // counted from 1
  EventKind kind{};
  Address host{};         // to whom; none for control
  Address from{};         // of a deliver
  std::uint64_t id = 0;   // timer, io token or control id
  MessageKind message{};  // of a deliver
  ByteView payload{};     // frame of a deliver, data of an io
  Hash128 chain{};        // the digest after this event was folded, before it is dispatched
};

// What happened to a message that will not arrive.
enum class DropReason : std::uint8_t { loss, partition, host_down };

class KernelListener {
 public:
  virtual ~KernelListener() = default;
  virtual void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                       const Fact& fact) = 0;
  virtual void on_control(std::uint64_t id) = 0;
};

// Optional and slow: everything, as it happens.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void on_event(const TraceEvent& event) = 0;
  virtual void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                       const Fact& fact) = 0;
  virtual void on_send(MonotonicTime at, std::uint64_t event, Address from, Address to,
                       ByteView frame, const Tag& tag) = 0;
  virtual void on_drop(MonotonicTime at, std::uint64_t event, Address from, Address to,
                       const Tag& tag, DropReason reason) = 0;
};

struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;
  std::array<std::uint64_t, kPurposeCount> messages_by_purpose{};
  std::array<std::uint64_t, kPurposeCount> bytes_by_purpose{};
};

class Kernel {
 public:
  Kernel(const KernelOptions& options, KernelListener& listener, TraceSink* trace = nullptr);
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // ---- Setting up ----
  void add_host(HostSpec host);
  // Puts a durable file on a host's disk. Only while the host is down.
  void provision(Address host, std::string_view file, ByteView data);

  // ---- Acting on hosts (from outside events or from on_control) ----
  // Schedules the start of a host that is down at the current instant; false when it is up.
  bool start(Address host, RestartOptions options = {});
  // Kills the process; false when it is down already.
  bool crash(Address host);
  [[nodiscard]] bool is_up(Address host) const;
  [[nodiscard]] Address address_of(NodeId node) const;  // of the host that runs it
  // The running program, null when down. For the composition root alone: it knows the type.
  [[nodiscard]] Process* process(Address host);
  [[nodiscard]] Network& network();
  // Publishes a fact of the world (FaultInjected and the like).
  void publish(const FactSource& source, const Fact& fact);

  // ---- Time ----
  // Calls listener.on_control(id) at `at`, or at once when that has passed.
  void control_at(MonotonicTime at, std::uint64_t id);
  // Dispatches the next event; false when there is none.
  bool step();
  [[nodiscard]] MonotonicTime now() const;
  [[nodiscard]] MonotonicTime next_event_at() const;  // kForever when there is none
  [[nodiscard]] std::uint64_t events() const;
  [[nodiscard]] const Traffic& traffic() const;
  [[nodiscard]] std::uint64_t disk_bytes_written() const;
  [[nodiscard]] Hash128 digest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rejoin::sim
