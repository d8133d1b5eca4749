#include <algorithm>
#include <charconv>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

std::optional<std::int64_t> number_of(const Value& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || at != end) return std::nullopt;
  return number;
}

class CountersAddUp final : public Invariant {
 public:
  CountersAddUp() : Invariant(fact_set<fact::OperationReturned>()) {}

  void after(const FactEvent& event, const World& world) override {
    const Operation& read = std::get<fact::OperationReturned>(event.fact).operation;
    if (read.kind != OperationKind::read || read.direct) return;
    if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
    const auto history = world.keys().find(read.key);
    if (history == world.keys().end()) return;
    const auto& writes = history->second.writes;
    const bool counts = std::any_of(writes.begin(), writes.end(), [](const Operation& write) {
      return write.kind == OperationKind::increment;
    });
    if (!counts) return;
    count_judgement();
    const auto bounds = bounds_of(read, writes, world);
    const bool absent = read.result == ResultKind::not_found;
    const std::optional<std::int64_t> seen = absent ? 0 : number_of(read.value);
    if (seen && bounds.first <= *seen && *seen <= bounds.second) return;
    const NodeId server = server_of(read);
    if (!is_new(server, read.key)) return;
    Evidence evidence;
    for (const Operation& write : writes) {
      if (write.invoked <= *read.returned) evidence.add(write);
    }
    evidence.add(read);
    report(event, {.node = server,
                   .key = read.key,
                   .says = read_text(read) + " returned " +
                           (absent ? std::string("nothing") : "\"" + read.value + "\"") +
                           ", and the increments that it must have seen, with those that it may "
                           "have, come to between " +
                           std::to_string(bounds.first) + " and " + std::to_string(bounds.second),
                   .evidence = evidence.lines()});
  }

 private:
  // Increments that the read must have seen count; those that it may have seen count where they
  // make the bound wider.
  static std::pair<std::int64_t, std::int64_t> bounds_of(const Operation& read,
                                                         const std::vector<Operation>& writes,
                                                         const World& world) {
    std::int64_t least = 0;
    std::int64_t most = 0;
    for (const Operation& write : writes) {
      if (write.kind != OperationKind::increment || write.invoked > *read.returned) continue;
      const std::int64_t by = number_of(write.value).value_or(0);
      const bool meets = world.levels_meet(write.level, read.level);
      const bool must = meets && write.returned && *write.returned < read.invoked;
      if (must || by < 0) least += by;
      if (must || by > 0) most += by;
    }
    return {least, most};
  }
};

[[maybe_unused]] const bool registered = register_invariant<CountersAddUp>(
    "counters-add-up", "a counter reads as the sum of its increments, no one lost or counted twice",
    "Judged at each answer of a read, but a direct one, of a key that is counted on. It must lie "
    "between the sum of what it must have seen (increments that were acknowledged before it was "
    "invoked, at levels that meet: W + R > N), with every decrement that it may have seen, and the "
    "same with every increment that it may have seen: those whose outcome is unknown, or that were "
    "under way. Jepsen's checker of counters judges alike.");

}  // namespace

}  // namespace rejoin::sim
