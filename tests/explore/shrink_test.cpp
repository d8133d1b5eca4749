#include "sim/explore/shrink.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "model/wire.hpp"
#include "sim/run/run.hpp"
#include "sim/run/verdict.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

const Vocabulary& words() {
  static const Vocabulary all = linked_vocabulary();
  return all;
}

Schedule load(const std::string& file, std::uint64_t seed, const std::string& sync) {
  const auto scenario = load_scenario(REJOIN_SOURCE_DIR "/scenarios/" + file, words(),
                                      {{.path = "sync", .value = sync}});
  REQUIRE(scenario.has_value());
  auto schedule = scenario->materialise(seed);
  REQUIRE(schedule.has_value());
  schedule->expect = {};
  return *std::move(schedule);
}

Signature first_failure(const Schedule& schedule) {
  const Trial trial = run_trial(schedule, {.expectations = false});
  REQUIRE(trial.failed());
  return trial.signatures.front();
}

// Everything that can be left out: nothing that is left out leaves the failure.
void check_minimal(const Schedule& schedule, const Signature& signature) {
  for (const Removal& removal : removals()) {
    for (std::size_t i = 0; i < removal.size(schedule); ++i) {
      const auto without = removal.without(schedule, i, 1);
      if (!without || !is_runnable(*without, words())) continue;
      INFO(removal.what << ", " << i);
      CHECK_FALSE(run_trial(*without, {.expectations = false}).shows(signature));
    }
  }
}

// The first seed from there on that reads something stale.
std::optional<std::pair<Schedule, Signature>> stale_read_from(std::uint64_t seed) {
  for (const std::uint64_t end = seed + 40; seed < end; ++seed) {
    Schedule schedule = load("fuzz/partition-rejoin.yaml", seed, "none");
    const Trial trial = run_trial(schedule, {.expectations = false});
    if (!trial.failed() || trial.signatures.front().what != "no-stale-read-after-repair") continue;
    return std::pair(std::move(schedule), trial.signatures.front());
  }
  return std::nullopt;
}

// Runs nothing: whatever holds the word fails in that way, so that all goes that may go.
Work fails_with(std::string word, const Signature& signature) {
  return [word = std::move(word), signature](ByteView task) {
    Trial trial;
    const bool fails = std::ranges::search(task, as_bytes(word)).begin() != task.end();
    if (fails || word.empty()) {
      trial.signatures = {signature};
      trial.broke = {"as it was asked to"};
    }
    return Bytes(encode(trial));
  };
}

}  // namespace

TEST_CASE("shrink: what the question is about stays, and everything else goes") {
  Schedule schedule = load("fuzz/partition-rejoin.yaml", 3, "merkle");
  schedule.node.store.versions = VersionScheme::dvv;
  schedule.node.store.tombstones = TombstoneRule::all_ack;
  const Signature signature{.what = "merge-never-regresses", .role = {}, .shape = {}};
  Workers workers({.count = 1}, fails_with("", signature));
  const auto found = shrink(schedule, signature, words(), workers);
  REQUIRE(found.has_value());
  const Schedule& small = found->schedule;
  CHECK(small.timeline.empty());
  CHECK(small.limits.settle != schedule.limits.settle);  // it is judged as it happens
  CHECK(small.node.coordinator.timeout != schedule.node.coordinator.timeout);
  REQUIRE(small.node.sync.mechanisms.size() == 1);
  CHECK(small.node.sync.mechanisms.front().name == "merkle");
  CHECK(small.node.store.versions == schedule.node.store.versions);
  CHECK(small.node.store.tombstones == schedule.node.store.tombstones);
  CHECK(small.client.write == schedule.client.write);
  CHECK(small.client.read == schedule.client.read);
}

TEST_CASE("shrink: what was promised in time for repairs to come is promised there still") {
  Schedule schedule = load("fuzz/partition-rejoin.yaml", 3, "merkle");
  schedule.limits.settle = 600s;
  schedule.limits.settle_quiet = 60s;
  const Signature signature{.what = "acknowledged-writes-survive", .role = {}, .shape = {}};
  const auto promises = [&signature](const Schedule& one) {
    return std::ranges::any_of(promises_of(one), [&signature](const Promise& promise) {
      return promise.invariant == signature.what && promise.unmet.empty();
    });
  };
  REQUIRE(promises(schedule));
  Workers workers({.count = 1}, fails_with("", signature));
  const auto found = shrink(schedule, signature, words(), workers);
  REQUIRE(found.has_value());
  CHECK(found->schedule.timeline.empty());
  CHECK(promises(found->schedule));
  CHECK(found->schedule.limits.settle >= schedule.limits.settle);
  CHECK(found->schedule.limits.settle_quiet >= schedule.limits.settle_quiet);
}

TEST_CASE("shrink: where repairs must come to an end, faults that had one keep it") {
  Schedule schedule = load("seed/t0-t5.yaml", 1, "merkle");
  const auto crash = std::ranges::find(schedule.timeline, "T1", &Step::label);
  REQUIRE(crash != schedule.timeline.end());
  for (const std::string what : {"replicas-converge", "no-stale-read"}) {
    CAPTURE(what);
    const Signature signature{.what = what, .role = {}, .shape = {}};
    Workers workers({.count = 1}, fails_with("crash", signature));
    const auto found = shrink(schedule, signature, words(), workers);
    REQUIRE(found.has_value());
    const std::string small = to_short_yaml(found->schedule, words());
    CAPTURE(small);
    CHECK(small.find("crash") != std::string::npos);
    // A replica that is dead for good agrees with nobody, and that is nothing new.
    CHECK((small.find("restart") != std::string::npos) == (what == "replicas-converge"));
  }
}

TEST_CASE("shrink: T0-T5 without sync is three nodes, a key, a crash and a restart") {
  const Schedule schedule = load("seed/t0-t5.yaml", 1, "none");
  const Signature signature = first_failure(schedule);
  CAPTURE(to_text(signature));
  Workers workers({.count = 2}, trial_work({.expectations = false}));
  const auto found = shrink(schedule, signature, words(), workers);
  REQUIRE(found.has_value());
  const ScheduleSize size = size_of(found->schedule);
  MESSAGE(found->runs << " runs\n" << to_yaml(found->schedule));
  CHECK(found->minimal);
  CHECK(size.nodes <= 3);
  CHECK(size.keys == 1);
  CHECK(size.faults <= 2);
  check_minimal(found->schedule, signature);

  Workers one({.count = 1}, trial_work({.expectations = false}));
  const auto again = shrink(schedule, signature, words(), one);
  REQUIRE(again.has_value());
  CHECK(to_yaml(again->schedule) == to_yaml(found->schedule));
  CHECK(again->runs == found->runs);
}

TEST_CASE("shrink: of partition-rejoin without sync is left what T0-T5 is made of") {
  Workers workers({.count = 2}, trial_work({.expectations = false}));
  std::uint64_t last = 0;
  // The first two, and from 43 on: there, writes that take seven seconds come before the one that
  // is missed.
  for (const std::uint64_t from : {1u, 4u, 43u}) {
    const auto failure = stale_read_from(from);
    REQUIRE(failure.has_value());
    const auto& [schedule, signature] = *failure;
    CAPTURE(schedule.seed);
    REQUIRE(schedule.seed > last);
    last = schedule.seed;
    const auto found = shrink(schedule, signature, words(), workers);
    REQUIRE(found.has_value());
    CAPTURE(to_short_yaml(found->schedule, words()));
    const ScheduleSize size = size_of(found->schedule);
    CHECK(found->minimal);
    CHECK(size.nodes <= 3);
    CHECK(size.keys == 1);
    CHECK(size.faults == 1);  // a crash that ends with a restart, or a restart on an empty disk
    CHECK(size.operations <= 3);
    check_minimal(found->schedule, signature);
  }
}

TEST_CASE(
    "shrink: a failure that smaller schedules show only now and then gives back what is sure") {
  // A crash that depends on something else than the schedule: of what is smaller, every second run.
  const Schedule schedule = load("seed/t0-t5.yaml", 1, "none");
  const Bytes whole = task_of_schedule(schedule);
  Workers workers({.count = 1}, [whole, n = 0](ByteView task) mutable {
    if (std::ranges::equal(task, whole) || ++n % 2 == 1) {
      std::fputs("x.cpp:1: CHECK failed: aligned\n", stderr);
      std::abort();
    }
    return Bytes(encode(Trial{}));
  });
  const Signature signature = crash_signature("x.cpp:1: CHECK failed: aligned\n", "");
  const auto found = shrink(schedule, signature, words(), workers, {.runs_max = 50});
  REQUIRE(found.has_value());
  CHECK(found->trial.shows(signature));
  CHECK(size_of(found->schedule).steps <= size_of(schedule).steps);
}

TEST_CASE("shrink: an end before anything could be left out gives back what there was") {
  const Schedule schedule = load("fuzz/partition-rejoin.yaml", 3, "none");
  const Trial trial = run_trial(schedule, {.expectations = false});
  REQUIRE(trial.failed());
  Workers workers({.count = 1}, trial_work({.expectations = false}));
  const auto found = shrink(schedule, trial.signatures.front(), words(), workers, {.runs_max = 1});
  REQUIRE(found.has_value());
  CHECK_FALSE(found->minimal);
  CHECK(weight_of(found->schedule) <= weight_of(schedule));
}

TEST_CASE("shrink: what does not fail in that way is not shrunk") {
  Workers workers({.count = 1}, trial_work({.expectations = false}));
  const Schedule schedule = load("seed/t0-t5.yaml", 1, "none");
  CHECK_FALSE(
      shrink(schedule, {.what = "raft-election-safety", .role = {}, .shape = {}}, words(), workers)
          .has_value());
}

}  // namespace rejoin::sim
