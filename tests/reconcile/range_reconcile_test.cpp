#include "protocols/reconcile/range_reconcile.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <functional>

#include "tests/reconcile/contents.hpp"

namespace rejoin::reconcile::test {
namespace {

using Outcome = RangeExchange::Outcome;

OrderedItems ordered(const Contents& contents) {
  OrderedItems out;
  for (const auto& [key, print] : contents) out.put(key, print);
  return out;
}

struct Conversation {
  Conversation(const OrderedItems& a, const OrderedItems& b, const RangeOptions& with)
      : here(a), there(b), exchange(77, with) {
    send(exchange.start(here));
  }
  void send(const std::vector<RangeRequest>& requests) {
    for (const RangeRequest& request : requests) waiting.push_back(over_the_wire(request));
  }
  RangeAnswer take(std::size_t n) {
    const auto out = answer(there, waiting.at(n));
    REQUIRE(out.has_value());
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(n));
    return over_the_wire(*out);
  }
  void hear(const RangeAnswer& one) {
    const auto next = exchange.on_answer(here, one);
    REQUIRE(next.has_value());
    send(*next);
  }
  void run() {
    while (!waiting.empty()) hear(take(0));
  }

  const OrderedItems& here;
  const OrderedItems& there;
  RangeExchange exchange;
  std::vector<RangeRequest> waiting;
};

RangeOptions any_options() {
  const std::uint32_t buckets = *rc::gen::element(2U, 3U, 16U);
  return {.buckets = buckets,
          .list_threshold = buckets + *rc::gen::element(0U, 1U, 16U),
          .batch_ranges = *rc::gen::element(1U, 3U, 1024U)};
}

}  // namespace

TEST_CASE("ordered items sum, count and list any range as a scan does") {
  CHECK(rc::check([] {
    OrderedItems items;
    Contents contents;
    for (const Key& key : *rc::gen::container<std::vector<Key>>(any_key())) {
      const int n = *rc::gen::inRange(0, 4);
      if (n == 3) {
        contents.erase(key);
        items.erase(key);
      } else {
        contents[key] = print_of(static_cast<unsigned>(n));
        items.put(key, contents[key]);
      }
    }
    KeyRange range;
    if (*rc::gen::arbitrary<bool>()) range.after = *any_key();
    if (*rc::gen::arbitrary<bool>()) range.last = *any_key();
    if (!range.ordered()) std::swap(range.after, range.last);
    std::vector<Item> inside;
    OrderedItems::Sum sum;
    std::uint64_t rank = 0;
    for (const auto& [key, print] : contents) {
      if (range.after && key <= *range.after) ++rank;
      if (!range.contains(key)) continue;
      inside.push_back({key, print});
      sum.digest.add(item_hash(hash128(as_bytes(key)), print, 0));
      ++sum.items;
    }
    RC_ASSERT(items.size() == contents.size());
    RC_ASSERT(items.sum(range) == sum);
    RC_ASSERT(items.rank(range) == rank);
    RC_ASSERT(items.first(range, SIZE_MAX) == inside);
    const std::size_t some = inside.size() / 2;
    RC_ASSERT(items.first(range, some).size() == some);
    for (std::size_t n = 0; n < inside.size(); ++n) {
      RC_ASSERT(items.key_at(rank + n) == inside[n].key);
    }
  }));
}

TEST_CASE("a range exchange names exactly the keys that differ") {
  CHECK(rc::check([] {
    const Contents here = *any_contents();
    const Contents there = *rc::gen::arbitrary<bool>() ? nearly(here) : *any_contents();
    const OrderedItems mine = ordered(here);
    const OrderedItems theirs = ordered(there);
    Conversation talk(mine, theirs, any_options());
    while (!talk.waiting.empty()) talk.hear(talk.take(any_below(talk.waiting.size())));
    RC_ASSERT(talk.exchange.outcome() == Outcome::done);
    RC_ASSERT(talk.exchange.rounds() < 10U);
    RC_ASSERT(talk.exchange.result() == true_differences(here, there));
    Contents repaired = here;
    apply(talk.exchange.result(), repaired, there);
    RC_ASSERT(repaired == there);
  }));
}

TEST_CASE("while both sides are written to, a range exchange names what differed all along") {
  CHECK(rc::check([] {
    const Contents here = *any_contents();
    OrderedItems mine = ordered(here);
    OrderedItems theirs = ordered(nearly(here));
    mine.put("kept-here", print_of(1));
    theirs.put("kept-there", print_of(1));
    mine.put("kept-both", print_of(1));
    theirs.put("kept-both", print_of(2));
    Conversation talk(mine, theirs, any_options());
    while (!talk.waiting.empty()) {
      for (OrderedItems* side : {&mine, &theirs}) {
        const Key key = *any_key();
        if (*rc::gen::arbitrary<bool>()) {
          side->put(key, print_of(static_cast<unsigned>(*rc::gen::inRange(0, 3))));
        } else {
          side->erase(key);
        }
      }
      talk.hear(talk.take(any_below(talk.waiting.size())));
    }
    RC_ASSERT(talk.exchange.outcome() == Outcome::done);
    for (const char* key : {"kept-here", "kept-there", "kept-both"}) {
      RC_ASSERT(contains(talk.exchange.result(), key));
    }
  }));
}

TEST_CASE("equal replicas compare one sum; one difference in 20,000 takes few rounds and items") {
  const OrderedItems mine = ordered(many(20'000));
  Conversation same(mine, mine, {});
  same.run();
  CHECK(same.exchange.rounds() == 1);
  CHECK(same.exchange.result().empty());
  OrderedItems theirs = ordered(many(20'000));
  theirs.put(key_of(777), print_of(9));
  Conversation talk(mine, theirs, {});
  std::size_t items = 0;
  while (!talk.waiting.empty()) {
    items += talk.waiting[0].items.size();
    const RangeAnswer one = talk.take(0);
    items += one.items.size();
    talk.hear(one);
  }
  CHECK(talk.exchange.rounds() <= 4);
  CHECK(items <= 64);
  CHECK(talk.exchange.result() == Differences{{}, {}, {key_of(777)}});
}

TEST_CASE("an empty side, either, hears or tells of all keys") {
  const Contents full = many(40'000);  // more than a list may have
  const OrderedItems filled = ordered(full);
  const OrderedItems empty;
  Conversation from_empty(empty, filled, {});
  from_empty.run();
  CHECK(from_empty.exchange.result() == true_differences({}, full));
  Conversation from_full(filled, empty, {});
  from_full.run();
  CHECK(from_full.exchange.rounds() == 1);
  CHECK(from_full.exchange.result() == true_differences(full, {}));
}

TEST_CASE("ranges that do not fit are refused with the reason") {
  const OrderedItems side = ordered(many(100));
  RangeRequest good{.exchange = 1,
                    .number = 1,
                    .buckets = 16,
                    .list_threshold = 32,
                    .ranges = {{"a", "c"}, {"c", "m"}},
                    .forms = {2, 0},
                    .sums = Bytes(16),
                    .items = {}};
  good.items.push_back({"b", print_of(1)});
  const auto refusal = [&](const std::function<void(RangeRequest&)>& spoil) {
    RangeRequest bad = good;
    spoil(bad);
    const auto out = answer(side, bad);
    return out ? std::nullopt : std::optional(out.error());
  };
  CHECK_FALSE(refusal([](auto&) {}));
  CHECK(refusal([](auto& r) { r.buckets = 1; }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& r) { r.list_threshold = 15; }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& r) { r.ranges[1].after = "b"; }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& r) { r.ranges[0].last.reset(); }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& r) { r.ranges[1].last = "c"; }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& r) { r.forms.pop_back(); }) == Refusal::bad_counts);
  CHECK(refusal([](auto& r) { r.sums.clear(); }) == Refusal::bad_counts);
  CHECK(refusal([](auto& r) { r.forms[0] = 99; }) == Refusal::bad_counts);
  CHECK(refusal([](auto& r) { r.forms[0] = 1; }) == Refusal::bad_counts);
  CHECK(refusal([](auto& r) { r.forms[0] = 3; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& r) { r.items.keys[0] = "d"; }) == Refusal::bad_keys);
}

TEST_CASE("an answer that does not divide all of a range is refused") {
  const OrderedItems mine = ordered(many(200));
  OrderedItems theirs = ordered(many(200));
  theirs.put("key-0", print_of(77));
  Conversation talk(mine, theirs, {});
  const RangeAnswer good = talk.take(0);
  REQUIRE(good.forms.at(0) == RangeForm::divided);
  const auto refusal = [&](const std::function<void(RangeAnswer&)>& spoil) {
    RangeAnswer bad = good;
    spoil(bad);
    const auto next = talk.exchange.on_answer(mine, bad);
    return next ? std::nullopt : std::optional(next.error());
  };
  CHECK(refusal([](auto& a) { a.number = 9; }) == Refusal::not_asked);
  CHECK(refusal([](auto& a) { a.counts[0] = 15; }) == Refusal::bad_counts);
  CHECK(refusal([](auto& a) { a.counts[0] = 17; }) == Refusal::bad_counts);
  CHECK(refusal([](auto& a) { a.counts.clear(); }) == Refusal::bad_counts);
  CHECK(refusal([](auto& a) { a.forms[0] = RangeForm::equal; }) == Refusal::bad_counts);
  CHECK(refusal([](auto& a) { a.forms[0] = RangeForm(9); }) == Refusal::bad_counts);
  CHECK(refusal([](auto& a) { a.bounds[3] = a.bounds[4]; }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& a) { a.bounds.pop_back(); }) == Refusal::bad_counts);
  CHECK(refusal([](auto& a) { a.sums.pop_back(); }) == Refusal::bad_counts);
  CHECK(refusal([](auto& a) { a.items.push_back({"b", print_of(1)}); }) == Refusal::bad_counts);
  talk.hear(good);
  while (talk.waiting.at(0).forms.at(0) == 0) talk.hear(talk.take(0));
  const RangeAnswer list = talk.take(0);
  REQUIRE(list.forms.at(0) == RangeForm::list);
  RangeAnswer bad = list;
  bad.forms[0] = RangeForm::equal;  // but items are answered by items
  bad.counts.clear();
  bad.items = {};
  CHECK(talk.exchange.on_answer(mine, bad).error() == Refusal::bad_counts);
  talk.hear(list);
  talk.run();
  CHECK(talk.exchange.result() == Differences{{}, {}, {"key-0"}});
}

TEST_CASE("damaged ranges are refused and change nothing, or are harmless") {
  CHECK(rc::check([] {
    const Contents here = *any_contents();
    const Contents there = nearly(here);
    const OrderedItems mine = ordered(here);
    const OrderedItems theirs = ordered(there);
    Conversation talk(mine, theirs, any_options());
    bool deceived = false;
    std::size_t steps = 0;
    while (!talk.waiting.empty()) {
      RC_ASSERT(++steps < 10'000U);
      if (const auto bad = decode<RangeRequest>(damaged(encode(talk.waiting.front())))) {
        static_cast<void>(answer(theirs, *bad));
      }
      const RangeAnswer good = talk.take(0);
      const auto bad = decode<RangeAnswer>(damaged(encode(good)));
      if (bad && encode(*bad) != encode(good)) {
        if (const auto next = talk.exchange.on_answer(mine, *bad)) {
          deceived = true;
          talk.send(*next);
        }
      }
      const auto next = talk.exchange.on_answer(mine, good);
      RC_ASSERT(next.has_value() || deceived);
      if (next) talk.send(*next);
    }
    RC_ASSERT(talk.exchange.outcome() != Outcome::running || deceived);
    if (!deceived) RC_ASSERT(talk.exchange.result() == true_differences(here, there));
  }));
}

}  // namespace rejoin::reconcile::test
