// What people write by mistake, and exactly what they are told.
#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

TEST_CASE("an unknown key is pointed at, with the nearest name and all that are known") {
  CHECK(complaints(with_timeline(R"(raft: { heartbeet: 50ms })")) ==
        R"(t.yaml:2:9: error: unknown key `heartbeet` in `raft`
  2 | raft: { heartbeet: 50ms }
    |         ^
  hint: did you mean `heartbeat`? known here: appends-in-flight, check-quorum, election, entries-per-append, heartbeat, learners, pre-vote, snapshot-chunk, snapshot-entries, trailing-entries, voters-max
)");
}

TEST_CASE("an unknown key of the file itself is") {
  CHECK(complaints(with_timeline(R"(membrship: {})")) ==
        R"(t.yaml:2:1: error: unknown key `membrship` in a scenario
  2 | membrship: {}
    | ^
  hint: did you mean `membership`? known here: about, check, client, cluster, conflict, coordinator, disk, expect, extends, fetch, fifo, format, found, gate, host, limits, membership, name, nemesis, network, profile, raft, seed, store, sync, thresholds, timeline, tombstones, topology, trials, versions
)");
}

TEST_CASE("a number where a duration is due is told which units there are") {
  CHECK(complaints(with_timeline(R"(membership: { interval: 5 })")) ==
        R"(t.yaml:2:25: error: `interval` takes a duration such as 20s, 1h30m or 250us, not `5`
  2 | membership: { interval: 5 }
    |                         ^
  hint: the unit is missing: 5s or 5ms?
)");
}

TEST_CASE("a range the wrong way round is refused") {
  CHECK(
      complaints(with_timeline(R"(raft: { election: 300ms..150ms })")) ==
      R"(t.yaml:2:19: error: `election` takes a range from the smaller to the larger, such as 150ms..300ms, not `300ms..150ms`
  2 | raft: { election: 300ms..150ms }
    |                   ^
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: key-9..key-1 }
)")) == R"(t.yaml:3:25: error: the range `key-9..key-1` is the wrong way round
  3 |   - { label: T0, write: key-9..key-1 }
    |                         ^
  hint: write the smaller number first
)");
  CHECK(complaints(with_timeline(R"(client: { timeout: { pick: 9s..3s } })")) ==
        R"(t.yaml:2:28: error: the range `9s..3s` is the wrong way round
  2 | client: { timeout: { pick: 9s..3s } }
    |                            ^
  hint: write the smaller value first
)");
}

TEST_CASE("numbers have bounds and no leading zeros") {
  CHECK(complaints(with_timeline(R"(cluster: { nodes: 1000001 })")) ==
        R"(t.yaml:2:19: error: `nodes` is at most 1000000, not `1000001`
  2 | cluster: { nodes: 1000001 }
    |                   ^
)");
  CHECK(
      complaints(with_timeline(R"(cluster: { nodes: 010 })")) ==
      R"(t.yaml:2:19: error: `nodes` takes a whole number such as 3, without leading zeros, not `010`
  2 | cluster: { nodes: 010 }
    |                   ^
)");
  CHECK(complaints(with_timeline(R"(raft: { heartbeat: 0s })")) ==
        R"(t.yaml:2:20: error: `heartbeat` is at least 1ms, not `0s`
  2 | raft: { heartbeat: 0s }
    |                    ^
)");
  CHECK(complaints(with_timeline(R"(cluster: { nodes: 3, founders: 4 })")) ==
        R"(t.yaml:2:32: error: more founders than nodes: 4 of 3
  2 | cluster: { nodes: 3, founders: 4 }
    |                                ^
)");
}

TEST_CASE("a value of the wrong kind is named") {
  CHECK(complaints(with_timeline(R"(raft: [heartbeat])")) ==
        R"(t.yaml:2:7: error: `raft` takes a map, not a list
  2 | raft: [heartbeat]
    |       ^
)");
  CHECK(complaints(with_timeline(R"(raft: { heartbeat: [50ms] })")) ==
        R"(t.yaml:2:20: error: `heartbeat` takes a duration such as 20s, 1h30m or 250us, not a list
  2 | raft: { heartbeat: [50ms] }
    |                    ^
)");
  CHECK(complaints(with_timeline(R"(raft: { pre-vote: off })")) ==
        R"(t.yaml:2:19: error: `pre-vote` takes true or false, not `off`
  2 | raft: { pre-vote: off }
    |                   ^
)");
  CHECK(
      complaints(with_timeline(R"(network: { loss: 150% })")) ==
      R"(t.yaml:2:18: error: `loss` takes a share such as 10% or 0.1, at least 0 and at most 1, not `150%`
  2 | network: { loss: 150% }
    |                  ^
)");
  CHECK(complaints(with_timeline(R"(network: { bandwidth: 100 })")) ==
        R"(t.yaml:2:23: error: `bandwidth` takes a size such as 64KiB or 100MB, not `100`
  2 | network: { bandwidth: 100 }
    |                       ^
  hint: the unit is missing: 100B or 100KiB?
)");
  CHECK(complaints(with_timeline(R"(client: { write: quorm })")) ==
        R"(t.yaml:2:18: error: `write` takes one, quorum, all, 2, 3, 4 or 5, not `quorm`
  2 | client: { write: quorm }
    |                  ^
  hint: did you mean `quorum`?
)");
  CHECK(complaints(with_timeline(R"(network: { latency: { exponental: 1ms } })")) ==
        R"(t.yaml:2:23: error: unknown key `exponental` in `latency`
  2 | network: { latency: { exponental: 1ms } }
    |                       ^
  hint: did you mean `exponential`? known here: cap, constant, exponential, floor, histogram, log-normal, mixture, normal, pareto, uniform
)");
  CHECK(
      complaints(with_timeline(R"(seed:)")) ==
      R"(t.yaml:2:1: error: `seed` takes a whole number such as 3, without leading zeros, not nothing
  2 | seed:
    | ^
)");
}

TEST_CASE("duplicate keys are refused, however they are spelled") {
  CHECK(complaints(with_timeline(R"(seed: 1
seed: 2)")) == R"(t.yaml:3:1: error: duplicate key `seed`
  3 | seed: 2
    | ^
  hint: `-` and `_` are alike; keep one of them
)");
  CHECK(
      complaints(with_timeline(R"(network: { latency-by-purpose: {}, latency_by_purpose: {} })")) ==
      R"(t.yaml:2:36: error: duplicate key `latency_by_purpose`
  2 | network: { latency-by-purpose: {}, latency_by_purpose: {} }
    |                                    ^
  hint: `-` and `_` are alike; keep one of them
)");
}

TEST_CASE("a merge key is refused with a hint to extends") {
  CHECK(complaints(with_timeline(R"(x-a: &a { seed: 1 }
<<: *a)")) == R"(t.yaml:3:1: error: merge keys (`<<`) are not supported
  3 | <<: *a
    | ^
  hint: write `extends: FILE` to build on another file
)");
}

TEST_CASE("an unknown mechanism is told all that are known") {
  CHECK(complaints(with_timeline(R"(sync: rejon-sync)")) ==
        R"(t.yaml:2:7: error: unknown mechanism `rejon-sync`
  2 | sync: rejon-sync
    |       ^
  hint: did you mean `rejoin-sync`? known here: hook-copy, none, rejoin-sync
)");
  CHECK(complaints(with_timeline(R"(sync: hook-copy+none)")) ==
        R"(t.yaml:2:7: error: `none` stands alone: it is the absence of mechanisms
  2 | sync: hook-copy+none
    |       ^
)");
  CHECK(complaints(with_timeline(R"(sync: { rejoin-sync: { sorce: all } })")) ==
        R"(t.yaml:2:24: error: unknown key `sorce` in `rejoin-sync`
  2 | sync: { rejoin-sync: { sorce: all } }
    |                        ^
  hint: did you mean `source`? known here: source, delay
)");
  CHECK(complaints(with_timeline(R"(sync: { rejoin-sync: { source: freshst } })")) ==
        R"(t.yaml:2:32: error: `source` takes freshest, one or all, not `freshst`
  2 | sync: { rejoin-sync: { source: freshst } }
    |                                ^
  hint: did you mean `freshest`?
)");
}

TEST_CASE("names of plugins and metrics are checked") {
  CHECK(complaints(with_timeline(R"(check: [no-stale-reed])")) ==
        R"(t.yaml:2:9: error: unknown invariant `no-stale-reed`
  2 | check: [no-stale-reed]
    |         ^
  hint: did you mean `no-stale-read`? known here: bounded-staleness, no-stale-read, replicas-converge
)");
  CHECK(complaints(with_timeline(R"(expect: { metrics: { missing-read: 1 } })")) ==
        R"(t.yaml:2:22: error: unknown metric `missing-read`
  2 | expect: { metrics: { missing-read: 1 } }
    |                      ^
  hint: did you mean `missing_reads`? known here: missing_reads, repair_bytes
)");
  CHECK(complaints(with_timeline(R"(cluster: { placement: ring })")) ==
        R"(t.yaml:2:23: error: unknown placement `ring`
  2 | cluster: { placement: ring }
    |                       ^
  hint: known here: rendezvous
)");
  CHECK(complaints(with_timeline(R"(expect: { violates: [x] })")) ==
        R"(t.yaml:2:22: error: unknown invariant `x`
  2 | expect: { violates: [x] }
    |                      ^
  hint: known here: bounded-staleness, no-stale-read, replicas-converge
)");
}

TEST_CASE("a node that does not exist is refused wherever it is named") {
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: node-4 }
)")) == R"(t.yaml:3:25: error: there is no node-4
  3 |   - { label: T0, crash: node-4 }
    |                         ^
  hint: the cluster has node-1 to node-3
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: { keys: key-1, via: node-9 } }
)")) == R"(t.yaml:3:45: error: there is no node-9
  3 |   - { label: T0, write: { keys: key-1, via: node-9 } }
    |                                             ^
  hint: the cluster has node-1 to node-3
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, when: { removed: node-7 } }
)")) == R"(t.yaml:3:35: error: there is no node-7
  3 |   - { label: T0, when: { removed: node-7 } }
    |                                   ^
  hint: the cluster has node-1 to node-3
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, partition: [[node-1], [node-2, node-5]] }
)")) == R"(t.yaml:3:49: error: there is no node-5
  3 |   - { label: T0, partition: [[node-1], [node-2, node-5]] }
    |                                                 ^
  hint: the cluster has node-1 to node-3
)");
}

TEST_CASE("a key that no step writes is refused") {
  CHECK(complaints(with_steps(R"(  - { label: T0, write: key-1..key-9 }
  - { label: T1, read: { key: key-10 } }
)")) == R"(t.yaml:4:31: error: there is no key `key-10`: no step writes it
  4 |   - { label: T1, read: { key: key-10 } }
    |                               ^
)");
}

TEST_CASE("steps are checked") {
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: node-1, at: 1s, after: 2s }
)")) == R"(t.yaml:3:41: error: a second trigger: `at` and `after` in one step
  3 |   - { label: T0, crash: node-1, at: 1s, after: 2s }
    |                                         ^
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: node-1, heal: true }
)")) == R"(t.yaml:3:33: error: a second action: `crash` and `heal` in one step
  3 |   - { label: T0, crash: node-1, heal: true }
    |                                 ^
  hint: write a step for each
)");
  CHECK(complaints(with_steps(R"(  - { label: T0 }
)")) == R"(t.yaml:3:5: error: a step that neither waits nor does anything
  3 |   - { label: T0 }
    |     ^
  hint: write an action, or `at`, `after` or `when`
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, heal: true }
  - { label: t0, heal: true }
)")) == R"(t.yaml:4:14: error: a second step with the label `t0`
  4 |   - { label: t0, heal: true }
    |              ^
  hint: labels are unique; `-`, `_` and case do not tell them apart
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crsh: node-1 }
)")) == R"(t.yaml:3:18: error: unknown action or key `crsh` in a step
  3 |   - { label: T0, crsh: node-1 }
    |                  ^
  hint: did you mean `crash`? known here: add, after, at, background, clock, crash, delete, discard, end, expect, for, heal, increment, label, may-miss, overwrite, partition, read, remove, restart, rot, set, wait, when, workload, write
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, when: { started: T7 }, heal: true }
)")) == R"(t.yaml:3:35: error: no step has the label `T7`
  3 |   - { label: T0, when: { started: T7 }, heal: true }
    |                                   ^
  hint: did you mean `T0`? known here: T0
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, when: { quite: 5s } }
)")) == R"(t.yaml:3:26: error: unknown key `quite` in `when`
  3 |   - { label: T0, when: { quite: 5s } }
    |                          ^
  hint: did you mean `quiet`? known here: committed, crashed, ended, gate-opened, halted, hook-fired, joined, leader, quiet, rebalanced, removed, repair-completed, repair-started, started, storage-corrupt, sync-completed, sync-requested, upgraded
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: key-1, expect: value }
)")) == R"(t.yaml:3:40: error: `expect` takes ok, not `value`
  3 |   - { label: T0, write: key-1, expect: value }
    |                                        ^
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: { keys: key-1, direct: true } }
)")) == R"(t.yaml:3:18: error: `direct` is for reads: a write goes through a coordinator
  3 |   - { label: T0, write: { keys: key-1, direct: true } }
    |                  ^
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: { keys: key-1, clients: 2 } }
)")) == R"(t.yaml:3:49: error: `clients` is a number from 1 to 1, not `2`
  3 |   - { label: T0, write: { keys: key-1, clients: 2 } }
    |                                                 ^
  hint: cluster.clients says how many there are
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: { wipe: true } }
)")) == R"(t.yaml:3:18: error: `crash` needs `target`: for tests
  3 |   - { label: T0, crash: { wipe: true } }
    |                  ^
t.yaml:3:27: error: unknown key `wipe` in `crash`
  3 |   - { label: T0, crash: { wipe: true } }
    |                           ^
  hint: known here: target
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, remove: true }
)")) == R"(t.yaml:3:18: error: there is no inherited step to remove
  3 |   - { label: T0, remove: true }
    |                  ^
)");
  CHECK(complaints(with_steps(R"(  - { label: a.b, heal: true }
)")) == R"(t.yaml:3:14: error: a label is a name of letters, digits and `-`, not `a.b`
  3 |   - { label: a.b, heal: true }
    |              ^
)");
}

TEST_CASE("the format must be said, and be one that is known") {
  CHECK(complaints(R"(timeline: [{ label: T0, write: key-1 }]
)") == R"(t.yaml:1:1: error: the file does not say its `format`
  1 | timeline: [{ label: T0, write: key-1 }]
    | ^
  hint: begin it with `format: 1`
)");
  CHECK(complaints(R"(format: 2
timeline: [{ label: T0, write: key-1 }]
)") == R"(t.yaml:1:9: error: the file has format 2, and this rejoin reads format 1
  1 | format: 2
    |         ^
  hint: a newer rejoin reads it; nothing of it was read here
)");
  CHECK(complaints(R"(format: 0
tmeline: [1]
)") == R"(t.yaml:1:9: error: the file has format 0, and this rejoin reads format 1
  1 | format: 0
    |         ^
  hint: formats begin with 1
)");
  CHECK(complaints(R"(format: one
)") == R"(t.yaml:1:9: error: `format` takes 1, not `one`
  1 | format: one
    |         ^
)");
  CHECK(complaints(R"(format: [1]
)") == R"(t.yaml:1:9: error: `format` takes 1, not a list
  1 | format: [1]
    |         ^
)");
}

TEST_CASE("what is no scenario is refused") {
  CHECK(complaints(R"()") == R"(t.yaml: error: there is nothing in it
  hint: a scenario begins with `format: 1`
)");
  CHECK(complaints(R"(- 1
)") == R"(t.yaml:1:1: error: a scenario is a map of keys, not a list
  1 | - 1
    | ^
)");
  CHECK(complaints(R"(format: 1
)") == R"(t.yaml:1:1: error: a scenario needs a `timeline`
  1 | format: 1
    | ^
)");
  CHECK(complaints(R"(format: 1
---
format: 1
)") == R"(t.yaml:2:1: error: a second document begins here
  2 | ---
    | ^
  hint: a scenario file is one document: remove the `---`
)");
  CHECK(complaints(R"(format: 1
raft: { heartbeat: 1s
)") == R"(t.yaml:3:1: error: not valid YAML: end of map flow not found
)");
  CHECK(complaints("format: 1\n\tseed: 1\n") == R"(t.yaml:2:1: error: a tab in the indentation
  2 |  seed: 1
    | ^
  hint: indent with spaces
)");
  CHECK(complaints(R"(format: !!int 1
)") == R"(t.yaml:1:9: error: the tag `tag:yaml.org,2002:int` has no meaning here
  1 | format: !!int 1
    |         ^
  hint: remove it
)");
  CHECK(complaints(R"(format: 1
seed: *nobody
)") == R"(t.yaml:2:7: error: not valid YAML: the referenced anchor is not defined
  2 | seed: *nobody
    |       ^
)");
  CHECK(complaints(R"(format: 1
? [a]
: 1
)") == R"(t.yaml:2:3: error: a list or map as a key
  2 | ? [a]
    |   ^
)");
}

TEST_CASE("a pick that is neither range nor list is refused") {
  CHECK(
      complaints(with_timeline(R"(client: { timeout: { pick: soon } })")) ==
      R"(t.yaml:2:28: error: `pick` takes a range such as 10s..60s, 1..5 or node-1..node-3, or a list such as [3, 5, 7], not `soon`
  2 | client: { timeout: { pick: soon } }
    |                            ^
)");
  CHECK(
      complaints(with_timeline(R"(client: { timeout: { pick: [] } })")) ==
      R"(t.yaml:2:28: error: `pick` takes a range such as 10s..60s, 1..5 or node-1..node-3, or a list such as [3, 5, 7], not a list
  2 | client: { timeout: { pick: [] } }
    |                            ^
)");
}

TEST_CASE("each alternative of a pick is checked, not only that of the seed") {
  CHECK(complaints(with_timeline(R"(client: { timeout: { pick: [1s, 2s, 3] } })")) ==
        R"(t.yaml:2:37: error: `timeout` takes a duration such as 20s, 1h30m or 250us, not `3`
  2 | client: { timeout: { pick: [1s, 2s, 3] } }
    |                                     ^
  hint: the unit is missing: 3s or 3ms?
)");
}

TEST_CASE("overrides are checked like files") {
  CHECK(complaints(with_timeline("seed: 1"), {{"raft.heartbeet", "1s"}}) ==
        R"(--set raft.heartbeet=1s: error: unknown key `heartbeet` in `raft`
  hint: did you mean `heartbeat`? known here: appends-in-flight, check-quorum, election, entries-per-append, heartbeat, learners, pre-vote, snapshot-chunk, snapshot-entries, trailing-entries, voters-max
)");
  CHECK(complaints(with_timeline("seed: 1"), {{"timeline.T9.at", "3s"}}) ==
        R"(--set timeline.T9.at=3s: error: no step has the label `T9`
  hint: did you mean `T0`? known here: T0
)");
  CHECK(complaints(with_timeline("seed: 1"), {{"timeline.T0.wrte", "key-1"}}) ==
        R"(--set timeline.T0.wrte=key-1: error: unknown action or key `wrte` in a step
  hint: did you mean `write`? known here: add, after, at, background, clock, crash, delete, discard, end, expect, for, heal, increment, label, may-miss, overwrite, partition, read, remove, restart, rot, set, wait, when, workload, write
)");
  CHECK(complaints(with_timeline("seed: 1"), {{"sync", "rejon-sync"}}) ==
        R"(--set sync=rejon-sync: error: unknown mechanism `rejon-sync`
  hint: did you mean `rejoin-sync`? known here: hook-copy, none, rejoin-sync
)");
  CHECK(
      complaints(with_timeline("seed: 1"), {{"sync.rejoin-sync.source", "one"}}) ==
      R"(--set sync.rejoin-sync.source=one: error: the scenario does not use the mechanism `rejoin-sync`
  hint: it has sync: none
)");
  CHECK(complaints(with_timeline("seed: 1"), {{"raft..x", "1"}}) ==
        R"(--set raft..x=1: error: `raft..x` is no path
  hint: a path is keys joined by dots, such as timeline.T4.after
)");
  CHECK(complaints(with_timeline("seed: 1"), {{"raft.heartbeat", "{"}}) ==
        R"(--set raft.heartbeat={: error: a list or map as a key
)");
  CHECK(complaints(with_timeline("seed: 1"), {{"extends", "x.yaml"}}) ==
        R"(--set extends=x.yaml: error: `extends` cannot be set
)");
}

TEST_CASE("hosts that are not there are refused, each at its own place") {
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: [leader, client-2] }
)")) == R"(t.yaml:3:34: error: there is no client-2
  3 |   - { label: T0, crash: [leader, client-2] }
    |                                  ^
  hint: the cluster has client-1 to client-1 (cluster.clients)
)");
  CHECK(
      complaints(with_steps(R"(  - { label: T0, crash: ledaer }
)")) ==
      R"(t.yaml:3:25: error: `target` takes a host: node-3, client-1, leader, follower, member, majority, minority, random, random(2), owner(KEY), owners(KEY), zone(SITE), twin(NODE), followers, members, nodes, clients, all or others, not `ledaer`
  3 |   - { label: T0, crash: ledaer }
    |                         ^
  hint: did you mean `leader`?
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: random(4) }
)")) == R"(t.yaml:3:25: error: `random(4)` of 3 nodes
  3 |   - { label: T0, crash: random(4) }
    |                         ^
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: zone(eu) }
)")) == R"(t.yaml:3:25: error: there is no site `eu`
  3 |   - { label: T0, crash: zone(eu) }
    |                         ^
  hint: the scenario has no `topology`
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: key-1 }
  - { label: T1, crash: owner(key-2) }
)")) == R"(t.yaml:4:25: error: there is no key `key-2`: no step writes it
  4 |   - { label: T1, crash: owner(key-2) }
    |                         ^
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: others }
)")) == R"(t.yaml:3:25: error: `others` are those that no other set names: it needs sets
  3 |   - { label: T0, crash: others }
    |                         ^
  hint: such as partition: [[node-1], [others]]
)");
}

TEST_CASE("a fault of disks is refused on clients, which have none") {
  CHECK(complaints(with_steps(R"(  - { label: T0, rot: [node-1, client-1] }
)")) == R"(t.yaml:3:32: error: `rot` needs a disk, and clients have none
  3 |   - { label: T0, rot: [node-1, client-1] }
    |                                ^
  hint: `nodes` is every node
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, rot: all }
)")) == R"(t.yaml:3:23: error: `rot` needs a disk, and clients have none
  3 |   - { label: T0, rot: all }
    |                       ^
  hint: `nodes` is every node
)");
}

TEST_CASE("what does not last takes no duration and has no end") {
  CHECK(complaints(with_steps(R"(  - { label: T0, heal: true, for: 5s }
)")) == R"(t.yaml:3:30: error: `heal` does not last, so it takes no `for`
  3 |   - { label: T0, heal: true, for: 5s }
    |                              ^
  hint: faults that last: clock, crash, partition
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: key-1, for: 5s }
)")) == R"(t.yaml:3:37: error: `for` goes with faults only
  3 |   - { label: T0, write: key-1, for: 5s }
    |                                     ^
  hint: `after` in the next step is how long an operation is waited for
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: key-1, may-miss: true }
)")) == R"(t.yaml:3:42: error: `may-miss` goes with faults only
  3 |   - { label: T0, write: key-1, may-miss: true }
    |                                          ^
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: node-1, for: 0s }
)")) == R"(t.yaml:3:38: error: `for` must be above zero, not `0s`
  3 |   - { label: T0, crash: node-1, for: 0s }
    |                                      ^
  hint: a fault without `for` lasts until the end, or until `end: LABEL`
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, restart: node-1 }
  - { label: T1, end: T0 }
)")) == R"(t.yaml:4:23: error: `restart` of step `T0` does not last: it has no end
  4 |   - { label: T1, end: T0 }
    |                       ^
  hint: faults that last: clock, crash, partition
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, write: key-1 }
  - { label: T1, end: t0 }
)")) == R"(t.yaml:4:23: error: step `T0` injects no fault that could end
  4 |   - { label: T1, end: t0 }
    |                       ^
  hint: faults that last: clock, crash, partition
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: node-1 }
  - { label: T1, end: T9 }
)")) == R"(t.yaml:4:23: error: no step has the label `T9`
  4 |   - { label: T1, end: T9 }
    |                       ^
  hint: did you mean `T0`? known here: T0, T1
)");
  CHECK(complaints(with_steps(R"(  - { label: T0, crash: node-1 }
  - { label: T1, when: { ended: T0 } }
)")) == R"(t.yaml:4:33: error: nothing ends the fault of step `T0`
  4 |   - { label: T1, when: { ended: T0 } }
    |                                 ^
  hint: give it a duration, such as `for: 5s`, or write a step `end: T0`
)");
}

TEST_CASE("offsets and rates are told apart from durations and shares") {
  CHECK(
      complaints(with_steps(R"(  - { label: T0, clock: { target: node-1, offset: 5 } }
)")) ==
      R"(t.yaml:3:51: error: `offset` takes a duration with or without a sign, such as -5s or 250ms, not `5`
  3 |   - { label: T0, clock: { target: node-1, offset: 5 } }
    |                                                   ^
  hint: the unit is missing: 5s or 5ms?
)");
  CHECK(
      complaints(with_steps(R"(  - { label: T0, clock: { target: node-1, rate: -100% } }
)")) ==
      R"(t.yaml:3:49: error: `rate` takes a rate such as +200ppm, -1% or 0.01, above -100% and up to +100%, not `-100%`
  3 |   - { label: T0, clock: { target: node-1, rate: -100% } }
    |                                                 ^
)");
  // What the fault itself finds wrong is placed at it.
  CHECK(complaints(with_steps(R"(  - { label: T0, clock: { target: node-1, offset: 2h } }
)")) == R"(t.yaml:3:18: error: `clock`: an offset of at most 1h
  3 |   - { label: T0, clock: { target: node-1, offset: 2h } }
    |                  ^
)");
}

TEST_CASE("parameters of invariants are checked like those of mechanisms") {
  CHECK(complaints(with_timeline("check: [{ bounded-staleness: { version: 2 } }]")) ==
        R"(t.yaml:2:32: error: unknown key `version` in `bounded-staleness`
  2 | check: [{ bounded-staleness: { version: 2 } }]
    |                                ^
  hint: did you mean `versions`? known here: versions, time
)");
  CHECK(complaints(with_timeline("check: [{ bounded-staleness: { time: 2 } }]"))
            .find("t.yaml:2:38: error: `time` takes a duration") == 0);
  CHECK(complaints(with_timeline("check: [{ no-stale-read: { versions: 2 } }]"))
            .find("error: unknown key `versions` in `no-stale-read`") != std::string::npos);
  CHECK(complaints(with_timeline("check: [{ bounded-staleness: 2 }]"))
            .find("`bounded-staleness` takes a map of parameters") != std::string::npos);
  CHECK(complaints(with_timeline("check: [{ bounded-stalenes: { versions: 2 } }]"))
            .find("unknown invariant `bounded-stalenes`") != std::string::npos);
  CHECK(complaints(with_timeline("check: [{ bounded-staleness: {} }, { bounded-staleness: {} }]"))
            .find("the invariant `bounded-staleness` twice") != std::string::npos);
  CHECK(
      complaints(with_timeline("check: no-stale-read"), {{"check.bounded-staleness.time", "1s"}}) ==
      R"(--set check.bounded-staleness.time=1s: error: the scenario does not check the invariant `bounded-staleness`
  hint: known here: no-stale-read
)");
  CHECK(complaints(with_timeline("expect: { violates: [{ bounded-staleness: {} }] }")) != "");
}
