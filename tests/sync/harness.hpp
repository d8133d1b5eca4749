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
  void at(MonotonicTime when, std::function<void()> what);
  void after(Duration length, std::function<void()> what);
  void run_for(Duration length);

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
  StoreOptions store{};  // but for its versions
};

// What the nodes share: the clock, the wire and what travelled on it.
struct World {
  Clock clock;
  std::function<bool(const Sent&)> drops = [](const Sent&) { return false; };
  std::function<void(Address to, Address from, ByteView frame)> deliver;
  std::vector<Sent> sent;

  [[nodiscard]] std::size_t count(MessageKind kind) const;
};

class TestNode final : public Env, public NodeBus {
 public:
  TestNode(World& world, const Setup& setup, NodeId id);

  // ---- What a test does --------------------------------------------------------------------
  // A process with an empty memory on this machine's files.
  void start(const ClusterState& cluster, Incarnation incarnation = Incarnation{1});
  void catch_up();
  void tell(LocalEvent event);
  void crash();
  void wipe_disk();
  void put_file(const DiskFile& file);
  [[nodiscard]] std::string file(const std::string& name) const;
  void write(const Record& record, PartitionId partition = kOnly);
  void hold_syncs(bool hold);

  [[nodiscard]] bool is_running() const { return life_ != nullptr; }
  [[nodiscard]] Store& store() { return life_->store; }
  [[nodiscard]] SyncManager& sync() { return life_->sync; }
  [[nodiscard]] Gate& gate() { return life_->gate; }
  [[nodiscard]] const Coordination& coordination() { return life_->coordination; }
  [[nodiscard]] ClusterStateMachine& cluster() { return life_->cluster; }
  [[nodiscard]] std::map<Key, Value> contents(PartitionId partition = kOnly);
  template <class F>
  [[nodiscard]] std::vector<F> facts() const {
    std::vector<F> out;
    for (const Fact& fact : facts_) {
      if (const F* found = std::get_if<F>(&fact)) out.push_back(*found);
    }
    return out;
  }
  [[nodiscard]] const std::vector<Fact>& all_facts() const { return facts_; }
  void forget_facts();
  [[nodiscard]] std::size_t rejected() const { return rejected_; }
  [[nodiscard]] std::string halted() const { return halted_; }

  bool receive(Address from, ByteView bytes);
  void drain();

  // ---- NodeBus -----------------------------------------------------------------------------
  void post(LocalEvent event) override;
  void publish(const Fact& fact) override;

  // ---- Env ---------------------------------------------------------------------------------
  [[nodiscard]] MonotonicTime now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] Address self() const override;
  void send(Address to, Transport /*transport*/, Bytes frame, const Tag& tag) override;
  void arm(TimerId timer, MonotonicTime deadline) override;
  void disarm(TimerId timer) override;
  void append(std::string_view name, ByteView data) override;
  void sync(std::string_view name, IoToken token) override;
  void read(std::string_view name, IoToken token) override;
  void replace(std::string_view name, ByteView data, IoToken token) override;
  void remove(std::string_view name, IoToken token) override;
  [[nodiscard]] std::uint64_t random(std::string_view /*label*/, std::uint64_t what,
                                     std::uint64_t attempt) override;
  void halt(std::string_view reason) override;

 private:
  static constexpr std::uint64_t kLocal = (1ULL << kChannelShift) - 1;

  struct File {
    Bytes content;
    Bytes durable;
  };
  struct Life {
    Life(TestNode& node, const Setup& setup, NodeId id);
    ClusterStateMachine cluster;
    Store store;
    Gate gate;
    Coordination coordination;
    SyncManager sync;
  };

  void complete_sync(const std::string& name, IoToken token, std::uint64_t generation);
  void finish(IoDone done);
  void complete(const IoDone& done);

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
  explicit Cluster(Setup setup);
  ~Cluster();

  [[nodiscard]] TestNode& node(std::uint32_t n);
  [[nodiscard]] const ClusterState& state() const { return state_; }
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] MonotonicTime now() const;
  void run_for(Duration length);

  // A node that starts with its data and nothing to repair, as founders do.
  void found(std::uint32_t n);
  void found_all();
  // Starts, reads its files, and catches up with the cluster.
  void come_back(std::uint32_t n, Incarnation incarnation = Incarnation{1});
  // The map as of now, for nodes that start later, without telling anyone.
  void assume_owners(std::vector<std::vector<NodeId>> owners);
  // The next map, applied on every node that runs.
  void move_to(std::vector<std::vector<NodeId>> owners);
  void drain_all();

 private:
  Setup setup_;
  World world_;
  ClusterState state_;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::uint64_t index_ = 0;
};

// Version `time` of a key: its value names both.
Record record(const Key& key, std::int64_t time, bool deleted = false);
Record unversioned(const Key& key, std::int64_t time);

std::vector<NodeId> nodes(std::initializer_list<std::uint32_t> numbers);

// A mechanism as options name it, with parameters over its defaults.
SyncOptions::Mechanism mechanism(const std::string& name,
                                 std::map<std::string, std::string> params = {});

}  // namespace rejoin::sync_test
