#include "sim/run/workload.hpp"

namespace rejoin::sim {

namespace {

struct Item {
  Key key;
  Value value;  // empty: named after the request
};

std::vector<Item> items_of(const action::Operate& operate) {
  std::vector<Item> items;
  if (operate.kind == OperationKind::configure) {
    for (const auto& [name, value] : operate.settings) items.push_back({name, value});
  } else {
    for (const Key& key : operate.keys) items.push_back({key, {}});
  }
  return items;
}

Consistency level_of(const action::Operate& operate, const ClientOptions& options) {
  if (operate.level) return *operate.level;
  return operate.kind == OperationKind::read ? options.read : options.write;
}

}  // namespace

std::vector<StepOperations> plan_operations(const Schedule& schedule) {
  std::vector<StepOperations> plan(schedule.timeline.size());
  std::map<ClientId, std::uint64_t> last_n;
  for (std::size_t s = 0; s < schedule.timeline.size(); ++s) {
    const Step& step = schedule.timeline[s];
    const auto* const operate = std::get_if<action::Operate>(&step.action);
    if (operate == nullptr) continue;
    const std::vector<Item> items = items_of(*operate);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const ClientId client(static_cast<std::uint32_t>(i % operate->clients) + 1);
      const RequestId id{.client = client, .n = ++last_n[client]};
      const bool writes = operate->kind == OperationKind::write;
      plan[s].by_client[client].push_back(
          {.id = id,
           .kind = operate->kind,
           .key = items[i].key,
           // Every value written is unique, so that a value that is read names its write.
           .value = writes && items[i].value.empty() ? to_name(id) : items[i].value,
           .level = level_of(*operate, schedule.client),
           .direct = operate->direct,
           .via = operate->via,
           .pause = operate->every,
           .label = step.label});
      ++plan[s].count;
    }
  }
  return plan;
}

}  // namespace rejoin::sim
