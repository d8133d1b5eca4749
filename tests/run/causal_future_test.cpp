// Removing one fault from a schedule leaves the draws of every message outside its causal future as
// they were: whoever has not heard of the fault, in either run, sends the same messages at the same
// times, and each of them meets the same fate.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/faults/fault.hpp"
#include "sim/run/check.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

// ---- What became of each message -----------------------------------------------------------

struct Event {
  MonotonicTime at{};
  std::string what;
};

struct Sent {
  Address from{};
  Address to{};
  Tag tag{};
  MonotonicTime at{};
  std::vector<Event> events;             // arrivals, mishaps and a loss, in order
  std::vector<MonotonicTime> arrived{};  // twice, when it was duplicated
};

class Log final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override {
    if (event.kind != EventKind::deliver) return;
    const auto found = by_frame_.find({event.from, event.host, bytes(event.payload)});
    // A frame that was damaged on the way is nobody's.
    if (found == by_frame_.end()) return;
    auto& [next, messages] = found->second;
    Sent& message = sent[messages[std::min(next, messages.size() - 1)]];
    message.arrived.push_back(event.at);
    message.events.push_back({event.at, "arrives"});
    ++next;
  }
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_send(MonotonicTime at, std::uint64_t, Address from, Address to, ByteView frame,
               const Tag& tag) override {
    by_frame_[{from, to, bytes(frame)}].second.push_back(sent.size());
    by_meaning_[meaning(from, to, tag)] = sent.size();
    sent.push_back({.from = from, .to = to, .tag = tag, .at = at, .events = {}, .arrived = {}});
  }
  void on_drop(MonotonicTime at, std::uint64_t, Address from, Address to, const Tag& tag,
               DropReason reason) override {
    note(at, meaning(from, to, tag), "lost: " + std::string(to_name(reason)));
  }
  void on_mishap(MonotonicTime at, std::uint64_t, Address from, Address to, const Tag& tag,
                 Mishap mishap) override {
    note(at, meaning(from, to, tag), std::string(to_name(mishap)));
  }

  // What a draw may be keyed by.
  using Meaning = std::tuple<Address, Address, std::uint64_t, std::uint64_t, std::uint64_t>;
  static Meaning meaning(Address from, Address to, const Tag& tag) {
    return {from, to, tag.kind.value, tag.identity, tag.attempt};
  }

  std::vector<Sent> sent;

 private:
  static std::string bytes(ByteView view) { return {view.begin(), view.end()}; }
  void note(MonotonicTime at, const Meaning& meaning, std::string what) {
    const auto found = by_meaning_.find(meaning);
    if (found != by_meaning_.end()) sent[found->second].events.push_back({at, std::move(what)});
  }

  std::map<std::tuple<Address, Address, std::string>,
           std::pair<std::size_t, std::vector<std::size_t>>>
      by_frame_;
  std::map<Meaning, std::size_t> by_meaning_;
};

// ---- What a fault touches, and who may have heard of it ------------------------------------

constexpr MonotonicTime kStrike{12s};
// Nothing later is compared: runs end when they are quiet.
constexpr MonotonicTime kHorizon{28s};

// Five hosts and their clients in two worlds that part at 6 s: the mainland (node-1 to node-3,
// client-3 to client-5) and an island of two sites (node-4 and client-1, node-5 and client-2).
const std::set<Address> kMainland = {Address(1),
                                     Address(2),
                                     Address(3),
                                     client_address(ClientId(3)),
                                     client_address(ClientId(4)),
                                     client_address(ClientId(5))};
const Address kNode4{4};
const Address kClient1 = client_address(ClientId(1));
const std::set<Address> kNear = {kNode4, kClient1};
const std::set<Address> kFar = {Address(5), client_address(ClientId(2))};
const std::set<Address> kIsland = {kNode4, kClient1, Address(5), client_address(ClientId(2))};
const std::set<Address> kNobody = {};

bool is_new(Address host) {  // a second machine, or a new address
  return !kMainland.contains(host) && !kIsland.contains(host);
}

// The links between the hosts of `one` and those of `other` (everyone, if that is empty), both
// ways.
struct Links {
  std::set<Address> one;
  std::set<Address> other;

  [[nodiscard]] bool contains(Address from, Address to) const {
    const auto is_other = [this](Address host) { return other.empty() || other.contains(host); };
    return (one.contains(from) && is_other(to)) || (one.contains(to) && is_other(from));
  }
};

struct Touched {
  std::set<Address> hosts;  // they may do anything else from the strike on
  Links links;              // what is under way on them then, or later, may fare otherwise
};

// From when on each host may know of the fault.
class Future {
 public:
  Future(const Touched& touched, const std::vector<const Log*>& runs) {
    for (const Address host : touched.hosts) known_[host] = kStrike;
    for (bool grown = true; grown;) {
      grown = false;
      for (const Log* const run : runs) {
        for (const Sent& message : run->sent) grown = follow(message, touched) || grown;
      }
    }
  }

  [[nodiscard]] MonotonicTime known_at(Address host) const {
    if (is_new(host)) return kStrike;
    const auto found = known_.find(host);
    return found == known_.end() ? kForever : found->second;
  }

 private:
  // Whoever gets something from someone who knew, or something that was on a touched link, knows.
  bool follow(const Sent& message, const Touched& touched) {
    const bool carries_news = message.at >= known_at(message.from);
    const bool is_touched = touched.links.contains(message.from, message.to);
    if (!carries_news && !is_touched) return false;
    bool grown = false;
    for (const MonotonicTime at : message.arrived) {
      if (at < kStrike || at >= known_at(message.to)) continue;
      known_[message.to] = at;
      grown = true;
    }
    return grown;
  }

  std::map<Address, MonotonicTime> known_;
};

struct Outside {
  std::map<std::string, std::string> fates;  // by sender, receiver, meaning and time of sending
  std::size_t before = 0;                    // how many were sent before the strike
  std::size_t after = 0;                     // and later, if what became of them is known
};

// What was sent by hosts that did not know; of each message, what happened to it before its
// receiver knew and, on a touched link, before the strike.
Outside outside(const Log& run, const Touched& touched, const Future& future) {
  Outside out;
  for (const Sent& message : run.sent) {
    if (message.at >= std::min(kHorizon, future.known_at(message.from))) continue;
    MonotonicTime until = std::min(kHorizon, future.known_at(message.to));
    if (touched.links.contains(message.from, message.to)) until = std::min(until, kStrike);
    std::string fate;
    for (const Event& event : message.events) {
      if (event.at >= until) continue;
      fate += ' ' + event.what + ' ' + std::to_string(event.at.time_since_epoch().count());
    }
    if (message.at < kStrike) ++out.before;
    if (message.at >= kStrike && !fate.empty()) ++out.after;
    const std::string what =
        std::to_string(message.from.value) + " to " + std::to_string(message.to.value) + ", kind " +
        std::to_string(message.tag.kind.value) + ", identity " +
        std::to_string(message.tag.identity) + ", attempt " + std::to_string(message.tag.attempt) +
        ", sent " + std::to_string(message.at.time_since_epoch().count());
    out.fates[what] += fate + ';';
  }
  return out;
}

// ---- Worlds --------------------------------------------------------------------------------

constexpr std::string_view kWorld = R"(
format: 1
name: causal-future
cluster: { nodes: 5, clients: 5, partitions: 16, replication: 3 }
versions: timestamp
sync: rejoin-sync
client: { write: one, try-timeout: 300ms, timeout: 1s }
disk: { sync: 500us..4ms }
network: { bandwidth: 0B }
limits: { heal: false }
topology:
  sites:
    main: [node-1, node-2, node-3, client-3, client-4, client-5]
    near: [node-4, client-1]
    far: [node-5, client-2]
  links:
    - { between: [main, near], latency: 1ms..3ms }
    - { between: [main, far], latency: 1ms..4ms }
    - { between: [near, far], latency: 500us..2ms }
timeline:
  - { label: writes, at: 1s, write: { keys: key-1..key-2000, clients: 5, every: 50ms }, background: true }
)";

// Either sea survives all that is done to the island. `heal` mends links, and not what they lose.
constexpr std::string_view kSea = R"(
  - { label: sea-1, at: 6s, link-down: main--near }
  - { label: sea-2, at: 6s, link-down: main--far }
)";
constexpr std::string_view kLossySea = R"(
  - { label: sea, at: 6s, loss: { from: [node-1, node-2, node-3, client-3, client-4, client-5], to: [node-4, node-5, client-1, client-2], share: 100% } }
  - { label: broken, at: 8s, partial-partition: { one: client-1, other: node-4 } }
)";

// What else goes wrong, in both runs: on all links, on the mainland, and on the island, where a
// crash shows what a disk has kept.
constexpr std::string_view kHostile = R"(
  - { label: rain, at: 4s, for: 20s, loss: { from: node-1, share: 5% } }
  - { label: echo, at: 5s, for: 18s, duplicate: { share: 10% } }
  - { label: noise, at: 7s, for: 19s, corrupt: { from: node-2, share: 3% } }
  - { label: storm, at: 9s, for: 14s, weather: { from: client-3, share: 40%, slot: 500ms } }
  - { label: late, at: 12s, for: 6s, slow-link: { from: node-2, extra: 1ms..30ms } }
  - { label: shuffle, at: 13s, for: 12s, reorder: { from: node-3, share: 30% } }
  - { label: more-rain, at: 14s, for: 4s, loss: { from: node-2, share: 20% } }
  - { label: slow, at: 15s, for: 9s, slow-disk: { target: node-1, factor: 3 } }
  - { label: die, at: 16s, crash: node-3 }
  - { label: power-cut, at: 19s, crash: node-4 }
  - { label: power, at: 20s, restart: node-4 }
  - { label: live, at: 21s, restart: node-3 }
  - { label: split, at: 23s, for: 1s, random-partition: { share: 40%, among: [node-1, node-2, node-3, client-3, client-4, client-5] } }
  - { label: end, at: 30s }
)";

Schedule read(const std::string& text) {
  const auto scenario = read_scenario("causal-future.yaml", text, linked_vocabulary());
  std::string why;
  if (!scenario) {
    for (const Diagnostic& diagnostic : scenario.error()) why += to_text(diagnostic) + '\n';
  }
  REQUIRE_MESSAGE(scenario.has_value(), why);
  const auto schedule = scenario->materialise(1);
  REQUIRE(schedule.has_value());
  const std::vector<std::string> wrong = check_schedule(*schedule);
  REQUIRE_MESSAGE(wrong.empty(), (wrong.empty() ? "" : wrong.front()));
  return *schedule;
}

Schedule without(Schedule schedule, std::string_view label) {
  const std::size_t removed =
      std::erase_if(schedule.timeline, [&](const Step& step) { return step.label == label; });
  REQUIRE(removed == 1);
  return schedule;
}

RunRecord run_into(Log& log, const Schedule& schedule) {
  RunOptions options;
  options.expectations = false;
  options.trace = &log;
  return run(schedule, options);
}

// Checks the claim, and says how much it was judged by.
Outside check_outside(const Log& with, const Log& without, const Touched& touched) {
  const Future future(touched, {&with, &without});
  const Outside a = outside(with, touched, future);
  const Outside b = outside(without, touched, future);
  std::size_t different = 0;
  for (const auto& [what, fate] : a.fates) {
    const auto other = b.fates.find(what);
    if (other != b.fates.end() && other->second == fate) continue;
    if (++different > 3) continue;
    CAPTURE(what);
    CHECK(fate == (other == b.fates.end() ? "never sent" : other->second));
  }
  CHECK(different == 0);
  CHECK(a.fates.size() == b.fates.size());
  return a;
}

// ---- Every fault ---------------------------------------------------------------------------

struct Case {
  std::string_view fault;
  std::string_view step;  // but for its label and time
  Touched touched;
  bool lossy_sea = false;
};

const Links kNone = {.one = kNobody, .other = kNobody};
const Touched kOfNode4 = {.hosts = {kNode4}, .links = kNone};
// What node-4 and client-1 tell each other.
const Touched kOfLink = {.hosts = {}, .links = {.one = {kNode4}, .other = {kClient1}}};
const Touched kOfNode4sLinks = {.hosts = {}, .links = {.one = {kNode4}, .other = kNobody}};
const Touched kOfIsland = {.hosts = {}, .links = {.one = kIsland, .other = kIsland}};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      // Hosts.
      {"crash", "for: 4s, crash: node-4", kOfNode4},
      {"crash-loop", "for: 5s, crash-loop: { target: node-4, down: 300ms, up: 700ms }", kOfNode4},
      {"move", "move: node-4", kOfNode4},
      {"pause", "for: 3s, pause: node-4", kOfNode4},
      {"reconfigure", "reconfigure: { target: node-4, partitions: 32 }", kOfNode4},
      {"restart", "restart: { target: node-4, wipe: true }", kOfNode4},
      {"site-down", "for: 4s, site-down: near", {.hosts = kNear, .links = {kNear, kNobody}}},
      {"slow-cpu", "for: 5s, slow-cpu: { target: node-4, service: 20ms }", kOfNode4},
      {"twin", "for: 5s, twin: node-4", kOfNode4},
      {"upgrade", "upgrade: node-4", kOfNode4},
      // The network.
      {"bandwidth", "for: 5s, bandwidth: { from: node-4, to: client-1, rate: 200B }", kOfLink},
      {"bridge", "for: 5s, bridge: { over: node-5, among: [node-4, client-1, client-2] }",
       kOfIsland},
      {"clog", "for: 2s, clog: { from: node-4, to: client-1 }", kOfLink},
      {"corrupt", "for: 5s, corrupt: { from: node-4, share: 30% }", kOfNode4sLinks},
      {"cut", "for: 5s, cut: { from: node-4, to: client-1 }", kOfLink},
      {"duplicate", "for: 5s, duplicate: { from: node-4, share: 30% }", kOfNode4sLinks},
      {"flap", "for: 5s, flap: { from: node-4, period: 400ms }", kOfNode4sLinks},
      {"heal", "heal: {}", kOfLink, true},
      {"isolate", "for: 5s, isolate: node-4", kOfNode4sLinks},
      {"link-down",
       "for: 5s, link-down: near--far",
       {.hosts = {}, .links = {.one = kNear, .other = kFar}}},
      {"loss", "for: 5s, loss: { from: node-4, to: client-1, share: 30% }", kOfLink},
      {"mtu", "for: 5s, mtu: { from: node-4, bytes: 80B }", kOfNode4sLinks},
      {"partial-partition", "for: 5s, partial-partition: { one: node-4, other: client-1 }",
       kOfLink},
      {"partition", "for: 5s, partition: [[node-4, node-5], [client-1, client-2]]", kOfIsland},
      {"random-partition",
       "for: 5s, random-partition: { share: 70%, among: [node-4, node-5, client-1, client-2] }",
       kOfIsland},
      {"reorder", "for: 5s, reorder: { from: node-4, share: 50% }", kOfNode4sLinks},
      {"ring", "for: 5s, ring: [node-4, node-5, client-1, client-2]", kOfIsland},
      {"slow-link", "for: 5s, slow-link: { from: node-4, to: client-1 }", kOfLink},
      {"weather", "for: 5s, weather: { from: node-4, share: 60%, slot: 200ms }", kOfNode4sLinks},
      // Disks.
      {"bit-rot", "bit-rot: { target: node-4, bits: 4000 }", kOfNode4},
      {"corrupt-tail", "corrupt-tail: { target: node-4, bytes: 64B }", kOfNode4},
      {"disk-full", "for: 5s, disk-full: { target: node-4, free: 1KiB }", kOfNode4},
      {"io-error", "for: 5s, io-error: { target: node-4, of: syncs }", kOfNode4},
      {"lost-sync", "for: 10s, lost-sync: node-4", kOfNode4},
      {"misdirected-read", "for: 10s, misdirected-read: node-4", kOfNode4},
      {"misdirected-write", "for: 10s, misdirected-write: node-4", kOfNode4},
      {"slow-disk", "for: 5s, slow-disk: { target: node-4, factor: 20 }", kOfNode4},
      {"torn-write", "for: 10s, torn-write: node-4", kOfNode4},
      // Clocks.
      {"clock-drift", "for: 5s, clock-drift: { target: node-4, rate: +20% }", kOfNode4},
      {"clock-freeze", "for: 5s, clock-freeze: node-4", kOfNode4},
      {"clock-offset", "for: 5s, clock-offset: { target: node-4, by: +10s }", kOfNode4},
      {"clock-rate", "for: 5s, clock-rate: { target: node-4, rate: +20% }", kOfNode4},
      {"clock-step", "clock-step: { target: node-4, by: -3s }", kOfNode4},
  };
  return all;
}

void check_class(FaultClass of) {
  std::map<bool, std::unique_ptr<Log>> calm;  // by sea: without the fault it is one run
  for (const Case& each : cases()) {
    const FaultSpec* const spec = Faults::find(each.fault);
    REQUIRE(spec != nullptr);
    if (spec->kind != of) continue;
    CAPTURE(each.fault);
    const Schedule with =
        read(std::string(kWorld) + std::string(each.lossy_sea ? kLossySea : kSea) +
             "  - { label: it, at: 12s, " + std::string(each.step) + " }" + std::string(kHostile));
    Log log;
    const RunRecord record = run_into(log, with);
    CHECK(record.injected.at(std::string(each.fault)) >= 1);
    std::unique_ptr<Log>& log_without = calm[each.lossy_sea];
    if (log_without == nullptr) {
      log_without = std::make_unique<Log>();
      (void)run_into(*log_without, without(with, "it"));
    }
    const Outside compared = check_outside(log, *log_without, each.touched);
    CHECK(compared.before > 5'000);
    CHECK(compared.after > 2'500);
  }
}

// ---- Two faults on the same links ----------------------------------------------------------

constexpr std::string_view kOneWorld = R"(
format: 1
name: two-faults
cluster: { nodes: 5, clients: 5, partitions: 16, replication: 3 }
versions: timestamp
sync: rejoin-sync
network: { bandwidth: 0B }
limits: { heal: false }
timeline:
  - { label: writes, at: 1s, write: { keys: key-1..key-2000, clients: 5, every: 50ms }, background: true }
)";

Schedule two_faults(std::string_view first, std::string_view second) {
  return read(std::string(kOneWorld) + "  - { label: first, at: 3s, " + std::string(first) +
              " }\n" + "  - { label: second, at: 4s, " + std::string(second) + " }\n" +
              "  - { label: end, at: 30s }\n");
}

// Removes a fault that touches links and does nothing to what they carry: all stays as it was.
void check_removable(std::string_view harmless, std::string_view other) {
  for (const bool is_first : {true, false}) {
    CAPTURE(harmless);
    CAPTURE(other);
    CAPTURE(is_first);
    const Schedule with = is_first ? two_faults(harmless, other) : two_faults(other, harmless);
    Log log_with;
    Log log_without;
    (void)run_into(log_with, with);
    (void)run_into(log_without, without(with, is_first ? "first" : "second"));
    const Outside compared = check_outside(
        log_with, log_without, {.hosts = {}, .links = {.one = kNobody, .other = kNobody}});
    CHECK(compared.after > 4'000);
  }
}

std::string lost(DropReason reason) {
  return "lost: " + std::string(to_name(reason));
}
const std::set<std::string> kChances = {lost(DropReason::loss),
                                        std::string(to_name(Mishap::duplicated)),
                                        std::string(to_name(Mishap::corrupted))};

// What chance did to each datagram that was sent from `from` on, by meaning, as far as that says
// which one it was.
std::map<Log::Meaning, std::string> chances(const Log& log, MonotonicTime from) {
  std::map<Log::Meaning, std::string> out;
  std::set<Log::Meaning> again;
  for (const Sent& message : log.sent) {
    const Log::Meaning meaning = Log::meaning(message.from, message.to, message.tag);
    std::string fate;
    for (const Event& event : message.events) {
      if (kChances.contains(event.what)) fate += ' ' + event.what;
    }
    const bool is_new_meaning = out.emplace(meaning, fate).second;
    if (!is_new_meaning || message.at < from || message.at >= kHorizon) again.insert(meaning);
  }
  for (const Log::Meaning& meaning : again) out.erase(meaning);
  return out;
}

// Removes the first of two faults, which is over by 12 s and has changed everything by then. What
// is sent in both runs all the same meets the same chances of the second.
void check_keeps_chances(std::string_view removed, std::string_view kept) {
  CAPTURE(removed);
  CAPTURE(kept);
  const Schedule with = two_faults("for: 8s, " + std::string(removed), kept);
  Log logs[2];
  (void)run_into(logs[0], with);
  (void)run_into(logs[1], without(with, "first"));
  const auto a = chances(logs[0], MonotonicTime(12s));
  const auto b = chances(logs[1], MonotonicTime(12s));
  std::size_t same = 0;
  std::size_t hit = 0;
  std::size_t other = 0;
  for (const auto& [meaning, fate] : a) {
    const auto found = b.find(meaning);
    if (found == b.end()) continue;
    ++(found->second == fate ? same : other);
    hit += fate.empty() ? 0U : 1U;
  }
  CHECK(same > 1'500);
  CHECK(hit > 200);
  CHECK(other == 0);
}

}  // namespace

TEST_CASE("every fault is removed by a test") {
  std::set<std::string_view> removed;
  for (const Case& each : cases()) removed.insert(each.fault);
  for (const FaultSpec& fault : Faults::all()) {
    INFO(fault.name);
    CHECK(removed.contains(fault.name));
  }
}

TEST_CASE("a fault of a host moves no draw outside its causal future") {
  check_class(FaultClass::host);
}
TEST_CASE("a fault of the network moves no draw outside its causal future") {
  check_class(FaultClass::network);
}
TEST_CASE("a fault of a disk moves no draw outside its causal future") {
  check_class(FaultClass::disk);
}
TEST_CASE("a fault of a clock moves no draw outside its causal future") {
  check_class(FaultClass::clock);
}

TEST_CASE("a fault that hits nothing can be removed from links that have another") {
  constexpr std::string_view kMtu = "mtu: 60KiB";
  constexpr std::string_view kNever = "loss: 0.0001%";
  check_removable(kMtu, "loss: 5%");
  check_removable(kMtu, "duplicate: 10%");
  check_removable(kNever, "duplicate: 10%");
  check_removable(kNever, "loss: 5%");
  check_removable(kNever, "corrupt: 5%");
  check_removable(kNever, "reorder: 30%");
  check_removable(kNever, "slow-link: 1ms..30ms");
  check_removable("weather: { share: 0.0001%, slot: 5s }", "weather: { share: 40%, slot: 500ms }");
}

TEST_CASE("a fault can be removed from links that have another of its kind") {
  check_keeps_chances("loss: 10%", "loss: 10%");
  check_keeps_chances("duplicate: 20%", "duplicate: 20%");
  check_keeps_chances("corrupt: 10%", "corrupt: 10%");
}

TEST_CASE("a fault can be removed from links that have one of another kind") {
  check_keeps_chances("loss: 10%", "duplicate: 20%");
  check_keeps_chances("duplicate: 20%", "loss: 10%");
  check_keeps_chances("reorder: 30%", "loss: 10%");
  check_keeps_chances("mtu: 150B", "loss: 10%");
  check_keeps_chances("corrupt: 20%", "duplicate: 20%");
}

}  // namespace rejoin::sim
