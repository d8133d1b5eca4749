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
  if (source.twin) scratch.varint(1);
  encode_fact(scratch, fact);
  chain.fold({.at = now,
              .kind = kChainFact,
              .host = source.node.value,
              .peer = source.client.value,
              .id = events},
             scratch.view());
  if (trace != nullptr) trace->on_fact(now, events, source, fact);
  ++listening;
  const Raised raised(options.dispatching);
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
  const Sending sending = sending_of(from, to, transport, tag, frame.size());
  if (const auto direct = network.send_direct(now, sending)) {
    const std::uint64_t what = mix(sending.what, from.value);
    return schedule(direct->arrival, order_of(EventKind::deliver, to, what, tag.attempt),
                    {.kind = EventKind::deliver,
                     .purpose = tag.purpose,
                     .message = tag.kind,
                     .host = to,
                     .from = from,
                     .aux = tag.attempt,
                     .life = std::uint64_t{direct->stream} << 32U | direct->number,
                     .id = tag.identity,
                     .frame = std::move(frame)});
  }
  network.send(transport, {.from = from, .to = to, .tag = tag, .frame = std::move(frame)});
}

void Engine::drop(Address from, Address to, const Tag& tag, DropReason reason) {
  ++traffic.dropped;
  if (trace != nullptr) trace->on_drop(now, events, from, to, tag, reason);
}

bool Engine::arrives_judged(EventRecord& record, bool up) {
  Parcel parcel{.from = record.from,
                .to = record.host,
                .tag = tag_of(record),
                .frame = std::move(record.frame),
                .stream = static_cast<std::uint32_t>(record.life >> 32U),
                .number = static_cast<std::uint32_t>(record.life),
                .round = record.round};
  if (!network.arrive(parcel, up)) return false;
  record.frame = std::move(parcel.frame);
  return true;
}

// ---- Carrier -------------------------------------------------------------------------------

void Engine::carry(MonotonicTime at, Parcel&& parcel) {
  const Tag& tag = parcel.tag;
  const std::uint64_t what = mix(mix(tag.kind.value, tag.identity), parcel.from.value);
  schedule(at, order_of(EventKind::deliver, parcel.to, what, tag.attempt),
           {.kind = EventKind::deliver,
            .purpose = tag.purpose,
            .message = tag.kind,
            .host = parcel.to,
            .from = parcel.from,
            .aux = tag.attempt,
            .life = std::uint64_t{parcel.stream} << 32U | parcel.number,
            .id = tag.identity,
            .round = parcel.round,
            .frame = std::move(parcel.frame)});
}

void Engine::wake(MonotonicTime at, std::uint64_t link, std::uint64_t ticket) {
  schedule(at, order_of(EventKind::network, Address{}, link, 0),
           {.kind = EventKind::network, .life = ticket, .id = link});
}

void Engine::lose(const Parcel& parcel, DropReason reason) {
  drop(parcel.from, parcel.to, parcel.tag, reason);
}

void Engine::note(const Parcel& parcel, Mishap mishap) {
  traffic.duplicated += mishap == Mishap::duplicated ? 1U : 0U;
  traffic.corrupted += mishap == Mishap::corrupted ? 1U : 0U;
  traffic.retransmitted += mishap == Mishap::retransmitted ? 1U : 0U;
  if (trace != nullptr) {
    trace->on_mishap(now, events, parcel.from, parcel.to, parcel.tag, mishap);
  }
}

// ---- Timers --------------------------------------------------------------------------------

void Engine::arm(TimerTable& table, Address host, TimerId timer, Deadline deadline) {
  if (deadline.shown == kForever) return disarm(table, timer);
  const std::int64_t deadline_ns = std::max(deadline.due, now).time_since_epoch().count();
  const std::uint64_t order =
      order_of(EventKind::timer, host, timer.value, static_cast<std::uint64_t>(deadline_ns));
  const std::uint32_t* known = table.find(timer.value);
  if (known == nullptr) {
    const std::uint32_t slot = timers.put({.id = timer,
                                           .host = host,
                                           .armed = true,
                                           .table = &table,
                                           .deadline_ns = deadline_ns,
                                           .shown = deadline.shown,
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
  record.shown = deadline.shown;
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
  if (timers[*slot].queued_sequence == 0) return forget_timer(*slot);
  ++dead;
  sweep_timers();
}

void Engine::defer_timer(std::uint32_t slot) {
  timers[slot].queued_sequence = 0;
}

std::optional<std::uint32_t> Engine::deferred_timer(const TimerTable& table, TimerId timer,
                                                    std::uint64_t armed_as) {
  const std::uint32_t* const slot = table.find(timer.value);
  if (slot == nullptr) return std::nullopt;
  const TimerRecord& record = timers[*slot];
  return record.armed && record.sequence == armed_as ? std::optional(*slot) : std::nullopt;
}

void Engine::requeue_timers(TimerTable& table, Address host,
                            const std::function<MonotonicTime(MonotonicTime)>& due) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> pending;  // sequence, slot
  table.for_each([&](std::uint64_t, std::uint32_t slot) {
    const TimerRecord& record = timers[slot];
    if (record.armed && record.queued_sequence != 0) pending.emplace_back(record.sequence, slot);
  });
  std::stable_sort(pending.begin(), pending.end());
  for (const auto& [armed_as, slot] : pending) {
    const MonotonicTime shown = timers[slot].shown;
    arm(table, host, timers[slot].id, {.due = due(shown), .shown = shown});
  }
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

void Engine::finish_timer(const TimerTable& table, TimerId timer) {
  // Its process may have armed and disarmed it, and a sweep have forgotten it since.
  const std::uint32_t* const slot = table.find(timer.value);
  if (slot != nullptr && timers[*slot].queued_sequence == 0) forget_timer(*slot);
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
    if (record.armed && record.queued_sequence != 0) ++dead;
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
