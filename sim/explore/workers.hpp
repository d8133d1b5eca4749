// Processes that do the work of a campaign, one task at a time each: whatever a run does to its
// process (a failed CHECK, a wild pointer, an endless loop) ends one task, and nothing else.
//
// Invariants:
// 1. Every task that was submitted is answered once, by a reply or by a death.
// 2. What a task comes to does not depend on the worker, or on what it did before.
// 3. The memory of a worker is bounded: it is replaced after so many tasks.
// 4. No worker outlives this process, however that ends.
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
  // A task that takes longer, in real time, hangs: its worker is killed.
  std::chrono::milliseconds patience{60'000};
  std::uint32_t tasks_per_process = 1'000;
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
    Clock::time_point until{};
    Bytes reply{};  // as far as it has come
  };
  struct Waiting {
    std::uint64_t task = 0;
    Bytes what;
  };

  [[nodiscard]] bool start(Worker& worker);
  [[noreturn]] void serve(int line, int words) const;
  void hand_out();
  [[nodiscard]] std::optional<Answer> read_from(Worker& worker);
  [[nodiscard]] Answer bury(Worker& worker, bool hung);
  static void end(Worker& worker);

  WorkerOptions options_;
  Work work_;
  std::vector<Worker> workers_;
  std::deque<Waiting> waiting_;
  std::size_t open_ = 0;
  bool failed_ = false;
};

}  // namespace rejoin::sim
