// Processes that do the work of a campaign, one task at a time each: whatever a run does to its
// process (a failed CHECK, a wild pointer, an endless loop) ends one task, and nothing else.
//
// Invariants:
// 1. Every task that was submitted is answered once, by a reply or by a death.
// 2. What a task comes to does not depend on the worker, or on what it did before.
// 3. The memory of a worker is bounded, and it is replaced after so many tasks.
// 4. No worker outlives this process, however that ends.
// 5. A death that the machine may be to blame for is none until it has happened twice: a task that
//    hung, or whose process was killed from outside, is begun anew once.
//
// Time is the worker's own: a machine that sleeps, a terminal that was stopped and neighbours that
// are busy make nobody hang.
//
// Not here: what tasks are (trial.hpp), and in which order answers are wanted.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/bytes.hpp"

namespace rejoin::sim {

// Runs in a worker. It may call exit, abort and so on.
using Work = std::function<Bytes(ByteView task)>;

struct WorkerOptions {
  std::uint32_t count = 1;
  // A task that takes its worker longer, in time of a processor, hangs: the worker is killed.
  std::chrono::milliseconds patience{60'000};
  // One that waits for something that never comes takes none: so long, in real time while this
  // process looks on. Long, as a machine may have more to do than this.
  std::chrono::milliseconds idle_patience{600'000};
  std::uint32_t tasks_per_process = 1'000;
  // What a process may allocate; then its task is one that crashes. 0: no bound. Not asked for in
  // builds with sanitizers, which take address space by the terabyte.
  std::uint64_t memory_max_bytes = std::uint64_t{4} << 30U;
};

class Workers {
 public:
  // How a task took its worker with it.
  struct Death {
    bool hung = false;
    std::string last_words;  // on standard error, the last 64 KiB
    std::string ending;      // `signal 6 (Aborted)`, `exit status 1`
  };
  struct Answer {
    std::uint64_t task = 0;
    Bytes reply;
    std::optional<Death> death;
  };

  // The processes are made of this one as it is now, before it has threads; `work` lives in each
  // of them.
  Workers(const WorkerOptions& options, Work work);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void submit(std::uint64_t task, Bytes what);
  // Submitted and not answered yet.
  [[nodiscard]] std::size_t open() const { return open_; }
  [[nodiscard]] std::uint32_t count() const { return options_.count; }
  // The next answer, in whatever order; none when `wait` is over, nothing is open, or a signal
  // was caught.
  [[nodiscard]] std::optional<Answer> next(std::chrono::milliseconds wait);
  // Forgets what has not begun, and kills what has.
  void abandon();
  // Processes that could not be made; then nothing works.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    ::pid_t process = -1;
    int line = -1;   // a socket: tasks one way, replies the other
    int words = -1;  // a file in memory: its standard error
    std::uint32_t tasks = 0;
    std::optional<std::uint64_t> task{};
    Bytes what{};                          // of the task
    bool again = false;                    // the task, after a death that did not count
    std::chrono::nanoseconds began{};      // by the clock of the process
    std::chrono::nanoseconds looked_on{};  // real time since then, while this process ran
    Bytes reply{};                         // as far as it has come
  };
  struct Waiting {
    std::uint64_t task = 0;
    Bytes what;
    bool again = false;
  };

  [[nodiscard]] bool start(Worker& worker);
  // What work throws ends the process, and is not caught by whoever made the workers.
  [[noreturn]] void serve(int line, int words) const noexcept;
  void hand_out();
  [[nodiscard]] std::optional<Answer> read_from(Worker& worker);
  // How long it may still take, at least.
  [[nodiscard]] std::chrono::nanoseconds left(const Worker& worker) const;
  // None: that death does not count, the task waits to be begun anew.
  [[nodiscard]] std::optional<Answer> bury(Worker& worker, bool hung);
  static void end(Worker& worker);

  WorkerOptions options_;
  Work work_;
  std::vector<Worker> workers_;
  std::deque<Waiting> waiting_;
  std::size_t open_ = 0;
  bool failed_ = false;
};

}  // namespace rejoin::sim
