#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "reports/report.hpp"
#include "tests/reports/hand_record.hpp"
#include "tests/support/golden.hpp"

namespace rejoin::reports {

namespace {

using Json = nlohmann::json;

void check_keys(const Json& object, const std::vector<std::string>& keys) {
  REQUIRE(object.is_object());
  for (const std::string& key : keys) CHECK_MESSAGE(object.contains(key), "lacks ", key);
}

const std::vector<std::string> kRunKeys = {
    "scenario",    "file",   "seed",     "trials",     "verdict", "digest", "virtual_ns",
    "wall_ns",     "events", "messages", "bytes",      "unmet",   "judged", "injected",
    "transitions", "reads",  "metrics",  "violations", "faults"};

}  // namespace

TEST_CASE("the JSON of a run is as documented") {
  test::check_golden("t0-t5.json", json_report({test::t0_t5()}));
}

TEST_CASE("the JSON of a run has every documented key, with its type") {
  const Json run = Json::parse(json_report({test::t0_t5()}));
  check_keys(run, kRunKeys);
  CHECK(run["trials"] == 1);
  CHECK(run["verdict"] == "pass");
  CHECK(run["digest"] == "0123456789abcdeffedcba9876543210");
  check_keys(run["violations"][0],
             {"invariant", "at_ns", "event", "node", "key", "expected", "says", "evidence"});
  CHECK(run["violations"][0]["at_ns"] == 68'202'000'000);
  check_keys(run["transitions"][4], {"at_ns", "label", "what", "nodes"});
  check_keys(run["transitions"][4]["nodes"]["node-3"],
             {"state", "keys", "stale_keys", "missing_keys"});
  CHECK(run["transitions"][4]["nodes"]["node-3"]["missing_keys"] == 50);
  check_keys(run["reads"][0], {"at_ns", "key", "via", "result", "stale"});
  CHECK(run["reads"][0]["result"] == "not-found");
  CHECK(run["metrics"]["converged_after_ns"].is_null());
  CHECK(run["metrics"]["min_copies"] == 2);
}

TEST_CASE("a read that saw several versions has siblings, one without an answer says so") {
  RunRecord record = test::t0_t5();
  record.reads[0].operation.result = ResultKind::value;
  record.reads[0].operation.observed = {{ClientId(1), 3}, {ClientId(2), 1}};
  record.reads.push_back(record.reads[0]);
  record.reads[1].operation.result = ResultKind::none;
  record.reads[1].operation.returned.reset();
  const Json run = Json::parse(json_report({record}));
  CHECK(run["reads"][0]["result"] == "siblings");
  CHECK(run["reads"][1]["result"] == "no-answer");
  CHECK(run["reads"][1]["returned_ns"].is_null());
}

TEST_CASE("trials are one object, in order of seed, with spreads for metrics") {
  std::vector<RunRecord> trials;
  for (const std::uint64_t seed : {2U, 1U, 3U}) {
    RunRecord record = test::t0_t5();
    record.seed = seed;
    record.digest.low = seed;
    record.metrics["repair_bytes"] = static_cast<std::int64_t>(seed * 100);
    if (seed == 2) record.metrics["converged_after_ns"] = 7;
    if (seed == 3) record.verdict = Verdict::vacuous;
    trials.push_back(record);
  }
  const Json all = Json::parse(json_report(trials));
  check_keys(all, kRunKeys);
  CHECK(all["seed"] == 1);
  CHECK(all["trials"] == 3);
  CHECK(all["verdict"] == "vacuous");
  CHECK(all["events"] == 3 * 9900);
  CHECK(all["runs"][1]["seed"] == 2);
  const Json& repair = all["metrics"]["repair_bytes"];
  CHECK(repair["count"] == 3);
  CHECK(repair["mean"] == 200.0);
  CHECK(repair["p50"] == 200);
  CHECK(repair["p99"] == 300);
  CHECK(all["metrics"]["converged_after_ns"]["count"] == 1);
  CHECK(all["metrics"]["converged_after_ns"]["absent"] == 2);

  std::swap(trials[0], trials[2]);
  CHECK(Json::parse(json_report(trials))["digest"] == all["digest"]);
  trials[0].digest.low += 1;
  CHECK(Json::parse(json_report(trials))["digest"] != all["digest"]);
}

TEST_CASE("the digest of digests is hash128 over them, high half first") {
  std::vector<RunRecord> trials(2, test::t0_t5());
  trials[1].seed = 2;
  constexpr std::uint8_t kDigest[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                      0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
  Bytes bytes(std::begin(kDigest), std::end(kDigest));
  bytes.insert(bytes.end(), std::begin(kDigest), std::end(kDigest));
  CHECK(Json::parse(json_report(trials))["digest"] == to_hex(hash128(bytes)));
}

TEST_CASE("several files are an array") {
  const Json files = Json::parse(json_report_of_files({{test::t0_t5()}, {test::t0_t5()}}));
  REQUIRE(files.is_array());
  CHECK(files.size() == 2);
  check_keys(files[1], kRunKeys);
}

TEST_CASE("bytes that are not UTF-8 do not break the JSON") {
  RunRecord record = test::t0_t5();
  record.reads[0].operation.key = "key-\xff";
  CHECK(Json::parse(json_report({record}))["reads"][0]["key"] == "key-\xef\xbf\xbd");
}

}  // namespace rejoin::reports
