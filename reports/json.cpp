// The JSON report. Its shape is a promise to scripts: README.md documents it, and nothing in it is
// renamed.
#include <nlohmann/json.hpp>

#include "model/check.hpp"
#include "reports/aggregate.hpp"
#include "reports/page.hpp"
#include "reports/report.hpp"

namespace rejoin::reports {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t ns(MonotonicTime time) {
  return time.time_since_epoch().count();
}

Json name_or_null(NodeId node) {
  return node.is_none() ? Json() : Json(to_name(node));
}
Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
Json time_or_null(const std::optional<MonotonicTime>& time) {
  return time ? Json(ns(*time)) : Json();
}

std::string result_of(const Operation& read) {
  if (read.result == ResultKind::none) return "no-answer";
  if (read.result == ResultKind::value && read.observed.size() > 1) return "siblings";
  return std::string(to_name(read.result));
}

Json violation_json(const RunRecord& record, const Violation& violation) {
  return {{"invariant", violation.invariant},
          {"at_ns", ns(violation.at)},
          {"event", violation.event},
          {"node", name_or_null(violation.node)},
          {"key", text_or_null(violation.key)},
          {"expected", violation.expected},
          {"says", violation.says},
          {"evidence", violation.evidence},
          {"seed", record.seed}};
}

Json transition_json(const RunRecord& record, const Transition& step) {
  Json nodes = Json::object();
  for (const NodeSnapshot& node : step.nodes) {
    nodes[to_name(node.node)] = {{"state", to_name(node.state)},
                                 {"keys", node.keys},
                                 {"stale_keys", node.stale_keys},
                                 {"missing_keys", node.missing_keys},
                                 {"leader", node.leader}};
  }
  return {{"at_ns", ns(step.at)}, {"completed_ns", ns(step.completed)}, {"label", step.label},
          {"what", step.what},    {"nodes", std::move(nodes)},          {"seed", record.seed}};
}

Json read_json(const RunRecord& record, const ReadRecord& read) {
  const Operation& op = read.operation;
  return {{"at_ns", ns(op.invoked)},
          {"key", op.key},
          {"via", name_or_null(op.via.is_none() ? op.served_by : op.via)},
          {"result", result_of(op)},
          {"stale", read.stale},
          {"returned_ns", time_or_null(op.returned)},
          {"value", op.result == ResultKind::value ? Json(op.value) : Json()},
          {"expected_value", text_or_null(read.expected_value)},
          {"why", text_or_null(read.why)},
          {"label", op.label},
          {"direct", op.direct},
          {"client", to_name(op.id.client)},
          {"seed", record.seed}};
}

Json fault_json(const RunRecord& record, const FaultRecord& fault) {
  return {{"label", fault.label},     {"fault", fault.fault},
          {"touched", fault.touched}, {"unit", plural_of(fault.unit)},
          {"did", fault.did},         {"of", plural_of(fault.of)},
          {"seed", record.seed}};
}

Json metrics_json(const std::vector<RunRecord>& trials) {
  Json out = Json::object();
  if (trials.size() == 1) {
    for (const auto& [name, value] : trials.front().metrics)
      out[name] = value ? Json(*value) : Json();
    return out;
  }
  for (const auto& [name, spread] : spreads(trials)) {
    Json entry = {{"count", spread.count}, {"absent", spread.absent}};
    const bool any = spread.count != 0;
    entry["mean"] = any ? Json(spread.mean) : Json();
    entry["min"] = any ? Json(spread.min) : Json();
    entry["p50"] = any ? Json(spread.p50) : Json();
    entry["p90"] = any ? Json(spread.p90) : Json();
    entry["p99"] = any ? Json(spread.p99) : Json();
    entry["max"] = any ? Json(spread.max) : Json();
    out[name] = std::move(entry);
  }
  return out;
}

Json purposes_json(const std::array<std::uint64_t, kPurposeCount>& sums) {
  Json out = Json::object();
  for (std::size_t p = 0; p < kPurposeCount; ++p) {
    out[std::string(to_name(static_cast<Purpose>(p)))] = sums[p];
  }
  return out;
}

struct Sums {
  std::int64_t virtual_ns = 0;
  std::int64_t wall_ns = 0;
  std::uint64_t events = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::array<std::uint64_t, kPurposeCount> messages_by_purpose{};
  std::array<std::uint64_t, kPurposeCount> bytes_by_purpose{};
  std::map<std::string, std::uint64_t> judged;
  std::map<std::string, std::uint64_t> injected;
};

Sums sums_of(const std::vector<const RunRecord*>& trials) {
  Sums sums;
  for (const RunRecord* trial : trials) {
    sums.virtual_ns += ns(trial->virtual_end);
    sums.wall_ns += trial->wall_ns;
    sums.events += trial->events;
    sums.messages += trial->messages;
    sums.bytes += trial->bytes;
    for (std::size_t p = 0; p < kPurposeCount; ++p) {
      sums.messages_by_purpose[p] += trial->messages_by_purpose[p];
      sums.bytes_by_purpose[p] += trial->bytes_by_purpose[p];
    }
    for (const auto& [name, count] : trial->judged) sums.judged[name] += count;
    for (const auto& [name, count] : trial->injected) sums.injected[name] += count;
  }
  return sums;
}

// Lists of several trials follow each other in order of seed; each item names its seed.
Json file_json(const std::vector<RunRecord>& trials) {
  CHECK_THAT(!trials.empty());
  const std::vector<const RunRecord*> ordered = in_seed_order(trials);
  const RunRecord& first = *ordered.front();
  const Sums sums = sums_of(ordered);
  Json violations = Json::array();
  Json unmet = Json::array();
  Json warnings = Json::array();
  Json faults = Json::array();
  Json transitions = Json::array();
  Json reads = Json::array();
  Json runs = Json::array();
  for (const RunRecord* trial : ordered) {
    for (const Violation& v : trial->violations) violations.push_back(violation_json(*trial, v));
    for (const std::string& line : trial->unmet) unmet.push_back(line);
    for (const std::string& line : trial->warnings) warnings.push_back(line);
    for (const FaultRecord& fault : trial->faults) faults.push_back(fault_json(*trial, fault));
    for (const Transition& t : trial->transitions)
      transitions.push_back(transition_json(*trial, t));
    for (const ReadRecord& read : trial->reads) reads.push_back(read_json(*trial, read));
    runs.push_back({{"seed", trial->seed},
                    {"verdict", to_name(trial->verdict)},
                    {"says", trial->verdict_says},
                    {"digest", to_hex(trial->digest)}});
  }
  Json out = {{"scenario", first.scenario},
              {"file", first.file},
              {"seed", first.seed},
              {"trials", trials.size()},
              {"verdict", to_name(worst_verdict(trials))},
              {"digest", to_hex(digest_of(trials))},
              {"virtual_ns", sums.virtual_ns},
              {"wall_ns", sums.wall_ns},
              {"events", sums.events},
              {"messages", sums.messages},
              {"bytes", sums.bytes}};
  out["violations"] = std::move(violations);
  out["unmet"] = std::move(unmet);
  out["judged"] = sums.judged;
  out["injected"] = sums.injected;
  out["faults"] = std::move(faults);
  out["transitions"] = std::move(transitions);
  out["reads"] = std::move(reads);
  out["metrics"] = metrics_json(trials);
  out["warnings"] = std::move(warnings);
  out["runs"] = std::move(runs);
  out["messages_by_purpose"] = purposes_json(sums.messages_by_purpose);
  out["bytes_by_purpose"] = purposes_json(sums.bytes_by_purpose);
  out["cluster"] = {{"nodes", first.nodes},
                    {"partitions", first.partitions},
                    {"replication", first.replication},
                    {"profile", first.profile},
                    {"sync", first.sync},
                    {"versions", first.versions}};
  return out;
}

// Keys and values are bytes to us; what is not UTF-8 is replaced rather than fatal.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string json_report(const std::vector<RunRecord>& trials) {
  return dump(file_json(trials));
}

std::string json_report_of_files(const std::vector<std::vector<RunRecord>>& files) {
  Json out = Json::array();
  for (const auto& trials : files) out.push_back(file_json(trials));
  return dump(out);
}

}  // namespace rejoin::reports
