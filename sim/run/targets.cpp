#include "sim/run/targets.hpp"

namespace rejoin::sim {

std::vector<Address> resolve(const Selectors& selectors, const Kernel& kernel) {
  std::vector<Address> out;
  for (const Selector& selector : selectors) {
    const Address host = selector.kind == Selector::Kind::client
                             ? kernel.address_of(selector.client)
                             : kernel.address_of(selector.node);
    if (!host.is_none()) out.push_back(host);
  }
  return out;
}

}  // namespace rejoin::sim
