// `thresholds`: what a comparison of strategies must find.
#include "sim/scenario/read.hpp"

namespace rejoin::sim {

void ScheduleReader::read_threshold_key(const Entry& entry, Threshold& out) {
  const std::string key = normal_name(entry.key);
  const Tree& value = entry.value;
  if (key == "metric") {
    if (!value.is_scalar()) return wrong(value, entry.key, "the name of a metric");
    out.metric = known_metric(value.mark, value.text).value_or("");
  } else if (key == "of") {
    const auto of = threshold_of(value.is_scalar() ? value.text : "");
    if (!of) return wrong(value, entry.key, "min, p10, median, p90, p99 or max");
    out.of = *of;
  } else if (key == "at_least") {
    out.at_least = read_figure(value, entry.key);
  } else if (key == "at_most") {
    out.at_most = read_figure(value, entry.key);
  } else if (key == "sync") {
    for (const Tree& item : value.is_list() ? value.items : std::vector<Tree>{value}) {
      if (!item.is_scalar()) return wrong(item, entry.key, "strategies as --sync names them");
      out.strategies.push_back(item.text);
    }
  } else if (!is_ignored(entry.key)) {
    unknown_key(entry, "a threshold", {"at-least", "at-most", "metric", "of", "sync"});
  }
}

std::vector<Threshold> ScheduleReader::read_thresholds(const Tree& list) {
  std::vector<Threshold> out;
  if (!list.is_list()) {
    wrong(list, "thresholds", "a list of thresholds");
    return out;
  }
  for (const Tree& item : list.items) {
    if (!item.is_map()) {
      wrong(item, "thresholds", "maps: { metric: repair-bytes, at-most: 64KiB }");
      continue;
    }
    const std::size_t before = problems_.size();
    Threshold& threshold = out.emplace_back();
    threshold.where = to_text(item.mark);
    for (const Entry& entry : item.entries) read_threshold_key(entry, threshold);
    if (problems_.size() != before) continue;
    if (threshold.metric.empty()) problems_.add(item.mark, "a threshold names its `metric`");
    if (!threshold.at_least && !threshold.at_most) {
      problems_.add(item.mark, "a threshold has `at-least` or `at-most`");
    } else if (threshold.at_least && threshold.at_most &&
               *threshold.at_least > *threshold.at_most) {
      problems_.add(item.mark, "no value is both at least " + std::to_string(*threshold.at_least) +
                                   " and at most " + std::to_string(*threshold.at_most));
    }
  }
  return out;
}

}  // namespace rejoin::sim
