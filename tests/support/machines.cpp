#include "tests/support/machines.hpp"

#include <memory>
#include <utility>

namespace rejoin::sim::testing {

ScriptProcess::ScriptProcess(Env& env, const Script& script) : env_(env), script_(script) {}
ScriptProcess::~ScriptProcess() = default;

void ScriptProcess::start() {
  if (script_.start) script_.start(env_);
}

void ScriptProcess::on_message(Address from, ByteView frame) {
  if (script_.message) script_.message(env_, from, frame);
}

void ScriptProcess::on_timer(TimerId timer) {
  if (script_.timer) script_.timer(env_, timer);
}

void ScriptProcess::on_io(const IoDone& done) {
  if (script_.io) script_.io(env_, done);
}

Recorder::~Recorder() = default;

void Recorder::on_fact(MonotonicTime at, std::uint64_t, const FactSource& source,
                       const Fact& fact) {
  facts.push_back({at, source, describe(fact)});
  if (also_fact) also_fact(source, fact);
}

void Recorder::on_control(std::uint64_t id) {
  if (control) control(id);
}

std::size_t Recorder::count(std::string_view name) const {
  std::size_t n = 0;
  for (const SeenFact& fact : facts) n += fact.text.starts_with(name) ? 1U : 0U;
  return n;
}

NetworkOptions constant_network(Duration latency) {
  NetworkOptions network;
  network.latency = constant_latency(latency);
  network.bandwidth_bytes_per_s = 0;
  return network;
}

Machines::Machines(const KernelOptions& options, std::uint32_t nodes, TraceSink* trace)
    : kernel(options, recorder, trace), scripts(nodes + 1), installed(nodes + 1) {
  for (std::uint32_t n = 1; n <= nodes; ++n) {
    kernel.add_host({.address = Address(n),
                     .name = to_name(NodeId(n)),
                     .node = NodeId(n),
                     .client = {},
                     .make = [this, n](Env& env, Observer&, const Installed& what) {
                       installed[n] = what;
                       return std::make_unique<ScriptProcess>(env, scripts[n]);
                     }});
  }
}

Machines::~Machines() = default;

void Machines::start_all() {
  for (std::uint32_t n = 1; n < scripts.size(); ++n) (void)kernel.start(Address(n));
}

void Machines::run_until(MonotonicTime end) {
  while (kernel.next_event_at() <= end && kernel.next_event_at() != kForever) {
    (void)kernel.step();
  }
}

void Machines::at(MonotonicTime at, std::function<void()> action) {
  actions.push_back(std::move(action));
  recorder.control = [this](std::uint64_t id) { actions[id](); };
  kernel.control_at(at, actions.size() - 1, actions.size() - 1);
}

std::string text_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

void send_text(Env& env, Address to, std::string_view text, std::uint64_t identity,
               Transport transport) {
  const ByteView bytes = as_bytes(text);
  env.send(to, transport, Bytes(bytes.begin(), bytes.end()),
           {.kind = kPing, .purpose = Purpose::foreground, .identity = identity, .attempt = 0});
}

}  // namespace rejoin::sim::testing
