// A small cluster of pure cores, stepped by hand: messages lie in a bag until they are delivered or
// dropped, records until they are persisted, timers until they are fired. It remembers what every
// server did and says which of Raft's guarantees (Raft, figure 3) were broken.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocols/raft/core.hpp"

namespace rejoin::raft {

class RaftWorld {
 public:
  struct Envelope {
    NodeId from;
    NodeId to;
    Message message;
  };

  explicit RaftWorld(const RaftOptions& options = {}) : options_(options) {}

  // ---- Setting up ----
  void found(const std::vector<std::uint32_t>& nodes);
  // An empty disk that waits to be added.
  void add_empty(std::uint32_t node, std::uint64_t incarnation = 1);

  // ---- Stepping ----
  void elapse(Duration duration) { now_ += duration; }
  // Moves time to the server's deadline and fires its timer; false when it has none.
  bool timeout(std::uint32_t node);
  // Fires the timer of every server whose deadline has come.
  void fire_due();
  // Delivers the first message of that link; false when there is none.
  bool deliver(std::uint32_t from, std::uint32_t to);
  void deliver_at(std::size_t position, bool keep = false);
  void drop(std::uint32_t from, std::uint32_t to);
  void drop_at(std::size_t position);
  void drop_all() { bag_.clear(); }
  void persist(std::uint32_t node);
  void save_snapshots(std::uint32_t node);
  // Persists and delivers until nothing is left to do; what crosses a cut is lost. Only `only`
  // takes part, if it is not empty.
  void settle(const std::set<std::uint32_t>& only = {});
  // Time passes in heartbeats; timers fire, all is delivered and persisted.
  void run(Duration duration, const std::set<std::uint32_t>& only = {});
  // Elects this server and settles among `only`; false when it lost.
  bool elect(std::uint32_t node, const std::set<std::uint32_t>& only = {});

  Proposed propose(std::uint32_t node, const std::string& command);
  Proposed add(std::uint32_t leader, std::uint32_t node, std::uint64_t incarnation = 1);
  Proposed remove(std::uint32_t leader, std::uint32_t node);
  void compact(std::uint32_t node);

  void cut(std::uint32_t a, std::uint32_t b);
  void heal() { cuts_.clear(); }
  // Loses what was not synced; of that, the first `torn_bytes` reach the disk all the same.
  void crash(std::uint32_t node, std::size_t torn_bytes = 0);
  void restart(std::uint32_t node);

  // ---- Looking ----
  [[nodiscard]] MonotonicTime now() const { return now_; }
  [[nodiscard]] bool is_up(std::uint32_t node) const;
  [[nodiscard]] const Core& core(std::uint32_t node) const;
  [[nodiscard]] const std::vector<std::string>& state(std::uint32_t node) const;
  [[nodiscard]] const std::vector<Envelope>& bag() const { return bag_; }
  [[nodiscard]] std::vector<std::uint32_t> nodes() const;
  [[nodiscard]] std::optional<std::uint32_t> leader() const;
  // Which guarantees were broken, in order; empty: none.
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  // What happened since the last call: facts and messages sent, a line each.
  [[nodiscard]] std::vector<std::string> take_events();
  // `1: leader term 2 commit 3 log 1/1 +2 ...`, a line.
  [[nodiscard]] std::string summary(std::uint32_t node) const;

 private:
  struct Host {
    ServerId id;
    std::unique_ptr<Core> core;  // null while it is down
    Bytes log;                   // durable
    Bytes snapshot;              // durable
    struct Unsynced {
      PersistSeq seq;
      Bytes bytes;
    };
    std::deque<Unsynced> unsynced;
    bool rewrite = false;
    std::deque<std::shared_ptr<const Bytes>> saves;
    std::deque<Outgoing> waiting;
    std::vector<std::string> state;
  };

  [[nodiscard]] Host& host(std::uint32_t node);
  void drain(Host& host);
  void put_in_bag(Host& host, const Outgoing& out);
  void apply(Host& host, const CommittedRange& range);
  void judge(const Host& host, const Fact& fact);
  void judge_leader(const Host& host, Term term);
  void judge_logs();
  void violate(const std::string& what);
  void boot(Host& host);
  static void rewrite_log(Host& host);

  RaftOptions options_;
  MonotonicTime now_{};
  std::map<std::uint32_t, Host> hosts_;
  std::vector<Envelope> bag_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cuts_;
  std::vector<std::string> events_;
  std::vector<std::string> violations_;
  std::map<Term, ServerId> leaders_;
  struct Known {
    Term term;
    std::uint64_t digest = 0;
    Term committed_in;
  };
  std::map<LogIndex, Known> committed_;
};

// `AppendEntries term 2 prev 1/1 commit 1 entries 2`.
[[nodiscard]] std::string to_text(const Message& message);

}  // namespace rejoin::raft
