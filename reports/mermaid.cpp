#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "reports/pictures.hpp"

namespace rejoin::reports {

namespace {

// What ends a message, begins a comment or an entity, or is markup is written as an entity. So is
// the first letter of `end`, which would close a block.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool word_before = i > 0 && (std::isalnum(static_cast<unsigned char>(text[i - 1])) != 0);
    const bool word_after =
        i + 3 < text.size() && (std::isalnum(static_cast<unsigned char>(text[i + 3])) != 0);
    if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
    } else if (c == '#' || c == ';' || c == '<' || c == '>' || c == '&' || c == '%' || c == '{' ||
               c == '}' || c == '"' || c == '`') {
      out += fmt::format("#{};", static_cast<int>(c));
    } else if (!word_before && !word_after && text.substr(i, 3) == "end") {
      out += "#101;";
    } else {
      out += c;
    }
  }
  return out.empty() ? " " : out;
}

// Where the arrows lead to: an event of a host, and what it was.
struct Target {
  std::uint64_t event = 0;
  std::uint32_t host = RunEvents::kNone;
  std::string key;
  std::string says;
};

std::optional<Target> target_of(const RunRecord& record, const RunEvents& events) {
  for (const Violation& violation : record.violations) {
    const std::uint32_t host =
        violation.node.is_none() ? RunEvents::kNone : violation.node.value - 1;
    return Target{violation.event, host, violation.key,
                  violation.invariant + " broken at " + to_seconds_text(violation.at)};
  }
  const auto last = std::max_element(
      events.messages.begin(), events.messages.end(),
      [&events](const RunEvents::Message& a, const RunEvents::Message& b) {
        const auto rank = [&events](const RunEvents::Message& m) {
          const bool client = m.to >= events.nodes && m.to < events.nodes + events.clients;
          return client ? m.arrive_event : 0;
        };
        return rank(a) < rank(b);
      });
  if (last == events.messages.end() || last->arrive_event == 0) return std::nullopt;
  return Target{last->arrive_event, last->to,
                last->key == RunEvents::kNone ? "" : events.keys[last->key],
                "nothing broke: the last answer, at " + to_seconds_text(*last->arrived)};
}

// A violation names a node, but the answer that shows it may have been seen elsewhere.
std::uint32_t host_of_event(const RunEvents& events, const Target& target) {
  for (const RunEvents::Message& message : events.messages) {
    if (message.arrived && message.arrive_event == target.event) return message.to;
    if (message.send_event == target.event) return message.from;
  }
  return target.host;
}

struct Line {
  std::uint64_t event = 0;
  std::uint64_t order = 0;
  std::string text;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};

class Diagram {
 public:
  Diagram(const RunEvents& events, const Target& target)
      : events_(events),
        target_(target),
        past_(causal_past(events, target.event, host_of_event(events, target))) {}

  std::string draw(std::size_t messages_max) {
    add_messages();
    std::sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
      return a.event != b.event ? a.event < b.event : a.order < b.order;
    });
    const std::size_t gone = lines_.size() > messages_max ? lines_.size() - messages_max : 0;
    lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(gone));
    const std::uint64_t first = lines_.empty() ? 0 : lines_.front().event;
    add_facts(first);
    add_ghosts();
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const Line& a, const Line& b) { return a.event < b.event; });
    return put(gone);
  }

 private:
  [[nodiscard]] bool is_past(const RunEvents::Message& m) const {
    return m.arrived ? m.arrive_event <= past_[m.to] : m.send_event <= past_[m.from];
  }

  // Those of the key, if there are any; else those that carry data; else all.
  void add_messages() {
    std::vector<const RunEvents::Message*> all;
    for (const RunEvents::Message& m : events_.messages) {
      if (is_past(m)) all.push_back(&m);
    }
    const auto keep = [&all](auto wanted) {
      std::vector<const RunEvents::Message*> kept;
      std::copy_if(all.begin(), all.end(), std::back_inserter(kept), wanted);
      if (!kept.empty()) all = std::move(kept);
    };
    keep([](const auto* m) {
      return m->purpose == Purpose::foreground || m->purpose == Purpose::repair;
    });
    if (!target_.key.empty()) {
      keep([this](const auto* m) {
        return m->key != RunEvents::kNone && events_.keys[m->key] == target_.key;
      });
    }
    for (const RunEvents::Message* m : all) {
      const std::string what = events_.kinds[m->kind] +
                               (m->key == RunEvents::kNone ? "" : " " + events_.keys[m->key]) +
                               ", " + to_seconds_text(m->sent);
      lines_.push_back(
          {m->arrived ? m->arrive_event : m->send_event, m->serial,
           fmt::format("h{}{}h{}: {}", m->from, m->arrived ? "->>" : "-x", m->to,
                       escaped(m->arrived ? what : what + ", " + events_.fates[m->fate])),
           m->from, m->to});
    }
  }

  void add_facts(std::uint64_t first) {
    constexpr std::size_t kFactsMax = 20;
    std::size_t shown = 0;
    for (auto fact = events_.facts.rbegin(); fact != events_.facts.rend(); ++fact) {
      const std::string& kind = events_.fact_kinds[fact->kind];
      const bool of_life = kind == "ProcessCrashed" || kind == "ProcessStarted" ||
                           kind == "ProcessHalted" || kind == "DiskWiped";
      const bool removed = kind == "MemberRemoved" && fact->host != RunEvents::kNone &&
                           events_.strings[fact->text].find("on_leader: true") != std::string::npos;
      if (!(of_life || removed) || fact->host == RunEvents::kNone || fact->event < first ||
          fact->event > target_.event || shown == kFactsMax) {
        continue;
      }
      ++shown;
      const std::string says =
          removed ? "removes " + removed_in(events_.strings[fact->text]) : says_of(kind);
      lines_.push_back({fact->event, 0,
                        fmt::format("Note over h{}: {}", fact->host,
                                    escaped(says + ", " + to_seconds_text(fact->at))),
                        fact->host, fact->host});
    }
  }

  static std::string removed_in(const std::string& text) {
    const std::size_t at = text.find("node: ");
    if (at == std::string::npos) return "a member";
    const std::size_t from = at + 6;
    return text.substr(from, text.find_first_of(",}", from) - from);
  }

  static std::string says_of(const std::string& kind) {
    if (kind == "ProcessCrashed") return "crashes";
    if (kind == "ProcessStarted") return "starts";
    if (kind == "ProcessHalted") return "stops by itself";
    return "loses its disk";
  }

  void add_ghosts() {
    for (const RunEvents::Ghost& ghost : events_.ghosts) {
      if (events_.keys[ghost.key] != target_.key || target_.key.empty()) continue;
      std::uint64_t event = target_.event;
      for (const Line& line : lines_) {
        if (line.to == ghost.from) event = std::min(event, line.event);
      }
      lines_.push_back({event, 0,
                        fmt::format("h{}--xh{}: {}", ghost.from, ghost.to,
                                    escaped("never sent: " + target_.key)),
                        ghost.from, ghost.to});
    }
  }

  [[nodiscard]] std::string put(std::size_t gone) const {
    std::set<std::uint32_t> hosts;
    for (const Line& line : lines_) {
      hosts.insert(line.from);
      hosts.insert(line.to);
    }
    const std::uint32_t end = target_.host != RunEvents::kNone ? target_.host
                              : hosts.empty()                  ? 0
                                                               : *hosts.begin();
    hosts.insert(end);
    std::string out = "sequenceDiagram\n";
    for (const std::uint32_t host : hosts) {
      out += fmt::format("  participant h{} as {}\n", host, escaped(events_.hosts[host]));
    }
    if (gone != 0) {
      out +=
          fmt::format("  Note over h{}: {} earlier messages are left out\n", *hosts.begin(), gone);
    }
    for (const Line& line : lines_) out += "  " + line.text + "\n";
    out += fmt::format("  Note over h{}: {}\n", end, escaped(target_.says));
    return out;
  }

  const RunEvents& events_;
  const Target& target_;
  std::vector<std::uint64_t> past_;
  std::vector<Line> lines_;
};

}  // namespace

std::string mermaid_diagram(const RunRecord& record, const RunEvents& events,
                            std::size_t messages_max) {
  const std::optional<Target> target = target_of(record, events);
  if (target) return Diagram(events, *target).draw(messages_max);
  std::string out = "sequenceDiagram\n";
  for (std::uint32_t node = 0; node < events.nodes; ++node) {
    out += fmt::format("  participant h{} as {}\n", node, escaped(events.hosts[node]));
  }
  return out + "  Note over h0: no client was answered\n";
}

}  // namespace rejoin::reports
