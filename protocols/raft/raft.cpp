#include "protocols/raft/raft.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "model/check.hpp"

namespace rejoin::raft {

namespace {

constexpr std::string_view kComponentName = "raft";
constexpr GroupId kNoGroup{0};

// Ids of timers and file operations within the component: (group << 8 | what).
enum class Id : std::uint8_t { wake = 1, read_log, write_log, read_snapshot, save_snapshot };

std::uint64_t id_of(GroupId group, Id what) {
  return std::uint64_t{group.value} << 8U | static_cast<std::uint64_t>(what);
}
GroupId group_of(std::uint64_t id) {
  return GroupId(static_cast<std::uint32_t>(id >> 8U));
}

std::string snapshot_file(GroupId group) {
  return "snapshot-" + std::to_string(group.value);
}

}  // namespace

Raft::Raft(Env& machine, NodeBus& bus, NodeId self, const RaftOptions& options)
    : env_(machine, Channel::raft, kComponentName),
      bus_(bus),
      self_(self),
      options_(options),
      writer_(env_, IoToken(id_of(kNoGroup, Id::write_log))) {}

void Raft::add_group(GroupId id, StateMachine& machine) {
  CHECK_THAT(!id.is_none() && reads_left_ == 0);
  groups_[id].machine = &machine;
}

void Raft::halt(std::string_view reason) {
  halted_ = true;
  env_.halt(reason);
}

// ---- Start -----------------------------------------------------------------------------------

void Raft::start() {
  reads_left_ = 1 + groups_.size();
  env_.read(LogWriter::kFile, IoToken(id_of(kNoGroup, Id::read_log)));
  for (const auto& [id, group] : groups_) {
    env_.read(snapshot_file(id), IoToken(id_of(id, Id::read_snapshot)));
  }
}

void Raft::on_read(IoToken token, const IoDone& done) {
  CHECK_THAT(reads_left_ > 0);
  if (done.status == IoStatus::failed) return halt("raft: a file cannot be read");
  const GroupId id = group_of(token.value);
  if (id == kNoGroup) {
    log_found_ = done.status == IoStatus::ok;
    log_file_ = done.data;
  } else {
    group(id).snapshot_file = done.data;
  }
  if (--reads_left_ == 0) recover();
}

void Raft::corrupt(std::string_view file, std::uint64_t offset, const std::string& what) {
  const std::string name = std::string(kComponentName) + "." + std::string(file);
  bus_.publish(fact::StorageCorrupt{.file = name, .offset = offset, .what = what});
  halt(name + " is corrupt: " + what + "; restart this server on an empty disk");
}

void Raft::recover() {
  RecoveredLog recovered = recover_log(log_file_);
  // A log is born with a head.
  if (log_found_ && log_file_.empty()) return corrupt(LogWriter::kFile, 0, "it is empty");
  log_file_ = {};
  if (recovered.damage && !recovered.damage->torn) {
    return corrupt(LogWriter::kFile, recovered.damage->offset, recovered.damage->what);
  }
  if (recovered.damage) {
    bus_.publish(fact::MessageRejected{"raft log cut: " + recovered.damage->what});
  }
  for (auto& [id, group] : groups_) {
    if (!recover_group(id, group, std::move(recovered.groups[id]))) return;
  }
  rewrite_wanted_ = true;
  write_log();
}

bool Raft::recover_group(GroupId id, Group& group, GroupLog log) {
  const bool founded = !group.snapshot_file.empty();
  auto restored = restore_group(std::move(log), std::exchange(group.snapshot_file, {}));
  if (restored && founded) {
    const auto taken = group.machine->restore(restored->snapshot.state);
    if (!taken && !taken.error().damaged) {
      halt(taken.error().why);
      return false;
    }
    if (!taken) restored = tl::unexpected(taken.error().why);
  }
  if (!restored) {
    corrupt(snapshot_file(id), 0, restored.error());
    return false;
  }
  group.applied = restored->snapshot.index;
  group.core = std::make_unique<Core>(id, options_, std::move(*restored), env_.now());
  bus_.publish(fact::LogRecovered{id, group.core->snapshot_index(), group.core->log().last_index(),
                                  group.core->term()});
  return true;
}

void Raft::enter() {
  ready_ = true;
  if (!identity_) return;
  // Whoever has an identity on its disk had a log before: founders are given one, and everyone
  // else writes one as the first thing that it does.
  if (identity_found_ && !log_found_) {
    return corrupt(LogWriter::kFile, 0, "it is missing, but this server is not new");
  }
  for (auto& [id, group] : groups_) {
    group.core->set_identity(env_.now(), *identity_);
    if (evicted_) group.core->evict(env_.now());
    drain(id, group);
  }
  finish();
}

// ---- Inputs ----------------------------------------------------------------------------------

template <class M>
bool Raft::receive(Address from, ByteView body) {
  std::optional<M> message = decode<M>(body);
  if (!message) return false;
  if (!ready_ || halted_) return true;
  bool taken = true;
  if constexpr (requires { message->beats; }) {
    for (auto& beat : message->beats) taken = deliver(from, std::move(beat)) && taken;
  } else {
    taken = deliver(from, std::move(*message));
  }
  finish();
  return taken;
}

bool Raft::deliver(Address from, const Message& message) {
  const auto at = groups_.find(header_of(message).group);
  if (at == groups_.end()) return false;
  const bool taken = at->second.core->on_message(env_.now(), from, message);
  drain(at->first, at->second);
  return taken;
}

bool Raft::on_message(Address from, MessageKind kind, ByteView body) {
  if (kind == RequestVote::kind) return receive<RequestVote>(from, body);
  if (kind == RequestVoteResponse::kind) return receive<RequestVoteResponse>(from, body);
  if (kind == AppendEntries::kind) return receive<AppendEntries>(from, body);
  if (kind == AppendEntriesResponse::kind) return receive<AppendEntriesResponse>(from, body);
  if (kind == Heartbeats::kind) return receive<Heartbeats>(from, body);
  if (kind == HeartbeatResponses::kind) return receive<HeartbeatResponses>(from, body);
  if (kind == InstallSnapshot::kind) return receive<InstallSnapshot>(from, body);
  if (kind == InstallSnapshotResponse::kind) return receive<InstallSnapshotResponse>(from, body);
  return false;
}

void Raft::on_timer(TimerId timer) {
  CHECK_THAT(timer.value == id_of(kNoGroup, Id::wake));
  armed_.reset();
  if (!ready_ || halted_) return;
  for (auto& [id, group] : groups_) {
    if (group.core->deadline() > env_.now()) continue;
    group.core->on_timer(env_.now());
    drain(id, group);
  }
  finish();
}

void Raft::on_io(const IoDone& done) {
  if (halted_) return;
  switch (static_cast<Id>(done.token.value & 0xffU)) {
    case Id::read_log:
    case Id::read_snapshot:
      return on_read(done.token, done);
    case Id::write_log: {
      // Env invariant 3: what is on the disk now is unknown; only a restart may look.
      if (done.status != IoStatus::ok) return halt("raft: the log cannot be synced");
      const auto durable = writer_.complete();
      if (!ready_) return enter();
      for (const auto& [id, seq] : durable) {
        Group& group = groups_.at(id);
        group.durable = seq;
        while (!group.waiting.empty() && group.waiting.front().after <= seq) {
          transmit(group.waiting.front());
          group.waiting.pop_front();
        }
        group.core->on_persisted(env_.now(), seq);
        drain(id, group);
      }
      return finish();
    }
    case Id::save_snapshot: {
      if (done.status != IoStatus::ok) return halt("raft: a snapshot cannot be written");
      const GroupId id = group_of(done.token.value);
      Group& saved = group(id);
      saved.core->on_snapshot_saved(env_.now());
      drain(id, saved);
      return finish();
    }
    case Id::wake:
      break;
  }
  CHECK_THAT(false);
}

void Raft::on_local(const LocalEvent& event) {
  if (halted_) return;
  if (const auto* known = std::get_if<local::IdentityKnown>(&event)) {
    CHECK_THAT(known->node == self_);
    identity_found_ = known->from_disk;
    identity_ = ServerId{known->node, known->incarnation};
    evicted_ = false;
    if (ready_) enter();
  } else if (std::holds_alternative<local::Evicted>(event)) {
    evicted_ = true;
    if (!ready_) return;
    for (auto& [id, group] : groups_) {
      group.core->evict(env_.now());
      drain(id, group);
    }
    finish();
  }
}

// ---- Outputs ---------------------------------------------------------------------------------

void Raft::drain(GroupId id, Group& group) {
  Core& core = *group.core;
  Output out = core.take_output();
  for (const Fact& fact : out.facts) bus_.publish(fact);
  if (out.restore) {
    if (const auto taken = group.machine->restore(*out.restore); !taken) {
      const std::string what = "raft: the snapshot of group " + std::to_string(id.value) + ": ";
      return halt(taken.error().damaged ? what + taken.error().why : taken.error().why);
    }
    group.applied = core.snapshot_index();
  }
  for (const CommittedRange& range : out.committed) apply(id, group, range);
  PersistSeq seq(core.last_seq().value - out.records.size());
  for (Record& record : out.records) {
    seq = seq.next();
    writer_.add(id, seq, std::move(record));
  }
  rewrite_wanted_ = rewrite_wanted_ || out.rewrite_log;
  for (Outgoing& message : out.messages) send_or_hold(group, std::move(message));
  for (const SnapshotToSave& save : out.saves) {
    env_.replace(snapshot_file(id), *save.encoded, IoToken(id_of(id, Id::save_snapshot)));
  }
  if (const auto draw = core.election_draw()) {
    core.supply_draw(env_.random("election", mix(id.value, draw->term.value), draw->attempt));
  }
  if (core.compaction_due()) {
    core.compact(env_.now(), group.machine->snapshot());
    for (const SnapshotToSave& save : core.take_output().saves) {
      env_.replace(snapshot_file(id), *save.encoded, IoToken(id_of(id, Id::save_snapshot)));
    }
  }
  const std::optional<Server> leader = core.leader();
  LeaderView view{core.term(), std::nullopt};
  if (leader) view.leader = ServerId{leader->node, leader->incarnation};
  if (view != group.told) {
    group.told = view;
    bus_.post(local::LeaderChanged{.group = id,
                                   .term = view.term,
                                   .leader = leader ? std::optional(leader->node) : std::nullopt,
                                   .self = core.role() == Role::leader});
  }
  if (out.caught_up) bus_.post(local::CaughtUp{id});
}

void Raft::apply(GroupId id, Group& group, const CommittedRange& range) {
  for (LogIndex index = range.first; index <= range.last; index = index.next()) {
    const Entry& entry = group.core->log().at(index);
    group.applied = index;
    bus_.publish(fact::EntryApplied{id, index, entry.term, digest(entry)});
    if (!entry.command.empty()) {
      group.machine->apply(index, entry.term, entry.command, range.leading);
    }
  }
}

void Raft::send_or_hold(Group& group, Outgoing out) {
  if (out.after <= group.durable) return transmit(out);
  group.waiting.push_back(std::move(out));
}

void Raft::transmit(const Outgoing& out) {
  if (const auto* beat = std::get_if<Heartbeat>(&out.message)) {
    beats_[out.to].beats.push_back(*beat);
    return;
  }
  if (const auto* answer = std::get_if<HeartbeatResponse>(&out.message)) {
    beat_answers_[out.to].beats.push_back(*answer);
    return;
  }
  const std::uint64_t identity = identity_of(out.message);
  const std::uint32_t attempt = header_of(out.message).attempt;
  std::visit(
      [&](const auto& m) {
        if constexpr (requires { m.kind; }) {
          // Snapshots are large; all else is cheaper to lose than to hold in order.
          const Transport transport =
              m.kind == InstallSnapshot::kind ? Transport::stream : Transport::datagram;
          env_.send_message(out.to, transport, m, Purpose::consensus, identity, attempt);
        }
      },
      out.message);
}

void Raft::send_beats() {
  const auto send_all = [this](auto& frames) {
    for (auto& [to, frame] : frames) {
      if (frame.beats.empty()) continue;
      std::uint64_t identity = 0;
      for (const auto& beat : frame.beats) identity = mix(identity, identity_of(beat));
      env_.send_message(to, Transport::datagram, frame, Purpose::consensus, identity);
      frame.beats.clear();
    }
  };
  send_all(beats_);
  send_all(beat_answers_);
}

// At the end of each event.
void Raft::finish() {
  if (halted_) return;
  send_beats();
  write_log();
  arm_timer();
}

void Raft::write_log() {
  if (!writer_.idle()) return;
  if (rewrite_wanted_) {
    rewrite_wanted_ = false;
    std::vector<Record> records;
    for (const auto& [id, group] : groups_) {
      const Core& core = *group.core;
      append_group(records, id, core.term(), core.vote(), core.log());
    }
    writer_.rewrite(records);
  } else if (writer_.has_pending()) {
    writer_.sync();
  }
}

// Moving a timer with every heartbeat would cost an event each. It is left to fire, finds that its
// time has not come, and is armed again.
void Raft::arm_timer() {
  MonotonicTime next = kForever;
  for (const auto& [id, group] : groups_) next = std::min(next, group.core->deadline());
  if (next == kForever || (armed_ && *armed_ <= next)) return;
  armed_ = next;
  env_.arm(TimerId(id_of(kNoGroup, Id::wake)), next);
}

// ---- Consensus -------------------------------------------------------------------------------

const Raft::Group& Raft::group(GroupId id) const {
  const auto at = groups_.find(id);
  CHECK_THAT(at != groups_.end());
  return at->second;
}
Raft::Group& Raft::group(GroupId id) {
  const auto at = groups_.find(id);
  CHECK_THAT(at != groups_.end());
  return at->second;
}

bool Raft::leads(GroupId id) const {
  const Group& g = group(id);
  return g.core && g.core->role() == Role::leader;
}
Term Raft::term(GroupId id) const {
  const Group& g = group(id);
  return g.core ? g.core->term() : Term{};
}
std::optional<Server> Raft::leader(GroupId id) const {
  const Group& g = group(id);
  return g.core ? g.core->leader() : std::nullopt;
}
const Configuration& Raft::configuration(GroupId id) const {
  static const Configuration none;
  const Group& g = group(id);
  return g.core ? g.core->configuration() : none;
}
LogIndex Raft::applied(GroupId id) const {
  return group(id).applied;
}
std::optional<MonotonicTime> Raft::leader_heard(GroupId id) const {
  if (leads(id)) return env_.now();
  const Group& g = group(id);
  return g.core ? g.core->leader_heard() : std::nullopt;
}

Proposed Raft::propose(GroupId id, Bytes command) {
  Group& g = group(id);
  if (!ready_ || halted_) return {.index = {}, .refusal = Refusal::not_leader};
  const Proposed proposed = g.core->propose(env_.now(), std::move(command));
  drain(id, g);
  finish();
  return proposed;
}

Proposed Raft::propose_member(GroupId id, const MemberChange& change, Bytes command) {
  Group& g = group(id);
  if (!ready_ || halted_) return {.index = {}, .refusal = Refusal::not_leader};
  const Proposed proposed = g.core->propose_member(env_.now(), change, std::move(command));
  drain(id, g);
  finish();
  return proposed;
}

std::vector<DiskFile> bootstrap_files(GroupId group, const Configuration& configuration,
                                      ByteView state) {
  const Snapshot snapshot{.index = LogIndex(1),
                          .term = Term(1),
                          .configuration = configuration,
                          .state = Bytes(state.begin(), state.end())};
  const std::string prefix = std::string(kComponentName) + ".";
  return {{prefix + snapshot_file(group), encode_snapshot(snapshot)},
          {prefix + std::string(LogWriter::kFile), encode_log({})}};
}

}  // namespace rejoin::raft
