#include <map>

#include "sim/invariants/evidence.hpp"
#include "sim/invariants/raft_shadow.hpp"

namespace rejoin::sim {

namespace {

class RaftLeaderCompleteness final : public Invariant {
 public:
  RaftLeaderCompleteness() : Invariant(RaftShadow::kInterests) {}

  void after(const FactEvent& event, const World& /*world*/) override {
    shadow_.absorb(event);
    if (const auto* leader = std::get_if<fact::BecameLeader>(&event.fact)) {
      const std::map<LogIndex, Entry>& committed = committed_[leader->group];
      if (committed.empty()) return;
      count_judgement();
      judge(event, leader->group, event.source.node, committed.begin()->first);
    } else if (const auto* fact = std::get_if<fact::Committed>(&event.fact)) {
      record(event, *fact);
    }
  }

 private:
  struct Entry {
    ShadowEntry entry;
    Term committed_in;
    NodeId by;
    MonotonicTime at{};
  };

  // The first server that commits an index settles its entry. Its term bounds from above the term
  // in which the entry was committed.
  void record(const FactEvent& event, const fact::Committed& fact) {
    std::map<LogIndex, Entry>& committed = committed_[fact.group];
    const ShadowServer* server = shadow_.find(fact.group, event.source.node);
    if (server == nullptr) return;
    LogIndex& settled = settled_[fact.group];
    const LogIndex first = std::max(settled, server->log.base()).next();
    for (LogIndex i = first; i <= fact.index; i = i.next()) {
      const std::optional<ShadowEntry> entry = server->log.at(i);
      if (entry) committed[i] = {*entry, fact.term, event.source.node, event.at};
    }
    settled = std::max(settled, fact.index);
    // A leader of a later term that is there already must have them, too.
    for (const auto& [id, other] : shadow_.servers()) {
      if (id.first == fact.group && other.leads && other.leads_term > fact.term) {
        judge(event, fact.group, id.second, first);
      }
    }
  }

  // What is compacted was committed there. What is unknown is not judged.
  void judge(const FactEvent& event, GroupId group, NodeId node, LogIndex first) {
    const ShadowServer* server = shadow_.find(group, node);
    if (server == nullptr) return;
    const ShadowLog& log = server->log;
    const std::map<LogIndex, Entry>& committed = committed_[group];
    for (auto at = committed.lower_bound(std::max(first, log.base().next())); at != committed.end();
         ++at) {
      const auto& [index, entry] = *at;
      if (entry.committed_in >= server->leads_term) continue;
      const std::optional<ShadowEntry> held = log.at(index);
      if (index > log.last() || (held && *held != entry.entry)) {
        tell(event, node, *server, index, entry);
        return;
      }
    }
  }

  void tell(const FactEvent& event, NodeId node, const ShadowServer& server, LogIndex index,
            const Entry& entry) {
    if (!is_new(node, {})) return;
    const std::string name = "entry " + std::to_string(index.value) + " of term " +
                             std::to_string(entry.entry.term.value);
    const std::optional<ShadowEntry> held = server.log.at(index);
    const std::string instead =
        held ? "has an entry of term " + std::to_string(held->term.value) + " in its place"
             : "its log ends at entry " + std::to_string(server.log.last().value);
    Evidence evidence;
    evidence
        .add(entry.at, to_name(entry.by),
             "commits " + name + " in term " + std::to_string(entry.committed_in.value))
        .add(server.leads_since, to_name(node),
             "becomes leader of term " + std::to_string(server.leads_term.value) + "; " + instead);
    report(event, {.node = node,
                   .says = to_name(node) + " leads term " +
                           std::to_string(server.leads_term.value) + " without " + name +
                           ", which " + to_name(entry.by) + " had committed in term " +
                           std::to_string(entry.committed_in.value) + ": " + instead,
                   .evidence = evidence.lines()});
  }

  RaftShadow shadow_;
  std::map<GroupId, std::map<LogIndex, Entry>> committed_;
  std::map<GroupId, LogIndex> settled_;
};

[[maybe_unused]] const bool registered = register_invariant<RaftLeaderCompleteness>(
    "raft-leader-completeness", "a leader has every entry committed in an earlier term",
    "Judged at each BecameLeader against the entries that any server had committed in an earlier "
    "term, and at each commit against leaders of later terms. Raft, figure 3: Leader "
    "Completeness.");

}  // namespace

}  // namespace rejoin::sim
