// Read repair: what a read finds to differ between replicas is mended where it differs.
#include <algorithm>

#include "protocols/sync/promises.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kName = "read-repair";

// The coordinator does it all: nobody is repaired on a return.
class ReadRepairMechanism final : public Mechanism {};

std::string refuses(const NodeOptions& options, const Params& params) {
  if (params.get<Share>("probability").ppm == 0) {
    return "a probability of 0% repairs no read; leave the mechanism out";
  }
  if (options.store.versions != VersionScheme::none) return {};
  return "read repair without versions cannot tell which of two values is newer";
}

// Who comes to own a partition, or comes back to it, must hold what a majority held: else it would
// be counted among the owners that hold what was shown.
bool newcomers_are_repaired(const Terms& terms, const Params& /*params*/) {
  constexpr std::string_view kRepaired = "no-stale-read-after-repair";
  const auto& mechanisms = terms.node.sync.mechanisms;
  return std::any_of(mechanisms.begin(), mechanisms.end(), [&](const auto& each) {
    const MechanismSpec* const spec = Mechanisms::find(each.name);
    return spec != nullptr && promises(*spec, kRepaired, terms, each.params);
  });
}

std::vector<Condition> conditions() {
  std::vector<Condition> out;
  const auto add = [&out](std::string_view name, std::string_view says,
                          bool (*met)(const Terms&, const Params&)) {
    out.push_back({.name = name, .says = says, .met = met});
  };
  add("blocking", "mode: blocking", [](const Terms& /*terms*/, const Params& params) {
    return params.get<std::string>("mode") == "blocking";
  });
  add("whole-scope", "scope: all", [](const Terms& /*terms*/, const Params& params) {
    return params.get<std::string>("scope") == "all";
  });
  add("certainty", "probability: 100%", [](const Terms& /*terms*/, const Params& params) {
    return params.get<Share>("probability").ppm == 1'000'000;
  });
  // What is shown is held durably by as many as the read asks for: the next one meets one of them.
  add("quorum-reads", "every read at level quorum or all",
      [](const Terms& terms, const Params& /*params*/) {
        const std::uint32_t owners = terms.node.partitioning.replication;
        return 2 * replicas_needed(terms.client.read, owners) > owners;
      });
  // Nobody mends what a direct read shows: the node that showed it may be the only one to hold it.
  add("coordinated-reads", "no direct reads",
      [](const Terms& terms, const Params& /*params*/) { return !terms.direct_reads; });
  add("repaired-newcomers", "beside a mechanism that promises no-stale-read-after-repair here",
      &newcomers_are_repaired);
  add("fence", "a gate that fences who is not repaired yet, or redirects from it",
      [](const Terms& terms, const Params& /*params*/) {
        return terms.node.sync.gate != GateMode::open;
      });
  // They answer as a quorum, and know of no write since. No option shows whether that happens.
  add("current-maps", "no majority of owners that own the key no more and have yet to hear of that",
      nullptr);
  return out;
}

std::unique_ptr<Mechanism> make(SyncManager& manager, const Params& params) {
  manager.repair_reads({.blocking = params.get<std::string>("mode") == "blocking",
                        .probability = params.get<Share>("probability"),
                        .local = params.get<std::string>("scope") == "local",
                        .background = params.get<bool>("background")});
  return std::make_unique<ReadRepairMechanism>();
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = kName,
    .help = "A coordinator writes what a read came to back to the replicas that differ",
    .details =
        "It mends what is read and nothing else: a key that nobody reads stays as it is, and a "
        "node that returns counts as repaired at once. Blocking, the client is answered when as "
        "many replicas as its level asks for hold durably what it is shown (Cassandra: monotonic "
        "quorum reads), and is refused when they do not say so within coordinator.timeout. Async, "
        "it is answered at once; a read that comes before the repair can see less than one before "
        "it. At level one a single replica is asked, and with `background` the others after the "
        "client has its answer (Cassandra's read_repair_chance, up to 3.11). Answers that come "
        "after the client has its own are compared, too, until coordinator.timeout is over. A "
        "deleted key comes back where the tombstone has been forgotten and one replica still has "
        "the value.",
    .params = {{.name = "mode",
                .type = ParamType::choice,
                .unit = "",
                .fallback = "blocking",
                .help = "blocking: the client waits for the replicas that are mended; async: it "
                        "does not",
                .choices = {"blocking", "async"}},
               {.name = "probability",
                .type = ParamType::share,
                .unit = "",
                .fallback = "100%",
                .help = "of reads at which it is done; lower saves traffic and mends later",
                .choices = {}},
               {.name = "scope",
                .type = ParamType::choice,
                .unit = "",
                .fallback = "all",
                .help = "all: every replica that was asked and differs; local: only the "
                        "coordinator's own copy, if it owns the key",
                .choices = {"all", "local"}},
               {.name = "background",
                .type = ParamType::flag,
                .unit = "",
                .fallback = "true",
                .help = "a read at level one looks at the other replicas, too, once it is "
                        "answered; false: it repairs nothing",
                .choices = {}}},
    .promises = {"monotonic-reads"},
    .conditions = conditions(),
    .refuses = &refuses,
    .make = &make,
    .exclusive = false,
});

}  // namespace

}  // namespace rejoin
