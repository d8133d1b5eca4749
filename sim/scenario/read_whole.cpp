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
    const auto* const workload = std::get_if<action::Workload>(&step.action);
    const bool writes =
        workload != nullptr &&
        std::any_of(workload->mix.begin(), workload->mix.end(), [](const auto& each) {
          return makes_keys(each.first) && each.second.ppm != 0;
        });
    if (writes) written.insert(workload->keys.begin(), workload->keys.end());
  }
  for (const KeyUse& use : asked_for_) {
    for (const Key& key : use.keys) {
      if (written.contains(key)) continue;
      problems_.add(use.mark, "there is no key `" + key + "`: no step writes it");
      break;
    }
  }
}

}  // namespace rejoin::sim
