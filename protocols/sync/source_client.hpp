// The asking side: questions to sources, each with its timeout and its attempts.
//
// Invariants:
// 1. One question at a time to a source of a repair; its outcome is told to the listener once,
//    unless it was cancelled.
// 2. An answer that is not the awaited one (other repair, source or chunk) changes nothing.
// 3. probe() and copy() never call the listener back from inside the call, but for on_round().
//
// Not here: which sources to ask, in which order, and what to do with the records.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "protocols/sync/context.hpp"
#include "protocols/sync/messages.hpp"
#include "protocols/sync/sync_manager.hpp"

namespace rejoin::sync_detail {

enum class Outcome : std::uint8_t {
  answered,    // and, for a copy, all of it
  unrepaired,  // refused: the source waits for a repair itself
  unable,      // refused for another reason
  silent,      // no answer after fetch_attempts; for a probe, in one
};

// What a source's word on itself means for who asked.
[[nodiscard]] Outcome outcome_of(SourceState state);

// What is asked for; the same for every source of one repair.
struct Question {
  std::uint64_t repair = 0;
  PartitionId partition;
  bool accept_unrepaired = false;
  std::uint64_t number = 0;  // which repair of the partition in this process
  std::uint32_t round = 0;   // how often the sources were asked before
};

class SourceListener {
 public:
  SourceListener() = default;
  SourceListener(const SourceListener&) = delete;
  SourceListener& operator=(const SourceListener&) = delete;
  virtual ~SourceListener() = default;
  // A question, or several side by side, were sent to a source of the repair.
  virtual void on_round(std::uint64_t repair) = 0;
  // `freshness` counts only when `outcome` is answered.
  virtual void on_probed(std::uint64_t repair, const Freshness& freshness, Outcome outcome) = 0;
  virtual void on_records(std::uint64_t repair, std::vector<Record> records) = 0;
  virtual void on_copied(std::uint64_t repair, NodeId source, Outcome outcome) = 0;
};

class SourceClient {
 public:
  SourceClient(SyncContext& context, SourceListener& listener)
      : context_(context), listener_(listener) {}

  void set_fetch_function(SyncManager::FetchFunction fetch) { fetch_ = std::move(fetch); }

  // How fresh is the source? Asked once.
  void probe(const Question& question, NodeId source);
  // All records of the partition, by the application's fetch function when there is one.
  void copy(const Question& question, NodeId source);
  // Forgets every question of the repair.
  void cancel(std::uint64_t repair);

  [[nodiscard]] bool on_freshness(Address from, const FreshnessReply& reply);
  [[nodiscard]] bool on_chunk(Address from, FetchReply reply);
  void on_timer(std::uint64_t number);

 private:
  struct QuestionKey {
    std::uint64_t repair = 0;
    NodeId source;
    friend auto operator<=>(const QuestionKey&, const QuestionKey&) = default;
  };
  enum class Waiting : std::uint8_t { answer, pause };
  struct Asked {
    Question question;
    bool probe = false;
    std::uint64_t number = 0;  // of its timer
    Waiting waiting = Waiting::answer;
    std::uint32_t attempt = 0;
    std::uint32_t chunk = 0;
    Key after;
    Address address;
    std::uint64_t call = 0;  // which call of the application's function may still answer
  };
  using AskedMap = std::map<QuestionKey, Asked>;

  Asked& open(const Question& question, NodeId source, bool probe);
  void send(const QuestionKey& key, Asked& asked);
  void call_application(const QuestionKey& key, Asked& asked);
  void on_application_batch(const QuestionKey& key, std::uint64_t call,
                            std::vector<Record> records);
  void on_application_done(const QuestionKey& key, std::uint64_t call, bool ok);
  void fail_attempt(AskedMap::iterator at);
  void wait(Asked& asked, Waiting what, Duration length);
  void close(AskedMap::iterator at, Outcome outcome);
  void forget(AskedMap::iterator at);
  [[nodiscard]] bool well_formed(const FetchReply& reply) const;

  SyncContext& context_;
  SourceListener& listener_;
  SyncManager::FetchFunction fetch_;
  AskedMap asked_;
  std::map<std::uint64_t, QuestionKey> by_timer_;
  std::uint64_t numbers_ = 0;
  std::uint64_t calls_ = 0;
};

}  // namespace rejoin::sync_detail
