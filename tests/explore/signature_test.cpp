#include "sim/explore/signature.hpp"

#include <doctest/doctest.h>

namespace rejoin::sim {

TEST_CASE("signature: a sentence is left without names, numbers and how many there are") {
  CHECK(shape_of("node-3 answered for partition-12") == "node-# answered for partition-#");
  CHECK(shape_of("the write of \"client-1/125\" (client-1/125) at 43.798s") ==
        "the write of \"x\" (client-#/#) at #");
  CHECK(shape_of("nodes node-1, node-2 and node-3 are up") == shape_of("nodes node-4 are up"));
  CHECK(shape_of("differs in 50 of 150 keys: 50 missing") ==
        shape_of("differs in 1 of 1 key: 1 missing"));
  CHECK(shape_of("took 1m30s") == shape_of("took 2ms"));
  CHECK(shape_of("a read at level quorum") != shape_of("a read at level one"));
}

TEST_CASE("signature: who had been through what tells failures apart, who it was does not") {
  RunRecord record;
  record.verdict = Verdict::fail;
  Violation violation;
  violation.invariant = "no-stale-read";
  violation.node = NodeId(3);
  violation.key = "some key";
  violation.role = "restarted";
  violation.says = "a read of some key at node-3 returned NOT FOUND";
  violation.evidence = {"..."};
  record.violations = {violation};
  const auto first = signatures_of(record);
  REQUIRE(first.size() == 1);
  CHECK(to_text(first[0]) ==
        "no-stale-read, restarted node: a read of KEY at node-# returned NOT FOUND");
  record.violations[0].node = NodeId(1);
  record.violations[0].key = "other";
  record.violations[0].says = "a read of other at node-1 returned NOT FOUND";
  CHECK(signatures_of(record) == first);
  CHECK(to_slug(signatures_of(record)[0]) == to_slug(first[0]));
  record.violations[0].role = "renewed";
  CHECK(signatures_of(record) != first);
  CHECK(to_slug(signatures_of(record)[0]).starts_with("no-stale-read-renewed-"));
}

TEST_CASE("signature: what was expected, or passed, is no failure") {
  RunRecord record;
  record.verdict = Verdict::pass;
  Violation violation;
  violation.invariant = "no-stale-read";
  violation.says = "x";
  violation.expected = true;
  record.violations = {violation};
  CHECK(signatures_of(record).empty());
  record.verdict = Verdict::fail;
  record.unmet = {"step T2 never fired (x.yaml:3:4)"};
  const auto found = signatures_of(record);
  REQUIRE(found.size() == 1);
  CHECK(found[0].what == "step-never-fired");
  record.verdict = Verdict::unbounded;
  record.unmet.clear();
  REQUIRE(signatures_of(record).size() == 1);
  CHECK(signatures_of(record)[0].what == "unbounded");
  record.verdict = Verdict::vacuous;
  CHECK(signatures_of(record).empty());
}

TEST_CASE(
    "signature: what is judged where a run was cut off is no failure, what it did before is") {
  RunRecord record;
  record.verdict = Verdict::unbounded;
  record.events = 100;
  record.virtual_end = MonotonicTime(60s);
  Violation early;
  early.invariant = "no-stale-read";
  early.at = MonotonicTime(5s);
  early.event = 7;
  Violation last;
  last.invariant = "replicas-converge";
  last.at = record.virtual_end;
  last.event = record.events;
  record.violations = {early, last};
  const auto found = signatures_of(record);
  REQUIRE(found.size() == 2);
  CHECK(found[0].what == "no-stale-read");
  CHECK(found[1].what == "unbounded");
  record.verdict = Verdict::fail;
  CHECK(signatures_of(record).size() == 2);
  CHECK(signatures_of(record)[1].what == "replicas-converge");
}

TEST_CASE("signature: of a crash the line that says why, not what follows it") {
  const Signature check = crash_signature(
      "reading\nraft.cpp:12: CHECK failed: index < size\n./rejoin(+0x1234) [0x55]\n", "signal 6");
  CHECK(check.what == "crash");
  CHECK(check.shape == "raft.cpp:#: CHECK failed: index < size");
  CHECK(crash_signature("", "signal 11 (Segmentation fault)").shape ==
        "signal # (Segmentation fault)");
}

}  // namespace rejoin::sim
