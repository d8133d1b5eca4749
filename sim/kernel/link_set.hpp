// Which directed links an effect is on.
//
// Invariants:
// 1. Nobody is linked to himself.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "model/ids.hpp"

namespace rejoin::sim {

class LinkSet {
 public:
  [[nodiscard]] static LinkSet all();
  [[nodiscard]] static LinkSet pairs(std::vector<std::pair<Address, Address>> directed);
  // Between hosts of different groups, both ways; a host in no group is on none of them, and one
  // in several counts for the first.
  [[nodiscard]] static LinkSet between(std::vector<std::vector<Address>> groups);
  [[nodiscard]] static LinkSet from_to(std::vector<Address> from, std::vector<Address> to);
  [[nodiscard]] static LinkSet touching(std::vector<Address> hosts);  // to and from them

  // A host that is beside another one has the links that this one has.
  void adopt(Address host, Address beside);

  [[nodiscard]] bool contains(Address from, Address to) const;

 private:
  friend class LinkCounter;
  enum class Kind : std::uint8_t { all, pairs, between, from_to, touching };
  using Groups = std::vector<std::pair<Address, std::uint32_t>>;  // sorted; 1 + the group of each

  // What of a host matters here: its groups as sender and as receiver; 0: none.
  struct Side {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
  };
  [[nodiscard]] Side side(Address host) const;
  // Of two hosts on these sides, unless the set is of pairs.
  [[nodiscard]] bool joins(Side from, Side to) const;
  [[nodiscard]] static Groups grouped(const std::vector<std::vector<Address>>& groups);

  Kind kind_ = Kind::all;
  std::vector<std::pair<Address, Address>> pairs_;  // sorted, distinct
  Groups from_, to_;
};

// How many directed links between these hosts (ascending, distinct) at least one of the sets
// holds. Hosts that no set tells apart are counted as one class: cheap for 10^4 of them.
[[nodiscard]] std::uint64_t count_links(const std::vector<const LinkSet*>& sets,
                                        const std::vector<Address>& hosts);

}  // namespace rejoin::sim
