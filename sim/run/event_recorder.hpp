// The event recorder: all that pictures of a run show, as the run goes on. It watches the kernel as
// a trace does, and the world after it has absorbed each fact; it has no influence on either.
//
// Invariants:
// 1. A run with a recorder has the digest of one without.
// 2. Of more than kMessagesMax messages or kFactsMax facts some are left out (thin), of more than
//    ReplicaTimes::kSpansMax spans of a node some are joined, above kGhostsMax there are no more
//    ghosts; all are counted. What replicas held grows with the history of operations, as the
//    world's own shadow does.
// 3. A message that arrives is told from others on its link by its bytes, one that is lost by its
//    tag; of several that are alike the first sent is taken.
//
// Not here: who draws what (reports/).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/run_events.hpp"
#include "model/run_record.hpp"
#include "sim/invariants/world.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/replica_times.hpp"

namespace rejoin::sim {

// Texts by number, each once.
class Interner {
 public:
  explicit Interner(std::vector<std::string>& list) : list_(list) {}
  std::uint32_t of(std::string_view text);

 private:
  std::vector<std::string>& list_;
  std::map<std::string, std::uint32_t, std::less<>> index_;
};

class EventRecorder final : public TraceSink {
 public:
  static constexpr std::size_t kMessagesMax = 200'000;
  static constexpr std::size_t kFactsMax = 200'000;
  static constexpr std::size_t kGhostsMax = 2'000;

  // `next` is told everything, too; it may be null.
  EventRecorder(RunEvents& events, TraceSink* next);

  // Before the first event. Neither is owned.
  void attach(const Kernel& kernel, const World& world, std::uint32_t clients);
  // After the world has absorbed the fact.
  void after_fact(MonotonicTime at, const FactSource& source, const Fact& fact);
  // A read that returned was stale.
  void on_stale(const Operation& read, const Operation& missed, const std::string& why);
  // Once, when the run has ended.
  void finish(MonotonicTime end);

  void on_event(const TraceEvent& event) override;
  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
               const Fact& fact) override;
  void on_send(MonotonicTime at, std::uint64_t event, Address from, Address to, ByteView frame,
               const Tag& tag) override;
  void on_drop(MonotonicTime at, std::uint64_t event, Address from, Address to, const Tag& tag,
               DropReason reason) override;
  void on_mishap(MonotonicTime at, std::uint64_t event, Address from, Address to, const Tag& tag,
                 Mishap mishap) override;

 private:
  struct UnderWay {
    std::uint64_t serial = 0;
    std::uint64_t frame = 0;  // hash of its bytes
    MessageKind kind;
    std::uint64_t identity = 0;
    std::uint32_t attempt = 0;
    bool corrupted = false;
  };
  using Link = std::pair<Address, Address>;

  [[nodiscard]] std::uint32_t host_of(Address address);
  [[nodiscard]] std::uint32_t host_of(const FactSource& source);
  [[nodiscard]] RunEvents::Message* find(std::uint64_t serial);
  [[nodiscard]] UnderWay* find_tagged(const Link& link, const Tag& tag);
  [[nodiscard]] std::uint32_t key_in(std::string_view text);
  void note_carried(std::uint32_t to, const Tag& tag, std::string_view text, MonotonicTime at);
  void add_ghosts();
  void add_ghost(NodeId lacks, const Operation& write);
  [[nodiscard]] std::string why_never(NodeId lacks, const Operation& write) const;
  void thin_above(std::size_t messages, std::size_t facts);

  RunEvents& events_;
  TraceSink* next_;
  const Kernel* kernel_ = nullptr;
  const World* world_ = nullptr;
  std::optional<ReplicaTimes> times_;
  Interner kinds_;
  Interner keys_;
  Interner strings_;
  Interner fact_kinds_;
  std::map<Address, std::uint32_t> hosts_;
  std::map<Link, std::deque<UnderWay>> under_way_;
  std::map<RequestId, std::uint32_t> key_of_request_;
  // Since when a message that may have carried it was last sent to a host: by key, and of messages
  // that do not show all that they carry.
  std::map<std::pair<std::uint32_t, std::uint32_t>, MonotonicTime> carried_;
  std::map<std::uint32_t, MonotonicTime> carried_unseen_;
  std::map<std::pair<std::uint32_t, RequestId>, bool> haunted_;  // host and write: has its ghost
  std::vector<MonotonicTime> marks_;
  std::uint64_t sent_ = 0;
};

}  // namespace rejoin::sim
