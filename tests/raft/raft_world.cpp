#include "raft_world.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"

namespace rejoin::raft {

namespace {

constexpr GroupId kGroup{1};

std::uint64_t random_bits(NodeId node, const ElectionDraw& draw) {
  return mix(mix(node.value, draw.term.value), draw.attempt);
}

// Through the wire and back, as a network would.
Message over_the_wire(const Message& message) {
  return std::visit(
      [](const auto& m) -> Message {
        auto copy = decode<std::decay_t<decltype(m)>>(encode(m));
        CHECK_THAT(copy.has_value());
        return *std::move(copy);
      },
      message);
}

std::string at(LogIndex index, Term term) {
  return std::to_string(index.value) + "/" + std::to_string(term.value);
}

struct ToText {
  std::string operator()(const RequestVote& m) const {
    return " last " + at(m.last_index, m.last_term) + (m.pre ? " pre" : "");
  }
  std::string operator()(const RequestVoteResponse& m) const {
    return std::string(m.granted ? " granted" : " refused") + (m.pre ? " pre" : "");
  }
  std::string operator()(const AppendEntries& m) const {
    return " prev " + at(m.prev_index, m.prev_term) + " commit " + std::to_string(m.commit.value) +
           " entries " + std::to_string(m.entries.size());
  }
  std::string operator()(const AppendEntriesResponse& m) const {
    if (m.success) return " success " + std::to_string(m.index.value);
    return " refused " + std::to_string(m.index.value) + " hint " + at(m.hint_index, m.hint_term);
  }
  std::string operator()(const Heartbeat& m) const {
    return " commit " + std::to_string(m.commit.value) + " match " + std::to_string(m.match.value);
  }
  std::string operator()(const HeartbeatResponse&) const { return ""; }
  std::string operator()(const InstallSnapshot& m) const {
    return " index " + at(m.index, m.index_term) + " bytes " + std::to_string(m.offset) + "+" +
           std::to_string(m.chunk.size()) + " of " + std::to_string(m.size_bytes);
  }
  std::string operator()(const InstallSnapshotResponse& m) const {
    return " index " + std::to_string(m.index.value) +
           (m.installed ? " installed" : " next " + std::to_string(m.next_offset));
  }
};

}  // namespace

std::string to_text(const Message& message) {
  return std::string(name_of(message)) + " term " + std::to_string(header_of(message).term.value) +
         std::visit(ToText{}, message);
}

// ---- Setting up ------------------------------------------------------------------------------

void RaftWorld::found(const std::vector<std::uint32_t>& nodes) {
  Snapshot founding{.index = LogIndex(1), .term = Term(1), .configuration = {}, .state = {}};
  for (const std::uint32_t n : nodes) {
    founding.configuration.servers.push_back({NodeId(n), Incarnation(1), Address(n), true});
  }
  founding.state = encode(std::vector<std::string>{});
  committed_[LogIndex(1)] = {Term(1), 0, Term(1)};
  for (const std::uint32_t n : nodes) {
    Host& host = hosts_[n];
    host.id = {NodeId(n), Incarnation(1)};
    host.snapshot = encode_snapshot(founding);
    boot(host);
  }
}

void RaftWorld::add_empty(std::uint32_t node, std::uint64_t incarnation) {
  Host& host = hosts_[node];
  host = Host{};
  host.id = {NodeId(node), Incarnation(incarnation)};
  boot(host);
}

void RaftWorld::rewrite_log(Host& host) {
  std::vector<Record> records;
  append_group(records, kGroup, host.core->term(), host.core->vote(), host.core->log());
  host.log = encode_log(records);
}

void RaftWorld::boot(Host& host) {
  RecoveredLog recovered = recover_log(host.log);
  if (recovered.damage) {
    CHECK_THAT(recovered.damage->torn);
    events_.push_back(to_name(host.id.node) + ": " + recovered.damage->what);
  }
  tl::expected<Restored, std::string> restored =
      restore_group(std::move(recovered.groups[kGroup]), host.snapshot);
  CHECK_THAT(restored.has_value());
  host.state.clear();
  if (!restored->snapshot.state.empty()) {
    host.state = decode<std::vector<std::string>>(restored->snapshot.state).value();
  }
  host.core = std::make_unique<Core>(kGroup, options_, std::move(*restored), now_);
  rewrite_log(host);
  host.core->set_identity(now_, host.id);
  drain(host);
}

// ---- Stepping --------------------------------------------------------------------------------

RaftWorld::Host& RaftWorld::host(std::uint32_t node) {
  const auto found_at = hosts_.find(node);
  CHECK_THAT(found_at != hosts_.end());
  return found_at->second;
}

bool RaftWorld::timeout(std::uint32_t node) {
  Host& h = host(node);
  if (!h.core || h.core->deadline() == kForever) return false;
  now_ = std::max(now_, h.core->deadline());
  h.core->on_timer(now_);
  drain(h);
  return true;
}

void RaftWorld::fire_due() {
  for (auto& [node, h] : hosts_) {
    if (!h.core || h.core->deadline() > now_) continue;
    h.core->on_timer(now_);
    drain(h);
  }
}

void RaftWorld::deliver_at(std::size_t position, bool keep) {
  const Envelope envelope = bag_.at(position);
  if (!keep) drop_at(position);
  Host& to = host(envelope.to.value);
  const auto link = std::minmax(envelope.from.value, envelope.to.value);
  if (!to.core || cuts_.contains({link.first, link.second})) return;
  const Address from(envelope.from.value);
  if (!to.core->on_message(now_, from, over_the_wire(envelope.message))) {
    events_.push_back(to_name(to.id.node) + ": rejected " + to_text(envelope.message));
  }
  drain(to);
}

void RaftWorld::drop_at(std::size_t position) {
  bag_.erase(bag_.begin() + static_cast<std::ptrdiff_t>(position));
}

bool RaftWorld::deliver(std::uint32_t from, std::uint32_t to) {
  const auto first = std::find_if(bag_.begin(), bag_.end(), [&](const Envelope& e) {
    return e.from.value == from && e.to.value == to;
  });
  if (first == bag_.end()) return false;
  deliver_at(static_cast<std::size_t>(first - bag_.begin()));
  return true;
}

void RaftWorld::drop(std::uint32_t from, std::uint32_t to) {
  std::erase_if(bag_, [&](const Envelope& e) { return e.from.value == from && e.to.value == to; });
}

void RaftWorld::persist(std::uint32_t node) {
  Host& h = host(node);
  if (!h.core || (h.unsynced.empty() && !h.rewrite)) return;
  if (h.rewrite) {
    rewrite_log(h);
    h.rewrite = false;
  } else {
    for (const auto& u : h.unsynced) h.log.insert(h.log.end(), u.bytes.begin(), u.bytes.end());
  }
  if (h.unsynced.empty()) return;
  const PersistSeq seq = h.unsynced.back().seq;
  h.unsynced.clear();
  while (!h.waiting.empty() && h.waiting.front().after <= seq) {
    put_in_bag(h, h.waiting.front());
    h.waiting.pop_front();
  }
  h.core->on_persisted(now_, seq);
  drain(h);
}

void RaftWorld::save_snapshots(std::uint32_t node) {
  Host& h = host(node);
  while (h.core && !h.saves.empty()) {
    h.snapshot = *h.saves.front();
    h.saves.pop_front();
    h.core->on_snapshot_saved(now_);
    drain(h);
  }
}

void RaftWorld::settle(const std::set<std::uint32_t>& only) {
  const auto takes_part = [&](std::uint32_t n) { return only.empty() || only.contains(n); };
  for (int rounds = 0;; ++rounds) {
    CHECK_THAT(rounds < 100'000);  // a livelock is a bug of the protocol or of the test
    bool busy = false;
    for (auto& [node, h] : hosts_) {
      if (!takes_part(node)) continue;
      busy = busy || !h.unsynced.empty() || !h.saves.empty();
      save_snapshots(node);
      persist(node);
    }
    if (bag_.empty() && !busy) return;
    if (bag_.empty()) continue;
    if (takes_part(bag_[0].from.value) && takes_part(bag_[0].to.value)) {
      deliver_at(0);
    } else {
      drop_at(0);
    }
  }
}

void RaftWorld::run(Duration duration, const std::set<std::uint32_t>& only) {
  for (const MonotonicTime end = now_ + duration; now_ < end; now_ += options_.heartbeat / 5) {
    fire_due();
    settle(only);
  }
}

bool RaftWorld::elect(std::uint32_t node, const std::set<std::uint32_t>& only) {
  // Long enough for every other server to have forgotten its leader.
  elapse(options_.election.max * 2);
  if (!timeout(node)) return false;
  settle(only);
  return core(node).role() == Role::leader;
}

Proposed RaftWorld::propose(std::uint32_t node, const std::string& command) {
  Host& h = host(node);
  const ByteView bytes = as_bytes(command);
  const Proposed proposed = h.core->propose(now_, Bytes(bytes.begin(), bytes.end()));
  drain(h);
  return proposed;
}

Proposed RaftWorld::add(std::uint32_t leader, std::uint32_t node, std::uint64_t incarnation) {
  Host& h = host(leader);
  const Server server{NodeId(node), Incarnation(incarnation), Address(node), true};
  const Proposed proposed = h.core->propose_member(now_, {.set = server, .remove = {}}, {});
  drain(h);
  return proposed;
}

Proposed RaftWorld::remove(std::uint32_t leader, std::uint32_t node) {
  Host& h = host(leader);
  const Proposed proposed =
      h.core->propose_member(now_, {.set = std::nullopt, .remove = NodeId(node)}, {});
  drain(h);
  return proposed;
}

void RaftWorld::compact(std::uint32_t node) {
  Host& h = host(node);
  if (!h.core || !h.core->compaction_due()) return;
  h.core->compact(now_, encode(h.state));
  drain(h);
}

void RaftWorld::cut(std::uint32_t a, std::uint32_t b) {
  const auto link = std::minmax(a, b);
  cuts_.insert({link.first, link.second});
}

void RaftWorld::crash(std::uint32_t node, std::size_t torn_bytes) {
  Host& h = host(node);
  if (!h.rewrite) {
    for (const auto& u : h.unsynced) {
      const std::size_t kept = std::min(torn_bytes, u.bytes.size());
      h.log.insert(h.log.end(), u.bytes.begin(),
                   u.bytes.begin() + static_cast<std::ptrdiff_t>(kept));
      torn_bytes -= kept;
    }
  }
  h.core.reset();
  h.unsynced.clear();
  h.rewrite = false;
  h.saves.clear();
  h.waiting.clear();
}

void RaftWorld::restart(std::uint32_t node) {
  CHECK_THAT(!is_up(node));
  boot(host(node));
}

// ---- Outputs ---------------------------------------------------------------------------------

void RaftWorld::drain(Host& h) {
  Output out = h.core->take_output();
  for (const Fact& fact : out.facts) {
    events_.push_back(to_name(h.id.node) + ": " + rejoin::describe(fact));
    judge(h, fact);
  }
  if (out.restore) h.state = decode<std::vector<std::string>>(*out.restore).value();
  for (const CommittedRange& range : out.committed) apply(h, range);
  PersistSeq seq(h.core->last_seq().value - out.records.size());
  std::size_t end = h.log.size();
  for (const Host::Unsynced& u : h.unsynced) end += u.bytes.size();
  for (const Record& record : out.records) {
    seq = seq.next();
    Writer bytes;
    append_record(bytes, record, end);
    end += bytes.size();
    h.unsynced.push_back({seq, bytes.take()});
  }
  h.rewrite = h.rewrite || out.rewrite_log;
  for (Outgoing& message : out.messages) {
    if (message.after.is_none()) {
      put_in_bag(h, message);
    } else {
      h.waiting.push_back(std::move(message));
    }
  }
  for (const SnapshotToSave& save : out.saves) h.saves.push_back(save.encoded);
  if (const auto draw = h.core->election_draw()) {
    h.core->supply_draw(random_bits(h.id.node, *draw));
  }
  if (out.caught_up) events_.push_back(to_name(h.id.node) + ": caught up");
}

void RaftWorld::put_in_bag(Host& h, const Outgoing& out) {
  const NodeId to = header_of(out.message).to.node;
  events_.push_back(to_name(h.id.node) + " -> " + to_name(to) + ": " + to_text(out.message));
  bag_.push_back({h.id.node, to, out.message});
}

void RaftWorld::apply(Host& h, const CommittedRange& range) {
  for (LogIndex index = range.first; index <= range.last; index = index.next()) {
    const Entry& entry = h.core->log().at(index);
    const Known known{entry.term, digest(entry), h.core->term()};
    const auto [before, fresh] = committed_.try_emplace(index, known);
    if (!fresh && (before->second.term != known.term || before->second.digest != known.digest)) {
      violate("state machine safety: two entries applied at " + std::to_string(index.value));
    }
    if (entry.type == EntryType::command) {
      h.state.emplace_back(entry.command.begin(), entry.command.end());
    }
  }
}

// ---- Judging: Raft, figure 3 -----------------------------------------------------------------

void RaftWorld::violate(const std::string& what) {
  violations_.push_back(what);
  events_.push_back("VIOLATION " + what);
}

void RaftWorld::judge(const Host& h, const Fact& fact) {
  if (const auto* became = std::get_if<fact::BecameLeader>(&fact)) judge_leader(h, became->term);
  if (std::holds_alternative<fact::EntryAppended>(fact)) judge_logs();
}

void RaftWorld::judge_leader(const Host& h, Term term) {
  const auto [before, fresh] = leaders_.try_emplace(term, h.id);
  if (!fresh && before->second != h.id) {
    violate("election safety: two leaders in term " + std::to_string(term.value));
  }
  for (const auto& [index, known] : committed_) {
    // Leaders of later terms only: an old candidate may win an election that nobody waits for.
    if (known.committed_in >= term) continue;
    if (h.core->log().term_at(index).value_or(known.term) != known.term ||
        index > h.core->log().last_index()) {
      violate("leader completeness: the leader of term " + std::to_string(term.value) + " lacks " +
              std::to_string(index.value));
      return;
    }
  }
}

// Where two logs agree on an index and its term, they agree on all before it.
void RaftWorld::judge_logs() {
  for (auto a = hosts_.begin(); a != hosts_.end(); ++a) {
    for (auto b = std::next(a); b != hosts_.end(); ++b) {
      if (!a->second.core || !b->second.core) continue;
      const EntryLog& x = a->second.core->log();
      const EntryLog& y = b->second.core->log();
      bool agreed = false;
      const LogIndex low = std::max(x.start_index(), y.start_index());
      for (LogIndex i = std::min(x.last_index(), y.last_index()); i > low;
           i = LogIndex(i.value - 1)) {
        const bool same = x.at(i) == y.at(i);
        if (agreed && !same) return violate("log matching: at " + std::to_string(i.value));
        if (x.at(i).term == y.at(i).term && !same) {
          return violate("log matching: two entries of one term at " + std::to_string(i.value));
        }
        agreed = agreed || same;
      }
    }
  }
}

// ---- Looking ---------------------------------------------------------------------------------

bool RaftWorld::is_up(std::uint32_t node) const {
  return hosts_.at(node).core != nullptr;
}

const Core& RaftWorld::core(std::uint32_t node) const {
  CHECK_THAT(is_up(node));
  return *hosts_.at(node).core;
}

const std::vector<std::string>& RaftWorld::state(std::uint32_t node) const {
  return hosts_.at(node).state;
}

std::vector<std::uint32_t> RaftWorld::nodes() const {
  std::vector<std::uint32_t> all;
  for (const auto& [node, h] : hosts_) all.push_back(node);
  return all;
}

std::optional<std::uint32_t> RaftWorld::leader() const {
  std::optional<std::uint32_t> found_leader;
  Term term;
  for (const auto& [node, h] : hosts_) {
    if (!h.core || h.core->role() != Role::leader || h.core->term() < term) continue;
    found_leader = node;
    term = h.core->term();
  }
  return found_leader;
}

std::vector<std::string> RaftWorld::take_events() {
  return std::exchange(events_, {});
}

std::string RaftWorld::summary(std::uint32_t node) const {
  std::string text = to_name(NodeId(node)) + ": ";
  if (!is_up(node)) return text + "down";
  const Core& c = core(node);
  text += std::string(to_name(c.role())) + " term " + std::to_string(c.term().value) + " commit " +
          std::to_string(c.commit().value) + " log " +
          at(c.log().start_index(), c.log().start_term());
  for (const Entry& entry : c.log().entries()) {
    text += " " + at(entry.index, entry.term);
    if (entry.configuration) text += "c";
  }
  text += " voters";
  for (const Server& server : c.configuration().servers) {
    text +=
        (server.voter ? " " : " (") + std::to_string(server.node.value) + (server.voter ? "" : ")");
  }
  return text;
}

}  // namespace rejoin::raft
