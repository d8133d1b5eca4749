#include "protocols/sync/promises.hpp"

#include <algorithm>

#include "model/check.hpp"
#include "protocols/versions/conflict.hpp"

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

// Of concurrent values; so that nobody compares them.
bool shows_all(const StoreOptions& store) {
  // That of versions that track causality.
  if (store.conflict == "natural") return tracks_causality(store.versions);
  const ConflictSpec* const rule = Conflicts::find(store.conflict);
  return rule != nullptr && rule->choose == nullptr;
}

std::uint32_t replicas_written(const Terms& terms) {
  return replicas_needed(terms.client.write, terms.node.partitioning.replication);
}

// Whose condition it is, the shorter way: `for A`, `except for B`. Empty: that of all.
std::string whose_text(const MechanismSpec& spec, const Condition& condition) {
  if (condition.promises.empty()) return {};
  std::string named;
  std::string others;
  std::ptrdiff_t balance = 0;
  for (const std::string_view promise : spec.promises) {
    const bool its = contains(condition.promises, promise);
    std::string& list = its ? named : others;
    list += (list.empty() ? "" : " and ") + std::string(promise);
    balance += its ? 1 : -1;
  }
  if (others.empty()) return {};
  return balance > 0 ? "except for " + others : "for " + named;
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
  std::string whose_before;
  for (const Condition& each : spec.conditions) {
    // What takes the same stands together.
    const std::string whose = whose_text(spec, each);
    if (!out.empty()) out += "; ";
    if (whose != whose_before) out += whose.empty() ? "for all of them: " : whose + ": ";
    out += each.says;
    whose_before = whose;
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
          .says = "clocks that agree, where versions or the conflict rule compare them",
          .met = [](const Terms& terms, const Params& /*params*/) {
            const StoreOptions& store = terms.node.store;
            const bool compares = !tracks_causality(store.versions) || !shows_all(store);
            return terms.clocks_agree || !compares;
          }};
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
              "at any time a majority of the replicas that have kept their disks, or were "
              "repaired since, and can be reached",
          .met = nullptr,
          .promises = about_places()};
}

// Who missed the delete and returns with the value finds nothing that is newer. What outlives every
// absence is kept for good, or until every owner is known to hold it. Two outlive even that, as the
// rules ask owners alone: hints, and what a former owner still has when it is one again.
Condition tombstones() {
  return {.name = "tombstones",
          .says =
              "tombstones that outlive every absence: rule keep, or after-repair or all-ack "
              "without hinted-handoff and with no more nodes than copies",
          .met =
              [](const Terms& terms, const Params& /*params*/) {
                const auto& chosen = terms.node.sync.mechanisms;
                const bool hints = std::any_of(chosen.begin(), chosen.end(), [](const auto& each) {
                  return each.name == "hinted-handoff";
                });
                switch (terms.node.store.tombstones) {
                  case TombstoneRule::keep:
                    return true;
                  case TombstoneRule::after_repair:
                  case TombstoneRule::all_ack:
                    return !hints && !terms.owners_change;
                  case TombstoneRule::none:
                  case TombstoneRule::grace:
                    return false;
                }
                return false;
              },
          .promises = about_places()};
}

// Else its gate opens at once, and who was away serves what it had.
Condition on_return() {
  return {.name = "on-return",
          .says = "on-return: true",
          .met = [](const Terms& /*terms*/,
                    const Params& params) { return params.get<bool>("on_return"); },
          .promises = about_places()};
}

// Values whose writers had not read one another are concurrent by versions that track causality,
// even if one was acknowledged before the other was written.
Condition latest_shown() {
  return {.name = "latest-shown",
          .says = "of concurrent values all or the latest are shown: no conflict rule like longest",
          .met =
              [](const Terms& terms, const Params& /*params*/) {
                const StoreOptions& store = terms.node.store;
                return shows_all(store) || store.conflict == "natural" || store.conflict == "lww";
              },
          .promises = {"no-stale-read-after-repair"}};
}

}  // namespace condition

}  // namespace rejoin
