// What clients were told, as text that two machines can be compared by: no times, no coordinators.
#pragma once

#include <string>
#include <vector>

#include "model/history.hpp"

namespace rejoin::test {

inline std::string answers(const std::vector<Operation>& history) {
  std::string out;
  for (const Operation& operation : history) {
    out += to_name(operation.id) + " " + std::string(to_name(operation.kind)) + " " +
           operation.key + " -> " + std::string(to_name(operation.result));
    if (operation.result == ResultKind::value) out += " " + operation.value;
    out += "\n";
  }
  return out;
}

}  // namespace rejoin::test
