#include "sim/invariants/evidence.hpp"

#include <algorithm>

namespace rejoin::sim {

namespace {

std::string quoted(const Value& value) {
  return "\"" + value + "\"";
}

std::string request_text(const Operation& operation) {
  std::string out = "invokes ";
  out += to_name(operation.kind);
  if (operation.kind == OperationKind::read && operation.direct) out = "invokes direct read";
  out += " of " + operation.key;
  if (operation.kind == OperationKind::write || operation.kind == OperationKind::configure) {
    out += " = " + quoted(operation.value);
  }
  if (!operation.direct && operation.kind != OperationKind::configure) {
    out += " at level ";
    out += to_name(operation.level);
  }
  out += " (" + to_name(operation.id) + ")";
  if (!operation.via.is_none()) out += " at " + to_name(operation.via);
  return out;
}

std::string result_text(const Operation& operation) {
  std::string out = "is answered ";
  switch (operation.result) {
    case ResultKind::ok:
      out = "is told that ";
      out += to_name(operation.kind);
      out += " of " + operation.key + " succeeded";
      break;
    case ResultKind::value:
      out += quoted(operation.value) + " for " + operation.key;
      break;
    case ResultKind::not_found:
      out += "NOT FOUND for " + operation.key;
      break;
    case ResultKind::none:
    case ResultKind::unavailable:
      out += to_name(operation.result);
      out += " for " + operation.key;
      break;
  }
  out += " (" + to_name(operation.id) + ")";
  const NodeId server = server_of(operation);
  if (!server.is_none()) out += " by " + to_name(server);
  return out;
}

}  // namespace

Evidence& Evidence::add(MonotonicTime at, std::string_view who, std::string_view what) {
  std::string line = to_seconds_text(at) + " ";
  line += who;
  line += ": ";
  line += what;
  lines_.emplace_back(at, std::move(line));
  return *this;
}

Evidence& Evidence::add(const Operation& operation) {
  const std::string who = to_name(operation.id.client);
  add(operation.invoked, who, request_text(operation));
  if (operation.returned) add(*operation.returned, who, result_text(operation));
  return *this;
}

Evidence& Evidence::add_held(MonotonicTime at, NodeId node, const Key& key, const World& world) {
  return add(at, to_name(node),
             "its store holds " + held_text(world.stored(node, key), world) + " for " + key);
}

std::vector<std::string> Evidence::lines() const {
  auto sorted = lines_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (auto& [at, line] : sorted) out.push_back(std::move(line));
  return out;
}

std::string version_text(RequestId id, const World& world) {
  const Operation* write = world.find_write(id);
  if (write == nullptr) return to_name(id);
  if (write->kind == OperationKind::remove) return "delete (" + to_name(id) + ")";
  return "write of " + quoted(write->value) + " (" + to_name(id) + ")";
}

std::string seen_text(const std::vector<RequestId>& observed, const World& world) {
  std::vector<std::string> items;
  for (const RequestId id : observed) {
    const Operation* write = world.find_write(id);
    if (write == nullptr) {
      items.push_back("a version of unknown origin (" + to_name(id) + ")");
    } else if (write->kind == OperationKind::remove) {
      items.push_back("a deletion (" + to_name(id) + ")");
    } else {
      items.push_back(quoted(write->value) + " (" + to_name(id) + ")");
    }
  }
  return items.empty() ? "nothing" : list_text(items);
}

std::string held_text(const ShadowRecord* record, const World& world) {
  if (record == nullptr) return "nothing";
  return seen_text(record->origins(), world);
}

std::string list_text(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() ? " and " : ", ";
    out += items[i];
  }
  return out;
}

std::string list_text(const std::vector<NodeId>& nodes) {
  std::vector<std::string> names;
  for (const NodeId node : nodes) names.push_back(to_name(node));
  return list_text(names);
}

std::string count_text(std::uint64_t count, std::string_view noun) {
  std::string out = std::to_string(count) + " ";
  out += noun;
  if (count != 1) out += "s";
  return out;
}

NodeId server_of(const Operation& read) {
  return read.served_by.is_none() ? read.via : read.served_by;
}

std::string read_text(const Operation& read) {
  const NodeId server = server_of(read);
  if (read.direct) return "a direct read of " + read.key + " at " + to_name(server);
  std::string out = "a read of " + read.key + " at level ";
  out += to_name(read.level);
  if (!server.is_none()) out += " through " + to_name(server);
  return out;
}

}  // namespace rejoin::sim
