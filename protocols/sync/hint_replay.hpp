// Hints, from when they are taken to when their owner has them: which are kept, who is thought to
// be reachable, and what is sent when.
//
// A hint goes to its owner. When that owns the key's partition no more, it goes to all who own it
// now: in a sloppy quorum it may be the only durable copy of a write that was acknowledged, and
// those who copied the partition from its old owners did not ask here. That owner, should it come
// back and own the partition again, does not get it; that it missed something is then for other
// mechanisms, as is everything else that it missed while it owned nothing.
//
// Invariants:
// 1. A hint ends as `delivered` only when everyone whom it goes to has said that it, or what is
//    newer, is durable there. Any other end is published with its reason.
// 2. No more than kInFlightMax hints are unanswered, and no more bytes are sent than the throttle
//    allows, averaged over one hint.
// 3. An owner that left a hint unanswered is sent nothing before it is heard of again, or the next
//    round is due, which sends it one.
//
// Not here: files (hint_log.hpp).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocols/sync/context.hpp"
#include "protocols/sync/coordination.hpp"
#include "protocols/sync/hint_log.hpp"
#include "protocols/sync/hint_messages.hpp"

namespace rejoin::sync_detail {

struct HintOptions {
  // How long an owner may be away until nothing more is kept for it, and how old a hint may get.
  Duration window = 3h;
  std::uint64_t cap = 100'000;                     // hints in all
  std::uint64_t throttle_bytes_per_s = 1U << 20U;  // 0: unlimited
  bool durable = true;                             // in a file; else in memory
  bool newest_first = false;
  bool by_incarnation = false;  // a hint is for that life of the owner alone
  Duration retry = 10s;         // from one round, in which every owner is tried, to the next
};

class HintReplay final : public HintKeeper {
 public:
  static constexpr std::size_t kInFlightMax = 64;

  HintReplay(SyncContext& context, const HintOptions& options)
      : context_(context), options_(options), log_(context.env, context.bus, options.durable) {}

  void start();

  // ---- What the coordinator asks and tells ----
  [[nodiscard]] bool ready() const override;
  std::optional<std::uint64_t> keep(NodeId owner, const Record& record) override;
  [[nodiscard]] std::uint64_t durable_sequence() const override { return log_.durable_sequence(); }
  void heard(Address from) override;

  void on_io(const IoDone& done);
  void on_timer();
  void on_store_durable();
  void on_cluster_changed(const local::ClusterChanged& changed);
  // False when no node that works would send it.
  [[nodiscard]] bool on_delivered(Address from, const HintDelivered& message);

 private:
  // What is kept for one owner.
  struct Line {
    std::set<std::uint64_t> waiting;       // to be sent
    std::map<Key, std::uint64_t> newest;   // of each key, kept or under way
    std::optional<MonotonicTime> missing;  // since when nothing was heard of it
    bool reachable = false;
    bool probing = false;  // it is only hoped to be: one hint at a time
    bool refused = false;  // it has another map than this node, or had
    std::size_t under_way = 0;

    [[nodiscard]] bool may_be_sent() const {
      return reachable && !refused && !waiting.empty() && (!probing || under_way == 0);
    }
  };
  struct Sent {
    NodeId owner;
    std::set<NodeId> targets;   // that have not answered yet
    std::uint64_t own_seq = 0;  // of this node's store, when it is one of them
    MonotonicTime deadline{};
  };

  void adopt(const Hint& hint);
  void forget(std::uint64_t seq, const std::string& how);
  [[nodiscard]] std::optional<std::string> hopeless(const Hint& hint) const;
  [[nodiscard]] std::vector<NodeId> targets_of(const Hint& hint) const;
  void begin_round();
  void take_back_overdue();
  void pump();
  [[nodiscard]] std::optional<std::uint64_t> choose();
  void send(const Hint& hint, const std::vector<NodeId>& targets);
  void held_by(std::uint64_t seq, NodeId target);
  void take_back(std::uint64_t seq);
  void arm();

  SyncContext& context_;
  HintOptions options_;
  HintLog log_;
  std::map<NodeId, Line> lines_;
  NodeId last_served_;
  std::map<std::uint64_t, Sent> in_flight_;
  std::map<std::uint64_t, std::uint32_t> attempts_;  // of hints that were sent before
  MonotonicTime may_send_{};
  MonotonicTime next_round_{};
};

// The side of the owner.
class HintTaker {
 public:
  static constexpr std::size_t kAnswersMax = 1024;  // beyond that hints are left unanswered

  explicit HintTaker(SyncContext& context) : context_(context) {}

  // False when it cannot be a hint for this node.
  [[nodiscard]] bool on_delivery(Address from, const HintDelivery& message);
  void on_store_durable();

 private:
  struct Waiting {
    std::uint64_t seq = 0;
    Address to;
    HintDelivered answer;
  };
  void answer(Address to, const HintDelivered& message);

  SyncContext& context_;
  std::deque<Waiting> waiting_;  // seq ascends
};

}  // namespace rejoin::sync_detail
