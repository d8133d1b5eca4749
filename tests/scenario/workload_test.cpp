// `workload`: what it says, how it is written back, and what people get wrong.
#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

action::Workload workload_of(const std::string& inside) {
  const Schedule schedule =
      schedule_of(with_steps("  - { label: T0, workload: { " + inside + " } }\n"));
  return std::get<action::Workload>(schedule.timeline.at(0).action);
}

std::string wrong(const std::string& inside) {
  return complaints(with_steps("  - { label: T0, workload: { " + inside + " } }\n"));
}

}  // namespace

TEST_CASE("a workload says which operations there are, and how they come") {
  const action::Workload open = workload_of(
      "keys: key-1..key-1000, for: 30s, mix: { read: 50%, write: 45%, delete: 5% }, "
      "popularity: { zipf: 0.99 }, value-size: 1KiB..4KiB, rate: 200/s, arrivals: even, "
      "read-level: quorum, write-level: all, via: node-2, keep: [client-1/3, client-1/7..9]");
  CHECK(open.keys.size() == 1000);
  CHECK(open.lasts == 30s);
  CHECK_FALSE(open.operations);
  CHECK(open.mix.at(OperationKind::remove).ppm == 50'000);
  CHECK(open.popularity.kind == action::Workload::Popularity::Kind::zipf);
  CHECK(open.popularity.exponent_ppm == 990'000);
  CHECK(open.value_size == action::Workload::SizeRange{.min = 1024, .max = 4096});
  CHECK(open.rate_per_hour == 720'000);
  CHECK(open.arrivals == action::Workload::Arrivals::even);
  CHECK(open.read_level == Consistency::quorum);
  CHECK(open.write_level == Consistency::all);
  CHECK(open.via == NodeId(2));
  REQUIRE(open.keep->size() == 2);
  CHECK(open.keep->at(1) == action::Workload::Range{.client = ClientId(1), .first = 7, .last = 9});

  const action::Workload closed = workload_of(
      "keys: key-1, operations: 9, think: 5ms..20ms, level: quorum, value-size: 16B, "
      "popularity: { hot: { share: 80% } }");
  CHECK(closed.operations == 9);
  CHECK(closed.think == DurationRange{5ms, 20ms});
  CHECK(closed.read_level == Consistency::quorum);
  CHECK(closed.write_level == Consistency::quorum);
  CHECK(closed.popularity.share.ppm == 800'000);
  CHECK(closed.popularity.of.ppm == 100'000);
  CHECK(closed.mix.at(OperationKind::read).ppm == 500'000);
  CHECK(closed.mix.at(OperationKind::write).ppm == 500'000);
}

TEST_CASE("a workload is written as it was read") {
  for (const std::string inside :
       {"keys: [key-1..key-7, other], operations: 5, mix: { read: 12.5%, write: 87.5% }",
        "keys: key-1, for: 1m, rate: 7/m, popularity: { hot: { share: 90%, of: 1% } }",
        "keys: key-1, for: 1m, rate: 7/h, popularity: { zipf: 1.25 }, value-size: 0B..3B",
        "keys: key-1, for: 1m, think: 5ms, popularity: { zipf: 2 }, elements: 5, level: all",
        "keys: key-1, operations: 4, keep: [client-1/1..2, client-1/4], via: node-1"}) {
    const std::string text =
        with_steps("  - { label: T0, workload: { " + inside + " }, background: true }\n");
    const Schedule schedule = schedule_of(text);
    const std::string written = to_yaml(schedule);
    CAPTURE(written);
    CHECK(to_yaml(schedule_of(written)) == written);
    const auto& was = std::get<action::Workload>(schedule.timeline[0].action);
    const Schedule again = schedule_of(written);
    const auto& is = std::get<action::Workload>(again.timeline[0].action);
    CHECK(is.background);
    CHECK(is.keys == was.keys);
    CHECK(is.mix == was.mix);
    CHECK(is.popularity == was.popularity);
    CHECK(is.rate_per_hour == was.rate_per_hour);
    CHECK(is.value_size == was.value_size);
    CHECK(is.keep == was.keep);
  }
}

TEST_CASE("shares that are not all of it are told what is missing") {
  CHECK(wrong("keys: k, operations: 1, mix: { read: 50%, write: 45% }") ==
        R"(t.yaml:3:59: error: the shares of `mix` are 100% together, not 95%
  3 |   - { label: T0, workload: { keys: k, operations: 1, mix: { read: 50%, write: 45% } } }
    |                                                           ^
  hint: 5% of the operations are of no kind
)");
}

TEST_CASE("a rate of nothing, a size the wrong way round and an unknown kind are refused") {
  CHECK(
      wrong("keys: k, operations: 1, rate: 0/s").find("`rate` is 1 to 1000000 a time, not `0/s`") !=
      std::string::npos);
  CHECK(wrong("keys: k, operations: 1, rate: 200").find("such as 200/s, 30/m or 5/h") !=
        std::string::npos);
  CHECK(wrong("keys: k, operations: 1, value-size: 4KiB..1KiB")
            .find("the range `4KiB..1KiB` is the wrong way round") != std::string::npos);
  CHECK(wrong("keys: k, operations: 1, mix: { raed: 100% }").find("did you mean `read`?") !=
        std::string::npos);
  CHECK(wrong("keys: k, operations: 1, popularity: { zipf: 11 }").find("from 0 to 10") !=
        std::string::npos);
  CHECK(wrong("keys: k, operations: 1, keep: [client-1/3, client-1/2]")
            .find("ascending and each once") != std::string::npos);
  CHECK(wrong("keys: k, operations: 1, level: all, read-level: one")
            .find("`level` and `read-level` in one workload") != std::string::npos);
  CHECK(wrong("operations: 1").find("`workload` needs `keys`") != std::string::npos);
  CHECK(wrong("keys: k, operations: 1, clients: 9").find("a number from 1 to cluster.clients") !=
        std::string::npos);
}

TEST_CASE("keys that no step and no workload writes are a typing error") {
  CHECK(wrong("keys: k, operations: 1, mix: { read: 100% }").find("there is no key `k`") !=
        std::string::npos);
  CHECK(complaints(with_steps("  - { label: T0, workload: { keys: k, operations: 1 } }\n"
                              "  - { label: T1, read: k }\n")) == "");
}

TEST_CASE("operations of a workload are those that its values take") {
  const std::string adds = "keys: k, operations: 1, mix: { add: 50%, read: 50% }";
  CHECK(wrong(adds).find("`add` changes no value of `conflict: ") != std::string::npos);
}

TEST_CASE("`background` goes with a workload, `expect` does not") {
  CHECK(complaints(with_steps(
            "  - { label: T0, workload: { keys: k, operations: 1 }, expect: ok }\n")) != "");
  CHECK(complaints(with_steps(
            "  - { label: T0, workload: { keys: k, operations: 1 }, background: true }\n")) == "");
}
