#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "reports/pictures.hpp"
#include "reports/run_page.hpp"

namespace rejoin::reports {

namespace {

using Clock = std::map<std::uint32_t, std::uint64_t>;  // by host

// What ShiViz is to parse the lines with: its own default, for it reads the first line so.
constexpr std::string_view kParser = "(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)";

struct Item {
  std::uint64_t event = 0;
  int order = 0;  // within it: what arrives, what a host says of itself, what it sends
  std::size_t index = 0;

  friend auto operator<=>(const Item&, const Item&) = default;
};

// A host's name ends at a space.
std::string host_name(const std::string& name) {
  std::string out = name;
  std::replace(out.begin(), out.end(), ' ', '-');
  return out;
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

class Log {
 public:
  explicit Log(const RunEvents& events) : clocks_(events.hosts.size()) {
    for (const std::string& host : events.hosts) names_.push_back(host_name(host));
  }

  void add(std::uint32_t host, const Clock* received, const std::string& what) {
    Clock& clock = clocks_[host];
    if (received != nullptr) {
      for (const auto& [other, count] : *received) clock[other] = std::max(clock[other], count);
    }
    ++clock[host];
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const auto& [other, count] : clock) json[names_[other]] = count;
    out_ += names_[host] + " " + json.dump() + "\n" + one_line(what) + "\n";
  }

  [[nodiscard]] const Clock& clock(std::uint32_t host) const { return clocks_[host]; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::vector<std::string> names_;
  std::vector<Clock> clocks_;
  std::string out_;
};

std::vector<Item> items_of(const RunEvents& events) {
  std::vector<Item> out;
  for (std::size_t i = 0; i < events.messages.size(); ++i) {
    out.push_back({events.messages[i].send_event, 2, i});
    if (events.messages[i].arrived) out.push_back({events.messages[i].arrive_event, 0, i});
  }
  for (std::size_t i = 0; i < events.facts.size(); ++i) {
    if (events.facts[i].host != RunEvents::kNone) out.push_back({events.facts[i].event, 1, i});
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::string shiviz_log(const RunRecord& record, RunEvents events, const ShivizLimits& limits) {
  // Facts that are told again and again are not worth a place on a host's line.
  const std::size_t routine =
      std::erase_if(events.facts, [](const RunEvents::FactRow& fact) { return fact.routine; });
  events.hidden.facts += routine;
  thin(events, {.messages = limits.messages, .facts = limits.facts}, marks_of(record, events));
  Log log(events);
  std::map<std::uint64_t, Clock> sent;  // by serial
  for (const Item& item : items_of(events)) {
    if (item.order == 1) {
      const RunEvents::FactRow& fact = events.facts[item.index];
      log.add(fact.host, nullptr, events.strings[fact.text]);
      continue;
    }
    const RunEvents::Message& message = events.messages[item.index];
    const std::string& text = events.strings[message.text];
    if (item.order == 0) {
      log.add(message.to, &sent[message.serial], "receives " + text);
      continue;
    }
    const bool lost = !message.arrived;
    log.add(message.from, nullptr,
            "sends to " + events.hosts[message.to] +
                (lost ? " (" + events.fates[message.fate] + "): " : ": ") + text);
    sent[message.serial] = log.clock(message.from);
  }
  std::string out(kParser);
  out += "\n\n";
  return out += log.take();
}

}  // namespace rejoin::reports
