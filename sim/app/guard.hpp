// The guard: while an event of a run is dispatched, whoever reads the real clock, asks for entropy,
// sleeps, waits for a file to become ready, or starts a thread or a process ends the process, by
// abort, with a message that says what was called and during which event.
//
// The functions of libc that do such things are replaced in every program that links this file;
// they forward to the real ones at any other time. std::chrono and std::thread end up in them, and
// so does whatever library is linked.
//
// So does libc's `syscall` with the numbers of such calls.
//
// Not caught:
// - Instructions: rdtsc, rdrand, and a system call or a function of the vDSO made without libc.
// - What libc does by itself, without its own public functions: the stamps of syslog, the seed of
//   mkstemp, and the `_chk` forms that fortified code calls (`__poll_chk`).
// - Waiting with a time limit in locks and queues: pthread_cond_timedwait, sem_timedwait, futexes.
//   A run has one thread, which nobody would wake.
// - Timers that interrupt: alarm, setitimer, timer_create, timerfd_create.
// - The real world by other ways: files that change (/proc, times of modification), the
// environment,
//   the locale, addresses of memory. `--verify` and tests/tidy are for these.
//
// Off in programs that are built with AddressSanitizer or ThreadSanitizer, which replace the same
// functions themselves and call them for their own purposes.
#pragma once

#include "sim/run/run.hpp"

namespace rejoin::app {

// To be handed to the runs of this thread as RunOptions::dispatch: other threads may do as they
// like meanwhile.
[[nodiscard]] sim::Dispatch* guarded_dispatch();

// False under the sanitizers.
[[nodiscard]] bool is_guard_built();

}  // namespace rejoin::app
