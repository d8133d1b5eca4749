#include "reports/run_page.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "model/check.hpp"
#include "reports/metric.hpp"

namespace rejoin::reports {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t ns(MonotonicTime time) {
  return time.time_since_epoch().count();
}
std::int64_t index_or_none(std::uint32_t index) {
  return index == RunEvents::kNone ? -1 : std::int64_t{index};
}
Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
Json node_or_null(NodeId node) {
  return node.is_none() ? Json() : Json(to_name(node));
}

std::string_view to_name(RunEvents::HeldCause cause) {
  switch (cause) {
    case RunEvents::HeldCause::foreground:
      return "foreground";
    case RunEvents::HeldCause::repair:
      return "repair";
    case RunEvents::HeldCause::collection:
      return "collection";
    case RunEvents::HeldCause::crash:
      return "crash";
  }
  CHECK_THAT(false);
}

std::string kind_name(const Operation& operation) {
  return (operation.direct ? "direct-" : "") + std::string(to_name(operation.kind));
}

// ---- Steps and nodes -----------------------------------------------------------------------

Json labels_json(const RunRecord& record) {
  Json out = Json::array();
  for (const Transition& step : record.transitions) {
    Json nodes = Json::array();
    for (const NodeSnapshot& node : step.nodes) {
      nodes.push_back({{"state", to_name(node.state)},
                       {"leader", node.leader},
                       {"keys", node.keys},
                       {"stale", node.stale_keys},
                       {"missing", node.missing_keys}});
    }
    out.push_back({{"label", step.label},
                   {"at", ns(step.at)},
                   {"completed", ns(step.completed)},
                   {"what", step.what},
                   {"nodes", std::move(nodes)}});
  }
  return out;
}

Json nodes_json(const RunEvents& events) {
  Json out = Json::array();
  for (std::uint32_t n = 0; n < events.nodes; ++n) {
    Json spans = Json::array();
    for (const RunEvents::NodeSpan& span : events.spans[n]) {
      spans.push_back({{"from", ns(span.from)},
                       {"to", ns(span.to)},
                       {"state", to_name(span.what.state)},
                       {"leader", span.what.leader},
                       {"keys", span.what.keys},
                       {"stale", span.what.stale_keys},
                       {"missing", span.what.missing_keys},
                       {"claims", span.claims}});
    }
    out.push_back({{"name", events.hosts[n]}, {"spans", std::move(spans)}});
  }
  return out;
}

// ---- Keys ----------------------------------------------------------------------------------

// Which keys are told of, with all that was done with them: first those that something went wrong
// with, then those of read steps, then in order of their first operation.
std::set<Key> chosen_keys(const RunRecord& record, const RunEvents& events,
                          const PageLimits& limits) {
  std::vector<Key> order;
  for (const Operation& operation : record.history) {
    if (events.stale_reads.contains(operation.id)) order.push_back(operation.key);
  }
  for (const Violation& violation : record.violations) order.push_back(violation.key);
  for (const ReadRecord& read : record.reads) order.push_back(read.operation.key);
  for (const Operation& operation : record.history) order.push_back(operation.key);
  std::map<Key, std::size_t> operations;
  for (const Operation& operation : record.history) ++operations[operation.key];
  std::set<Key> out;
  std::size_t shown = 0;
  std::size_t held = 0;
  for (const Key& key : order) {
    if (key.empty() || out.contains(key)) continue;
    std::size_t spans = 0;
    if (const auto store = events.stores.find(key); store != events.stores.end()) {
      for (const auto& [node, list] : store->second.replicas) spans += list.size();
    }
    const bool fits = shown + operations[key] <= limits.operations && held + spans <= limits.held;
    if (!fits && !out.empty()) continue;
    shown += operations[key];
    held += spans;
    out.insert(key);
  }
  return out;
}

Json operation_json(const Operation& operation, const RunEvents& events) {
  Json observed = Json::array();
  for (const RequestId id : operation.observed) observed.push_back(to_name(id));
  const auto stale = events.stale_reads.find(operation.id);
  const bool is_stale = stale != events.stale_reads.end();
  return {
      {"id", to_name(operation.id)},
      {"client", to_name(operation.id.client)},
      {"kind", kind_name(operation)},
      {"key", operation.key},
      {"invoked", ns(operation.invoked)},
      {"returned", operation.returned ? Json(ns(*operation.returned)) : Json()},
      {"result", result_name(operation)},
      {"value", text_or_null(operation.value)},
      {"via", node_or_null(operation.served_by.is_none() ? operation.via : operation.served_by)},
      {"level", to_name(operation.level)},
      {"observed", std::move(observed)},
      {"label", text_or_null(operation.label)},
      {"stale", is_stale},
      {"missed", is_stale ? Json(to_name(stale->second.missed)) : Json()},
      {"why", is_stale ? Json(stale->second.why) : Json()}};
}

// Of one key alone there may be more than fit: what went wrong, then what was first.
Json operations_json(const RunRecord& record, const RunEvents& events, const PageLimits& limits,
                     const std::set<Key>& keys) {
  std::set<RequestId> wanted;
  for (const auto& [read, stale] : events.stale_reads) {
    if (wanted.size() + 2 > limits.operations) break;
    wanted.insert(read);
    wanted.insert(stale.missed);
  }
  for (const Operation& operation : record.history) {
    if (wanted.size() >= limits.operations) break;
    if (keys.contains(operation.key) || operation.kind == OperationKind::configure) {
      wanted.insert(operation.id);
    }
  }
  Json out = Json::array();
  for (const Operation& operation : record.history) {
    if (wanted.contains(operation.id)) out.push_back(operation_json(operation, events));
  }
  return out;
}

Json stores_json(const RunEvents& events, const std::set<Key>& keys) {
  Json out = Json::array();
  for (const Key& key : keys) {
    const auto store = events.stores.find(key);
    if (store == events.stores.end()) continue;
    Json replicas = Json::array();
    for (std::uint32_t n = 1; n <= events.nodes; ++n) {
      Json held = Json::array();
      const auto list = store->second.replicas.find(NodeId(n));
      if (list != store->second.replicas.end()) {
        for (const RunEvents::Held& each : list->second) {
          held.push_back(
              {{"from", ns(each.from)},
               {"to", ns(each.to)},
               {"origin", each.origin.is_none() ? Json() : Json(to_name(each.origin))},
               {"deleted", each.deleted},
               {"cause", to_name(each.cause)},
               {"durable_from", each.durable_from ? Json(ns(*each.durable_from)) : Json()}});
        }
      }
      replicas.push_back({{"node", events.hosts[n - 1]}, {"held", std::move(held)}});
    }
    out.push_back({{"key", key},
                   {"partition", to_name(store->second.partition)},
                   {"replicas", std::move(replicas)}});
  }
  return out;
}

Json violations_json(const RunRecord& record, const PageLimits& limits) {
  Json out = Json::array();
  for (const Violation& violation : record.violations) {
    if (out.size() >= limits.violations) break;
    out.push_back({{"invariant", violation.invariant},
                   {"at", ns(violation.at)},
                   {"event", violation.event},
                   {"node", node_or_null(violation.node)},
                   {"key", text_or_null(violation.key)},
                   {"expected", violation.expected},
                   {"says", violation.says},
                   {"evidence", violation.evidence}});
  }
  return out;
}

// ---- Messages and facts --------------------------------------------------------------------

// The strings that rows name, each once, as far as they fit: nearest to what matters first.
class Strings {
 public:
  Strings(const RunEvents& events, const std::vector<MonotonicTime>& marks, std::size_t bytes_max)
      : all_(events.strings) {
    std::vector<std::pair<std::int64_t, std::uint32_t>> order;
    for (const auto& m : events.messages) order.emplace_back(distance_to(marks, m.sent), m.text);
    for (const auto& f : events.facts) order.emplace_back(distance_to(marks, f.at), f.text);
    std::sort(order.begin(), order.end());
    list_.push_back("left out to keep this page small; `rejoin run --trace` prints it");
    std::size_t bytes = 0;
    for (const auto& [distance, text] : order) {
      if (bytes > bytes_max || number_.contains(text)) continue;
      bytes += all_[text].size();
      number_.emplace(text, list_.size());
      list_.push_back(all_[text]);
    }
  }

  [[nodiscard]] std::size_t of(std::uint32_t text) const {
    const auto known = number_.find(text);
    return known == number_.end() ? 0 : known->second;
  }
  [[nodiscard]] const Json& list() const { return list_; }

 private:
  const std::vector<std::string>& all_;
  std::map<std::uint32_t, std::size_t> number_;
  Json list_ = Json::array();
};

template <class Row, class Value>
Json column(const std::vector<Row>& rows, Value value) {
  Json out = Json::array();
  for (const Row& row : rows) out.push_back(value(row));
  return out;
}

Json messages_json(const RunEvents& events, const Strings& strings) {
  using Message = RunEvents::Message;
  const auto of = [&events](auto value) { return column(events.messages, value); };
  Json out;
  out["sent"] = of([](const Message& m) { return ns(m.sent); });
  out["arrived"] = of([](const Message& m) { return m.arrived ? Json(ns(*m.arrived)) : Json(); });
  out["from"] = of([](const Message& m) { return m.from; });
  out["to"] = of([](const Message& m) { return m.to; });
  out["kind"] = of([](const Message& m) { return m.kind; });
  out["purpose"] = of([](const Message& m) { return static_cast<int>(m.purpose); });
  out["bytes"] = of([](const Message& m) { return m.bytes; });
  out["fate"] = of([](const Message& m) { return m.fate; });
  out["key"] = of([](const Message& m) { return index_or_none(m.key); });
  out["send_event"] = of([](const Message& m) { return m.send_event; });
  out["arrive_event"] =
      of([](const Message& m) { return m.arrived ? Json(m.arrive_event) : Json(); });
  out["text"] = of([&strings](const Message& m) { return strings.of(m.text); });
  return out;
}

Json facts_json(const RunEvents& events, const Strings& strings) {
  using Fact = RunEvents::FactRow;
  const auto of = [&events](auto value) { return column(events.facts, value); };
  Json out;
  out["at"] = of([](const Fact& f) { return ns(f.at); });
  out["event"] = of([](const Fact& f) { return f.event; });
  out["host"] = of([](const Fact& f) { return index_or_none(f.host); });
  out["kind"] = of([](const Fact& f) { return f.kind; });
  out["text"] = of([&strings](const Fact& f) { return strings.of(f.text); });
  out["key"] = of([](const Fact& f) { return index_or_none(f.key); });
  return out;
}

Json ghosts_json(const RunEvents& events) {
  Json out = Json::array();
  for (const RunEvents::Ghost& ghost : events.ghosts) {
    out.push_back({{"at", ns(ghost.at)},
                   {"from", ghost.from},
                   {"to", ghost.to},
                   {"key", index_or_none(ghost.key)},
                   {"says", ghost.says}});
  }
  return out;
}

Json head_json(const RunRecord& record, const RunPageOptions& options) {
  return {{"kind", "run"},
          {"rejoin", options.version},
          {"scenario", record.scenario},
          {"file", record.file},
          {"about", record.about},
          {"seed", record.seed},
          {"verdict", to_name(record.verdict)},
          {"says", record.verdict_says},
          {"digest", to_hex(record.digest)},
          {"virtual_ns", ns(record.virtual_end)},
          {"sync", record.sync},
          {"versions", record.versions},
          {"partitions", record.partitions},
          {"replication", record.replication},
          {"command", options.command}};
}

Json metric_words_json(const RunRecord& record) {
  Json out = Json::object();
  for (const auto& [name, value] : record.metrics) out[name] = metric_words(name);
  return out;
}

Json metrics_json(const RunRecord& record) {
  Json out = Json::object();
  for (const auto& [name, value] : record.metrics) out[name] = value ? Json(*value) : Json();
  return out;
}

}  // namespace

std::string result_name(const Operation& operation) {
  if (operation.result == ResultKind::none) return "no-answer";
  if (operation.result == ResultKind::value && operation.observed.size() > 1) return "siblings";
  return std::string(to_name(operation.result));
}

std::vector<MonotonicTime> marks_of(const RunRecord& record, const RunEvents& events) {
  std::vector<MonotonicTime> out;
  for (const Transition& step : record.transitions) {
    out.push_back(step.at);
    out.push_back(step.completed);
  }
  for (const Violation& violation : record.violations) out.push_back(violation.at);
  for (const Operation& operation : record.history) {
    if (operation.returned && events.stale_reads.contains(operation.id)) {
      out.push_back(*operation.returned);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string run_page_json(const RunRecord& record, RunEvents events,
                          const RunPageOptions& options) {
  const PageLimits& limits = options.limits;
  const std::vector<MonotonicTime> marks = marks_of(record, events);
  thin(events, {.messages = limits.messages, .facts = limits.facts}, marks);
  for (auto& spans : events.spans) events.hidden.spans += join(spans, limits.spans_a_node);
  const Strings strings(events, marks, limits.text_bytes);
  const std::set<Key> keys = chosen_keys(record, events, limits);
  Json out = head_json(record, options);
  out["hosts"] = events.hosts;
  out["nodeCount"] = events.nodes;
  out["labels"] = labels_json(record);
  out["nodes"] = nodes_json(events);
  out["operations"] = operations_json(record, events, limits, keys);
  out["stores"] = stores_json(events, keys);
  out["violations"] = violations_json(record, limits);
  out["messages"] = messages_json(events, strings);
  out["kinds"] = events.kinds;
  Json purposes = Json::array();
  for (std::size_t p = 0; p < kPurposeCount; ++p) {
    purposes.push_back(to_name(static_cast<Purpose>(p)));
  }
  out["purposes"] = std::move(purposes);
  out["fates"] = events.fates;
  out["keys"] = events.keys;
  out["strings"] = strings.list();
  out["facts"] = facts_json(events, strings);
  out["fact_kinds"] = events.fact_kinds;
  out["ghosts"] = ghosts_json(events);
  out["hidden"] = {{"messages", events.hidden.messages},
                   {"facts", events.hidden.facts},
                   {"operations", record.history.size() - out["operations"].size()},
                   {"violations", record.violations.size() - out["violations"].size()},
                   {"spans", events.hidden.spans},
                   {"ghosts", events.hidden.ghosts}};
  out["metrics"] = metrics_json(record);
  out["metric_words"] = metric_words_json(record);
  // Keys and values are bytes to us; what is not UTF-8 is replaced rather than fatal.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rejoin::reports
