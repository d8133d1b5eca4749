#include "protocols/reconcile/merkle_exchange.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <functional>
#include <set>

#include "protocols/reconcile/leaf_index.hpp"
#include "tests/reconcile/contents.hpp"

namespace rejoin::reconcile::test {
namespace {

using Outcome = MerkleExchange::Outcome;

struct Side {
  explicit Side(const MerkleShape& shape, const Contents& all = {}) : index(shape) {
    for (const auto& [key, print] : all) put(key, print);
  }
  void put(const Key& key, const Fingerprint& print) {
    contents[key] = print;
    index.put(key, print);
  }
  void erase(const Key& key) {
    contents.erase(key);
    index.erase(key);
  }
  [[nodiscard]] MerkleReplica replica() const {
    return {index.tree(), [this](std::span<const LeafRange> ranges, std::vector<Item>& out) {
              index.list(ranges, out);
            }};
  }

  LeafIndex index;
  Contents contents;
};

// An exchange whose requests and answers lie here until they are delivered.
struct Conversation {
  Conversation(const Side& a, const Side& b, const MerkleShape& shape, const MerkleOptions& with)
      : here(a), there(b), options(with), exchange(77, shape, with) {
    send(exchange.start(here.replica()));
  }

  void send(const std::vector<MerkleRequest>& requests) {
    for (const MerkleRequest& request : requests) waiting.push_back(over_the_wire(request));
  }
  // The responder answers one request, and the initiator hears all parts of it.
  void deliver(std::size_t n) {
    const MerkleRequest request = waiting.at(n);
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(n));
    const auto parts = answer(there.replica(), request, options);
    REQUIRE(parts.has_value());
    for (const MerkleAnswer& part : *parts) {
      hear(part);
      ++parts_heard;
      items_heard += part.items.size();
    }
  }
  void hear(const MerkleAnswer& part) {
    const auto next = exchange.on_answer(here.replica(), over_the_wire(part));
    REQUIRE(next.has_value());
    send(*next);
  }
  // In an order that `draw(n)`, below n, decides.
  void run(const std::function<std::size_t(std::size_t)>& draw) {
    while (!waiting.empty()) deliver(draw(waiting.size()));
  }
  void run() {
    run([](std::size_t) { return 0U; });
  }

  const Side& here;
  const Side& there;
  MerkleOptions options;
  MerkleExchange exchange;
  std::vector<MerkleRequest> waiting;
  std::size_t parts_heard = 0;
  std::size_t items_heard = 0;
};

const std::vector<MerkleShape> kShapes = {{.fanout = 2, .depth = 1},
                                          {.fanout = 2, .depth = 7},
                                          {.fanout = 4, .depth = 12},
                                          {.fanout = 16, .depth = 5, .salt = 3},
                                          {.fanout = 1024, .depth = 2}};

MerkleOptions any_options() {
  return {.leaf_budget = *rc::gen::element(0U, 1U, 4U, 16U, 200U),
          .batch_nodes = *rc::gen::element(1U, 3U, 256U),
          .part_bytes = *rc::gen::element(256U, 1024U, 65536U)};
}

}  // namespace

TEST_CASE("an exchange names exactly the keys that differ, within depth + 1 rounds") {
  CHECK(rc::check([] {
    const MerkleShape shape = *rc::gen::elementOf(kShapes);
    const Contents a = *any_contents();
    const Side here(shape, a);
    const Side there(shape, *rc::gen::arbitrary<bool>() ? nearly(a) : *any_contents());
    Conversation talk(here, there, shape, any_options());
    talk.run(any_below);
    RC_ASSERT(talk.exchange.outcome() == Outcome::done);
    RC_ASSERT(talk.exchange.rounds() <= shape.depth + 1);
    const Differences& found = talk.exchange.result();
    RC_ASSERT(found == true_differences(here.contents, there.contents));
    Contents repaired = here.contents;
    apply(found, repaired, there.contents);
    RC_ASSERT(repaired == there.contents);
  }));
}

TEST_CASE("equal replicas need one round and no item") {
  const MerkleShape shape{.fanout = 16, .depth = 5};
  const Side here(shape, many(1000));
  Conversation talk(here, here, shape, {});
  talk.run();
  CHECK(talk.exchange.outcome() == Outcome::done);
  CHECK(talk.exchange.rounds() == 1);
  CHECK(talk.exchange.result().empty());
  CHECK(talk.parts_heard == 1);
  CHECK(talk.items_heard == 0);
}

TEST_CASE("one difference among many keys is found by the items of its neighbourhood") {
  const MerkleShape shape{.fanout = 16, .depth = 3};
  const Side here(shape, many(4000));
  Side there(shape, many(4000));
  there.put(key_of(1234), print_of(9999));
  Conversation talk(here, there, shape, {.leaf_budget = 4});
  talk.run();
  CHECK(talk.exchange.result() == Differences{{}, {}, {key_of(1234)}});
  CHECK(talk.items_heard <= 4);
  Conversation budgeted(here, there, shape, {.leaf_budget = 50});
  budgeted.run();
  CHECK(budgeted.exchange.result() == talk.exchange.result());
  CHECK(budgeted.items_heard > 4);
  CHECK(budgeted.exchange.rounds() == talk.exchange.rounds() - 1);
}

TEST_CASE("an empty side lists at once, whichever side it is") {
  const MerkleShape shape{.fanout = 16, .depth = 5};
  const Side full(shape, many(3000));
  const Side empty(shape);
  Conversation from_empty(empty, full, shape, {.part_bytes = 4096});
  from_empty.run();
  CHECK(from_empty.exchange.rounds() == 1);
  CHECK(from_empty.parts_heard > 10);
  CHECK(from_empty.exchange.result().missing_here.size() == 3000);
  Conversation from_full(full, empty, shape, {});
  from_full.run();
  CHECK(from_full.exchange.rounds() == 1);
  CHECK(from_full.parts_heard == 1);
  CHECK(from_full.exchange.result().missing_there.size() == 3000);
}

TEST_CASE("requests and parts of answers stay within their bounds") {
  const MerkleShape shape{.fanout = 16, .depth = 4};
  const Side here(shape, many(5000));
  Side there(shape, many(5000));
  for (std::uint64_t n = 0; n < 5000; n += 3) there.put(key_of(n), print_of(n + 1));
  Conversation talk(here, there, shape, {.batch_nodes = 100, .part_bytes = 1024});
  std::size_t most = 0;
  while (!talk.waiting.empty()) {
    most = std::max(most, talk.waiting.size());
    for (const MerkleRequest& request : talk.waiting) CHECK(request.nodes.size() <= 100);
    const auto parts = answer(there.replica(), talk.waiting.front(), talk.options);
    REQUIRE(parts.has_value());
    for (const MerkleAnswer& part : *parts) CHECK(encode(part).size() < 1024 + 20);
    talk.deliver(0);
  }
  CHECK(most > 2);
  CHECK(talk.exchange.result() == true_differences(here.contents, there.contents));
}

TEST_CASE("while both sides are written to, it ends and names each key that differed all along") {
  CHECK(rc::check([] {
    const MerkleShape shape = *rc::gen::elementOf(kShapes);
    const Contents a = *any_contents();
    Side here(shape, a);
    Side there(shape, nearly(a));
    // These are left alone, and differ.
    const std::vector<Key> kept = {"kept-here", "kept-there", "kept-both"};
    here.put(kept[0], print_of(1));
    there.put(kept[1], print_of(1));
    here.put(kept[2], print_of(1));
    there.put(kept[2], print_of(2));
    Conversation talk(here, there, shape, any_options());
    // Whatever differed at any moment.
    std::set<Key> ever;
    const auto note = [&] {
      const Differences now = true_differences(here.contents, there.contents);
      for (const auto* keys : {&now.missing_here, &now.missing_there, &now.different}) {
        ever.insert(keys->begin(), keys->end());
      }
    };
    note();
    while (!talk.waiting.empty()) {
      for (Side* side : {&here, &there}) {
        const Key key = *any_key();
        if (*rc::gen::arbitrary<bool>()) {
          side->put(key, print_of(static_cast<unsigned>(*rc::gen::inRange(0, 3))));
        } else {
          side->erase(key);
        }
        note();
      }
      talk.deliver(any_below(talk.waiting.size()));
    }
    RC_ASSERT(talk.exchange.outcome() == Outcome::done);
    RC_ASSERT(talk.exchange.rounds() <= shape.depth + 1);
    for (const Key& key : kept) RC_ASSERT(contains(talk.exchange.result(), key));
    RC_ASSERT(talk.exchange.result().size() <= ever.size());
  }));
}

TEST_CASE("a responder of another shape says so, and the exchange ends") {
  const Side here({.fanout = 16, .depth = 5}, many(10));
  for (const MerkleShape& shape :
       {MerkleShape{.fanout = 16, .depth = 4}, MerkleShape{.fanout = 16, .depth = 5, .salt = 1}}) {
    const Side there(shape, many(10));
    Conversation talk(here, there, here.index.tree().shape(), {});
    talk.run();
    CHECK(talk.exchange.outcome() == Outcome::other_shape);
    CHECK(talk.exchange.result().empty());
  }
}

TEST_CASE("what is lost is asked again, and late answers to the first sending are refused") {
  const MerkleShape shape{.fanout = 16, .depth = 5};
  const Side here(shape);
  Side there(shape, many(200));
  Conversation talk(here, there, shape, {.part_bytes = 1024});
  const auto first = answer(there.replica(), talk.waiting.at(0), talk.options);
  REQUIRE(first.has_value());
  REQUIRE(first->size() > 3);
  talk.hear((*first)[0]);
  talk.hear((*first)[1]);
  // The third is lost. Meanwhile the other side has changed, so that parts are divided elsewhere.
  there.put("a key before all others", print_of(1));
  talk.waiting.clear();
  talk.send(talk.exchange.resend());
  REQUIRE(talk.waiting.size() == 1);
  CHECK(talk.waiting[0].attempt == 1);
  CHECK(talk.exchange.on_answer(here.replica(), (*first)[2]).error() == Refusal::not_asked);
  talk.run();
  CHECK(talk.exchange.result() == true_differences(here.contents, there.contents));
  CHECK(talk.exchange.on_answer(here.replica(), first->back()).error() == Refusal::not_asked);
}

TEST_CASE("a request that no initiator sends is refused with the reason") {
  const MerkleShape shape{.fanout = 16, .depth = 2};
  const Side side(shape, many(500));
  const MerkleRequest good{.exchange = 1,
                           .number = 4,
                           .shape = shape,
                           .leaf_budget = 4,
                           .level = 1,
                           .want = Want::digests,
                           .nodes = {3, 7},
                           .root = {}};
  const auto refusal = [&](const std::function<void(MerkleRequest&)>& spoil) {
    MerkleRequest bad = good;
    spoil(bad);
    const auto parts = answer(side.replica(), bad, {});
    return parts ? std::nullopt : std::optional(parts.error());
  };
  CHECK_FALSE(refusal([](MerkleRequest&) {}));
  CHECK(refusal([](MerkleRequest& r) { r.shape.fanout = 3; }) == Refusal::bad_shape);
  CHECK(refusal([](MerkleRequest& r) { r.shape.depth = 900; }) == Refusal::bad_shape);
  CHECK(refusal([](MerkleRequest& r) { r.level = 3; }) == Refusal::bad_level);
  CHECK(refusal([](MerkleRequest& r) { r.level = 2; }) == Refusal::bad_level);
  CHECK(refusal([](MerkleRequest& r) { r.level = 0; }) == Refusal::bad_level);
  CHECK(refusal([](MerkleRequest& r) { r.want = Want(9); }) == Refusal::bad_level);
  CHECK(refusal([](MerkleRequest& r) { r.nodes = {}; }) == Refusal::bad_nodes);
  CHECK(refusal([](MerkleRequest& r) { r.nodes = {7, 3}; }) == Refusal::bad_nodes);
  CHECK(refusal([](MerkleRequest& r) { r.nodes = {3, 3}; }) == Refusal::bad_nodes);
  CHECK(refusal([](MerkleRequest& r) { r.nodes = {3, 16}; }) == Refusal::bad_nodes);
  CHECK(refusal([](MerkleRequest& r) { r.nodes.resize(1U << 15U); }) == Refusal::bad_nodes);
  CHECK(refusal([](MerkleRequest& r) { r.leaf_budget = 1U << 17U; }) == Refusal::bad_bounds);
  CHECK(refusal([](MerkleRequest& r) { r.root.resize(16); }) == Refusal::bad_counts);
  CHECK(refusal([](MerkleRequest& r) { r.number = 0; }) == Refusal::bad_counts);
}

TEST_CASE("an answer that does not fit is refused with the reason, and the exchange goes on") {
  const MerkleShape shape{.fanout = 16, .depth = 2};
  const Side here(shape, many(500));
  Side there(shape, many(500));
  for (std::uint64_t n = 0; n < 8; ++n) there.put(key_of(n), print_of(n + 1));
  Conversation talk(here, there, shape, {.leaf_budget = 0, .part_bytes = 65536});
  const auto refusal = [&](const MerkleAnswer& good,
                           const std::function<void(MerkleAnswer&)>& spoil) {
    MerkleAnswer bad = good;
    spoil(bad);
    const auto next = talk.exchange.on_answer(here.replica(), bad);
    return next ? std::nullopt : std::optional(next.error());
  };
  const auto part = [&] { return answer(there.replica(), talk.waiting[0], talk.options)->at(0); };
  const MerkleAnswer digests = part();
  REQUIRE(digests.forms == std::vector<std::uint64_t>{0});
  CHECK(refusal(digests, [](auto& a) { a.exchange = 78; }) == Refusal::not_asked);
  CHECK(refusal(digests, [](auto& a) { a.number = 1; }) == Refusal::not_asked);
  CHECK(refusal(digests, [](auto& a) { a.attempt = 1; }) == Refusal::not_asked);
  CHECK(refusal(digests, [](auto& a) { a.part = 1; }) == Refusal::out_of_turn);
  CHECK(refusal(digests, [](auto& a) { a.state = AnswerState(7); }) == Refusal::out_of_turn);
  CHECK(refusal(digests, [](auto& a) { a.state = AnswerState::equal; }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.last = false; }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.forms = {}; }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.forms = {0, 0}; }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.forms = {UINT64_MAX}; }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.continues = true; }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.digests.pop_back(); }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.present.push_back(0); }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.present[0] ^= 1U; }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) { a.items.fingerprints.resize(16); }) == Refusal::bad_counts);
  CHECK(refusal(digests, [](auto& a) {
          a.items.push_back({"k", print_of(1)});
        }) == Refusal::bad_counts);
  // More than the budget for a list that was not asked for.
  CHECK(refusal(digests, [](auto& a) {
          a.forms = {2};
          a.present.clear();
          a.digests.clear();
          a.items.push_back({"k", print_of(1)});
        }) == Refusal::bad_counts);

  talk.deliver(0);  // the root
  while (talk.waiting.at(0).want == Want::digests) talk.deliver(0);
  const MerkleAnswer lists = part();
  REQUIRE(lists.items.size() > 2);
  REQUIRE(lists.forms.at(0) > 2);
  CHECK(refusal(lists, [](auto& a) { std::swap(a.items.keys[0], a.items.keys[1]); }) ==
        Refusal::bad_keys);
  CHECK(refusal(lists, [](auto& a) { a.items.keys[1] = a.items.keys[0]; }) == Refusal::bad_keys);
  CHECK(refusal(lists, [](auto& a) { a.items.keys[0] = "elsewhere"; }) == Refusal::bad_keys);
  CHECK(refusal(lists, [](auto& a) { a.items.keys.pop_back(); }) == Refusal::bad_counts);
  CHECK(refusal(lists, [](auto& a) { ++a.forms[0]; }).has_value());
  CHECK(refusal(lists, [](auto& a) { a.forms[0] = 0; }).has_value());
  CHECK(refusal(lists, [](auto& a) { a.state = AnswerState::equal; }) == Refusal::out_of_turn);
  talk.run();
  CHECK(talk.exchange.result() == true_differences(here.contents, there.contents));
  CHECK(refusal(lists, [](auto&) {}) == Refusal::not_asked);
}

TEST_CASE("damaged messages are refused and change nothing, or are harmless") {
  CHECK(rc::check([] {
    const MerkleShape shape = *rc::gen::elementOf(kShapes);
    const Contents a = *any_contents();
    const Side here(shape, a);
    const Side there(shape, nearly(a));
    Conversation talk(here, there, shape, any_options());
    bool deceived = false;
    std::size_t steps = 0;
    while (!talk.waiting.empty()) {
      RC_ASSERT(++steps < 10'000U);
      const MerkleRequest request = talk.waiting.front();
      if (const auto bad = decode<MerkleRequest>(damaged(encode(request)))) {
        static_cast<void>(answer(there.replica(), *bad, talk.options));
      }
      talk.waiting.erase(talk.waiting.begin());
      const auto parts = answer(there.replica(), request, talk.options);
      for (const MerkleAnswer& part : parts.value()) {
        const auto bad = decode<MerkleAnswer>(damaged(encode(part)));
        if (bad && encode(*bad) != encode(part)) {
          const auto next = talk.exchange.on_answer(here.replica(), *bad);
          if (next) {
            deceived = true;
            talk.send(*next);
            continue;
          }
        }
        const auto next = talk.exchange.on_answer(here.replica(), part);
        RC_ASSERT(next.has_value() || deceived);
        if (next) talk.send(*next);
      }
      // What a false part has left unfinished is asked for again.
      if (talk.waiting.empty() && talk.exchange.outcome() == Outcome::running) {
        RC_ASSERT(deceived);
        talk.send(talk.exchange.resend());
        deceived = true;
      }
    }
    RC_ASSERT(talk.exchange.outcome() != Outcome::running);
    RC_ASSERT(talk.exchange.rounds() <= shape.depth + 1);
    if (!deceived) {
      RC_ASSERT(talk.exchange.result() == true_differences(here.contents, there.contents));
    }
  }));
}

}  // namespace rejoin::reconcile::test
