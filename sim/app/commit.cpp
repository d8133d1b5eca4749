#include "sim/app/commands.hpp"

namespace rejoin::app {

// CMakeLists.txt looks it up when it configures; it does so again when the commit changes.
std::string build_commit() {
  return REJOIN_COMMIT;
}

}  // namespace rejoin::app
