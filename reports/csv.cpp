#include <set>

#include "reports/run_page.hpp"
#include "reports/tables.hpp"

namespace rejoin::reports {

namespace {

class Csv {
 public:
  Csv& field(std::string_view text) {
    if (!first_) out_ += ',';
    first_ = false;
    // RFC 4180, 2: fields with a comma, a quote or a line break are quoted, quotes doubled.
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      out_ += text;
      return *this;
    }
    out_ += '"';
    for (const char c : text) {
      if (c == '"') out_ += '"';
      out_ += c;
    }
    out_ += '"';
    return *this;
  }
  template <class Number>
    requires std::is_integral_v<Number>
  Csv& field(Number number) {
    return field(std::string_view(std::to_string(number)));
  }
  void end_row() {
    out_ += "\r\n";
    first_ = true;
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
  bool first_ = true;
};

std::int64_t ns(MonotonicTime time) {
  return time.time_since_epoch().count();
}

std::string yes(bool is) {
  return is ? "true" : "false";
}

}  // namespace

std::string metrics_csv(const std::vector<std::vector<RunRecord>>& files) {
  std::set<std::string> names;
  for (const auto& trials : files) {
    for (const RunRecord& record : trials) {
      for (const auto& [name, value] : record.metrics) names.insert(name);
    }
  }
  // Traffic is also a figure of the record itself; a column has one name.
  names.erase("messages");
  names.erase("bytes");
  Csv csv;
  for (const char* name : {"file", "scenario", "seed", "sync", "versions", "verdict", "digest",
                           "virtual_ns", "events", "messages", "bytes", "violations"}) {
    csv.field(name);
  }
  for (const std::string& name : names) csv.field(name);
  csv.end_row();
  for (const auto& trials : files) {
    for (const RunRecord& record : trials) {
      csv.field(record.file).field(record.scenario).field(record.seed).field(record.sync);
      csv.field(record.versions).field(to_name(record.verdict)).field(to_hex(record.digest));
      csv.field(ns(record.virtual_end)).field(record.events).field(record.messages);
      csv.field(record.bytes).field(record.violations.size());
      for (const std::string& name : names) {
        const auto metric = record.metrics.find(name);
        const bool known = metric != record.metrics.end() && metric->second.has_value();
        csv.field(known ? std::to_string(*metric->second) : "");
      }
      csv.end_row();
    }
  }
  return csv.take();
}

std::string steps_csv(const std::vector<RunRecord>& trials) {
  Csv csv;
  for (const char* name : {"scenario", "seed", "step", "at_ns", "completed_ns", "what", "node",
                           "state", "leader", "keys", "stale_keys", "missing_keys"}) {
    csv.field(name);
  }
  csv.end_row();
  for (const RunRecord& record : trials) {
    for (const Transition& step : record.transitions) {
      for (const NodeSnapshot& node : step.nodes) {
        csv.field(record.scenario).field(record.seed).field(step.label).field(ns(step.at));
        csv.field(ns(step.completed)).field(step.what).field(to_name(node.node));
        csv.field(to_name(node.state)).field(yes(node.leader)).field(node.keys);
        csv.field(node.stale_keys).field(node.missing_keys);
        csv.end_row();
      }
    }
  }
  return csv.take();
}

std::string reads_csv(const std::vector<RunRecord>& trials) {
  Csv csv;
  for (const char* name : {"scenario", "seed", "step", "invoked_ns", "returned_ns", "key", "via",
                           "direct", "result", "stale", "value", "expected_value", "why"}) {
    csv.field(name);
  }
  csv.end_row();
  for (const RunRecord& record : trials) {
    for (const ReadRecord& read : record.reads) {
      const Operation& operation = read.operation;
      csv.field(record.scenario).field(record.seed).field(operation.label);
      csv.field(ns(operation.invoked));
      csv.field(operation.returned ? std::to_string(ns(*operation.returned)) : "");
      csv.field(operation.key).field(operation.via.is_none() ? "" : to_name(operation.via));
      csv.field(yes(operation.direct)).field(result_name(operation)).field(yes(read.stale));
      csv.field(operation.value).field(read.expected_value).field(read.why);
      csv.end_row();
    }
  }
  return csv.take();
}

}  // namespace rejoin::reports
