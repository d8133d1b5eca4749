#include <doctest/doctest.h>

#include <cctype>
#include <map>
#include <sstream>

#include "protocols/sync/mechanism.hpp"
#include "tests/support/process.hpp"

namespace rejoin {

namespace {

const std::string kSeed = "scenarios/seed/t0-t5.yaml";

struct Mistake {
  std::vector<std::string> words;
  std::string err;
};

}  // namespace

TEST_CASE("wrong usage is refused with exit status 2, the nearest name and what is allowed") {
  const std::vector<Mistake> mistakes = {
      {{},
       "error: `rejoin` needs a command\n  hint: commands: run, validate, list, schema, fuzz, "
       "shrink, hunt, compare\n"},
      {{"rnu", kSeed},
       "error: `rejoin` has no command `rnu`\n"
       "  hint: did you mean `run`? commands: run, validate, list, schema, fuzz, shrink, hunt, "
       "compare\n"},
      {{"--versoin"},
       "error: `rejoin` has no flag `--versoin`\n"
       "  hint: did you mean `--version`? flags: --help, --version\n"},
      {{"run", kSeed, "--sede", "5"},
       "error: `rejoin run` has no flag `--sede`\n"
       "  hint: did you mean `--seed`? flags: --help, --seed, --set, --sync, --no-expect, "
       "--verify, --verify-with, --bisect, --trace, --from, --until, --format, --out, --open\n"},
      {{"run", kSeed, "--verifi=yes"},
       "error: `rejoin run` has no flag `--verifi`\n"
       "  hint: did you mean `--verify`? flags: --help, --seed, --set, --sync, --no-expect, "
       "--verify, --verify-with, --bisect, --trace, --from, --until, --format, --out, --open\n"},
      {{"run"},
       "error: `rejoin run` needs a scenario file\n"
       "  hint: rejoin run scenarios/seed/t0-t5.yaml\n"},
      {{"run", kSeed, "--seed", "x"},
       "error: --seed: `x` is not a seed\n"
       "  hint: a whole number from 0 to 18446744073709551615, or the hash of a commit\n"},
      {{"run", kSeed, "--seed", "18446744073709551616"},
       "error: --seed: `18446744073709551616` is not a seed\n"
       "  hint: a whole number from 0 to 18446744073709551615, or the hash of a commit\n"},
      {{"run", kSeed, "--seed=-1"},
       "error: --seed: `-1` is not a seed\n"
       "  hint: a whole number from 0 to 18446744073709551615, or the hash of a commit\n"},
      {{"run", kSeed, "--seed"},
       "error: --seed: 1 required TEXT missing\n  hint: rejoin run --help\n"},
      {{"run", kSeed, "--set", "sync"},
       "error: --set: `sync` is not PATH=VALUE\n  hint: as in --set timeline.T4.after=20s\n"},
      {{"run", kSeed, "--format", "jsn"},
       "error: --format: there is no format `jsn`\n"
       "  hint: did you mean `json`? formats: text, json\n"},
      {{"run", kSeed, "--from", "3s"},
       "error: --from and --until bound a trace\n  hint: add --trace\n"},
      {{"run", kSeed, "--trace", "--until", "5"},
       "error: --until: `5` is not a virtual time\n"
       "  hint: a duration such as 20s or 1h30m, from the start of the run\n"},
      {{"run", kSeed, "--trace", "nod=node-3"},
       "error: --trace: there is no filter `nod`\n"
       "  hint: did you mean `node`? filters: node, kind, purpose, key, group\n"},
      {{"run", kSeed, "--trace", "group=raft"},
       "error: --trace: `raft` is no group\n"
       "  hint: a group is a number; group=1 is the cluster's own\n"},
      {{"run", kSeed, "--out", "jsn=x"},
       "error: --out: there is no kind `jsn`\n"
       "  hint: did you mean `json`? kinds: text, json, schedule, edn, jsonl, html, csv, "
       "markdown, perfetto, shiviz, mermaid, svg\n"},
      {{"run", kSeed, "--out", "json="},
       "error: --out: `json=` names no file\n"
       "  hint: as in --out json=FILE, or --out json\n"},
      {{"run", kSeed, "--out", "json=-", "--out", "text=-"},
       "error: --out: two reports on standard output: json and text\n"},
      {{"run", kSeed, "--out", "json=x", "--out", "schedule=x"},
       "error: --out: two reports in `x`: json and schedule\n"},
      {{"run", kSeed, "--out", "json", "--out", "json"},
       "error: --out: two reports below results/: json and json\n"},
      {{"run", kSeed, "--format", "text", "--out", "json=-"},
       "error: --out json=- and --format both say what goes to standard output\n"
       "  hint: leave out --format\n"},
      {{"run", kSeed, "--out", "json=/nowhere/x"},
       "error: --out: cannot write `/nowhere/x`: No such file or directory\n"},
      {{"run", kSeed, "--out", "text=tests"},
       "error: --out: cannot write `tests`: Is a directory\n"},
      {{"run", kSeed, "--out", "schedule=" + kSeed},
       "error: --out: `" + kSeed + "` is a scenario that is to be run\n"},
      {{"run", kSeed, "--set", "trials=2", "--out", "schedule=-"},
       "error: --out: `-` holds one schedule, and these are 2 runs\n"
       "  hint: --out schedule writes each to a file of its own, below results/\n"},
      {{"run", kSeed, "--set", "trials=2", "--out", "edn=-"},
       "error: --out: `-` holds one history, and these are 2 runs\n"
       "  hint: --out edn writes each to a file of its own, below results/\n"},
      {{"run", kSeed, "--trace", "purpose=repairs"},
       "error: --trace: there is no purpose `repairs`\n"
       "  hint: did you mean `repair`? purposes: foreground, repair, membership, consensus\n"},
      {{"run", kSeed, "--trace", "node=node-9"},
       "error: --trace: there is no `node-9`\n"
       "  hint: node-1 to node-3, client-1 to client-1, world, or the address of a twin or of a "
       "node that moved: address-N\n"},
      {{"run", kSeed, "--trace", "key=key-9999"},
       "error: --trace: no step of the timeline names the key `key-9999`\n"
       "  hint: such as key-1\n"},
      {{"run", kSeed, "--trace", "group=7"},
       "error: --trace: there is no group 7\n"
       "  hint: group=1 is the cluster's own, and there is no other\n"},
      {{"run", kSeed, "--trace", "node="},
       "error: --trace: `node=` names nothing\n"
       "  hint: leave the term out to see all of them\n"},
      {{"run", kSeed, "--trace", ","},
       "error: --trace: an empty term in `,`\n"
       "  hint: terms are joined by one comma each: node=node-3,kind=timer\n"},
      {{"run", kSeed, "--trace", "--from", "10s", "--until", "5s"},
       "error: --from 10s is after --until 5s\n"
       "  hint: nothing happens in between: turn them round\n"},
      {{"list", "fault", "crash", "leader"},
       "error: `rejoin list` does not know what to do with `leader`\n"
       "  hint: rejoin list --help\n"},
      {{"list", "invariant5"},
       "error: `rejoin list` has no kind `invariant5`\n"
       "  hint: did you mean `invariants`? kinds: mechanisms, presets, faults, invariants, "
       "distributions, selectors, placements, detectors, conflicts, mutants, metrics\n"},
  };
  for (const Mistake& mistake : mistakes) {
    const test::Finished finished = test::rejoin(mistake.words);
    CHECK(finished.err == mistake.err);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
  }
}

TEST_CASE("a mechanism that is not known stops everything before the first run") {
  const test::Finished by_flag = test::rejoin({"run", kSeed, "--sync", "rejoin-snc"});
  CHECK(by_flag.err ==
        "error: --sync: there is no mechanism `rejoin-snc`\n"
        "  hint: did you mean `rejoin-sync`? mechanisms and presets: cassandra, digest-list, "
        "hinted-handoff, hook-copy, merkle, none, read-repair, rejoin-sync, riak, "
        "versioned-merge\n");
  CHECK(by_flag.status == 2);
  CHECK(by_flag.out.empty());

  const test::Finished in_a_sum = test::rejoin({"run", kSeed, "--sync", "hook-copy+gossip"});
  CHECK(
      in_a_sum.err ==
      "error: --sync: there is no mechanism `gossip`\n"
      "  hint: mechanisms and presets: cassandra, digest-list, hinted-handoff, hook-copy, merkle, "
      "none, read-repair, rejoin-sync, riak, versioned-merge\n");
  CHECK(in_a_sum.status == 2);

  const test::Finished by_set = test::rejoin({"run", kSeed, "--set", "sync=rejoin-snc"});
  CHECK(by_set.err ==
        "--set sync=rejoin-snc: error: unknown mechanism `rejoin-snc`\n"
        "  hint: did you mean `rejoin-sync`? known here: cassandra, digest-list, hinted-handoff, "
        "hook-copy, merkle, none, read-repair, rejoin-sync, riak, versioned-merge\n");
  CHECK(by_set.status == 2);
  CHECK(by_set.out.empty());
}

TEST_CASE("a file that is missing or wrong keeps the others from running") {
  const test::Finished missing = test::rejoin({"run", kSeed, "nowhere.yaml"});
  CHECK(missing.err ==
        "nowhere.yaml: error: cannot read `nowhere.yaml`: No such file or directory\n");
  CHECK(missing.status == 2);
  CHECK(missing.out.empty());
}

TEST_CASE("validate shows the place of a mistake and what is allowed there") {
  const test::Scratch scratch;
  const std::string file = scratch.write("broken.yaml",
                                         "format: 1\n"
                                         "name: broken\n"
                                         "timeline:\n"
                                         "  - { label: T0, write: { keys: key-1 } }\n"
                                         "  - { label: T1, at: 30, crsh: node-3 }\n");
  const test::Finished finished = test::rejoin({"validate", file});
  CHECK(finished.status == 2);
  CHECK(finished.out.empty());
  CHECK(finished.err.find(file + ":5:22: error: ") != std::string::npos);
  CHECK(finished.err.find("`30`") != std::string::npos);
  CHECK(finished.err.find(file + ":5:26: error: ") != std::string::npos);
  CHECK(finished.err.find("did you mean `crash`?") != std::string::npos);
  CHECK(finished.err.find("  5 |   - { label: T1, at: 30, crsh: node-3 }\n"
                          "    |                      ^\n") != std::string::npos);
}

TEST_CASE("validate says that the file of the README is right, and prints it merged") {
  const test::Finished right = test::rejoin({"validate", kSeed});
  CHECK(right.status == 0);
  CHECK(right.err.empty());
  CHECK(right.out ==
        "scenarios/seed/t0-t5.yaml: right. t0-t5: 6 steps, 3 nodes, seed 1, 1 trial\n");
  // What it prints stands alone: it is a scenario file itself.
  const test::Scratch scratch;
  const test::Finished merged = test::rejoin({"validate", kSeed, "--resolved"});
  CHECK(merged.status == 0);
  const std::string file = scratch.write("merged.yaml", merged.out);
  const test::Finished again = test::rejoin({"validate", file, "--resolved"});
  CHECK(again.status == 0);
  CHECK(again.err.empty());
  CHECK(again.out == merged.out);
}

TEST_CASE("list names every kind, and a kind with its parameters and promises") {
  const test::Finished all = test::rejoin({"list"});
  CHECK(all.status == 0);
  for (const char* name : {"rejoin-sync", "crash", "no-stale-read", "rendezvous",
                           "raft-no-log-check", "missing_reads"}) {
    CHECK_MESSAGE(all.out.find(name) != std::string::npos, name);
  }
  const test::Finished mechanisms = test::rejoin({"list", "mechanism"});
  CHECK(mechanisms.status == 0);
  CHECK(mechanisms.out.find("promises: acknowledged-writes-survive") != std::string::npos);
  CHECK(mechanisms.out.find("one of freshest, one, first, quorum,") != std::string::npos);
  CHECK(mechanisms.out.find("rendezvous") == std::string::npos);
}

TEST_CASE("list mechanisms shows who promises what, and under which conditions") {
  const std::string out = test::rejoin({"list", "mechanisms"}).out;
  std::istringstream lines(out);
  std::map<std::string, std::string> rows;     // of the matrix, by mechanism
  std::map<std::string, std::size_t> columns;  // by invariant
  std::string line;
  while (std::getline(lines, line)) {
    CHECK_MESSAGE(line.size() <= 100, line);
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    const bool marks = second == "x" || second == "-";
    if (line.starts_with("  ") && marks) {
      CHECK(rows.emplace(first, second).second);
      for (std::string mark; words >> mark;) rows[first] += mark;
    }
    if (line.starts_with("  ") && second.ends_with(":") && second.find('-') != std::string::npos &&
        std::isdigit(static_cast<unsigned char>(first[0])) != 0) {
      columns.emplace(second.substr(0, second.size() - 1), std::stoul(first) - 1);
    }
  }
  CHECK(rows.size() == Mechanisms::all().size());
  for (const MechanismSpec& spec : Mechanisms::all()) {
    CAPTURE(spec.name);
    REQUIRE(rows.contains(std::string(spec.name)));
    std::string marks(columns.size(), '-');
    for (const std::string_view name : spec.promises) {
      REQUIRE(columns.contains(std::string(name)));
      marks[columns.at(std::string(name))] = 'x';
    }
    CHECK(rows.at(std::string(spec.name)) == marks);
    const std::string conditions = "\n  " + std::string(spec.name) + ": ";
    CHECK((out.find(conditions) != std::string::npos) == !spec.promises.empty());
  }
}

TEST_CASE("list says of a mechanism what it is refused with") {
  const auto has = [](const std::string& name, const std::string& part) {
    return test::rejoin({"list", "mechanism", name}).out.find(part) != std::string::npos;
  };
  CHECK(has("none", "refused: together with any other"));
  CHECK(has("hook-copy", "refused: with versions version-vector: it overwrites blindly"));
  CHECK(has("versioned-merge", "refused: with versions none: it merges by versions"));
  CHECK_FALSE(has("rejoin-sync", "refused:"));
}

TEST_CASE("list says how a nemesis draws each fault, or why no preset does") {
  const test::Finished crash = test::rejoin({"list", "faults", "crash"});
  CHECK(crash.status == 0);
  CHECK(crash.out.starts_with("crash: "));
  CHECK(crash.out.find("nemesis: every ") != std::string::npos);
  CHECK(crash.out.find("crash-loop") == std::string::npos);
  const test::Finished twin = test::rejoin({"list", "fault", "twin"});
  const test::Finished none = test::rejoin({"list", "fault", "crsh"});
  CHECK(none.status == 2);
  CHECK(
      none.err.starts_with("error: `rejoin list faults` has no `crsh`\n"
                           "  hint: did you mean `crash`? faults: "));
  CHECK(twin.out.find("nemesis: no preset draws it: two processes that are one server") !=
        std::string::npos);
  const std::string all = test::rejoin({"list", "faults"}).out;
  const auto count = [&all](std::string_view part) {
    std::size_t out = 0;
    for (std::size_t at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) {
      ++out;
    }
    return out;
  };
  CHECK(count("\n  class: ") > 40);
  CHECK(count("\n  class: ") == count("\n  nemesis: "));
}

TEST_CASE("help and version are results, not errors") {
  const test::Finished version = test::rejoin({"--version"});
  CHECK(version.status == 0);
  CHECK(version.out == "rejoin 0.1.0\n");
  const test::Finished help = test::rejoin({"run", "--help"});
  CHECK(help.status == 0);
  CHECK(help.err.empty());
  CHECK(help.out.find("--verify") != std::string::npos);
  CHECK(test::rejoin({"--help"}).out.find("replay-chain") == std::string::npos);
}

}  // namespace rejoin
