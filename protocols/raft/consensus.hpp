// What the other components see of Raft: configurations, proposals, and the state machine that
// they supply. The protocol is in core.hpp, its driver in raft.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/bytes.hpp"
#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/wire.hpp"

namespace rejoin::raft {

// A Raft server is a node in one of its lives, at an address.
struct Server {
  NodeId node;
  Incarnation incarnation;
  Address address;
  bool voter = true;  // else a learner: receives the log, neither votes nor counts

  friend bool operator==(const Server&, const Server&) = default;
  REJOIN_FIELDS(node, incarnation, address, voter)
};

// Ordered by node; at most one server a node. In force from the moment it is in the log
// (dissertation 4.1), so one change at a time suffices.
struct Configuration {
  std::vector<Server> servers;

  [[nodiscard]] const Server* find(NodeId node) const;
  [[nodiscard]] std::size_t voter_count() const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
  REJOIN_FIELDS(servers)
};

// Why a proposal was not taken. A proposal that was taken may still be lost with its leader.
enum class Refusal : std::uint8_t {
  not_leader,
  no_commit_in_term,   // the leader has committed nothing in its own term yet (Ongaro 2015)
  change_in_progress,  // one configuration change at a time
  no_change,           // the configuration is like that already
  last_voter,          // would leave no voter
  too_few_heard,       // would leave voters of whom no majority has answered lately
};
[[nodiscard]] std::string_view to_name(Refusal refusal);

struct Proposed {
  std::optional<LogIndex> index;  // set: taken, at this index
  Refusal refusal{};              // else: why not
};

// One change of the configuration: adds a server, replaces one of the same node that differs in
// address or voting, or removes a node.
struct MemberChange {
  std::optional<Server> set;
  NodeId remove;
};

// Why a state machine does not take a snapshot.
struct SnapshotRefused {
  // Else it is a sound one of a cluster that this server, as it is configured, cannot be part of.
  bool damaged = true;
  std::string why;
};

// Applied by every server in log order. Never calls back into Raft.
class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // Of an entry whose command is not empty. `leading`: this server leads the group now.
  virtual void apply(LogIndex index, Term term, ByteView command, bool leading) = 0;
  [[nodiscard]] virtual Bytes snapshot() const = 0;
  // A snapshot that is refused leaves the state unchanged, and the server halts.
  [[nodiscard]] virtual tl::expected<void, SnapshotRefused> restore(ByteView snapshot) = 0;
};

// Raft as its siblings use it.
class Consensus {
 public:
  virtual ~Consensus() = default;
  [[nodiscard]] virtual bool leads(GroupId group) const = 0;
  [[nodiscard]] virtual Term term(GroupId group) const = 0;
  // The leader that this server follows now, itself included; none when it knows none.
  [[nodiscard]] virtual std::optional<Server> leader(GroupId group) const = 0;
  // The configuration in force here, committed or not.
  [[nodiscard]] virtual const Configuration& configuration(GroupId group) const = 0;
  [[nodiscard]] virtual LogIndex applied(GroupId group) const = 0;
  // When a leader was last heard (a leader hears itself); none since start.
  [[nodiscard]] virtual std::optional<MonotonicTime> leader_heard(GroupId group) const = 0;
  // Leader only. `command` is applied when the entry commits.
  virtual Proposed propose(GroupId group, Bytes command) = 0;
  // The change takes force when appended; `command` (may be empty) is applied when it commits.
  virtual Proposed propose_member(GroupId group, const MemberChange& change, Bytes command) = 0;
};

}  // namespace rejoin::raft
