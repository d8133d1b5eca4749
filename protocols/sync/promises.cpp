#include "protocols/sync/promises.hpp"

#include <algorithm>

#include "model/check.hpp"

namespace rejoin {

namespace {

// What is about where data is, and not about how two versions merge. Mechanisms are registered
// before main begins: nothing here may be a static that has to be made first.
std::vector<std::string_view> about_places() {
  return {"acknowledged-writes-survive", "no-stale-read-after-repair"};
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::uint32_t replicas_written(const Terms& terms) {
  return replicas_needed(terms.client.write, terms.node.partitioning.replication);
}

}  // namespace

std::vector<const Condition*> conditions_of(const MechanismSpec& spec, std::string_view promise) {
  CHECK_THAT(contains(spec.promises, promise));
  std::vector<const Condition*> out;
  for (const Condition& each : spec.conditions) {
    if (each.promises.empty() || contains(each.promises, promise)) out.push_back(&each);
  }
  return out;
}

std::vector<const Condition*> unmet_conditions(const MechanismSpec& spec, std::string_view promise,
                                               const Terms& terms, const Params& params) {
  std::vector<const Condition*> out = conditions_of(spec, promise);
  std::erase_if(
      out, [&](const Condition* each) { return each->met == nullptr || each->met(terms, params); });
  return out;
}

bool promises(const MechanismSpec& spec, std::string_view promise, const Terms& terms,
              const Params& params) {
  return contains(spec.promises, promise) && unmet_conditions(spec, promise, terms, params).empty();
}

std::string conditions_text(const MechanismSpec& spec) {
  std::string out;
  for (const Condition& each : spec.conditions) {
    if (!out.empty()) out += "; ";
    out += each.says;
    if (each.promises.empty()) continue;
    // Shorter by what it is not needed for.
    std::string others;
    for (const std::string_view promise : spec.promises) {
      if (contains(each.promises, promise)) continue;
      others += (others.empty() ? " (not for " : ", ") + std::string(promise);
    }
    if (!others.empty()) out += others + ")";
  }
  return out;
}

namespace condition {

// Without them whatever comes last stays.
Condition versions() {
  return {
      .name = "versions", .says = "with versions", .met = [](const Terms& terms, const Params&) {
        return terms.node.store.versions != VersionScheme::none;
      }};
}

// A write that is coordinated by a clock that is behind is older than it should be, and is lost to
// the older one: no majority, repair or consensus about data sees that.
Condition agreeing_clocks() {
  return {.name = "agreeing-clocks",
          .says = "clocks that agree",
          .met = [](const Terms& terms, const Params&) { return terms.clocks_agree; }};
}

// In a sloppy one, who was acknowledged by need be no owner.
Condition strict_quorums() {
  return {.name = "strict-quorums",
          .says = "no sloppy quorums",
          .met = [](const Terms& terms, const Params&) { return !terms.node.coordinator.sloppy; },
          .promises = about_places()};
}

Condition quorum_writes() {
  return {.name = "quorum-writes",
          .says = "every write at level quorum or all",
          .met =
              [](const Terms& terms, const Params&) {
                return replicas_written(terms) >= terms.node.partitioning.replication / 2 + 1;
              },
          .promises = about_places()};
}

// Writes that every owner holds are at any repaired source, those that a majority holds are among
// what a majority answers.
Condition covering_sources() {
  return {.name = "covering-sources",
          .says = "source quorum or all, unless every write is at level all",
          .met =
              [](const Terms& terms, const Params& params) {
                const std::string& source = params.get<std::string>("source");
                return source == "quorum" || source == "all" ||
                       replicas_written(terms) >= terms.node.partitioning.replication;
              },
          .promises = about_places()};
}

// Who has lost its disk counts as away until it is repaired.
Condition majority() {
  return {.name = "majority",
          .says =
              "at any time a majority of the replicas that has kept its disks, or was repaired "
              "since, and can be reached",
          .met = nullptr,
          .promises = about_places()};
}

}  // namespace condition

}  // namespace rejoin
