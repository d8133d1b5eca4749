#include "sim/kernel/link_set.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <vector>

namespace rejoin::sim {
namespace {

std::vector<Address> hosts_up_to(std::uint32_t last) {
  std::vector<Address> out;
  for (std::uint32_t n = 1; n <= last; ++n) out.emplace_back(n);
  return out;
}

TEST_CASE("each kind of set holds its links, and no host's link to itself") {
  const Address a(1);
  const Address b(2);
  const Address c(3);
  const Address d(4);
  CHECK(LinkSet::all().contains(a, b));
  CHECK_FALSE(LinkSet::all().contains(a, a));
  CHECK(LinkSet::pairs({{a, b}}).contains(a, b));
  CHECK_FALSE(LinkSet::pairs({{a, b}}).contains(b, a));
  CHECK_FALSE(LinkSet::pairs({{a, a}}).contains(a, a));
  const LinkSet split = LinkSet::between({{a, b}, {c}});
  CHECK(split.contains(a, c));
  CHECK(split.contains(c, b));
  CHECK_FALSE(split.contains(a, b));
  CHECK_FALSE(split.contains(a, d));
  const LinkSet one_way = LinkSet::from_to({a, b}, {b, c});
  CHECK(one_way.contains(a, b));
  CHECK(one_way.contains(b, c));
  CHECK_FALSE(one_way.contains(c, b));
  CHECK_FALSE(one_way.contains(b, b));
  const LinkSet around = LinkSet::touching({b});
  CHECK(around.contains(b, d));
  CHECK(around.contains(d, b));
  CHECK_FALSE(around.contains(a, d));
}

TEST_CASE("who is beside a host has its links, and none to it or himself") {
  const Address a(1);
  const Address b(2);
  const Address c(3);
  const Address n(9);
  const std::vector<LinkSet> sets = {LinkSet::all(), LinkSet::pairs({{a, b}, {b, a}, {c, a}}),
                                     LinkSet::between({{a}, {b, c}}), LinkSet::from_to({a}, {b, c}),
                                     LinkSet::touching({a})};
  for (LinkSet set : sets) {
    const LinkSet before = set;
    set.adopt(n, a);
    for (const Address other : {b, c}) {
      CHECK(set.contains(n, other) == before.contains(a, other));
      CHECK(set.contains(other, n) == before.contains(other, a));
      CHECK(set.contains(a, other) == before.contains(a, other));
    }
    CHECK_FALSE(set.contains(n, n));
    // Who leaves for another place leaves his links.
    set.adopt(n, b);
    CHECK(set.contains(n, c) == before.contains(b, c));
  }
}

rc::Gen<std::vector<Address>> some_hosts() {
  return rc::gen::container<std::vector<Address>>(
      rc::gen::map(rc::gen::inRange(1U, 14U), [](std::uint32_t n) { return Address(n); }));
}

LinkSet any_set() {
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      return LinkSet::all();
    case 1: {
      std::vector<std::pair<Address, Address>> pairs;
      for (int n = *rc::gen::inRange(0, 8); n > 0; --n) {
        pairs.emplace_back(*rc::gen::inRange(1U, 14U), *rc::gen::inRange(1U, 14U));
      }
      return LinkSet::pairs(pairs);
    }
    case 2:
      return LinkSet::between({*some_hosts(), *some_hosts(), *some_hosts()});
    case 3:
      return LinkSet::from_to(*some_hosts(), *some_hosts());
    default:
      return LinkSet::touching(*some_hosts());
  }
}

TEST_CASE("the count of links of several sets is that of trying every pair") {
  CHECK(rc::check([] {
    const std::vector<Address> hosts = hosts_up_to(10);  // sets name others, too
    std::vector<LinkSet> sets;
    for (int n = *rc::gen::inRange(1, 4); n > 0; --n) sets.push_back(any_set());
    std::vector<const LinkSet*> pointers;
    for (const LinkSet& set : sets) pointers.push_back(&set);
    std::uint64_t tried = 0;
    for (const Address from : hosts) {
      for (const Address to : hosts) {
        tried += std::any_of(sets.begin(), sets.end(),
                             [&](const LinkSet& set) { return set.contains(from, to); })
                     ? 1U
                     : 0U;
      }
    }
    RC_ASSERT(count_links(pointers, hosts) == tried);
  }));
}

TEST_CASE("ten thousand hosts are counted by classes, not by pairs") {
  const std::vector<Address> hosts = hosts_up_to(10'000);
  const std::vector<Address> third(hosts.begin(), hosts.begin() + 3'000);
  const std::vector<Address> rest(hosts.begin() + 3'000, hosts.end());
  const LinkSet split = LinkSet::between({third, rest});
  const LinkSet around = LinkSet::touching({Address(5)});
  for (int n = 0; n < 20; ++n) CHECK(count_links({&split}, hosts) == 42'000'000);
  // Host 5 is of the third: its links to the rest are counted already.
  CHECK(count_links({&split, &around}, hosts) == 42'000'000 + 2 * 2'999);
}

}  // namespace
}  // namespace rejoin::sim
