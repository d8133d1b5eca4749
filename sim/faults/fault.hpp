// A fault: something that a world does to the machines in it. One .cpp each in sim/faults/, with
// one registration. Faults act on the kernel, behind Env; protocol code has no hooks for them.
//
// Invariants:
// 1. A fault is given hosts, not selectors: who they are was decided when it struck.
// 2. What a fault draws is keyed by its step (FaultSite::key): another step moves nothing.
// 3. `end` of an injection takes back what it did and nothing else; ending twice does nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/nemesis.hpp"
#include "model/params.hpp"
#include "model/random.hpp"
#include "model/registry.hpp"
#include "model/schedule.hpp"
#include "model/value_problem.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

// What swarms switch on and off as one.
enum class FaultClass : std::uint8_t { host, network, disk, clock };
[[nodiscard]] std::string_view to_name(FaultClass fault_class);

// For what a fault does later (a crash loop): in control events of its own. What a fault that does
// not end plans, the timeline waits for; so it comes to an end by itself.
class Agenda {
 public:
  virtual ~Agenda() = default;
  virtual void after(Duration delay, std::function<void()> act) = 0;
};

// Where and with what a fault strikes. Kernel and agenda outlive the injection; the site does not.
struct FaultSite {
  Kernel& kernel;
  const Params& params;
  // Of the step; vary `what` and `attempt`. `who` is the step alone: what the kernel keys the draws
  // of an effect by, as it mixes the seed in itself.
  DrawKey key;
  Agenda& agenda;
  // By parameter of type hosts and host_sets: who that is now, in order of address (of node ids for
  // one kind of host), without doubles.
  std::map<std::string, std::vector<Address>, std::less<>> hosts{};
  std::map<std::string, std::vector<std::vector<Address>>, std::less<>> sets{};
};

struct Injection {
  std::uint64_t touched = 0;        // FaultSpec::touches; 0: it touched nothing, and is no more
  std::function<void()> end{};      // takes it back; empty: there is nothing to take back
  std::vector<EffectId> effects{};  // what it is in the kernel, which counts what they do
  std::function<std::uint64_t()> did{};  // what it has done so far besides; empty: nothing

  // Done in a moment: what it touched is all that it did.
  [[nodiscard]] bool is_momentary() const { return effects.empty() && !did; }
};
// FaultSpec::does, so far; of one that is done in a moment what it touched.
[[nodiscard]] std::uint64_t done_by(const Injection& injection, const Kernel& kernel);

// How a fault holds a thing of its hosts. Which of these contradict each other, and which compose,
// is a table (sim/run/contradictions.cpp).
enum class Hold : std::uint8_t {
  kills,    // the process is dead while it lasts; without a duration, until something starts it
  cycles,   // the process dies and starts, again and again
  stills,   // the process stands still
  renews,   // the process starts anew, at one moment
  doubles,  // a second process takes part
  sets,     // the thing has one value, the fault's own
};

// What a fault holds of its hosts while it lasts. What it does not claim, others may do as well.
struct Claim {
  std::string_view thing;  // `process`, `wall clock`, ...: of one host, one thing by that name
  Hold hold{};
  // The parameter that names the hosts: of type hosts, or a text, the name of a site.
  std::string_view of = "target";
  // It holds nothing where this parameter has this value.
  std::string_view unless{};
  std::string_view is{};
};

struct FaultSpec {
  std::string_view name;
  std::string_view help;
  FaultClass kind{};
  // The first is the one that a file may give alone: `crash: node-3`.
  std::vector<ParamSpec> params;
  // It may be given a duration (`for: 5s`), after which it is taken back.
  bool ends = false;
  // The last phase of a run takes back all that ends, but not this, unless it was given a duration:
  // the dead stay dead.
  bool stays = false;
  // It destroys what disks held: a bounded nemesis lets it strike one victim only.
  bool destroys = false;
  // It stops processes for good or for a while: nodes only. A client that is stopped would forget
  // what it was asked to do.
  bool of_nodes = false;
  // Its hosts must have disks.
  bool needs_disk = false;
  // Two faults that hold one thing of one host at one time may contradict each other.
  std::vector<Claim> claims{};
  // What its counts are of, one of them: what it touches as it strikes, and what it does from then
  // on (`message lost`; the first word is counted). Empty: it is done in a moment.
  std::string_view touches = "host";
  std::string_view does = {};
  // What is wrong with these parameters in this schedule, and with which; none: nothing.
  std::optional<ValueProblem> (*problem)(const Params& params, const Schedule& schedule) = nullptr;
  Injection (*inject)(FaultSite& site) = nullptr;
  // `node-3 crashes`: for tables.
  std::string (*says)(const Params& params) = nullptr;
  // How a nemesis draws it.
  NemesisSpec nemesis{};
};

using Faults = Registry<FaultSpec>;

// ---- For the plugins -----------------------------------------------------------------------

// `node-3`, `node-1 and node-2`, `the leader`, `the owner of key-7`; once it is known who that was,
// `the leader (node-2)`.
[[nodiscard]] std::string says_hosts(const Params& params, std::string_view name);
// The verb for these hosts: `crashes` of one, `crash` of several.
[[nodiscard]] std::string verb(const Params& params, std::string_view name, std::string_view of_one,
                               std::string_view of_many);
// `{node-1, node-2} | {the others}`, of a parameter of type host_sets.
[[nodiscard]] std::string says_sets(const Params& params, std::string_view name);
// What is wrong with a `share` that is nothing.
[[nodiscard]] std::optional<ValueProblem> needs_a_share(const Params& params, const Schedule&);
// One effect on each of the site's hosts of that parameter; ends them all.
[[nodiscard]] Injection on_each(FaultSite& site, std::string_view hosts,
                                const std::function<EffectId(Kernel&, Address)>& effect);
// An effect of the network on these links; touched is how many they are.
[[nodiscard]] Injection on_links(FaultSite& site, const std::vector<EffectId>& effects,
                                 std::uint64_t links);

}  // namespace rejoin::sim
