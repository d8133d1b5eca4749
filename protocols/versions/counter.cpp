// A counter that every client can count on: each one's increments are summed apart.
//
// State: for each client how much it has added and taken away so far, as of which of its requests.
// The client sends its sums, so that a retry that reaches another coordinator counts once.
#include <algorithm>
#include <map>

#include "model/params.hpp"
#include "model/wire.hpp"
#include "protocols/versions/conflict.hpp"

namespace rejoin {

namespace {

struct Sums {
  std::uint64_t as_of = 0;  // its request's number
  std::uint64_t up = 0;
  std::uint64_t down = 0;
  REJOIN_FIELDS(as_of, up, down)
};

struct State {
  std::map<std::uint32_t, Sums> by_client;
  REJOIN_FIELDS(by_client)
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
  const std::optional<State> other = state_of(b);
  if (!joined) return b;
  if (!other) return a;
  for (const auto& [client, sums] : other->by_client) {
    Sums& mine = joined->by_client[client];
    // Sums only grow with requests; whatever a peer sent, replicas have to agree.
    mine.as_of = std::max(mine.as_of, sums.as_of);
    mine.up = std::max(mine.up, sums.up);
    mine.down = std::max(mine.down, sums.down);
  }
  return bytes_of(*joined);
}

Value change(const Change& change) {
  State state = state_of(change.own).value_or(State{});
  Sums& sums = state.by_client[change.request.client.value];
  sums.as_of = change.request.n;
  const bool down = change.text.starts_with('-');
  const std::int64_t size = parse_integer(change.text.substr(down ? 1 : 0)).value_or(1);
  (down ? sums.down : sums.up) += static_cast<std::uint64_t>(size);
  return bytes_of(state);
}

Value show(const Value& bytes) {
  std::uint64_t sum = 0;
  const std::optional<State> state = state_of(bytes);
  if (!state) return "0";
  for (const auto& [client, sums] : state->by_client) sum += sums.up - sums.down;
  return std::to_string(static_cast<std::int64_t>(sum));
}

// The last of each client: it contains those before.
std::vector<RequestId> origins(const Value& bytes) {
  std::vector<RequestId> out;
  const std::optional<State> state = state_of(bytes);
  if (!state) return out;
  for (const auto& [client, sums] : state->by_client) {
    out.push_back({.client = ClientId(client), .n = sums.as_of});
  }
  return out;
}

[[maybe_unused]] const bool registered = Conflicts::add({
    .name = "counter",
    .help = "A value is a number that is counted up and down, and no increment is lost",
    .details =
        "A PN-counter (Shapiro et al. 2011, section 3.1.3) with an entry for each client, so that "
        "a "
        "retry counts once, which it would not where replicas count. Merges need no versions. An "
        "increment whose outcome stayed unknown counts when a later one of its client does. The "
        "price is an entry for each client that ever counted.",
    .fits = {ConflictSpec::Needs::no_more},
    .join = &join,
    .well_formed = [](const Value& state) { return state_of(state).has_value(); },
    .operations = {OperationKind::increment},
    .change = &change,
    .show = &show,
    .origins = &origins,
});

}  // namespace

}  // namespace rejoin
