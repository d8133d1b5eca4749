// What clients did and saw, recorded at the client.
//
// Invariants:
// 1. Every value written is unique, so a value that is read names the write it came from.
// 2. An operation that timed out has no return: it may take effect at any later time, or never.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/record.hpp"
#include "model/time.hpp"

namespace rejoin {

enum class OperationKind : std::uint8_t {
  write,
  remove,
  read,
  configure,  // a setting of the cluster, not a key
  increment,  // of a counter, by a number
  add,        // an element to a set
  discard,    // an element from a set, as far as it was seen there
};
inline constexpr OperationKind kLastOperationKind = OperationKind::discard;
[[nodiscard]] std::string_view to_name(OperationKind kind);
// Makes a version of a key: all but reads and settings.
[[nodiscard]] constexpr bool changes_key(OperationKind kind) {
  return kind != OperationKind::read && kind != OperationKind::configure;
}

// How many replicas must answer before the client does: any one, a majority of the copies
// asked for, each of them, or so many (R and W of Dynamo).
enum class Consistency : std::uint8_t { one, quorum, all, two, three, four, five };
inline constexpr Consistency kLastConsistency = Consistency::five;
// In the order of their values.
inline constexpr std::array<std::string_view, 7> kConsistencyNames = {"one", "quorum", "all", "2",
                                                                      "3",   "4",      "5"};
// Of `copies` of a key, N of Dynamo. A number may be more than there are: nobody can answer then.
[[nodiscard]] std::uint32_t replicas_needed(Consistency level, std::uint32_t copies);
[[nodiscard]] std::string_view to_name(Consistency level);

enum class ResultKind : std::uint8_t {
  none,         // still open, or abandoned
  ok,           // a write or delete was acknowledged
  value,        // a read found this
  not_found,    // a read found nothing, or a tombstone
  unavailable,  // refused: too few replicas answered, or the node is fenced; reads only
};
[[nodiscard]] std::string_view to_name(ResultKind result);

struct Operation {
  RequestId id;
  OperationKind kind{};
  Key key;      // of a setting, for configure
  Value value;  // written, or found by a read; the number of an increment, an element of a set
  Consistency level{};
  // Direct: answered by `via` from its own store, whatever it holds. Else `via` coordinates (none:
  // the client chose).
  bool direct = false;
  NodeId via;
  std::string label;  // of the step that asked for it
  // Counts up when an operation of the client timed out: what came before and what comes after
  // are no longer one session (a Jepsen process is retired likewise).
  std::uint32_t session = 0;

  MonotonicTime invoked{};
  std::optional<MonotonicTime> returned;
  ResultKind result = ResultKind::none;
  // Of a read: the writes that it saw (several when siblings). A tombstone that was seen counts;
  // empty when the replica knew nothing of the key.
  std::vector<RequestId> observed;
  NodeId served_by;  // the node that answered, or coordinated
  // The version that a write overwrote knowingly (its causal context); empty when blind.
  std::vector<RequestId> context;
  // Of a read: what it found besides `value`, of writers who did not know of each other.
  std::vector<Value> others;

  REJOIN_FIELDS(id, kind, key, value, level, direct, via, label, session, invoked, returned, result,
                observed, served_by, context, others)
};

}  // namespace rejoin
