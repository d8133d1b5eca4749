#include <algorithm>
#include <map>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class MembershipAgrees final : public Invariant {
 public:
  MembershipAgrees()
      : Invariant(fact_set<fact::MembersApplied, fact::ProcessStarted, fact::ProcessCrashed,
                           fact::ProcessHalted>()) {}

  void after(const FactEvent& event, const World& /*world*/) override {
    if (const auto* applied = std::get_if<fact::MembersApplied>(&event.fact)) {
      applied_[event.source.node] = {event.at, applied->members};
    } else {
      applied_.erase(event.source.node);  // a process knows what it has applied itself
    }
  }

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    std::vector<NodeId> live;
    for (const auto& [id, node] : world.nodes()) {
      if (node.up && node.member) live.push_back(id);
    }
    if (live.size() < 2) return;
    const std::vector<fact::MemberInfo>& newest = world.members();
    for (const NodeId node : live) {
      count_judgement();
      const auto found = applied_.find(node);
      if (found != applied_.end() && same(found->second.members, newest)) continue;
      Evidence evidence;
      evidence.add(at, "the newest list", text_of(newest));
      std::string says = "at the end " + to_name(node) + ", a member that is up, ";
      if (found == applied_.end()) {
        says += "has applied no list of members";
        evidence.add(at, to_name(node), "has applied none since it started");
      } else {
        says += "takes " + text_of(found->second.members) + " for the members";
        evidence.add(found->second.at, to_name(node), "applies " + text_of(found->second.members));
      }
      says += ", and not " + text_of(newest);
      report(at, event, {.node = node, .says = std::move(says), .evidence = evidence.lines()});
    }
  }

 private:
  struct Applied {
    MonotonicTime at{};
    std::vector<fact::MemberInfo> members{};
  };

  // By node, as lists are: the life of each member, and where it is reached.
  static bool same(const std::vector<fact::MemberInfo>& a, const std::vector<fact::MemberInfo>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
      return x.node == y.node && x.incarnation == y.incarnation && x.address == y.address;
    });
  }

  static std::string text_of(const std::vector<fact::MemberInfo>& members) {
    std::vector<std::string> items;
    for (const fact::MemberInfo& member : members) {
      items.push_back(to_name(member.node) + " (incarnation " +
                      std::to_string(member.incarnation.value) + ")");
    }
    return items.empty() ? "nobody" : list_text(items);
  }

  std::map<NodeId, Applied> applied_;  // by this life of the node
};

[[maybe_unused]] const bool registered = register_invariant<MembershipAgrees>(
    "membership-agrees", "in the end every live member has applied the same list of members",
    "Judged at the end for each member that is up, when there are two or more, against the list "
    "applied at the highest log index: the same nodes, incarnations and addresses. A member that "
    "has applied no list since it started does not agree. Who is no member need not know.",
    true);

}  // namespace

}  // namespace rejoin::sim
