#include <utility>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class SiblingsBounded final : public Invariant {
 public:
  SiblingsBounded() : Invariant(fact_set<fact::OperationReturned>()) {}

  void after(const FactEvent& event, const World& world) override {
    const Operation& read = std::get<fact::OperationReturned>(event.fact).operation;
    if (read.kind != OperationKind::read || read.observed.size() < 2) return;
    if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
    count_judgement();
    const auto [kept, false_sibling] = comparable(read, world);
    const NodeId server = server_of(read);
    if (kept.n == 0 || !is_new(server, read.key)) return;
    Evidence evidence;
    const std::string why = kept == false_sibling
                                ? "it is the same version"
                                : "that was written by who had seen this, or what replaced it";
    for (const RequestId id : read.observed) {
      if (const Operation* write = world.find_write(id)) evidence.add(*write);
    }
    evidence.add(read);
    report(event,
           {.node = server,
            .key = read.key,
            .says = read_text(read) + " returned " + count_text(read.observed.size(), "version") +
                    " as concurrent, but the " + version_text(false_sibling, world) +
                    " is no sibling of the " + version_text(kept, world) + ": " + why,
            .evidence = evidence.lines()});
  }

 private:
  // (newer, older) or twice the same; none when the answer is an antichain.
  static std::pair<RequestId, RequestId> comparable(const Operation& read, const World& world) {
    for (std::size_t a = 0; a < read.observed.size(); ++a) {
      for (std::size_t b = 0; b < read.observed.size(); ++b) {
        if (a == b) continue;
        const RequestId newer = read.observed[a];
        const RequestId older = read.observed[b];
        if (newer == older || world.seen_by(older, newer)) return {newer, older};
      }
    }
    return {};
  }
};

[[maybe_unused]] const bool registered = register_invariant<SiblingsBounded>(
    "siblings-bounded", "a read returns no more versions than were really concurrent",
    "Judged at each answer with several versions, tombstones included, of a read at any level. No "
    "two of them may be the same, and of none may the writer have read another, or what had "
    "replaced it: by that it meant to replace it. Whoever writes without having read is concurrent "
    "with all that is there, whatever the clocks say. What a store keeps and no read shows is not "
    "judged: no fact tells of it.");

}  // namespace

}  // namespace rejoin::sim
