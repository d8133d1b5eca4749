#include "sim/scenario/selectors.hpp"

namespace rejoin::sim {

const std::vector<SelectorForm>& selector_forms() {
  static const std::vector<SelectorForm> all = {
      {"node-3", "number", "that node"},
      {"client-1", "number", "that client"},
      {"leader", "", "who leads the cluster; nobody when nobody does"},
      {"follower", "", "one member that does not lead, by a draw"},
      {"followers", "", "all members that do not lead"},
      {"member", "", "one member of the cluster, by a draw"},
      {"members", "", "all members of the cluster"},
      {"majority", "", "the smallest majority of all nodes, by a draw"},
      {"minority", "", "the largest minority of all nodes, by a draw"},
      {"random", "", "one node, by a draw"},
      {"random(2)", "count", "that many nodes, by a draw"},
      {"owner(key-7)", "key", "the first owner of the key's partition"},
      {"owners(key-7)", "key", "all owners of the key's partition"},
      {"zone(a)", "site", "every node in that site of the topology, whatever its kind"},
      {"twin(node-3)", "node", "the second processes with that node's id, by the fault `twin`"},
      {"nodes", "", "every node"},
      {"clients", "", "every client"},
      {"all", "", "every node and client"},
      {"others", "", "in sets of hosts: every node that the other sets do not name"},
  };
  return all;
}

std::vector<std::string> selector_words() {
  std::vector<std::string> out;
  for (const SelectorForm& form : selector_forms()) {
    if (form.argument.empty()) out.emplace_back(form.text);
  }
  return out;
}

}  // namespace rejoin::sim
