// The asking side of comparisons: what differs between this node and one source of a partition is
// found out, what the source has is fetched, and what it lacks is given to it.
//
// Invariants:
// 1. One comparison at a time with a source of a repair; its outcome is told to the listener once,
//    unless it was cancelled, and never from inside run().
// 2. It is `answered` when every record that differed was fetched (`pull`) and told to the
//    listener, and everything that this node then held durably and the source did not is durable at
//    the source (`push`).
// 3. An answer that is not the awaited one changes nothing; one that no correct source would give
//    is rejected.
// 4. A source that makes no progress for fetch_timeout is asked again, fetch_attempts times.
//
// Not here: which sources to ask, and what fetched records become (RepairQueue).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "protocols/sync/compare_messages.hpp"
#include "protocols/sync/source_client.hpp"
#include "protocols/sync/tree_keeper.hpp"

namespace rejoin::sync_detail {

class Reconciler {
 public:
  Reconciler(SyncContext& context, TreeKeeper& trees, SourceListener& listener)
      : context_(context), trees_(trees), listener_(listener) {}

  // `how.means` is lists or trees.
  void run(const Question& question, NodeId source, const Transfer& how);
  // Forgets every comparison of the repair.
  void cancel(std::uint64_t repair);

  [[nodiscard]] bool on_merkle(Address from, const MerkleTold& told);
  [[nodiscard]] bool on_list(Address from, const ListTold& told);
  [[nodiscard]] bool on_pulled(Address from, const PullReply& reply);
  [[nodiscard]] bool on_pushed(Address from, const PushReply& reply);
  void on_timer(std::uint64_t number);

 private:
  struct SessionKey {
    std::uint64_t repair = 0;
    NodeId source;
    friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
  };
  enum class Phase : std::uint8_t { starting, comparing, pulling, pushing };
  struct Session {
    Question question;
    NodeId source;
    Transfer how;
    Phase phase = Phase::starting;
    std::uint64_t number = 0;  // of its timer
    std::uint32_t attempt = 0;
    std::uint32_t step = 0;  // of pulling and pushing
    Address address;
    std::variant<std::monostate, reconcile::MerkleExchange, reconcile::DigestListExchange> exchange;
    std::deque<Key> wanted;    // of the source, ascending
    std::vector<Key> asked;    // of these, by the open request
    std::set<Key> offered;     // to the source
    std::vector<Record> sent;  // of these, by the open request
  };
  using Sessions = std::map<SessionKey, Session>;

  [[nodiscard]] Sessions::iterator find(const CompareHead& head) {
    return sessions_.find({head.repair, head.source});
  }
  [[nodiscard]] bool expects(const Session& session, Address from, const CompareHead& head,
                             Phase phase) const;
  [[nodiscard]] reconcile::OrderedReplica lists_of(const Session& session) const;
  [[nodiscard]] CompareHead head_of(const Session& session, std::uint32_t step) const;
  template <class Ask>
  void send(Session& session, const Ask& ask);
  void begin(Session& session);
  void ask_trees(Session& session, const std::vector<reconcile::MerkleRequest>& requests);
  void ask_lists(Session& session, const std::vector<reconcile::DigestListRequest>& requests);
  void progress(Session& session);
  void compared(Sessions::iterator at, const reconcile::Differences& found);
  void pull(Sessions::iterator at);
  void push(Sessions::iterator at);
  void send_push(Session& session);
  void send_again(Session& session);
  void close(Sessions::iterator at, Outcome outcome);
  void forget(Sessions::iterator at);
  [[nodiscard]] bool well_formed_pull(const Session& session, const PullReply& reply) const;

  SyncContext& context_;
  TreeKeeper& trees_;
  SourceListener& listener_;
  Sessions sessions_;
  std::map<std::uint64_t, SessionKey> by_timer_;
  std::uint64_t numbers_ = 0;
};

}  // namespace rejoin::sync_detail
