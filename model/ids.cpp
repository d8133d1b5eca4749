#include "model/ids.hpp"

#include <charconv>

namespace rejoin {

namespace {
constexpr std::uint32_t kNodeMax = 1'000'000;
}

std::string to_name(NodeId node) {
  return node.is_none() ? "none" : "node-" + std::to_string(node.value);
}
std::string to_name(ClientId client) {
  return "client-" + std::to_string(client.value);
}
std::string to_name(PartitionId partition) {
  return "partition-" + std::to_string(partition.value);
}
std::string to_name(RequestId request) {
  if (request.is_none()) return "none";
  return to_name(request.client) + "/" + std::to_string(request.n);
}
std::string to_name(Address address) {
  if (is_client(address)) return to_name(ClientId(address.value - kFirstClientAddress));
  if (address.value >= 1 && address.value <= kNodeMax) return to_name(NodeId(address.value));
  return "address-" + std::to_string(address.value);
}

NodeId node_from_name(std::string_view name) {
  constexpr std::string_view prefix = "node-";
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  if (name.empty() || name.front() == '0') return {};
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || number > kNodeMax) return {};
  return NodeId(number);
}

}  // namespace rejoin
