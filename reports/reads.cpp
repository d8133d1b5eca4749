// What reads answered, what they should have, and why they did not.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/sections.hpp"

namespace rejoin::reports {

namespace {

// Wrong reads that are told in full, and right ones of one step; the others are counted.
constexpr std::size_t kWrongShown = 5;
constexpr std::size_t kRightShown = 3;

bool is_wrong(const ReadRecord& read) {
  return read.stale || !read.expected_value.empty() || !read.why.empty();
}

std::string answer(const Operation& read) {
  switch (read.result) {
    case ResultKind::value:
      return "answered \"" + read.value + "\" for " + read.key;
    case ResultKind::not_found:
      return "answered NOT FOUND for " + read.key;
    case ResultKind::unavailable:
      // Of several that were asked, none could.
      if (read.served_by.is_none() && read.via.is_none()) {
        return "could answer for " + read.key + " at level " + std::string(to_name(read.level));
      }
      return "refused to answer for " + read.key;
    case ResultKind::none:
    case ResultKind::ok:
      if (read.served_by.is_none() && read.via.is_none()) return "answered for " + read.key;
      return "gave no answer for " + read.key;
  }
  return {};
}

std::string whom(const Operation& read) {
  const NodeId node = read.served_by.is_none() ? read.via : read.served_by;
  if (node.is_none()) return "no node";
  if (read.direct) return to_name(node) + ", read directly,";
  return to_name(node) + ", coordinating a read at level " + std::string(to_name(read.level)) + ",";
}

std::string event_of(const ReadRecord& read) {
  const Operation& op = read.operation;
  const std::string step = op.label.empty() ? "" : " (" + op.label + ")";
  return "At " + to_seconds_text(op.invoked) + step + " " + whom(op) + " " + answer(op) + ".";
}

// Values are unique, so the value names the write.
const Operation* write_of(const RunRecord& record, const Key& key, const std::string& value) {
  const auto found =
      std::find_if(record.history.begin(), record.history.end(), [&](const Operation& operation) {
        return operation.kind == OperationKind::write && operation.key == key &&
               operation.value == value;
      });
  return found == record.history.end() ? nullptr : &*found;
}

std::string told_of(const Operation& write) {
  std::string out = to_name(write.id.client) + " wrote at " + to_seconds_text(write.invoked);
  if (!write.label.empty()) out += " (" + write.label + ")";
  if (!write.returned) return out + "; it was never acknowledged";
  if (!write.served_by.is_none())
    out += "; " + to_name(write.served_by);
  else
    out += "; the cluster";
  return out + " acknowledged it at " + to_seconds_text(*write.returned);
}

std::string should_have(const RunRecord& record, const ReadRecord& read) {
  const Operation& op = read.operation;
  if (read.expected_value.empty()) return {};
  const Operation* missed = write_of(record, op.key, read.expected_value);
  if (missed == nullptr) return "It should have answered " + read.expected_value + ".";
  const std::string through =
      missed->served_by.is_none() ? "" : " through " + to_name(missed->served_by);
  return "It should have answered \"" + read.expected_value + "\", written" + through + " at " +
         to_seconds_text(missed->invoked) + ".";
}

// Where an outdated value came from.
std::string saw_instead(const RunRecord& record, const ReadRecord& read) {
  if (read.operation.result != ResultKind::value) return {};
  const Operation* seen = write_of(record, read.operation.key, read.operation.value);
  if (seen == nullptr) return {};
  return "What it answered is what " + told_of(*seen) + ".";
}

void put_wrong(Page& page, const RunRecord& record, const ReadRecord& read) {
  page.paragraph(event_of(read), 2, 4, Paint::bad);
  for (const std::string& line : {should_have(record, read), saw_instead(record, read)}) {
    if (!line.empty()) page.paragraph(line, 4, 4);
  }
  if (!read.why.empty()) page.paragraph("Why: " + read.why + ".", 4, 4);
}

struct Alike {
  std::string step;
  std::string node;
  ResultKind result;
  friend auto operator<=>(const Alike&, const Alike&) = default;
};

void put_rest(Page& page, const std::vector<const ReadRecord*>& rest) {
  std::map<Alike, std::vector<std::string>> groups;
  for (const ReadRecord* read : rest) {
    const Operation& op = read->operation;
    const NodeId node = op.served_by.is_none() ? op.via : op.served_by;
    groups[{op.label, node.is_none() ? "nobody" : to_name(node), op.result}].push_back(op.key);
  }
  for (const auto& [alike, keys] : groups) {
    page.paragraph(fmt::format("{} more like it in {}: {} answered {} for {}", grouped(keys.size()),
                               alike.step, alike.node, to_name(alike.result), name_ranges(keys)),
                   2, 4);
  }
}

void put_right(Page& page, const std::vector<const ReadRecord*>& right) {
  std::map<std::string, std::vector<const ReadRecord*>> by_step;
  for (const ReadRecord* read : right) by_step[read->operation.label].push_back(read);
  for (const auto& [step, reads] : by_step) {
    if (reads.size() <= kRightShown) {
      for (const ReadRecord* read : reads) page.paragraph(event_of(*read), 2, 4, Paint::good);
      continue;
    }
    std::map<ResultKind, std::uint64_t> results;
    for (const ReadRecord* read : reads) ++results[read->operation.result];
    std::string counts;
    for (const auto& [result, count] : results) {
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", grouped(count), to_name(result));
    }
    page.paragraph(
        fmt::format("{}: {} as they should be ({})", step, counted(reads.size(), "read"), counts),
        2, 4, Paint::good);
  }
}

}  // namespace

void put_reads(Page& page, const RunRecord& record) {
  std::vector<const ReadRecord*> wrong;
  std::vector<const ReadRecord*> right;
  for (const ReadRecord& read : record.reads) (is_wrong(read) ? wrong : right).push_back(&read);
  if (!wrong.empty()) {
    page.section(fmt::format("Reads that were wrong: {} of {}", grouped(wrong.size()),
                             grouped(record.reads.size())));
    const std::size_t shown = wrong.size() <= kWrongShown + 1 ? wrong.size() : kWrongShown;
    for (std::size_t i = 0; i < shown; ++i) put_wrong(page, record, *wrong[i]);
    put_rest(page, {wrong.begin() + static_cast<std::ptrdiff_t>(shown), wrong.end()});
  }
  if (!right.empty()) {
    page.section(wrong.empty() ? "Reads: none was wrong" : "Reads that were right");
    put_right(page, right);
  }
}

}  // namespace rejoin::reports
