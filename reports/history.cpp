#include "reports/history.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace rejoin::reports {

namespace {

std::int64_t ns(MonotonicTime time) {
  return time.time_since_epoch().count();
}

// `write`, `direct-read`, `increment`, ...; none for what is no operation on a key.
std::optional<std::string> function_of(const Operation& operation) {
  switch (operation.kind) {
    case OperationKind::write:
      return "write";
    case OperationKind::remove:
      return "delete";
    case OperationKind::read:
      return operation.direct ? "direct-read" : "read";
    case OperationKind::increment:
    case OperationKind::add:
    case OperationKind::discard:
      return std::string(to_name(operation.kind));
    case OperationKind::configure:
      return std::nullopt;
  }
  return std::nullopt;
}

bool is_input(OperationKind kind) {
  return kind == OperationKind::write || kind == OperationKind::increment ||
         kind == OperationKind::add || kind == OperationKind::discard;
}

// Keys whose values are counters or sets: a history tells them by what is done to them.
enum class Shape : std::uint8_t { plain, counter, set };

std::map<Key, Shape> shapes_of(const std::vector<Operation>& history) {
  std::map<Key, Shape> out;
  for (const Operation& operation : history) {
    if (operation.kind == OperationKind::increment) out[operation.key] = Shape::counter;
    if (operation.kind == OperationKind::add || operation.kind == OperationKind::discard) {
      out[operation.key] = Shape::set;
    }
  }
  return out;
}

Shape shape_of(const std::map<Key, Shape>& shapes, const Key& key) {
  const auto at = shapes.find(key);
  return at == shapes.end() ? Shape::plain : at->second;
}

bool is_whole_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Of the text of a set: its elements are joined by a comma and a space.
std::vector<std::string> elements_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(", ", at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

// ---- EDN ---------------------------------------------------------------------------------------

std::string edn_text(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xfU];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string edn_set(const std::vector<std::string>& texts) {
  std::string out = "#{";
  for (const std::string& text : texts) out += (out.size() > 2 ? " " : "") + edn_text(text);
  return out + "}";
}

class EdnWriter {
 public:
  explicit EdnWriter(const RunRecord& record)
      : record_(record), shapes_(shapes_of(record.history)) {
    for (const Operation& operation : record.history) {
      clients_ = std::max<std::uint64_t>(clients_, operation.id.client.value);
    }
  }

  std::string write() {
    for (std::size_t i = 0; i < record_.history.size(); ++i) {
      const Operation& operation = record_.history[i];
      if (!function_of(operation)) continue;
      answer_until(operation.invoked, operation.id.client);
      invoke(i);
    }
    answer_until(kForever, ClientId());
    const MonotonicTime end = std::max(last_, record_.virtual_end);
    for (const auto& [process, open] : open_) line(end, process, "info", open);
    return std::move(out_);
  }

 private:
  // Those that returned before `until`, or then to `client`, which goes on.
  void answer_until(MonotonicTime until, ClientId client) {
    std::vector<std::pair<MonotonicTime, std::size_t>> answers;
    for (const auto& [process, at] : open_) {
      const Operation& operation = record_.history[at];
      if (!operation.returned || *operation.returned > until) continue;
      if (*operation.returned == until && operation.id.client != client) continue;
      answers.emplace_back(*operation.returned, at);
    }
    std::stable_sort(answers.begin(), answers.end());
    for (const auto& [time, at] : answers) {
      const std::uint64_t process = processes_.at(at);
      const bool refused = record_.history[at].result == ResultKind::unavailable;
      line(time, process, refused ? "fail" : "ok", at);
      open_.erase(process);
    }
  }

  void invoke(std::size_t at) {
    const Operation& operation = record_.history[at];
    const std::uint64_t client = operation.id.client.value;
    // Who goes on in a new session gave up what is open.
    std::uint64_t process = client == 0 ? 0 : client - 1;
    for (;; process += std::max<std::uint64_t>(clients_, 1)) {
      if (retired_.contains(process)) continue;
      const auto busy = open_.find(process);
      if (busy == open_.end()) break;
      const Operation& open = record_.history[busy->second];
      if (open.returned || open.session == operation.session) continue;
      line(operation.invoked, process, "info", busy->second);
      open_.erase(busy);
      retired_.insert(process);
    }
    open_[process] = at;
    processes_[at] = process;
    line(operation.invoked, process, "invoke", at);
  }

  void line(MonotonicTime time, std::uint64_t process, std::string_view type, std::size_t at) {
    const Operation& operation = record_.history[at];
    last_ = time;
    const bool found = type == "ok" && operation.result == ResultKind::value;
    out_ += "{:index " + std::to_string(index_++) + ", :time " + std::to_string(ns(time)) +
            ", :process " + std::to_string(process) + ", :type :";
    out_ += type;
    out_ += ", :f :" + *function_of(operation) + ", :value [" + edn_text(operation.key) + " " +
            (is_input(operation.kind) || found ? value_of(operation) : "nil") + "]";
    if (type == "info") out_ += ", :error :timeout";
    if (type == "fail") out_ += ", :error :unavailable";
    out_ += "}\n";
  }

  [[nodiscard]] std::string value_of(const Operation& operation) const {
    const Shape shape = shape_of(shapes_, operation.key);
    if (shape == Shape::counter && is_whole_number(operation.value)) return operation.value;
    if (operation.kind != OperationKind::read) return edn_text(operation.value);
    if (shape == Shape::set) return edn_set(elements_of(operation.value));
    if (operation.others.empty()) return edn_text(operation.value);
    std::vector<std::string> siblings = {operation.value};
    siblings.insert(siblings.end(), operation.others.begin(), operation.others.end());
    return edn_set(siblings);
  }

  const RunRecord& record_;
  std::map<Key, Shape> shapes_;
  std::uint64_t clients_ = 0;
  std::uint64_t index_ = 0;
  MonotonicTime last_{};
  std::map<std::uint64_t, std::size_t> open_;       // by process, in record_.history
  std::map<std::size_t, std::uint64_t> processes_;  // by operation
  std::set<std::uint64_t> retired_;
  std::string out_;
};

// ---- JSON lines --------------------------------------------------------------------------------

using Json = nlohmann::ordered_json;

Json json_output(const Operation& operation, Shape shape) {
  if (shape == Shape::set) return elements_of(operation.value);
  if (operation.others.empty()) return operation.value;
  Json siblings = Json::array({operation.value});
  for (const Value& other : operation.others) siblings.push_back(other);
  return siblings;
}

std::string json_line(const Operation& operation, std::size_t index, Shape shape) {
  Json observed = Json::array();
  for (const RequestId id : operation.observed) observed.push_back(to_name(id));
  const NodeId node = operation.served_by.is_none() ? operation.via : operation.served_by;
  const bool found = operation.result == ResultKind::value;
  const Json line = {
      {"index", index},
      {"id", to_name(operation.id)},
      {"client", operation.id.client.value},
      {"session", operation.session},
      {"key", operation.key},
      {"op", *function_of(operation)},
      {"input", is_input(operation.kind) ? Json(operation.value) : Json()},
      {"output", found ? json_output(operation, shape) : Json()},
      {"result", operation.result == ResultKind::none ? "no-answer" : to_name(operation.result)},
      {"observed", std::move(observed)},
      {"level", operation.direct ? Json() : Json(to_name(operation.level))},
      {"node", node.is_none() ? Json() : Json(to_name(node))},
      {"call", ns(operation.invoked)},
      {"return", operation.returned ? Json(ns(*operation.returned)) : Json()}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string history_edn(const RunRecord& record) {
  return EdnWriter(record).write();
}

std::string history_jsonl(const RunRecord& record) {
  std::string out;
  const std::map<Key, Shape> shapes = shapes_of(record.history);
  for (std::size_t i = 0; i < record.history.size(); ++i) {
    const Operation& operation = record.history[i];
    if (!function_of(operation)) continue;
    out += json_line(operation, i, shape_of(shapes, operation.key));
  }
  return out;
}

}  // namespace rejoin::reports
