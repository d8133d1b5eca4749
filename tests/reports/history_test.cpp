// Histories for checkers elsewhere: the rules of Jepsen's EDN, and JSON lines.
#include "reports/history.hpp"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "model/random.hpp"
#include "tests/reports/hand_record.hpp"

using namespace rejoin;

namespace {

using Json = nlohmann::json;

Operation operation(std::uint32_t client, std::uint64_t n, OperationKind kind, Duration invoked) {
  Operation out;
  out.id = {.client = ClientId(client), .n = n};
  out.kind = kind;
  out.key = "k";
  out.via = NodeId(1);
  out.invoked = MonotonicTime(invoked);
  if (kind == OperationKind::write) out.value = "v" + std::to_string(n);
  return out;
}

Operation answered(Operation out, Duration returned, ResultKind result) {
  out.returned = MonotonicTime(returned);
  out.result = result;
  return out;
}

RunRecord record_of(std::vector<Operation> history) {
  RunRecord out;
  out.history = std::move(history);
  out.virtual_end = MonotonicTime(60s);
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  CHECK((text.empty() || text.back() == '\n'));
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// What follows `:name ` in a map of one line.
std::string field(const std::string& line, const std::string& name) {
  const std::size_t at = line.find(":" + name + " ");
  REQUIRE(at != std::string::npos);
  const std::size_t from = at + name.size() + 2;
  return line.substr(from, line.find_first_of(",}", from) - from);
}

// The rules of a Jepsen history; the types of its events, counted.
std::map<std::string, std::uint64_t> check_rules(const std::string& edn) {
  std::map<std::string, std::string> open;  // by process: f and key
  std::set<std::string> retired;
  std::map<std::string, std::uint64_t> types;
  std::int64_t time = 0;
  std::uint64_t index = 0;
  for (const std::string& line : lines_of(edn)) {
    INFO(line);
    REQUIRE(line.starts_with("{:index " + std::to_string(index++) + ", "));
    REQUIRE(line.ends_with("}"));
    REQUIRE(std::stoll(field(line, "time")) >= time);
    time = std::stoll(field(line, "time"));
    const std::string process = field(line, "process");
    const std::string type = field(line, "type");
    ++types[type];
    REQUIRE_FALSE(retired.contains(process));
    if (type == ":invoke") {
      REQUIRE(open.emplace(process, field(line, "f")).second);
      continue;
    }
    REQUIRE((type == ":ok" || type == ":fail" || type == ":info"));
    REQUIRE(open.contains(process));
    REQUIRE(open[process] == field(line, "f"));
    open.erase(process);
    if (type == ":info") retired.insert(process);
  }
  CHECK(open.empty());
  return types;
}

}  // namespace

TEST_CASE("EDN has a map a line: what was asked, and what came of it") {
  Operation write = answered(operation(1, 1, OperationKind::write, 1ms), 2ms, ResultKind::ok);
  write.value = "say \"hi\"\n\\";
  Operation read = answered(operation(2, 1, OperationKind::read, 3ms), 4ms, ResultKind::value);
  read.value = write.value;
  const RunRecord record = record_of(
      {write, read, answered(operation(1, 2, OperationKind::remove, 5ms), 6ms, ResultKind::ok),
       answered(operation(2, 2, OperationKind::read, 7ms), 8ms, ResultKind::not_found),
       answered(operation(2, 3, OperationKind::read, 9ms), 10ms, ResultKind::unavailable)});
  const std::vector<std::string> lines = lines_of(reports::history_edn(record));
  REQUIRE(lines.size() == 10);
  CHECK(
      lines[0] ==
      R"({:index 0, :time 1000000, :process 0, :type :invoke, :f :write, :value ["k" "say \"hi\"\n\\"]})");
  CHECK(lines[2] ==
        R"({:index 2, :time 3000000, :process 1, :type :invoke, :f :read, :value ["k" nil]})");
  CHECK(
      lines[3] ==
      R"({:index 3, :time 4000000, :process 1, :type :ok, :f :read, :value ["k" "say \"hi\"\n\\"]})");
  CHECK(lines[5] ==
        R"({:index 5, :time 6000000, :process 0, :type :ok, :f :delete, :value ["k" nil]})");
  CHECK(lines[7] ==
        R"({:index 7, :time 8000000, :process 1, :type :ok, :f :read, :value ["k" nil]})");
  CHECK(
      lines[9] ==
      R"({:index 9, :time 10000000, :process 1, :type :fail, :f :read, :value ["k" nil], :error :unavailable})");
  check_rules(reports::history_edn(record));
}

TEST_CASE("what counters, sets and siblings held is in the history as numbers, sets and lists") {
  const auto on = [](Operation out, const char* key, const char* value) {
    out.key = key;
    out.value = value;
    return out;
  };
  const auto at = [](std::uint64_t n) { return Duration(std::chrono::milliseconds(n)); };
  Operation siblings = on(
      answered(operation(1, 5, OperationKind::read, at(9)), at(10), ResultKind::value), "r", "a");
  siblings.others = {"b \"c\""};
  const RunRecord record = record_of(
      {on(answered(operation(1, 1, OperationKind::increment, at(1)), at(2), ResultKind::ok), "n",
          "-5"),
       on(answered(operation(1, 2, OperationKind::read, at(3)), at(4), ResultKind::value), "n",
          "-5"),
       on(answered(operation(1, 3, OperationKind::add, at(5)), at(6), ResultKind::ok), "s",
          "apple"),
       on(answered(operation(1, 4, OperationKind::read, at(7)), at(8), ResultKind::value), "s",
          "apple, pear"),
       siblings});
  const std::vector<std::string> edn = lines_of(reports::history_edn(record));
  REQUIRE(edn.size() == 10);
  const auto has = [](const std::string& line, const std::string& value) {
    INFO(line);
    return line.find(":value " + value + "}") != std::string::npos;
  };
  CHECK(has(edn[0], R"(["n" -5])"));
  CHECK(has(edn[2], R"(["n" nil])"));
  CHECK(has(edn[3], R"(["n" -5])"));
  CHECK(has(edn[4], R"(["s" "apple"])"));
  CHECK(has(edn[7], R"(["s" #{"apple" "pear"}])"));
  CHECK(has(edn[9], R"(["r" #{"a" "b \"c\""}])"));

  const std::vector<std::string> lines = lines_of(reports::history_jsonl(record));
  REQUIRE(lines.size() == 5);
  CHECK(Json::parse(lines[0])["input"] == "-5");
  CHECK(Json::parse(lines[2])["input"] == "apple");
  CHECK(Json::parse(lines[3])["output"] == Json({"apple", "pear"}));
  CHECK(Json::parse(lines[4])["output"] == Json({"a", "b \"c\""}));
}

TEST_CASE("EDN retires a process after a timeout: its client goes on as another one") {
  Operation late =
      answered(operation(1, 2, OperationKind::read, 30ms), 31ms, ResultKind::not_found);
  late.session = 1;
  Operation later = operation(1, 3, OperationKind::write, 40ms);
  later.session = 1;
  const RunRecord record =
      record_of({operation(1, 1, OperationKind::write, 1ms),
                 answered(operation(2, 1, OperationKind::read, 2ms), 3ms, ResultKind::not_found),
                 late, later});
  const std::string edn = reports::history_edn(record);
  const std::vector<std::string> lines = lines_of(edn);
  REQUIRE(lines.size() == 8);
  CHECK(lines[3] == R"({:index 3, :time 30000000, :process 0, :type :info, :f :write, )"
                    R"(:value ["k" "v1"], :error :timeout})");
  CHECK(field(lines[4], "process") == "2");  // 0, and two clients further
  CHECK(field(lines[6], "process") == "2");
  CHECK(lines[7] == R"({:index 7, :time 60000000000, :process 2, :type :info, :f :write, )"
                    R"(:value ["k" "v3"], :error :timeout})");
  check_rules(edn);
}

TEST_CASE("EDN puts operations of one instant side by side, but those of one client in a row") {
  const RunRecord record =
      record_of({answered(operation(1, 1, OperationKind::write, 1ms), 5ms, ResultKind::ok),
                 answered(operation(2, 1, OperationKind::read, 5ms), 6ms, ResultKind::not_found),
                 answered(operation(1, 2, OperationKind::read, 5ms), 7ms, ResultKind::not_found)});
  std::vector<std::string> order;
  for (const std::string& line : lines_of(reports::history_edn(record))) {
    order.push_back(field(line, "process") + field(line, "type"));
  }
  CHECK(order ==
        std::vector<std::string>{"0:invoke", "1:invoke", "0:ok", "0:invoke", "1:ok", "0:ok"});
}

TEST_CASE("EDN keeps direct reads apart, and leaves settings out") {
  Operation direct =
      answered(operation(1, 1, OperationKind::read, 1ms), 2ms, ResultKind::not_found);
  direct.direct = true;
  const RunRecord record = record_of({direct, operation(1, 2, OperationKind::configure, 3ms)});
  const std::vector<std::string> lines = lines_of(reports::history_edn(record));
  REQUIRE(lines.size() == 2);
  CHECK(field(lines[0], "f") == ":direct-read");
  CHECK(reports::history_edn(record_of({})).empty());
}

TEST_CASE("EDN of any history keeps the rules of Jepsen, and tells of each operation once") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::uint64_t rolls = 0;
    const auto roll = [&](std::uint64_t sides) {
      return draw({.seed = seed, .domain = Domain::workload, .what = ++rolls}) % sides;
    };
    std::vector<Operation> history;
    std::vector<MonotonicTime> free_at(3);
    std::vector<std::uint32_t> sessions(3);
    std::vector<std::pair<MonotonicTime, std::uint32_t>> turns;
    for (std::uint64_t n = 0; n < 30; ++n) {
      const auto client = static_cast<std::uint32_t>(roll(3));
      turns.emplace_back(free_at[client] + Duration(roll(3)), client);
      const auto kind = static_cast<OperationKind>(roll(3));
      Operation next = operation(client + 1, n, kind, Duration());
      next.invoked = turns.back().first;
      next.session = sessions[client];
      free_at[client] = next.invoked + Duration(roll(4));
      if (roll(6) == 0) {
        ++sessions[client];
      } else {
        next.returned = free_at[client];
        next.result = kind == OperationKind::read ? ResultKind::not_found : ResultKind::ok;
      }
      history.push_back(next);
    }
    std::stable_sort(history.begin(), history.end(),
                     [](const Operation& a, const Operation& b) { return a.invoked < b.invoked; });
    INFO("seed " << seed);
    auto types = check_rules(reports::history_edn(record_of(history)));
    const auto answers = std::count_if(history.begin(), history.end(),
                                       [](const Operation& each) { return each.returned; });
    REQUIRE(types[":invoke"] == 30);
    REQUIRE(types[":ok"] == static_cast<std::uint64_t>(answers));
    REQUIRE(types[":info"] == static_cast<std::uint64_t>(30 - answers));
  }
}

TEST_CASE("JSON lines have an operation each, with null where nobody knows") {
  Operation write = answered(operation(1, 1, OperationKind::write, 1ms), 2ms, ResultKind::ok);
  Operation read = answered(operation(2, 1, OperationKind::read, 3ms), 4ms, ResultKind::value);
  read.value = "v1";
  read.observed = {write.id, {.client = ClientId(3), .n = 7}};
  read.served_by = NodeId(2);
  Operation direct =
      answered(operation(2, 2, OperationKind::read, 5ms), 6ms, ResultKind::not_found);
  direct.direct = true;
  Operation open = operation(1, 2, OperationKind::remove, 7ms);
  open.session = 4;
  const RunRecord record =
      record_of({write, operation(1, 3, OperationKind::configure, 2ms), read, direct, open});
  const std::vector<std::string> lines = lines_of(reports::history_jsonl(record));
  REQUIRE(lines.size() == 4);
  CHECK(
      lines[0] ==
      R"({"index":0,"id":"client-1/1","client":1,"session":0,"key":"k","op":"write","input":"v1",)"
      R"("output":null,"result":"ok","observed":[],"level":"one","node":"node-1","call":1000000,)"
      R"("return":2000000})");
  const Json second = Json::parse(lines[1]);
  CHECK(second["index"] == 2);
  CHECK(second["output"] == "v1");
  CHECK(second["input"].is_null());
  CHECK(second["node"] == "node-2");
  CHECK(second["observed"] == Json::array({"client-1/1", "client-3/7"}));
  CHECK(Json::parse(lines[2])["op"] == "direct-read");
  CHECK(Json::parse(lines[2])["level"].is_null());
  const Json last = Json::parse(lines[3]);
  CHECK(last["op"] == "delete");
  CHECK(last["return"].is_null());
  CHECK(last["result"] == "no-answer");
  CHECK(last["session"] == 4);
}
