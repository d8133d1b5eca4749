// Who a selector means, at the moment when a fault strikes.
#pragma once

#include <vector>

#include "model/selector.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

[[nodiscard]] std::vector<Address> resolve(const Selectors& selectors, const Kernel& kernel);

}  // namespace rejoin::sim
