// The charts of a comparison as one SVG for a paper: black on white, patterns by shape and not by
// colour alone, text as text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "reports/comparison.hpp"
#include "reports/comparison_words.hpp"
#include "reports/markup.hpp"

namespace rejoin::reports {

namespace {

constexpr double kWidth = 720;
constexpr double kLeft = 190;
constexpr double kRight = 30;
constexpr double kChart = 300;
constexpr double kRow = 22;
constexpr double kTitle = 34;

std::string text_at(double x, double y, const std::string& text, std::string_view more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}{}>{}</text>\n", x, y,
                     more.empty() ? "" : " ", more, xml_text(text));
}
std::string line_between(double x1, double y1, double x2, double y2, std::string_view more) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1, y1, x2,
      y2, more);
}

// A shape a strategy, so that print without colour tells them apart.
std::string mark_at(std::size_t which, double x, double y, bool filled) {
  const std::string paint =
      filled ? "fill=\"#000\" stroke=\"#000\"" : "fill=\"#fff\" stroke=\"#000\"";
  constexpr double r = 5;
  switch (which % 4) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" {}/>\n", x, y, r, paint);
    case 1:
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{}\" {}/>\n", x - r,
                         y - r, 2 * r, 2 * r, paint);
    case 2:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l{} {}h{}z\" {}/>\n", x, y - r, r, 2 * r, -2 * r,
                         paint);
    default:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l{} {}l{} {}l{} {}z\" {}/>\n", x, y - r, r, r, -r,
                         r, -r, -r, paint);
  }
}

// Logarithmic, from a tick below the least value that is not 0 to one above the most. 0 has a place
// of its own below, where there is one. Ticks are powers of 10, of bytes powers of 4.
struct Axis {
  double low = 0;   // pixels of 0, or of the least tick
  double high = 0;  // of the most
  double gap = 0;   // share of the way from 0 to the least tick
  std::vector<std::int64_t> ticks{};

  [[nodiscard]] double at(std::int64_t value) const {
    if (value <= 0) return low;
    const auto from = std::log(static_cast<double>(ticks.front()));
    const auto to = std::log(static_cast<double>(ticks.back()));
    const double share = (std::log(static_cast<double>(value)) - from) / (to - from);
    return low + (high - low) * (gap + (1 - gap) * std::max(0.0, share));
  }
};

Axis axis_of(double low, double high, const std::vector<std::int64_t>& values,
             const std::string& metric) {
  const std::int64_t base = metric.ends_with("_bytes") ? 4 : 10;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t least = kMost;
  std::int64_t most = 1;
  for (const std::int64_t value : values) {
    if (value > 0) least = std::min(least, value);
    most = std::max(most, value);
  }
  least = std::min(least, most);
  Axis out{.low = low, .high = high};
  std::int64_t tick = 1;
  while (tick <= least / base) tick *= base;
  out.ticks.push_back(tick);
  while (tick < most && tick <= kMost / base) out.ticks.push_back(tick *= base);
  if (out.ticks.size() == 1) out.ticks.push_back(tick * base);
  const bool has_zero = std::ranges::any_of(values, [](std::int64_t value) { return value <= 0; });
  if (has_zero) out.gap = 0.15;
  return out;
}

// Those that are labelled: at most six, and 0.
std::vector<std::int64_t> labels_of(const Axis& axis) {
  std::vector<std::int64_t> out;
  if (axis.gap > 0) out.push_back(0);
  const std::size_t step = axis.ticks.size() / 6 + 1;
  for (std::size_t i = 0; i < axis.ticks.size(); i += step) out.push_back(axis.ticks[i]);
  return out;
}

const MetricSummary* summary_of(const StrategySummary& strategy, const std::string& metric) {
  const auto found = strategy.metrics.find(metric);
  return found == strategy.metrics.end() || !found->second.median ? nullptr : &found->second;
}

// What each strategy costs by what it leaves stale, with p10 to p90 in both.
std::string scatter(const Analysis& analysis, double top) {
  const std::string cost = kFrontMetrics[0];
  const std::string stale = kFrontMetrics[1];
  std::vector<std::int64_t> costs;
  std::vector<std::int64_t> stales;
  for (const StrategySummary& strategy : analysis.strategies) {
    const MetricSummary* const x = summary_of(strategy, cost);
    const MetricSummary* const y = summary_of(strategy, stale);
    if (x == nullptr || y == nullptr) continue;
    for (const auto& value : {x->p10, x->median, x->p90})
      costs.push_back(value.value_or(*x->median));
    for (const auto& value : {y->p10, y->median, y->p90})
      stales.push_back(value.value_or(*y->median));
  }
  constexpr double kLeftOfChart = 80;
  const double bottom = top + kTitle + kChart;
  const Axis across = axis_of(kLeftOfChart, kWidth - 170, costs, cost);
  const Axis up = axis_of(bottom, top + kTitle, stales, stale);
  std::string out =
      text_at(kLeftOfChart, top + 16,
              metric_words(stale) + " by " + metric_words(cost) + ": medians, p10 to p90",
              "font-weight=\"bold\"");
  out += line_between(across.low, bottom, across.high, bottom, "#000");
  out += line_between(across.low, bottom, across.low, up.high, "#000");
  for (const std::int64_t tick : labels_of(across)) {
    out += line_between(across.at(tick), bottom, across.at(tick), bottom + 4, "#000");
    out += text_at(across.at(tick), bottom + 16, value_text(cost, tick), "text-anchor=\"middle\"");
  }
  for (const std::int64_t tick : labels_of(up)) {
    out += line_between(across.low - 4, up.at(tick), across.low, up.at(tick), "#000");
    out += text_at(across.low - 6, up.at(tick) + 4, value_text(stale, tick), "text-anchor=\"end\"");
  }
  out += text_at((across.low + across.high) / 2, bottom + 32, metric_words(cost) + " (log)",
                 "text-anchor=\"middle\"");
  double legend = top + kTitle + 8;
  for (std::size_t s = 0; s < analysis.strategies.size(); ++s) {
    const StrategySummary& strategy = analysis.strategies[s];
    out += mark_at(s, kWidth - 150, legend - 4, strategy.front);
    out += text_at(kWidth - 138, legend, strategy.name);
    legend += kRow;
    const MetricSummary* const x = summary_of(strategy, cost);
    const MetricSummary* const y = summary_of(strategy, stale);
    if (x == nullptr || y == nullptr) continue;
    const double cx = across.at(*x->median);
    const double cy = up.at(*y->median);
    out += line_between(across.at(x->p10.value_or(*x->median)), cy,
                        across.at(x->p90.value_or(*x->median)), cy, "#777");
    out += line_between(cx, up.at(y->p10.value_or(*y->median)), cx,
                        up.at(y->p90.value_or(*y->median)), "#777");
    out += mark_at(s, cx, cy, strategy.front);
  }
  out += text_at(kWidth - 155, legend + 4, "filled: on the Pareto front");
  return out;
}

// Paired differences with their intervals, a row a strategy.
std::string forest(const ComparisonRecord& record, const Analysis& analysis,
                   const std::string& metric, double top, double* height) {
  *height = 0;
  std::int64_t reach = 0;
  std::size_t rows = 0;
  for (const StrategySummary& strategy : analysis.strategies) {
    const MetricSummary* const of = summary_of(strategy, metric);
    if (of == nullptr || !of->interval) continue;
    ++rows;
    reach = std::max({reach, std::abs(of->interval->low), std::abs(of->interval->high)});
  }
  if (rows == 0 || reach == 0) return {};
  *height = kTitle + kRow * static_cast<double>(rows) + 30;
  const double middle = (kLeft + kWidth - kRight) / 2;
  const double half = (kWidth - kRight - kLeft) / 2;
  const auto at = [&](std::int64_t value) {
    return middle + half * static_cast<double>(value) / static_cast<double>(reach);
  };
  std::string out = text_at(10, top + 16,
                            metric_words(metric) + ": difference to " +
                                record.strategies[record.reference] + ", 95% interval",
                            "font-weight=\"bold\"");
  double y = top + kTitle;
  const double bottom = y + kRow * static_cast<double>(rows);
  out += line_between(middle, y - 4, middle, bottom, "#777");
  for (std::size_t s = 0; s < analysis.strategies.size(); ++s) {
    const MetricSummary* const of = summary_of(analysis.strategies[s], metric);
    if (of == nullptr || !of->interval) continue;
    const double row = y + kRow / 2;
    out += text_at(10, row + 4, analysis.strategies[s].name);
    out += line_between(at(of->interval->low), row, at(of->interval->high), row, "#000");
    out += mark_at(s, at(*of->difference), row, !of->inconclusive());
    y += kRow;
  }
  for (const std::int64_t tick : {-reach, std::int64_t{0}, reach}) {
    const std::string_view anchor = tick < 0    ? "text-anchor=\"start\""
                                    : tick == 0 ? "text-anchor=\"middle\""
                                                : "text-anchor=\"end\"";
    out += text_at(at(tick), bottom + 14, signed_text(metric, tick), anchor);
  }
  return out;
}

// The metric by what was varied, both logarithmic, with the exponents.
std::string growth(const ComparisonRecord& record, const Analysis& analysis,
                   const std::string& metric, double top, double* height) {
  *height = 0;
  if (record.vary.size() != 1 || record.cells() < 2) return {};
  const VariedPath& varied = record.vary.front();
  std::vector<std::int64_t> values;
  double least = 0;
  double most = 0;
  for (const auto& size : varied.sizes) {
    if (!size || *size <= 0) return {};
    least = least == 0 ? *size : std::min(least, *size);
    most = std::max(most, *size);
  }
  if (most <= least) return {};
  for (const StrategySummary& strategy : analysis.strategies) {
    for (const auto& cell : strategy.cells) {
      const auto found = cell.find(metric);
      if (found != cell.end() && found->second.median) values.push_back(*found->second.median);
    }
  }
  if (values.empty()) return {};
  *height = kTitle + kChart + 50;
  constexpr double kLeftOfChart = 80;
  const double right = kWidth - 230;
  const double bottom = top + kTitle + kChart;
  const Axis up = axis_of(bottom, top + kTitle, values, metric);
  const auto across = [&](double size) {
    return kLeftOfChart + 15 +
           (right - kLeftOfChart - 30) * std::log(size / least) / std::log(most / least);
  };
  std::string out = text_at(kLeftOfChart, top + 16, metric_words(metric) + " by " + varied.path,
                            "font-weight=\"bold\"");
  out += line_between(kLeftOfChart, bottom, right, bottom, "#000");
  out += line_between(kLeftOfChart, bottom, kLeftOfChart, up.high, "#000");
  for (std::size_t i = 0; i < varied.values.size(); ++i) {
    out +=
        text_at(across(*varied.sizes[i]), bottom + 16, varied.values[i], "text-anchor=\"middle\"");
  }
  for (const std::int64_t tick : labels_of(up)) {
    out +=
        text_at(kLeftOfChart - 6, up.at(tick) + 4, value_text(metric, tick), "text-anchor=\"end\"");
  }
  double legend = top + kTitle + 8;
  for (std::size_t s = 0; s < analysis.strategies.size(); ++s) {
    const StrategySummary& strategy = analysis.strategies[s];
    std::string path;
    std::string marks;
    for (std::size_t cell = 0; cell < strategy.cells.size(); ++cell) {
      const auto found = strategy.cells[cell].find(metric);
      if (found == strategy.cells[cell].end() || !found->second.median) continue;
      const double x = across(*varied.sizes[cell]);
      const double y = up.at(*found->second.median);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
      marks += mark_at(s, x, y, true);
    }
    if (!path.empty()) out += "<path d=\"" + path + "\" fill=\"none\" stroke=\"#777\"/>\n";
    out += marks;
    std::string name = strategy.name;
    for (const FitSummary& fit : analysis.fits) {
      if (fit.strategy != strategy.name || fit.metric != metric || !fit.fit) continue;
      name += fmt::format(": n^{:.2f}", fit.fit->exponent);
    }
    out += mark_at(s, right + 20, legend - 4, true) + text_at(right + 32, legend, name);
    legend += kRow;
  }
  return out;
}

}  // namespace

std::string comparison_svg(const ComparisonRecord& record, const Analysis& analysis) {
  std::string body;
  double top = 10;
  body += text_at(10, top + 14,
                  fmt::format("{}: {} from {} on", record.scenario, counted(record.seeds, "seed"),
                              record.first_seed),
                  "font-size=\"15\" font-weight=\"bold\"");
  top += 30;
  body += scatter(analysis, top);
  const double legend = kTitle + 16 + kRow * static_cast<double>(analysis.strategies.size() + 1);
  top += std::max(kTitle + kChart + 50, legend);
  for (const std::string& metric : {std::string(kFrontMetrics[0]), std::string(kFrontMetrics[1])}) {
    double height = 0;
    body += forest(record, analysis, metric, top, &height);
    top += height;
  }
  for (const std::string& metric : {std::string(kFrontMetrics[0]), std::string(kFrontMetrics[2])}) {
    double height = 0;
    body += growth(record, analysis, metric, top, &height);
    top += height;
  }
  top += 10;
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\" "
      "font-size=\"12\" fill=\"#000\" stroke-width=\"1.2\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{2}</svg>\n",
      kWidth, top, body);
}

}  // namespace rejoin::reports
