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
    for (const Key& key : operate.keys) items.push_back({key, operate.value});
  }
  return items;
}

Consistency level_of(const action::Operate& operate, const ClientOptions& options) {
  if (operate.level) return *operate.level;
  return operate.kind == OperationKind::read ? options.read : options.write;
}

}  // namespace

std::map<ClientId, std::vector<OperationRequest>> Workload::begin(const Step& step,
                                                                  const action::Operate& operate) {
  std::map<ClientId, std::vector<OperationRequest>> out;
  const std::vector<Item> items = items_of(operate);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ClientId client(static_cast<std::uint32_t>(i % operate.clients) + 1);
    const RequestId id{.client = client, .n = ++last_n_[client]};
    // Every value written is unique, so that a value that is read names its write.
    const bool named = operate.kind == OperationKind::write || operate.kind == OperationKind::add;
    const Value otherwise = named                                      ? to_name(id)
                            : operate.kind == OperationKind::increment ? "1"
                                                                       : Value{};
    out[client].push_back({.id = id,
                           .kind = operate.kind,
                           .key = items[i].key,
                           .value = items[i].value.empty() ? otherwise : items[i].value,
                           .level = level_of(operate, options_),
                           .direct = operate.direct,
                           .via = operate.via,
                           .pause = operate.every,
                           .label = step.label});
  }
  return out;
}

}  // namespace rejoin::sim
