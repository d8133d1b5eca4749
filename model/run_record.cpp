#include "model/run_record.hpp"

namespace rejoin {

std::string_view to_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::vacuous:
      return "vacuous";
    case Verdict::unbounded:
      return "unbounded";
  }
  return "?";
}

std::string_view to_name(NodeState state) {
  switch (state) {
    case NodeState::alive:
      return "alive";
    case NodeState::dead:
      return "dead";
    case NodeState::offline:
      return "offline";
    case NodeState::syncing:
      return "syncing";
    case NodeState::evicted:
      return "evicted";
  }
  return "?";
}

}  // namespace rejoin
