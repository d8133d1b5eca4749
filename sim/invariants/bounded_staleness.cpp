#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class BoundedStaleness final : public Invariant {
 public:
  explicit BoundedStaleness(const Params& params)
      : Invariant(fact_set<fact::OperationReturned>()),
        versions_(static_cast<std::uint64_t>(params.get<std::int64_t>("versions"))),
        time_(params.get<Duration>("time")) {}

  void after(const FactEvent& event, const World& world) override {
    const Operation& read = std::get<fact::OperationReturned>(event.fact).operation;
    if (read.kind != OperationKind::read) return;
    if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
    if (world.newest_acknowledged_before(read).empty()) return;
    count_judgement();
    const Staleness behind = world.staleness(read);
    if (behind.versions <= versions_ && behind.time <= time_) return;
    const NodeId server = server_of(read);
    if (!is_new(server, read.key)) return;
    Evidence evidence;
    for (const RequestId id : read.observed) {
      if (const Operation* seen = world.find_write(id)) evidence.add(*seen);
    }
    evidence.add(*behind.oldest);
    for (const Operation* newest : world.newest_acknowledged_before(read)) {
      if (newest->id != behind.oldest->id) evidence.add(*newest);
    }
    evidence.add(read);
    std::string says = read_text(read) + " returned ";
    says += read.observed.empty() ? "NOT FOUND" : seen_text(read.observed, world);
    says += ", " + count_text(behind.versions, "version") + " and " +
            to_seconds_text(MonotonicTime(behind.time)) + " behind: the " +
            version_text(behind.oldest->id, world) +
            ", the first that it misses, had been acknowledged at " +
            to_seconds_text(*behind.oldest->returned) + " (at most " +
            count_text(versions_, "version") + " and " + to_text(time_) + " are allowed)";
    report(
        event,
        {.node = server, .key = read.key, .says = std::move(says), .evidence = evidence.lines()});
  }

 private:
  std::uint64_t versions_;
  Duration time_;
};

[[maybe_unused]] const bool registered = register_invariant<BoundedStaleness>(
    "bounded-staleness", "a read lies behind by no more than so many versions and so much time",
    "Judged at each answer of a read, at any level, of a key with a write acknowledged before the "
    "read was invoked. Versions: those acknowledged by then that are newer than everything that "
    "the read returned. Time: since the first of these had been acknowledged. Both bounds hold "
    "for every read. NOT FOUND without a tombstone counts as what the latest delete left, or as "
    "the state before any write. The order of versions is that of the clients' history.",
    false,
    {{.name = "versions",
      .type = ParamType::integer,
      .unit = "versions",
      .fallback = "1",
      .help = "so many acknowledged versions newer than its answer a read may miss",
      .choices = {}},
     {.name = "time",
      .type = ParamType::duration,
      .unit = {},
      .fallback = "5s",
      .help = "so long ago the first that it misses may have been acknowledged",
      .choices = {}}});

}  // namespace

}  // namespace rejoin::sim
