#include "sim/kernel/link_set.hpp"

#include <algorithm>
#include <map>

#include "model/check.hpp"

namespace rejoin::sim {
namespace {

[[nodiscard]] std::uint32_t group_of(const std::vector<std::pair<Address, std::uint32_t>>& groups,
                                     Address host) {
  const auto at =
      std::lower_bound(groups.begin(), groups.end(), host,
                       [](const auto& item, Address wanted) { return item.first < wanted; });
  return at == groups.end() || at->first != host ? 0 : at->second;
}

}  // namespace

LinkSet::Groups LinkSet::grouped(const std::vector<std::vector<Address>>& groups) {
  Groups out;
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    for (const Address host : groups[g]) out.emplace_back(host, g + 1);
  }
  std::stable_sort(out.begin(), out.end());
  const auto same_host = [](const auto& a, const auto& b) { return a.first == b.first; };
  out.erase(std::unique(out.begin(), out.end(), same_host), out.end());
  return out;
}

LinkSet LinkSet::all() {
  return {};
}
LinkSet LinkSet::pairs(std::vector<std::pair<Address, Address>> directed) {
  LinkSet out;
  out.kind_ = Kind::pairs;
  out.pairs_ = std::move(directed);
  std::stable_sort(out.pairs_.begin(), out.pairs_.end());
  out.pairs_.erase(std::unique(out.pairs_.begin(), out.pairs_.end()), out.pairs_.end());
  return out;
}
LinkSet LinkSet::between(std::vector<std::vector<Address>> groups) {
  LinkSet out;
  out.kind_ = Kind::between;
  out.from_ = grouped(groups);
  return out;
}
LinkSet LinkSet::from_to(std::vector<Address> from, std::vector<Address> to) {
  LinkSet out;
  out.kind_ = Kind::from_to;
  out.from_ = grouped({std::move(from)});
  out.to_ = grouped({std::move(to)});
  return out;
}
LinkSet LinkSet::touching(std::vector<Address> hosts) {
  LinkSet out;
  out.kind_ = Kind::touching;
  out.from_ = grouped({std::move(hosts)});
  return out;
}

void LinkSet::adopt(Address host, Address beside) {
  for (Groups* groups : {&from_, &to_}) {
    const std::uint32_t group = group_of(*groups, beside);
    std::erase_if(*groups, [host](const auto& item) { return item.first == host; });
    if (group == 0) continue;
    groups->emplace_back(host, group);
    std::stable_sort(groups->begin(), groups->end());
  }
  std::erase_if(pairs_,
                [host](const auto& pair) { return pair.first == host || pair.second == host; });
  std::vector<std::pair<Address, Address>> more;
  for (const auto& [from, to] : pairs_) {
    if (from == beside) more.emplace_back(host, to);
    if (to == beside) more.emplace_back(from, host);
  }
  if (more.empty()) return;
  pairs_.insert(pairs_.end(), more.begin(), more.end());
  std::stable_sort(pairs_.begin(), pairs_.end());
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
}

LinkSet::Side LinkSet::side(Address host) const {
  return {.from = group_of(from_, host), .to = group_of(to_, host)};
}

bool LinkSet::joins(Side from, Side to) const {
  switch (kind_) {
    case Kind::all:
      return true;
    case Kind::pairs:
      return false;
    case Kind::between:
      return from.from != 0 && to.from != 0 && from.from != to.from;
    case Kind::from_to:
      return from.from != 0 && to.to != 0;
    case Kind::touching:
      return from.from != 0 || to.from != 0;
  }
  CHECK_THAT(false);
}

bool LinkSet::contains(Address from, Address to) const {
  if (from == to) return false;
  if (kind_ == Kind::all) return true;
  if (kind_ == Kind::pairs) {
    return std::binary_search(pairs_.begin(), pairs_.end(), std::pair(from, to));
  }
  return joins(side(from), side(to));
}

// ---- Counting ------------------------------------------------------------------------------

class LinkCounter {
 public:
  LinkCounter(const std::vector<const LinkSet*>& sets, const std::vector<Address>& hosts)
      : sets_(sets), hosts_(hosts) {
    std::map<std::vector<std::uint32_t>, std::size_t> known;
    std::vector<std::uint32_t> sides;
    for (const Address host : hosts) {
      sides.clear();
      for (const LinkSet* set : sets) {
        sides.push_back(set->side(host).from);
        sides.push_back(set->side(host).to);
      }
      const auto [at, is_new] = known.emplace(sides, classes_.size());
      if (is_new) classes_.push_back({.one = host, .size = 0});
      ++classes_[at->second].size;
    }
  }

  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t links = 0;
    for (const Class& from : classes_) {
      for (const Class& to : classes_) {
        if (!joined(from.one, to.one)) continue;
        links += from.size * (&from == &to ? to.size - 1 : to.size);
      }
    }
    return links + count_pairs();
  }

 private:
  struct Class {
    Address one;  // stands for all of them
    std::uint64_t size;
  };

  [[nodiscard]] bool joined(Address from, Address to) const {
    return std::any_of(sets_.begin(), sets_.end(), [&](const LinkSet* set) {
      return set->joins(set->side(from), set->side(to));
    });
  }
  [[nodiscard]] bool is_known(Address host) const {
    return std::binary_search(hosts_.begin(), hosts_.end(), host);
  }
  // Those that are in no set of another kind.
  [[nodiscard]] std::uint64_t count_pairs() const {
    std::vector<std::pair<Address, Address>> pairs;
    for (const LinkSet* set : sets_) {
      for (const auto& [from, to] : set->pairs_) {
        if (from == to || !is_known(from) || !is_known(to) || joined(from, to)) continue;
        pairs.emplace_back(from, to);
      }
    }
    std::stable_sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    return pairs.size();
  }

  const std::vector<const LinkSet*>& sets_;
  const std::vector<Address>& hosts_;
  std::vector<Class> classes_;
};

std::uint64_t count_links(const std::vector<const LinkSet*>& sets,
                          const std::vector<Address>& hosts) {
  return LinkCounter(sets, hosts).count();
}

}  // namespace rejoin::sim
