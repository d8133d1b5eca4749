// `rejoin schema`: what editors know of scenario files.
#include "sim/scenario/schema.hpp"

#include "sim/app/commands.hpp"
#include "sim/app/load.hpp"

namespace rejoin::app {

ExitStatus execute(const SchemaCommand& /*command*/) {
  print(sim::json_schema(vocabulary()));
  return ExitStatus::as_expected;
}

}  // namespace rejoin::app
