// What Raft servers say to each other.
//
// Invariants:
// 1. Every message names its group, the server (node and incarnation) that sends it and the one
//    that it is for; a message for another life of a node is refused.
// 2. `attempt` counts resends of one meaning; an answer repeats it, so that the answer to a resend
//    is told from the answer to the original.
// 3. Heartbeats of all groups between two nodes, and their answers, travel in one frame.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "model/env.hpp"
#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "protocols/raft/consensus.hpp"

namespace rejoin::raft {

struct ServerId {
  NodeId node;
  Incarnation incarnation;

  friend bool operator==(const ServerId&, const ServerId&) = default;
  [[nodiscard]] bool is_none() const { return node.is_none(); }
  REJOIN_FIELDS(node, incarnation)
};

enum class EntryType : std::uint8_t {
  noop,           // what a new leader appends to commit what is before it (Raft 8)
  command,        // for the state machine
  configuration,  // in force when appended; may carry a command, too
};
[[nodiscard]] constexpr std::string_view to_name(EntryType type) {
  switch (type) {
    case EntryType::noop:
      return "noop";
    case EntryType::command:
      return "command";
    case EntryType::configuration:
      return "configuration";
  }
  return "?";
}

struct Entry {
  LogIndex index;
  Term term;
  EntryType type{};
  Bytes command;
  std::optional<Configuration> configuration;  // exactly when the type says so

  friend bool operator==(const Entry&, const Entry&) = default;
  REJOIN_FIELDS(index, term, type, command, configuration)
};

// Of term, type and payload: equal entries, equal digests, on every server.
[[nodiscard]] std::uint64_t digest(const Entry& entry);
// An entry that no correct leader makes is refused before it reaches a log.
[[nodiscard]] bool well_formed(const Entry& entry);

struct Header {
  GroupId group;
  ServerId from;
  ServerId to;
  Term term;
  std::uint32_t attempt = 0;
  REJOIN_FIELDS(group, from, to, term, attempt)
};

struct RequestVote {
  static constexpr MessageKind kind{Channel::raft, 1};
  Header header;  // term: that of the election, for a pre-vote the one that would follow
  LogIndex last_index;
  Term last_term;
  bool pre = false;  // dissertation 9.6: would you?
  REJOIN_FIELDS(header, last_index, last_term, pre)
};

struct RequestVoteResponse {
  static constexpr MessageKind kind{Channel::raft, 2};
  Header header;
  bool granted = false;
  bool pre = false;
  REJOIN_FIELDS(header, granted, pre)
};

// `settled`: no entry above it was committed before the leader's term; who has applied it knows all
// that was committed when the message was sent (dissertation 6.4: the read index).
struct AppendEntries {
  static constexpr MessageKind kind{Channel::raft, 3};
  Header header;
  LogIndex prev_index;
  Term prev_term;
  LogIndex commit;
  LogIndex settled;
  std::vector<Entry> entries;
  REJOIN_FIELDS(header, prev_index, prev_term, commit, settled, entries)
};

struct AppendEntriesResponse {
  static constexpr MessageKind kind{Channel::raft, 4};
  Header header;
  bool success = false;
  LogIndex index;       // success: the log agrees up to here; else: the prev_index refused
  LogIndex hint_index;  // refused: where the logs may agree (Raft 5.3, last paragraph)
  Term hint_term;
  REJOIN_FIELDS(header, success, index, hint_index, hint_term)
};

// `match`: the follower's log is known to agree up to here, so that it may commit up to
// min(commit, match) although nothing is compared.
struct Heartbeat {
  Header header;
  LogIndex commit;
  LogIndex match;
  LogIndex settled;
  std::uint64_t round = 0;
  REJOIN_FIELDS(header, commit, match, settled, round)
};
struct HeartbeatResponse {
  Header header;
  std::uint64_t round = 0;
  REJOIN_FIELDS(header, round)
};
struct Heartbeats {
  static constexpr MessageKind kind{Channel::raft, 5};
  std::vector<Heartbeat> beats;
  REJOIN_FIELDS(beats)
};
struct HeartbeatResponses {
  static constexpr MessageKind kind{Channel::raft, 6};
  std::vector<HeartbeatResponse> beats;
  REJOIN_FIELDS(beats)
};

// A piece of the encoded snapshot (protocols/raft/log.hpp) that ends at `index`.
struct InstallSnapshot {
  static constexpr MessageKind kind{Channel::raft, 7};
  Header header;
  LogIndex index;
  Term index_term;
  LogIndex settled;
  std::uint64_t size_bytes = 0;  // of the whole
  std::uint64_t offset = 0;
  Bytes chunk;
  REJOIN_FIELDS(header, index, index_term, settled, size_bytes, offset, chunk)
};
struct InstallSnapshotResponse {
  static constexpr MessageKind kind{Channel::raft, 8};
  Header header;
  LogIndex index;
  std::uint64_t next_offset = 0;
  bool installed = false;
  REJOIN_FIELDS(header, index, next_offset, installed)
};

using Message =
    std::variant<RequestVote, RequestVoteResponse, AppendEntries, AppendEntriesResponse, Heartbeat,
                 HeartbeatResponse, InstallSnapshot, InstallSnapshotResponse>;

[[nodiscard]] const Header& header_of(const Message& message);
// `RequestVote`: the struct's name.
[[nodiscard]] std::string_view name_of(const Message& message);
// What it means: (group, term, index or round), for the tag.
[[nodiscard]] std::uint64_t identity_of(const Message& message);

}  // namespace rejoin::raft
