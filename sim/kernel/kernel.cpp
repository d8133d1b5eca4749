#include "sim/kernel/kernel.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/check.hpp"
#include "model/random.hpp"
#include "sim/kernel/disk.hpp"
#include "sim/kernel/engine.hpp"
#include "sim/kernel/host.hpp"

namespace rejoin::sim {

std::string_view to_name(DropReason reason) {
  switch (reason) {
    case DropReason::loss:
      return "lost";
    case DropReason::partition:
      return "cut off";
    case DropReason::host_down:
      return "host down";
    case DropReason::too_large:
      return "too large";
    case DropReason::queue_full:
      return "queue full";
    case DropReason::reset:
      return "connection reset";
  }
  CHECK_THAT(false);
}

std::string_view to_name(Mishap mishap) {
  switch (mishap) {
    case Mishap::duplicated:
      return "duplicated";
    case Mishap::corrupted:
      return "corrupted";
    case Mishap::stalled:
      return "stalled";
    case Mishap::retransmitted:
      return "sent again";
    case Mishap::clogged:
      return "clogged";
  }
  CHECK_THAT(false);
}

std::string_view to_name(EventKind kind) {
  switch (kind) {
    case EventKind::start:
      return "start";
    case EventKind::deliver:
      return "deliver";
    case EventKind::timer:
      return "timer";
    case EventKind::io:
      return "io";
    case EventKind::control:
      return "control";
    case EventKind::network:
      return "network";
  }
  CHECK_THAT(false);
}

namespace {

// Further addresses of nodes are from here up to those of clients: node ids are smaller.
constexpr std::uint32_t kFirstFurtherAddress = 1U << 20U;
constexpr std::uint32_t kFurtherAddresses = kFirstClientAddress - kFirstFurtherAddress;

}  // namespace

struct Kernel::Impl {
  Impl(const KernelOptions& options, KernelListener& listener, TraceSink* trace)
      : engine(options, listener, trace) {}

  Engine engine;
  std::vector<Stop> stops;
  std::vector<std::unique_ptr<Host>> hosts;
  FlatMap<std::uint32_t> by_address;
  FlatMap<std::uint32_t> by_node;
  FlatMap<bool> used;  // addresses, ever
  std::vector<Address> addresses;

  [[nodiscard]] Host* find(Address address) const {
    const std::uint32_t* index = by_address.find(address.value);
    return index == nullptr ? nullptr : hosts[*index].get();
  }

  // In order of address.
  void take_address(Address address, std::uint32_t index, Address beside = {}) {
    by_address[address.value] = index;
    used[address.value] = true;
    addresses.insert(std::upper_bound(addresses.begin(), addresses.end(), address), address);
    engine.network.add_host(address, beside);
  }

  // By a draw from millions, so that it does not depend on how many the node, or anyone, had
  // before. One that was never used: what is under way to an address that was left reaches nobody.
  [[nodiscard]] Address unused_address(NodeId node, std::uint64_t key) const {
    const std::uint64_t random = draw(
        {.seed = engine.options.seed, .domain = Domain::fault, .who = node.value, .what = key});
    const auto first = static_cast<std::uint32_t>(below(random, kFurtherAddresses));
    for (std::uint32_t tried = 0; tried < kFurtherAddresses; ++tried) {
      const Address address(kFirstFurtherAddress + (first + tried) % kFurtherAddresses);
      if (used.find(address.value) == nullptr) return address;
    }
    return {};
  }

  // Effects of hosts. None when there is no such host.
  template <class Begin>
  [[nodiscard]] EffectId begin_effect(Address address, Begin begin) {
    Host* const host = find(address);
    if (host == nullptr) return {};
    const EffectId id = engine.next_effect();
    begin(*host, id);
    return id;
  }

  // A fact of one stop may ask for the next: they run in order, not nested.
  void run_stops() {
    ++engine.listening;
    for (std::size_t i = 0; i < stops.size(); ++i) {
      const Stop stop = std::move(stops[i]);
      stop.host->end_life(stop.fact, stop.scope);
    }
    stops.clear();
    --engine.listening;
  }

  [[nodiscard]] bool is_stale(const EventRecord& record) const {
    if (record.kind == EventKind::network) return !engine.network.awaits(record.id, record.life);
    const bool told_host =
        record.turn || record.kind == EventKind::start || record.kind == EventKind::io;
    if (!told_host) return false;
    // A host that has moved expects nothing at the address that it had.
    const Host* const host = find(record.host);
    return host == nullptr || !host->expects(record);
  }

  // Disposes of entries at the front that will never be events. False when none is left.
  [[nodiscard]] bool settle_front() {
    while (!engine.queue.empty()) {
      const QueueEntry front = engine.queue.front();
      if ((front.slot & Engine::kTimerBit) != 0) {
        if (engine.timer_is_due(front)) return true;
      } else if (!is_stale(engine.records[front.slot])) {
        return true;
      } else {
        (void)engine.queue.pop();
        (void)engine.records.take(front.slot);
      }
    }
    return false;
  }

  void deliver(EventRecord&& record) {
    Host* const host = find(record.host);
    if (!engine.arrives(record, host != nullptr && host->is_up())) return;
    host->on_event(std::move(record));
  }

  void control(std::uint64_t id) {
    engine.begin_event({.at = engine.now, .kind = EventKind::control, .id = id});
    engine.listener.on_control(id);
  }

  void dispatch(const QueueEntry& entry) {
    engine.now = MonotonicTime(Duration(entry.at_ns));
    const Raised raised(engine.options.dispatching);
    if ((entry.slot & Engine::kTimerBit) != 0) {
      const std::uint32_t slot = entry.slot & ~Engine::kTimerBit;
      engine.dispatching = true;
      find(engine.timers[slot].host)->on_timer(slot);
      engine.dispatching = false;
      return;
    }
    EventRecord record = engine.records.take(entry.slot);
    if (record.kind == EventKind::control) return control(record.id);
    if (record.kind == EventKind::network) {
      engine.begin_event({.at = engine.now, .kind = EventKind::network, .id = record.id});
      return engine.network.wake(record.id);
    }
    engine.dispatching = true;
    if (record.kind == EventKind::deliver && !record.turn) {
      deliver(std::move(record));
    } else {
      find(record.host)->on_event(std::move(record));
    }
    engine.dispatching = false;
  }
};

Kernel::Kernel(const KernelOptions& options, KernelListener& listener, TraceSink* trace)
    : impl_(std::make_unique<Impl>(options, listener, trace)) {}
Kernel::~Kernel() = default;

// ---- Setting up ----------------------------------------------------------------------------

void Kernel::add_host(HostSpec spec) {
  const auto index = static_cast<std::uint32_t>(impl_->hosts.size());
  CHECK_THAT(impl_->find(spec.address) == nullptr);
  impl_->take_address(spec.address, index);
  if (!spec.node.is_none()) impl_->by_node[spec.node.value] = index;
  impl_->hosts.push_back(std::make_unique<Host>(impl_->engine, std::move(spec), impl_->stops));
}

void Kernel::provision(Address host, std::string_view file, ByteView data) {
  Host* const found = impl_->find(host);
  CHECK_THAT(found != nullptr);
  found->provision(file, data);
}

// ---- Acting on hosts -----------------------------------------------------------------------

bool Kernel::start(Address host, RestartOptions options) {
  Host* const found = impl_->find(host);
  return found != nullptr && found->schedule_start(options);
}

bool Kernel::crash(Address host, CrashScope scope) {
  Host* const found = impl_->find(host);
  return found != nullptr && found->crash(scope);
}

bool Kernel::is_diskless(Address host) const {
  const Host* const found = impl_->find(host);
  return found == nullptr || found->spec().diskless;
}

Address Kernel::move(Address host, std::uint64_t key) {
  Host* const found = impl_->find(host);
  if (found == nullptr || found->spec().node.is_none()) return {};
  const Address to = impl_->unused_address(found->spec().node, key);
  if (to.is_none()) return {};
  (void)found->crash(CrashScope::process);
  const std::uint32_t index = *impl_->by_address.find(host.value);
  impl_->by_address.erase(host.value);
  std::erase(impl_->addresses, host);
  impl_->engine.network.host_stopped(host);
  impl_->take_address(to, index, host);
  found->move_to(to);
  (void)found->schedule_start({});
  return to;
}

Address Kernel::twin(Address host, bool copy_disk, std::uint64_t key) {
  const Host* const found = impl_->find(host);
  if (found == nullptr || found->spec().node.is_none()) return {};
  HostSpec spec = found->spec();
  spec.address = impl_->unused_address(spec.node, key);
  if (spec.address.is_none()) return {};
  spec.name += "-twin";
  const Address address = spec.address;
  const std::optional<std::uint32_t> partitions = found->installed().partitions;
  const std::map<std::string, Bytes> files =
      copy_disk ? found->disk().durable_files() : std::map<std::string, Bytes>{};
  impl_->take_address(address, static_cast<std::uint32_t>(impl_->hosts.size()), host);
  impl_->hosts.push_back(
      std::make_unique<Host>(impl_->engine, std::move(spec), impl_->stops, true));
  Host& second = *impl_->hosts.back();
  for (const auto& [name, content] : files) second.provision(name, content);
  (void)second.schedule_start({.partitions = partitions});
  return address;
}

const std::vector<Address>& Kernel::hosts() const {
  return impl_->addresses;
}

Address Kernel::address_of(ClientId client) const {
  return impl_->find(client_address(client)) == nullptr ? Address{} : client_address(client);
}

// ---- Effects -------------------------------------------------------------------------------

EffectId Kernel::pause(Address host) {
  return impl_->begin_effect(host, [](Host& on, EffectId id) { on.pause(id); });
}

EffectId Kernel::slow(Address host, const HostOptions& options) {
  return impl_->begin_effect(host, [&](Host& on, EffectId id) { on.slow(id, options); });
}

EffectId Kernel::trouble_clock(Address host, const ClockTrouble& trouble) {
  return impl_->begin_effect(host, [&](Host& on, EffectId id) { on.trouble_clock(id, trouble); });
}

EffectId Kernel::trouble_disk(Address host, const DiskTrouble& trouble, std::uint64_t key) {
  if (is_diskless(host)) return {};
  return impl_->begin_effect(host,
                             [&](Host& on, EffectId id) { on.disk().trouble(id, trouble, key); });
}

bool Kernel::step_wall_clock(Address host, Duration by) {
  Host* const found = impl_->find(host);
  if (found != nullptr) found->step_wall_clock(by);
  return found != nullptr;
}

std::uint64_t Kernel::rot_disk(Address host, std::string_view file_contains, std::uint32_t bits,
                               std::uint64_t draw_key) {
  if (is_diskless(host)) return 0;
  Host& found = *impl_->find(host);
  return found.fold(found.disk().rot(file_contains, bits, draw_key));
}

std::uint64_t Kernel::corrupt_tail(Address host, std::string_view file_contains,
                                   std::uint64_t bytes, std::uint64_t draw_key) {
  if (is_diskless(host)) return 0;
  Host& found = *impl_->find(host);
  return found.fold(found.disk().corrupt_tails(file_contains, bytes, draw_key));
}

bool Kernel::end(EffectId effect) {
  if (effect.is_none()) return false;
  if (impl_->engine.network.end(effect)) return true;
  return std::any_of(impl_->hosts.begin(), impl_->hosts.end(), [effect](const auto& host) {
    return host->end(effect) || host->disk().end(effect);
  });
}

std::uint64_t Kernel::done_by(EffectId effect) const {
  return impl_->engine.effect_counts.of(effect);
}

bool Kernel::is_up(Address host) const {
  const Host* const found = impl_->find(host);
  return found != nullptr && found->is_up();
}

Address Kernel::address_of(NodeId node) const {
  const std::uint32_t* index = impl_->by_node.find(node.value);
  return index == nullptr ? Address{} : impl_->hosts[*index]->spec().address;
}

std::vector<Address> Kernel::twins_of(NodeId node) const {
  std::vector<Address> out;
  for (const Address address : impl_->addresses) {
    const Host* const host = impl_->find(address);
    if (host->is_twin() && host->spec().node == node) out.push_back(address);
  }
  return out;
}

std::uint32_t Kernel::version_of(Address host) const {
  const Host* const found = impl_->find(host);
  return found == nullptr ? 0 : found->installed().version;
}

Process* Kernel::process(Address host) {
  Host* const found = impl_->find(host);
  return found == nullptr ? nullptr : found->process();
}

Network& Kernel::network() {
  return impl_->engine.network;
}

void Kernel::publish(const FactSource& source, const Fact& fact) {
  impl_->engine.publish(source, fact);
}

// ---- Time ----------------------------------------------------------------------------------

void Kernel::control_at(MonotonicTime at, std::uint64_t id, std::uint64_t key) {
  Engine& engine = impl_->engine;
  engine.schedule(at, engine.order_of(EventKind::control, Address{}, key, 0),
                  {.kind = EventKind::control, .id = id});
}

bool Kernel::step() {
  impl_->run_stops();
  if (!impl_->settle_front()) return false;
  impl_->dispatch(impl_->engine.queue.pop());
  impl_->run_stops();
  return true;
}

MonotonicTime Kernel::now() const {
  return impl_->engine.now;
}

MonotonicTime Kernel::next_event_at() const {
  if (!impl_->settle_front()) return kForever;
  return MonotonicTime(Duration(impl_->engine.queue.front().at_ns));
}

std::uint64_t Kernel::events() const {
  return impl_->engine.events;
}

const Traffic& Kernel::traffic() const {
  return impl_->engine.traffic;
}

std::uint64_t Kernel::disk_bytes_written() const {
  std::uint64_t bytes = 0;
  for (const auto& host : impl_->hosts) bytes += host->disk().bytes_written();
  return bytes;
}

Hash128 Kernel::digest() const {
  return impl_->engine.chain.digest();
}

}  // namespace rejoin::sim
