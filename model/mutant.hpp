// MUTANT("name"): a planted bug. It is the constant false in every build but `rejoin-hunt`, which
// compiles the same sources with REJOIN_HUNT defined and plants the bugs that it is told to.
// A mutant proves that some test or invariant would notice: each has a named test that kills it.
#pragma once

#include <string_view>
#include <vector>

namespace rejoin {

struct MutantSpec {
  std::string_view name;
  std::string_view bug;        // what is wrong in the code, one line
  std::string_view invariant;  // registered name of the invariant that must catch it
  std::string_view scenario;   // a file in which seeds find it
};

// Every bug that can be planted, in order of name.
[[nodiscard]] const std::vector<MutantSpec>& mutants();

#ifdef REJOIN_HUNT
// Plants one bug for the whole process; false when there is no such mutant. An empty name plants
// none. Must not be called while a run is under way.
bool plant_mutant(std::string_view name);
[[nodiscard]] bool mutant_is_planted(std::string_view name);
#endif

}  // namespace rejoin

#ifdef REJOIN_HUNT
#define MUTANT(name) ::rejoin::mutant_is_planted(name)
#else
#define MUTANT(name) false
#endif
