#include "sim/run/cluster.hpp"

#include <algorithm>

#include "model/check.hpp"
#include "model/random.hpp"
#include "protocols/node/node.hpp"

namespace rejoin::sim {

namespace {

Address node_address(NodeId node) {
  return Address(node.value);
}

// Of a cluster of any size: enough that some are up, few enough that nobody asks a thousand.
constexpr std::size_t kSeedsMax = 16;

HostSpec node_host(const Schedule& schedule, NodeId node) {
  NodeConfig config{.node = node, .seeds = {}, .options = schedule.node};
  for (std::uint32_t n = 1; n <= founder_count(schedule) && config.seeds.size() < kSeedsMax; ++n) {
    if (NodeId(n) != node) config.seeds.push_back(node_address(NodeId(n)));
  }
  return {.address = node_address(node),
          .name = to_name(node),
          .node = node,
          .client = {},
          .make = [config](Env& env, Observer& observer,
                           const Installed& installed) -> std::unique_ptr<Process> {
            NodeConfig running = config;
            // Software of version v reads and speaks wire formats 1 to v.
            running.reads =
                static_cast<WireFormat>(std::min<std::uint32_t>(installed.version, kNewestFormat));
            auto& partitions = running.options.partitioning.partitions;
            partitions = installed.partitions.value_or(partitions);
            return std::make_unique<Node>(env, observer, running);
          }};
}

HostSpec client_host(const Schedule& schedule, ClientId client) {
  std::vector<NodeAddress> nodes;
  for (std::uint32_t n = 1; n <= schedule.cluster.nodes; ++n) {
    nodes.push_back({.node = NodeId(n), .address = node_address(NodeId(n))});
  }
  ClientOptions options = schedule.client;
  options.conflict = schedule.node.store.conflict;
  return {.address = client_address(client),
          .name = to_name(client),
          .node = {},
          .client = client,
          .make = [client, nodes, options](Env& env, Observer& observer,
                                           const Installed&) -> std::unique_ptr<Process> {
            return std::make_unique<Client>(env, observer, client, options, nodes);
          },
          .diskless = true};
}

}  // namespace

std::uint32_t founder_count(const Schedule& schedule) {
  return schedule.cluster.founders == 0 ? schedule.cluster.nodes : schedule.cluster.founders;
}

void build_cluster(Kernel& kernel, const Schedule& schedule) {
  std::vector<Founder> founders;
  for (std::uint32_t n = 1; n <= founder_count(schedule); ++n) {
    founders.push_back({.node = NodeId(n), .address = node_address(NodeId(n))});
  }
  // Any number will do, as long as no other cluster has it.
  const ClusterId cluster(mix(hash64(schedule.name), schedule.seed));
  const Founding founding(cluster, founders, schedule.node);
  for (std::uint32_t n = 1; n <= schedule.cluster.nodes; ++n) {
    const NodeId node(n);
    kernel.add_host(node_host(schedule, node));
    if (n > founders.size()) continue;
    for (const DiskFile& file : founding.files_of(node)) {
      kernel.provision(node_address(node), file.name, file.content);
    }
    kernel.start(node_address(node));
  }
  for (std::uint32_t c = 1; c <= schedule.cluster.clients; ++c) {
    kernel.add_host(client_host(schedule, ClientId(c)));
    kernel.start(client_address(ClientId(c)));
  }
}

Client& client_program(Kernel& kernel, ClientId client) {
  Process* const process = kernel.process(client_address(client));
  CHECK_THAT(process != nullptr);
  return static_cast<Client&>(*process);
}

}  // namespace rejoin::sim
