// Drawing the steps of a seed: which faults are in, when each strikes, and whom.
#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "model/hash.hpp"
#include "sim/scenario/nemesis.hpp"
#include "sim/scenario/nemesis_hosts.hpp"

namespace rejoin::sim {

namespace {

// Of one fault, whether or not a step comes of it; and of epochs.
constexpr std::uint64_t kStrikesMax = 2 * kDrawnMax;
constexpr Duration kShortestEpoch = 4s;
constexpr Duration kFollowUp = 3s;  // room for the restarts after a fault, in its epoch
// At once: a disk that lied has had no time to make up for it.
constexpr Duration kUntilRestart = 1ms;
constexpr Duration kUntilWipe = 1500ms;  // after that restart: it has read its disk by then

struct Epoch {
  enum class Kind : std::uint8_t {
    victims,  // any of them, by any fault
    roving,   // one fault hits whom it finds at run time
    loss,     // one fault destroys what the one victim of the run has on disk
  };
  std::uint64_t number = 0;
  MonotonicTime from{};
  MonotonicTime until{};
  Kind kind{};
  std::vector<NodeId> victims{};
};

// Whom a fault of the timeline itself holds out of action, as far as its times can be known.
struct Held {
  MonotonicTime from{};
  MonotonicTime until = kForever;
  std::set<NodeId> nodes{};
  std::uint32_t roving = 0;
};

// Durations as people write them.
Duration rounded(Duration value) {
  return value < 10ms ? value : std::chrono::duration_cast<std::chrono::milliseconds>(value);
}

Tree text(std::string value, const Mark& mark) {
  return make_scalar(std::move(value), mark);
}

Tree step_of(const std::string& label, const Mark& mark, MonotonicTime at, const std::string& fault,
             Tree params, std::optional<Duration> lasts) {
  Tree out = make_map({}, mark);
  const auto put = [&](std::string key, Tree value) {
    out.entries.push_back({std::move(key), mark, std::move(value)});
  };
  put("label", text(label, mark));
  put("at", text(rejoin::to_text(at.time_since_epoch()), mark));
  put(fault, std::move(params));
  if (lasts) put("for", text(rejoin::to_text(*lasts), mark));
  put("may-miss", text("true", mark));
  return out;
}

// ---- The timeline's own faults ----

// When the step fires, at the earliest; exact when `exact`.
MonotonicTime earliest(const Schedule& schedule, std::size_t step, bool& exact) {
  Duration since{};
  exact = true;
  for (std::size_t s = step + 1; s-- > 0;) {
    const Trigger& trigger = schedule.timeline[s].trigger;
    if (const auto* at = std::get_if<trigger::At>(&trigger)) return at->time + since;
    exact = false;
    if (const auto* after = std::get_if<trigger::After>(&trigger)) since += after->delay;
  }
  return MonotonicTime(since);
}

// Whether a later step ends what `inject` (of that label) does to these nodes.
bool is_end(const Step& later, const std::string& label, const action::Inject& inject,
            const NodesHit& hit, const Schedule& schedule) {
  if (const auto* end = std::get_if<action::End>(&later.action)) return end->label == label;
  const auto* other = std::get_if<action::Inject>(&later.action);
  if (other == nullptr) return false;
  if (other->fault == "heal") return inject.fault == "partition" || inject.fault == "cut";
  if (other->fault != "restart" || inject.fault != "crash" || !other->params.has("target")) {
    return false;
  }
  const NodesHit started = nodes_hit(ParamValue(other->params.get<Selectors>("target")), schedule);
  return std::includes(started.nodes.begin(), started.nodes.end(), hit.nodes.begin(),
                       hit.nodes.end()) &&
         hit.roving == 0;
}

std::vector<Held> held_by_timeline(const Schedule& schedule, const Vocabulary& vocabulary) {
  std::vector<Held> out;
  for (std::size_t s = 0; s < schedule.timeline.size(); ++s) {
    const auto* inject = std::get_if<action::Inject>(&schedule.timeline[s].action);
    if (inject == nullptr) continue;
    const Vocabulary::Plugin* const plugin = find_plugin(vocabulary.faults, inject->fault);
    if (plugin == nullptr || plugin->nemesis.out.empty()) continue;
    const std::string param(plugin->nemesis.out);
    if (!inject->params.has(param)) continue;
    const NodesHit hit = nodes_hit(inject->params.all().find(param)->second, schedule);
    bool exact = false;
    Held held{.from = earliest(schedule, s, exact), .nodes = hit.nodes, .roving = hit.roving};
    if (exact && inject->lasts) {
      held.until = held.from + *inject->lasts;
    } else if (!inject->lasts && plugin->ends) {
      for (std::size_t later = s + 1; later < schedule.timeline.size(); ++later) {
        if (!is_end(schedule.timeline[later], schedule.timeline[s].label, *inject, hit, schedule)) {
          continue;
        }
        const MonotonicTime at = earliest(schedule, later, exact);
        if (exact) held.until = at;
        break;
      }
    } else if (exact && !plugin->ends) {
      held.until = held.from;
    }
    out.push_back(std::move(held));
  }
  return out;
}

// ---- Draws ----

class Drawer {
 public:
  Drawer(const Nemesis& nemesis, const Vocabulary& vocabulary, const Schedule& schedule,
         std::uint64_t seed)
      : nemesis_(nemesis), vocabulary_(vocabulary), schedule_(schedule), seed_(seed) {
    for (std::uint32_t n = 1; n <= schedule.cluster.nodes; ++n) nodes_.emplace_back(n);
  }

  std::optional<std::vector<Tree>> run() {
    choose_faults();
    if (nemesis_.bounded) make_epochs();
    for (const NemesisFault* fault : faults_) strike_again_and_again(*fault);
    for (const Epoch& epoch : epochs_) strike_alone(epoch);
    if (too_many_) return std::nullopt;
    std::stable_sort(out_.begin(), out_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.at, a.label) < std::tie(b.at, b.label);
    });
    std::vector<Tree> steps;
    for (Drawn& each : out_) steps.push_back(std::move(each.step));
    return steps;
  }

 private:
  struct Drawn {
    MonotonicTime at{};
    std::string label;
    Tree step;
  };
  struct Strike {
    const NemesisFault& fault;
    std::string number;  // of the instance, for labels
    std::uint64_t instance = 0;
    MonotonicTime at{};
    Duration lasts{};
  };
  using Values = DrawnValues;

  [[nodiscard]] DrawKey key(const std::string& path, std::uint64_t instance) const {
    return {.seed = seed_,
            .domain = Domain::nemesis,
            .who = hash64("nemesis." + path),
            .what = instance};
  }
  [[nodiscard]] std::uint64_t random(const std::string& path, std::uint64_t instance = 0) const {
    return draw(key(path, instance));
  }

  // Swarm testing (Groce et al., ISSTA 2012): leaving features out at random finds more than
  // having all of them always, because faults mask one another.
  void choose_faults() {
    const NemesisFault* fallback = nullptr;
    for (const NemesisFault& fault : nemesis_.faults) {
      const std::uint64_t own = random(fault.name + ".swarm");
      const bool in = (own & 1U) != 0 && (random(fault.plugin->fault_class + ".class") & 1U) != 0;
      if (in || !nemesis_.swarm) faults_.push_back(&fault);
      if (fallback == nullptr || own > random(fallback->name + ".swarm")) fallback = &fault;
    }
    if (faults_.empty() && fallback != nullptr) faults_.push_back(fallback);
  }

  // ---- Epochs ----

  void make_epochs() {
    const std::vector<Held> held = held_by_timeline(schedule_, vocabulary_);
    const std::optional<NodeId> loser = who_loses_a_disk();
    MonotonicTime from = nemesis_.from;
    for (std::uint64_t number = 1; from < nemesis_.until && !is_full(number); ++number) {
      Epoch epoch{.number = number, .from = from};
      epoch.until = std::min(from + rounded(uniform(random("epoch", number), nemesis_.epoch)),
                             nemesis_.until);
      const std::uint64_t kind = below(random("epoch.kind", number), 8);
      const Epoch::Kind wanted = kind < 2   ? Epoch::Kind::roving
                                 : kind < 4 ? Epoch::Kind::loss
                                            : Epoch::Kind::victims;
      settle_victims(epoch, wanted, held, loser);
      // Whether or not a disk is lost: which faults are in moves no epoch.
      const bool lost = wanted == Epoch::Kind::loss;
      from = epoch.until +
             (lost ? nemesis_.repair : rounded(uniform(random("rest", number), nemesis_.rest)));
      epochs_.push_back(std::move(epoch));
    }
  }

  // The one node of the run; none when the timeline itself wipes others.
  [[nodiscard]] std::optional<NodeId> who_loses_a_disk() const {
    std::set<NodeId> losers;
    for (const Step& step : schedule_.timeline) {
      const auto* inject = std::get_if<action::Inject>(&step.action);
      if (inject == nullptr) continue;
      const Vocabulary::Plugin* const plugin = find_plugin(vocabulary_.faults, inject->fault);
      if (plugin == nullptr) continue;
      const bool destroys = plugin->nemesis.destroys != nullptr
                                ? plugin->nemesis.destroys(inject->params)
                                : plugin->destroys;
      if (!destroys || !inject->params.has(plugin->params.front().name)) continue;
      const auto& first = inject->params.all().find(plugin->params.front().name)->second;
      const NodesHit hit = nodes_hit(first, schedule_);
      if (hit.roving != 0) return std::nullopt;
      losers.insert(hit.nodes.begin(), hit.nodes.end());
    }
    if (losers.size() > 1) return std::nullopt;
    if (!losers.empty()) return *losers.begin();
    return draw_nodes(founders(), 1, key("loser", 0)).front();
  }

  [[nodiscard]] std::vector<NodeId> founders() const {
    std::vector<NodeId> out = nodes_;
    const std::uint32_t count = schedule_.cluster.founders;
    if (count != 0 && count < out.size()) out.resize(count);
    return out;
  }

  void settle_victims(Epoch& epoch, Epoch::Kind wanted, const std::vector<Held>& held,
                      std::optional<NodeId> loser) const {
    std::set<NodeId> taken;
    std::uint32_t roving = 0;
    for (const Held& each : held) {
      // Time to come back counts as being away.
      const MonotonicTime back = each.until == kForever ? kForever : each.until + nemesis_.rest.min;
      if (each.from >= epoch.until || back <= epoch.from) continue;
      taken.insert(each.nodes.begin(), each.nodes.end());
      roving += each.roving;
    }
    const std::uint32_t most = expendable(schedule_);
    const auto away = static_cast<std::uint32_t>(taken.size()) + roving;
    if (roving != 0 || away >= most) return;  // nobody can be spared
    std::vector<NodeId> left;
    for (const NodeId node : founders()) {
      if (!taken.contains(node)) left.push_back(node);
    }
    const bool alone = away == 0 && wants_alone(wanted);
    if (alone && wanted == Epoch::Kind::roving) {
      epoch.kind = Epoch::Kind::roving;
    } else if (alone && wanted == Epoch::Kind::loss && loser) {
      epoch.kind = Epoch::Kind::loss;
      epoch.victims = {*loser};
    } else {
      const std::size_t count =
          1 + below(random("epoch.count", epoch.number), std::uint64_t{most - away});
      epoch.victims = draw_nodes(left, count, key("epoch.victims", epoch.number));
    }
  }

  // ---- Who strikes alone ----

  [[nodiscard]] static bool may_destroy(const NemesisFault& fault) {
    const NemesisSpec& spec = fault.plugin->nemesis;
    return fault.plugin->destroys || spec.destroys != nullptr ||
           spec.after == NemesisSpec::After::wipe;
  }
  // The alternatives of its victims that are known at run time only, few enough.
  [[nodiscard]] std::vector<Tree> roving(const NemesisFault& fault) const {
    std::vector<Tree> out;
    if (may_destroy(fault) || fault.plugin->nemesis.after != NemesisSpec::After::nothing)
      return out;
    for (const NemesisFault::Value& value : fault.values) {
      if (value.param != fault.plugin->nemesis.out || !value.draw.is_list) continue;
      for (std::uint64_t i = 0; i < value.draw.count; ++i) {
        const Tree alternative = value.draw.at(i);
        const NodesHit hit = nodes_hit(name_hosts(alternative, nodes_, schedule_, {}), schedule_);
        if (hit.roving != 0 && hit.nodes.empty() && hit.least <= expendable(schedule_)) {
          out.push_back(alternative);
        }
      }
    }
    return out;
  }
  [[nodiscard]] bool can_be_alone(const NemesisFault& fault, Epoch::Kind kind) const {
    if (kind == Epoch::Kind::victims) return false;
    if (kind == Epoch::Kind::loss) return may_destroy(fault);
    return fault.plugin->nemesis.alone || !roving(fault).empty();
  }
  [[nodiscard]] bool wants_alone(Epoch::Kind kind) const {
    return std::any_of(faults_.begin(), faults_.end(),
                       [&](const NemesisFault* fault) { return can_be_alone(*fault, kind); });
  }

  // Each fault bids, and the highest bid has the epoch: a fault that leaves the section frees only
  // the epochs that it had (Thaler and Ravishankar's rendezvous hashing).
  void strike_alone(const Epoch& epoch) {
    // What `until` has cut short leaves no room for what follows a strike.
    if (is_full(0) || epoch.kind == Epoch::Kind::victims ||
        epoch.until - epoch.from < kShortestEpoch)
      return;
    const NemesisFault* winner = nullptr;
    std::uint64_t highest = 0;
    for (const NemesisFault* fault : faults_) {
      if (!can_be_alone(*fault, epoch.kind)) continue;
      const std::uint64_t bid = random(fault->name + ".bid", epoch.number);
      if (winner == nullptr || bid > highest) {
        winner = fault;
        highest = bid;
      }
    }
    if (winner == nullptr) return;
    Strike strike{.fault = *winner,
                  .number = "epoch-" + std::to_string(epoch.number),
                  .instance = mix(epoch.number, hash64("epoch")),
                  .at = {},
                  .lasts = lasts_of(*winner, mix(epoch.number, hash64("epoch")))};
    strike.at = epoch.from + rounded(uniform(random(winner->name + ".at", strike.instance),
                                             {0ns, (epoch.until - epoch.from) / 3}));
    Values values = values_of(*winner, strike.instance);
    if (epoch.kind == Epoch::Kind::roving && !winner->plugin->nemesis.alone) {
      const std::vector<Tree> whom = roving(*winner);
      const std::uint64_t which =
          below(random(winner->name + ".roving", strike.instance), whom.size());
      for (auto& [param, value] : values) {
        if (param == winner->plugin->nemesis.out) value = whom[static_cast<std::size_t>(which)];
      }
    }
    emit(strike, values, epoch.victims, epoch.until, epoch.kind == Epoch::Kind::roving);
  }

  // ---- Who strikes beside others ----

  [[nodiscard]] Duration lasts_of(const NemesisFault& fault, std::uint64_t instance) const {
    if (!fault.lasts) return {};
    return rounded(uniform(random(fault.name + ".for", instance), *fault.lasts));
  }

  void strike_again_and_again(const NemesisFault& fault) {
    MonotonicTime at = nemesis_.from;
    for (std::uint64_t n = 1; !is_full(n); ++n) {
      at +=
          std::max<Duration>(rounded(uniform(random(fault.name + ".every", n), fault.every)), 1ms);
      if (at >= nemesis_.until) return;
      const Strike strike{.fault = fault,
                          .number = std::to_string(n),
                          .instance = n,
                          .at = at,
                          .lasts = lasts_of(fault, n)};
      at += strike.lasts;
      const Values values = values_of(fault, n);
      if (!nemesis_.bounded) {
        emit(strike, values, nodes_, kForever, true);
        continue;
      }
      const NemesisSpec& spec = fault.plugin->nemesis;
      if (destroys(fault, values)) continue;  // in an epoch of its own
      if (spec.alone) continue;
      if (spec.out.empty() && spec.after == NemesisSpec::After::nothing) {
        emit(strike, values, nodes_, nemesis_.until, true);
        continue;
      }
      const auto epoch = std::find_if(epochs_.begin(), epochs_.end(), [&](const Epoch& each) {
        return each.kind == Epoch::Kind::victims && each.from <= strike.at &&
               strike.at < each.until;
      });
      if (epoch == epochs_.end() || epoch->victims.empty()) continue;
      emit(strike, values, epoch->victims, epoch->until, false);
    }
  }

  [[nodiscard]] Values values_of(const NemesisFault& fault, std::uint64_t instance) const {
    Values out;
    for (const NemesisFault::Value& value : fault.values) {
      const std::uint64_t which =
          below(random(fault.name + "." + value.param, instance), value.draw.count);
      out.emplace_back(value.param, value.draw.at(which));
    }
    return out;
  }

  [[nodiscard]] static bool destroys(const NemesisFault& fault, const Values& values) {
    const Vocabulary::Plugin& plugin = *fault.plugin;
    if (plugin.nemesis.after == NemesisSpec::After::wipe) return true;
    if (plugin.nemesis.destroys == nullptr) return plugin.destroys;
    return plugin.nemesis.destroys(params_of(plugin, values));
  }

  // The step, and those that follow from it. `pool`: from whom it draws whom it takes out of
  // action; nothing comes of it when it would hit anyone else (unless `anyone`).
  void emit(const Strike& strike, const Values& values, const std::vector<NodeId>& pool,
            MonotonicTime until, bool anyone) {
    const NemesisFault& fault = strike.fault;
    const NemesisSpec& spec = fault.plugin->nemesis;
    const bool followed = spec.after != NemesisSpec::After::nothing;
    Tree params = make_map({}, fault.mark);
    Tree victims;
    for (const auto& [name, value] : values) {
      const auto declared =
          std::find_if(fault.plugin->params.begin(), fault.plugin->params.end(),
                       [&, param = name](const ParamSpec& each) { return each.name == param; });
      Tree concrete = value;
      const bool hosts =
          declared != fault.plugin->params.end() &&
          (declared->type == ParamType::hosts || declared->type == ParamType::host_sets);
      const bool out = name == spec.out || (spec.out.empty() && followed);
      if (hosts) {
        concrete = name_hosts(value, out ? pool : nodes_, schedule_,
                              key(fault.name + "." + name + ".who", strike.instance));
      }
      if (hosts && out && victims.kind == Tree::Kind::null) victims = concrete;
      params.entries.push_back({name, fault.mark, std::move(concrete)});
    }
    const NodesHit hit = nodes_hit(victims, schedule_);
    if (!anyone && (hit.roving != 0 ||
                    !std::includes(pool.begin(), pool.end(), hit.nodes.begin(), hit.nodes.end()))) {
      return;
    }
    std::optional<Duration> lasts;
    if (fault.lasts) {
      lasts = strike.lasts;
      const Duration room =
          until == kForever ? strike.lasts : until - strike.at - (followed ? kFollowUp : 0s);
      if (nemesis_.bounded) lasts = std::min(*lasts, room);
      if (*lasts < kShortestStrike) return;
    }
    const std::string label = "nemesis-" + fault.name + "-" + strike.number;
    put(label, strike.at,
        step_of(label, fault.mark, strike.at, fault.plugin->name, std::move(params), lasts));
    if (hit.roving != 0) return;
    if (spec.restarts && lasts) {
      restart(label + "-halfway", fault.mark, strike.at + rounded(*lasts / 2), victims, false);
    }
    if (followed) follow(label, strike, values, victims, lasts.value_or(0ns));
  }

  void follow(const std::string& label, const Strike& strike, const Values& values,
              const Tree& victims, Duration lasts) {
    using After = NemesisSpec::After;
    const Mark& mark = strike.fault.mark;
    const MonotonicTime over = strike.at + lasts;
    const After after = strike.fault.plugin->nemesis.after;
    if (after == After::replace) {
      if (!destroys(strike.fault, values)) return;
      Tree params = make_map({{"target", mark, victims},
                              {"wipe", mark, text("true", mark)},
                              {"if-down", mark, text("true", mark)}},
                             mark);
      return put(
          label + "-replace", over + kUntilWipe,
          step_of(label + "-replace", mark, over + kUntilWipe, "restart", std::move(params), {}));
    }
    restart(label + "-restart", mark, over + kUntilRestart, victims, false);
    if (after != After::wipe) return;
    const std::string apart = label + "-apart";
    put(apart, over,
        step_of(apart, mark, over, "isolate", make_map({{"target", mark, victims}}, mark),
                kUntilWipe + kUntilRestart));
    restart(label + "-wipe", mark, over + kUntilWipe, victims, true);
  }

  void restart(const std::string& label, const Mark& mark, MonotonicTime at, const Tree& victims,
               bool wipe) {
    Tree params = make_map({{"target", mark, victims}}, mark);
    if (wipe) params.entries.push_back({"wipe", mark, text("true", mark)});
    put(label, at, step_of(label, mark, at, "restart", std::move(params), {}));
  }

  // Notes that it is so.
  bool is_full(std::uint64_t strikes) {
    too_many_ |= strikes > kStrikesMax || out_.size() > kDrawnMax;
    return too_many_;
  }

  void put(const std::string& label, MonotonicTime at, Tree step) {
    out_.push_back({at, label, std::move(step)});
  }

  const Nemesis& nemesis_;
  const Vocabulary& vocabulary_;
  const Schedule& schedule_;
  std::uint64_t seed_;
  std::vector<NodeId> nodes_;
  std::vector<const NemesisFault*> faults_;
  std::vector<Epoch> epochs_;
  std::vector<Drawn> out_;
  bool too_many_ = false;
};

}  // namespace

std::optional<std::vector<Tree>> draw_steps(const Nemesis& nemesis, const Vocabulary& vocabulary,
                                            const Schedule& schedule, std::uint64_t seed) {
  return Drawer(nemesis, vocabulary, schedule, seed).run();
}

std::vector<Tree> steps_to_check(const Nemesis& nemesis) {
  constexpr std::uint64_t kAlternativesMax = 64;
  std::vector<Tree> out;
  const auto add = [&](const NemesisFault& fault, std::size_t varied, std::uint64_t alternative) {
    Tree params = make_map({}, fault.mark);
    for (std::size_t v = 0; v < fault.values.size(); ++v) {
      const NemesisFault::Value& value = fault.values[v];
      params.entries.push_back(
          {value.param, fault.mark, value.draw.at(v == varied ? alternative : 0)});
    }
    const auto lasts = fault.lasts ? std::optional(fault.lasts->max) : std::nullopt;
    out.push_back(step_of("nemesis-" + fault.name + "-check-" + std::to_string(out.size()),
                          fault.mark, nemesis.from, fault.plugin->name, std::move(params), lasts));
  };
  for (const NemesisFault& fault : nemesis.faults) {
    add(fault, fault.values.size(), 0);
    for (std::size_t v = 0; v < fault.values.size(); ++v) {
      const Alternatives& draw = fault.values[v].draw;
      if (!draw.is_list && draw.count > 1) add(fault, v, draw.count - 1);
      if (!draw.is_list) continue;
      for (std::uint64_t i = 1; i < std::min(draw.count, kAlternativesMax); ++i) add(fault, v, i);
    }
  }
  return out;
}

}  // namespace rejoin::sim
