// Judges: the world and the invariants chosen for one run. All that the runner needs of this
// folder.
//
// Invariants:
// 1. Of each fact every invariant sees the world before it and after it.
// 2. Violations are ordered by (event, invariant), and by time of report within these.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "model/facts.hpp"
#include "model/run_record.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

class Judges {
 public:
  // `invariants`: registered names, as users write them; one named twice judges once. `params`: by
  // registered name, complete; who is not there has the defaults.
  Judges(const ClusterShape& shape, const std::vector<std::string>& invariants,
         const std::map<std::string, Params>& params = {});

  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source, const Fact& fact);
  // Once, when the run has settled; no fact may follow.
  void at_end(MonotonicTime at, std::uint64_t event);

  [[nodiscard]] const World& world() const { return world_; }
  // Of an invariant that found more than kViolationsMax, the last one says how many more.
  [[nodiscard]] std::vector<Violation> violations() const;
  // How often each chosen invariant judged, by registered name.
  [[nodiscard]] std::map<std::string, std::uint64_t> judged() const;

 private:
  struct Judge {
    std::string name;
    std::unique_ptr<Invariant> invariant;
  };

  World world_;
  std::vector<Judge> judges_;  // ordered by name
  std::array<std::vector<Invariant*>, std::variant_size_v<Fact>> interested_;
  bool ended_ = false;
};

}  // namespace rejoin::sim
