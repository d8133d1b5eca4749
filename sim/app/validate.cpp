// `rejoin validate`: is a scenario file right?
#include <algorithm>

#include "reports/page.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/load.hpp"
#include "sim/run/idle_settings.hpp"

namespace rejoin::app {

ExitStatus execute(const ValidateCommand& command) {
  ExitStatus status = ExitStatus::as_expected;
  for (const std::string& file : command.files) {
    Selection selection;
    selection.files = {file};
    const auto jobs = load(selection);
    if (!jobs) {
      print_error(jobs.error());
      status = ExitStatus::bad_input;
      continue;
    }
    const Job& job = jobs->front();
    if (command.resolved) {
      print(job.scenario.resolved());
      continue;
    }
    const Schedule schedule = job.schedule(job.first_seed);
    print(file + ": right. " + schedule.name + ": " +
          reports::counted(schedule.timeline.size(), "step") + ", " +
          reports::counted(schedule.cluster.nodes, "node") + ", seed " +
          std::to_string(job.first_seed) + ", " + reports::counted(job.trials, "trial") + "\n");
    for (const std::string& idle : sim::idle_settings(schedule)) print("  note: " + idle + "\n");
  }
  return status;
}

}  // namespace rejoin::app
