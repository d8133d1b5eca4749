// What the operations of a workload are, and when they begin: statistics with fixed seeds, and what
// leaving one out moves.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "sim/run/run.hpp"
#include "sim/run/workload.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using Kind = action::Workload::Popularity::Kind;

action::Workload workload(std::uint64_t operations, int keys = 100) {
  action::Workload out;
  out.keys = test::keys(1, keys);
  out.operations = operations;
  out.mix = {{OperationKind::write, Share{.ppm = 450'000}},
             {OperationKind::remove, Share{.ppm = 50'000}},
             {OperationKind::read, Share{.ppm = 500'000}}};
  return out;
}

Step step_of(const action::Workload& workload) {
  return test::step("load", trigger::At{MonotonicTime(20s)}, workload);
}

struct Drawn {
  MonotonicTime at{};
  std::uint64_t number = 0;
  bool kept = false;
  OperationRequest request;
};

// A closed loop answers at once.
std::vector<Drawn> draws(const action::Workload& workload, std::uint64_t seed = 1,
                         ClientId client = ClientId(1)) {
  const Step step = step_of(workload);
  Load load(seed, step, workload, MonotonicTime(20s));
  std::vector<Drawn> out;
  for (auto next = load.next(client, MonotonicTime(20s)); next;
       next = load.next(client, next->at)) {
    out.push_back({.at = next->at,
                   .number = next->number,
                   .kept = next->kept,
                   .request = load.request(client, next->number)});
  }
  return out;
}

std::map<Key, int> key_counts(const std::vector<Drawn>& drawn) {
  std::map<Key, int> out;
  for (const Drawn& each : drawn) ++out[each.request.key];
  return out;
}

// Ten times the deviation of a count that is drawn `all` times with that chance would be far off;
// four are allowed.
bool is_near(int count, double chance, double all) {
  const double deviation = count - chance * all;
  return deviation * deviation <= 16.0 * all * chance * (1.0 - chance);
}

}  // namespace

TEST_CASE("load: operations are of the kinds of the mix, as often as it says") {
  std::map<OperationKind, int> kinds;
  for (const Drawn& each : draws(workload(20'000))) ++kinds[each.request.kind];
  CHECK(is_near(kinds[OperationKind::write], 0.45, 20'000));
  CHECK(is_near(kinds[OperationKind::remove], 0.05, 20'000));
  CHECK(is_near(kinds[OperationKind::read], 0.5, 20'000));
}

TEST_CASE("load: uniform keys are equally often") {
  for (const auto& [key, count] : key_counts(draws(workload(50'000)))) {
    CAPTURE(key);
    CHECK(is_near(count, 0.01, 50'000));
  }
}

TEST_CASE("load: under zipf the i-th key comes by 1 / i^s") {
  for (const std::uint32_t ppm : {500'000U, 990'000U, 1'500'000U}) {
    CAPTURE(ppm);
    action::Workload zipf = workload(50'000);
    zipf.popularity = {.kind = Kind::zipf, .exponent_ppm = ppm};
    const auto counts = key_counts(draws(zipf));
    double sum = 0;
    for (int rank = 1; rank <= 100; ++rank) sum += std::pow(rank, -(ppm / 1e6));
    for (const int rank : {1, 2, 3, 10, 30, 100}) {
      CAPTURE(rank);
      const double chance = std::pow(rank, -(ppm / 1e6)) / sum;
      const auto at = counts.find("key-" + std::to_string(rank));
      CHECK(is_near(at == counts.end() ? 0 : at->second, chance, 50'000));
    }
  }
}

TEST_CASE("load: of zipf with exponent 0 and of hot keys that are all, every key is alike") {
  action::Workload flat = workload(50'000);
  flat.popularity = {.kind = Kind::zipf, .exponent_ppm = 0};
  for (const auto& [key, count] : key_counts(draws(flat))) CHECK(is_near(count, 0.01, 50'000));
  flat.popularity = {.kind = Kind::hot, .share = {.ppm = 900'000}, .of = {.ppm = 1'000'000}};
  for (const auto& [key, count] : key_counts(draws(flat))) CHECK(is_near(count, 0.01, 50'000));
}

TEST_CASE("load: the hot keys get their share, and each group is even within") {
  action::Workload hot = workload(50'000);
  hot.popularity = {.kind = Kind::hot, .share = {.ppm = 900'000}, .of = {.ppm = 100'000}};
  const auto counts = key_counts(draws(hot));
  int on_hot = 0;
  for (const Key& key : test::keys(1, 10)) {
    on_hot += counts.at(key);
    CHECK(is_near(counts.at(key), 0.09, 50'000));
  }
  CHECK(is_near(on_hot, 0.9, 50'000));
  CHECK(is_near(counts.at("key-11"), 0.1 / 90, 50'000));
}

TEST_CASE("load: an open loop has its rate, whatever the number of its clients") {
  for (const std::uint32_t clients : {1U, 4U}) {
    action::Workload open = workload(0);
    open.operations.reset();
    open.lasts = 100s;
    open.rate_per_hour = 200 * 3'600;
    open.clients = clients;
    std::size_t all = 0;
    for (std::uint32_t c = 1; c <= clients; ++c) {
      const auto drawn = draws(open, 1, ClientId(c));
      CHECK(drawn.back().at < MonotonicTime(120s));
      all += drawn.size();
    }
    CHECK(all > 20'000 - 4 * 142);
    CHECK(all < 20'000 + 4 * 142);
  }
}

TEST_CASE("load: the gaps of poisson arrivals are exponential, those of even ones equal") {
  action::Workload open = workload(20'000);
  open.rate_per_hour = 100 * 3'600;
  const auto drawn = draws(open);
  int short_gaps = 0;
  for (std::size_t i = 1; i < drawn.size(); ++i) {
    short_gaps += drawn[i].at - drawn[i - 1].at < 10ms ? 1 : 0;  // the mean
  }
  CHECK(is_near(short_gaps, 1.0 - 0.36788, 19'999));
  open.arrivals = action::Workload::Arrivals::even;
  open.clients = 2;
  const auto first = draws(open, 1, ClientId(1));
  const auto second = draws(open, 1, ClientId(2));
  CHECK(first[0].at == MonotonicTime(20s));
  CHECK(second[0].at == MonotonicTime(20s + 10ms));
  CHECK(first[7].at - first[6].at == 20ms);
}

TEST_CASE("load: clients take turns, and each number of operations is shared out whole") {
  action::Workload load = workload(10);
  load.clients = 4;
  std::vector<std::size_t> sizes;
  for (std::uint32_t c = 1; c <= 4; ++c) sizes.push_back(draws(load, 1, ClientId(c)).size());
  CHECK(sizes == std::vector<std::size_t>{3, 3, 2, 2});
  const auto all = operations_of(1, step_of(load), load);
  REQUIRE(all.size() == 4);
  CHECK(all[0] == action::Workload::Range{.client = ClientId(1), .first = 1, .last = 3});
  CHECK(all[3] == action::Workload::Range{.client = ClientId(4), .first = 1, .last = 2});
}

TEST_CASE("load: sizes and elements are drawn from all that they may be") {
  action::Workload load = workload(3'000);
  load.value_size = {.min = 10, .max = 13};
  std::set<std::size_t> sizes;
  for (const Drawn& each : draws(load)) {
    if (each.request.kind == OperationKind::write) sizes.insert(each.request.value.size());
  }
  CHECK(sizes == std::set<std::size_t>{10, 11, 12, 13});
  load.mix = {{OperationKind::add, Share{.ppm = 500'000}},
              {OperationKind::discard, Share{.ppm = 500'000}}};
  load.elements = 3;
  std::set<Value> elements;
  for (const Drawn& each : draws(load)) elements.insert(each.request.value);
  CHECK(elements == std::set<Value>{"element-1", "element-2", "element-3"});
}

TEST_CASE("load: draws are keyed by seed, label, client and number") {
  const auto same = [](const std::vector<Drawn>& a, const std::vector<Drawn>& b) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < a.size(); ++i) out += a[i].request.key == b[i].request.key;
    return out;
  };
  const action::Workload load = workload(1'000, 1'000);
  CHECK(same(draws(load, 1), draws(load, 1)) == 1'000);
  CHECK(same(draws(load, 1), draws(load, 2)) < 10);
  action::Workload two = load;
  two.clients = 2;
  two.operations = 2'000;
  CHECK(same(draws(load), draws(two, 1, ClientId(1))) == 1'000);
  CHECK(same(draws(load), draws(two, 1, ClientId(2))) < 10);
  const Step other = test::step("other", trigger::Next{}, load);
  Load elsewhere(1, other, load, {});
  std::size_t alike = 0;
  const auto here = draws(load);
  for (std::uint64_t n = 1; n <= 1'000; ++n) {
    alike += elsewhere.request(ClientId(1), n).key == here[n - 1].request.key;
  }
  CHECK(alike < 10);
}

TEST_CASE("load: leaving operations out moves no other") {
  for (const bool open : {true, false}) {
    action::Workload load = workload(100);
    if (open) load.rate_per_hour = 3'600;
    load.think = open ? DurationRange{} : DurationRange{5ms, 20ms};
    const auto all = draws(load);
    load.keep = {{.client = ClientId(1), .first = 4, .last = 4},
                 {.client = ClientId(1), .first = 9, .last = 30}};
    const auto kept = draws(load);
    REQUIRE(kept.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(kept[i].kept == (i == 3 || (i >= 8 && i < 30)));
      CHECK(kept[i].at == all[i].at);
      CHECK(kept[i].request.key == all[i].request.key);
      CHECK(kept[i].request.kind == all[i].request.kind);
    }
  }
}

TEST_CASE("load: numbers that make no workload are told") {
  const auto problem = [](const auto& change) {
    action::Workload load = workload(10);
    change(load);
    return problem_of(load).value_or("");
  };
  CHECK(problem([](auto&) {}).empty());
  CHECK(problem([](auto& load) { load.lasts = 1s; }) ==
        "a workload has either `operations` or `for`");
  CHECK(problem([](auto& load) { load.mix.erase(OperationKind::read); }) ==
        "the shares of `mix` are 100% together, not 50%");
  CHECK(problem([](auto& load) { load.mix[OperationKind::configure] = {}; }) ==
        "`set` is no operation of a workload");
  CHECK(problem([](auto& load) { load.value_size = {.min = 2, .max = 1}; }) ==
        "`value-size` is the wrong way round: write the smaller size first");
  const auto endless = [](auto& load) {
    load.operations.reset();
    load.lasts = 1s;
  };
  CHECK(problem(endless).starts_with("a closed loop with `for` needs `think` above zero"));
  CHECK(problem([&](auto& load) {
          endless(load);
          load.think = {100ns, 1s};
        }) == "more than 1000000 operations");
  CHECK(problem([&](auto& load) {
          endless(load);
          load.rate_per_hour = 3'600;
          load.think = {1ms, 1s};
        }) == "`rate` is of an open loop and `think` of a closed one: one of them");
  CHECK(problem([](auto& load) {
          load.keep = {{.client = ClientId(1), .first = 3, .last = 4},
                       {.client = ClientId(1), .first = 4, .last = 5}};
        }).starts_with("`keep` is ranges"));
}

}  // namespace rejoin::sim
