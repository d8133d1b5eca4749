// The seam: all that a process may ask of its machine. Protocol code cannot tell whether the
// machine is simulated, hand-stepped or real.
//
// Invariants:
// 1. Nothing here blocks and nothing calls back from inside a call: every completion comes later,
//    as an event of Process.
// 2. Bytes appended are durable only once a sync requested after the append has completed ok.
// 3. A sync or replace that failed leaves the file's durable content unknown. The process stops
//    (halt); it never retries (the page cache may have dropped the dirty pages: Rebello et al.,
//    "Can Applications Recover from fsync Failures?", ATC 2020).
// 4. Facts go to an Observer (model/facts.hpp), not through here: who observes cannot influence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/random.hpp"
#include "model/time.hpp"

namespace rejoin {

// A timer of this process. Arming one that is armed moves it. The top byte is the Channel.
using TimerId = StrongId<struct TimerIdTag, std::uint64_t>;
// Names one asynchronous file operation, chosen by the process. The top byte is the Channel.
using IoToken = StrongId<struct IoTokenTag, std::uint64_t>;

enum class Transport : std::uint8_t {
  datagram,  // may be lost, duplicated, reordered
  stream,    // in order, or broken; large transfers
};

// What a message means, for the machine alone: it is never delivered. The network draws by it
// (so that draws survive edits of the schedule), prices by purpose and prints traces with it.
struct Tag {
  MessageKind kind;
  Purpose purpose{};
  std::uint64_t identity = 0;  // semantic: a request id, (group, term, index), a probe number
  std::uint32_t attempt = 0;   // which resend of the same meaning
};

enum class IoStatus : std::uint8_t { ok, not_found, failed };

struct IoDone {
  IoToken token;
  IoStatus status{};
  Bytes data;  // what a read found; empty for the others
};

// A file that a machine has before its process first starts (the founding snapshot of a cluster).
struct DiskFile {
  std::string name;
  Bytes content;
};

class Env {
 public:
  Env() = default;
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;
  virtual ~Env() = default;

  [[nodiscard]] virtual MonotonicTime now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  // Where this process listens.
  [[nodiscard]] virtual Address self() const = 0;

  // `frame` is what encode_message made. Delivery is not promised by either transport.
  virtual void send(Address to, Transport transport, Bytes frame, const Tag& tag) = 0;

  // Fires Process::on_timer once at `deadline`, or at once when that has passed.
  virtual void arm(TimerId timer, MonotonicTime deadline) = 0;
  virtual void disarm(TimerId timer) = 0;

  // Files are named by the process; each belongs to its machine and survives a crash as far as it
  // was synced. Operations on one file complete in the order in which they were requested.
  virtual void append(std::string_view file, ByteView data) = 0;  // volatile until synced
  virtual void sync(std::string_view file, IoToken token) = 0;
  virtual void read(std::string_view file, IoToken token) = 0;  // whole; not_found when absent
  // Atomic and durable at completion: a crash leaves the old content or the new one, whole.
  virtual void replace(std::string_view file, ByteView data, IoToken token) = 0;
  virtual void remove(std::string_view file, IoToken token) = 0;  // durable at completion

  // 64 random bits for (label, what, attempt); the same key draws the same bits in a replay.
  [[nodiscard]] virtual std::uint64_t random(std::string_view label, std::uint64_t what,
                                             std::uint64_t attempt) = 0;

  // Stops this process as if it had been killed; its machine and files stay. Takes effect when
  // the current event has been handled. `reason` is shown to people.
  virtual void halt(std::string_view reason) = 0;
};

// A program on a machine: it is told what happened, one event at a time, never re-entrantly.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  virtual ~Process() = default;

  virtual void start() = 0;
  virtual void on_message(Address from, ByteView frame) = 0;
  virtual void on_timer(TimerId timer) = 0;
  virtual void on_io(const IoDone& done) = 0;
};

}  // namespace rejoin
