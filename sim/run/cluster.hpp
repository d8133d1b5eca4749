// The hosts of a schedule: nodes with their founding files, and clients, on one kernel.
#pragma once

#include "model/schedule.hpp"
#include "protocols/client/client.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

// Adds every host and starts the founders and the clients. `schedule` must outlive the kernel.
void build_cluster(Kernel& kernel, const Schedule& schedule);

// How many nodes found the cluster.
[[nodiscard]] std::uint32_t founder_count(const Schedule& schedule);

// The running client program. Clients are never crashed, so it is there from the first event on.
[[nodiscard]] Client& client_program(Kernel& kernel, ClientId client);

}  // namespace rejoin::sim
