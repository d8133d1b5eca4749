#include "sim/kernel/kernel.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/check.hpp"
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
  }
  CHECK_THAT(false);
}

struct Kernel::Impl {
  Impl(const KernelOptions& options, KernelListener& listener, TraceSink* trace)
      : engine(options, listener, trace) {}

  Engine engine;
  std::vector<Stop> stops;
  std::vector<std::unique_ptr<Host>> hosts;
  FlatMap<std::uint32_t> by_address;
  FlatMap<std::uint32_t> by_node;
  std::vector<Address> addresses;

  [[nodiscard]] Host* find(Address address) const {
    const std::uint32_t* index = by_address.find(address.value);
    return index == nullptr ? nullptr : hosts[*index].get();
  }

  // A fact of one stop may ask for the next: they run in order, not nested.
  void run_stops() {
    ++engine.listening;
    for (std::size_t i = 0; i < stops.size(); ++i) {
      const Stop stop = std::move(stops[i]);
      stop.host->end_life(stop.fact);
    }
    stops.clear();
    --engine.listening;
  }

  [[nodiscard]] bool is_stale(const EventRecord& record) const {
    switch (record.kind) {
      case EventKind::start:
        return !find(record.host)->is_starting(record.life);
      case EventKind::io:
        return !find(record.host)->lives(record.life);
      case EventKind::deliver:
      case EventKind::timer:
      case EventKind::control:
        return false;
    }
    CHECK_THAT(false);
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

  void deliver(const EventRecord& record) {
    // Invariant 3 of the network: judged again on arrival.
    Host* const host = find(record.host);
    const bool cut = engine.network.is_cut(record.from, record.host);
    if (cut || host == nullptr || !host->is_up()) {
      const Tag tag{.kind = record.message,
                    .purpose = record.purpose,
                    .identity = record.id,
                    .attempt = record.aux};
      return engine.drop(record.from, record.host, tag,
                         cut ? DropReason::partition : DropReason::host_down);
    }
    host->on_deliver(record);
  }

  void control(std::uint64_t id) {
    engine.begin_event({.at = engine.now, .kind = EventKind::control, .id = id});
    engine.listener.on_control(id);
  }

  void dispatch(const QueueEntry& entry) {
    engine.now = MonotonicTime(Duration(entry.at_ns));
    if ((entry.slot & Engine::kTimerBit) != 0) {
      const std::uint32_t slot = entry.slot & ~Engine::kTimerBit;
      engine.dispatching = true;
      find(engine.timers[slot].host)->on_timer(slot);
      engine.dispatching = false;
      return;
    }
    const EventRecord record = engine.records.take(entry.slot);
    engine.dispatching = record.kind != EventKind::control;
    switch (record.kind) {
      case EventKind::start:
        find(record.host)->on_start(record);
        break;
      case EventKind::deliver:
        deliver(record);
        break;
      case EventKind::io:
        find(record.host)->on_io(record);
        break;
      case EventKind::control:
        control(record.id);
        break;
      case EventKind::timer:
        CHECK_THAT(false);
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
  impl_->by_address[spec.address.value] = index;
  if (!spec.node.is_none()) impl_->by_node[spec.node.value] = index;
  impl_->addresses.push_back(spec.address);
  impl_->engine.network.add_host(spec.address);
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

const std::vector<Address>& Kernel::hosts() const {
  return impl_->addresses;
}

Address Kernel::address_of(ClientId client) const {
  return impl_->find(client_address(client)) == nullptr ? Address{} : client_address(client);
}

bool Kernel::end(EffectId effect) {
  return impl_->engine.network.end(effect);
}

bool Kernel::is_up(Address host) const {
  const Host* const found = impl_->find(host);
  return found != nullptr && found->is_up();
}

Address Kernel::address_of(NodeId node) const {
  const std::uint32_t* index = impl_->by_node.find(node.value);
  return index == nullptr ? Address{} : impl_->hosts[*index]->spec().address;
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

void Kernel::control_at(MonotonicTime at, std::uint64_t id) {
  Engine& engine = impl_->engine;
  engine.schedule(at, engine.order_of(EventKind::control, Address{}, id, 0),
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
