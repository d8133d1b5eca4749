#include <algorithm>

#include "sim/invariants/evidence.hpp"
#include "sim/invariants/raft_shadow.hpp"

namespace rejoin::sim {

namespace {

// Many election timeouts and round trips: what takes longer is not slow but stuck.
constexpr Duration kPatience = 5s;

class RaftLeaderExists final : public Invariant {
 public:
  RaftLeaderExists() : Invariant(RaftShadow::kInterests) {}

  void before(const FactEvent& event, const World& /*world*/) override { shadow_.absorb(event); }

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    std::vector<Peer> up;
    for (const fact::MemberInfo& member : world.members()) {
      const ShadowServer* server = shadow_.find(kClusterGroup, member.node);
      if (world.node(member.node).up) up.push_back({member.node, server});
    }
    if (up.size() * 2 <= world.members().size()) return;
    count_judgement();
    const Peer* leader = nullptr;
    const Peer* newest = nullptr;  // who has seen the highest term
    for (const Peer& peer : up) {
      if (peer.server == nullptr) continue;
      if (newest == nullptr || peer.server->term > newest->server->term) newest = &peer;
      if (!peer.server->leads) continue;
      if (leader == nullptr || peer.server->leads_term > leader->server->leads_term) {
        leader = &peer;
      }
    }
    if (leader == nullptr) {
      tell_no_leader(at, event, world, up);
      return;
    }
    judge_leader(at, event, *leader, *newest);
    for (const Peer& peer : up) {
      if (peer.server == nullptr || !peer.server->leads || peer.node == leader->node) continue;
      if (at - leader->server->leads_since >= kPatience) tell_deposed(at, event, peer, *leader);
    }
  }

 private:
  struct Peer {
    NodeId node;
    const ShadowServer* server = nullptr;
  };

  static std::string term_text(Term term) { return "term " + std::to_string(term.value); }

  static void add_leader(Evidence& evidence, const Peer& leader) {
    evidence.add(leader.server->leads_since, to_name(leader.node),
                 "becomes leader of " + term_text(leader.server->leads_term));
  }

  void tell_no_leader(MonotonicTime at, std::uint64_t event, const World& world,
                      const std::vector<Peer>& up) {
    std::vector<NodeId> nodes;
    Evidence evidence;
    for (const Peer& peer : up) {
      nodes.push_back(peer.node);
      const std::string term = peer.server == nullptr || peer.server->term.is_none()
                                   ? "in an unknown term"
                                   : "in " + term_text(peer.server->term);
      evidence.add(world.node(peer.node).started, to_name(peer.node), "starts")
          .add(at, to_name(peer.node), "is up, " + term + ", and does not lead");
    }
    report(
        at, event,
        {.says = "at the end nobody leads, although " + list_text(nodes) + " are up, " +
                 std::to_string(up.size()) + " of " + count_text(world.members().size(), "member"),
         .evidence = evidence.lines()});
  }

  void judge_leader(MonotonicTime at, std::uint64_t event, const Peer& leader, const Peer& newest) {
    const ShadowServer& server = *leader.server;
    const std::string name =
        "at the end " + to_name(leader.node) + " leads " + term_text(server.leads_term);
    Evidence evidence;
    add_leader(evidence, leader);
    std::string problem;
    if (newest.server->term > server.leads_term) {
      problem = ", but " + to_name(newest.node) + " is in " + term_text(newest.server->term) +
                " and will not follow it";
      evidence.add(at, to_name(newest.node), "is in " + term_text(newest.server->term));
    } else if (!server.committed_in_term) {
      problem = ", but has committed nothing in it";
      evidence.add(at, to_name(leader.node), "has committed nothing in its term");
    } else if (!server.uncommitted.empty() && at - server.uncommitted.front().at >= kPatience) {
      const ShadowServer::Append& stuck = server.uncommitted.front();
      const std::string entry = "entry " + std::to_string(stuck.index.value);
      problem =
          ", but cannot commit: its " + entry + " has waited since " + to_seconds_text(stuck.at);
      evidence.add(stuck.at, to_name(leader.node), "appends " + entry)
          .add(at, to_name(leader.node), "has not committed " + entry);
    }
    if (problem.empty()) return;
    report(at, event, {.node = leader.node, .says = name + problem, .evidence = evidence.lines()});
  }

  void tell_deposed(MonotonicTime at, std::uint64_t event, const Peer& peer, const Peer& leader) {
    Evidence evidence;
    add_leader(evidence, peer);
    add_leader(evidence, leader);
    evidence.add(at, to_name(peer.node), "still takes itself for the leader");
    report(at, event,
           {.node = peer.node,
            .says = "at the end " + to_name(peer.node) + " still leads " +
                    term_text(peer.server->leads_term) + ", although " + to_name(leader.node) +
                    " has led " + term_text(leader.server->leads_term) + " since " +
                    to_seconds_text(leader.server->leads_since),
            .evidence = evidence.lines()});
  }

  RaftShadow shadow_;
};

[[maybe_unused]] const bool registered = register_invariant<RaftLeaderExists>(
    "raft-leader-exists", "in the end a majority that is up has one leader, and it can commit",
    "Judged at the end when a majority of the members is up: one of them leads, in the highest "
    "term that any of them has shown, has committed in that term, and leaves nothing that it "
    "appended uncommitted for 5 s; nobody else still leads an older term 5 s after that.",
    true);

}  // namespace

}  // namespace rejoin::sim
