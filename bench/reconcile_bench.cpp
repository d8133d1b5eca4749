// What it costs to bring two replicas of a partition to the same contents: bytes on the wire (all
// messages as they are encoded, with their frames, and the differing records themselves), rounds,
// and processor time of both sides together. And what keeping a Merkle tree costs.
//
// A sixth of the differing keys is missing on either side; the others were written on one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "model/check.hpp"
#include "model/message.hpp"
#include "model/random.hpp"
#include "model/wire.hpp"
#include "protocols/reconcile/digest_list.hpp"
#include "protocols/reconcile/leaf_index.hpp"
#include "protocols/reconcile/merkle_exchange.hpp"
#include "protocols/reconcile/range_reconcile.hpp"

namespace rejoin::reconcile {
namespace {

Record record_of(std::uint64_t n, std::uint64_t version = 0) {
  // Keys in no order of their numbers; 13 bytes, values of 32.
  const std::string key = "user-" + std::to_string(10'000'000 + mix(n, 3) % 90'000'000);
  Record record;
  record.key = key + "/" + std::to_string(n);
  record.value = std::string(24, 'v') + std::to_string(10'000'000 + n + version);
  record.version = {.timestamp = WallTime(Duration(1'700'000'000'000'000'000 +
                                                   static_cast<std::int64_t>(n + version))),
                    .writer = NodeId(1 + static_cast<std::uint32_t>(n % 5))};
  record.origin = {.client = ClientId(1 + static_cast<std::uint32_t>(n % 100)), .n = n + version};
  return record;
}

std::size_t record_bytes(const Record& record) {
  return encode(record).size() + 1;
}

// Counts what goes over the wire, and lets the other side have what was decoded.
struct Wire {
  static inline const std::size_t kFrameBytes =
      reframe(encode_frame(MessageKind(Channel::sync, 1), {}), kNewestFormat, kNewestFormat).size();

  template <class Message>
  Message carry(const Message& message) {
    const Bytes encoded = encode(message);
    bytes += encoded.size() + kFrameBytes;
    ++messages;
    std::optional<Message> received = decode<Message>(encoded);
    CHECK_THAT(received.has_value());
    return std::move(*received);
  }

  std::size_t bytes = 0;
  std::size_t messages = 0;
};

// Both replicas; records only as far as they differ, items of all.
struct Data {
  Data(std::uint64_t key_count, std::uint64_t differences) : keys(key_count) {
    for (std::uint64_t n = 0; n < keys; ++n) {
      const Record record = record_of(n);
      full_copy_bytes += record_bytes(record);
      here.push_back({record.key, fingerprint_of(record)});
    }
    sort_by_key(here);
    // A reply of 64 KiB a chunk.
    full_copy_bytes += (full_copy_bytes / 65536 + 1) * (Wire::kFrameBytes + 30) * 2;
    there = here;
    std::vector<Key> gone_here;
    for (std::uint64_t d = 0; d < differences; ++d) {
      const Record written = record_of(d * (keys / differences), 1'000'000'000);
      record_bytes_moved += record_bytes(written);
      if (d % 6 == 1) {
        erase(here, written.key);
      } else if (d % 6 == 2) {
        erase(there, written.key);
      } else {
        find(there, written.key)->fingerprint = fingerprint_of(written);
      }
    }
  }

  static std::vector<Item>::iterator find(std::vector<Item>& items, const Key& key) {
    const auto at = std::lower_bound(items.begin(), items.end(), key,
                                     [](const Item& item, const Key& k) { return item.key < k; });
    CHECK_THAT(at != items.end() && at->key == key);
    return at;
  }
  static void erase(std::vector<Item>& items, const Key& key) { items.erase(find(items, key)); }

  // The records that differ: named by whoever asks for them, then sent.
  [[nodiscard]] std::size_t bytes_to_repair(const Differences& found) const {
    std::size_t bytes = record_bytes_moved;
    for (const auto* wanted : {&found.missing_here, &found.different}) {
      for (const Key& key : *wanted) bytes += key.size() + 1;
    }
    return bytes;
  }

  std::uint64_t keys;
  std::vector<Item> here;
  std::vector<Item> there;
  std::size_t full_copy_bytes = 0;
  std::size_t record_bytes_moved = 0;
};

// All stay, some 150 bytes a key: they are told apart by their addresses.
const Data& data(std::uint64_t keys, std::uint64_t differences) {
  static std::map<std::pair<std::uint64_t, std::uint64_t>, std::unique_ptr<Data>> all;
  auto& one = all[{keys, differences}];
  if (!one) one = std::make_unique<Data>(keys, differences);
  return *one;
}

void report(benchmark::State& state, const Data& d, const Wire& wire, const Differences& found,
            std::uint32_t rounds, std::uint64_t differences) {
  CHECK_THAT(found.size() == differences);
  const std::size_t bytes = wire.bytes + d.bytes_to_repair(found);
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["percent_of_copy"] =
      100.0 * static_cast<double>(bytes) / static_cast<double>(d.full_copy_bytes);
  state.counters["messages"] = static_cast<double>(wire.messages);
  state.counters["rounds"] = rounds;
}

std::pair<std::uint64_t, std::uint64_t> sizes_of(const benchmark::State& state) {
  return {static_cast<std::uint64_t>(state.range(0)), static_cast<std::uint64_t>(state.range(1))};
}

void full_copy(benchmark::State& state) {
  const auto [keys, differences] = sizes_of(state);
  const Data& d = data(keys, differences);
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    for (std::uint64_t n = 0; n < keys; ++n) {
      const Bytes encoded = encode(record_of(n));
      bytes += encoded.size();
      benchmark::DoNotOptimize(decode<Record>(encoded));
    }
  }
  state.counters["bytes"] = static_cast<double>(d.full_copy_bytes);
  state.counters["percent_of_copy"] = 100;
  state.counters["messages"] = static_cast<double>(2 * (bytes / 65536 + 1));
  state.counters["rounds"] = 1;
}

OrderedReplica ordered(const std::vector<Item>& items) {
  return {[&items](const KeyRange& range, std::size_t count) {
    auto at = items.begin();
    if (range.after) {
      at = std::upper_bound(at, items.end(), *range.after,
                            [](const Key& key, const Item& item) { return key < item.key; });
    }
    std::vector<Item> out;
    for (; at != items.end() && out.size() < count && range.contains(at->key); ++at) {
      out.push_back(*at);
    }
    return out;
  }};
}

void digest_list(benchmark::State& state) {
  const auto [keys, differences] = sizes_of(state);
  const Data& d = data(keys, differences);
  const OrderedReplica here = ordered(d.here);
  const OrderedReplica there = ordered(d.there);
  for (auto _ : state) {
    Wire wire;
    DigestListExchange exchange(1, {});
    std::vector<DigestListRequest> first = exchange.start(here);
    std::deque<DigestListRequest> waiting(first.begin(), first.end());
    while (!waiting.empty()) {
      const auto reply = answer(there, wire.carry(waiting.front()));
      waiting.pop_front();
      const auto next = exchange.on_answer(here, wire.carry(reply.value()));
      waiting.insert(waiting.end(), next.value().begin(), next.value().end());
    }
    state.PauseTiming();
    report(state, d, wire, exchange.result(), exchange.rounds(), differences);
    state.ResumeTiming();
  }
}

struct Indexes {
  Indexes(const MerkleShape& shape, const Data& d) : here(shape), there(shape) {
    for (const Item& item : d.here) here.put(item.key, item.fingerprint);
    for (const Item& item : d.there) there.put(item.key, item.fingerprint);
  }
  LeafIndex here;
  LeafIndex there;
};

// The last ones stay: a benchmark is run several times until its iterations are enough.
const Indexes& indexes(const MerkleShape& shape, const Data& d) {
  static std::unique_ptr<Indexes> last;
  static const Data* of = nullptr;
  if (!last || of != &d || last->here.tree().shape() != shape) {
    last.reset();
    last = std::make_unique<Indexes>(shape, d);
    of = &d;
  }
  return *last;
}

MerkleReplica replica_of(const LeafIndex& index) {
  return {index.tree(), [&index](std::span<const LeafRange> ranges, std::vector<Item>& out) {
            index.list(ranges, out);
          }};
}

void merkle(benchmark::State& state, const MerkleShape& shape, std::uint32_t leaf_budget) {
  const auto [keys, differences] = sizes_of(state);
  const Data& d = data(keys, differences);
  const Indexes& both = indexes(shape, d);
  const MerkleReplica mine = replica_of(both.here);
  const MerkleReplica theirs = replica_of(both.there);
  const MerkleOptions options{.leaf_budget = leaf_budget};
  for (auto _ : state) {
    Wire wire;
    MerkleExchange exchange(1, shape, options);
    std::vector<MerkleRequest> first = exchange.start(mine);
    std::deque<MerkleRequest> waiting(first.begin(), first.end());
    while (!waiting.empty()) {
      const auto parts = answer(theirs, wire.carry(waiting.front()), options);
      waiting.pop_front();
      for (const MerkleAnswer& part : parts.value()) {
        const auto next = exchange.on_answer(mine, wire.carry(part));
        waiting.insert(waiting.end(), next.value().begin(), next.value().end());
      }
    }
    state.PauseTiming();
    report(state, d, wire, exchange.result(), exchange.rounds(), differences);
    state.ResumeTiming();
  }
}

void range(benchmark::State& state) {
  const auto [keys, differences] = sizes_of(state);
  const Data& d = data(keys, differences);
  OrderedItems here;
  OrderedItems there;
  for (const Item& item : d.here) here.put(item.key, item.fingerprint);
  for (const Item& item : d.there) there.put(item.key, item.fingerprint);
  for (auto _ : state) {
    Wire wire;
    RangeExchange exchange(1, {});
    std::vector<RangeRequest> first = exchange.start(here);
    std::deque<RangeRequest> waiting(first.begin(), first.end());
    while (!waiting.empty()) {
      const auto reply = answer(there, wire.carry(waiting.front()));
      waiting.pop_front();
      const auto next = exchange.on_answer(here, wire.carry(reply.value()));
      waiting.insert(waiting.end(), next.value().begin(), next.value().end());
    }
    state.PauseTiming();
    report(state, d, wire, exchange.result(), exchange.rounds(), differences);
    state.ResumeTiming();
  }
}

// ---- Keeping the tree ------------------------------------------------------------------------

void update(benchmark::State& state, const MerkleShape& shape) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  std::vector<Item> items;
  MerkleTree tree(shape);
  for (std::uint64_t n = 0; n < keys; ++n) items.push_back({record_of(n).key, {hash128({})}});
  tree.rebuild(items);
  std::uint64_t n = 0;
  for (auto _ : state) {
    Item& item = items[below(mix(++n, 1), keys)];
    const Fingerprint fresh{{.high = n, .low = 7}};
    tree.update(item.key, item.fingerprint, fresh);
    item.fingerprint = fresh;
  }
  state.counters["MiB"] = static_cast<double>(tree.memory_bytes()) / 1048576.0;
}

void update_ranges(benchmark::State& state) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  std::vector<Key> all;
  OrderedItems items;
  for (std::uint64_t n = 0; n < keys; ++n) {
    all.push_back(record_of(n).key);
    items.put(all.back(), {hash128({})});
  }
  std::uint64_t n = 0;
  for (auto _ : state) {
    const Key& key = all[below(mix(++n, 1), keys)];
    items.put(key, {{.high = n, .low = 7}});
  }
}

// The other way: leaves are sums, and the digest of an inner node is a hash over its children's. At
// once, and in plain arrays, which is the best that it can be.
void update_hash_of_children(benchmark::State& state, const MerkleShape& shape) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  const MerkleTree places(shape);
  std::vector<std::vector<Hash128>> levels;
  for (std::uint32_t level = 0; level <= shape.depth; ++level) {
    levels.emplace_back(places.nodes_at(level));
  }
  std::vector<Item> items;
  for (std::uint64_t n = 0; n < keys; ++n) items.push_back({record_of(n).key, {hash128({})}});
  std::uint64_t n = 0;
  for (auto _ : state) {
    Item& item = items[below(mix(++n, 1), keys)];
    const Fingerprint fresh{{.high = n, .low = 7}};
    std::uint32_t node = places.leaf_of(item.key);
    SetDigest leaf(levels.back()[node]);
    const Hash128 key_hash = hash128(as_bytes(item.key));
    leaf.subtract(item_hash(key_hash, item.fingerprint, 0));
    leaf.add(item_hash(key_hash, fresh, 0));
    levels.back()[node] = leaf.sum();
    for (std::uint32_t level = shape.depth; level-- > 0;) {
      node /= shape.fanout;
      const Hash128* const children = &levels[level + 1][std::size_t{node} * shape.fanout];
      levels[level][node] = hash128(ByteView(reinterpret_cast<const std::uint8_t*>(children),
                                             shape.fanout * sizeof(Hash128)));
    }
    item.fingerprint = fresh;
  }
}

// ---- What is measured --------------------------------------------------------------------------

constexpr std::int64_t kMillion = 1'000'000;

struct Tree {
  const char* name;
  MerkleShape shape;
  std::uint32_t leaf_budget;
};
const std::vector<Tree> kTrees = {
    {"merkle/16^5/budget:16", {.fanout = 16, .depth = 5}, 16},
    {"merkle/16^5/budget:4", {.fanout = 16, .depth = 5}, 4},
    {"merkle/16^5/budget:0", {.fanout = 16, .depth = 5}, 0},
    {"merkle/4^10/budget:16", {.fanout = 4, .depth = 10}, 16},
    {"merkle/64^3/budget:16", {.fanout = 64, .depth = 3}, 16},
    {"merkle/1024^2/budget:16", {.fanout = 1024, .depth = 2}, 16},
    {"merkle/2^15/budget:16", {.fanout = 2, .depth = 15}, 16},
};

const bool registered = [] {
  for (const auto& [keys, differences] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {kMillion / 10, 1}, {kMillion, 0}, {kMillion, 1}, {kMillion, 100}, {kMillion, 10'000}}) {
    const auto add = [&](const char* name, auto run) {
      benchmark::RegisterBenchmark((std::string(name) + "/keys/differences").c_str(), run)
          ->Args({keys, differences})
          ->Unit(benchmark::kMillisecond)
          ->MinTime(0.2);
    };
    add("full-copy", full_copy);
    add("digest-list", digest_list);
    add("range/16/32", range);
    for (const Tree& tree : kTrees) {
      add(tree.name, [tree](benchmark::State& s) { merkle(s, tree.shape, tree.leaf_budget); });
    }
  }
  for (const Tree& tree : kTrees) {
    if (tree.leaf_budget != 16) continue;  // of this shape already
    const std::string shape =
        std::to_string(tree.shape.fanout) + "^" + std::to_string(tree.shape.depth);
    benchmark::RegisterBenchmark(("update/sums/" + shape).c_str(), [tree](benchmark::State& s) {
      update(s, tree.shape);
    })->Arg(kMillion);
    benchmark::RegisterBenchmark(
        ("update/hash-of-children/" + shape).c_str(),
        [tree](benchmark::State& s) { update_hash_of_children(s, tree.shape); })
        ->Arg(kMillion);
  }
  benchmark::RegisterBenchmark("update/treap", update_ranges)->Arg(kMillion);
  return true;
}();

}  // namespace
}  // namespace rejoin::reconcile
