#include "sim/kernel/host.hpp"

#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"

namespace rejoin::sim {
namespace {

// 2024-01-01T00:00:00Z: the wall clock of every run starts there, so that it looks like one.
constexpr WallTime kWallEpoch{1'704'067'200s};

}  // namespace

Host::Host(Engine& engine, HostSpec spec, std::vector<Stop>& stops)
    : engine_(engine),
      spec_(std::move(spec)),
      stops_(stops),
      disk_(engine.options.disk, engine.options.seed, spec_.address) {}

// ---- Env -----------------------------------------------------------------------------------

WallTime Host::wall_now() const {
  return kWallEpoch + engine_.now.time_since_epoch();
}

void Host::send(Address to, Transport transport, Bytes frame, const Tag& tag) {
  engine_.send(spec_.address, to, transport, std::move(frame), tag);
}

void Host::arm(TimerId timer, MonotonicTime deadline) {
  engine_.arm(timers_, spec_.address, timer, deadline);
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
  // A node keeps its draws when it moves; addresses of clients are above all node ids.
  const std::uint64_t who = spec_.node.is_none() ? spec_.address.value : spec_.node.value;
  return draw({.seed = engine_.options.seed,
               .domain = Domain::process,
               .who = mix(who, hash64(label)),
               .what = what,
               .attempt = attempt});
}

void Host::halt(std::string_view reason) {
  if (is_up()) request_stop(fact::ProcessHalted{std::string(reason)});
}

void Host::on_fact(const FactSource& source, const Fact& fact) {
  engine_.publish(source, fact);
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

// ---- Lives ---------------------------------------------------------------------------------

void Host::provision(std::string_view file, ByteView data) {
  CHECK_THAT(process_ == nullptr);
  disk_.provision(file, data);
}

bool Host::schedule_start(RestartOptions options) {
  if (is_up() || start_pending_ != 0) return false;
  start_pending_ = ++starts_;
  wipe_at_start_ = options.wipe;
  version_ = options.version.value_or(version_);
  engine_.schedule(
      engine_.now, engine_.order_of(EventKind::start, spec_.address, start_pending_, 0),
      {.kind = EventKind::start, .host = spec_.address, .life = start_pending_, .id = starts_});
  return true;
}

bool Host::crash(CrashScope /*scope*/) {
  if (start_pending_ != 0) {
    start_pending_ = 0;
    return true;
  }
  if (!is_up()) return false;
  request_stop(fact::ProcessCrashed{});
  return true;
}

void Host::request_stop(const Fact& fact) {
  doomed_ = true;
  if (std::holds_alternative<fact::ProcessHalted>(fact) || engine_.busy()) {
    stops_.push_back({.host = this, .fact = fact});
  } else {
    end_life(fact);
  }
}

void Host::end_life(const Fact& fact) {
  process_.reset();
  doomed_ = false;
  engine_.drop_timers(timers_);
  for (const DurableWrite& write : disk_.crash()) fold(write);
  engine_.publish(source(), fact);
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

// ---- Events --------------------------------------------------------------------------------

void Host::on_start(const EventRecord& record) {
  CHECK_THAT(process_ == nullptr);
  start_pending_ = 0;
  ++life_;
  engine_.begin_event(
      {.at = engine_.now, .kind = EventKind::start, .host = spec_.address, .id = record.id});
  if (std::exchange(wipe_at_start_, Wipe::none) != Wipe::none) {
    disk_.wipe();
    engine_.publish(source(), fact::DiskWiped{.part = "all"});
  }
  process_ = spec_.make(*this, *this, version_);
  CHECK_THAT(process_ != nullptr);
  engine_.publish(source(), fact::ProcessStarted{});
  if (!doomed_) process_->start();
}

void Host::on_deliver(const EventRecord& record) {
  engine_.begin_event({.at = engine_.now,
                       .kind = EventKind::deliver,
                       .host = spec_.address,
                       .from = record.from,
                       .id = record.id,
                       .message = record.message,
                       .payload = record.frame});
  process_->on_message(record.from, record.frame);
}

void Host::on_timer(std::uint32_t slot) {
  TimerRecord& record = engine_.timers[slot];
  const TimerId id = record.id;
  record.armed = false;
  record.queued_sequence = 0;
  engine_.begin_event(
      {.at = engine_.now, .kind = EventKind::timer, .host = spec_.address, .id = id.value});
  process_->on_timer(id);
  engine_.finish_timer(slot);
}

void Host::on_io(const EventRecord& record) {
  const Disk::Completed completed = disk_.complete(record.aux);
  engine_.begin_event({.at = engine_.now,
                       .kind = EventKind::io,
                       .host = spec_.address,
                       .id = record.id,
                       .payload = completed.done.data});
  for (const DurableWrite& write : completed.writes) fold(write);
  if (completed.sync != 0) engine_.publish(source(), fact::SyncCompleted{completed.sync});
  // A listener may have crashed the machine at this very fact: durable, but nobody was told.
  if (!doomed_) process_->on_io(completed.done);
}

}  // namespace rejoin::sim
