// What a cluster of 5 nodes with 3 copies takes to hold many small keys: resident memory, by part,
// a record, and the time to load them.
//
// Real nodes in a simulated cluster. One more host hands every owner its records, a thousand of a
// partition at a time, as a replica does that repairs another (PushRequest): they go through the
// network, SyncManager, merge, log and sync. Nobody records a history or judges. Then
// every node is asked for the Merkle tree of each partition that it owns, which makes and from then
// on keeps it, and one key in a hundred is written again.
//
// Every run checks that all owners of a partition have equal trees, that all records are there,
// and, once all nodes have been killed and started again, that they are on disk.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/check.hpp"
#include "model/message.hpp"
#include "model/partition_map.hpp"
#include "model/wire.hpp"
#include "protocols/partitioning/placement.hpp"
#include "protocols/sync/compare_messages.hpp"
#include "protocols/sync/messages.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/cluster.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin {
namespace {

using sync_detail::CompareHead;
using sync_detail::FreshnessReply;
using sync_detail::FreshnessRequest;
using sync_detail::MerkleAsk;
using sync_detail::MerkleTold;
using sync_detail::PushReply;
using sync_detail::PushRequest;
using sync_detail::SourceState;

constexpr std::uint32_t kNodes = 5;
constexpr std::uint32_t kCopies = 3;
constexpr Address kLoader{kNodes + 1};

// The n-th key as it is written in the given round: key-1234567, with a value of 16 bytes.
Record record_of(VersionScheme scheme, std::uint64_t n, std::uint64_t round) {
  const std::string digits = std::to_string(1'000'000'000 + n);
  const auto writer = static_cast<std::uint32_t>(1 + n % kNodes);
  Record record;
  record.key = "key-" + std::to_string(n);
  record.value = "value" + std::to_string(round) + digits;
  const auto nanoseconds = static_cast<std::int64_t>(1'700'000'000'000'000'000 + n + round);
  record.version = {.timestamp = WallTime(Duration(nanoseconds)), .writer = NodeId(writer)};
  record.origin = {.client = ClientId(1), .n = n + 1};
  if (!tracks_causality(scheme)) return record;
  const Actor actor = actor_of(NodeId(writer), 0x9e3779b9);
  auto causality = std::make_shared<Causality>();
  for (std::uint64_t write = 0; write <= round; ++write) {
    causality->dot = causality->clock.count(actor);
  }
  record.causality = std::move(causality);
  return record;
}

// ---- The host that loads -----------------------------------------------------------------------

// Which keys to write: every `step`-th of `count`, in an order that is not theirs.
struct Keys {
  std::uint64_t count = 0;
  std::uint64_t step = 1;
  std::uint64_t round = 0;
};

class Loader final : public Process {
 public:
  Loader(Env& env, const PartitionMap& map, VersionScheme scheme)
      : env_(env), map_(map), scheme_(scheme), lanes_(map.partition_count()) {}

  void write(const Keys& keys) {
    keys_ = keys;
    next_ = 0;
    pump();
  }
  void ask_for_trees() {
    trees_.clear();
    for_each_owner([this](PartitionId partition, NodeId owner) {
      MerkleAsk ask{.head = head(partition, owner), .request = {}};
      ask.request.nodes = {0};
      ask.request.root = Bytes(reconcile::kHashBytes);
      send(owner, ask);
    });
  }
  void ask_for_counts() {
    records_ = 0;
    for_each_owner([this](PartitionId partition, NodeId owner) {
      send(owner, FreshnessRequest{.repair = 1,
                                   .source = owner,
                                   .partition = partition,
                                   .epoch = map_.epoch,
                                   .accept_unrepaired = true,
                                   .number = ++sent_,
                                   .attempt = 0});
    });
  }
  [[nodiscard]] bool is_idle() const { return awaited_ == 0; }
  [[nodiscard]] std::uint64_t records() const { return records_; }
  // Distinct ones: as many as there are partitions when all owners agree.
  [[nodiscard]] std::size_t trees() const { return trees_.size(); }

  void start() override {}
  void on_timer(TimerId) override {}
  void on_io(const IoDone&) override {}
  void on_message(Address, ByteView bytes) override {
    const std::optional<Frame> frame = decode_frame(bytes);
    CHECK_THAT(frame.has_value());
    if (frame->kind == PushReply::kind) {
      const auto reply = decode<PushReply>(frame->body);
      CHECK_THAT(reply && reply->state == SourceState::ready);
      --awaited_;
      --lanes_[reply->head.partition.value].awaited;
      pump();
    } else if (frame->kind == MerkleTold::kind) {
      const auto told = decode<MerkleTold>(frame->body);
      CHECK_THAT(told && told->state == SourceState::ready && told->answer.last);
      --awaited_;
      trees_.insert({told->head.partition, told->answer.digests});
    } else if (frame->kind == FreshnessReply::kind) {
      const auto reply = decode<FreshnessReply>(frame->body);
      CHECK_THAT(reply && reply->state == SourceState::ready);
      --awaited_;
      records_ += reply->records;
    }
  }

 private:
  static constexpr std::size_t kBatch = 1'000;

  // What is gathered for a partition, and how many owners have not yet answered for the last batch.
  struct Lane {
    std::vector<Record> records;
    std::uint32_t awaited = 0;
  };

  // Gathers records until a partition has a batch too many under way.
  void pump() {
    for (; next_ < keys_.count / keys_.step; ++next_) {
      const std::uint64_t n = next_ * kScramble % (keys_.count / keys_.step) * keys_.step;
      Record record = record_of(scheme_, n, keys_.round);
      const PartitionId partition = partition_of(record.key, lanes_.size());
      Lane& lane = lanes_[partition.value];
      if (lane.records.size() == kBatch) {
        if (lane.awaited != 0) return;
        push(partition);
      }
      lane.records.push_back(std::move(record));
    }
    for (std::uint32_t p = 0; p < lanes_.size(); ++p) {
      if (lanes_[p].awaited == 0 && !lanes_[p].records.empty()) push(PartitionId(p));
    }
  }

  void push(PartitionId partition) {
    Lane& lane = lanes_[partition.value];
    PushRequest request{.head = {}, .records = std::exchange(lane.records, {})};
    lane.records.reserve(kBatch);
    std::sort(request.records.begin(), request.records.end(),
              [](const Record& a, const Record& b) { return a.key < b.key; });
    for (const NodeId owner : map_.owners_of(partition)) {
      request.head = head(partition, owner);
      ++lane.awaited;
      send(owner, request);
    }
  }

  [[nodiscard]] CompareHead head(PartitionId partition, NodeId owner) {
    return {.repair = 1,
            .source = owner,
            .partition = partition,
            .epoch = map_.epoch,
            .accept_unrepaired = true,
            .number = ++sent_};
  }

  template <class Message>
  void send(NodeId to, const Message& message) {
    ++awaited_;
    env_.send(Address(to.value), Transport::stream, encode_message(message),
              {.kind = Message::kind, .purpose = Purpose::repair, .identity = sent_});
  }

  void for_each_owner(const std::function<void(PartitionId, NodeId)>& ask) const {
    for (std::uint32_t p = 0; p < map_.partition_count(); ++p) {
      for (const NodeId owner : map_.owners_of(PartitionId(p))) ask(PartitionId(p), owner);
    }
  }

  // Divides no number of keys here: their order is a permutation.
  static constexpr std::uint64_t kScramble = 7'654'321;

  Env& env_;
  const PartitionMap& map_;
  VersionScheme scheme_;
  std::vector<Lane> lanes_;
  Keys keys_;
  std::uint64_t next_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t awaited_ = 0;
  std::uint64_t records_ = 0;
  std::set<std::pair<PartitionId, Bytes>> trees_;
};

// ---- The cluster -------------------------------------------------------------------------------

class Cluster final : public sim::KernelListener {
 public:
  explicit Cluster(VersionScheme scheme)
      : schedule_(schedule(scheme)), kernel_({.seed = 1}, *this) {
    std::vector<NodeId> members;
    for (std::uint32_t n = 1; n <= kNodes; ++n) members.emplace_back(n);
    map_ = *make_map(Epoch(1), schedule_.node.partitioning, members);
    sim::build_cluster(kernel_, schedule_);
    kernel_.add_host({.address = kLoader,
                      .name = "loader",
                      .node = {},
                      .client = {},
                      .make =
                          [this, scheme](Env& env, Observer&, const sim::Installed&) {
                            return std::make_unique<Loader>(env, map_, scheme);
                          },
                      .diskless = true});
    kernel_.start(kLoader);
    const MonotonicTime settled = kernel_.now() + 5s;
    while (kernel_.next_event_at() < settled) CHECK_THAT(kernel_.step());
  }

  [[nodiscard]] Loader& loader() { return static_cast<Loader&>(*kernel_.process(kLoader)); }
  // Has the loader do something, and lets the cluster run until it has its answers.
  void run(std::function<void(Loader&)> what) {
    what_ = std::move(what);
    kernel_.control_at(kernel_.now(), 1, ++controls_);
    while (what_ || !loader().is_idle()) CHECK_THAT(kernel_.step());
  }
  // Disks stay as they are.
  void kill_nodes() {
    for (std::uint32_t n = 1; n <= kNodes; ++n) CHECK_THAT(kernel_.crash(Address(n)));
  }
  // How many records the nodes found on their disks.
  [[nodiscard]] std::uint64_t recover() {
    recovered_.clear();
    for (std::uint32_t n = 1; n <= kNodes; ++n) CHECK_THAT(kernel_.start(Address(n)));
    while (recovered_.size() < kNodes) CHECK_THAT(kernel_.step());
    std::uint64_t records = 0;
    for (const std::uint64_t of_one : recovered_) records += of_one;
    return records;
  }
  [[nodiscard]] std::size_t partitions() const { return map_.partition_count(); }
  [[nodiscard]] Duration now() const { return kernel_.now().time_since_epoch(); }

  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact& fact) override {
    const auto* recovered = std::get_if<fact::StoreRecovered>(&fact);
    if (recovered != nullptr) recovered_.push_back(recovered->records);
  }
  void on_control(std::uint64_t) override { std::exchange(what_, nullptr)(loader()); }

 private:
  static Schedule schedule(VersionScheme scheme) {
    Schedule out = test::seed_schedule("merkle");
    out.cluster.nodes = kNodes;
    out.cluster.clients = 0;
    out.node.partitioning.replication = kCopies;
    out.node.store.versions = scheme;
    // A node holds 400 MB at last: with 4 MiB it would write half of that a hundred times.
    out.node.store.snapshot_log_bytes = 64 << 20U;
    return out;
  }

  Schedule schedule_;
  PartitionMap map_;
  sim::Kernel kernel_;
  std::function<void(Loader&)> what_;
  std::uint64_t controls_ = 0;
  std::vector<std::uint64_t> recovered_;
};

// ---- Measuring ---------------------------------------------------------------------------------

double resident_bytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// The most that was resident since forget_peak().
double peak_bytes() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    double kib = 0;
    if (word == "VmHWM:" && file >> kib) return kib * 1024;
  }
  return 0;
}

void forget_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

// Of the processor: machines are shared.
class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return static_cast<double>(std::clock() - began_) / CLOCKS_PER_SEC;
  }

 private:
  std::clock_t began_ = std::clock();
};

void hold(benchmark::State& state, VersionScheme scheme) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  const auto records = static_cast<double>(kCopies * keys);
  const auto report = [&state](const char* name, double value) { state.counters[name] = value; };
  for (auto _ : state) {
    forget_peak();
    const double before = resident_bytes();
    Cluster cluster(scheme);
    const Stopwatch loading;
    cluster.run([keys](Loader& loader) { loader.write({.count = keys}); });
    report("load_s", loading.seconds());
    const double loaded = resident_bytes();
    const Stopwatch planting;
    cluster.run([](Loader& loader) { loader.ask_for_trees(); });
    report("trees_s", planting.seconds());
    const double planted = resident_bytes();
    const Stopwatch updating;
    cluster.run([keys](Loader& loader) { loader.write({.count = keys, .step = 100, .round = 1}); });
    report("update_us", updating.seconds() * 1e6 / (records / 100));
    cluster.run([](Loader& loader) { loader.ask_for_trees(); });
    CHECK_THAT(cluster.loader().trees() == cluster.partitions());
    cluster.run([](Loader& loader) { loader.ask_for_counts(); });
    CHECK_THAT(cluster.loader().records() == kCopies * keys);
    report("peak_GiB", peak_bytes() / (1U << 30U));
    const double held = resident_bytes();
    cluster.kill_nodes();
    const double killed = resident_bytes();
    report("held_GiB", held / (1U << 30U));
    report("B_record", (held - before) / records);
    report("B_tree", (planted - loaded) / records);
    report("B_disk", (killed - before) / records);
    report("B_table", (held - killed - (planted - loaded)) / records);
    const Stopwatch recovering;
    CHECK_THAT(cluster.recover() == kCopies * keys);
    report("recover_s", recovering.seconds());
  }
}

void with_timestamps(benchmark::State& state) {
  hold(state, VersionScheme::timestamp);
}
void with_dvv(benchmark::State& state) {
  hold(state, VersionScheme::dvv);
}

BENCHMARK(with_timestamps)
    ->Name("timestamps/keys")
    ->RangeMultiplier(10)
    ->Range(100'000, 10'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);
BENCHMARK(with_dvv)
    ->Name("dvv/keys")
    ->RangeMultiplier(10)
    ->Range(100'000, 10'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace rejoin
