#include "sim/explore/workers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include "model/check.hpp"

namespace rejoin::sim {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kLastWords = 64 * 1024;

// Both false when the other side is gone.
bool write_all(int to, ByteView bytes) {
  while (!bytes.empty()) {
    const ::ssize_t n = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}
bool read_all(int from, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ::ssize_t n = ::read(from, into.data(), into.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::array<std::uint8_t, kLengthBytes> bytes_of(std::uint64_t length) {
  std::array<std::uint8_t, kLengthBytes> out{};
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    out[i] = static_cast<std::uint8_t>(length >> (8 * i));
  }
  return out;
}
std::uint64_t length_of(ByteView bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) out |= std::uint64_t{bytes[i]} << (8 * i);
  return out;
}
bool write_frame(int to, ByteView bytes) {
  return write_all(to, bytes_of(bytes.size())) && write_all(to, bytes);
}

void close_if_open(int& file) {
  if (file >= 0) ::close(file);
  file = -1;
}

std::string last_words_of(int file) {
  const ::off_t size = ::lseek(file, 0, SEEK_END);
  if (size <= 0) return {};
  const auto length = std::min(static_cast<std::size_t>(size), kLastWords);
  std::string out(length, '\0');
  const ::ssize_t n = ::pread(file, out.data(), length, size - static_cast<::off_t>(length));
  out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return out;
}

std::string ending_of(int status) {
  if (!WIFSIGNALED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

// What the process has had of processors so far.
std::chrono::nanoseconds time_of(::pid_t process) {
  ::clockid_t clock{};
  ::timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Workers::Workers(const WorkerOptions& options, Work work)
    : options_(options), work_(std::move(work)), workers_(options.count) {
  CHECK_THAT(options.count != 0 && options.tasks_per_process != 0);
  for (Worker& worker : workers_) failed_ = failed_ || !start(worker);
}

Workers::~Workers() {
  for (Worker& worker : workers_) end(worker);
}

bool Workers::start(Worker& worker) {
  int ends[2] = {-1, -1};
  worker.words = ::memfd_create("rejoin-words", MFD_CLOEXEC);
  if (worker.words < 0) return false;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  const ::pid_t parent = ::getpid();
  std::fflush(nullptr);
  worker.process = ::fork();
  if (worker.process == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::close(ends[0]);
    // A line that others hold open would never end.
    for (Worker& other : workers_) {
      if (&other != &worker) close_if_open(other.line);
    }
    serve(ends[1], worker.words);
  }
  ::close(ends[1]);
  worker.line = ends[0];
  worker.tasks = 0;
  return worker.process > 0;
}

void Workers::serve(int line, int words) const noexcept {
  // The parent decides what an interrupt of the terminal means.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  const ::rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (options_.memory_max_bytes != 0 && !kSanitized) {
    // Of data, not of address space: what is mapped and never touched by a library costs nothing.
    const ::rlimit memory{options_.memory_max_bytes, options_.memory_max_bytes};
    ::setrlimit(RLIMIT_DATA, &memory);
  }
  ::dup2(words, STDERR_FILENO);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nowhere, STDIN_FILENO);
  ::dup2(nowhere, STDOUT_FILENO);
  std::array<std::uint8_t, kLengthBytes> length{};
  while (read_all(line, length)) {
    Bytes task(static_cast<std::size_t>(length_of(length)));
    if (!read_all(line, task)) break;
    // Of each task its own words.
    (void)::ftruncate(STDERR_FILENO, 0);
    ::lseek(STDERR_FILENO, 0, SEEK_SET);
    if (!write_frame(line, work_(task))) break;
  }
  ::_exit(0);
}

void Workers::submit(std::uint64_t task, Bytes what) {
  ++open_;
  waiting_.push_back({.task = task, .what = std::move(what)});
  hand_out();
}

void Workers::hand_out() {
  for (Worker& worker : workers_) {
    if (waiting_.empty()) return;
    if (worker.task || worker.process <= 0) continue;
    if (worker.tasks == options_.tasks_per_process) {
      end(worker);
      if (!start(worker)) {
        failed_ = true;
        return;
      }
    }
    // Should it be dead already, its end is read where replies are.
    (void)write_frame(worker.line, waiting_.front().what);
    worker.task = waiting_.front().task;
    worker.what = std::move(waiting_.front().what);
    worker.again = waiting_.front().again;
    worker.began = time_of(worker.process);
    worker.looked_on = {};
    worker.reply.clear();
    ++worker.tasks;
    waiting_.pop_front();
  }
}

std::chrono::nanoseconds Workers::left(const Worker& worker) const {
  const std::chrono::nanoseconds busy = time_of(worker.process) - worker.began;
  return std::min<std::chrono::nanoseconds>(options_.patience - busy,
                                            options_.idle_patience - worker.looked_on);
}

std::optional<Workers::Answer> Workers::next(std::chrono::milliseconds wait) {
  // A stop of this process, or of the machine, is no time that anybody was waited for.
  constexpr std::chrono::nanoseconds kLookMost = std::chrono::seconds(1);
  const Clock::time_point until = Clock::now() + wait;
  while (open_ != 0 && !failed_) {
    const Clock::time_point now = Clock::now();
    std::chrono::nanoseconds pause = std::min<std::chrono::nanoseconds>(until - now, kLookMost);
    std::vector<::pollfd> files;
    std::vector<Worker*> busy;
    for (Worker& worker : workers_) {
      if (!worker.task) continue;
      pause = std::min(pause, left(worker));
      files.push_back({worker.line, POLLIN, 0});
      busy.push_back(&worker);
    }
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(pause).count();
    const int ready =
        ::poll(files.data(), files.size(), static_cast<int>(std::max<std::int64_t>(rounded, 0)));
    if (ready < 0) return std::nullopt;
    const std::chrono::nanoseconds looked =
        std::min<std::chrono::nanoseconds>(Clock::now() - now, kLookMost);
    for (Worker* worker : busy) worker->looked_on += looked;
    for (std::size_t i = 0; ready > 0 && i < files.size(); ++i) {
      if (files[i].revents == 0) continue;
      if (auto answer = read_from(*busy[i])) return answer;
    }
    // Only who has said nothing hangs.
    for (std::size_t i = 0; ready == 0 && i < files.size(); ++i) {
      if (left(*busy[i]) > std::chrono::nanoseconds(0)) continue;
      if (auto answer = bury(*busy[i], true)) return answer;
    }
    if (ready == 0 && Clock::now() >= until) return std::nullopt;
  }
  return std::nullopt;
}

// Takes what is there; an answer when that completes it, or ends the worker.
std::optional<Workers::Answer> Workers::read_from(Worker& worker) {
  constexpr std::size_t kAtOnce = 64 * 1024;
  const std::size_t had = worker.reply.size();
  worker.reply.resize(had + kAtOnce);
  const ::ssize_t n = ::read(worker.line, worker.reply.data() + had, kAtOnce);
  worker.reply.resize(had + (n > 0 ? static_cast<std::size_t>(n) : 0));
  if (n < 0 && errno == EINTR) return std::nullopt;
  if (n <= 0) return bury(worker, false);
  if (worker.reply.size() < kLengthBytes) return std::nullopt;
  const std::uint64_t length = length_of(worker.reply);
  if (worker.reply.size() - kLengthBytes < length) return std::nullopt;
  Answer out{.task = *worker.task,
             .reply = Bytes(worker.reply.begin() + kLengthBytes, worker.reply.end()),
             .death = {}};
  worker.task.reset();
  worker.reply.clear();
  --open_;
  hand_out();
  return out;
}

std::optional<Workers::Answer> Workers::bury(Worker& worker, bool hung) {
  if (hung) ::kill(worker.process, SIGKILL);
  int status = 0;
  while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {}
  worker.process = -1;
  std::optional<Answer> out;
  // Nobody kills himself with that signal: a machine that is short of memory does.
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (killed && !worker.again) {
    waiting_.push_front({.task = *worker.task, .what = std::move(worker.what), .again = true});
  } else {
    out = Answer{
        .task = *worker.task,
        .reply = {},
        .death = Death{
            .hung = hung, .last_words = last_words_of(worker.words), .ending = ending_of(status)}};
    --open_;
  }
  worker.task.reset();
  end(worker);
  if (!start(worker)) failed_ = true;
  hand_out();
  return out;
}

void Workers::abandon() {
  open_ = 0;
  waiting_.clear();
  for (Worker& worker : workers_) {
    if (!worker.task) continue;
    worker.task.reset();
    end(worker);
    if (!start(worker)) failed_ = true;
  }
}

void Workers::end(Worker& worker) {
  close_if_open(worker.line);
  close_if_open(worker.words);
  if (worker.process <= 0) return;
  ::kill(worker.process, SIGKILL);
  while (::waitpid(worker.process, nullptr, 0) < 0 && errno == EINTR) {}
  worker.process = -1;
}

}  // namespace rejoin::sim
