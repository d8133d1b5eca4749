#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "reports/pictures.hpp"
#include "reports/run_page.hpp"

namespace rejoin::reports {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kSliceMax = 1'000;  // ns
// Threads of a process: the protocols, by purpose, and these.
constexpr std::uint32_t kStateThread = 1;
constexpr std::uint32_t kFactThread = 2;
constexpr std::uint32_t kFirstPurposeThread = 3;
// Process 0 is the kernel's to Perfetto.
constexpr std::uint32_t kFirstProcess = 1;

std::int64_t ns(MonotonicTime time) {
  return time.time_since_epoch().count();
}
// The format counts in microseconds.
double us(std::int64_t time_ns) {
  return static_cast<double>(time_ns) / 1000.0;
}
std::uint32_t process_of(std::uint32_t host) {
  return host + kFirstProcess;
}
std::uint32_t thread_of(Purpose purpose) {
  return kFirstPurposeThread + static_cast<std::uint32_t>(purpose);
}

struct Slice {
  std::int64_t at = 0;
  const RunEvents::Message* message = nullptr;
  bool arrives = false;
};

class Writer {
 public:
  Writer(const RunRecord& record, const RunEvents& events)
      : record_(record),
        events_(events),
        world_(process_of(static_cast<std::uint32_t>(events.hosts.size()))) {}

  Json take() {
    name_all();
    write_messages();
    write_facts();
    write_states();
    write_operations();
    write_steps();
    return std::move(out_);
  }

 private:
  void name(std::string_view what, std::uint32_t process, std::uint32_t thread, Json args) {
    out_.push_back({{"ph", "M"},
                    {"name", what},
                    {"pid", process},
                    {"tid", thread},
                    {"args", std::move(args)}});
  }

  void name_all() {
    for (std::uint32_t host = 0; host < events_.hosts.size(); ++host) {
      const std::uint32_t process = process_of(host);
      name("process_name", process, 0, {{"name", events_.hosts[host]}});
      name("process_sort_index", process, 0, {{"sort_index", process}});
      if (host < events_.nodes) name("thread_name", process, kStateThread, {{"name", "state"}});
      name("thread_name", process, kFactThread, {{"name", "facts"}});
      for (std::size_t p = 0; p < kPurposeCount; ++p) {
        const auto purpose = static_cast<Purpose>(p);
        name("thread_name", process, thread_of(purpose), {{"name", to_name(purpose)}});
      }
    }
    name("process_name", world_, 0, {{"name", "steps and faults"}});
    name("process_sort_index", world_, 0, {{"sort_index", 0}});
    name("thread_name", world_, kStateThread, {{"name", "steps"}});
    name("thread_name", world_, kFactThread, {{"name", "faults"}});
  }

  // Slices of one thread must not overlap: what happens at one instant follows each other by a
  // nanosecond.
  void write_messages() {
    std::vector<Slice> slices;
    for (const RunEvents::Message& message : events_.messages) {
      slices.push_back({ns(message.sent), &message, false});
      if (message.arrived) slices.push_back({ns(*message.arrived), &message, true});
    }
    std::stable_sort(slices.begin(), slices.end(),
                     [](const Slice& a, const Slice& b) { return a.at < b.at; });
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::size_t>> threads;
    std::map<std::uint64_t, std::int64_t> sent;  // by serial
    for (std::size_t i = 0; i < slices.size(); ++i) {
      Slice& slice = slices[i];
      const RunEvents::Message& message = *slice.message;
      auto& thread =
          threads[{slice.arrives ? message.to : message.from, thread_of(message.purpose)}];
      if (!thread.empty()) slice.at = std::max(slice.at, slices[thread.back()].at + 1);
      if (slice.arrives) slice.at = std::max(slice.at, sent[message.serial] + 1);
      if (!slice.arrives) sent[message.serial] = slice.at;
      thread.push_back(i);
    }
    for (const auto& [where, list] : threads) {
      for (std::size_t i = 0; i < list.size(); ++i) {
        const std::int64_t at = slices[list[i]].at;
        const std::int64_t length =
            i + 1 == list.size() ? kSliceMax : std::min(kSliceMax, slices[list[i + 1]].at - at);
        write_slice(slices[list[i]], process_of(where.first), where.second, length);
      }
    }
  }

  void write_slice(const Slice& slice, std::uint32_t process, std::uint32_t thread,
                   std::int64_t length) {
    const RunEvents::Message& message = *slice.message;
    const std::string& kind = events_.kinds[message.kind];
    const std::string& other = events_.hosts[slice.arrives ? message.from : message.to];
    out_.push_back({{"ph", "X"},
                    {"name", kind + (slice.arrives ? " from " : " to ") + other},
                    {"cat", to_name(message.purpose)},
                    {"pid", process},
                    {"tid", thread},
                    {"ts", us(slice.at)},
                    {"dur", us(length)},
                    {"args",
                     {{"message", events_.strings[message.text]},
                      {"bytes", message.bytes},
                      {"fate", events_.fates[message.fate]},
                      {"event", slice.arrives ? message.arrive_event : message.send_event}}}});
    if (!message.arrived) return;
    Json flow = {{"ph", slice.arrives ? "f" : "s"},
                 {"name", kind},
                 {"cat", "message"},
                 {"id", message.serial + 1},
                 {"pid", process},
                 {"tid", thread},
                 {"ts", us(slice.at)}};
    if (slice.arrives) flow["bp"] = "e";
    out_.push_back(std::move(flow));
  }

  void instant(std::string name, std::uint32_t process, std::uint32_t thread, MonotonicTime at,
               const char* scope, Json args) {
    out_.push_back({{"ph", "i"},
                    {"name", std::move(name)},
                    {"pid", process},
                    {"tid", thread},
                    {"ts", us(ns(at))},
                    {"s", scope},
                    {"args", std::move(args)}});
  }

  void write_facts() {
    for (const RunEvents::FactRow& fact : events_.facts) {
      const bool world = fact.host == RunEvents::kNone;
      if (fact.routine && !world) continue;
      instant(world ? events_.strings[fact.text] : events_.fact_kinds[fact.kind],
              world ? world_ : process_of(fact.host), kFactThread, fact.at, world ? "g" : "t",
              {{"fact", events_.strings[fact.text]}, {"event", fact.event}});
    }
  }

  void write_states() {
    for (std::uint32_t node = 0; node < events_.nodes; ++node) {
      const auto& spans = events_.spans[node];
      for (std::size_t i = 0; i < spans.size();) {
        std::size_t next = i + 1;
        while (next < spans.size() && spans[next].what.state == spans[i].what.state) ++next;
        out_.push_back({{"ph", "X"},
                        {"name", to_name(spans[i].what.state)},
                        {"cat", "state"},
                        {"pid", process_of(node)},
                        {"tid", kStateThread},
                        {"ts", us(ns(spans[i].from))},
                        {"dur", us(ns(spans[next - 1].to) - ns(spans[i].from))}});
        i = next;
      }
      for (const RunEvents::NodeSpan& span : spans) {
        counter("keys that it lacks", node, span.from,
                {{"stale", span.what.stale_keys}, {"missing", span.what.missing_keys}});
        counter("keys", node, span.from, {{"keys", span.what.keys}});
      }
    }
  }

  void counter(const char* name, std::uint32_t node, MonotonicTime at, Json args) {
    out_.push_back({{"ph", "C"},
                    {"name", name},
                    {"pid", process_of(node)},
                    {"ts", us(ns(at))},
                    {"args", std::move(args)}});
  }

  void write_operations() {
    std::uint64_t id = 0;
    for (const Operation& operation : record_.history) {
      const std::uint32_t process = process_of(events_.nodes + operation.id.client.value - 1);
      const bool stale = events_.stale_reads.contains(operation.id);
      Json begin = {{"ph", "b"},
                    {"cat", "operation"},
                    {"name", std::string(to_name(operation.kind)) + " " + operation.key +
                                 (stale ? " (stale)" : "")},
                    {"id", ++id},
                    {"pid", process},
                    {"tid", kFactThread},
                    {"ts", us(ns(operation.invoked))},
                    {"args",
                     {{"id", to_name(operation.id)},
                      {"value", operation.value},
                      {"result", result_name(operation)},
                      {"stale", stale}}}};
      Json end = begin;
      end["ph"] = "e";
      end["ts"] = us(ns(operation.returned.value_or(record_.virtual_end)));
      end.erase("args");
      out_.push_back(std::move(begin));
      out_.push_back(std::move(end));
    }
  }

  void write_steps() {
    for (const Transition& step : record_.transitions) {
      instant(step.label + ": " + step.what, world_, kStateThread, step.at, "g", Json::object());
    }
    for (const Violation& violation : record_.violations) {
      const std::uint32_t process =
          violation.node.is_none() ? world_ : process_of(violation.node.value - 1);
      instant(violation.invariant + " broken", process, kFactThread, violation.at, "p",
              {{"says", violation.says}, {"expected", violation.expected}});
    }
  }

  const RunRecord& record_;
  const RunEvents& events_;
  std::uint32_t world_;
  Json out_ = Json::array();
};

}  // namespace

std::string perfetto_json(const RunRecord& record, const RunEvents& events) {
  Json out;
  out["traceEvents"] = Writer(record, events).take();
  out["displayTimeUnit"] = "ns";
  out["otherData"] = {{"scenario", record.scenario},
                      {"seed", record.seed},
                      {"digest", to_hex(record.digest)},
                      {"messages left out", events.hidden.messages},
                      {"facts left out", events.hidden.facts}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rejoin::reports
