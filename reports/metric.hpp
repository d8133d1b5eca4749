// A metric as people read it: in every report, and in the data of pages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rejoin::reports {

// `repair bytes`, `time stale`: without its unit where values show one.
[[nodiscard]] std::string metric_words(const std::string& metric);
// By the unit that its name ends in: `1.250s`, `12.1 KiB`; `none` when absent.
[[nodiscard]] std::string metric_text(const std::string& metric, std::optional<std::int64_t> value);

}  // namespace rejoin::reports
