#include "sim/kernel/engine.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"

namespace rejoin::sim {
namespace {

// Below this many dead entries a sweep is not worth its fixed cost.
constexpr std::uint64_t kDeadMin = 1024;

}  // namespace

// ---- Events --------------------------------------------------------------------------------

std::uint64_t Engine::order_of(EventKind kind, Address host, std::uint64_t what,
                               std::uint64_t attempt) const {
  if (options.fifo) return 0;
  return draw({.seed = options.seed,
               .domain = Domain::event_order,
               .who = host.value,
               .what = mix(static_cast<std::uint64_t>(kind), what),
               .attempt = attempt});
}

void Engine::schedule(MonotonicTime at, std::uint64_t order, EventRecord&& record) {
  const std::uint32_t slot = records.put(std::move(record));
  queue.push({.at_ns = std::max(at, now).time_since_epoch().count(),
              .order = order,
              .sequence = ++sequence,
              .slot = slot});
}

void Engine::begin_event(const TraceEvent& event) {
  ++events;
  chain.fold({.at = event.at,
              .kind = static_cast<std::uint8_t>(event.kind),
              .detail = event.message.value,
              .host = event.host.value,
              .peer = event.from.value,
              .id = event.id},
             event.payload);
  if (trace == nullptr) return;
  TraceEvent shown = event;
  shown.event = events;
  shown.chain = chain.digest();
  trace->on_event(shown);
}

void Engine::publish(const FactSource& source, const Fact& fact) {
  scratch.clear();
  scratch.varint(source.incarnation.value);
  encode_fact(scratch, fact);
  chain.fold({.at = now,
              .kind = kChainFact,
              .host = source.node.value,
              .peer = source.client.value,
              .id = events},
             scratch.view());
  if (trace != nullptr) trace->on_fact(now, events, source, fact);
  ++listening;
  listener.on_fact(now, events, source, fact);
  --listening;
}

void Engine::send(Address from, Address to, Transport transport, Bytes frame, const Tag& tag) {
  if (from != to) {
    const auto purpose = static_cast<std::size_t>(tag.purpose);
    CHECK_THAT(purpose < kPurposeCount);
    ++traffic.messages;
    ++traffic.messages_by_purpose[purpose];
    traffic.bytes += frame.size();
    traffic.bytes_by_purpose[purpose] += frame.size();
  }
  if (trace != nullptr) trace->on_send(now, events, from, to, frame, tag);
  DropReason dropped{};
  const auto arrival = network.route(now, from, to, transport, frame.size(), tag, dropped);
  if (!arrival) return drop(from, to, tag, dropped);
  const std::uint64_t what = mix(mix(tag.kind.value, tag.identity), from.value);
  schedule(*arrival, order_of(EventKind::deliver, to, what, tag.attempt),
           {.kind = EventKind::deliver,
            .purpose = tag.purpose,
            .message = tag.kind,
            .host = to,
            .from = from,
            .aux = tag.attempt,
            .id = tag.identity,
            .frame = std::move(frame)});
}

void Engine::drop(Address from, Address to, const Tag& tag, DropReason reason) {
  ++traffic.dropped;
  if (trace != nullptr) trace->on_drop(now, events, from, to, tag, reason);
}

// ---- Timers --------------------------------------------------------------------------------

void Engine::arm(TimerTable& table, Address host, TimerId timer, MonotonicTime deadline) {
  if (deadline == kForever) return disarm(table, timer);
  const std::int64_t deadline_ns = std::max(deadline, now).time_since_epoch().count();
  const std::uint64_t order =
      order_of(EventKind::timer, host, timer.value, static_cast<std::uint64_t>(deadline_ns));
  const std::uint32_t* known = table.find(timer.value);
  if (known == nullptr) {
    const std::uint32_t slot = timers.put({.id = timer,
                                           .host = host,
                                           .armed = true,
                                           .table = &table,
                                           .deadline_ns = deadline_ns,
                                           .order = order,
                                           .sequence = ++sequence});
    table[timer.value] = slot;
    enqueue_timer(slot);
    return;
  }
  const std::uint32_t slot = *known;
  TimerRecord& record = timers[slot];
  const bool queued = record.queued_sequence != 0;
  if (queued && !record.armed) --dead;
  record.armed = true;
  record.deadline_ns = deadline_ns;
  record.order = order;
  record.sequence = ++sequence;
  if (queued && record.queued_at_ns <= deadline_ns) return;
  if (queued) ++dead;
  enqueue_timer(slot);
  sweep_timers();
}

void Engine::disarm(TimerTable& table, TimerId timer) {
  const std::uint32_t* slot = table.find(timer.value);
  if (slot == nullptr || !timers[*slot].armed) return;
  timers[*slot].armed = false;
  ++dead;
  sweep_timers();
}

void Engine::enqueue_timer(std::uint32_t slot) {
  CHECK_THAT((slot & kTimerBit) == 0);
  TimerRecord& record = timers[slot];
  record.queued_at_ns = record.deadline_ns;
  record.queued_sequence = record.sequence;
  queue.push({.at_ns = record.deadline_ns,
              .order = record.order,
              .sequence = record.sequence,
              .slot = slot | kTimerBit});
}

bool Engine::timer_is_due(const QueueEntry& front) {
  const std::uint32_t slot = front.slot & ~kTimerBit;
  const TimerRecord& record = timers[slot];
  const bool counts = record.queued_sequence == front.sequence;
  if (counts && record.armed && record.sequence == front.sequence) return true;
  (void)queue.pop();
  if (counts && record.armed) {
    enqueue_timer(slot);
  } else {
    --dead;
    if (counts) forget_timer(slot);
  }
  return false;
}

void Engine::finish_timer(std::uint32_t slot) {
  if (timers[slot].queued_sequence == 0) forget_timer(slot);
}

void Engine::forget_timer(std::uint32_t slot) {
  TimerRecord& record = timers[slot];
  record.table->erase(record.id.value);
  record.queued_sequence = 0;
  (void)timers.take(slot);
}

void Engine::drop_timers(TimerTable& table) {
  table.for_each([this](std::uint64_t, std::uint32_t slot) {
    TimerRecord& record = timers[slot];
    if (record.armed) ++dead;
    record.armed = false;
    record.queued_sequence = 0;
    (void)timers.take(slot);
  });
  table.clear();
}

// Costs O(1) amortised: it runs when half of the queue is dead, and leaves none of that.
void Engine::sweep_timers() {
  if (dead < kDeadMin || 2 * dead < queue.size()) return;
  for (const QueueEntry& entry : queue.take_all()) {
    if ((entry.slot & kTimerBit) == 0) {
      queue.push(entry);
      continue;
    }
    const std::uint32_t slot = entry.slot & ~kTimerBit;
    const TimerRecord& record = timers[slot];
    if (record.queued_sequence != entry.sequence) continue;
    if (record.armed) {
      enqueue_timer(slot);
    } else {
      forget_timer(slot);
    }
  }
  dead = 0;
}

}  // namespace rejoin::sim
