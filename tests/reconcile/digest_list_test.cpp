#include "protocols/reconcile/digest_list.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <functional>
#include <set>

#include "tests/reconcile/contents.hpp"

namespace rejoin::reconcile::test {
namespace {

OrderedReplica replica_of(const Contents& contents) {
  return {[&contents](const KeyRange& range, std::size_t count) {
    std::vector<Item> out;
    auto at = range.after ? contents.upper_bound(*range.after) : contents.begin();
    for (; at != contents.end() && out.size() < count && range.contains(at->first); ++at) {
      out.push_back({at->first, at->second});
    }
    return out;
  }};
}

struct Conversation {
  Conversation(const Contents& a, const Contents& b, const DigestListOptions& with)
      : here(a), there(b), exchange(77, with) {
    send(exchange.start(replica_of(here)));
  }
  void send(const std::vector<DigestListRequest>& requests) {
    for (const DigestListRequest& request : requests) waiting.push_back(over_the_wire(request));
  }
  DigestListAnswer take(std::size_t n) {
    const auto out = answer(replica_of(there), waiting.at(n));
    REQUIRE(out.has_value());
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(n));
    return over_the_wire(*out);
  }
  void hear(const DigestListAnswer& one) {
    const auto next = exchange.on_answer(replica_of(here), one);
    REQUIRE(next.has_value());
    send(*next);
  }
  void run() {
    while (!waiting.empty()) hear(take(0));
  }

  const Contents& here;
  const Contents& there;
  DigestListExchange exchange;
  std::vector<DigestListRequest> waiting;
};

DigestListOptions any_options() {
  return {.chunk_items = *rc::gen::element(1U, 7U, 1024U), .window = *rc::gen::element(1U, 3U)};
}

}  // namespace

TEST_CASE("a list exchange names exactly the keys that differ") {
  CHECK(rc::check([] {
    const Contents here = *any_contents();
    const Contents there = *rc::gen::arbitrary<bool>() ? nearly(here) : *any_contents();
    Conversation talk(here, there, any_options());
    while (!talk.waiting.empty()) talk.hear(talk.take(any_below(talk.waiting.size())));
    RC_ASSERT(talk.exchange.done());
    RC_ASSERT(talk.exchange.result() == true_differences(here, there));
    Contents repaired = here;
    apply(talk.exchange.result(), repaired, there);
    RC_ASSERT(repaired == there);
  }));
}

TEST_CASE("while both sides are written to, a list exchange names what differed all along") {
  CHECK(rc::check([] {
    Contents here = *any_contents();
    Contents there = nearly(here);
    here["kept-here"] = print_of(1);
    there["kept-there"] = print_of(1);
    here["kept-both"] = print_of(1);
    there["kept-both"] = print_of(2);
    here["kept-same"] = there["kept-same"] = print_of(1);
    Conversation talk(here, there, any_options());
    while (!talk.waiting.empty()) {
      for (Contents* side : {&here, &there}) {
        const Key key = *any_key();
        if (*rc::gen::arbitrary<bool>()) {
          (*side)[key] = print_of(static_cast<unsigned>(*rc::gen::inRange(0, 3)));
        } else {
          side->erase(key);
        }
      }
      talk.hear(talk.take(any_below(talk.waiting.size())));
    }
    RC_ASSERT(talk.exchange.done());
    for (const char* key : {"kept-here", "kept-there", "kept-both"}) {
      RC_ASSERT(contains(talk.exchange.result(), key));
    }
    RC_ASSERT(!contains(talk.exchange.result(), "kept-same"));
  }));
}

TEST_CASE("an empty side hears of all keys, a bounded answer at a time") {
  const Contents full = many(10'000);
  const Contents empty;
  Conversation talk(empty, full, {});
  std::size_t answers = 0;
  while (!talk.waiting.empty()) {
    const DigestListAnswer one = talk.take(0);
    CHECK(one.extra.size() <= kAnswerExtra);
    ++answers;
    talk.hear(one);
  }
  CHECK(answers == 3);
  CHECK(talk.exchange.rounds() == 3);
  CHECK(talk.exchange.result() == true_differences(empty, full));
}

TEST_CASE("an answer that does not get to the end says nothing of what lies behind") {
  Contents there = many(10'000);
  there["z"] = print_of(1);
  const Contents here{{"a", print_of(1)}, {"z", print_of(1)}};
  Conversation talk(here, there, {});
  talk.run();
  CHECK(talk.exchange.rounds() == 3);
  CHECK(talk.exchange.result() == true_differences(here, there));
}

TEST_CASE("chunks and those under way stay within their bounds, and the window saves rounds") {
  const Contents here = many(1000);
  Conversation talk(here, here, {.chunk_items = 10, .window = 20});
  CHECK(talk.waiting.size() == 20);
  std::size_t chunks = 0;
  while (!talk.waiting.empty()) {
    CHECK(talk.waiting.size() <= 20);
    CHECK(talk.waiting.front().items.size() <= 10);
    ++chunks;
    talk.hear(talk.take(0));
  }
  CHECK(chunks == 100);
  CHECK(talk.exchange.rounds() == 5);
  CHECK(talk.exchange.result().empty());
}

TEST_CASE("a chunk that is sent again is answered once") {
  const Contents here = many(10);
  const Contents there = many(20);
  Conversation talk(here, there, {});
  const auto again = talk.exchange.resend();
  REQUIRE(again.size() == 1);
  talk.send(again);
  const DigestListAnswer one = talk.take(0);
  talk.hear(one);
  CHECK(talk.exchange.done());
  const DigestListAnswer two = talk.take(0);
  CHECK(talk.exchange.on_answer(replica_of(here), two).error() == Refusal::not_asked);
  CHECK(talk.exchange.result() == true_differences(here, there));
}

TEST_CASE("a chunk that no initiator sends is refused with the reason") {
  const Contents side = many(10);
  DigestListRequest good;
  good.range = {.after = "a", .last = "m"};
  good.items.push_back({"b", print_of(1)});
  good.items.push_back({"c", print_of(1)});
  const auto refusal = [&](const std::function<void(DigestListRequest&)>& spoil) {
    DigestListRequest bad = good;
    spoil(bad);
    const auto out = answer(replica_of(side), bad);
    return out ? std::nullopt : std::optional(out.error());
  };
  CHECK_FALSE(refusal([](auto&) {}));
  CHECK(refusal([](auto& r) { r.range.after = "n"; }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& r) { r.items.keys.pop_back(); }) == Refusal::bad_counts);
  CHECK(refusal([](auto& r) { std::swap(r.items.keys[0], r.items.keys[1]); }) == Refusal::bad_keys);
  CHECK(refusal([](auto& r) { r.items.keys[1] = "b"; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& r) { r.items.keys[0] = "a"; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& r) { r.items.keys[1] = "n"; }) == Refusal::bad_keys);
}

TEST_CASE("an answer that does not fit its chunk is refused with the reason") {
  const Contents here{{"b", print_of(1)}, {"c", print_of(1)}, {"d", print_of(1)}};
  const Contents there{{"b", print_of(2)}, {"c", print_of(1)}, {"e", print_of(1)}};
  Conversation talk(here, there, {.chunk_items = 2});
  const DigestListAnswer good = talk.take(0);
  const auto refusal = [&](const std::function<void(DigestListAnswer&)>& spoil) {
    DigestListAnswer bad = good;
    spoil(bad);
    const auto next = talk.exchange.on_answer(replica_of(here), bad);
    return next ? std::nullopt : std::optional(next.error());
  };
  CHECK(refusal([](auto& a) { a.exchange = 78; }) == Refusal::not_asked);
  CHECK(refusal([](auto& a) { a.number = 9; }) == Refusal::not_asked);
  CHECK(refusal([](auto& a) { a.covered = "z"; }) == Refusal::bad_bounds);
  CHECK(refusal([](auto& a) { a.covered = "c"; }) == Refusal::bad_bounds);   // the end
  CHECK(refusal([](auto& a) { a.covered = "bb"; }) == Refusal::bad_bounds);  // no key
  CHECK(refusal([](auto& a) { a.extra = {"e"}; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& a) { a.extra = {"b"}; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& a) { a.extra = {"aa", "a"}; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& a) { a.absent = {"bb"}; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& a) { a.absent = {"b"}; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& a) { a.different = {"d"}; }) == Refusal::bad_keys);
  CHECK(refusal([](auto& a) {
          for (std::size_t n = 0; n < kAnswerExtra + 3; ++n) a.extra.push_back(Key(n, 'a'));
        }) == Refusal::bad_counts);
  talk.hear(good);
  talk.run();
  CHECK(talk.exchange.result() == true_differences(here, there));
}

TEST_CASE("damaged chunks and answers are refused and change nothing, or are harmless") {
  CHECK(rc::check([] {
    const Contents here = *any_contents();
    const Contents there = nearly(here);
    Conversation talk(here, there, any_options());
    bool deceived = false;
    std::size_t steps = 0;
    while (!talk.waiting.empty()) {
      RC_ASSERT(++steps < 10'000U);
      if (const auto bad = decode<DigestListRequest>(damaged(encode(talk.waiting.front())))) {
        static_cast<void>(answer(replica_of(there), *bad));
      }
      const DigestListAnswer good = talk.take(0);
      const auto bad = decode<DigestListAnswer>(damaged(encode(good)));
      if (bad && encode(*bad) != encode(good)) {
        if (const auto next = talk.exchange.on_answer(replica_of(here), *bad)) {
          deceived = true;
          talk.send(*next);
        }
      }
      const auto next = talk.exchange.on_answer(replica_of(here), good);
      RC_ASSERT(next.has_value() || deceived);
      if (next) talk.send(*next);
    }
    RC_ASSERT(talk.exchange.done() || deceived);
    if (!deceived) RC_ASSERT(talk.exchange.result() == true_differences(here, there));
  }));
}

}  // namespace rejoin::reconcile::test
