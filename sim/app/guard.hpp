// The guard: while an event of a run is dispatched, whoever reads the real clock, asks for entropy,
// sleeps or starts a thread ends the process, by abort, with a message that says what was called
// and during which event.
//
// The functions of libc that do such things are replaced in every program that links this file;
// they forward to the real ones at any other time. std::chrono and std::thread end up in them, and
// so does whatever library is linked.
//
// Not caught: instructions (rdtsc, rdrand) and system calls made without libc. Off in programs that
// are built with AddressSanitizer or ThreadSanitizer, which replace the same functions themselves
// and call them for their own purposes.
#pragma once

#include "sim/run/run.hpp"

namespace rejoin::app {

// To be handed to the runs of this thread as RunOptions::dispatch: other threads may do as they
// like meanwhile.
[[nodiscard]] sim::Dispatch* guarded_dispatch();

// False under the sanitizers.
[[nodiscard]] bool is_guard_built();

}  // namespace rejoin::app
