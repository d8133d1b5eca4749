#include "protocols/sync/compare_server.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "model/mutant.hpp"

namespace rejoin::sync_detail {

reconcile::OrderedReplica ordered_replica(const Store& store, PartitionId partition) {
  return {.first = [&store, partition](const reconcile::KeyRange& range, std::size_t count) {
    std::vector<reconcile::Item> out;
    store.scan(partition, range.after.value_or(Key()), [&](const Record& record) {
      if (out.size() == count || (range.last && *range.last < record.key)) return false;
      if (MUTANT("sync-no-tombstones") && is_deleted(record)) return true;
      out.push_back({record.key, reconcile::fingerprint_of(record)});
      return true;
    });
    return out;
  }};
}

bool CompareServer::is_for_me(Address from, const CompareHead& head) const {
  return !is_client(from) && head.source == context_.self && context_.knows(head.partition);
}

SourceState CompareServer::state(const CompareHead& head) const {
  if (!context_.store.ready() || context_.map().epoch < head.epoch) return SourceState::unable;
  if (waiting_.size() >= kAnswersMax) return SourceState::unable;
  if (!head.accept_unrepaired && !repaired_(head.partition)) return SourceState::unrepaired;
  return SourceState::ready;
}

bool CompareServer::on_merkle(Address from, const MerkleAsk& ask) {
  if (!is_for_me(from, ask.head)) return false;
  MerkleTold told{.head = ask.head, .state = state(ask.head), .answer = {}};
  if (!trees_.keeps() && told.state == SourceState::ready) told.state = SourceState::unable;
  if (told.state != SourceState::ready) {
    answer(from, told, 0);
    return true;
  }
  const auto parts =
      reconcile::answer(trees_.replica(ask.head.partition), ask.request, trees_.options().exchange);
  if (!parts) return false;
  for (const reconcile::MerkleAnswer& part : *parts) {
    told.answer = part;
    answer(from, told, 0, part.part);
  }
  return true;
}

bool CompareServer::on_list(Address from, const ListAsk& ask) {
  if (!is_for_me(from, ask.head)) return false;
  ListTold told{.head = ask.head, .state = state(ask.head), .answer = {}};
  if (told.state == SourceState::ready) {
    auto said = reconcile::answer(ordered_replica(context_.store, ask.head.partition), ask.request);
    if (!said) return false;
    told.answer = *std::move(said);
  }
  answer(from, told, 0);
  return true;
}

bool CompareServer::on_pull(Address from, const PullRequest& request) {
  if (!is_for_me(from, request.head) || request.keys.empty()) return false;
  if (!std::is_sorted(request.keys.begin(), request.keys.end())) return false;
  PullReply reply{.head = request.head, .state = state(request.head), .covered = 0, .records = {}};
  std::uint64_t seq = 0;
  if (reply.state == SourceState::ready) {
    const std::uint64_t room = std::clamp<std::uint64_t>(request.chunk_bytes, 1, kChunkBytesMax);
    std::uint64_t used = 0;
    for (const Key& key : request.keys) {
      if (used >= room) break;
      ++reply.covered;
      std::optional<Record> record = context_.store.get(request.head.partition, key);
      if (!record) continue;
      constexpr std::uint64_t kOtherFieldsBytes = 24;
      used += key.size() + record->value.size() + kOtherFieldsBytes;
      seq = std::max(seq, context_.store.sequence_of(request.head.partition, key));
      reply.records.push_back(*std::move(record));
    }
  }
  answer(from, reply, seq);
  return true;
}

bool CompareServer::on_push(Address from, const PushRequest& request) {
  if (!is_for_me(from, request.head)) return false;
  const PartitionId partition = request.head.partition;
  const Key* previous = nullptr;
  for (const Record& record : request.records) {
    const bool ascends = previous == nullptr || *previous < record.key;
    if (!ascends || !well_formed(context_.store.rules(), record)) return false;
    if (partition_of(record.key, context_.gate.partition_count()) != partition) return false;
    previous = &record.key;
  }
  // Whether it is repaired itself does not matter: what it is given is news or it is not.
  CompareHead head = request.head;
  head.accept_unrepaired = true;
  PushReply reply{.head = request.head, .state = state(head), .changed = 0};
  if (reply.state == SourceState::ready && !context_.is_owner(partition)) {
    reply.state = SourceState::unable;
  }
  std::uint64_t seq = 0;
  if (reply.state == SourceState::ready) {
    for (const Record& record : request.records) {
      const StoreWrite write =
          context_.store.put(partition, record, MergeRule::merge, fact::WriteCause::repair);
      reply.changed += write.stored ? 1 : 0;
      seq = std::max(seq, write.seq);
    }
  }
  answer(from, reply, seq);
  return true;
}

void CompareServer::on_durable() {
  const std::uint64_t durable = context_.store.durable_sequence();
  while (!waiting_.empty() && waiting_.front().seq <= durable) {
    Waiting& next = waiting_.front();
    context_.env.send(next.to, Transport::stream, std::move(next.frame), next.tag);
    waiting_.pop_front();
  }
}

template <class Reply>
void CompareServer::answer(Address to, const Reply& reply, std::uint64_t seq, std::uint32_t part) {
  const Tag tag{Reply::kind, Purpose::repair, mix(identity_of(reply.head, Reply::kind), part),
                reply.head.attempt};
  if (seq <= context_.store.durable_sequence()) {
    return context_.env.send(to, Transport::stream, encode_message(reply), tag);
  }
  // In order of sequence; an answer that waits for less may wait for as much.
  seq = waiting_.empty() ? seq : std::max(seq, waiting_.back().seq);
  waiting_.push_back({seq, to, encode_message(reply), tag});
}

}  // namespace rejoin::sync_detail
