#include "sim/run/stale_time.hpp"

#include <variant>

namespace rejoin::sim {

void StaleTime::on_fact(MonotonicTime at, const FactSource& source, const Fact& fact) {
  any_ = any(at);
  copies_ = copies(at);
  last_ = at;
  if (const auto* written = std::get_if<fact::RecordWritten>(&fact)) {
    if (written->stored) look_at(source.node, written->key);
  } else if (const auto* returned = std::get_if<fact::OperationReturned>(&fact)) {
    const Operation& operation = returned->operation;
    const bool counts = operation.result == ResultKind::ok && changes_key(operation.kind);
    if (counts) look_at_copies(operation.key);
  } else if (std::holds_alternative<fact::ProcessStarted>(fact) ||
             std::holds_alternative<fact::ProcessCrashed>(fact) ||
             std::holds_alternative<fact::ProcessHalted>(fact) ||
             std::holds_alternative<fact::DiskWiped>(fact) ||
             std::holds_alternative<fact::StoreRecovered>(fact) ||
             std::holds_alternative<fact::PartitionDropped>(fact)) {
    if (!source.node.is_none()) look_at_all(source.node);
  } else if (std::holds_alternative<fact::MembersApplied>(fact) ||
             std::holds_alternative<fact::MapApplied>(fact)) {
    look_at_all();
  }
}

Duration StaleTime::any(MonotonicTime end) const {
  return any_ + (behind_.empty() ? Duration() : end - last_);
}

Duration StaleTime::copies(MonotonicTime end) const {
  return copies_ + (end - last_) * static_cast<std::int64_t>(behind_.size());
}

void StaleTime::look_at(NodeId node, const Key& key) {
  if (world_.copy_of(node, key) == Copy::current) {
    behind_.erase({node, key});
  } else {
    behind_.emplace(node, key);
  }
}

void StaleTime::look_at_copies(const Key& key) {
  for (const auto& [id, node] : world_.nodes()) look_at(id, key);
}

void StaleTime::look_at_all(NodeId node) {
  for (const auto& [key, history] : world_.keys()) look_at(node, key);
}

void StaleTime::look_at_all() {
  for (const auto& [id, node] : world_.nodes()) look_at_all(id);
}

}  // namespace rejoin::sim
