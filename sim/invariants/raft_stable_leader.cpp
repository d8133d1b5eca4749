#include <algorithm>
#include <optional>

#include "sim/invariants/evidence.hpp"
#include "sim/invariants/raft_shadow.hpp"

namespace rejoin::sim {

namespace {

// How long a leader must have stood, undisturbed, to be taken for one that a quorum hears: many
// election timeouts, so that check-quorum would have made it step down.
constexpr Duration kStanding = 5s;
// How long after the heal it may not be deposed: long enough for every server to hear of it.
constexpr Duration kWindow = 10s;

class RaftStableLeader final : public Invariant {
 public:
  RaftStableLeader()
      : Invariant(RaftShadow::kInterests | fact_set<fact::FaultInjected, fact::MembersApplied>()) {}

  void before(const FactEvent& event, const World& world) override {
    if (watch_ && event.at > watch_->healed + kWindow) close();
    if (const auto* fault = std::get_if<fact::FaultInjected>(&event.fact)) {
      on_fault(event, *fault, world);
    } else if (const auto* lost = std::get_if<fact::LostLeadership>(&event.fact)) {
      if (watch_ && lost->group == kClusterGroup && event.source.node == watch_->leader) {
        tell(event, "stepped down from term " + std::to_string(lost->term.value));
      }
    } else if (const auto* won = std::get_if<fact::BecameLeader>(&event.fact)) {
      if (watch_ && won->group == kClusterGroup && won->term > watch_->term) {
        tell(event, "was replaced by " + to_name(event.source.node) + " in term " +
                        std::to_string(won->term.value));
      }
    }
    shadow_.absorb(event);
  }

  void after(const FactEvent& event, const World& world) override {
    if (!watch_) return;
    const bool judges_on = std::holds_alternative<fact::ProcessCrashed>(event.fact) ||
                           std::holds_alternative<fact::ProcessHalted>(event.fact) ||
                           std::holds_alternative<fact::MembersApplied>(event.fact);
    if (!judges_on) return;
    const ShadowNode& leader = world.node(watch_->leader);
    if (!leader.up || !leader.member || !majority_is_up(world)) watch_.reset();
  }

  void at_end(const World& /*world*/, MonotonicTime /*at*/, std::uint64_t /*event*/) override {
    if (watch_) close();
  }

 private:
  struct Watch {
    NodeId leader;
    Term term;
    MonotonicTime led_since{};
    MonotonicTime healed{};
    std::string target;
  };

  static bool majority_is_up(const World& world) {
    const auto& members = world.members();
    const auto up = std::count_if(members.begin(), members.end(),
                                  [&](const auto& m) { return world.node(m.node).up; });
    return static_cast<std::size_t>(up) * 2 > members.size();
  }

  void on_fault(const FactEvent& event, const fact::FaultInjected& fault, const World& world) {
    if (fault.fault == "heal") {
      if (!watch_) open(event, fault, world);
    } else if (fault.fault != "restart") {
      // Whatever else is injected may cost the leader its quorum.
      watch_.reset();
      last_fault_ = event.at;
    }
  }

  // The leader in the highest term counts as that of a majority when a majority elected it since
  // the last fault, or when no fault came for so long that it would have stepped down.
  void open(const FactEvent& event, const fact::FaultInjected& fault, const World& world) {
    const NodeId leader = world.leader();
    if (leader.is_none() || !world.node(leader).member || !majority_is_up(world)) return;
    const ShadowServer* server = shadow_.find(kClusterGroup, leader);
    if (server == nullptr || !server->leads) return;
    const bool elected_since = last_fault_ && server->leads_since > *last_fault_;
    const MonotonicTime undisturbed_since =
        std::max(server->leads_since, last_fault_.value_or(MonotonicTime{}));
    if (!elected_since && event.at - undisturbed_since < kStanding) return;
    watch_ = Watch{leader, server->leads_term, server->leads_since, event.at, fault.target};
  }

  void close() {
    count_judgement();
    watch_.reset();
  }

  void tell(const FactEvent& event, const std::string& how) {
    const Watch watch = *watch_;
    close();
    if (!is_new(watch.leader, {})) return;
    Evidence evidence;
    evidence
        .add(watch.led_since, to_name(watch.leader),
             "becomes leader of term " + std::to_string(watch.term.value))
        .add(watch.healed, "network", watch.target.empty() ? "heals" : watch.target)
        .add(event.at, to_name(watch.leader), how);
    report(event, {.node = watch.leader,
                   .says = to_name(watch.leader) + " led a majority when the network healed at " +
                           to_seconds_text(watch.healed) + ", and " + how + " at " +
                           to_seconds_text(event.at) +
                           ", although it had neither crashed nor lost its quorum",
                   .evidence = evidence.lines()});
  }

  RaftShadow shadow_;
  std::optional<Watch> watch_;
  std::optional<MonotonicTime> last_fault_;
};

[[maybe_unused]] const bool registered = register_invariant<RaftStableLeader>(
    "raft-stable-leader", "a minority that was cut off does not depose the leader when it returns",
    "Judged for 10 s from each `heal`, when at that moment the leader in the highest term is a "
    "member, a majority of members is up, and it was elected since the last fault or has led for "
    "5 s since it: it may neither step down nor be replaced. Not judged further once the leader "
    "crashes or is removed, a majority is down, or any other fault than a restart is injected. "
    "Dissertation, sections 4.2.3 and 9.6.",
    true);

}  // namespace

}  // namespace rejoin::sim
