// Each planted bug of Raft and the claim that it breaks. Built twice: against the protocol as it
// ships, where every claim holds, and (raft_hunt_test) against the sources with planted bugs, where
// each claim fails under its bug and holds without.
#include <doctest/doctest.h>

#include <string_view>

#include "model/mutant.hpp"
#include "raft_world.hpp"

namespace rejoin::raft {
namespace {

RaftOptions one_entry_at_a_time() {
  RaftOptions options;
  options.entries_per_append = 1;
  return options;
}

RaftOptions voters_at_once() {
  RaftOptions options;
  options.learners = false;
  return options;
}

bool judge(RaftWorld& world) {
  return world.violations().empty();
}

// Raft, figure 8: an old entry reaches three of five servers and is overwritten later.
bool figure_8() {
  RaftOptions options = one_entry_at_a_time();
  options.pre_vote = false;
  RaftWorld world(options);
  world.found({1, 2, 3, 4, 5});
  const auto vote_for = [&](std::uint32_t candidate, std::set<std::uint32_t> voters) {
    world.elapse(1s);
    world.timeout(candidate);
    world.persist(candidate);
    for (const std::uint32_t voter : voters) {
      CHECK(world.deliver(candidate, voter));
      world.persist(voter);
    }
    for (const std::uint32_t voter : voters) CHECK(world.deliver(voter, candidate));
    CHECK(world.core(candidate).role() == Role::leader);
  };
  // (a) Server 1 leads term 2; its entry reaches server 2 alone.
  vote_for(1, {2, 3});
  world.persist(1);
  CHECK(world.deliver(1, 2));
  world.persist(2);
  world.drop_all();
  world.crash(1);
  // (b) Server 5 leads term 3 with the votes of 3 and 4 and keeps its entry to itself.
  world.elapse(1s);
  world.timeout(5);
  world.persist(5);
  CHECK(world.deliver(5, 3));
  world.persist(3);
  world.drop_all();
  // Server 3 knew term 2 already: the second try is in term 3.
  world.crash(5);
  world.restart(5);
  vote_for(5, {3, 4});
  world.persist(5);
  world.drop_all();
  const Term rival = world.core(5).term();
  world.crash(5);
  // (c) Server 1 is back, leads, and gives its old entry, but not its new one, to server 3.
  world.restart(1);
  while (world.core(1).term() < rival) {
    world.elapse(1s);
    world.timeout(1);
    world.persist(1);
    world.drop_all();
  }
  vote_for(1, {2, 3});
  world.persist(1);
  CHECK(world.deliver(1, 3));  // the new one: refused, server 3 lacks the old one
  world.persist(3);
  CHECK(world.deliver(3, 1));
  CHECK(world.deliver(1, 3));  // the old one
  world.persist(3);
  CHECK(world.deliver(3, 1));
  CHECK(world.core(3).log().last_index() == LogIndex(2));
  CHECK(world.deliver(1, 2));  // server 2 has the old one, too
  world.persist(2);
  CHECK(world.deliver(2, 1));  // three of five hold it now
  world.drop_all();
  // (d) Server 5 wins with the later entry and overwrites.
  world.crash(1);
  world.restart(5);
  while (world.core(5).term() < world.core(2).term() ||
         world.core(5).term() < world.core(3).term()) {
    world.elapse(1s);
    world.timeout(5);
    world.persist(5);
    world.drop_all();
  }
  vote_for(5, {3, 4});
  return judge(world);
}

// Ongaro, raft-dev, 10 July 2015.
bool changes_wait_for_a_commit_in_term() {
  RaftWorld world(voters_at_once());
  world.found({1, 2, 3, 4});
  world.add_empty(5);
  CHECK(world.elect(1));
  // Server 1 adds 5; only the two of them have that.
  CHECK(world.add(1, 5).index.has_value());
  world.settle({1, 5});
  CHECK(world.core(5).configuration().servers.size() == 5);
  // Server 2 leads the old four, without a commit of its own, and removes 1: the three are left.
  world.elapse(1s);
  world.timeout(2);
  for (const std::uint32_t voter : {3U, 4U}) CHECK(world.deliver(2, voter));  // pre-votes
  for (const std::uint32_t voter : {3U, 4U}) CHECK(world.deliver(voter, 2));
  world.persist(2);
  for (const std::uint32_t voter : {3U, 4U}) {
    CHECK(world.deliver(2, voter));
    world.persist(voter);
  }
  for (const std::uint32_t voter : {3U, 4U}) CHECK(world.deliver(voter, 2));
  CHECK(world.core(2).role() == Role::leader);
  (void)world.remove(2, 1);
  world.settle({2, 3});
  // Server 1 still counts five: 4 and 5 are enough.
  world.drop_all();
  bool elected = false;  // it first finds that it has no quorum, then that its term is old
  for (int i = 0; i < 4 && !elected; ++i) elected = world.elect(1, {1, 4, 5});
  CHECK(elected);
  return judge(world);
}

// Two changes under way at once: {1, 2, 3} and {1, 2, 3, 4, 5} have quorums that do not meet.
bool one_change_at_a_time() {
  RaftWorld world(voters_at_once());
  world.found({1, 2, 3});
  world.add_empty(4);
  world.add_empty(5);
  CHECK(world.elect(1));
  CHECK(world.add(1, 4).index.has_value());
  (void)world.add(1, 5);
  world.settle({1, 4, 5});
  // The two that heard nothing are a quorum of the old configuration.
  (void)world.elect(2, {2, 3});
  return judge(world);
}

bool a_cut_off_leader_steps_down() {
  RaftWorld world;
  world.found({1, 2, 3});
  CHECK(world.elect(1));
  world.run(1s, {1});
  return world.core(1).role() != Role::leader;
}

bool votes_go_to_complete_logs() {
  RaftOptions options;
  options.pre_vote = false;
  RaftWorld world(options);
  world.found({1, 2, 3});
  CHECK(world.elect(1));
  CHECK(world.propose(1, "acknowledged").index.has_value());
  world.settle({1, 2});
  CHECK(world.state(1) == std::vector<std::string>{"acknowledged"});
  world.crash(1);
  (void)world.elect(3);
  return judge(world);
}

bool a_returning_server_leaves_the_leader() {
  RaftWorld world;
  world.found({1, 2, 3});
  CHECK(world.elect(1));
  const Term term = world.core(1).term();
  for (int i = 0; i < 5; ++i) {
    world.timeout(3);
    world.persist(3);
    world.drop_all();
    world.run(100ms, {1, 2});
  }
  world.run(2s);
  return world.core(1).role() == Role::leader && world.core(1).term() == term;
}

bool a_vote_survives_a_crash() {
  RaftOptions options;
  options.pre_vote = false;
  RaftWorld world(options);
  world.found({1, 2, 3});
  world.timeout(1);
  world.timeout(3);
  world.persist(1);
  world.persist(3);
  // Server 2 votes for 1 and crashes before that is on its disk.
  CHECK(world.deliver(1, 2));
  world.crash(2);
  world.restart(2);
  CHECK(world.deliver(3, 2));
  world.persist(2);
  world.drop(1, 3);
  world.drop(3, 1);
  world.settle();
  CHECK(world.core(3).role() == Role::leader);
  return judge(world);
}

void claim(bool (*holds)(), [[maybe_unused]] std::string_view bug) {
  CHECK(holds());
#ifdef REJOIN_HUNT
  REQUIRE(plant_mutant(bug));
  const bool survived = holds();
  plant_mutant({});
  CHECK_MESSAGE(!survived, "nobody notices " << std::string(bug));
#endif
}

TEST_CASE(
    "an entry of an earlier term is never committed by counting (kills raft-commit-old-term)") {
  claim(&figure_8, "raft-commit-old-term");
}
TEST_CASE("a leader changes nothing before it committed (kills raft-config-before-commit)") {
  claim(&changes_wait_for_a_commit_in_term, "raft-config-before-commit");
}
TEST_CASE("one configuration change at a time (kills raft-config-overlap)") {
  claim(&one_change_at_a_time, "raft-config-overlap");
}
TEST_CASE("a leader without a quorum steps down (kills raft-no-check-quorum)") {
  claim(&a_cut_off_leader_steps_down, "raft-no-check-quorum");
}
TEST_CASE("a server whose log is behind is not elected (kills raft-no-log-check)") {
  claim(&votes_go_to_complete_logs, "raft-no-log-check");
}
TEST_CASE("a server that was cut off does not depose the leader (kills raft-no-pre-vote)") {
  claim(&a_returning_server_leaves_the_leader, "raft-no-pre-vote");
}
TEST_CASE("nobody votes twice in a term across a crash (kills raft-vote-not-synced)") {
  claim(&a_vote_survives_a_crash, "raft-vote-not-synced");
}

}  // namespace
}  // namespace rejoin::raft
