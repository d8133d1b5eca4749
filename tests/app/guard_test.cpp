#include "sim/app/guard.hpp"

#include <doctest/doctest.h>
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
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sim/kernel/kernel.hpp"
#include "tests/support/machines.hpp"

namespace rejoin::app {
namespace {

struct Ended {
  int signal = 0;
  std::string err;
};

// What becomes of a process that does this.
Ended in_a_process(const std::function<void()>& act) {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  std::fflush(nullptr);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);  // doctest has a handler of its own
    act();
    ::_exit(0);
  }
  ::close(ends[1]);
  Ended out;
  char chunk[512];
  for (::ssize_t n = 0; (n = ::read(ends[0], chunk, sizeof chunk)) > 0;) {
    out.err.append(chunk, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  out.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return out;
}

// Results that are of no interest here, but may not be dropped by the compiler.
template <class T>
void use(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

void* nothing(void* /*unused*/) {
  return nullptr;
}

struct Forbidden {
  const char* called;  // the function that the message names
  std::function<void()> act;
};

const std::vector<Forbidden>& forbidden() {
  static const std::vector<Forbidden> all = {
      {"clock_gettime", [] { use(std::chrono::steady_clock::now()); }},
      {"clock_gettime", [] { use(std::chrono::system_clock::now()); }},
      {"clock_gettime", [] { use(std::chrono::high_resolution_clock::now()); }},
      {"clock_gettime",
       [] {
         timespec now{};
         use(::clock_gettime(CLOCK_MONOTONIC, &now));
       }},
      {"gettimeofday",
       [] {
         timeval now{};
         use(::gettimeofday(&now, nullptr));
       }},
      {"time", [] { use(std::time(nullptr)); }},
      {"clock", [] { use(std::clock()); }},
      {"times",
       [] {
         tms now{};
         use(::times(&now));
       }},
      {"timespec_get",
       [] {
         timespec now{};
         use(::timespec_get(&now, TIME_UTC));
       }},
      {"nanosleep",
       [] {
         const timespec length{.tv_sec = 0, .tv_nsec = 1};
         use(::nanosleep(&length, nullptr));
       }},
      {"clock_nanosleep",
       [] {
         const timespec length{.tv_sec = 0, .tv_nsec = 1};
         use(::clock_nanosleep(CLOCK_MONOTONIC, 0, &length, nullptr));
       }},
      {"nanosleep", [] { std::this_thread::sleep_for(std::chrono::nanoseconds(1)); }},
      {"usleep", [] { use(::usleep(1)); }},
      {"sleep", [] { use(::sleep(0)); }},
      {"getrandom",
       [] {
         char out = 0;
         use(::getrandom(&out, 1, 0));
       }},
      {"getentropy",
       [] {
         char out = 0;
         use(::getentropy(&out, 1));
       }},
      {"arc4random", [] { use(::arc4random()); }},
      {"arc4random_buf",
       [] {
         char out = 0;
         ::arc4random_buf(&out, 1);
       }},
      {"arc4random_uniform", [] { use(::arc4random_uniform(7)); }},
      {"rand", [] { use(std::rand()); }},
      {"random", [] { use(::random()); }},
      {"drand48", [] { use(::drand48()); }},
      {"lrand48", [] { use(::lrand48()); }},
      {"mrand48", [] { use(::mrand48()); }},
      {"open", [] { use(::open("/dev/urandom", O_RDONLY)); }},
      {"openat", [] { use(::openat(AT_FDCWD, "/dev/random", O_RDONLY)); }},
      {"fopen", [] { use(std::fopen("/dev/urandom", "rb")); }},
      // However the library reads it.
      {"fopen64", [] { use(std::ifstream("/dev/urandom").get()); }},
      {"pthread_create", [] { std::thread([] {}).join(); }},
      {"pthread_create",
       [] {
         pthread_t thread{};
         use(::pthread_create(&thread, nullptr, nothing, nullptr));
         ::pthread_join(thread, nullptr);
       }},
      {"thrd_create",
       [] {
         thrd_t thread{};
         use(::thrd_create(
             &thread, [](void*) { return 0; }, nullptr));
         ::thrd_join(thread, nullptr);
       }},
      {"fork",
       [] {
         if (::fork() == 0) ::_exit(0);
       }},
      {"vfork",
       [] {
         if (::vfork() == 0) ::_exit(0);
       }},
      {"posix_spawn",
       [] {
         ::pid_t child = 0;
         std::string program = "/bin/true";
         char* const words[] = {program.data(), nullptr};
         use(::posix_spawn(&child, program.c_str(), nullptr, nullptr, words, environ));
         ::waitpid(child, nullptr, 0);
       }},
      {"posix_spawnp",
       [] {
         ::pid_t child = 0;
         std::string program = "true";
         char* const words[] = {program.data(), nullptr};
         use(::posix_spawnp(&child, program.c_str(), nullptr, nullptr, words, environ));
         ::waitpid(child, nullptr, 0);
       }},
      {"system", [] { use(std::system("true")); }},
      {"popen", [] { ::pclose(::popen("true", "r")); }},
      {"poll", [] { use(::poll(nullptr, 0, 1)); }},
      {"ppoll",
       [] {
         const timespec length{.tv_sec = 0, .tv_nsec = 1};
         use(::ppoll(nullptr, 0, &length, nullptr));
       }},
      {"select",
       [] {
         timeval length{.tv_sec = 0, .tv_usec = 1};
         use(::select(0, nullptr, nullptr, nullptr, &length));
       }},
      {"pselect",
       [] {
         const timespec length{.tv_sec = 0, .tv_nsec = 1};
         use(::pselect(0, nullptr, nullptr, nullptr, &length, nullptr));
       }},
      {"epoll_wait",
       [] {
         const int epoll = ::epoll_create1(0);
         epoll_event event{};
         use(::epoll_wait(epoll, &event, 1, 1));
         ::close(epoll);
       }},
      {"epoll_pwait",
       [] {
         const int epoll = ::epoll_create1(0);
         epoll_event event{};
         use(::epoll_pwait(epoll, &event, 1, 1, nullptr));
         ::close(epoll);
       }},
      {"syscall(clock_gettime)",
       [] {
         timespec now{};
         use(::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now));
       }},
      {"syscall(getrandom)",
       [] {
         char out = 0;
         use(::syscall(SYS_getrandom, &out, 1, 0));
       }},
      {"syscall(nanosleep)",
       [] {
         const timespec length{.tv_sec = 0, .tv_nsec = 1};
         use(::syscall(SYS_nanosleep, &length, nullptr));
       }},
  };
  return all;
}

}  // namespace

TEST_CASE("clocks, entropy, sleep and threads work while no event is dispatched") {
  for (const Forbidden& one : forbidden()) {
    const Ended ended = in_a_process(one.act);
    INFO(one.called << ": " << ended.err);
    CHECK(ended.signal == 0);
    CHECK(ended.err.empty());
  }
}

TEST_CASE("each of them ends the process while an event is dispatched, and is named") {
  if (!is_guard_built()) return;
  for (const Forbidden& one : forbidden()) {
    const Ended ended = in_a_process([&one] {
      guarded_dispatch()->under_way = true;
      one.act();
    });
    INFO(one.called << ": " << ended.err);
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.err.starts_with(std::string("rejoin: ") + one.called +
                                " was called while an event was dispatched: "));
  }
}

TEST_CASE("std::random_device is caught, which may use an instruction and call nothing") {
  if (!is_guard_built()) return;
  std::random_device device;
  use(device());
  const Ended ended = in_a_process([&device] {
    guarded_dispatch()->under_way = true;
    use(device());
  });
  CHECK(ended.signal == SIGABRT);
  CHECK(ended.err.starts_with("rejoin: std::random_device was called"));
}

TEST_CASE("other files are opened, and other threads read clocks, while an event is dispatched") {
  const Ended ended = in_a_process([] {
    std::thread other([] {
      for (int i = 0; i < 1000; ++i) use(std::chrono::steady_clock::now());
    });
    guarded_dispatch()->under_way = true;
    const int file = ::open("/dev/null", O_RDONLY);
    if (file < 0) std::abort();
    ::close(file);
    // That something is ready may be asked, and so may what the guard does not forbid.
    if (::poll(nullptr, 0, 0) != 0) std::abort();
    timeval none{};
    if (::select(0, nullptr, nullptr, nullptr, &none) != 0) std::abort();
    if (::syscall(SYS_getpid) != ::getpid()) std::abort();
    other.join();
    guarded_dispatch()->under_way = false;
  });
  CHECK(ended.signal == 0);
}

TEST_CASE("a process of the simulated cluster that reads the real clock is caught at its event") {
  if (!is_guard_built()) return;
  const Ended ended = in_a_process([] {
    using namespace sim::testing;
    const Script curious{.start = [](Env&) { use(std::chrono::steady_clock::now()); }};
    Recorder recorder;
    sim::Kernel kernel({.dispatching = &guarded_dispatch()->under_way}, recorder);
    guarded_dispatch()->kernel = &kernel;
    kernel.add_host({.address = Address(1),
                     .name = "node-1",
                     .node = NodeId{1},
                     .client = {},
                     .make = [&curious](Env& env, Observer&, const sim::Installed&) {
                       return std::make_unique<ScriptProcess>(env, curious);
                     }});
    (void)kernel.start(Address(1));
    while (kernel.step()) {}
  });
  CHECK(ended.signal == SIGABRT);
  CHECK(ended.err.starts_with(
      "rejoin: clock_gettime was called while event 1 (at 0.000s) was dispatched: a run knows "
      "virtual time alone"));
}

}  // namespace rejoin::app
