#include "reports/metric.hpp"

#include <algorithm>
#include <map>

#include "reports/page.hpp"

namespace rejoin::reports {

std::string metric_words(const std::string& metric) {
  static const std::map<std::string, std::string> kNames = {
      {"stale_ns", "time stale"},
      {"stale_key_ns", "stale copies x time"},
      {"staleness_max_ns", "longest staleness"},
      {"staleness_versions_max", "most versions behind"},
      {"unavailable_ns", "time unavailable"},
      {"operations_per_s", "operations a second"},
      {"min_copies", "fewest copies"}};
  if (const auto named = kNames.find(metric); named != kNames.end()) return named->second;
  std::string out = metric;
  if (out.ends_with("_ns")) out.resize(out.size() - 3);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

std::string metric_text(const std::string& metric, std::optional<std::int64_t> value) {
  if (!value) return "none";
  if (metric.ends_with("_ns")) return to_seconds_text(MonotonicTime(Duration(*value)));
  if (metric.ends_with("bytes") && *value >= 1024) {
    return readable_bytes(static_cast<std::uint64_t>(*value));
  }
  return grouped(*value);
}

}  // namespace rejoin::reports
