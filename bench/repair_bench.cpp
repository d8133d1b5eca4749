// What each mechanism costs that brings back a replica of a million keys which has missed 0, 1, 100
// or 10,000 writes, a sixth of them of new keys: bytes on the wire, rounds and processor time.
//
// Both sides hold their records as a store does, and do what the mechanism's protocol has them do:
// every message is made, encoded with its frame, decoded and answered, and every record that
// arrives is merged (or overwrites, where the mechanism does that). Bytes are those of all
// messages, rounds how many of them wait for an answer before they leave. Not counted: the
// simulator, the log, and the Merkle trees themselves, which are there already (reconcile_bench
// says what keeping one costs; an index of a million items is what `--benchmark_filter=trees`
// makes).
//
// Every run checks that both replicas are equal afterwards.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/check.hpp"
#include "model/message.hpp"
#include "model/random.hpp"
#include "protocols/client/messages.hpp"
#include "protocols/reconcile/digest_list.hpp"
#include "protocols/reconcile/leaf_index.hpp"
#include "protocols/reconcile/merkle_exchange.hpp"
#include "protocols/store/record_table.hpp"
#include "protocols/store/store.hpp"
#include "protocols/sync/compare_messages.hpp"
#include "protocols/sync/hint_messages.hpp"
#include "protocols/sync/hint_replay.hpp"
#include "protocols/sync/messages.hpp"
#include "protocols/versions/merge.hpp"

namespace rejoin {
namespace {

using namespace reconcile;
using namespace sync_detail;

constexpr std::uint64_t kKeys = 1'000'000;
constexpr NodeId kThere{2};

// The n-th key as its `round`-th write left it: 15 to 22 bytes, values of 32.
Record record_of(std::uint64_t n, std::uint64_t round) {
  const std::uint64_t stamp = n + round * 1'000'000'000;
  Record record;
  record.key =
      "user-" + std::to_string(10'000'000 + mix(n, 3) % 90'000'000) + "/" + std::to_string(n);
  record.value = std::string(24, 'v') + std::to_string(10'000'000 + stamp % 90'000'000);
  record.version = {
      .timestamp = WallTime(Duration(static_cast<std::int64_t>(1'700'000'000'000'000'000 + stamp))),
      .writer = NodeId(1 + static_cast<std::uint32_t>(n % 5))};
  record.origin = {.client = ClientId(1 + static_cast<std::uint32_t>(n % 100)), .n = stamp + 1};
  return record;
}

// ---- Two replicas ------------------------------------------------------------------------------

class Replica {
 public:
  void keep_tree(const MerkleShape& shape) {
    index_.emplace(shape);
    records_.visit("", [this](const store::Held& held) {
      index_->put(held.record.key, fingerprint_of(held.record));
      return true;
    });
  }
  void drop_tree() { index_.reset(); }
  [[nodiscard]] bool has_tree_of(const MerkleShape& shape) const {
    return index_ && index_->tree().shape() == shape;
  }

  void overwrite(const Record& record) {
    records_.put(record, ++seq_);
    if (index_) index_->put(record.key, fingerprint_of(record));
  }
  void merge(const Record& record) {
    const std::optional<store::Held> held = records_.get(record.key);
    const Merged merged = rejoin::merge(rules_, held ? &held->record : nullptr, record);
    if (merged.changed) overwrite(merged.record);
  }
  void erase(const Key& key) {
    records_.erase(key);
    if (index_) index_->erase(key);
  }
  [[nodiscard]] std::optional<Record> get(const Key& key) const {
    auto held = records_.get(key);
    if (!held) return std::nullopt;
    return std::move(held->record);
  }
  template <class Visit>
  void visit(const Key& first, Visit visit) const {
    records_.visit(first, [&](const store::Held& held) { return visit(held.record); });
  }
  [[nodiscard]] OrderedReplica ordered() const {
    return {[this](const KeyRange& range, std::size_t count) {
      std::vector<Item> out;
      visit(range.after.value_or(Key()), [&](const Record& record) {
        if (out.size() == count || (range.last && *range.last < record.key)) return false;
        if (range.contains(record.key)) out.push_back({record.key, fingerprint_of(record)});
        return true;
      });
      return out;
    }};
  }
  [[nodiscard]] MerkleReplica merkle() const {
    return {index_->tree(), [this](std::span<const LeafRange> ranges, std::vector<Item>& out) {
              index_->list(ranges, out);
            }};
  }
  // Of all that it holds.
  [[nodiscard]] SetDigest digest() const {
    SetDigest sum;
    visit("", [&sum](const Record& record) {
      sum.add(item_hash(hash128(as_bytes(record.key)), fingerprint_of(record), 0));
      return true;
    });
    return sum;
  }

 private:
  VersionRules rules_{StoreOptions{.versions = VersionScheme::timestamp}};
  store::RecordTable records_;
  std::optional<LeafIndex> index_;
  std::uint64_t seq_ = 0;
};

// One that returns ("here"), and one that has all writes.
struct Pair {
  Pair() {
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      here.overwrite(record_of(n, 0));
      there.overwrite(record_of(n, 0));
    }
  }
  // Takes back what `here` got, and has `there` write again.
  void miss(std::uint64_t writes) {
    ++round;
    missed.clear();
    for (std::uint64_t w = 0; w < writes; ++w) {
      missed.push_back(record_of(w * (kKeys / writes), round));
      if (w % 6 == 5) here.erase(missed.back().key);
      there.overwrite(missed.back());
    }
  }
  Replica here;
  Replica there;
  std::uint64_t round = 0;
  std::vector<Record> missed;
};

Pair& pair() {
  static Pair both;
  return both;
}

// Counts what goes over the wire, and lets the other side have what was decoded.
struct Wire {
  template <class Message>
  Message carry(const Message& message) {
    const Bytes frame = encode_message(message);
    bytes += frame.size();
    ++messages;
    const std::optional<Frame> received = decode_frame(frame);
    CHECK_THAT(received.has_value());
    std::optional<Message> decoded = decode<Message>(received->body);
    CHECK_THAT(decoded.has_value());
    return *std::move(decoded);
  }
  std::size_t bytes = 0;
  std::size_t messages = 0;
  std::size_t rounds = 0;
};

// ---- The mechanisms ----------------------------------------------------------------------------

constexpr std::uint64_t kChunkBytes = SyncOptions{}.fetch_chunk_bytes;
constexpr std::uint64_t kOtherFieldsBytes = 24;

// rejoin-sync and hook-copy: every record, chunk after chunk. The first asks how fresh the source
// is and merges, the second overwrites.
void copy(Pair& pair, Wire& wire, bool blindly) {
  if (!blindly) {
    ++wire.rounds;
    FreshnessRequest question;
    question.source = kThere;
    FreshnessReply fresh;
    fresh.source = wire.carry(question).source;
    pair.there.visit("", [&fresh](const Record& record) {
      fresh.newest = std::max(fresh.newest, record.version);
      ++fresh.records;
      return true;
    });
    CHECK_THAT(wire.carry(fresh).records != 0);
  }
  Key after;
  std::uint32_t chunk = 0;
  for (bool more = true; more;) {
    ++wire.rounds;
    FetchRequest request;
    request.source = kThere;
    request.chunk = chunk++;
    request.after = after;
    request.chunk_bytes = kChunkBytes;
    request = wire.carry(request);
    FetchReply reply;
    reply.source = kThere;
    reply.chunk = request.chunk;
    std::uint64_t used = 0;
    pair.there.visit(request.after, [&](const Record& record) {
      if (!request.after.empty() && record.key == request.after) return true;
      reply.more = used >= request.chunk_bytes;
      if (reply.more) return false;
      used += record.key.size() + record.value.size() + kOtherFieldsBytes;
      reply.records.push_back(record);
      return true;
    });
    reply.last = reply.records.back().key;
    const FetchReply got = wire.carry(reply);
    for (const Record& record : got.records) {
      blindly ? pair.here.overwrite(record) : pair.here.merge(record);
    }
    more = got.more;
    after = got.last;
  }
}

// What a comparison found: the records that are missing or differ here.
void pull(Pair& pair, Wire& wire, const Differences& found) {
  constexpr std::size_t kKeysAsked = 1024;
  CHECK_THAT(found.missing_there.empty() && found.size() == pair.missed.size());
  std::vector<Key> wanted;
  std::merge(found.missing_here.begin(), found.missing_here.end(), found.different.begin(),
             found.different.end(), std::back_inserter(wanted));
  for (std::size_t from = 0; from < wanted.size();) {
    ++wire.rounds;
    PullRequest request;
    request.head = {.repair = 1, .source = kThere};
    request.chunk_bytes = kChunkBytes;
    const std::size_t to = std::min(wanted.size(), from + kKeysAsked);
    request.keys.assign(wanted.begin() + static_cast<std::ptrdiff_t>(from),
                        wanted.begin() + static_cast<std::ptrdiff_t>(to));
    request = wire.carry(request);
    PullReply reply;
    reply.head = request.head;
    std::uint64_t used = 0;
    for (const Key& key : request.keys) {
      if (used >= request.chunk_bytes) break;
      ++reply.covered;
      const auto record = pair.there.get(key);
      CHECK_THAT(record.has_value());
      used += key.size() + record->value.size() + kOtherFieldsBytes;
      reply.records.push_back(*record);
    }
    reply = wire.carry(reply);
    for (const Record& record : reply.records) pair.here.merge(record);
    from += reply.covered;
  }
}

// versioned-merge when a node returns, digest-list every so often: the same exchange.
void compare_lists(Pair& pair, Wire& wire) {
  const OrderedReplica here = pair.here.ordered();
  const OrderedReplica there = pair.there.ordered();
  DigestListExchange exchange(1, {});
  const auto first = exchange.start(here);
  std::deque<DigestListRequest> waiting(first.begin(), first.end());
  while (!waiting.empty()) {
    const ListAsk ask = wire.carry(
        ListAsk{.head = {.repair = 1, .source = kThere}, .request = std::move(waiting.front())});
    waiting.pop_front();
    const auto said = answer(there, ask.request);
    const ListTold told = wire.carry(ListTold{.head = ask.head, .state = {}, .answer = *said});
    const auto next = exchange.on_answer(here, told.answer);
    waiting.insert(waiting.end(), next->begin(), next->end());
  }
  wire.rounds += exchange.rounds();
  pull(pair, wire, exchange.result());
}

void compare_trees(Pair& pair, Wire& wire, const MerkleShape& shape, const MerkleOptions& options) {
  const MerkleReplica here = pair.here.merkle();
  const MerkleReplica there = pair.there.merkle();
  MerkleExchange exchange(1, shape, options);
  const auto first = exchange.start(here);
  std::deque<MerkleRequest> waiting(first.begin(), first.end());
  while (!waiting.empty()) {
    const MerkleAsk ask = wire.carry(
        MerkleAsk{.head = {.repair = 1, .source = kThere}, .request = std::move(waiting.front())});
    waiting.pop_front();
    const auto parts = answer(there, ask.request, options);
    for (const MerkleAnswer& part : *parts) {
      const auto told = wire.carry(MerkleTold{.head = ask.head, .state = {}, .answer = part});
      const auto next = exchange.on_answer(here, told.answer);
      waiting.insert(waiting.end(), next->begin(), next->end());
    }
  }
  wire.rounds += exchange.rounds();
  pull(pair, wire, exchange.result());
}

// hinted-handoff: one message a write that was missed, so many of them under way at once.
void replay_hints(Pair& pair, Wire& wire) {
  std::uint64_t seq = 0;
  for (const Record& record : pair.missed) {
    const auto hint =
        wire.carry(HintDelivery{.life = 1, .seq = ++seq, .target = NodeId(1), .record = record});
    pair.here.merge(hint.record);
    const auto taken = wire.carry(
        HintDelivered{.life = hint.life, .seq = hint.seq, .target = hint.target, .accepted = true});
    CHECK_THAT(taken.seq == seq && taken.accepted);
  }
  wire.rounds += (pair.missed.size() + HintReplay::kInFlightMax - 1) / HintReplay::kInFlightMax;
}

// read-repair, when every key is read: the coordinator that has all writes asks the other replica,
// and sends it what it lacks. Reads do not wait for each other.
void read_all(Pair& pair, Wire& wire) {
  std::uint64_t n = 0;
  std::uint64_t repaired = 0;
  pair.there.visit("", [&](const Record& mine) {
    const RequestId id{.client = ClientId(1), .n = ++n};
    const auto read =
        wire.carry(ReplicaRead{.id = id, .attempt = 0, .epoch = Epoch(1), .key = mine.key});
    const auto reply = wire.carry(ReplicaReadReply{.id = id,
                                                   .attempt = 0,
                                                   .replica = NodeId(1),
                                                   .accepted = true,
                                                   .record = pair.here.get(read.key)});
    if (reply.record == mine) return true;
    const auto repair = wire.carry(
        ReplicaRepair{.id = id, .attempt = 0, .round = 0, .epoch = Epoch(1), .record = mine});
    pair.here.merge(repair.record);
    CHECK_THAT(
        wire.carry(ReplicaRepairReply{
                       .id = id, .attempt = 0, .round = 0, .replica = NodeId(1), .accepted = true})
            .accepted);
    ++repaired;
    return true;
  });
  CHECK_THAT(repaired == pair.missed.size());
  wire.rounds += repaired == 0 ? 1 : 2;
}

// ---- What is measured --------------------------------------------------------------------------

using Repair = std::function<void(Pair&, Wire&)>;

void measure(benchmark::State& state, const MerkleShape* shape, const Repair& repair) {
  Pair& both = pair();
  for (Replica* replica : {&both.here, &both.there}) {
    if (shape == nullptr) {
      replica->drop_tree();
    } else if (!replica->has_tree_of(*shape)) {
      replica->keep_tree(*shape);
    }
  }
  Wire wire;
  for (auto _ : state) {
    state.PauseTiming();
    both.miss(static_cast<std::uint64_t>(state.range(0)));
    wire = {};
    state.ResumeTiming();
    repair(both, wire);
  }
  CHECK_THAT(both.here.digest() == both.there.digest());
  state.counters["bytes"] = static_cast<double>(wire.bytes);
  state.counters["messages"] = static_cast<double>(wire.messages);
  state.counters["rounds"] = static_cast<double>(wire.rounds);
}

void plant(benchmark::State& state) {
  for (auto _ : state) pair().here.keep_tree({});
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kKeys));
}

struct Tree {
  const char* name;
  MerkleShape shape;
  std::uint32_t leaf_budget;
};
const std::vector<Tree> kTrees = {
    {"merkle/16^5", {.fanout = 16, .depth = 5}, MerkleOptions{}.leaf_budget},
    {"merkle/cassandra-2^15", {.fanout = 2, .depth = 15}, 0},
    {"merkle/riak-1024^2", {.fanout = 1024, .depth = 2}, 0},
};

void add(const std::string& name, const MerkleShape* shape, const Repair& repair) {
  benchmark::RegisterBenchmark(
      (name + "/missed").c_str(),
      [shape, repair](benchmark::State& state) { measure(state, shape, repair); })
      ->Arg(0)
      ->Arg(1)
      ->Arg(100)
      ->Arg(10'000)
      ->Unit(benchmark::kMillisecond)
      ->MinTime(0.1);
}

const bool registered = [] {
  add("rejoin-sync", nullptr, [](Pair& pair, Wire& wire) { copy(pair, wire, false); });
  add("hook-copy", nullptr, [](Pair& pair, Wire& wire) { copy(pair, wire, true); });
  add("versioned-merge,digest-list", nullptr, compare_lists);
  add("hinted-handoff", nullptr, replay_hints);
  add("read-repair", nullptr, read_all);
  for (const Tree& tree : kTrees) {
    add(tree.name, &tree.shape, [&tree](Pair& pair, Wire& wire) {
      compare_trees(pair, wire, tree.shape, {.leaf_budget = tree.leaf_budget});
    });
  }
  benchmark::RegisterBenchmark("trees/keys:1000000", plant)->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
}  // namespace rejoin
