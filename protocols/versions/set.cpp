// A set to which anyone adds and from which is removed what the remover had seen.
//
// State: each addition by the request that made it, and those of which a removal is known. An
// element is in the set while one of its additions is not removed.
#include <algorithm>
#include <map>
#include <set>

#include "model/wire.hpp"
#include "protocols/versions/conflict.hpp"

namespace rejoin {

namespace {

struct Request {
  std::uint32_t client = 0;
  std::uint64_t n = 0;
  friend auto operator<=>(const Request&, const Request&) = default;
  REJOIN_FIELDS(client, n)
};

struct State {
  std::map<Request, Value> added;
  std::map<Request, bool> removed;  // true, always

  REJOIN_FIELDS(added, removed)
};

std::optional<State> state_of(const Value& bytes) {
  if (bytes.empty()) return State{};
  return decode<State>(as_bytes(bytes));
}
Value bytes_of(const State& state) {
  const Bytes bytes = encode(state);
  return {bytes.begin(), bytes.end()};
}

Value join(const Value& a, const Value& b) {
  std::optional<State> joined = state_of(a);
  std::optional<State> other = state_of(b);
  if (!joined) return b;
  if (!other) return a;
  for (const auto& [request, element] : other->added) {
    const auto [at, fresh] = joined->added.try_emplace(request, element);
    if (!fresh) at->second = std::max(at->second, element);
  }
  joined->removed.merge(other->removed);
  // What is removed is remembered by its request alone.
  for (const auto& [request, gone] : joined->removed) joined->added.erase(request);
  return bytes_of(*joined);
}

Value change(const Change& change) {
  State state;
  if (change.kind == OperationKind::add) {
    state.added[{change.request.client.value, change.request.n}] = change.text;
  } else {
    const std::optional<State> seen = state_of(change.seen);
    if (!seen) return bytes_of(state);
    for (const auto& [request, element] : seen->added) {
      if (element == change.text) state.removed[request] = true;
    }
  }
  return bytes_of(state);
}

// `a, b, c`, each element once.
Value show(const Value& bytes) {
  const std::optional<State> state = state_of(bytes);
  std::set<Value> elements;
  if (state) {
    for (const auto& [request, element] : state->added) elements.insert(element);
  }
  Value out;
  for (const Value& element : elements) out += (out.empty() ? "" : ", ") + element;
  return out;
}

std::vector<RequestId> origins(const Value& bytes) {
  std::vector<RequestId> out;
  const std::optional<State> state = state_of(bytes);
  if (!state) return out;
  for (const auto& [request, element] : state->added) {
    out.push_back({.client = ClientId(request.client), .n = request.n});
  }
  return out;
}

[[maybe_unused]] const bool registered = Conflicts::add({
    .name = "set",
    .help = "A value is a set of elements; concurrent additions and removals are both kept",
    .details =
        "An observed-remove set (OR-set; Shapiro et al. 2011, section 3.3.5): a removal takes away "
        "the additions that its client had seen, and an addition that it had not seen stays. "
        "Merges need no versions. Additions that were removed are remembered by their requests, "
        "which is its price.",
    .fits = {ConflictSpec::Needs::no_more},
    .join = &join,
    .well_formed = [](const Value& state) { return state_of(state).has_value(); },
    .operations = {OperationKind::add, OperationKind::discard},
    .change = &change,
    .show = &show,
    .origins = &origins,
});

}  // namespace

}  // namespace rejoin
