#include "protocols/sync/source_server.hpp"

#include <algorithm>
#include <utility>

#include "model/random.hpp"

namespace rejoin::sync_detail {

bool SourceServer::on_freshness(Address from, const FreshnessRequest& request) {
  if (is_client(from) || request.source != context_.self || !context_.knows(request.partition)) {
    return false;
  }
  FreshnessReply reply{.repair = request.repair,
                       .source = context_.self,
                       .partition = request.partition,
                       .state = state(request.partition, request.epoch, request.accept_unrepaired),
                       .newest = {},
                       .records = 0};
  if (reply.state == SourceState::ready) {
    reply.records = context_.store.record_count(request.partition);
    context_.store.scan(request.partition, "", [&reply](const Record& record) {
      reply.newest = std::max(reply.newest, record.version);
      return true;
    });
  }
  answer(from, reply, identity_of(request.partition, request.number, context_.self, 0),
         request.attempt);
  return true;
}

bool SourceServer::on_fetch(Address from, const FetchRequest& request) {
  if (is_client(from) || request.source != context_.self || !context_.knows(request.partition)) {
    return false;
  }
  FetchReply reply{.repair = request.repair,
                   .source = context_.self,
                   .partition = request.partition,
                   .state = state(request.partition, request.epoch, request.accept_unrepaired),
                   .chunk = request.chunk,
                   .records = {},
                   .more = false,
                   .last = {}};
  if (reply.state == SourceState::ready) collect(request, reply);
  answer(from, reply, identity_of(request.partition, request.number, context_.self, request.chunk),
         request.attempt);
  return true;
}

void SourceServer::on_durable() {
  const std::uint64_t durable = context_.store.durable_sequence();
  while (!waiting_.empty() && waiting_.front().seq <= durable) {
    Waiting& next = waiting_.front();
    context_.env.send(next.to, Transport::stream, std::move(next.frame), next.tag);
    waiting_.pop_front();
  }
}

SourceState SourceServer::state(PartitionId partition, Epoch epoch, bool accept_unrepaired) {
  if (!context_.store.ready() || context_.map().epoch < epoch) return SourceState::unable;
  if (waiting_.size() >= kAnswersMax) return SourceState::unable;
  if (!accept_unrepaired && !repaired_(partition)) return SourceState::unrepaired;
  return SourceState::ready;
}

void SourceServer::collect(const FetchRequest& request, FetchReply& reply) const {
  // A record that is larger than a chunk still travels, alone: else it could never.
  const std::uint64_t room = std::clamp<std::uint64_t>(request.chunk_bytes, 1, kChunkBytesMax);
  std::uint64_t used = 0;
  context_.store.scan(request.partition, request.after, [&](const Record& record) {
    if (used >= room) {
      reply.more = true;
      return false;
    }
    constexpr std::uint64_t kOtherFieldsBytes = 24;
    used += record.key.size() + record.value.size() + kOtherFieldsBytes;
    reply.records.push_back(record);
    return true;
  });
  if (!reply.records.empty()) reply.last = reply.records.back().key;
}

template <class Reply>
void SourceServer::answer(Address to, const Reply& reply, std::uint64_t identity,
                          std::uint32_t attempt) {
  const Tag tag{Reply::kind, Purpose::repair, identity, attempt};
  const bool shows_data = reply.state == SourceState::ready;
  const std::uint64_t seq = shows_data ? context_.store.last_sequence() : 0;
  if (!shows_data || seq <= context_.store.durable_sequence()) {
    return context_.env.send(to, Transport::stream, encode_message(reply), tag);
  }
  waiting_.push_back({seq, to, encode_message(reply), tag});
}

}  // namespace rejoin::sync_detail
