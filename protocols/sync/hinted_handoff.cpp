// Hinted handoff: a coordinator keeps what an owner did not take, and gives it to the owner later.
#include <algorithm>

#include "protocols/sync/mechanism.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin {

namespace {

constexpr std::string_view kName = "hinted-handoff";

// The coordinator brings the hints, and HintReplay delivers them.
class HintedHandoff final : public Mechanism {};

std::string refuses(const NodeOptions& options, const Params& params) {
  if (params.get<std::int64_t>("cap") < 1) return "cap is a number of hints, 1 or more";
  if (params.get<Duration>("window") <= Duration::zero()) {
    return "window is longer than 0s: else no hint is ever kept";
  }
  if (params.get<Duration>("retry") <= Duration::zero()) return "retry is longer than 0s";
  if (options.coordinator.sloppy && !params.get<bool>("durable")) {
    return "with coordinator.sloppy a hint counts as a copy, so it has to be durable";
  }
  return {};
}

std::unique_ptr<Mechanism> make(SyncManager& manager, const Params& params) {
  manager.keep_hints({.window = params.get<Duration>("window"),
                      .cap = static_cast<std::uint64_t>(
                          std::max<std::int64_t>(params.get<std::int64_t>("cap"), 0)),
                      .throttle_bytes_per_s = params.get<Size>("throttle").bytes,
                      .durable = params.get<bool>("durable"),
                      .newest_first = params.get<std::string>("order") == "newest-first",
                      .by_incarnation = params.get<std::string>("keyed_by") == "incarnation",
                      .retry = params.get<Duration>("retry")});
  return std::make_unique<HintedHandoff>();
}

std::vector<ParamSpec> params() {
  return {{.name = "window",
           .type = ParamType::duration,
           .unit = "",
           .fallback = "3h",
           .help = "nothing more is kept for an owner that has been away for so long, and hints "
                   "that are older are dropped; longer brings back longer outages and costs disk",
           .choices = {}},
          {.name = "cap",
           .type = ParamType::integer,
           .unit = "hints",
           .fallback = "100000",
           .help = "that a node keeps in all; what is beyond is dropped and counted",
           .choices = {}},
          {.name = "throttle",
           .type = ParamType::size,
           .unit = "",
           .fallback = "1MiB",
           .help = "a second, of what a node replays; 0B: unlimited",
           .choices = {}},
          {.name = "durable",
           .type = ParamType::flag,
           .unit = "",
           .fallback = "true",
           .help = "in a file of its own; false: in memory, and lost with the process",
           .choices = {}},
          {.name = "order",
           .type = ParamType::choice,
           .unit = "",
           .fallback = "arrival",
           .help = "in which an owner gets them",
           .choices = {"arrival", "newest-first"}},
          {.name = "keyed_by",
           .type = ParamType::choice,
           .unit = "",
           .fallback = "node",
           .help = "node: an owner that was readmitted, or lost its disk, gets what was kept for "
                   "it before; incarnation: that is dropped",
           .choices = {"node", "incarnation"}},
          {.name = "retry",
           .type = ParamType::duration,
           .unit = "",
           .fallback = "10s",
           .help = "from one attempt at an owner that is not heard of to the next",
           .choices = {}}};
}

[[maybe_unused]] const bool registered = Mechanisms::add({
    .name = kName,
    .help = "A coordinator keeps writes for owners that are away, and replays them",
    .details =
        "A write that an owner has not acknowledged within coordinator.timeout, or whose owner is "
        "known to be silent or is no member, is kept by its coordinator and sent when the owner is "
        "heard of again. That brings back short outages for the price of what was missed. It does "
        "not bring back what no coordinator saw fail: writes of before a coordinator crashed, "
        "those beyond the window or the cap, those of while the owner was not in the map, and what "
        "a lost disk held. A node that returns counts as repaired at once. Hints for a node that "
        "owns the key no more go to those who do. Without versions a hint that comes late replaces "
        "what is newer; where tombstones are forgotten, it brings back what was deleted. "
        "So it promises nothing by itself, though replicas converge after outages below the window "
        "where all of this is not so. (Cassandra: 3 h, 1 MiB/s, a round every 10 s; Dynamo, "
        "section 4.6.)",
    .params = params(),
    .promises = {},
    .refuses = &refuses,
    .make = &make,
    .exclusive = false,
});

}  // namespace

}  // namespace rejoin
