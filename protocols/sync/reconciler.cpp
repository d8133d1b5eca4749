#include "protocols/sync/reconciler.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "model/check.hpp"
#include "protocols/sync/compare_server.hpp"

namespace rejoin::sync_detail {

namespace {

// Of a request for records, by key.
constexpr std::size_t kKeysAsked = 1024;

}  // namespace

// ---- Sessions ------------------------------------------------------------------------------

void Reconciler::run(const Question& question, NodeId source, const Transfer& how) {
  const SessionKey key{question.repair, source};
  const auto [at, fresh] = sessions_.emplace(key, Session{});
  CHECK_THAT(fresh);
  Session& session = at->second;
  session.question = question;
  session.source = source;
  session.how = how;
  session.number = ++numbers_;
  by_timer_.emplace(numbers_, key);
  // From a timer of its own: equal trees would be told from inside this call (invariant 1).
  context_.env.arm(TimerId(kCompareTimers + session.number), context_.env.now());
}

void Reconciler::cancel(std::uint64_t repair) {
  auto at = sessions_.lower_bound({repair, NodeId{}});
  while (at != sessions_.end() && at->first.repair == repair) forget(at++);
}

void Reconciler::begin(Session& session) {
  session.phase = Phase::comparing;
  const PartitionId partition = session.question.partition;
  if (session.how.means == Means::trees) {
    CHECK_THAT(trees_.keeps());
    const TreeOptions& options = trees_.options();
    auto& exchange = session.exchange.emplace<reconcile::MerkleExchange>(
        session.question.repair, options.shape, options.exchange);
    ask_trees(session, exchange.start(trees_.replica(partition)));
  } else {
    auto& exchange = session.exchange.emplace<reconcile::DigestListExchange>(
        session.question.repair, reconcile::DigestListOptions{});
    ask_lists(session, exchange.start(lists_of(session)));
  }
  progress(session);
}

// Who does not take equal versions for equal has no fingerprint in common with anybody.
reconcile::OrderedReplica Reconciler::lists_of(const Session& session) const {
  reconcile::OrderedReplica own = ordered_replica(context_.store, session.question.partition);
  if (!session.how.distrusts_equal) return own;
  return {.first = [own](const reconcile::KeyRange& range, std::size_t count) {
    std::vector<reconcile::Item> items = own.first(range, count);
    for (reconcile::Item& item : items) item.fingerprint.hash.high ^= 1;
    return items;
  }};
}

CompareHead Reconciler::head_of(const Session& session, std::uint32_t step) const {
  const Question& question = session.question;
  return {.repair = question.repair,
          .source = session.source,
          .partition = question.partition,
          .epoch = context_.map().epoch,
          .accept_unrepaired = question.accept_unrepaired,
          .number = question.number,
          .step = step,
          .attempt = question.round * context_.options.fetch_attempts + session.attempt};
}

template <class Ask>
void Reconciler::send(Session& session, const Ask& ask) {
  const Member* const member = context_.member(session.source);
  // A source that has left the cluster is not asked; its silence is counted like any other.
  if (member == nullptr) return;
  session.address = member->address;
  context_.env.send_message(session.address, Transport::stream, ask, Purpose::repair,
                            identity_of(ask.head, Ask::kind), ask.head.attempt);
}

// Each step has its own place in tags: digests, lists, pulls and pushes count apart by their kind.
void Reconciler::ask_trees(Session& session,
                           const std::vector<reconcile::MerkleRequest>& requests) {
  if (!requests.empty()) listener_.on_round(session.question.repair);
  for (const reconcile::MerkleRequest& request : requests) {
    send(session, MerkleAsk{.head = head_of(session, request.number), .request = request});
  }
}

void Reconciler::ask_lists(Session& session,
                           const std::vector<reconcile::DigestListRequest>& requests) {
  if (!requests.empty()) listener_.on_round(session.question.repair);
  for (const reconcile::DigestListRequest& request : requests) {
    send(session, ListAsk{.head = head_of(session, request.number), .request = request});
  }
}

void Reconciler::progress(Session& session) {
  session.attempt = 0;
  context_.env.arm(TimerId(kCompareTimers + session.number),
                   context_.env.now() + context_.options.fetch_timeout);
}

bool Reconciler::expects(const Session& session, Address from, const CompareHead& head,
                         Phase phase) const {
  return session.phase == phase && from == session.address &&
         head.partition == session.question.partition;
}

// ---- What differs --------------------------------------------------------------------------

bool Reconciler::on_merkle(Address from, const MerkleTold& told) {
  if (!context_.knows(told.head.partition) || !known(told.state)) return false;
  const auto at = find(told.head);
  if (at == sessions_.end()) return true;  // late
  Session& session = at->second;
  auto* const exchange = std::get_if<reconcile::MerkleExchange>(&session.exchange);
  if (exchange == nullptr || !expects(session, from, told.head, Phase::comparing)) return true;
  if (told.state != SourceState::ready) {
    close(at, outcome_of(told.state));
    return true;
  }
  const auto next = exchange->on_answer(trees_.replica(session.question.partition), told.answer);
  if (!next) return next.error() == reconcile::Refusal::not_asked;  // late; else no right answer
  ask_trees(session, *next);
  progress(session);
  using enum reconcile::MerkleExchange::Outcome;
  if (exchange->outcome() == other_shape) {
    close(at, Outcome::unable);
  } else if (exchange->outcome() == done) {
    compared(at, exchange->result());
  }
  return true;
}

bool Reconciler::on_list(Address from, const ListTold& told) {
  if (!context_.knows(told.head.partition) || !known(told.state)) return false;
  const auto at = find(told.head);
  if (at == sessions_.end()) return true;  // late
  Session& session = at->second;
  auto* const exchange = std::get_if<reconcile::DigestListExchange>(&session.exchange);
  if (exchange == nullptr || !expects(session, from, told.head, Phase::comparing)) return true;
  if (told.state != SourceState::ready) {
    close(at, outcome_of(told.state));
    return true;
  }
  const auto next = exchange->on_answer(lists_of(session), told.answer);
  if (!next) return next.error() == reconcile::Refusal::not_asked;
  ask_lists(session, *next);
  progress(session);
  if (exchange->done()) compared(at, exchange->result());
  return true;
}

void Reconciler::compared(Sessions::iterator at, const reconcile::Differences& found) {
  Session& session = at->second;
  if (session.how.pull) {
    std::merge(found.missing_here.begin(), found.missing_here.end(), found.different.begin(),
               found.different.end(), std::back_inserter(session.wanted));
  }
  if (session.how.push) {
    session.offered.insert(found.missing_there.begin(), found.missing_there.end());
    // What differs is offered when the pull has shown that the source has not got all of it.
    if (!session.how.pull) session.offered.insert(found.different.begin(), found.different.end());
  }
  session.exchange.emplace<std::monostate>();
  pull(at);
}

// ---- Records -------------------------------------------------------------------------------

void Reconciler::pull(Sessions::iterator at) {
  Session& session = at->second;
  session.phase = Phase::pulling;
  if (session.wanted.empty()) return push(at);
  const std::size_t count = std::min(session.wanted.size(), kKeysAsked);
  session.asked.assign(session.wanted.begin(),
                       session.wanted.begin() + static_cast<std::ptrdiff_t>(count));
  listener_.on_round(session.question.repair);
  send(session, PullRequest{.head = head_of(session, session.step),
                            .keys = session.asked,
                            .chunk_bytes = context_.options.fetch_chunk_bytes});
  progress(session);
}

bool Reconciler::well_formed_pull(const Session& session, const PullReply& reply) const {
  if (reply.state != SourceState::ready) return reply.records.empty() && reply.covered == 0;
  if (reply.covered == 0 || reply.covered > session.asked.size()) return false;
  auto asked = session.asked.begin();
  const auto end = session.asked.begin() + static_cast<std::ptrdiff_t>(reply.covered);
  for (const Record& record : reply.records) {
    asked = std::find(asked, end, record.key);
    if (asked == end || !well_formed(context_.store.rules(), record)) return false;
    ++asked;
  }
  return true;
}

bool Reconciler::on_pulled(Address from, const PullReply& reply) {
  if (!context_.knows(reply.head.partition) || !known(reply.state)) return false;
  const auto at = find(reply.head);
  if (at == sessions_.end()) return true;
  Session& session = at->second;
  if (!expects(session, from, reply.head, Phase::pulling)) return true;
  if (reply.head.step != session.step) return true;  // late
  if (!well_formed_pull(session, reply)) return false;
  if (reply.state != SourceState::ready) {
    close(at, outcome_of(reply.state));
    return true;
  }
  const auto covered = static_cast<std::ptrdiff_t>(reply.covered);
  const std::vector<Key> keys(session.asked.begin(), session.asked.begin() + covered);
  session.wanted.erase(session.wanted.begin(), session.wanted.begin() + covered);
  ++session.step;
  listener_.on_records(reply.head.repair, reply.records);
  if (session.how.push) {
    // Merged by now. Whoever holds less than that is told.
    auto record = reply.records.begin();
    for (const Key& key : keys) {
      const bool there = record != reply.records.end() && record->key == key;
      const std::optional<Record> mine = context_.store.get(session.question.partition, key);
      if (mine && (!there || *mine != *record)) session.offered.insert(key);
      if (there) ++record;
    }
  }
  pull(at);
  return true;
}

void Reconciler::push(Sessions::iterator at) {
  Session& session = at->second;
  session.phase = Phase::pushing;
  session.sent.clear();
  std::uint64_t bytes = 0;
  while (!session.offered.empty() && bytes < context_.options.fetch_chunk_bytes) {
    const Key key = *session.offered.begin();
    session.offered.erase(session.offered.begin());
    std::optional<Record> record = context_.store.get(session.question.partition, key);
    if (!record) continue;
    // What a crash here could take back is nobody else's yet. It differs again next time.
    if (context_.store.sequence_of(session.question.partition, key) >
        context_.store.durable_sequence()) {
      continue;
    }
    bytes += key.size() + record->value.size();
    session.sent.push_back(*std::move(record));
  }
  if (session.sent.empty()) return close(at, Outcome::answered);
  send_push(session);
  progress(session);
}

void Reconciler::send_push(Session& session) {
  listener_.on_round(session.question.repair);
  send(session, PushRequest{.head = head_of(session, session.step), .records = session.sent});
}

bool Reconciler::on_pushed(Address from, const PushReply& reply) {
  if (!context_.knows(reply.head.partition) || !known(reply.state)) return false;
  const auto at = find(reply.head);
  if (at == sessions_.end()) return true;
  Session& session = at->second;
  if (!expects(session, from, reply.head, Phase::pushing)) return true;
  if (reply.head.step != session.step) return true;  // late
  if (reply.state != SourceState::ready) {
    close(at, outcome_of(reply.state));
    return true;
  }
  ++session.step;
  push(at);
  return true;
}

// ---- Silence -------------------------------------------------------------------------------

void Reconciler::on_timer(std::uint64_t number) {
  const auto timer = by_timer_.find(number);
  if (timer == by_timer_.end()) return;
  const auto at = sessions_.find(timer->second);
  CHECK_THAT(at != sessions_.end());
  Session& session = at->second;
  if (session.phase == Phase::starting) return begin(session);
  if (++session.attempt >= context_.options.fetch_attempts) return close(at, Outcome::silent);
  send_again(session);
  context_.env.arm(TimerId(kCompareTimers + session.number),
                   context_.env.now() + context_.options.fetch_timeout);
}

void Reconciler::send_again(Session& session) {
  switch (session.phase) {
    case Phase::starting:
      return;
    case Phase::comparing:
      if (auto* trees = std::get_if<reconcile::MerkleExchange>(&session.exchange)) {
        ask_trees(session, trees->resend());
      } else if (auto* lists = std::get_if<reconcile::DigestListExchange>(&session.exchange)) {
        ask_lists(session, lists->resend());
      }
      return;
    case Phase::pulling:
      return send(session, PullRequest{.head = head_of(session, session.step),
                                       .keys = session.asked,
                                       .chunk_bytes = context_.options.fetch_chunk_bytes});
    case Phase::pushing:
      return send_push(session);
  }
}

void Reconciler::close(Sessions::iterator at, Outcome outcome) {
  const SessionKey key = at->first;
  forget(at);
  listener_.on_copied(key.repair, key.source, outcome);
}

void Reconciler::forget(Sessions::iterator at) {
  context_.env.disarm(TimerId(kCompareTimers + at->second.number));
  by_timer_.erase(at->second.number);
  sessions_.erase(at);
}

}  // namespace rejoin::sync_detail
