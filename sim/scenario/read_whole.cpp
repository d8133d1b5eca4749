// What can be judged only when the whole timeline has been read: keys that nobody writes,
// operations that values do not take, ends of what is not there.
#include <algorithm>
#include <set>
#include <utility>

#include "sim/scenario/merge.hpp"
#include "sim/scenario/read.hpp"

namespace rejoin::sim {

// Counters are counted on, sets are added to, and everything else is written and deleted.
void ScheduleReader::check_operations() {
  const auto* const conflict = find_plugin(vocabulary_.conflicts, schedule_.node.store.conflict);
  if (conflict == nullptr) return;
  std::vector<OperationKind> taken = conflict->operations;
  if (taken.empty()) taken = {OperationKind::write, OperationKind::remove};
  std::string names;
  for (const OperationKind kind : taken) {
    names += (names.empty() ? "`" : ", `") + std::string(to_name(kind)) + "`";
  }
  for (const OperationUse& use : operations_) {
    if (std::find(taken.begin(), taken.end(), use.kind) != taken.end()) continue;
    problems_.add(use.mark, "`" + std::string(to_name(use.kind)) +
                                "` changes no value of `conflict: " + conflict->name +
                                "`: " + names + (taken.size() > 1 ? " do" : " does"));
  }
}

// A key that is asked for and never written is a typing error: it would read as NOT FOUND, and a
// scenario that expects just that would pass for the wrong reason.
void ScheduleReader::check_keys() {
  std::set<Key> written;
  for (const Step& step : schedule_.timeline) {
    const auto* const operate = std::get_if<action::Operate>(&step.action);
    if (operate != nullptr && makes_keys(operate->kind)) {
      written.insert(operate->keys.begin(), operate->keys.end());
    }
  }
  for (const KeyUse& use : asked_for_) {
    for (const Key& key : use.keys) {
      if (written.contains(key)) continue;
      problems_.add(use.mark, "there is no key `" + key + "`: no step writes it");
      break;
    }
  }
}

// What is to be ended, or waited for until it has, must be a fault that does end.
void ScheduleReader::check_ends() {
  const auto step_of = [&](const std::string& label) {
    return std::find_if(schedule_.timeline.begin(), schedule_.timeline.end(),
                        [&](const Step& step) { return step.label == label; });
  };
  const std::string wanted = "faults that last: " + joined(lasting(vocabulary_.faults));
  for (const Use& use : ends_) {
    const auto step = step_of(use.name);
    if (step == schedule_.timeline.end()) continue;  // it is complained about itself
    const auto* const inject = std::get_if<action::Inject>(&step->action);
    const auto* const fault =
        inject == nullptr ? nullptr : find_plugin(vocabulary_.faults, inject->fault);
    if (fault == nullptr) {
      problems_.add(use.mark, "step `" + use.name + "` injects no fault that could end", wanted);
    } else if (!fault->ends) {
      problems_.add(use.mark,
                    "`" + fault->name + "` of step `" + use.name + "` does not last: it has no end",
                    wanted);
    }
  }
  if (!problems_.empty()) return;
  for (const Use& use : waits_) {
    const auto& inject = std::get<action::Inject>(step_of(use.name)->action);
    const bool ended =
        std::any_of(schedule_.timeline.begin(), schedule_.timeline.end(), [&](const Step& step) {
          const auto* const end = std::get_if<action::End>(&step.action);
          return end != nullptr && end->label == use.name;
        });
    if (inject.lasts || ended) continue;
    problems_.add(use.mark, "nothing ends the fault of step `" + use.name + "`",
                  "give it a duration, such as `for: 5s`, or write a step `end: " + use.name + "`");
  }
}

}  // namespace rejoin::sim
