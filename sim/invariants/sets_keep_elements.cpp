#include <algorithm>
#include <set>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

std::set<Value> elements_of(const Value& text) {
  std::set<Value> out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(", ", from), text.size());
    out.insert(text.substr(from, end - from));
    from = end + 2;
  }
  return out;
}

class SetsKeepElements final : public Invariant {
 public:
  SetsKeepElements() : Invariant(fact_set<fact::OperationReturned>()) {}

  void after(const FactEvent& event, const World& world) override {
    const Operation& read = std::get<fact::OperationReturned>(event.fact).operation;
    if (read.kind != OperationKind::read || read.direct) return;
    if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
    const auto history = world.keys().find(read.key);
    if (history == world.keys().end()) return;
    const auto& writes = history->second.writes;
    const bool is_set = std::any_of(writes.begin(), writes.end(), [](const Operation& write) {
      return write.kind == OperationKind::add;
    });
    if (!is_set) return;
    count_judgement();
    const std::set<Value> seen =
        read.result == ResultKind::value ? elements_of(read.value) : std::set<Value>{};
    std::string problem;
    const Operation* witness = nullptr;
    for (const Operation& add : writes) {
      if (!must_be_seen(add, read, writes, world) || seen.contains(add.value)) continue;
      problem = "lacks \"" + add.value + "\", which had been added and which nobody discards";
      witness = &add;
    }
    for (const Value& element : seen) {
      const bool added = std::any_of(writes.begin(), writes.end(), [&](const Operation& write) {
        return write.kind == OperationKind::add && write.value == element &&
               write.invoked <= *read.returned;
      });
      if (!added) problem = "has \"" + element + "\", which nobody has added";
    }
    const NodeId server = server_of(read);
    if (problem.empty() || !is_new(server, read.key)) return;
    Evidence evidence;
    if (witness != nullptr) evidence.add(*witness);
    evidence.add(read);
    report(event, {.node = server,
                   .key = read.key,
                   .says = read_text(read) + " returned {" + read.value + "}, which " + problem,
                   .evidence = evidence.lines()});
  }

 private:
  static bool must_be_seen(const Operation& add, const Operation& read,
                           const std::vector<Operation>& writes, const World& world) {
    if (add.kind != OperationKind::add) return false;
    const bool meets = world.levels_meet(add.level, read.level);
    if (!meets || !add.returned || *add.returned >= read.invoked) return false;
    return std::none_of(writes.begin(), writes.end(), [&](const Operation& other) {
      return other.kind == OperationKind::discard && other.value == add.value &&
             other.invoked <= *read.returned;
    });
  }
};

[[maybe_unused]] const bool registered = register_invariant<SetsKeepElements>(
    "sets-keep-elements", "what was added to a set and not discarded is in it, and nothing else",
    "Judged at each answer of a read, but a direct one, of a key that elements are added to. An "
    "addition that was acknowledged before the read was invoked, at levels that meet (W + R > N), "
    "must be seen, unless a discard of that element was invoked before the read returned; an "
    "element that nobody added may not be. Jepsen's checker of sets judges alike.");

}  // namespace

}  // namespace rejoin::sim
