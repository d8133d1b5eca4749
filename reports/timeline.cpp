// The table of the timeline: what happened, and what each node then held.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/sections.hpp"

namespace rejoin::reports {

namespace {

bool serves(const NodeSnapshot& node) {
  return node.state == NodeState::alive || node.state == NodeState::syncing ||
         node.state == NodeState::evicted;
}

bool is_behind(const NodeSnapshot& node) {
  return serves(node) && (node.missing_keys != 0 || node.stale_keys != 0);
}

std::string node_text(const NodeSnapshot& node) {
  const std::string keys = grouped(node.keys);
  std::string out;
  switch (node.state) {
    case NodeState::alive:
      out = keys;
      break;
    case NodeState::syncing:
      out = keys + ", syncing";
      break;
    case NodeState::evicted:
      out = keys + ", evicted";
      break;
    case NodeState::dead:
      out = "dead (" + keys + " on disk)";
      break;
    case NodeState::offline:
      out = "offline";
      break;
  }
  if (serves(node) && node.missing_keys != 0) out += ", " + grouped(node.missing_keys) + " missing";
  if (serves(node) && node.stale_keys != 0) out += ", " + grouped(node.stale_keys) + " stale";
  if (node.leader) out += " *";
  return out;
}

Cell node_cell(const NodeSnapshot& node) {
  const Paint paint = !serves(node)                    ? Paint::dim
                      : is_behind(node)                ? Paint::bad
                      : node.state == NodeState::alive ? Paint::plain
                                                       : Paint::warn;
  return {node_text(node), paint};
}

// What every read of the step answered, when they all answered alike: the point of the step.
std::string common_answer(const RunRecord& record, const std::string& label) {
  std::optional<ResultKind> common;
  for (const ReadRecord& read : record.reads) {
    if (read.operation.label != label) continue;
    if (common && *common != read.operation.result) return {};
    common = read.operation.result;
  }
  if (!common) return {};
  if (*common == ResultKind::not_found) return ": NOT FOUND";
  return *common == ResultKind::value ? ": found" : ": " + std::string(to_name(*common));
}

std::vector<Cell> step_cells(const RunRecord& record, const Transition& step) {
  const bool wrong = std::any_of(
      record.reads.begin(), record.reads.end(),
      [&step](const ReadRecord& read) { return read.stale && read.operation.label == step.label; });
  return {{step.label, Paint::strong},
          {to_seconds_text(step.at)},
          {step.what + common_answer(record, step.label), wrong ? Paint::bad : Paint::plain}};
}

Table small_table(const RunRecord& record) {
  Table table;
  table.columns = {{"step"}, {"time", Align::right}, {"what happened"}};
  // A node may come later: columns are of every node that any row knows.
  std::map<NodeId, std::size_t> column;
  for (const Transition& step : record.transitions) {
    for (const NodeSnapshot& node : step.nodes) column.emplace(node.node, 0);
  }
  for (auto& [node, at] : column) {
    at = table.columns.size();
    table.columns.push_back({to_name(node)});
  }
  for (const Transition& step : record.transitions) {
    std::vector<Cell> cells = step_cells(record, step);
    cells.resize(table.columns.size(), Cell{"-", Paint::dim});
    for (const NodeSnapshot& node : step.nodes) cells[column.at(node.node)] = node_cell(node);
    table.rows.push_back(std::move(cells));
  }
  return table;
}

// Nodes that are in one and the same condition are named together.
std::string outstanding(const Transition& step) {
  std::map<std::string, std::vector<std::string>> groups;
  for (NodeSnapshot node : step.nodes) {
    if (node.state == NodeState::alive && !is_behind(node)) continue;
    node.leader = false;  // has its own column
    groups[node_text(node)].push_back(to_name(node.node));
  }
  std::string out;
  for (const auto& [text, nodes] : groups) {
    out += (out.empty() ? "" : "; ") + name_ranges(nodes) + ": " + text;
  }
  return out;
}

Table large_table(const RunRecord& record) {
  Table table;
  table.columns = {{"step"},
                   {"time", Align::right},
                   {"what happened"},
                   {"leader"},
                   {"up", Align::right},
                   {"down", Align::right},
                   {"behind", Align::right},
                   {"keys a node", Align::right},
                   {"nodes that stand out"}};
  for (const Transition& step : record.transitions) {
    std::vector<std::string> leaders;
    std::uint64_t up = 0;
    std::uint64_t behind = 0;
    std::optional<std::uint64_t> least;
    std::uint64_t most = 0;
    for (const NodeSnapshot& node : step.nodes) {
      if (node.leader) leaders.push_back(to_name(node.node));
      if (is_behind(node)) ++behind;
      if (!serves(node)) continue;
      ++up;
      least = std::min(least.value_or(node.keys), node.keys);
      most = std::max(most, node.keys);
    }
    const std::uint64_t down = step.nodes.size() - up;
    const std::string keys = !least           ? "-"
                             : *least == most ? grouped(most)
                                              : grouped(*least) + ".." + grouped(most);
    std::vector<Cell> cells = step_cells(record, step);
    cells.push_back({leaders.empty() ? "-" : name_ranges(leaders)});
    cells.push_back({grouped(up)});
    cells.push_back({grouped(down), down == 0 ? Paint::plain : Paint::warn});
    cells.push_back({grouped(behind), behind == 0 ? Paint::plain : Paint::bad});
    cells.push_back({keys});
    cells.push_back({outstanding(step)});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

// Explains the words that the table uses, and no others.
std::string legend(const RunRecord& record) {
  bool leader = false, missing = false, stale = false, evicted = false, dead = false;
  bool offline = false, syncing = false;
  for (const Transition& step : record.transitions) {
    for (const NodeSnapshot& node : step.nodes) {
      leader |= node.leader;
      missing |= serves(node) && node.missing_keys != 0;
      stale |= serves(node) && node.stale_keys != 0;
      evicted |= node.state == NodeState::evicted;
      dead |= node.state == NodeState::dead;
      offline |= node.state == NodeState::offline;
      syncing |= node.state == NodeState::syncing;
    }
  }
  std::string out = "A number is how many keys the node holds when the step is complete.";
  if (leader && record.nodes <= kNodeColumnsMax) out += " *: leads the cluster.";
  if (missing) out += " missing: written and acknowledged, this node's to keep, and not there.";
  if (stale) out += " stale: older than what was acknowledged.";
  if (syncing) out += " syncing: a repair is under way.";
  if (dead) out += " dead: down, still a member.";
  if (offline) out += " offline: down, and removed from the cluster.";
  if (evicted) out += " evicted: up, but removed from the cluster.";
  return out;
}

}  // namespace

void put_timeline(Page& page, const RunRecord& record) {
  if (record.transitions.empty()) return;
  std::size_t nodes = 0;
  for (const Transition& step : record.transitions) nodes = std::max(nodes, step.nodes.size());
  page.section("Timeline");
  page.table(nodes > kNodeColumnsMax ? large_table(record) : small_table(record));
  page.paragraph(legend(record), 2, 2, Paint::dim);
}

}  // namespace rejoin::reports
