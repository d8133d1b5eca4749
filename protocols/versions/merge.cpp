#include "protocols/versions/merge.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "model/check.hpp"
#include "model/mutant.hpp"

namespace rejoin {

namespace {

using Siblings = std::vector<Sibling>;

// The newest first: it is the one that a record shows as its own.
bool comes_before(const Sibling& a, const Sibling& b) {
  if (a.version != b.version) return a.version > b.version;
  if (a.origin != b.origin) return a.origin < b.origin;
  return a.dot < b.dot;
}

bool holds(std::span<const Sibling> siblings, RequestId origin) {
  return std::any_of(siblings.begin(), siblings.end(),
                     [origin](const Sibling& each) { return each.origin == origin; });
}

// A write that its client tried again at another replica was made twice, with a dot and a version
// of each: one of them stays, the same whoever merges. No ties: then no two have one origin.
void put_in_order(Siblings& siblings) {
  std::stable_sort(siblings.begin(), siblings.end(), comes_before);
  Siblings out;
  for (Sibling& each : siblings) {
    if (!holds(out, each.origin)) out.push_back(std::move(each));
  }
  siblings = std::move(out);
}

const VersionVector& clock_of(const Record& record) {
  static const VersionVector kNone;
  return record.causality == nullptr ? kNone : record.causality->clock;
}

const Sibling* find_dot(const Siblings& siblings, const Dot& dot) {
  const auto at = std::find_if(siblings.begin(), siblings.end(),
                               [&dot](const Sibling& each) { return each.dot == dot; });
  return at == siblings.end() ? nullptr : &*at;
}

// Whom the resolver leaves in the shade, and the one it shows; none when it shows all.
std::vector<Loss> hidden(const VersionRules& rules, const Siblings& siblings) {
  std::vector<Loss> out;
  if (rules.conflict->choose == nullptr || siblings.size() < 2) return out;
  const std::size_t chosen = rules.conflict->choose(siblings);
  CHECK_THAT(chosen < siblings.size());
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    if (i != chosen) out.push_back({siblings[i].origin, siblings[chosen].origin});
  }
  return out;
}

// Those that were not lost before.
std::vector<Loss> newly_hidden(const VersionRules& rules, const Record* mine,
                               const Siblings& siblings) {
  std::vector<Loss> out = hidden(rules, siblings);
  if (mine == nullptr || out.empty()) return out;
  const std::vector<Loss> before = hidden(rules, siblings_of(*mine));
  std::erase_if(out, [&before](const Loss& each) {
    return std::any_of(before.begin(), before.end(),
                       [&each](const Loss& known) { return known.lost == each.lost; });
  });
  return out;
}

Record record_of(const Key& key, Siblings siblings, VersionVector clock) {
  CHECK_THAT(!siblings.empty());
  Sibling& first = siblings.front();
  Record record{.key = key,
                .value = std::move(first.value),
                .deleted = first.deleted,
                .version = first.version,
                .origin = first.origin,
                .causality = nullptr};
  Causality causality{.clock = std::move(clock), .dot = first.dot, .others = {}};
  causality.others.assign(std::make_move_iterator(siblings.begin() + 1),
                          std::make_move_iterator(siblings.end()));
  record.causality = std::make_shared<const Causality>(std::move(causality));
  return record;
}

// What neither side has seen replaced. Almeida, Baquero, Goncalves, Preguica, Fonte 2014, "Scalable
// and accurate causality tracking for eventually consistent stores", section 5.
Siblings unreplaced(const Record& mine, const Record& theirs) {
  const Siblings here = siblings_of(mine);
  const Siblings there = siblings_of(theirs);
  Siblings out;
  for (const Sibling& each : here) {
    const bool kept = find_dot(there, each.dot) != nullptr || !clock_of(theirs).covers(each.dot);
    if (kept) out.push_back(each);
  }
  for (const Sibling& each : there) {
    if (find_dot(here, each.dot) == nullptr && !clock_of(mine).covers(each.dot)) {
      out.push_back(each);
    }
  }
  return out;
}

// One vector for all siblings: it tells whether one record replaces the other, and no more.
Siblings newer_side_or_both(const Record& mine, const Record& theirs) {
  const bool here = clock_of(mine).covers(clock_of(theirs));
  const bool there = clock_of(theirs).covers(clock_of(mine));
  if (here && !there) return siblings_of(mine);
  if (there && !here) return siblings_of(theirs);
  Siblings out = siblings_of(mine);
  const Siblings others = siblings_of(theirs);
  out.insert(out.end(), others.begin(), others.end());
  return out;
}

Merged merge_causal(const VersionRules& rules, const Record& mine, const Record& theirs) {
  Siblings siblings = rules.scheme == VersionScheme::dvv ? unreplaced(mine, theirs)
                                                         : newer_side_or_both(mine, theirs);
  VersionVector clock = clock_of(mine);
  clock.merge(clock_of(theirs));
  put_in_order(siblings);
  Merged merged;
  merged.lost = newly_hidden(rules, &mine, siblings);
  merged.record = record_of(mine.key, std::move(siblings), std::move(clock));
  merged.changed = merged.record != mine;
  return merged;
}

// By version; of two with one version, as two have whose writer's clock stood still over a restart,
// by origin: whoever merges keeps the same.
bool is_newer(const Record& a, const Record& b) {
  return a.version != b.version ? a.version > b.version : a.origin > b.origin;
}

// States of a replicated data type: all that either knows. Versions only say which change was last.
Merged merge_states(const VersionRules& rules, const Record& mine, const Record& theirs) {
  Merged merged{.record = mine, .changed = false, .lost = {}};
  if (is_newer(theirs, mine)) {
    merged.record.version = theirs.version;
    merged.record.origin = theirs.origin;
  }
  merged.record.value = rules.conflict->join(mine.value, theirs.value);
  merged.changed = merged.record != mine;
  return merged;
}

}  // namespace

VersionRules::VersionRules(const StoreOptions& options)
    : scheme(options.versions),
      conflict(options.conflict == "natural" ? &natural_conflict(options.versions)
                                             : Conflicts::find(options.conflict)) {
  CHECK_THAT(conflict != nullptr && fits(*conflict, scheme));
}

Merged merge(const VersionRules& rules, const Record* mine, const Record& theirs) {
  if (mine == nullptr) return {.record = theirs, .changed = true, .lost = {}};
  if (rules.conflict->join != nullptr) return merge_states(rules, *mine, theirs);
  if (tracks_causality(rules.scheme)) return merge_causal(rules, *mine, theirs);
  if (orders_totally(rules.scheme)) {
    if (!is_newer(theirs, *mine)) return {.record = *mine, .changed = false, .lost = {}};
    return {.record = theirs, .changed = true, .lost = {}};
  }
  return {.record = theirs, .changed = true, .lost = {}};
}

Merged update(const VersionRules& rules, const Key& key, const Record* mine,
              const CausalWrite& write, const Actor& actor) {
  CHECK_THAT(tracks_causality(rules.scheme));
  Siblings siblings;
  VersionVector clock;
  if (mine != nullptr) {
    siblings = siblings_of(*mine);
    if (holds(siblings, write.origin)) return {.record = *mine, .changed = false, .lost = {}};
    clock = clock_of(*mine);
  }
  if (rules.scheme == VersionScheme::dvv) {
    std::erase_if(siblings, [&](const Sibling& each) {
      return write.context.covers(each.dot) && !MUTANT("versions-sibling-explosion");
    });
  } else if (write.context.covers(clock)) {
    siblings.clear();
  }
  clock.merge(write.context);
  const Dot dot = clock.count(actor);
  siblings.push_back({.value = write.value,
                      .deleted = write.deleted,
                      .version = write.version,
                      .origin = write.origin,
                      .dot = rules.scheme == VersionScheme::dvv ? dot : Dot{}});
  put_in_order(siblings);
  Merged merged{.record = {}, .changed = true, .lost = {}};
  merged.lost = newly_hidden(rules, mine, siblings);
  merged.record = record_of(key, std::move(siblings), std::move(clock));
  return merged;
}

std::vector<RequestId> origins_of(const VersionRules& rules, const Record& record) {
  if (rules.conflict->origins == nullptr) return origins_of(record);
  std::vector<RequestId> out = rules.conflict->origins(record.value);
  std::erase(out, record.origin);
  out.insert(out.begin(), record.origin);
  return out;
}

std::vector<Sibling> shown(const VersionRules& rules, const Record& record) {
  Siblings siblings = siblings_of(record);
  if (rules.conflict->choose == nullptr || siblings.size() < 2) return siblings;
  return {siblings[rules.conflict->choose(siblings)]};
}

bool well_formed(const VersionRules& rules, const Record& record) {
  if (rules.conflict->well_formed != nullptr && !rules.conflict->well_formed(record.value)) {
    return false;
  }
  if (!tracks_causality(rules.scheme)) return record.causality == nullptr;
  if (record.causality == nullptr || !record.causality->clock.well_formed()) return false;
  const Siblings siblings = siblings_of(record);
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    const Dot& dot = siblings[i].dot;
    if ((rules.scheme == VersionScheme::dvv) == dot.is_none()) return false;
    if (!record.causality->clock.covers(dot)) return false;
    if (i == 0) continue;
    const std::span<const Sibling> before(siblings.data(), i);
    if (!comes_before(before.back(), siblings[i]) || holds(before, siblings[i].origin))
      return false;
  }
  return !record.causality->clock.empty();
}

}  // namespace rejoin
