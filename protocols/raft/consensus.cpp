#include "protocols/raft/consensus.hpp"

#include <algorithm>

namespace rejoin::raft {

const Server* Configuration::find(NodeId node) const {
  const auto at =
      std::lower_bound(servers.begin(), servers.end(), node,
                       [](const Server& server, NodeId wanted) { return server.node < wanted; });
  return at != servers.end() && at->node == node ? &*at : nullptr;
}

std::size_t Configuration::voter_count() const {
  return static_cast<std::size_t>(std::count_if(servers.begin(), servers.end(),
                                                [](const Server& server) { return server.voter; }));
}

std::string_view to_name(Refusal refusal) {
  switch (refusal) {
    case Refusal::not_leader:
      return "not_leader";
    case Refusal::no_commit_in_term:
      return "no_commit_in_term";
    case Refusal::change_in_progress:
      return "change_in_progress";
    case Refusal::no_change:
      return "no_change";
    case Refusal::last_voter:
      return "last_voter";
    case Refusal::too_few_heard:
      return "too_few_heard";
  }
  return "?";
}

}  // namespace rejoin::raft
