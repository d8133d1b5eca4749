#include "sim/kernel/host.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "model/check.hpp"
#include "model/math.hpp"
#include "model/random.hpp"
#include "sim/kernel/wipe.hpp"

namespace rejoin::sim {

Host::Host(Engine& engine, HostSpec spec, std::vector<Stop>& stops, bool is_twin)
    : engine_(engine),
      spec_(std::move(spec)),
      twin_(is_twin),
      entropy_(spec_.node.is_none() || is_twin ? spec_.address.value : spec_.node.value),
      stops_(stops),
      disk_(engine.options.disk, engine.options.seed, spec_.address, engine.effect_counts) {
  // Clients are fast: what they measure is the cluster.
  if (!spec_.node.is_none() && engine.options.host != HostOptions{}) {
    loads_.emplace_back(EffectId{}, engine.options.host);
  }
}

// ---- Env -----------------------------------------------------------------------------------

void Host::send(Address to, Transport transport, Bytes frame, const Tag& tag) {
  engine_.send(spec_.address, to, transport, std::move(frame), tag);
}

void Host::arm(TimerId timer, MonotonicTime deadline) {
  if (clock_.is_troubled()) clock_.count_monotonic(engine_.now, engine_.effect_counts);
  engine_.arm(timers_, spec_.address, timer,
              {.due = clock_.reached_at(deadline), .shown = deadline});
}

void Host::disarm(TimerId timer) {
  engine_.disarm(timers_, timer);
}

void Host::append(std::string_view file, ByteView data) {
  disk_.append(file, data);
}

void Host::sync(std::string_view file, IoToken token) {
  schedule_io(disk_.sync(engine_.now, file, token), token);
}

void Host::read(std::string_view file, IoToken token) {
  schedule_io(disk_.read(engine_.now, file, token), token);
}

void Host::replace(std::string_view file, ByteView data, IoToken token) {
  schedule_io(disk_.replace(engine_.now, file, data, token), token);
}

void Host::remove(std::string_view file, IoToken token) {
  schedule_io(disk_.remove(engine_.now, file, token), token);
}

std::uint64_t Host::random(std::string_view label, std::uint64_t what, std::uint64_t attempt) {
  return draw({.seed = engine_.options.seed,
               .domain = Domain::process,
               .who = mix(entropy_, hash64(label)),
               .what = what,
               .attempt = attempt});
}

void Host::halt(std::string_view reason) {
  // The process goes, the machine and its page cache stay.
  if (is_up()) request_stop(fact::ProcessHalted{std::string(reason)}, CrashScope::process);
}

void Host::schedule_io(const Disk::Requested& requested, IoToken token) {
  engine_.schedule(requested.done_at,
                   engine_.order_of(EventKind::io, spec_.address, token.value, requested.ordinal),
                   {.kind = EventKind::io,
                    .host = spec_.address,
                    .aux = requested.file,
                    .life = life_,
                    .id = token.value});
  if (requested.sync != 0) engine_.publish(source(), fact::SyncRequested{requested.sync});
}

// ---- Observer ------------------------------------------------------------------------------

void Host::on_fact(const FactSource& source, const Fact& fact) {
  FactSource from = source;
  from.twin = twin_;
  if (clock_.is_true()) return engine_.publish(from, fact);
  engine_.publish(from, in_true_time(fact));
}

Fact Host::in_true_time(const Fact& fact) const {
  // A slow clock shows one time for a while: what is said to be now is now.
  const auto translate = [this, shown = clock_.monotonic(engine_.now)](MonotonicTime& time) {
    time = time == shown ? engine_.now : clock_.reached_at(time);
  };
  Fact out = fact;
  std::visit(
      [&](auto& f) {
        using T = std::decay_t<decltype(f)>;
        if constexpr (std::is_same_v<T, fact::RepairCompleted>) translate(f.started);
        if constexpr (std::is_same_v<T, fact::GateOpened>) translate(f.since);
        if constexpr (std::is_same_v<T, fact::OperationInvoked> ||
                      std::is_same_v<T, fact::OperationReturned> ||
                      std::is_same_v<T, fact::OperationAbandoned>) {
          translate(f.operation.invoked);
          if (f.operation.returned) translate(*f.operation.returned);
        }
      },
      out);
  return out;
}

// ---- Lives ---------------------------------------------------------------------------------

void Host::provision(std::string_view file, ByteView data) {
  CHECK_THAT(process_ == nullptr);
  disk_.provision(file, data);
}

bool Host::schedule_start(RestartOptions options) {
  if (is_up() || start_pending_ != 0) return false;
  start_pending_ = ++starts_;
  wipe_at_start_ = options.wipe;
  wipe_key_ = options.key;
  installed_.version = options.version.value_or(installed_.version);
  if (options.partitions) installed_.partitions = options.partitions;
  // By the instant, not by how many starts there were before.
  const auto at_ns = static_cast<std::uint64_t>(engine_.now.time_since_epoch().count());
  engine_.schedule(
      engine_.now, engine_.order_of(EventKind::start, spec_.address, at_ns, 0),
      {.kind = EventKind::start, .host = spec_.address, .life = start_pending_, .id = starts_});
  return true;
}

bool Host::crash(CrashScope scope) {
  if (start_pending_ != 0) {
    start_pending_ = 0;
    return true;
  }
  if (!is_up()) return false;
  request_stop(fact::ProcessCrashed{}, scope);
  return true;
}

void Host::request_stop(const Fact& fact, CrashScope scope) {
  doomed_ = true;
  if (std::holds_alternative<fact::ProcessHalted>(fact) || engine_.busy()) {
    stops_.push_back({.host = this, .fact = fact, .scope = scope});
  } else {
    end_life(fact, scope);
  }
}

void Host::end_life(const Fact& fact, CrashScope scope) {
  const Raised raised(engine_.options.dispatching);
  process_.reset();
  doomed_ = false;
  engine_.network.host_stopped(spec_.address);
  engine_.drop_timers(timers_);
  for (const EventRecord& record : std::exchange(waiting_, {})) {
    if (record.kind == EventKind::deliver) {
      engine_.drop(record.from, record.host, tag_of(record), DropReason::host_down);
    }
  }
  served_ = false;
  turn_ = 0;
  (void)fold(disk_.crash(scope));
  engine_.publish(source(), fact);
}

void Host::wipe() {
  const Wipe wipe = std::exchange(wipe_at_start_, Wipe::none);
  if (spec_.diskless) disk_.wipe();
  if (wipe == Wipe::none) return;
  disk_.wipe([&](std::string_view file) {
    return is_lost(wipe, file,
                   {.seed = engine_.options.seed,
                    .domain = Domain::disk,
                    .who = entropy_,
                    .what = hash64(file),
                    .attempt = wipe_key_});
  });
  engine_.publish(source(), fact::DiskWiped{.part = std::string(to_name(wipe))});
}

std::uint64_t Host::fold(const std::vector<DurableWrite>& writes) {
  std::uint64_t bytes = 0;
  for (const DurableWrite& write : writes) {
    fold(write);
    bytes += write.length;
  }
  return bytes;
}

void Host::fold(const DurableWrite& write) {
  Writer& writer = engine_.scratch;
  writer.clear();
  writer.varint(write.file_hash);
  writer.varint(write.offset);
  writer.varint(write.length);
  writer.varint(write.bytes_hash);
  engine_.chain.fold({.at = engine_.now,
                      .kind = kChainWrite,
                      .detail = static_cast<std::uint16_t>(write.op),
                      .host = spec_.address.value},
                     writer.view());
}

// ---- Effects -------------------------------------------------------------------------------

void Host::pause(EffectId id) {
  // What waits for its turn waits for this, too.
  engine_.effect_counts.add(id, waiting_.size());
  pauses_.push_back(id);
}

void Host::slow(EffectId id, const HostOptions& options) {
  loads_.emplace_back(id, options);
}

void Host::trouble_clock(EffectId id, const ClockTrouble& trouble) {
  clock_.begin(engine_.now, id, trouble);
  if (trouble.monotonic_rate != Rate{}) requeue_timers();
}

bool Host::end(EffectId id) {
  if (clock_.end(engine_.now, id)) {
    requeue_timers();
    return true;
  }
  if (std::erase(pauses_, id) != 0) {
    serve_next();
    return true;
  }
  return std::erase_if(loads_, [id](const auto& load) { return load.first == id; }) != 0;
}

void Host::requeue_timers() {
  engine_.requeue_timers(timers_, spec_.address,
                         [this](MonotonicTime shown) { return clock_.reached_at(shown); });
}

// ---- What waits ----------------------------------------------------------------------------

void Host::wait(EventRecord&& record) {
  for (const EffectId pause : pauses_) engine_.effect_counts.add(pause);
  waiting_.push_back(std::move(record));
  serve_next();
}

// Gives the first that waits its time, unless it is being given already.
void Host::serve_next() {
  if (turn_ != 0 || waiting_.empty() || !pauses_.empty()) return;
  const EventRecord& first = waiting_.front();
  const Duration service = std::exchange(served_, true) ? Duration{} : service_of(first);
  turn_ = ++turns_;
  const std::uint64_t order =
      engine_.order_of(first.kind, spec_.address, mix(first.id, first.from.value), first.aux);
  engine_.schedule(engine_.now + service, order,
                   {.kind = first.kind, .host = spec_.address, .life = turn_, .turn = true});
}

void Host::on_turn() {
  turn_ = 0;
  // It was paused meanwhile. What has had its time is handled first when that is over.
  if (!pauses_.empty()) return;
  const EventRecord record = std::move(waiting_.front());
  waiting_.pop_front();
  served_ = false;
  handle(record);
  serve_next();
}

Duration Host::service_of(const EventRecord& record) {
  Duration service{};
  if (record.kind == EventKind::start) return service;
  for (const auto& [id, load] : loads_) {
    Duration own = load.service;
    if (record.kind == EventKind::deliver) {
      own += transfer_time(record.frame.size(), load.bytes_per_s);
    }
    if (own > 0ns) engine_.effect_counts.add(id);
    service += own;
  }
  return service;
}

// ---- Events --------------------------------------------------------------------------------

bool Host::expects(const EventRecord& record) const {
  if (record.turn) return turn_ == record.life;
  switch (record.kind) {
    case EventKind::start:
      return start_pending_ == record.life;
    case EventKind::io:
      return process_ != nullptr && life_ == record.life;
    case EventKind::deliver:
    case EventKind::timer:
    case EventKind::control:
    case EventKind::network:
      return true;
  }
  CHECK_THAT(false);
}

void Host::on_event(EventRecord&& record) {
  if (record.turn) return on_turn();
  if (record.kind == EventKind::io) return complete_io(std::move(record));
  if (defers()) return wait(std::move(record));
  handle(record);
}

void Host::on_timer(std::uint32_t slot) {
  TimerRecord& record = engine_.timers[slot];
  if (!defers()) return handle_timer(slot);
  engine_.defer_timer(slot);
  wait({.kind = EventKind::timer,
        .host = spec_.address,
        .life = record.sequence,
        .id = record.id.value});
}

// The disk's part. The process hears of it at once, or when its turn comes.
void Host::complete_io(EventRecord&& record) {
  Disk::Completed completed = disk_.complete(record.aux);
  const bool later = defers();
  if (!later) begin_io(completed.done);
  (void)fold(completed.writes);
  if (completed.sync != 0) engine_.publish(source(), fact::SyncCompleted{completed.sync});
  // A listener may have crashed the machine at this very fact: durable, but nobody was told.
  if (doomed_) return;
  if (!later) return process_->on_io(completed.done);
  record.aux = static_cast<std::uint32_t>(completed.done.status);
  record.frame = std::move(completed.done.data);
  wait(std::move(record));
}

void Host::begin_io(const IoDone& done) {
  engine_.begin_event({.at = engine_.now,
                       .kind = EventKind::io,
                       .host = spec_.address,
                       .id = done.token.value,
                       .payload = done.data});
}

void Host::handle(const EventRecord& record) {
  switch (record.kind) {
    case EventKind::start:
      if (start_pending_ == record.life) handle_start(record);
      return;
    case EventKind::deliver:
      return handle_deliver(record);
    case EventKind::timer: {
      // It may have been disarmed or moved while it waited.
      const auto slot = engine_.deferred_timer(timers_, TimerId(record.id), record.life);
      if (slot) handle_timer(*slot);
      return;
    }
    case EventKind::io: {
      const IoDone done{.token = IoToken(record.id),
                        .status = static_cast<IoStatus>(record.aux),
                        .data = record.frame};
      begin_io(done);
      return process_->on_io(done);
    }
    case EventKind::control:
    case EventKind::network:
      break;
  }
  CHECK_THAT(false);
}

void Host::handle_start(const EventRecord& record) {
  CHECK_THAT(process_ == nullptr);
  start_pending_ = 0;
  ++life_;
  disk_.begin_life(engine_.now);
  engine_.begin_event(
      {.at = engine_.now, .kind = EventKind::start, .host = spec_.address, .id = record.id});
  wipe();
  process_ = spec_.make(*this, *this, installed_);
  CHECK_THAT(process_ != nullptr);
  engine_.publish(source(), fact::ProcessStarted{});
  if (!doomed_) process_->start();
}

void Host::handle_deliver(const EventRecord& record) {
  engine_.begin_event({.at = engine_.now,
                       .kind = EventKind::deliver,
                       .host = spec_.address,
                       .from = record.from,
                       .id = record.id,
                       .message = record.message,
                       .payload = record.frame});
  process_->on_message(record.from, record.frame);
}

void Host::handle_timer(std::uint32_t slot) {
  TimerRecord& record = engine_.timers[slot];
  const TimerId id = record.id;
  record.armed = false;
  record.queued_sequence = 0;
  engine_.begin_event(
      {.at = engine_.now, .kind = EventKind::timer, .host = spec_.address, .id = id.value});
  process_->on_timer(id);
  engine_.finish_timer(timers_, id);
}

}  // namespace rejoin::sim
