#include "protocols/versions/merge.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "model/wire.hpp"
#include "tests/versions/sites.hpp"

namespace rejoin {
namespace {

struct Composition {
  VersionScheme scheme;
  std::string conflict;
};

// Every scheme with every resolver that fits it, but those whose order of arrival decides.
std::vector<Composition> compositions() {
  std::vector<Composition> out;
  for (const VersionScheme scheme :
       {VersionScheme::none, VersionScheme::timestamp, VersionScheme::hlc,
        VersionScheme::version_vector, VersionScheme::dvv}) {
    for (const ConflictSpec& conflict : Conflicts::all()) {
      if (!fits(conflict, scheme) || conflict.name == "overwrite") continue;
      out.push_back({scheme, std::string(conflict.name)});
    }
  }
  return out;
}

Value value_for(const VersionRules& rules, std::uint64_t n, const Value& seen) {
  if (rules.conflict->change == nullptr) return "v" + std::to_string(n);
  const auto& operations = rules.conflict->operations;
  return rules.conflict->change({.kind = operations[n % operations.size()],
                                 .request = {.client = ClientId(1), .n = n},
                                 .text = std::to_string(n % 3),
                                 .own = {},
                                 .seen = seen});
}

// A random story: writes with contexts of now and of before, deletes, and exchanges; and writes
// that are tried again, at any site.
Sites random_sites(const StoreOptions& options, bool retries) {
  Sites sites(options, 4);
  std::vector<VersionVector> known{{}};
  const auto steps = *rc::gen::inRange(1, 14);
  for (int step = 1; step <= steps; ++step) {
    const auto site = *rc::gen::inRange<std::size_t>(0, 4);
    if (*rc::gen::inRange(0, 3) == 0) {
      (void)sites.send(*rc::gen::inRange<std::size_t>(0, 4), site);
    } else if (retries && *rc::gen::inRange(0, 3) == 0) {
      sites.retry(site, Duration(*rc::gen::inRange(-3, 4)));
    } else {
      const VersionVector context = known[*rc::gen::inRange<std::size_t>(0, known.size())];
      const bool plain = sites.rules().conflict->change == nullptr;
      const Value seen = sites.at(site) ? sites.at(site)->value : Value{};
      sites.write(site, value_for(sites.rules(), static_cast<std::uint64_t>(step), seen), context,
                  Duration(*rc::gen::inRange(-3, 4)), plain && *rc::gen::inRange(0, 5) == 0);
    }
    known.push_back(sites.context(site));
  }
  return sites;
}

Record join(const VersionRules& rules, const Record& a, const Record& b) {
  return merge(rules, &a, b).record;
}

TEST_CASE("merge: commutative, idempotent, monotone and, but for version vectors, associative") {
  for (const Composition& each : compositions()) {
    INFO(to_name(each.scheme) << " with " << each.conflict);
    const bool held = rc::check([&] {
      const bool retries = *rc::gen::arbitrary<bool>();
      const Sites sites = random_sites(with(each.scheme, each.conflict), retries);
      const bool associative = each.scheme != VersionScheme::version_vector &&
                               !(retries && each.scheme == VersionScheme::dvv);
      std::vector<Record> records;
      for (std::size_t site = 0; site < 4; ++site) {
        if (sites.at(site)) records.push_back(*sites.at(site));
      }
      const VersionRules& rules = sites.rules();
      for (const Record& a : records) {
        RC_ASSERT(well_formed(rules, a));
        RC_ASSERT(join(rules, a, a) == a);
        RC_ASSERT_FALSE(merge(rules, &a, a).changed);
        for (const Record& b : records) {
          const Record ab = join(rules, a, b);
          RC_ASSERT(well_formed(rules, ab));
          RC_ASSERT(ab == join(rules, b, a));
          // Monotone: what was merged in is there for good.
          RC_ASSERT(join(rules, ab, a) == ab);
          RC_ASSERT(join(rules, ab, b) == ab);
          if (!associative) continue;
          for (const Record& c : records) {
            RC_ASSERT(join(rules, ab, c) == join(rules, a, join(rules, b, c)));
          }
        }
      }
    });
    CHECK(held);
  }
}

// The same story under both.
TEST_CASE("version vectors keep all that dotted ones keep, in whatever order replicas merge") {
  CHECK(rc::check([] {
    struct Event {
      bool sends;
      std::size_t from, to, context;
    };
    const auto events = *rc::gen::container<std::vector<Event>>(rc::gen::map(
        rc::gen::tuple(rc::gen::arbitrary<bool>(), rc::gen::inRange<std::size_t>(0, 3),
                       rc::gen::inRange<std::size_t>(0, 3), rc::gen::inRange<std::size_t>(0, 99)),
        [](const auto& t) {
          return Event{std::get<0>(t), std::get<1>(t), std::get<2>(t), std::get<3>(t)};
        }));
    Sites plain(with(VersionScheme::version_vector));
    Sites dotted(with(VersionScheme::dvv));
    std::vector<VersionVector> plain_contexts{{}};
    std::vector<VersionVector> dotted_contexts{{}};
    std::uint64_t n = 0;
    for (const Event& event : events) {
      if (event.sends) {
        (void)plain.send(event.from, event.to);
        (void)dotted.send(event.from, event.to);
      } else {
        const std::size_t known = event.context % plain_contexts.size();
        plain.write(event.to, std::to_string(++n), plain_contexts[known]);
        dotted.write(event.to, std::to_string(n), dotted_contexts[known]);
      }
      plain_contexts.push_back(plain.context(event.to));
      dotted_contexts.push_back(dotted.context(event.to));
    }
    for (std::size_t site = 0; site < 3; ++site) {
      const auto more = plain.values(site);
      for (const std::string& value : dotted.values(site)) {
        RC_ASSERT(std::find(more.begin(), more.end(), value) != more.end());
      }
    }
  }));
}

TEST_CASE("merge: a record is the same after it has been on the wire") {
  for (const Composition& each : compositions()) {
    const bool held = rc::check([&] {
      const Sites sites = random_sites(with(each.scheme, each.conflict), true);
      for (std::size_t site = 0; site < 4; ++site) {
        if (!sites.at(site)) continue;
        const auto back = decode<Record>(encode(*sites.at(site)));
        RC_ASSERT(back.has_value());
        RC_ASSERT(*back == *sites.at(site));
      }
    });
    CHECK(held);
  }
}

TEST_CASE("without versions what arrives replaces what is there") {
  Sites sites(with(VersionScheme::none));
  sites.write(0, "first");
  sites.write(1, "second");
  (void)sites.send(0, 1);
  CHECK(sites.values(1) == std::vector<std::string>{"first"});
}

TEST_CASE("dvv: a write replaces what its client had read, and nothing else") {
  Sites sites(with(VersionScheme::dvv));
  sites.write(0, "a");
  const VersionVector read_a = sites.context(0);
  sites.write(0, "b");  // blind
  CHECK(sites.values(0) == std::vector<std::string>{"a", "b"});
  sites.write(0, "c", read_a);
  CHECK(sites.values(0) == std::vector<std::string>{"b", "c"});
  sites.write(0, "d", sites.context(0));
  CHECK(sites.values(0) == std::vector<std::string>{"d"});
}

TEST_CASE("version-vector: what one sibling replaced is not told from what another did") {
  // Preguica et al. 2012: A and B are written blindly, then C by one who had read A alone.
  Sites sites(with(VersionScheme::version_vector));
  sites.write(0, "a");
  const VersionVector read_a = sites.context(0);
  sites.write(0, "b");
  sites.write(0, "c", read_a);
  CHECK(sites.values(0) == std::vector<std::string>{"a", "b", "c"});
  sites.write(0, "d", sites.context(0));
  CHECK(sites.values(0) == std::vector<std::string>{"d"});
}

TEST_CASE("causal: a replica that missed a replacement does not bring the replaced value back") {
  for (const VersionScheme scheme : {VersionScheme::version_vector, VersionScheme::dvv}) {
    INFO(to_name(scheme));
    Sites sites(with(scheme));
    sites.write(0, "old");
    (void)sites.send(0, 1);
    sites.write(0, "new", sites.context(0));
    (void)sites.send(1, 0);
    CHECK(sites.values(0) == std::vector<std::string>{"new"});
    (void)sites.send(0, 1);
    CHECK(sites.values(1) == std::vector<std::string>{"new"});
  }
}

TEST_CASE("causal: a delete replaces what it had seen and leaves what it had not") {
  Sites sites(with(VersionScheme::dvv));
  sites.write(0, "a");
  const VersionVector read = sites.context(0);
  sites.write(1, "b");
  sites.write(0, "", read, {}, true);
  (void)sites.send(0, 1);
  CHECK(sites.values(1) == std::vector<std::string>{"(deleted)", "b"});
  CHECK_FALSE(is_deleted(*sites.at(1)));
  CHECK(is_deleted(*sites.at(0)));
}

TEST_CASE("causal: a retry that reaches the same replica is not a second write") {
  const VersionRules rules(with(VersionScheme::dvv));
  const Actor actor = actor_of(NodeId(1), 1);
  const CausalWrite write{.value = "v",
                          .version = {.timestamp = WallTime(1s), .writer = NodeId(1)},
                          .origin = {.client = ClientId(1), .n = 1},
                          .context = {}};
  const Merged first = update(rules, "k", nullptr, write, actor);
  CHECK(first.changed);
  const Merged again = update(rules, "k", &first.record, write, actor);
  CHECK_FALSE(again.changed);
  CHECK(again.record == first.record);
}

TEST_CASE("causal: a retry that reaches another replica is one version once the two meet") {
  for (const VersionScheme scheme : {VersionScheme::version_vector, VersionScheme::dvv}) {
    CAPTURE(to_name(scheme));
    Sites sites(with(scheme));
    sites.write(0, "v");
    sites.retry(1);
    (void)sites.send(0, 1);
    (void)sites.send(1, 0);
    CHECK(sites.values(0) == std::vector<std::string>{"v"});
    CHECK(*sites.at(0) == *sites.at(1));
    // Who has read it there replaces both.
    sites.write(0, "w", sites.context(0));
    (void)sites.send(0, 1);
    CHECK(sites.values(1) == std::vector<std::string>{"w"});
  }
}

TEST_CASE("causal: replicas end with the same, also where a retry was replaced half") {
  for (const VersionScheme scheme : {VersionScheme::version_vector, VersionScheme::dvv}) {
    CAPTURE(to_name(scheme));
    CHECK(rc::check([&] {
      Sites sites = random_sites(with(scheme), true);
      for (int round = 0; round < 3; ++round) {
        for (std::size_t from = 0; from < 4; ++from) {
          for (std::size_t to = 0; to < 4; ++to) (void)sites.send(from, to);
        }
      }
      for (std::size_t site = 1; site < 4; ++site) RC_ASSERT(sites.at(site) == sites.at(0));
    }));
  }
}

TEST_CASE("of two writes with one version every replica keeps the same") {
  const VersionRules rules(with(VersionScheme::timestamp));
  const auto record = [](std::uint64_t n) {
    return Record{.key = "k",
                  .value = std::to_string(n),
                  .version = {.timestamp = WallTime(1s), .writer = NodeId(1)},
                  .origin = {.client = ClientId(1), .n = n}};
  };
  CHECK(join(rules, record(1), record(2)) == record(2));
  CHECK(join(rules, record(2), record(1)) == record(2));
  const Record mine = record(2);
  CHECK_FALSE(merge(rules, &mine, record(2)).changed);
}

TEST_CASE("an actor that forgot how far it had counted hides a write; another life does not") {
  const VersionRules rules(with(VersionScheme::dvv));
  const auto write = [](const char* value, std::uint64_t n) {
    return CausalWrite{.value = value,
                       .version = {.timestamp = WallTime(Duration(n)), .writer = NodeId(1)},
                       .origin = {.client = ClientId(1), .n = n},
                       .context = {}};
  };
  const Actor first = actor_of(NodeId(1), 1);
  const Record elsewhere = update(rules, "k", nullptr, write("before", 1), first).record;
  // The disk is empty: it counts from 1 again.
  const Record same = update(rules, "k", nullptr, write("after", 2), first).record;
  CHECK(values_of(join(rules, elsewhere, same)).size() == 1);
  const Record other =
      update(rules, "k", nullptr, write("after", 2), actor_of(NodeId(1), 2)).record;
  CHECK(values_of(join(rules, elsewhere, other)) == std::vector<std::string>{"after", "before"});
}

TEST_CASE("a record that no replica of these rules could have made is told from one that could") {
  const VersionRules dvv(with(VersionScheme::dvv));
  const VersionRules plain(with(VersionScheme::timestamp));
  Sites sites(with(VersionScheme::dvv));
  sites.write(0, "a");
  sites.write(0, "b");
  const Record good = *sites.at(0);
  CHECK(well_formed(dvv, good));
  CHECK_FALSE(well_formed(plain, good));
  const auto changed = [&good](auto change) {
    Causality causality = *good.causality;
    change(causality);
    Record out = good;
    out.causality = std::make_shared<const Causality>(causality);
    return out;
  };
  CHECK_FALSE(well_formed(dvv, changed([](Causality& c) { c.clock = {}; })));
  CHECK_FALSE(well_formed(dvv, changed([](Causality& c) { c.dot = {}; })));
  CHECK_FALSE(well_formed(dvv, changed([](Causality& c) { c.dot.counter = 9; })));
  CHECK_FALSE(well_formed(
      dvv, changed([](Causality& c) { c.others.front().version.timestamp = WallTime(99s); })));
  Record bare = good;
  bare.causality = nullptr;
  CHECK_FALSE(well_formed(dvv, bare));
  CHECK(well_formed(plain, bare));
  Record broken = bare;
  broken.value = "\xff\xff no state";
  CHECK_FALSE(well_formed(VersionRules(with(VersionScheme::hlc, "counter")), broken));
}

TEST_CASE("each resolver says which versions it takes, and is refused with others") {
  const auto refusal = [](const char* name, VersionScheme scheme) {
    return refusal_of(*Conflicts::find(name), scheme);
  };
  CHECK(refusal("siblings", VersionScheme::dvv).empty());
  CHECK(refusal("siblings", VersionScheme::timestamp) ==
        "conflict `siblings` takes versions: version-vector, dvv; not timestamp");
  CHECK(refusal("overwrite", VersionScheme::dvv) ==
        "conflict `overwrite` takes versions: none; not dvv");
  CHECK(refusal("lww", VersionScheme::none) ==
        "conflict `lww` takes versions: timestamp, hlc, version-vector, dvv; not none");
  CHECK(refusal("counter", VersionScheme::dvv) ==
        "conflict `counter` takes versions: none, timestamp, hlc; not dvv");
}

}  // namespace
}  // namespace rejoin
