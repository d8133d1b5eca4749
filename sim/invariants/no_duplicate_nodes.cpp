#include <map>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

std::string address_text(Address address) {
  return "address " + std::to_string(address.value);
}

class NoDuplicateNodes final : public Invariant {
 public:
  NoDuplicateNodes() : Invariant(fact_set<fact::MembersApplied>()) {}

  void after(const FactEvent& event, const World& /*world*/) override {
    count_judgement();
    const auto& applied = std::get<fact::MembersApplied>(event.fact);
    std::map<NodeId, Address> nodes;
    std::map<Address, NodeId> addresses;
    for (const fact::MemberInfo& member : applied.members) {
      const auto [node, node_is_new] = nodes.try_emplace(member.node, member.address);
      const auto [address, address_is_new] = addresses.try_emplace(member.address, member.node);
      if (!node_is_new) {
        tell(event, applied, member.node,
             to_name(member.node) + " is a member twice, at " + address_text(node->second) +
                 " and at " + address_text(member.address));
      } else if (!address_is_new) {
        tell(event, applied, member.node,
             to_name(address->second) + " and " + to_name(member.node) + " are both members at " +
                 address_text(member.address));
      }
    }
  }

 private:
  void tell(const FactEvent& event, const fact::MembersApplied& applied, NodeId member,
            const std::string& what) {
    if (!is_new(member, {})) return;
    std::vector<std::string> items;
    for (const fact::MemberInfo& each : applied.members) {
      items.push_back(to_name(each.node) + " (incarnation " +
                      std::to_string(each.incarnation.value) + ") at " +
                      address_text(each.address));
    }
    Evidence evidence;
    evidence.add(event.at, to_name(event.source.node), "applies the members " + list_text(items));
    report(event,
           {.node = member,
            .says = what + ", in the member list that " + to_name(event.source.node) + " applied",
            .evidence = evidence.lines()});
  }
};

[[maybe_unused]] const bool registered = register_invariant<NoDuplicateNodes>(
    "no-duplicate-nodes", "no node is a member twice, and no two members share an address",
    "Judged at each member list that a node applies.");

}  // namespace

}  // namespace rejoin::sim
