#include "sim/run/workload.hpp"

#include <algorithm>

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
    const RequestId id = next_id(client, operate.kind);
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

OperationRequest Workload::begin(const Load& load, const action::Workload& workload,
                                 ClientId client, std::uint64_t number) {
  OperationRequest out = load.request(client, number);
  out.id = next_id(client, out.kind);
  const bool reads = out.kind == OperationKind::read;
  out.level = reads ? workload.read_level.value_or(options_.read)
                    : workload.write_level.value_or(options_.write);
  // Padded to its size behind its name, which stays unique, for no name has a point in it.
  if (out.kind == OperationKind::write) {
    const std::string name = to_name(out.id);
    out.value.replace(0, std::min(name.size(), out.value.size()), name);
  }
  return out;
}

void Workload::skip(const Load& load, ClientId client, std::uint64_t number) {
  (void)next_id(client, load.request(client, number).kind);
}

// A client that reads first has an id for the read, too.
RequestId Workload::next_id(ClientId client, OperationKind kind) {
  std::uint64_t& last = last_n_[client];
  last += options_.read_first && changes_key(kind) ? 2 : 1;
  return {.client = client, .n = last};
}

}  // namespace rejoin::sim
