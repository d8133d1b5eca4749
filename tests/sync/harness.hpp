// Several nodes with a real store and a real SyncManager each, on hand-stepped machines: messages
// take 1 ms, file operations 100 us, and a test may drop messages, hold back syncs and crash nodes.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/facts.hpp"
#include "model/random.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/store/store.hpp"
#include "protocols/sync/messages.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin::sync_test {

constexpr PartitionId kOnly{0};

// Events of one virtual clock, in order of time and then of scheduling.
class Clock {
 public:
  [[nodiscard]] MonotonicTime now() const { return now_; }
  void at(MonotonicTime when, std::function<void()> what) {
    events_.emplace(std::pair(std::max(when, now_), ++count_), std::move(what));
  }
  void after(Duration length, std::function<void()> what) { at(now_ + length, std::move(what)); }
  void run_for(Duration length) {
    const MonotonicTime end = now_ + length;
    while (!events_.empty() && events_.begin()->first.first <= end) {
      auto event = events_.extract(events_.begin());
      now_ = event.key().first;
      event.mapped()();
    }
    now_ = end;
  }

 private:
  MonotonicTime now_{};
  std::uint64_t count_ = 0;
  std::map<std::pair<MonotonicTime, std::uint64_t>, std::function<void()>> events_;
};

struct Sent {
  NodeId from;
  NodeId to;
  MessageKind kind;
  Tag tag;
  Bytes frame;
};

struct Setup {
  std::uint32_t nodes = 3;
  std::uint32_t partitions = 1;
  std::uint32_t replication = 3;
  VersionScheme versions = VersionScheme::timestamp;
  SyncOptions sync{};
};

// What the nodes share: the clock, the wire and what travelled on it.
struct World {
  Clock clock;
  std::function<bool(const Sent&)> drops = [](const Sent&) { return false; };
  std::function<void(Address to, Address from, ByteView frame)> deliver;
  std::vector<Sent> sent;

  [[nodiscard]] std::size_t count(MessageKind kind) const {
    std::size_t n = 0;
    for (const Sent& one : sent) n += one.kind == kind ? 1 : 0;
    return n;
  }
};

class TestNode final : public Env, public NodeBus {
 public:
  TestNode(World& world, const Setup& setup, NodeId id) : world_(world), setup_(setup), id_(id) {}

  // ---- What a test does --------------------------------------------------------------------
  // A process with an empty memory on this machine's files.
  void start(const ClusterState& cluster, Incarnation incarnation = Incarnation{1}) {
    life_ = std::make_unique<Life>(*this, setup_, id_);
    life_->store.start();
    life_->sync.start();
    post(local::IdentityKnown{id_, incarnation});
    REQUIRE(life_->cluster.restore(encode_state(cluster)));
    drain();
  }
  void catch_up() { tell(local::CaughtUp{kClusterGroup}); }
  void tell(LocalEvent event) {
    post(std::move(event));
    drain();
  }
  void crash() {
    life_.reset();
    timers_.clear();
    ++generation_;
    for (auto& [name, file] : files_) file.content = file.durable;
  }
  void wipe_disk() { files_.clear(); }
  void put_file(const DiskFile& file) { files_[file.name] = {file.content, file.content}; }
  [[nodiscard]] std::string file(const std::string& name) const {
    const auto at = files_.find(name);
    if (at == files_.end()) return {};
    return {at->second.durable.begin(), at->second.durable.end()};
  }
  void write(const Record& record, PartitionId partition = kOnly) {
    store().put(partition, record, MergeRule::newest, fact::WriteCause::foreground);
    drain();
  }
  void hold_syncs(bool hold) { hold_syncs_ = hold; }

  [[nodiscard]] bool is_running() const { return life_ != nullptr; }
  [[nodiscard]] Store& store() { return life_->store; }
  [[nodiscard]] SyncManager& sync() { return life_->sync; }
  [[nodiscard]] Gate& gate() { return life_->gate; }
  [[nodiscard]] ClusterStateMachine& cluster() { return life_->cluster; }
  [[nodiscard]] std::map<Key, Value> contents(PartitionId partition = kOnly) {
    std::map<Key, Value> out;
    store().scan(partition, "", [&out](const Record& record) {
      out[record.key] = record.deleted ? "(deleted)" : record.value;
      return true;
    });
    return out;
  }
  template <class F>
  [[nodiscard]] std::vector<F> facts() const {
    std::vector<F> out;
    for (const Fact& fact : facts_) {
      if (const F* found = std::get_if<F>(&fact)) out.push_back(*found);
    }
    return out;
  }
  [[nodiscard]] const std::vector<Fact>& all_facts() const { return facts_; }
  void forget_facts() { facts_.clear(); }
  [[nodiscard]] std::size_t rejected() const { return rejected_; }
  [[nodiscard]] std::string halted() const { return halted_; }

  bool receive(Address from, ByteView bytes) {
    const std::optional<Frame> frame = decode_frame(bytes);
    const bool accepted = frame && life_->sync.on_message(from, frame->kind, frame->body);
    if (!accepted) ++rejected_;
    drain();
    return accepted;
  }
  void drain() {
    while (!posted_.empty()) {
      std::vector<LocalEvent> batch;
      batch.swap(posted_);
      for (const LocalEvent& event : batch) {
        life_->store.on_local(event);
        life_->sync.on_local(event);
      }
    }
  }

  // ---- NodeBus -----------------------------------------------------------------------------
  void post(LocalEvent event) override { posted_.push_back(std::move(event)); }
  void publish(const Fact& fact) override { facts_.push_back(fact); }

  // ---- Env ---------------------------------------------------------------------------------
  [[nodiscard]] MonotonicTime now() const override { return world_.clock.now(); }
  [[nodiscard]] WallTime wall_now() const override {
    return WallTime(world_.clock.now().time_since_epoch());
  }
  [[nodiscard]] Address self() const override { return Address(id_.value); }
  void send(Address to, Transport /*transport*/, Bytes frame, const Tag& tag) override {
    const Sent sent{id_, NodeId(to.value), tag.kind, tag, std::move(frame)};
    const bool dropped = world_.drops(sent);
    world_.sent.push_back(sent);
    if (dropped) return;
    world_.clock.after(1ms, [this, to, sent] { world_.deliver(to, self(), sent.frame); });
  }
  void arm(TimerId timer, MonotonicTime deadline) override {
    const std::uint64_t number = ++armed_;
    timers_[timer] = number;
    world_.clock.at(deadline, [this, timer, number] {
      const auto at = timers_.find(timer);
      if (at == timers_.end() || at->second != number) return;
      timers_.erase(at);
      life_->sync.on_timer(TimerId(timer.value & kLocal));
      drain();
    });
  }
  void disarm(TimerId timer) override { timers_.erase(timer); }
  void append(std::string_view name, ByteView data) override {
    Bytes& content = files_[std::string(name)].content;
    content.insert(content.end(), data.begin(), data.end());
  }
  void sync(std::string_view name, IoToken token) override {
    complete_sync(std::string(name), token, generation_);
  }
  void read(std::string_view name, IoToken token) override {
    const auto at = files_.find(std::string(name));
    IoDone done{.token = token, .status = IoStatus::not_found, .data = {}};
    if (at != files_.end()) done = {token, IoStatus::ok, at->second.content};
    finish(done);
  }
  void replace(std::string_view name, ByteView data, IoToken token) override {
    const Bytes content(data.begin(), data.end());
    files_[std::string(name)] = {content, content};
    finish({token, IoStatus::ok, {}});
  }
  void remove(std::string_view name, IoToken token) override {
    files_.erase(std::string(name));
    finish({token, IoStatus::ok, {}});
  }
  [[nodiscard]] std::uint64_t random(std::string_view /*label*/, std::uint64_t what,
                                     std::uint64_t attempt) override {
    return draw(
        {.seed = 1, .domain = Domain::process, .who = id_.value, .what = what, .attempt = attempt});
  }
  void halt(std::string_view reason) override { halted_ = reason; }

 private:
  static constexpr std::uint64_t kLocal = (1ULL << kChannelShift) - 1;

  struct File {
    Bytes content;
    Bytes durable;
  };
  struct Life {
    Life(TestNode& node, const Setup& setup, NodeId id)
        : cluster(node),
          store(node, node, {.versions = setup.versions}, setup.partitions),
          gate(setup.partitions),
          sync(node, node, id, setup.sync, setup.versions, setup.replication, cluster, store,
               gate) {}
    ClusterStateMachine cluster;
    Store store;
    Gate gate;
    SyncManager sync;
  };

  void complete_sync(const std::string& name, IoToken token, std::uint64_t generation) {
    world_.clock.after(100us, [this, name, token, generation] {
      if (generation != generation_) return;
      if (hold_syncs_) return complete_sync(name, token, generation);
      files_[name].durable = files_[name].content;
      complete({token, IoStatus::ok, {}});
    });
  }
  void finish(IoDone done) {
    world_.clock.after(100us, [this, done = std::move(done), generation = generation_] {
      if (generation == generation_) complete(done);
    });
  }
  void complete(const IoDone& done) {
    const IoDone local{IoToken(done.token.value & kLocal), done.status, done.data};
    const auto channel = static_cast<Channel>(done.token.value >> kChannelShift);
    if (channel == Channel::store) {
      life_->store.on_io(local);
    } else {
      life_->sync.on_io(local);
    }
    drain();
  }

  World& world_;
  Setup setup_;
  NodeId id_;
  std::unique_ptr<Life> life_;
  std::uint64_t generation_ = 0;
  std::uint64_t armed_ = 0;
  std::map<TimerId, std::uint64_t> timers_;
  std::map<std::string, File> files_;
  std::vector<LocalEvent> posted_;
  std::vector<Fact> facts_;
  std::size_t rejected_ = 0;
  std::string halted_;
  bool hold_syncs_ = false;
};

// Nodes 1..n; each owns every partition until a test says otherwise.
class Cluster {
 public:
  explicit Cluster(Setup setup) : setup_(std::move(setup)) {
    auto map = std::make_shared<PartitionMap>();
    map->epoch = Epoch{1};
    state_.cluster = ClusterId{1};
    std::vector<NodeId> all;
    for (std::uint32_t n = 1; n <= setup_.nodes; ++n) {
      const NodeId id(n);
      all.push_back(id);
      state_.members[id] = {id, Incarnation{1}, Address(n)};
      state_.incarnations[id] = Incarnation{1};
      nodes_.push_back(std::make_unique<TestNode>(world_, setup_, id));
    }
    map->owners.assign(setup_.partitions, all);
    state_.map = map;
    world_.deliver = [this](Address to, Address from, ByteView frame) {
      TestNode& node = *nodes_.at(to.value - 1);
      if (node.is_running()) node.receive(from, frame);
    };
  }

  [[nodiscard]] TestNode& node(std::uint32_t n) { return *nodes_.at(n - 1); }
  [[nodiscard]] const ClusterState& state() const { return state_; }
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] MonotonicTime now() const { return world_.clock.now(); }
  void run_for(Duration length) { world_.clock.run_for(length); }

  // A node that starts with its data and nothing to repair, as founders do.
  void found(std::uint32_t n) {
    for (const DiskFile& file : sync_founding_files()) node(n).put_file(file);
    come_back(n);
  }
  void found_all() {
    for (std::uint32_t n = 1; n <= setup_.nodes; ++n) found(n);
  }
  // Starts, reads its files, and catches up with the cluster.
  void come_back(std::uint32_t n, Incarnation incarnation = Incarnation{1}) {
    node(n).start(state_, incarnation);
    run_for(10ms);
    node(n).catch_up();
  }
  // The map as of now, for nodes that start later, without telling anyone.
  void assume_owners(std::vector<std::vector<NodeId>> owners) {
    auto map = std::make_shared<PartitionMap>(*state_.map);
    map->owners = std::move(owners);
    state_.map = std::move(map);
  }
  // The next map, applied on every node that runs.
  void move_to(std::vector<std::vector<NodeId>> owners) {
    auto map = std::make_shared<PartitionMap>(*state_.map);
    map->epoch = map->epoch.next();
    map->owners = std::move(owners);
    const Bytes command = encode(ClusterCommand{command::SetMap{*map}});
    state_.map = std::move(map);
    for (const auto& one : nodes_) {
      if (!one->is_running()) continue;
      one->cluster().apply(LogIndex{++index_}, Term{1}, command, false);
    }
  }
  void drain_all() {
    for (const auto& one : nodes_) {
      if (one->is_running()) one->drain();
    }
  }

 private:
  Setup setup_;
  World world_;
  ClusterState state_;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::uint64_t index_ = 0;
};

// Version `time` of a key: its value names both.
inline Record record(const Key& key, std::int64_t time, bool deleted = false) {
  Record out;
  out.key = key;
  out.value = deleted ? "" : key + "@" + std::to_string(time);
  out.deleted = deleted;
  out.version = {WallTime(Duration(time)), NodeId{1}};
  out.origin = {ClientId{1}, static_cast<std::uint64_t>(time)};
  return out;
}
inline Record unversioned(const Key& key, std::int64_t time) {
  Record out = record(key, time);
  out.version = {};
  return out;
}

inline std::vector<NodeId> nodes(std::initializer_list<std::uint32_t> numbers) {
  std::vector<NodeId> out;
  for (const std::uint32_t n : numbers) out.emplace_back(n);
  return out;
}

// A mechanism as options name it, with parameters over its defaults.
inline SyncOptions::Mechanism mechanism(const std::string& name,
                                        std::map<std::string, std::string> params = {}) {
  const MechanismSpec* const spec = Mechanisms::find(name);
  REQUIRE(spec != nullptr);
  SyncOptions::Mechanism out{name, default_params(spec->params)};
  for (const auto& [param, value] : params) out.params.set(param, value);
  return out;
}

}  // namespace rejoin::sync_test
