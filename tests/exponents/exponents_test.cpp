// Costs of repair by the size of what is held, from 1,000 to 1,000,000 keys: the exponents that are
// fitted to what goes over the wire are those of theory.
#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/message.hpp"
#include "model/random.hpp"
#include "protocols/reconcile/leaf_index.hpp"
#include "protocols/reconcile/merkle_exchange.hpp"
#include "protocols/sync/compare_messages.hpp"
#include "protocols/sync/messages.hpp"
#include "protocols/versions/merge.hpp"
#include "reports/statistics.hpp"

namespace rejoin {
namespace {

using namespace reconcile;
using namespace sync_detail;

constexpr std::uint64_t kMissed = 10;
constexpr std::uint64_t kSizes[] = {1'000, 10'000, 100'000, 1'000'000};

// Keys and values are as long whatever the size, so that nothing but their number grows.
Record record_of(std::uint64_t n, std::uint64_t round) {
  Record record;
  record.key = "user-" + std::to_string(10'000'000 + n);
  record.value = std::string(24, 'v') + std::to_string(10'000'000 + n + round);
  record.version = {.timestamp = WallTime(Duration(static_cast<std::int64_t>(
                        1'700'000'000'000'000'000ULL + n + round * 1'000'000'000))),
                    .writer = NodeId(1)};
  record.origin = {.client = ClientId(1), .n = 1'000'000'000 + n};
  return record;
}

// A full copy: every record, chunk after chunk.
std::int64_t full_copy_bytes(std::uint64_t keys) {
  constexpr std::uint64_t kInChunk = 512;
  std::size_t bytes = 0;
  std::uint32_t chunk = 0;
  for (std::uint64_t from = 0; from < keys; from += kInChunk) {
    FetchRequest request;
    request.source = NodeId(2);
    request.chunk = chunk;
    FetchReply reply;
    reply.source = NodeId(2);
    reply.chunk = chunk++;
    reply.more = from + kInChunk < keys;
    for (std::uint64_t n = from; n < std::min(keys, from + kInChunk); ++n) {
      reply.records.push_back(record_of(n, 0));
    }
    bytes += encode_message(request).size() + encode_message(reply).size();
  }
  return static_cast<std::int64_t>(bytes);
}

// What the exchange of trees sends until it knows the keys that differ, and these records.
std::int64_t merkle_bytes(std::uint64_t keys) {
  const MerkleShape shape;
  const MerkleOptions options;
  LeafIndex here(shape);
  LeafIndex there(shape);
  std::size_t bytes = 0;
  for (std::uint64_t n = 0; n < keys; ++n) {
    const Record old = record_of(n, 0);
    const bool missed = n % (keys / kMissed) == 0;
    here.put(old.key, fingerprint_of(old));
    const Record now = missed ? record_of(n, 1) : old;
    there.put(now.key, fingerprint_of(now));
    if (missed) bytes += encode(now).size();
  }
  const auto replica_of = [](const LeafIndex& index) {
    return MerkleReplica{index.tree(),
                         [&index](std::span<const LeafRange> ranges, std::vector<Item>& out) {
                           index.list(ranges, out);
                         }};
  };
  const MerkleReplica mine = replica_of(here);
  const MerkleReplica theirs = replica_of(there);
  MerkleExchange exchange(1, shape, options);
  const auto first = exchange.start(mine);
  std::deque<MerkleRequest> waiting(first.begin(), first.end());
  while (!waiting.empty()) {
    const MerkleAsk ask{.head = {.repair = 1, .source = NodeId(2)},
                        .request = std::move(waiting.front())};
    waiting.pop_front();
    bytes += encode_message(ask).size();
    const auto parts = answer(theirs, ask.request, options);
    REQUIRE(parts.has_value());
    for (const MerkleAnswer& part : *parts) {
      bytes += encode_message(MerkleTold{.head = ask.head, .state = {}, .answer = part}).size();
      const auto next = exchange.on_answer(mine, part);
      REQUIRE(next.has_value());
      waiting.insert(waiting.end(), next->begin(), next->end());
    }
  }
  CHECK(exchange.result().size() == kMissed);
  return static_cast<std::int64_t>(bytes);
}

reports::Fit fit_of(const std::function<std::int64_t(std::uint64_t)>& bytes) {
  std::vector<reports::Sample> samples;
  for (const std::uint64_t keys : kSizes) {
    samples.push_back({.size = static_cast<double>(keys), .value = bytes(keys)});
    MESSAGE(keys << " keys: " << samples.back().value << " bytes");
  }
  const auto fit = reports::fit_exponent(samples);
  REQUIRE(fit.has_value());
  MESSAGE("exponent " << fit->exponent << " in " << fit->low << ".." << fit->high);
  return *fit;
}

}  // namespace

TEST_CASE("the bytes of a full copy grow as the number of keys") {
  const reports::Fit fit = fit_of(full_copy_bytes);
  CHECK(fit.exponent > 0.99);
  CHECK(fit.exponent < 1.01);
}

TEST_CASE("the bytes of a Merkle exchange over ten differences do not grow, up to the logarithm") {
  const reports::Fit fit = fit_of(merkle_bytes);
  CHECK(fit.exponent > -0.05);
  // The logarithm itself grows by half from 1,000 to 1,000,000 keys twice over: n^0.1.
  CHECK(fit.exponent < 0.15);
}

}  // namespace rejoin
