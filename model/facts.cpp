#include "model/facts.hpp"

#include <array>

namespace rejoin {

namespace {

// In the order of the variant; a static_assert below keeps the two in step.
constexpr std::array<std::string_view, std::variant_size_v<Fact>> kNames = {
    "ProcessStarted", "ProcessCrashed",    "ProcessHalted",     "DiskWiped",
    "FaultInjected",  "FaultEnded",        "StorageCorrupt",    "SyncRequested",
    "SyncCompleted",  "MessageRejected",   "BecameLeader",      "LostLeadership",
    "VoteGranted",    "EntryAppended",     "LogTruncated",      "Committed",
    "EntryApplied",   "SnapshotInstalled", "LogCompacted",      "LogRecovered",
    "MemberAdded",    "MemberUpdated",     "MemberRemoved",     "MembersApplied",
    "MapApplied",     "RebalanceRefused",  "SettingApplied",    "CommandApplied",
    "HealthChecked",  "JoinRequested",     "NodeReady",         "HookFired",
    "RepairStarted",  "RepairCompleted",   "RepairFailed",      "GateOpened",
    "GateClosed",     "RecordWritten",     "PartitionDropped",  "StoreDurable",
    "StoreRecovered", "OperationInvoked",  "OperationReturned", "OperationAbandoned",
    "ConflictLost",   "HintStored",        "HintsDurable",      "HintEnded"};
static_assert(!kNames.back().empty());

// Whole, where a Describer shows the beginning of a text: it says whom a fault hit, and half a list
// of hosts is another list.
std::string whole(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    out += byte >= 0x20 && byte < 0x7f ? c : '?';
  }
  return out;
}

}  // namespace

std::string_view name_of(const Fact& fact) {
  return kNames[fact.index()];
}

namespace fact {

std::string_view to_name(ChangeReason reason) {
  switch (reason) {
    case ChangeReason::added:
      return "added";
    case ChangeReason::removed:
      return "removed";
    case ChangeReason::rebalance:
      return "rebalance";
    case ChangeReason::rejoin:
      return "rejoin";
  }
  return "?";
}

std::string_view to_name(WriteCause cause) {
  switch (cause) {
    case WriteCause::foreground:
      return "foreground";
    case WriteCause::repair:
      return "repair";
    case WriteCause::collection:
      return "collection";
  }
  return "?";
}

}  // namespace fact

std::string describe(const Fact& fact) {
  if (const auto* injected = std::get_if<fact::FaultInjected>(&fact)) {
    return "FaultInjected{fault: \"" + whole(injected->fault) + "\", target: \"" +
           whole(injected->target) + "\"}";
  }
  Describer describer;
  describer.put(fact);
  return std::string(name_of(fact)) + describer.take();
}

void encode_fact(Writer& writer, const Fact& fact) {
  writer.put(fact);
}

Bytes encode_fact(const Fact& fact) {
  Writer writer;
  encode_fact(writer, fact);
  return writer.take();
}

}  // namespace rejoin
