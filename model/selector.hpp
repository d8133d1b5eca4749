// Who a fault is for: a host by its name, or by what it is when the fault strikes.
//
// A selector is one text, so that files, picks, `--set` and shrinking handle it like any scalar:
//   node-3  client-1     that host
//   leader               who leads the cluster's Raft group; nobody when nobody does
//   follower  followers  one member that does not lead (a keyed draw); all of them
//   member  members      one member of the cluster, by a keyed draw; all of them
//   majority  minority   the smallest majority of all nodes; the largest minority (keyed draws).
//                        Of one step, they are each other's complement, or nearly so
//   random  random(2)    one node, or that many, by a keyed draw
//   owner(key-7)         the first owner of the key's partition
//   owners(key-7)        all of them
//   zone(a)              every node in that site of the topology, whatever its kind
//   nodes  clients  all  every node, client, host
//   others               every node that the other sets of the same parameter do not name
//   twin(node-3)         the second machines with the id of that node (the fault `twin`)
//
// A twin is where its node is. Where sets of nodes are cut off or slowed by the network, whoever
// means a node means its twins with it; on machines, disks and clocks a node is itself, and zone,
// nodes, all and others hold the twins that are up.
//
// Draws are keyed by (seed, label of the step, selector), so that they survive edits of the rest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/ids.hpp"

namespace rejoin {

struct Selector {
  enum class Kind : std::uint8_t {
    node,
    client,
    leader,
    follower,
    followers,
    member,
    members,
    majority,
    minority,
    random,
    owner,
    owners,
    zone,
    nodes,
    clients,
    all,
    others,
    twin,
  };
  Kind kind{};
  NodeId node{};            // of node and twin
  ClientId client{};        // of client
  std::string argument{};   // key of owner and owners, site of zone
  std::uint32_t count = 1;  // of random
  friend bool operator==(const Selector&, const Selector&) = default;
};
using Selectors = std::vector<Selector>;

[[nodiscard]] inline Selector select(NodeId node) {
  return {.kind = Selector::Kind::node, .node = node};
}
// The error is a sentence that says what is allowed.
[[nodiscard]] tl::expected<Selector, std::string> parse_selector(std::string_view text);
// As a file writes it.
[[nodiscard]] std::string to_text(const Selector& selector);

}  // namespace rejoin
