#include "tests/faults/rig.hpp"

#include "model/check.hpp"
#include "model/hash.hpp"

namespace rejoin::sim::testing {

Params params_of(std::initializer_list<std::pair<std::string_view, ParamValue>> values) {
  Params params;
  for (const auto& [name, value] : values) params.set(name, value);
  return params;
}

Selectors nodes(std::initializer_list<std::uint32_t> numbers) {
  Selectors out;
  for (const std::uint32_t number : numbers) out.push_back(select(NodeId(number)));
  return out;
}

Params completed(const FaultSpec& fault, const Params& given) {
  Params out = default_params(fault.params);
  for (const auto& [name, value] : given.all()) out.set(name, value);
  CHECK_THAT(out.all().size() == fault.params.size());
  return out;
}

std::string says(std::string_view fault, const Params& params) {
  const FaultSpec* const spec = Faults::find(fault);
  return spec->says(completed(*spec, params));
}

FaultRig::FaultRig(const RigOptions& options)
    : machines({.seed = options.seed,
                .fifo = false,
                .network = options.network,
                .topology = options.topology,
                .host = options.host,
                .disk = options.disk},
               options.nodes),
      starts(options.nodes + 1),
      heard(options.nodes + 1, std::vector<std::uint64_t>(options.nodes + 1)),
      journal_at_start(options.nodes + 1),
      nodes_(options.nodes),
      seed_(options.seed) {
  for (std::uint32_t n = 1; n <= nodes_; ++n) write_script(n, options.transport);
  machines.start_all();
}

FaultRig::~FaultRig() = default;

std::size_t FaultRig::inject(MonotonicTime when, std::string_view fault, const Params& params,
                             std::optional<Duration> lasts) {
  const FaultSpec* const spec = Faults::find(fault);
  CHECK_THAT(spec != nullptr);
  CHECK_THAT(!lasts || spec->ends);
  const std::size_t step = steps_.size();
  steps_.push_back({.fault = spec, .params = completed(*spec, params), .injection = {}});
  machines.at(when, [this, step] { strike(step); });
  if (lasts) end(when + *lasts, step);
  return step;
}

void FaultRig::end(MonotonicTime when, std::size_t step) {
  machines.at(when, [this, step] {
    auto& end_it = steps_[step].injection.end;
    if (end_it) std::exchange(end_it, {})();
  });
}

void FaultRig::after(Duration delay, std::function<void()> act) {
  machines.at(machines.kernel.now() + delay, std::move(act));
}

std::uint64_t FaultRig::did(std::size_t step) const {
  return done_by(steps_[step].injection, machines.kernel);
}

void FaultRig::run_until(MonotonicTime end) {
  machines.run_until(end);
}

bool FaultRig::is_up(std::uint32_t node) {
  return machines.kernel.is_up(Address(node));
}

std::uint64_t FaultRig::heard_in_all() const {
  std::uint64_t sum = 0;
  for (const auto& row : heard) {
    for (const std::uint64_t n : row) sum += n;
  }
  return sum;
}

void FaultRig::write_script(std::uint32_t n, Transport transport) {
  Script& script = machines.script(n);
  script.start = [this, n](Env& env) {
    ++starts[n];
    env.read("journal", kRead);
    env.arm(kTick, env.now() + 10ms);
  };
  script.timer = [this, n, transport](Env& env, TimerId) {
    const auto round = static_cast<std::uint64_t>(env.now().time_since_epoch().count());
    for (std::uint32_t to = 1; to <= nodes_; ++to) {
      if (to != n) {
        send_text(env, Address(to), "ping " + std::to_string(round), round, transport);
      }
    }
    if (env.now() < at_time(1s)) env.arm(kTick, env.now() + 10ms);
    env.append("journal", as_bytes("x"));
    env.sync("journal", kSynced);
  };
  script.message = [this, n](Env&, Address from, ByteView frame) {
    if (from.value <= nodes_) ++heard[from.value][n];
    arrivals.push_back(
        {.from = from.value, .to = n, .at = machines.kernel.now(), .text = text_of(frame)});
  };
  script.io = [this, n](Env&, const IoDone& done) {
    if (done.token == kRead) journal_at_start[n] = done.data.size();
  };
}

void FaultRig::strike(std::size_t step) {
  const Params& params = steps_[step].params;
  FaultSite site{.kernel = machines.kernel,
                 .params = params,
                 .key = {.seed = seed_,
                         .domain = Domain::fault,
                         .who = hash64("step-" + std::to_string(step))},
                 .agenda = *this};
  for (const ParamSpec& spec : steps_[step].fault->params) {
    const std::string name(spec.name);
    if (spec.type == ParamType::hosts) site.hosts[name] = resolve(params.get<Selectors>(name));
    if (spec.type != ParamType::host_sets) continue;
    for (const Selectors& set : params.get<std::vector<Selectors>>(name)) {
      site.sets[name].push_back(resolve(set));
    }
  }
  steps_[step].injection = steps_[step].fault->inject(site);
  touched.push_back(steps_[step].injection.touched);
}

std::vector<Address> FaultRig::resolve(const Selectors& selectors) const {
  std::vector<Address> out;
  for (const Selector& selector : selectors) {
    if (selector.kind == Selector::Kind::nodes || selector.kind == Selector::Kind::all) {
      return machines.kernel.hosts();
    }
    CHECK_THAT(selector.kind == Selector::Kind::node);
    const Address host = machines.kernel.address_of(selector.node);
    if (!host.is_none()) out.push_back(host);
  }
  return out;
}

}  // namespace rejoin::sim::testing
