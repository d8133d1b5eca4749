// Removing one fault from a schedule leaves every message outside its causal future as it was: the
// same sender, meaning and time of sending, the same fate, the same time of arrival.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sim/run/check.hpp"
#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using namespace test;

constexpr MonotonicTime kNever = kForever;

struct Sent {
  Address from{};
  Address to{};
  std::uint64_t kind = 0;
  std::uint64_t identity = 0;
  std::uint64_t attempt = 0;
  MonotonicTime at{};
  std::vector<MonotonicTime> arrived{};  // twice, when it was duplicated
  std::string lost{};                    // why
};

// Who sent what to whom, and what became of it.
class Log final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override {
    if (event.kind != EventKind::deliver) return;
    const auto found = by_frame_.find({event.from, event.host, bytes(event.payload)});
    // A frame that was damaged on the way is nobody's.
    if (found == by_frame_.end()) return;
    auto& [next, messages] = found->second;
    sent[messages[std::min(next, messages.size() - 1)]].arrived.push_back(event.at);
    ++next;
  }
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_send(MonotonicTime at, std::uint64_t, Address from, Address to, ByteView frame,
               const Tag& tag) override {
    by_frame_[{from, to, bytes(frame)}].second.push_back(sent.size());
    by_tag_[{from, to, tag.kind.value, tag.identity, tag.attempt}] = sent.size();
    sent.push_back({.from = from,
                    .to = to,
                    .kind = tag.kind.value,
                    .identity = tag.identity,
                    .attempt = tag.attempt,
                    .at = at});
  }
  void on_drop(MonotonicTime, std::uint64_t, Address from, Address to, const Tag& tag,
               DropReason reason) override {
    const auto found = by_tag_.find({from, to, tag.kind.value, tag.identity, tag.attempt});
    if (found != by_tag_.end()) sent[found->second].lost += to_name(reason);
  }

  std::vector<Sent> sent;

 private:
  static std::string bytes(ByteView view) { return {view.begin(), view.end()}; }
  std::map<std::tuple<Address, Address, std::string>,
           std::pair<std::size_t, std::vector<std::size_t>>>
      by_frame_;
  std::map<std::tuple<Address, Address, std::uint64_t, std::uint64_t, std::uint64_t>, std::size_t>
      by_tag_;
};

// From when on each host may know of the fault, in either run: it was touched, or something that
// knew sent it a message, or did not send one.
using Future = std::map<Address, MonotonicTime>;

MonotonicTime known_at(const Future& future, Address host) {
  const auto found = future.find(host);
  return found == future.end() ? kNever : found->second;
}

Future future_of(const std::vector<Address>& touched, MonotonicTime from,
                 const std::vector<const Log*>& runs) {
  Future out;
  for (const Address host : touched) out[host] = from;
  for (bool grown = true; grown;) {
    grown = false;
    for (const Log* const run : runs) {
      for (const Sent& message : run->sent) {
        if (message.at < known_at(out, message.from)) continue;
        for (const MonotonicTime at : message.arrived) {
          if (at >= known_at(out, message.to)) continue;
          out[message.to] = at;
          grown = true;
        }
      }
    }
  }
  return out;
}

using Outside = std::map<std::string, std::string>;

// What was sent by whom did not know, to whom did not know when it arrived or could have.
Outside outside(const Log& run, const Future& future, MonotonicTime after) {
  constexpr Duration longest = 2s;  // that a message can be under way here
  Outside out;
  for (const Sent& message : run.sent) {
    const MonotonicTime last =
        message.arrived.empty() ? message.at + longest : message.arrived.back();
    if (message.at < after || message.at >= known_at(future, message.from)) continue;
    if (last >= known_at(future, message.to)) continue;
    const std::string what =
        std::to_string(message.from.value) + " to " + std::to_string(message.to.value) + ", kind " +
        std::to_string(message.kind) + ", identity " + std::to_string(message.identity) +
        ", attempt " + std::to_string(message.attempt) + ", sent " + to_seconds_text(message.at);
    std::string fate = message.lost;
    for (const MonotonicTime at : message.arrived)
      fate += " " + std::to_string(at.time_since_epoch().count());
    out[what] += fate + ";";
  }
  return out;
}

action::Inject fault(const std::string& name, Selectors target, std::optional<Duration> lasts,
                     std::vector<std::pair<std::string, std::string>> texts = {}) {
  const FaultSpec* const spec = Faults::find(name);
  REQUIRE(spec != nullptr);
  action::Inject out{.fault = name, .params = default_params(spec->params), .lasts = lasts};
  const auto hosts =
      std::find_if(spec->params.begin(), spec->params.end(),
                   [](const ParamSpec& each) { return each.type == ParamType::hosts; });
  if (!target.empty()) out.params.set(hosts->name, std::move(target));
  for (const auto& [param, text] : texts) {
    const auto declared = std::find_if(spec->params.begin(), spec->params.end(),
                                       [&](const ParamSpec& each) { return each.name == param; });
    out.params.set(param, *parse_param(*declared, {text}));
  }
  return out;
}

Selectors client(std::uint32_t number) {
  return {{.kind = Selector::Kind::client, .client = ClientId(number)}};
}

constexpr MonotonicTime kStrike{12s};

// Five nodes and three clients of which the third says nothing; weather, loss, duplicates and
// delays of other faults before, at and after the fault in question, which is step `it`.
Schedule hostile(action::Inject it) {
  Schedule out;
  out.name = "causal-future";
  out.cluster = {.nodes = 5, .clients = 3};
  out.network.bandwidth_bytes_per_s = 0;
  const auto at = [](Duration time) { return trigger::At{MonotonicTime(time)}; };
  action::Operate writes = operate(OperationKind::write, keys(1, 150));
  writes.clients = 2;
  writes.every = 300ms;
  writes.background = true;
  out.timeline = {
      step("writes", trigger::Next{}, writes),
      step("rain", at(4s), fault("loss", {select(NodeId(1))}, 20s, {{"share", "5%"}})),
      step("echo", at(5s), fault("duplicate", {}, 18s, {{"share", "10%"}})),
      step("it", trigger::At{kStrike}, std::move(it)),
      step("late", at(12s), fault("slow-link", {select(NodeId(2))}, 6s, {{"extra", "1ms..30ms"}})),
      step("more-rain", at(14s), fault("loss", {select(NodeId(4))}, 4s, {{"share", "20%"}})),
      step("crash", at(16s), fault("crash", {select(NodeId(5))}, 5s)),
      step("end", at(30s), action::Wait{}),
  };
  use_mechanism(out, "rejoin-sync");
  return out;
}

struct Compared {
  std::size_t before = 0;  // messages sent before the fault struck
  std::size_t after = 0;
};

Compared compare(const action::Inject& it, const std::vector<Address>& touched) {
  const Schedule with = hostile(it);
  REQUIRE(complaints_about(with).empty());
  Schedule without = with;
  without.timeline[3].action = action::Wait{};
  Log log_with;
  Log log_without;
  RunOptions options;
  options.trace = &log_with;
  const RunRecord record = run(with, options);
  CHECK(record.injected.at(it.fault) >= 1);
  options.trace = &log_without;
  const RunRecord calm = run(without, options);
  CHECK(record.digest != calm.digest);

  const Future future = future_of(touched, kStrike, {&log_with, &log_without});
  const Outside a = outside(log_with, future, MonotonicTime{});
  const Outside b = outside(log_without, future, MonotonicTime{});
  std::size_t different = 0;
  for (const auto& [what, fate] : a) {
    const auto other = b.find(what);
    if (other != b.end() && other->second == fate) continue;
    if (++different > 3) continue;
    CAPTURE(what);
    CAPTURE(fate);
    CHECK((other == b.end() ? "never sent" : other->second) == fate);
  }
  CHECK(different == 0);
  CHECK(a.size() == b.size());
  const std::size_t after = outside(log_with, future, kStrike).size();
  return {.before = a.size() - after, .after = after};
}

const Address kClient3 = client_address(ClientId(3));

TEST_CASE("a fault of a host that says nothing moves no message of the others") {
  const std::vector<action::Inject> faults = {
      fault("isolate", client(3), 5s),
      fault("slow-link", client(3), 5s),
      fault("loss", client(3), 5s, {{"share", "50%"}}),
      fault("duplicate", client(3), 5s),
      fault("clog", client(3), 5s),
      fault("flap", client(3), 5s),
      fault("bandwidth", client(3), 5s),
      fault("weather", client(3), 5s),
  };
  for (const action::Inject& it : faults) {
    CAPTURE(it.fault);
    const Compared compared = compare(it, {kClient3});
    CHECK(compared.before > 2'000);
    CHECK(compared.after > 3'000);
  }
}

TEST_CASE("a fault of a member moves no message that its news has not reached") {
  const std::vector<action::Inject> faults = {
      fault("crash", {select(NodeId(3))}, 4s),
      fault("restart", {select(NodeId(3))}, {}),
      fault("isolate", {select(NodeId(3))}, 4s),
      fault("corrupt", {select(NodeId(3))}, 4s, {{"share", "20%"}}),
      fault("reorder", {select(NodeId(3))}, 4s),
      fault("slow-disk", {select(NodeId(3))}, 4s),
  };
  for (const action::Inject& it : faults) {
    CAPTURE(it.fault);
    // The links of node-3 are touched, and so are both of their ends.
    std::vector<Address> touched = {Address(3)};
    const bool of_links = Faults::find(it.fault)->kind == FaultClass::network;
    for (std::uint32_t n = 1; of_links && n <= 5; ++n) touched.emplace_back(n);
    CHECK(compare(it, touched).before > 2'000);
  }
}

// The delay of each message that was sent in both runs, in whatever order and whenever: by meaning.
TEST_CASE("what is sent in both runs takes as long in both, even in the fault's future") {
  Schedule with = hostile(fault("crash", {select(NodeId(3))}, 4s));
  // Effects that come and go would delay by time, too: only loss, which is by meaning alone.
  with.network.loss = Share{20'000};
  std::erase_if(with.timeline, [](const Step& each) {
    return each.label != "writes" && each.label != "it" && each.label != "end";
  });
  Schedule without = with;
  without.timeline[1].action = action::Wait{};
  Log logs[2];
  RunOptions options;
  options.trace = &logs[0];
  (void)run(with, options);
  options.trace = &logs[1];
  (void)run(without, options);

  using Meaning = std::tuple<Address, Address, std::uint64_t, std::uint64_t, std::uint64_t>;
  const auto delays = [](const Log& log) {
    std::map<Meaning, std::vector<Duration>> out;
    for (const Sent& each : log.sent) {
      if (each.at < kStrike || each.to == Address(3) || each.from == Address(3)) continue;
      if (each.arrived.size() != 1 || each.from == each.to) continue;
      out[{each.from, each.to, each.kind, each.identity, each.attempt}].push_back(
          each.arrived.front() - each.at);
    }
    return out;
  };
  const auto a = delays(logs[0]);
  const auto b = delays(logs[1]);
  std::size_t same = 0;
  std::size_t other = 0;
  for (const auto& [meaning, delay] : a) {
    const auto found = b.find(meaning);
    if (found == b.end()) continue;
    ++(found->second == delay ? same : other);
  }
  CHECK(same > 1'000);
  // Streams wait for what is before them.
  CHECK(other * 100 < same);
}

}  // namespace
}  // namespace rejoin::sim
