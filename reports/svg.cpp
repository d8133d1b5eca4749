#include <fmt/format.h>

#include <algorithm>

#include "reports/markup.hpp"
#include "reports/pictures.hpp"

namespace rejoin::reports {

namespace {

constexpr int kWidth = 900;
constexpr int kLeft = 90;
constexpr int kRight = 20;
constexpr int kTop = 64;
constexpr int kRow = 44;
constexpr int kBar = 24;
constexpr int kFoot = 92;
constexpr std::size_t kPiecesMax = 2'000;  // of one node; shorter ones are not to be seen
constexpr std::size_t kReadsMax = 500;

std::uint64_t behind(const NodeSnapshot& node) {
  return node.stale_keys + node.missing_keys;
}
bool is_down(NodeState state) {
  return state == NodeState::dead || state == NodeState::offline;
}

class Strip {
 public:
  Strip(const RunRecord& record, const RunEvents& events) : record_(record), events_(events) {
    end_ = std::max<std::int64_t>(1, record.virtual_end.time_since_epoch().count());
    for (const auto& spans : events.spans) {
      for (const RunEvents::NodeSpan& span : spans) worst_ = std::max(worst_, behind(span.what));
    }
  }

  std::string draw() {
    const int height = kTop + kRow * static_cast<int>(events_.nodes) + kFoot;
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n"
        "<title>{2}</title>\n"
        "<defs><pattern id=\"down\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
        "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#fff\"/>"
        "<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" stroke=\"#777\" stroke-width=\"2\"/>"
        "</pattern></defs>\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
        kWidth, height, xml_text("Staleness of each node over time: " + record_.scenario));
    text(kLeft, 18,
         record_.scenario + ", seed " + std::to_string(record_.seed) + ", sync: " + record_.sync,
         "font-weight=\"bold\"");
    draw_steps(height);
    for (std::uint32_t node = 0; node < events_.nodes; ++node) draw_node(node);
    draw_axis(height);
    draw_legend(height);
    return out_ + "</svg>\n";
  }

 private:
  [[nodiscard]] double x(MonotonicTime at) const {
    const auto time = std::clamp<std::int64_t>(at.time_since_epoch().count(), 0, end_);
    return kLeft +
           static_cast<double>(time) / static_cast<double>(end_) * (kWidth - kLeft - kRight);
  }

  void text(double left, double base, const std::string& says, const std::string& how = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", left, base, how,
                        xml_text(says));
  }

  // Light for few, dark for many: it reads in grey, too.
  [[nodiscard]] std::string fill(const NodeSnapshot& node) const {
    if (is_down(node.state)) return "url(#down)";
    if (behind(node) == 0) return "#dfe8e4";
    const double share = static_cast<double>(behind(node)) / static_cast<double>(worst_);
    const auto mix = [share](int from, int to) {
      return static_cast<int>(from + (to - from) * share);
    };
    return fmt::format("#{:02x}{:02x}{:02x}", mix(0xf6, 0x8f), mix(0xb8, 0x1d), mix(0x9a, 0x1d));
  }

  void draw_steps(int height) {
    double free = 0;
    for (const Transition& step : record_.transitions) {
      const double at = x(step.at);
      out_ += fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" "
          "stroke=\"#999\" stroke-dasharray=\"2 3\"/>\n",
          at, kTop - 8, height - kFoot);
      // Labels of steps that fall on each other step up.
      const bool fits = at >= free;
      text(at, fits ? kTop - 14 : kTop - 28, step.label, "text-anchor=\"middle\"");
      if (fits) free = at + 8.0 * static_cast<double>(step.label.size());
    }
  }

  void draw_node(std::uint32_t node) {
    const double y = kTop + kRow * static_cast<double>(node);
    text(kLeft - 10, y + kBar * 0.5 + 4, events_.hosts[node], "text-anchor=\"end\"");
    const auto& spans = events_.spans[node];
    for (std::size_t i = 0; i < spans.size();) {
      const std::size_t next = last_of_piece(spans, i);
      const auto worst = std::max_element(
          spans.begin() + static_cast<std::ptrdiff_t>(i),
          spans.begin() + static_cast<std::ptrdiff_t>(next),
          [](const auto& a, const auto& b) { return behind(a.what) < behind(b.what); });
      const double from = x(spans[i].from);
      const double to = x(spans[next - 1].to);
      const bool lies = worst->claims && behind(worst->what) != 0 && !is_down(worst->what.state);
      out_ += fmt::format(
          "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\"{}/>\n", from,
          y, std::max(0.2, to - from), kBar, fill(worst->what),
          lies ? " stroke=\"#000\" stroke-width=\"1.5\"" : "");
      const std::string says = says_of(behind(worst->what) == 0 ? spans[i].what : worst->what);
      if (to - from > 7.0 * static_cast<double>(says.size())) {
        const double share = static_cast<double>(behind(worst->what)) /
                             static_cast<double>(std::max<std::uint64_t>(1, worst_));
        const bool dark = !is_down(worst->what.state) && share > 0.5;
        const std::string how = dark ? "fill=\"#fff\"" : "fill=\"#111\"";
        if (is_down(worst->what.state)) {
          out_ += fmt::format(
              "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"16\" "
              "fill=\"#fff\"/>\n",
              from + 3, y + 4, 6.4 * static_cast<double>(says.size()) + 6);
        }
        text(from + 6, y + kBar * 0.5 + 4, says, how);
      }
      i = next;
    }
    draw_reads(node, y);
  }

  // Spans that are alike are one piece; so are those that together are too short to be seen.
  [[nodiscard]] std::size_t last_of_piece(const std::vector<RunEvents::NodeSpan>& spans,
                                          std::size_t first) const {
    const std::int64_t shortest = end_ / static_cast<std::int64_t>(kPiecesMax);
    bool all_alike = true;
    std::size_t next = first + 1;
    for (; next < spans.size(); ++next) {
      if (is_down(spans[next].what.state) != is_down(spans[first].what.state)) break;
      all_alike = all_alike && behind(spans[next].what) == behind(spans[first].what);
      const bool short_of = (spans[next].to - spans[first].from).count() < shortest;
      if (!all_alike && !short_of) break;
    }
    return next;
  }

  static std::string says_of(const NodeSnapshot& node) {
    if (is_down(node.state)) return "down";
    if (behind(node) == 0) return std::to_string(node.keys) + " keys";
    return std::to_string(behind(node)) + " behind";
  }

  void draw_reads(std::uint32_t node, double y) {
    std::size_t shown = 0;
    for (const Operation& read : record_.history) {
      const bool stale = events_.stale_reads.contains(read.id);
      if (!stale || read.served_by != NodeId(node + 1) || shown == kReadsMax) continue;
      ++shown;
      const double at = x(read.returned.value_or(read.invoked));
      out_ += fmt::format(
          "<path d=\"M{:.1f} {:.1f}l5 9h-10z\" fill=\"#8f1d1d\"><title>{}</title>"
          "</path>\n",
          at, y + kBar + 2,
          xml_text("stale read of " + read.key + " at " +
                   to_seconds_text(read.returned.value_or(read.invoked))));
    }
  }

  void draw_axis(int height) {
    const double y = height - kFoot + 4;
    out_ += fmt::format("<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#333\"/>\n",
                        kLeft, kWidth - kRight, y, y);
    // About six, in whole units.
    Duration step = 1us;
    for (int i = 0; step * 6 < Duration(end_); ++i) step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    for (MonotonicTime at{}; at.time_since_epoch() <= Duration(end_); at += step) {
      out_ += fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" "
          "stroke=\"#333\"/>\n",
          x(at), y, y + 5);
      text(x(at), y + 18, to_seconds_text(at), "text-anchor=\"middle\"");
    }
  }

  void draw_legend(int height) {
    const double y = height - 38;
    double at = kLeft;
    const auto item = [&](const std::string& fill_of, const std::string& says) {
      out_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"16\" height=\"12\" fill=\"{}\" "
          "stroke=\"#777\" stroke-width=\"0.5\"/>\n",
          at, y, fill_of);
      text(at + 22, y + 10, says);
      at += 40 + 6.6 * static_cast<double>(says.size());
    };
    NodeSnapshot sample;
    item(fill(sample), "has all of its keys");
    sample.missing_keys = worst_;
    if (worst_ != 0) item(fill(sample), fmt::format("stale or missing keys, up to {}", worst_));
    item("url(#down)", "down");
    if (!events_.stale_reads.empty()) {
      out_ +=
          fmt::format("<path d=\"M{:.1f} {:.1f}l5 9h-10z\" fill=\"#8f1d1d\"/>\n", at + 6, y + 1);
      text(at + 18, y + 10, "a stale read");
    }
    text(kLeft, y + 30,
         "virtual time; dashed lines are steps; outlined: behind, and serves as if it were not");
  }

  const RunRecord& record_;
  const RunEvents& events_;
  std::int64_t end_ = 1;
  std::uint64_t worst_ = 0;
  std::string out_;
};

}  // namespace

std::string staleness_svg(const RunRecord& record, const RunEvents& events) {
  return Strip(record, events).draw();
}

}  // namespace rejoin::reports
