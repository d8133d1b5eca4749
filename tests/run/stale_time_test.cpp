#include "sim/run/stale_time.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <memory>
#include <string>
#include <vector>

namespace rejoin::sim {
namespace {

constexpr std::uint32_t kNodes = 3;
constexpr std::uint32_t kPartitions = 2;

// Three nodes that are members and own everything; each fact comes a millisecond after the last.
class Rig {
 public:
  Rig() {
    fact::MembersApplied members;
    for (std::uint32_t n = 1; n <= kNodes; ++n) {
      tell(n, fact::ProcessStarted{});
      members.members.push_back({NodeId(n), Incarnation(1), Address(n)});
    }
    tell(1, members);
    map({1, 2, 3});
  }

  void tell(std::uint32_t node, const Fact& fact) {
    const auto behind = static_cast<std::int64_t>(this->behind());
    any_ += behind == 0 ? 0ms : 1ms;
    copies_ += 1ms * behind;
    now_ += 1ms;
    const FactSource source{
        .node = NodeId(node), .client = {}, .incarnation = Incarnation(1), .twin = false};
    world_.absorb(now_, ++event_, source, fact);
    time_.on_fact(now_, source, fact);
  }
  void map(const std::vector<std::uint32_t>& owners) {
    PartitionMap map{Epoch(++epoch_), {}};
    std::vector<NodeId> ids;
    for (const std::uint32_t n : owners) ids.emplace_back(n);
    map.owners.assign(kPartitions, ids);
    fact::MapApplied applied;
    applied.map = std::make_shared<PartitionMap>(std::move(map));
    tell(1, applied);
  }
  void put(std::uint32_t node, const Key& key, std::uint64_t n) {
    fact::RecordWritten written;
    written.partition = world_.partition_of_key(key);
    written.key = key;
    written.origin = {.client = ClientId(1), .n = n};
    written.stored = true;
    written.seq = ++seq_;
    tell(node, written);
    tell(node, fact::StoreDurable{.up_to = seq_});
  }
  void write(const Key& key, std::uint64_t n) {
    Operation operation;
    operation.id = {.client = ClientId(1), .n = n};
    operation.kind = OperationKind::write;
    operation.key = key;
    operation.value = std::to_string(n);
    operation.invoked = now_;
    tell(0, fact::OperationInvoked{operation});
    operation.returned = now_ + 1ms;
    operation.result = ResultKind::ok;
    tell(0, fact::OperationReturned{operation});
  }

  // As the rows of the table say, counted anew at each fact.
  Duration any() const { return any_; }
  Duration copies() const { return copies_; }
  const StaleTime& time() const { return time_; }
  MonotonicTime now() const { return now_; }

 private:
  std::uint64_t behind() const {
    std::uint64_t out = 0;
    for (const auto& [id, node] : world_.nodes()) {
      const NodeSnapshot row = world_.snapshot(id, now_);
      out += row.stale_keys + row.missing_keys;
    }
    return out;
  }
  World world_{{.nodes = kNodes, .partitions = kPartitions}};
  StaleTime time_{world_};
  MonotonicTime now_{};
  std::uint64_t event_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t seq_ = 0;
  Duration any_{};
  Duration copies_{};
};

TEST_CASE("stale time: from the acknowledgement until the last owner has the write") {
  Rig rig;
  rig.put(1, "k", 1);
  rig.write("k", 1);
  CHECK(rig.time().any(rig.now()) == 0ns);
  CHECK(rig.time().copies(rig.now() + 10ms) == 20ms);  // node-2 and node-3 lack it
  CHECK(rig.time().any(rig.now() + 10ms) == 10ms);
  rig.put(2, "k", 1);
  rig.put(3, "k", 1);
  const Duration stale = rig.time().any(rig.now());
  CHECK(stale == 3ms);
  CHECK(rig.time().any(rig.now() + 10s) == stale);
}

TEST_CASE("stale time: a node that is down is not counted, nor one that owns nothing") {
  Rig rig;
  rig.put(1, "k", 1);
  rig.put(2, "k", 1);
  rig.tell(3, fact::ProcessCrashed{});
  rig.write("k", 1);
  CHECK(rig.time().any(rig.now() + 10s) == 0ns);
  rig.tell(3, fact::ProcessStarted{});
  CHECK(rig.time().any(rig.now() + 10s) == 10s);
  rig.map({1, 2});
  CHECK(rig.time().any(rig.now() + 10s) == 1ms);
}

TEST_CASE("stale time: is what the rows of the table add up to, whatever happens") {
  bool seen = false;
  CHECK(rc::check([&seen] {
    Rig rig;
    std::uint64_t written = 0;
    const auto steps = *rc::gen::inRange(1, 80);
    for (int step = 0; step < steps; ++step) {
      const auto node = *rc::gen::inRange<std::uint32_t>(1, kNodes + 1);
      const Key key = "k" + std::to_string(*rc::gen::inRange(0, 3));
      switch (*rc::gen::inRange(0, 9)) {
        case 0:
          rig.tell(node, fact::ProcessCrashed{});
          break;
        case 1:
          rig.tell(node, fact::ProcessStarted{});
          break;
        case 2:
          rig.tell(node, fact::DiskWiped{});
          break;
        case 3:
          rig.map(node == 1 ? std::vector<std::uint32_t>{1, 2, 3} : std::vector{node});
          break;
        case 4:
          rig.tell(node, fact::PartitionDropped{PartitionId(*rc::gen::inRange(0U, 2U)), 0});
          break;
        case 5:
        case 6:
          rig.put(node, key, *rc::gen::inRange<std::uint64_t>(1, written + 2));
          break;
        default:
          rig.write(key, ++written);
          break;
      }
      RC_ASSERT(rig.time().any(rig.now()) == rig.any());
      RC_ASSERT(rig.time().copies(rig.now()) == rig.copies());
    }
    seen = seen || rig.any() < rig.copies();
  }));
  CHECK(seen);
}

}  // namespace
}  // namespace rejoin::sim
