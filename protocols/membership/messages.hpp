// What membership components say to each other. All are datagrams: each may be lost, duplicated
// or late, and every handler is idempotent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"

namespace rejoin::membership {

// With an incarnation: "I am this life of the node. Am I a member? If not, add me."
// Without one: "I need a life. Those up to `replaces` are over, to my knowledge."
struct JoinRequest {
  static constexpr MessageKind kind{Channel::membership, 1};
  ClusterId cluster;  // none: of any cluster, by an empty disk
  NodeId node;
  Incarnation incarnation;
  Address address;  // where it listens, and where the answer goes
  Incarnation replaces;
  std::uint64_t nonce = 0;   // of a wish for a life; its retries keep it
  std::uint64_t number = 0;  // of the attempt; the reply names it
  REJOIN_FIELDS(cluster, node, incarnation, address, replaces, nonce, number)
};

// Values are on the wire.
enum class JoinAnswer : std::uint8_t {
  welcome = 0,        // you are a member, at this address
  joining = 1,        // under way; ask again
  assigned = 2,       // make `incarnation` yours, durably, then ask with it
  occupied = 3,       // `incarnation` of the node is a member; say if it is over
  removed = 4,        // the life that you named is over
  superseded = 5,     // a later life of the node is a member: you must not run
  wrong_cluster = 6,  // another cluster's
  redirect = 7,       // ask `leader`
  no_leader = 8,      // I know none
};
[[nodiscard]] constexpr std::string_view to_name(JoinAnswer answer) {
  switch (answer) {
    case JoinAnswer::welcome:
      return "welcome";
    case JoinAnswer::joining:
      return "joining";
    case JoinAnswer::assigned:
      return "assigned";
    case JoinAnswer::occupied:
      return "occupied";
    case JoinAnswer::removed:
      return "removed";
    case JoinAnswer::superseded:
      return "superseded";
    case JoinAnswer::wrong_cluster:
      return "wrong-cluster";
    case JoinAnswer::redirect:
      return "redirect";
    case JoinAnswer::no_leader:
      return "no-leader";
  }
  return "?";
}

struct JoinReply {
  static constexpr MessageKind kind{Channel::membership, 2};
  JoinAnswer answer{};
  ClusterId cluster;
  NodeId node;  // to whom
  // As in the request. The nonce keeps a life from a process that did not ask for it.
  Incarnation asked;
  std::uint64_t nonce = 0;
  std::uint64_t number = 0;
  Incarnation incarnation;
  Address leader;
  REJOIN_FIELDS(answer, cluster, node, asked, nonce, number, incarnation, leader)
};

struct HealthCheck {
  static constexpr MessageKind kind{Channel::membership, 3};
  std::uint64_t number = 0;  // of the term's cycle of checks
  REJOIN_FIELDS(number)
};

struct HealthReply {
  static constexpr MessageKind kind{Channel::membership, 4};
  std::uint64_t number = 0;
  NodeId node;
  Incarnation incarnation;
  bool ready = false;
  std::string reason;  // why not ready
  REJOIN_FIELDS(number, node, incarnation, ready, reason)
};

}  // namespace rejoin::membership
