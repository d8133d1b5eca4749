#include "sim/run/contradictions.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "model/check.hpp"
#include "sim/faults/fault.hpp"
#include "sim/run/step_times.hpp"

namespace rejoin::sim {
namespace {

// ---- What goes together --------------------------------------------------------------------

// The state that a fault which has struck has put a host in.
enum class In : std::uint8_t {
  dead,           // until the fault is over
  dead_for_good,  // until something starts it
  cycling,
  still,
  doubled,
  set,
};
enum class Outcome : std::uint8_t {
  composes,
  contradicts,
  undoes,  // it is what the first one waits for
};
struct Meeting {
  In in{};
  Hold strikes{};
  Outcome outcome{};
  std::string_view why{};
};

using enum Outcome;
constexpr std::array<Meeting, 26> kMeetings = {{
    {In::dead, Hold::kills, contradicts, "the dead cannot die"},
    {In::dead, Hold::cycles, contradicts, "the dead cannot die again and again"},
    {In::dead, Hold::stills, contradicts, "the dead have nothing to stand still with"},
    {In::dead, Hold::renews, contradicts, "it would live before that is over"},
    {In::dead, Hold::doubles, composes, "a restored backup"},
    {In::dead_for_good, Hold::kills, contradicts, "the dead cannot die"},
    {In::dead_for_good, Hold::cycles, contradicts, "the dead cannot die again and again"},
    {In::dead_for_good, Hold::stills, contradicts, "the dead have nothing to stand still with"},
    {In::dead_for_good, Hold::renews, undoes, "that is how it comes back"},
    {In::dead_for_good, Hold::doubles, composes, "a restored backup"},
    {In::cycling, Hold::kills, contradicts, "the loop would start it"},
    {In::cycling, Hold::cycles, contradicts, "one loop would start what the other has killed"},
    {In::cycling, Hold::stills, contradicts, "the loop would kill what stands still"},
    {In::cycling, Hold::renews, contradicts, "it would live while the loop has it dead"},
    {In::cycling, Hold::doubles, composes, "the second one is not in the loop"},
    {In::still, Hold::kills, contradicts, "what stands still is to go on after that, as it was"},
    {In::still, Hold::cycles, contradicts, "what stands still is to go on after that, as it was"},
    {In::still, Hold::stills, composes, "it goes on when both are over"},
    {In::still, Hold::renews, contradicts, "what stands still is to go on after that, as it was"},
    {In::still, Hold::doubles, composes, "the second one does not stand still"},
    {In::doubled, Hold::kills, composes, "the first one dies"},
    {In::doubled, Hold::cycles, composes, "the first one dies again and again"},
    {In::doubled, Hold::stills, composes, "the first one stands still"},
    {In::doubled, Hold::renews, composes, "the first one starts anew"},
    {In::doubled, Hold::doubles, composes, "a third one"},
    {In::set, Hold::sets, contradicts, "it has one setting at a time"},
}};

const Meeting& meeting(In in, Hold strikes) {
  const auto* const found =
      std::find_if(kMeetings.begin(), kMeetings.end(),
                   [&](const Meeting& each) { return each.in == in && each.strikes == strikes; });
  CHECK_THAT(found != kMeetings.end());
  return *found;
}

// ---- Whom a fault strikes ------------------------------------------------------------------

struct Reach {
  bool nodes = false;    // all of them
  bool clients = false;  // all of them
  bool roving = false;   // and some whom only the run knows
  std::set<Address> some{};
  std::vector<const std::set<Address>*> sites{};  // who is in them
};

// What is left unchecked beyond this, the run tells: a step that touches nothing.
constexpr std::size_t kLooksMax = 20'000'000;
// Of an upgrade of all nodes each has its own time.
constexpr std::uint32_t kNodesApart = 64;

class Search {
 public:
  explicit Search(const Schedule& schedule) : schedule_(schedule), times_(schedule) {
    for (std::size_t s = 0; s < schedule.timeline.size(); ++s) read_step(s);
  }

  std::vector<Complaint> run() {
    for (const Address host : hosts_apart()) {
      if (looks_ > kLooksMax) break;
      judge(host);
    }
    std::vector<Complaint> out;
    for (auto& [step, complaint] : found_) out.push_back(std::move(complaint));
    return out;
  }

 private:
  // A claim of a step, whomever it is about.
  struct Stated {
    std::size_t step = 0;
    const FaultSpec* fault = nullptr;
    Hold hold{};
    std::string thing;
    Reach reach{};
  };
  // The same of one host.
  struct Held {
    std::size_t step = kNoStep;  // none: it is no founder, and not there before it is started
    Hold hold{};
    StepTime from{};
    std::vector<StepTime> ends{};  // of its own, whichever is first; empty: it goes on
    bool for_good = false;         // it has no end of its own
    Duration over_by{};
  };

  // ---- Reading the steps ----

  void read_step(std::size_t s) {
    const Step& step = schedule_.timeline[s];
    if (const auto* end = std::get_if<action::End>(&step.action)) {
      ends_[end->label].push_back(times_.of(s));
    }
    const auto* const inject = std::get_if<action::Inject>(&step.action);
    if (inject == nullptr) return;
    const FaultSpec& fault = *Faults::find(inject->fault);
    moves_ |= fault.name == "move";
    for (const Claim& claim : fault.claims) {
      if (!claim.unless.empty() && value_of(*inject, claim.unless) == claim.is) continue;
      // A fault of one file of a disk is about that file.
      const std::string file = inject->params.has("file") ? " of " + value_of(*inject, "file") : "";
      stated_.push_back({.step = s,
                         .fault = &fault,
                         .hold = claim.hold,
                         .thing = std::string(claim.thing) + (file == " of any" ? "" : file),
                         .reach = reach_of(inject->params.all().find(claim.of)->second)});
    }
  }

  static std::string value_of(const action::Inject& inject, std::string_view param) {
    return to_text(inject.params.all().find(param)->second);
  }

  [[nodiscard]] Reach reach_of(const ParamValue& value) {
    Reach out;
    if (const auto* site = std::get_if<std::string>(&value)) {
      out.sites = {&nodes_in(*site)};
      return out;
    }
    for (const Selector& host : std::get<Selectors>(value)) add(host, out);
    return out;
  }

  void add(const Selector& host, Reach& out) {
    using Kind = Selector::Kind;
    switch (host.kind) {
      case Kind::node:
        out.some.insert(Address(host.node.value));
        return;
      case Kind::client:
        out.some.insert(client_address(host.client));
        return;
      case Kind::zone:
        out.sites.push_back(&nodes_in(host.argument));
        return;
      case Kind::nodes:
        out.nodes = true;
        return;
      case Kind::clients:
        out.clients = true;
        return;
      case Kind::all:
        out.nodes = out.clients = true;
        return;
      case Kind::leader:
      case Kind::follower:
      case Kind::followers:
      case Kind::member:
      case Kind::members:
      case Kind::majority:
      case Kind::minority:
      case Kind::random:
      case Kind::owner:
      case Kind::owners:
      case Kind::others:
      case Kind::twin:  // no name of a host that is there before the run
        out.roving = true;
        return;
    }
  }

  // In the site and in all that lies in it.
  const std::set<Address>& nodes_in(const std::string& site) {
    const auto [at, is_new] = sites_.try_emplace(site);
    if (!is_new) return at->second;
    std::set<std::string> inside = {site};
    const auto& sites = schedule_.topology.sites;
    for (bool grown = true; grown;) {
      grown = false;
      for (const TopologyOptions::Site& each : sites) {
        if (inside.contains(each.within)) grown = inside.insert(each.name).second || grown;
      }
    }
    for (const TopologyOptions::Site& each : sites) {
      if (!inside.contains(each.name)) continue;
      for (const Address host : each.hosts) {
        if (is_node(host)) at->second.insert(host);
      }
    }
    return at->second;
  }

  [[nodiscard]] bool is_node(Address host) const {
    return host.value >= 1 && host.value <= schedule_.cluster.nodes;
  }
  [[nodiscard]] bool is_founder(Address host) const {
    return schedule_.cluster.founders == 0 || host.value <= schedule_.cluster.founders;
  }

  // Those that some step treats differently from others, and one of each kind of the others.
  [[nodiscard]] std::set<Address> hosts_apart() const {
    std::set<Address> out;
    std::uint32_t apart = 1;
    for (const auto& [site, hosts] : sites_) out.insert(hosts.begin(), hosts.end());
    for (const Stated& each : stated_) {
      out.insert(each.reach.some.begin(), each.reach.some.end());
      if (each.fault->name == "upgrade") apart = kNodesApart;
    }
    const std::uint32_t nodes = schedule_.cluster.nodes;
    const auto add_nodes = [&](std::uint32_t from, std::uint32_t until) {
      std::uint32_t added = 0;
      for (std::uint32_t n = from; n <= until && added < apart; ++n) {
        added += out.insert(Address(n)).second ? 1U : 0U;
      }
    };
    const std::uint32_t founders =
        schedule_.cluster.founders == 0 ? nodes : schedule_.cluster.founders;
    add_nodes(1, founders);
    add_nodes(founders + 1, nodes);
    for (std::uint32_t c = 1; c <= schedule_.cluster.clients; ++c) {
      if (out.insert(client_address(ClientId(c))).second) break;
    }
    return out;
  }

  // ---- One host ----

  [[nodiscard]] bool strikes(const Reach& reach, Address host) const {
    return reach.some.contains(host) || (is_node(host) ? reach.nodes : reach.clients) ||
           std::any_of(reach.sites.begin(), reach.sites.end(),
                       [&](const std::set<Address>* site) { return site->contains(host); });
  }

  // When the step strikes this host: an upgrade goes from one to the next. A moved node has another
  // address, and with it another place in that order.
  [[nodiscard]] StepTime strikes_at(const Stated& stated, Address host) const {
    const StepTime begins = times_.of(stated.step);
    if (stated.fault->name != "upgrade") return begins;
    const Reach& reach = stated.reach;
    std::set<Address> before = reach.some;
    for (const std::set<Address>* site : reach.sites) before.insert(site->begin(), site->end());
    before.erase(before.lower_bound(host), before.end());
    const std::size_t rank = reach.nodes ? host.value - 1 : before.size();
    if (reach.roving || moves_ || !strikes(reach, host)) {
      return {.origin = 2 * (schedule_.timeline.size() + stated.step),
              .since = {},
              .least = begins.least,
              .step = stated.step};
    }
    const auto& inject = std::get<action::Inject>(schedule_.timeline[stated.step].action);
    const auto every = inject.params.get<Duration>("every");
    StepTime out = begins;
    for (std::size_t n = 0; n < rank; ++n) out = later(out, every);
    out.step = stated.step;
    return out;
  }

  void judge(Address host) {
    std::map<std::string, std::vector<Held>> things;
    starts_.clear();
    if (is_node(host) && !is_founder(host)) {
      things["process"].push_back({.hold = Hold::kills, .for_good = true});
    }
    for (const Stated& stated : stated_) {
      ++looks_;
      const bool hit = strikes(stated.reach, host);
      if (!hit && !(stated.reach.roving && is_node(host))) continue;
      const StepTime at = strikes_at(stated, host);
      if (stated.hold == Hold::renews) starts_.push_back(at);
      const Step& step = schedule_.timeline[stated.step];
      if (!hit || std::get<action::Inject>(step.action).may_miss) continue;
      things[stated.thing].push_back(held_by(stated, at));
    }
    const auto earlier = [](const StepTime& a, const StepTime& b) {
      return std::tie(a.origin, a.since, a.step) < std::tie(b.origin, b.since, b.step);
    };
    std::stable_sort(starts_.begin(), starts_.end(), earlier);
    for (auto& [thing, all] : things) {
      std::stable_sort(all.begin(), all.end(),
                       [&](const Held& a, const Held& b) { return earlier(a.from, b.from); });
      for (Held& each : all) each.over_by = over_by(each);
      judge(host, thing, all);
    }
  }

  // By when it is surely over, counted from its own origin.
  [[nodiscard]] Duration over_by(const Held& held) const {
    Duration out = kForever.time_since_epoch();
    for (const StepTime& end : held.ends) {
      if (end.origin == held.from.origin) out = std::min(out, end.since);
    }
    if (held.hold != Hold::kills) return out;
    const auto next = std::upper_bound(
        starts_.begin(), starts_.end(), held.from, [](const StepTime& a, const StepTime& b) {
          return std::tie(a.origin, a.since, a.step) < std::tie(b.origin, b.since, b.step);
        });
    if (next != starts_.end() && next->origin == held.from.origin) {
      out = std::min(out, next->since);
    }
    return out;
  }

  [[nodiscard]] Held held_by(const Stated& stated, const StepTime& at) const {
    const Step& step = schedule_.timeline[stated.step];
    Held out{.step = stated.step, .hold = stated.hold, .from = at};
    if (const auto lasts = std::get<action::Inject>(step.action).lasts) {
      out.ends.push_back(later(at, *lasts));
    }
    const auto ends = ends_.find(step.label);
    if (ends != ends_.end())
      out.ends.insert(out.ends.end(), ends->second.begin(), ends->second.end());
    out.for_good = out.ends.empty();
    return out;
  }

  void judge(Address host, const std::string& thing, const std::vector<Held>& all) {
    // Of one origin, what is over stays over: those that are not, of the steps so far.
    std::vector<const Held*> open;
    for (std::size_t s = 0; s < all.size(); ++s) {
      const Held& second = all[s];
      if (s == 0 || all[s - 1].from.origin != second.from.origin) open.clear();
      std::erase_if(open, [&](const Held* first) {
        ++looks_;
        return first->over_by < second.from.since;
      });
      for (const Held* first : open) meet(host, thing, *first, second);
      for (const Held& first : all) {
        if (first.from.origin == second.from.origin) continue;
        if (++looks_ > kLooksMax) return;
        meet(host, thing, first, second);
      }
      open.push_back(&second);
    }
  }

  void meet(Address host, const std::string& thing, const Held& first, const Held& second) {
    const std::optional<In> in = state_of(first);
    if (!in || second.step == kNoStep || found_.contains(second.step)) return;
    const Meeting& both = meeting(*in, second.hold);
    if (both.outcome != Outcome::contradicts || !surely_meet(first, second)) return;
    complain(host, thing, first, second, both);
  }

  // None of what is done in a moment.
  static std::optional<In> state_of(const Held& held) {
    switch (held.hold) {
      case Hold::kills:
        return held.for_good ? In::dead_for_good : In::dead;
      case Hold::cycles:
        return In::cycling;
      case Hold::stills:
        return In::still;
      case Hold::doubles:
        return In::doubled;
      case Hold::sets:
        return In::set;
      case Hold::renews:
        return std::nullopt;
    }
    CHECK_THAT(false);
  }

  // Whether the second surely strikes while the first is in force.
  bool surely_meet(const Held& first, const Held& second) {
    const bool dies = first.hold == Hold::kills;
    looks_ += first.ends.size() + (dies ? starts_.size() : 0);
    if (first.step != kNoStep && !times_.in_order(first.from, second.from)) {
      // Whichever is first: if both go on to the end, they meet.
      return first.step < second.step && goes_on(first) && goes_on(second) &&
             second.hold != Hold::renews && !times_.in_order(second.from, first.from);
    }
    const auto is_later = [&](const StepTime& end) {
      return end.step == second.step || times_.in_order(second.from, end) ||
             (first.step != kNoStep && times_.in_order(end, first.from));
    };
    return std::all_of(first.ends.begin(), first.ends.end(), is_later) &&
           (!dies || std::all_of(starts_.begin(), starts_.end(), is_later));
  }
  [[nodiscard]] bool goes_on(const Held& held) const {
    return held.ends.empty() && (held.hold != Hold::kills || starts_.empty());
  }

  // ---- Saying so ----

  [[nodiscard]] std::string name_of(Address host) const {
    if (is_node(host)) return to_name(NodeId(host.value));
    for (std::uint32_t c = 1; c <= schedule_.cluster.clients; ++c) {
      if (client_address(ClientId(c)) == host) return to_name(ClientId(c));
    }
    return "a host";
  }

  [[nodiscard]] const std::string& fault_of(std::size_t step) const {
    return std::get<action::Inject>(schedule_.timeline[step].action).fault;
  }

  [[nodiscard]] static std::string at_text(const StepTime& time) {
    return to_seconds_text(MonotonicTime(time.since));
  }

  // `from 5.000s until 15.000s`
  [[nodiscard]] std::string span_of(const Held& held) const {
    std::string out = held.from.is_known() ? "from " + at_text(held.from) : "from then";
    const StepTime* first = nullptr;
    std::vector<StepTime> ends = held.ends;
    if (held.hold == Hold::kills && held.for_good) {
      ends.insert(ends.end(), starts_.begin(), starts_.end());
    }
    for (const StepTime& end : ends) {
      if (held.step != kNoStep && times_.in_order(end, held.from)) continue;
      if (first == nullptr || times_.in_order(end, *first)) first = &end;
    }
    if (first == nullptr) return out + " to the end";
    if (first->step != kNoStep) return out + " until step " + schedule_.timeline[first->step].label;
    if (first->is_known()) return out + " until " + at_text(*first);
    return out + " on for " + to_text(first->since - held.from.since);
  }

  [[nodiscard]] static std::string says(In in, const std::string& thing) {
    switch (in) {
      case In::dead:
      case In::dead_for_good:
        return " is dead ";
      case In::cycling:
        return " dies again and again ";
      case In::still:
        return " stands still ";
      case In::doubled:
        return " has a double ";
      case In::set:
        return " has its " + thing + " set ";
    }
    CHECK_THAT(false);
    return {};  // not reached, but a compiler that does not optimise cannot tell
  }

  void complain(Address host, const std::string& thing, const Held& first, const Held& second,
                const Meeting& both) {
    const Step& step = schedule_.timeline[second.step];
    const std::string name = name_of(host);
    const std::string at =
        second.from.is_known() ? " at " + at_text(second.from) : " (step " + step.label + ")";
    const std::string what =
        first.step == kNoStep
            ? "the cluster: " + name + " is no founder, and dead until a step starts it"
            : fault_of(first.step) + " of step " + schedule_.timeline[first.step].label + ": " +
                  name + says(both.in, thing) + span_of(first);
    found_.emplace(
        second.step,
        Complaint{
            .where = step.where,
            .what = fault_of(second.step) + " of " + name + at + " contradicts " + what,
            .allowed = std::string(both.why) +
                       "; let one end before the other begins, strike different hosts, or say "
                       "`may-miss: true`"});
  }

  const Schedule& schedule_;
  StepTimes times_;
  std::vector<Stated> stated_;
  std::map<std::string, std::vector<StepTime>> ends_;  // of the fault with that label
  std::map<std::string, std::set<Address>> sites_;
  bool moves_ = false;
  std::vector<StepTime> starts_;  // what starts the process of the host that is judged, or may
  std::size_t looks_ = 0;
  std::map<std::size_t, Complaint> found_;
};

}  // namespace

std::vector<Complaint> contradictions_in(const Schedule& schedule) {
  return Search(schedule).run();
}

}  // namespace rejoin::sim
