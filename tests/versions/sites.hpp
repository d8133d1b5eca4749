// A few replicas of one key that take clients' writes and merge with each other, in any order: what
// they hold are the records that can come about.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/versions/merge.hpp"

namespace rejoin {

inline StoreOptions with(VersionScheme scheme, std::string conflict = "natural") {
  StoreOptions out;
  out.versions = scheme;
  out.conflict = std::move(conflict);
  return out;
}

inline std::vector<std::string> values_of(const Record& record) {
  std::vector<std::string> out;
  for (const Sibling& each : siblings_of(record)) {
    out.push_back(each.deleted ? "(deleted)" : each.value);
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Sites {
 public:
  explicit Sites(StoreOptions options, std::size_t count = 3) : rules_(options), records_(count) {}

  [[nodiscard]] const VersionRules& rules() const { return rules_; }
  [[nodiscard]] const std::optional<Record>& at(std::size_t site) const { return records_[site]; }
  [[nodiscard]] std::vector<std::string> values(std::size_t site) const {
    return records_[site] ? values_of(*records_[site]) : std::vector<std::string>{};
  }
  // What a reader there is told.
  [[nodiscard]] std::vector<std::string> read(std::size_t site) const {
    std::vector<std::string> out;
    if (!records_[site]) return out;
    for (const Sibling& each : shown(rules_, *records_[site])) {
      out.push_back(each.deleted ? "(deleted)" : each.value);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  [[nodiscard]] VersionVector context(std::size_t site) const {
    const auto& record = records_[site];
    return record && record->causality ? record->causality->clock : VersionVector{};
  }

  // A client writes at a site, after having read `context`. The clock of the site is off by `skew`.
  void write(std::size_t site, const std::string& value, const VersionVector& context = {},
             Duration skew = {}, bool deleted = false) {
    ++writes_;
    last_ = {.value = value, .deleted = deleted, .context = context};
    take(site, skew);
  }
  // The last write again, at another site perhaps: its client had no answer.
  void retry(std::size_t site, Duration skew = {}) {
    if (writes_ > 0) take(site, skew + Duration(1));
  }
  // `to` takes what `from` holds.
  std::vector<Loss> send(std::size_t from, std::size_t to) {
    if (!records_[from]) return {};
    Merged merged = merge(rules_, records_[to] ? &*records_[to] : nullptr, *records_[from]);
    records_[to] = std::move(merged.record);
    return merged.lost;
  }

 private:
  void take(std::size_t site, Duration skew) {
    const auto node = NodeId(static_cast<std::uint32_t>(site + 1));
    const Record* const mine = records_[site] ? &*records_[site] : nullptr;
    const RequestId origin{.client = ClientId(1), .n = writes_};
    const Version version{.timestamp = WallTime(Duration(writes_) + skew), .writer = node};
    if (tracks_causality(rules_.scheme)) {
      records_[site] = update(rules_, "k", mine,
                              {.value = last_.value,
                               .deleted = last_.deleted,
                               .version = version,
                               .origin = origin,
                               .context = last_.context},
                              actor_of(node, 1))
                           .record;
      return;
    }
    const Record record{.key = "k",
                        .value = last_.value,
                        .deleted = last_.deleted,
                        .version = version,
                        .origin = origin,
                        .causality = nullptr};
    records_[site] = merge(rules_, mine, record).record;
  }

  struct Write {
    std::string value;
    bool deleted = false;
    VersionVector context;
  };

  VersionRules rules_;
  std::vector<std::optional<Record>> records_;
  std::uint64_t writes_ = 0;
  Write last_;
};

}  // namespace rejoin
