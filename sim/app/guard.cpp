// Functions that are replaced may not also be there as the inline wrappers of fortified headers.
#undef _FORTIFY_SOURCE
#include "sim/app/guard.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <threads.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "model/time.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REJOIN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define REJOIN_SANITIZED 1
#endif
#endif

namespace rejoin::app {

namespace {
constinit thread_local sim::Dispatch dispatch;
}  // namespace

sim::Dispatch* guarded_dispatch() {
  return &dispatch;
}

bool is_guard_built() {
#ifdef REJOIN_SANITIZED
  return false;
#else
  return true;
#endif
}

#ifndef REJOIN_SANITIZED
namespace {

[[noreturn]] void say_and_abort(const char* function, std::string_view why) {
  // What follows is no longer the run's.
  dispatch.under_way = false;
  std::string event = "an event was";
  if (dispatch.kernel != nullptr) {
    event = "event " + std::to_string(dispatch.kernel->events()) + " (at " +
            to_seconds_text(dispatch.kernel->now()) + ") was";
  }
  std::fflush(stdout);
  std::fprintf(stderr, "rejoin: %s was called while %s dispatched: %.*s\n", function, event.c_str(),
               static_cast<int>(why.size()), why.data());
  constexpr int kFrames = 16;
  void* frames[kFrames];
  backtrace_symbols_fd(frames, backtrace(frames, kFrames), STDERR_FILENO);
  std::abort();
}

void forbid(const char* function, std::string_view why) {
  if (dispatch.under_way) say_and_abort(function, why);
}

constexpr std::string_view kClock = "a run knows virtual time alone (Env::now, Env::wall_now)";
constexpr std::string_view kSleep = "nothing in a run waits for real time";
constexpr std::string_view kEntropy = "what a run draws, it draws by key (model/random.hpp)";
constexpr std::string_view kThread = "a run has one thread";
constexpr std::string_view kProcess = "a run is one process, and asks no other";

// System calls that are asked for by number.
struct Call {
  long number;
  const char* name;
  std::string_view why;
};
constexpr Call kCalls[] = {
    {SYS_clock_gettime, "syscall(clock_gettime)", kClock},
    {SYS_gettimeofday, "syscall(gettimeofday)", kClock},
    {SYS_times, "syscall(times)", kClock},
    {SYS_nanosleep, "syscall(nanosleep)", kSleep},
    {SYS_clock_nanosleep, "syscall(clock_nanosleep)", kSleep},
    {SYS_ppoll, "syscall(ppoll)", kSleep},
    {SYS_pselect6, "syscall(pselect6)", kSleep},
    {SYS_epoll_pwait, "syscall(epoll_pwait)", kSleep},
    {SYS_getrandom, "syscall(getrandom)", kEntropy},
    {SYS_clone, "syscall(clone)", kThread},
    {SYS_clone3, "syscall(clone3)", kThread},
// Of older machines alone.
#ifdef SYS_time
    {SYS_time, "syscall(time)", kClock},
#endif
#ifdef SYS_poll
    {SYS_poll, "syscall(poll)", kSleep},
#endif
#ifdef SYS_select
    {SYS_select, "syscall(select)", kSleep},
#endif
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "syscall(epoll_wait)", kSleep},
#endif
#ifdef SYS_fork
    {SYS_fork, "syscall(fork)", kThread},
    {SYS_vfork, "syscall(vfork)", kThread},
#endif
};

void forbid_call(long number) {
  for (const Call& call : kCalls) {
    if (call.number == number) forbid(call.name, call.why);
  }
}

bool is_entropy(const char* path) {
  const std::string_view text(path);
  return text == "/dev/urandom" || text == "/dev/random" || text == "/dev/hwrng";
}

// The function that this program's stands before.
template <class Function>
Function next(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) {
    std::fprintf(stderr, "rejoin: there is no %s behind the guard's\n", name);
    std::abort();
  }
  return reinterpret_cast<Function>(found);
}

}  // namespace
#endif

}  // namespace rejoin::app

#ifndef REJOIN_SANITIZED
// NOLINTBEGIN: names, types and exceptions are those of libc.

using rejoin::app::forbid;
using rejoin::app::forbid_call;
using rejoin::app::is_entropy;
using rejoin::app::next;

// GUARD(why, result, name, (parameters), (arguments), exceptions)
#define GUARD(why, result, name, parameters, arguments, exceptions) \
  extern "C" result name parameters exceptions {                    \
    forbid(#name, rejoin::app::why);                                \
    static const auto real = next<result(*) parameters>(#name);     \
    return real arguments;                                          \
  }

GUARD(kClock, int, clock_gettime, (clockid_t clock, timespec* out), (clock, out), noexcept)
GUARD(kClock, int, gettimeofday, (timeval * out, void* zone), (out, zone), noexcept)
GUARD(kClock, time_t, time, (time_t * out), (out), noexcept)
GUARD(kClock, clock_t, clock, (), (), noexcept)
GUARD(kClock, clock_t, times, (tms * out), (out), noexcept)
GUARD(kClock, int, timespec_get, (timespec * out, int base), (out, base), noexcept)

GUARD(kSleep, int, nanosleep, (const timespec* length, timespec* left), (length, left), )
GUARD(kSleep, int, clock_nanosleep,
      (clockid_t clock, int flags, const timespec* length, timespec* left),
      (clock, flags, length, left), )
GUARD(kSleep, int, usleep, (useconds_t length), (length), )
GUARD(kSleep, unsigned, sleep, (unsigned length), (length), )

GUARD(kEntropy, ssize_t, getrandom, (void* out, size_t size, unsigned flags), (out, size, flags), )
GUARD(kEntropy, int, getentropy, (void* out, size_t size), (out, size), )
GUARD(kEntropy, std::uint32_t, arc4random, (), (), noexcept)
GUARD(kEntropy, void, arc4random_buf, (void* out, size_t size), (out, size), noexcept)
GUARD(kEntropy, std::uint32_t, arc4random_uniform, (std::uint32_t bound), (bound), noexcept)
GUARD(kEntropy, int, rand, (), (), noexcept)
GUARD(kEntropy, long, random, (), (), noexcept)
GUARD(kEntropy, double, drand48, (), (), noexcept)
GUARD(kEntropy, long, lrand48, (), (), noexcept)
GUARD(kEntropy, long, mrand48, (), (), noexcept)

GUARD(kThread, int, pthread_create,
      (pthread_t * thread, const pthread_attr_t* with, void* (*start)(void*), void* argument),
      (thread, with, start, argument), noexcept)
GUARD(kThread, int, thrd_create, (thrd_t * thread, thrd_start_t start, void* argument),
      (thread, start, argument), )
GUARD(kThread, pid_t, fork, (), (), noexcept)
GUARD(kProcess, int, posix_spawn,
      (pid_t * child, const char* path, const posix_spawn_file_actions_t* files,
       const posix_spawnattr_t* with, char* const* words, char* const* environment),
      (child, path, files, with, words, environment), )
GUARD(kProcess, int, posix_spawnp,
      (pid_t * child, const char* file, const posix_spawn_file_actions_t* files,
       const posix_spawnattr_t* with, char* const* words, char* const* environment),
      (child, file, files, with, words, environment), )
GUARD(kProcess, int, system, (const char* command), (command), )
GUARD(kProcess, std::FILE*, popen, (const char* command, const char* mode), (command, mode), )

#undef GUARD

// Its caller may not return before its child has, so there is no function to stand before it; a
// fork is a vfork, too (POSIX, vfork).
extern "C" pid_t vfork() noexcept {
  forbid("vfork", rejoin::app::kThread);
  static const auto real = next<pid_t (*)()>("fork");
  return real();
}

// What waits. That something is ready may be asked, by a timeout of nothing.
#define GUARD_WAIT(waits, name, parameters, arguments)       \
  extern "C" int name parameters {                           \
    if (waits) forbid(#name, rejoin::app::kSleep);           \
    static const auto real = next<int(*) parameters>(#name); \
    return real arguments;                                   \
  }
GUARD_WAIT(timeout_ms != 0, poll, (pollfd * files, nfds_t count, int timeout_ms),
           (files, count, timeout_ms))
GUARD_WAIT(timeout == nullptr || timeout->tv_sec != 0 || timeout->tv_nsec != 0, ppoll,
           (pollfd * files, nfds_t count, const timespec* timeout, const sigset_t* mask),
           (files, count, timeout, mask))
GUARD_WAIT(timeout == nullptr || timeout->tv_sec != 0 || timeout->tv_usec != 0, select,
           (int count, fd_set* reads, fd_set* writes, fd_set* errors, timeval* timeout),
           (count, reads, writes, errors, timeout))
GUARD_WAIT(timeout == nullptr || timeout->tv_sec != 0 || timeout->tv_nsec != 0, pselect,
           (int count, fd_set* reads, fd_set* writes, fd_set* errors, const timespec* timeout,
            const sigset_t* mask),
           (count, reads, writes, errors, timeout, mask))
GUARD_WAIT(timeout_ms != 0, epoll_wait, (int epoll, epoll_event* events, int count, int timeout_ms),
           (epoll, events, count, timeout_ms))
GUARD_WAIT(timeout_ms != 0, epoll_pwait,
           (int epoll, epoll_event* events, int count, int timeout_ms, const sigset_t* mask),
           (epoll, events, count, timeout_ms, mask))
#undef GUARD_WAIT

// Six words are handed on, however many the call takes: the kernel reads those that it knows.
extern "C" long syscall(long number, ...) noexcept {
  forbid_call(number);
  long words[6];
  va_list list;
  va_start(list, number);
  for (long& word : words) word = va_arg(list, long);
  va_end(list);
  static const auto real = next<long (*)(long, ...)>("syscall");
  return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

// Files that are entropy. The mode is there when the flags say so, as for open itself.
#define GUARD_FILE(result, name, parameters, last, arguments)   \
  extern "C" result name parameters {                           \
    if (is_entropy(path)) forbid(#name, rejoin::app::kEntropy); \
    static const auto real = next<result(*) last>(#name);       \
    return real arguments;                                      \
  }
#define MODE_OF(flags, after)                                         \
  ({                                                                  \
    unsigned mode = 0;                                                \
    if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) { \
      va_list list;                                                   \
      va_start(list, after);                                          \
      mode = va_arg(list, unsigned);                                  \
      va_end(list);                                                   \
    }                                                                 \
    mode;                                                             \
  })
GUARD_FILE(int, open, (const char* path, int flags, ...), (const char*, int, ...),
           (path, flags, MODE_OF(flags, flags)))
GUARD_FILE(int, open64, (const char* path, int flags, ...), (const char*, int, ...),
           (path, flags, MODE_OF(flags, flags)))
GUARD_FILE(int, openat, (int folder, const char* path, int flags, ...),
           (int, const char*, int, ...), (folder, path, flags, MODE_OF(flags, flags)))
GUARD_FILE(int, openat64, (int folder, const char* path, int flags, ...),
           (int, const char*, int, ...), (folder, path, flags, MODE_OF(flags, flags)))
GUARD_FILE(std::FILE*, fopen, (const char* path, const char* mode), (const char*, const char*),
           (path, mode))
GUARD_FILE(std::FILE*, fopen64, (const char* path, const char* mode), (const char*, const char*),
           (path, mode))
#undef GUARD_FILE
#undef MODE_OF

// std::random_device may use the processor's own entropy and call nothing: these are its members,
// under the names that libstdc++ gives them.
#define DEVICE_GETVAL "_ZNSt13random_device9_M_getvalEv"
extern "C" unsigned guarded_random_device(void* device) __asm__(DEVICE_GETVAL);
extern "C" unsigned guarded_random_device(void* device) {
  forbid("std::random_device", rejoin::app::kEntropy);
  static const auto real = next<unsigned (*)(void*)>(DEVICE_GETVAL);
  return real(device);
}
#undef DEVICE_GETVAL

// NOLINTEND
#endif
