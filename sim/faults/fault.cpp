#include "sim/faults/fault.hpp"

#include <memory>
#include <utility>

#include "model/check.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {

std::string_view to_name(FaultClass fault_class) {
  switch (fault_class) {
    case FaultClass::host:
      return "host";
    case FaultClass::network:
      return "network";
    case FaultClass::disk:
      return "disk";
    case FaultClass::clock:
      return "clock";
  }
  CHECK_THAT(false);
}

namespace {

std::string says_host(const Selector& selector) {
  using Kind = Selector::Kind;
  // Who that was, when it is known by now.
  const std::string found = selector.argument.empty() ? "" : ' ' + selector.argument;
  switch (selector.kind) {
    case Kind::node:
    case Kind::client:
      return to_text(selector);
    case Kind::leader:
      return "the leader" + found;
    case Kind::follower:
      return "a follower" + found;
    case Kind::followers:
      return "the followers" + found;
    case Kind::member:
      return "a member" + found;
    case Kind::members:
      return "the members" + found;
    case Kind::majority:
      return "a majority" + found;
    case Kind::minority:
      return "a minority" + found;
    case Kind::random:
      return (selector.count == 1 ? "a random node"
                                  : std::to_string(selector.count) + " random nodes") +
             found;
    case Kind::owner:
      return "the owner of " + selector.argument;
    case Kind::owners:
      return "the owners of " + selector.argument;
    case Kind::zone:
      return "zone " + selector.argument;
    case Kind::nodes:
      return "all nodes";
    case Kind::clients:
      return "all clients";
    case Kind::all:
      return "everyone";
    case Kind::others:
      return "the others" + found;
    case Kind::twin:
      return "the twin of " + to_name(selector.node);
  }
  CHECK_THAT(false);
  return {};  // not reached, but a compiler that does not optimise cannot tell
}

Injection ended_by(Kernel& kernel, std::vector<EffectId> effects, std::uint64_t touched) {
  auto open = std::make_shared<std::vector<EffectId>>(effects);
  return {.touched = touched,
          .end =
              [&kernel, open] {
                for (const EffectId effect : std::exchange(*open, {})) (void)kernel.end(effect);
              },
          .effects = std::move(effects)};
}

}  // namespace

std::uint64_t done_by(const Injection& injection, const Kernel& kernel) {
  if (injection.is_momentary()) return injection.touched;
  std::uint64_t done = injection.did ? injection.did() : 0;
  for (const EffectId effect : injection.effects) done += kernel.done_by(effect);
  return done;
}

std::string says_hosts(const Params& params, std::string_view name) {
  const auto& selectors = params.get<Selectors>(name);
  std::string out;
  for (std::size_t i = 0; i < selectors.size(); ++i) {
    if (i != 0) out += i + 1 == selectors.size() ? " and " : ", ";
    out += says_host(selectors[i]);
  }
  return out;
}

std::string verb(const Params& params, std::string_view name, std::string_view of_one,
                 std::string_view of_many) {
  using Kind = Selector::Kind;
  const auto& selectors = params.get<Selectors>(name);
  bool many = selectors.size() > 1;
  for (const Selector& each : selectors) {
    many |= each.kind == Kind::followers || each.kind == Kind::members ||
            each.kind == Kind::owners || each.kind == Kind::nodes || each.kind == Kind::clients ||
            each.kind == Kind::others || (each.kind == Kind::random && each.count > 1);
  }
  return std::string(many ? of_many : of_one);
}

std::string says_sets(const Params& params, std::string_view name) {
  std::string out;
  for (const Selectors& set : params.get<std::vector<Selectors>>(name)) {
    out += out.empty() ? "{" : " | {";
    for (std::size_t i = 0; i < set.size(); ++i) out += (i == 0 ? "" : ", ") + says_host(set[i]);
    out += '}';
  }
  return out;
}

std::optional<ValueProblem> needs_a_share(const Params& params, const Schedule&) {
  if (params.get<Share>("share").ppm != 0) return std::nullopt;
  return ValueProblem("a share of 0 touches nothing: it is above 0, up to 100%", "share");
}

Injection on_each(FaultSite& site, std::string_view hosts,
                  const std::function<EffectId(Kernel&, Address)>& effect) {
  std::vector<EffectId> effects;
  for (const Address host : site.hosts.find(hosts)->second) {
    const EffectId id = effect(site.kernel, host);
    if (!id.is_none()) effects.push_back(id);
  }
  const std::uint64_t touched = effects.size();
  return ended_by(site.kernel, std::move(effects), touched);
}

Injection on_links(FaultSite& site, const std::vector<EffectId>& effects, std::uint64_t links) {
  return ended_by(site.kernel, effects, links);
}

}  // namespace rejoin::sim
