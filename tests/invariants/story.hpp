// Story: a small language in which tests tell a history, fact by fact, to the judges.
//
// Time moves by one millisecond a fact, or to where at() puts it. Nodes are numbers, requests are
// (client, n).
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "sim/invariants/judges.hpp"

namespace rejoin::sim {

RequestId request(std::uint32_t client, std::uint64_t n);

class Story {
 public:
  explicit Story(std::vector<std::string> invariants = {}, const ClusterShape& shape = {},
                 const std::map<std::string, Params>& params = {});
  Story(Story&&) noexcept;
  ~Story();

  const World& world() const;
  MonotonicTime now() const { return now_; }
  Story& at(Duration time);

  // ---- Facts of nodes --------------------------------------------------------------------------
  Story& tell(std::uint32_t node, Fact fact, std::uint64_t incarnation = 1);
  // By a second machine with the node's id.
  Story& tell_twin(std::uint32_t node, Fact fact);
  Story& crash(std::uint32_t node);
  Story& start(std::uint32_t node);
  Story& recover(std::uint32_t node, std::uint64_t up_to);
  Story& members(const std::vector<std::uint32_t>& nodes, std::uint32_t applied_by = 1);
  // Every partition belongs to these nodes.
  Story& map(std::uint64_t epoch, const std::vector<std::uint32_t>& owners,
             std::uint32_t applied_by = 1);
  // All nodes are up, members, and own everything.
  Story& cluster();

  // ---- Stores ----------------------------------------------------------------------------------
  struct Put {
    bool deleted = false;
    bool erased = false;
    bool stored = true;
    fact::WriteCause cause = fact::WriteCause::foreground;
    std::vector<RequestId> others{};  // siblings
    std::uint32_t actors = 0;         // of its version vector
  };
  // The record meets what the node holds, and, when stored, takes its place, not yet durably.
  Story& put(std::uint32_t node, const Key& key, RequestId origin, Put how);
  Story& put(std::uint32_t node, const Key& key, RequestId origin);
  Story& sync(std::uint32_t node);
  Story& put_durably(const std::vector<std::uint32_t>& nodes, const Key& key, RequestId origin);
  Story& drop(std::uint32_t node, const Key& key_in_partition);
  std::uint64_t seq(std::uint32_t node) { return seqs_[node]; }

  // ---- Clients ---------------------------------------------------------------------------------
  Story& invoke(Operation operation);
  Story& answer(RequestId id, ResultKind result, std::vector<RequestId> observed = {});
  Story& abandon(RequestId id);
  // A write of "v<client>.<n>", invoked and not answered.
  Story& begin_write(RequestId id, const Key& key, Consistency level = Consistency::one,
                     std::vector<RequestId> context = {});
  Story& write(RequestId id, const Key& key, Consistency level = Consistency::one);
  Story& begin_remove(RequestId id, const Key& key);
  Story& remove(RequestId id, const Key& key);
  Story& begin_read(RequestId id, const Key& key, std::uint32_t via, bool direct = true,
                    Consistency level = Consistency::one);
  // Answered NOT FOUND when nothing is observed, or when that is a delete.
  Story& direct_read(RequestId id, const Key& key, std::uint32_t via,
                     std::vector<RequestId> observed);
  Story& read(RequestId id, const Key& key, Consistency level, std::vector<RequestId> observed);

  // ---- Verdict ---------------------------------------------------------------------------------
  Story& end();
  std::vector<Violation> violations() const;
  std::uint64_t judged(const std::string& invariant) const;

 private:
  static Operation of(RequestId id, OperationKind kind, const Key& key, Consistency level);
  static FactSource client(const Operation& operation);
  ResultKind found(const std::vector<RequestId>& observed) const;
  void publish(const FactSource& source, const Fact& fact);

  ClusterShape shape_;
  Judges judges_;
  MonotonicTime now_{};
  std::uint64_t event_ = 0;
  std::map<std::uint32_t, std::uint64_t> seqs_;
  std::map<RequestId, Operation> operations_;
};

// Exactly one violation, with this sentence, and evidence in order of time.
void check_says(const Story& story, const std::string& says);

}  // namespace rejoin::sim
