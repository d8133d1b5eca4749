// Which client asks for what: the operations of a schedule's steps, with their request ids.
//
// Invariant: a client's requests are numbered in the order in which it gets them, as at most once
// needs it (Session of the protocols: what comes after a later one is a late duplicate). So ids
// depend on the order in which steps fire, on their keys, and on nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "model/schedule.hpp"
#include "protocols/client/client.hpp"

namespace rejoin::sim {

class Workload {
 public:
  explicit Workload(const ClientOptions& options) : options_(options) {}

  // For each client what it is to do for that step, which fires now.
  [[nodiscard]] std::map<ClientId, std::vector<OperationRequest>> begin(
      const Step& step, const action::Operate& operate);

 private:
  const ClientOptions& options_;
  std::map<ClientId, std::uint64_t> last_n_;
};

}  // namespace rejoin::sim
