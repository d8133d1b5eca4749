#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class MergeNeverRegresses final : public Invariant {
 public:
  MergeNeverRegresses() : Invariant(fact_set<fact::RecordWritten>()) {}

  // Whether the stored version was newer is decided at once: that takes the acknowledgement of the
  // arriving version and the invocation of the stored one, and both lie in the past.
  void before(const FactEvent& event, const World& world) override {
    const auto& written = std::get<fact::RecordWritten>(event.fact);
    if (!written.replaced || *written.replaced == written.origin) return;
    count_judgement();
    const NodeId node = event.source.node;
    if (!written.stored || !world.older(written.origin, *written.replaced)) return;
    if (!is_new(node, written.key)) return;
    const Operation& newer = *world.find_write(*written.replaced);
    const Operation& older = *world.find_write(written.origin);
    const std::string cause =
        written.cause == fact::WriteCause::repair ? "a repair" : "a client's write";
    Evidence evidence;
    evidence.add(older).add(newer).add(event.at, to_name(node),
                                       cause + " puts the " + version_text(older.id, world) +
                                           " of " + written.key + " in place of the " +
                                           version_text(newer.id, world));
    report(event, {.node = node,
                   .key = written.key,
                   .says = "on " + to_name(node) + ", " + cause + " replaced the " +
                           version_text(newer.id, world) + " of " + written.key + " by the older " +
                           version_text(older.id, world),
                   .evidence = evidence.lines()});
  }
};

[[maybe_unused]] const bool registered = register_invariant<MergeNeverRegresses>(
    "merge-never-regresses", "no store replaces a version by an older one",
    "Judged each time that a version meets another one in a store, stored or refused, from a "
    "client or from a repair. Older means that its acknowledgement had reached its client before "
    "the other was invoked, or that the other's context contains it.");

}  // namespace

}  // namespace rejoin::sim
