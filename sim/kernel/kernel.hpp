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
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  NetworkOptions network{};
  TopologyOptions topology{};
  HostOptions host{};
  DiskOptions disk{};
  // Raised while a process or a listener runs, for whoever forbids it the real world (the clock,
  // entropy, threads). Not owned; may be null.
  bool* dispatching = nullptr;
};

// What is on a machine besides its disk. It stays until a start changes it.
struct Installed {
  std::uint32_t version = 1;                     // of the software
  std::optional<std::uint32_t> partitions = {};  // its own configuration's; none: the cluster's
};

// Makes the program of a host, anew at each start.
using ProcessFactory = std::function<std::unique_ptr<Process>(Env& env, Observer& observer,
                                                              const Installed& installed)>;

struct HostSpec {
  Address address;
  std::string name;  // `node-3`, `client-1`
  NodeId node;       // none for a client
  ClientId client;   // none for a node
  ProcessFactory make;
  bool diskless = false;  // what it stores it forgets at each start
};

// What of a machine's files is gone at the next start. Consensus is what node, raft and membership
// keep, data what the store keeps; half loses each file or not, by a keyed draw.
enum class Wipe : std::uint8_t { none, all, consensus, data, half };
struct RestartOptions {
  Wipe wipe = Wipe::none;
  std::optional<std::uint32_t> version = {};     // of the software, from now on
  std::optional<std::uint32_t> partitions = {};  // of its configuration, from now on
  std::uint64_t key = 0;                         // whose draws a wipe makes, without the seed
};

// A process dies alone: the machine goes on, and what was appended stays in its page cache. A
// machine dies with all that it had not synced, but for a torn tail.
enum class CrashScope : std::uint8_t { machine, process };

// Something that is wrong, until it is ended. Effects compose: two of a kind are both in force.
// What an effect draws is keyed by whoever began it, never by how many there were before.
using EffectId = StrongId<struct EffectIdTag, std::uint64_t>;

// Clocks. Rates apply from the moment of the effect, so that nothing jumps but what says so; ending
// one leaves the clock where it has drifted to, and only takes `wall_offset` back.
struct ClockTrouble {
  Duration wall_offset{};
  Rate wall_rate{};  // on top of the monotonic clock's
  bool wall_frozen = false;
  Rate monotonic_rate{};  // of both clocks, and so of all timers
};

struct DiskTrouble;  // sim/kernel/disk.hpp

// Values are in the digest. Network: a stream finds out that what it sent was lost.
enum class EventKind : std::uint8_t { start, deliver, timer, io, control, network };
[[nodiscard]] std::string_view to_name(EventKind kind);

// One dispatched event, for traces and for `--verify`.
struct TraceEvent {
  MonotonicTime at{};
  std::uint64_t event = 0;  // counted from 1
  EventKind kind{};
  Address host{};         // to whom; none for control and network
  Address from{};         // of a deliver
  std::uint64_t id = 0;   // timer, io token or control id; network: the stream, from << 32 | to
  MessageKind message{};  // of a deliver
  ByteView payload{};     // frame of a deliver, data of an io
  Hash128 chain{};        // the digest after this event was folded, before it is dispatched
};

// What happened to a message that will not arrive.
enum class DropReason : std::uint8_t {
  loss,
  partition,  // a cut link or site, no route
  host_down,
  too_large,   // a datagram above the MTU
  queue_full,  // a datagram at a full port or link
  reset,       // a stream broke while it held the message
};
[[nodiscard]] std::string_view to_name(DropReason reason);

// What happened to a message that may well arrive.
enum class Mishap : std::uint8_t {
  duplicated,     // a second copy is under way
  corrupted,      // a bit was flipped
  stalled,        // a stream lost it and waits for a timer
  retransmitted,  // and sends it again
  clogged,        // it waits where it would arrive
};
[[nodiscard]] std::string_view to_name(Mishap mishap);

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
  virtual void on_mishap(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/,
                         Address /*to*/, const Tag& /*tag*/, Mishap /*mishap*/) {}
};

struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;  // copies, too
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t retransmitted = 0;
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
  bool crash(Address host, CrashScope scope = CrashScope::machine);
  [[nodiscard]] bool is_up(Address host) const;
  [[nodiscard]] bool is_diskless(Address host) const;
  // Of the host that runs the node (never of its twin), and of the client's.
  [[nodiscard]] Address address_of(NodeId node) const;
  [[nodiscard]] Address address_of(ClientId client) const;
  // The second machines with its id, up or not, in order of address.
  [[nodiscard]] std::vector<Address> twins_of(NodeId node) const;
  // Of the software that it runs, or would when it is started; 0: there is no such host.
  [[nodiscard]] std::uint32_t version_of(Address host) const;
  // In order of address; twins included.
  [[nodiscard]] const std::vector<Address>& hosts() const;
  // The same machine and disk at another, unused address, drawn by the key: the process is killed
  // and started there. Its new address, or none when there is no such host.
  Address move(Address host, std::uint64_t key);
  // A second machine with the id of this one's node, at an address of its own that the key draws,
  // on a copy of its disk (what is durable now) or on an empty one, with its configuration, started
  // at once. Its address,
  // or none when there is no such node.
  Address twin(Address host, bool copy_disk, std::uint64_t key);

  // ---- Effects; each none when there is no such host (or it has no disk) ----
  // Nothing is handled while paused; what comes meanwhile is handled when it ends, in order. The
  // clocks go on.
  EffectId pause(Address host);
  EffectId slow(Address host, const HostOptions& options);
  EffectId trouble_clock(Address host, const ClockTrouble& trouble);
  // `key`: whose draws these are, without the seed.
  EffectId trouble_disk(Address host, const DiskTrouble& trouble, std::uint64_t key);
  // Steps the wall clock, for good.
  bool step_wall_clock(Address host, Duration by);
  // Damages what is on disk, once; how many bytes were changed. See disk.hpp. `draw_key` is without
  // the seed.
  std::uint64_t rot_disk(Address host, std::string_view file_contains, std::uint32_t bits,
                         std::uint64_t draw_key);
  std::uint64_t corrupt_tail(Address host, std::string_view file_contains, std::uint64_t bytes,
                             std::uint64_t draw_key);
  // Ends an effect of a host, a disk, a clock or the network; false when it is none, or over.
  bool end(EffectId effect);
  // How often an effect, in force or over, has done what it does: a cut has stopped a message, a
  // slow disk an operation, a wrong clock has been read. In no digest.
  [[nodiscard]] std::uint64_t done_by(EffectId effect) const;
  // The running program, null when down. For the composition root alone: it knows the type.
  [[nodiscard]] Process* process(Address host);
  [[nodiscard]] Network& network();
  // Publishes a fact of the world (FaultInjected and the like).
  void publish(const FactSource& source, const Fact& fact);

  // ---- Time ----
  // Calls listener.on_control(id) at `at`, or at once when that has passed; `key` is what it is by
  // its place among the events of that instant.
  void control_at(MonotonicTime at, std::uint64_t id, std::uint64_t key);
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
