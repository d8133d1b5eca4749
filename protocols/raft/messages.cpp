#include "protocols/raft/messages.hpp"

#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::raft {

REGISTER_MESSAGE(RequestVote, Purpose::consensus);
REGISTER_MESSAGE(RequestVoteResponse, Purpose::consensus);
REGISTER_MESSAGE(AppendEntries, Purpose::consensus);
REGISTER_MESSAGE(AppendEntriesResponse, Purpose::consensus);
REGISTER_MESSAGE(Heartbeats, Purpose::consensus);
REGISTER_MESSAGE(HeartbeatResponses, Purpose::consensus);
REGISTER_MESSAGE(InstallSnapshot, Purpose::consensus);
REGISTER_MESSAGE(InstallSnapshotResponse, Purpose::consensus);

namespace {

std::uint64_t meaning(const RequestVote& m) {
  return mix(m.pre ? 1 : 0, m.last_index.value);
}
std::uint64_t meaning(const RequestVoteResponse& m) {
  return mix(m.pre ? 1 : 0, m.granted ? 1 : 0);
}
// The commit index tells the entries from the later news that they are committed.
std::uint64_t meaning(const AppendEntries& m) {
  return mix(m.prev_index.value + m.entries.size(), m.commit.value);
}
std::uint64_t meaning(const AppendEntriesResponse& m) {
  return mix(m.index.value, m.success ? 1 : 0);
}
std::uint64_t meaning(const Heartbeat& m) {
  return m.round;
}
std::uint64_t meaning(const HeartbeatResponse& m) {
  return m.round;
}
std::uint64_t meaning(const InstallSnapshot& m) {
  return mix(m.index.value, m.offset);
}
std::uint64_t meaning(const InstallSnapshotResponse& m) {
  return mix(m.index.value, m.next_offset + (m.installed ? 1 : 0));
}

std::string_view name(const RequestVote&) {
  return "RequestVote";
}
std::string_view name(const RequestVoteResponse&) {
  return "RequestVoteResponse";
}
std::string_view name(const AppendEntries&) {
  return "AppendEntries";
}
std::string_view name(const AppendEntriesResponse&) {
  return "AppendEntriesResponse";
}
std::string_view name(const Heartbeat&) {
  return "Heartbeat";
}
std::string_view name(const HeartbeatResponse&) {
  return "HeartbeatResponse";
}
std::string_view name(const InstallSnapshot&) {
  return "InstallSnapshot";
}
std::string_view name(const InstallSnapshotResponse&) {
  return "InstallSnapshotResponse";
}

}  // namespace

std::uint64_t digest(const Entry& entry) {
  Writer writer;
  writer.put(entry.type);
  writer.put(entry.term);
  writer.put(entry.command);
  writer.put(entry.configuration);
  return hash64(writer.view());
}

bool well_formed(const Entry& entry) {
  switch (entry.type) {
    case EntryType::noop:
      return entry.command.empty() && !entry.configuration;
    case EntryType::command:
      return !entry.configuration;
    case EntryType::configuration:
      return entry.configuration.has_value();
  }
  return false;
}

const Header& header_of(const Message& message) {
  return std::visit([](const auto& m) -> const Header& { return m.header; }, message);
}

std::string_view name_of(const Message& message) {
  return std::visit([](const auto& m) { return name(m); }, message);
}

std::uint64_t identity_of(const Message& message) {
  const Header& header = header_of(message);
  const std::uint64_t about = std::visit([](const auto& m) { return meaning(m); }, message);
  return mix(mix(header.group.value, header.term.value), about);
}

}  // namespace rejoin::raft
