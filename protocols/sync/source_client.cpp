#include "protocols/sync/source_client.hpp"

#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"

namespace rejoin::sync_detail {

Outcome outcome_of(SourceState state) {
  switch (state) {
    case SourceState::ready:
      return Outcome::answered;
    case SourceState::unrepaired:
      return Outcome::unrepaired;
    case SourceState::unable:
      return Outcome::unable;
  }
  return Outcome::unable;
}

void SourceClient::probe(const Question& question, NodeId source) {
  Asked& asked = open(question, source, true);
  send({question.repair, source}, asked);
}

void SourceClient::copy(const Question& question, NodeId source) {
  Asked& asked = open(question, source, false);
  if (fetch_) {
    // From a timer of its own: the function may answer before it returns (invariant 3).
    wait(asked, Waiting::pause, Duration::zero());
  } else {
    send({question.repair, source}, asked);
  }
}

void SourceClient::cancel(std::uint64_t repair) {
  auto at = asked_.lower_bound({repair, NodeId{}});
  while (at != asked_.end() && at->first.repair == repair) forget(at++);
}

bool SourceClient::on_freshness(Address from, const FreshnessReply& reply) {
  if (!context_.knows(reply.partition) || !known(reply.state)) return false;
  const auto at = asked_.find({reply.repair, reply.source});
  if (at == asked_.end() || !at->second.probe) return true;  // late
  if (from != at->second.address || reply.partition != at->second.question.partition) return false;
  const std::uint64_t repair = reply.repair;
  forget(at);
  listener_.on_probed(repair, {reply.source, reply.newest, reply.records}, outcome_of(reply.state));
  return true;
}

bool SourceClient::on_chunk(Address from, FetchReply reply) {
  if (!well_formed(reply)) return false;
  const auto at = asked_.find({reply.repair, reply.source});
  if (at == asked_.end() || at->second.probe || fetch_) return true;  // late
  Asked& asked = at->second;
  if (from != asked.address || reply.partition != asked.question.partition) return false;
  if (reply.chunk != asked.chunk) return true;  // late
  if (reply.state != SourceState::ready) {
    close(at, outcome_of(reply.state));
    return true;
  }
  if (asked.chunk > 0 && !reply.records.empty() && reply.records.front().key <= asked.after) {
    return false;
  }

  const bool more = reply.more;
  if (more) {
    asked.after = reply.last;
    ++asked.chunk;
    asked.attempt = 0;
    send(at->first, asked);
  }
  listener_.on_records(reply.repair, std::move(reply.records));
  if (!more) {
    const auto still = asked_.find({reply.repair, reply.source});
    CHECK_THAT(still != asked_.end());
    close(still, Outcome::answered);
  }
  return true;
}

void SourceClient::on_timer(std::uint64_t number) {
  const auto timer = by_timer_.find(number);
  if (timer == by_timer_.end()) return;
  const QuestionKey key = timer->second;
  const auto at = asked_.find(key);
  CHECK_THAT(at != asked_.end());
  if (at->second.waiting == Waiting::answer) return fail_attempt(at);
  if (fetch_) {
    call_application(key, at->second);
  } else {
    send(key, at->second);
  }
}

SourceClient::Asked& SourceClient::open(const Question& question, NodeId source, bool probe) {
  const QuestionKey key{question.repair, source};
  const auto [at, fresh] = asked_.emplace(key, Asked{});
  CHECK_THAT(fresh);
  at->second.question = question;
  at->second.probe = probe;
  at->second.number = ++numbers_;
  by_timer_.emplace(numbers_, key);
  return at->second;
}

void SourceClient::send(const QuestionKey& key, Asked& asked) {
  const Question& question = asked.question;
  const Member* const member = context_.member(key.source);
  // A source that has left the cluster is not asked; its silence is counted like any other.
  if (member != nullptr) {
    asked.address = member->address;
    listener_.on_round(key.repair);
    const std::uint64_t identity =
        identity_of(question.partition, question.number, key.source, asked.chunk);
    const std::uint32_t attempt = question.round * context_.options.fetch_attempts + asked.attempt;
    const Epoch epoch = context_.map().epoch;
    if (asked.probe) {
      const FreshnessRequest request{.repair = key.repair,
                                     .source = key.source,
                                     .partition = question.partition,
                                     .epoch = epoch,
                                     .accept_unrepaired = question.accept_unrepaired,
                                     .number = question.number,
                                     .attempt = attempt};
      context_.env.send_message(asked.address, Transport::stream, request, Purpose::repair,
                                identity, attempt);
    } else {
      const FetchRequest request{.repair = key.repair,
                                 .source = key.source,
                                 .partition = question.partition,
                                 .epoch = epoch,
                                 .accept_unrepaired = question.accept_unrepaired,
                                 .number = question.number,
                                 .attempt = attempt,
                                 .chunk = asked.chunk,
                                 .after = asked.after,
                                 .chunk_bytes = context_.options.fetch_chunk_bytes};
      context_.env.send_message(asked.address, Transport::stream, request, Purpose::repair,
                                identity, attempt);
    }
  }
  wait(asked, Waiting::answer, context_.options.fetch_timeout);
}

// The last thing that its caller does: the function may answer at once, and the question be gone.
void SourceClient::call_application(const QuestionKey& key, Asked& asked) {
  const std::uint64_t call = ++calls_;
  asked.call = call;
  wait(asked, Waiting::answer, context_.options.fetch_timeout);
  const SyncManager::FetchFunction fetch = fetch_;
  fetch(
      asked.question.partition, key.source,
      [this, key, call](std::vector<Record> records) {
        on_application_batch(key, call, std::move(records));
      },
      [this, key, call](bool ok) { on_application_done(key, call, ok); });
}

void SourceClient::on_application_batch(const QuestionKey& key, std::uint64_t call,
                                        std::vector<Record> records) {
  const auto at = asked_.find(key);
  if (at == asked_.end() || at->second.call != call) return;
  // Progress: the timeout is of a silence, not of the whole copy.
  wait(at->second, Waiting::answer, context_.options.fetch_timeout);
  listener_.on_records(key.repair, std::move(records));
}

void SourceClient::on_application_done(const QuestionKey& key, std::uint64_t call, bool ok) {
  const auto at = asked_.find(key);
  if (at == asked_.end() || at->second.call != call) return;
  if (ok) return close(at, Outcome::answered);
  fail_attempt(at);
}

void SourceClient::fail_attempt(AskedMap::iterator at) {
  Asked& asked = at->second;
  asked.call = 0;
  ++asked.attempt;
  if (asked.probe || asked.attempt >= context_.options.fetch_attempts) {
    return close(at, Outcome::silent);
  }
  wait(asked, Waiting::pause, context_.options.retry_backoff);
}

void SourceClient::wait(Asked& asked, Waiting what, Duration length) {
  asked.waiting = what;
  context_.env.arm(TimerId(kQuestionTimers + asked.number), context_.env.now() + length);
}

void SourceClient::close(AskedMap::iterator at, Outcome outcome) {
  const QuestionKey key = at->first;
  const bool probe = at->second.probe;
  forget(at);
  if (probe) {
    listener_.on_probed(key.repair, {key.source, {}, 0}, outcome);
  } else {
    listener_.on_copied(key.repair, key.source, outcome);
  }
}

void SourceClient::forget(AskedMap::iterator at) {
  context_.env.disarm(TimerId(kQuestionTimers + at->second.number));
  by_timer_.erase(at->second.number);
  asked_.erase(at);
}

bool SourceClient::well_formed(const FetchReply& reply) const {
  if (!context_.knows(reply.partition) || !known(reply.state)) return false;
  if (reply.state != SourceState::ready && (!reply.records.empty() || reply.more)) return false;
  if (reply.more && reply.records.empty()) return false;
  const Key* previous = nullptr;
  for (const Record& record : reply.records) {
    const Key& key = record.key;
    if (previous != nullptr && key <= *previous) return false;
    if (partition_of(key, context_.gate.partition_count()) != reply.partition) return false;
    previous = &key;
  }
  return reply.last == (previous != nullptr ? *previous : Key{});
}

}  // namespace rejoin::sync_detail
