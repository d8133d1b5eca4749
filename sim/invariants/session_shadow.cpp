#include "sim/invariants/session_shadow.hpp"

#include <algorithm>

namespace rejoin::sim {

namespace {

const std::vector<SessionVersion> kNone;

}  // namespace

void SessionShadow::absorb(const FactEvent& event, const World& world) {
  if (const auto* invoked = std::get_if<fact::OperationInvoked>(&event.fact)) {
    const Operation& operation = invoked->operation;
    const auto session = sessions_.find({operation.id.client, operation.session, operation.key});
    if (session != sessions_.end()) before_.emplace(operation.id, session->second);
    return;
  }
  const auto* returned = std::get_if<fact::OperationReturned>(&event.fact);
  if (returned == nullptr) return;
  const Operation& operation = returned->operation;
  SessionVersion version{
      .version = operation.id,
      .by = operation.id,
      .server = operation.served_by.is_none() ? operation.via : operation.served_by,
      .at = event.at};
  const auto versions = [&]() -> Versions& {
    return sessions_[{operation.id.client, operation.session, operation.key}];
  };
  if (operation.result == ResultKind::ok && operation.kind != OperationKind::configure) {
    add(versions().written, version, world);
  }
  if (operation.kind != OperationKind::read) return;
  for (const RequestId seen : operation.observed) {
    if (world.find_write(seen) == nullptr) continue;
    version.version = seen;
    add(versions().seen, version, world);
  }
}

void SessionShadow::add(std::vector<SessionVersion>& versions, const SessionVersion& added,
                        const World& world) {
  const auto covered = [&](const SessionVersion& by, const SessionVersion& other) {
    return by.server == other.server &&
           (by.version == other.version || world.older(other.version, by.version));
  };
  if (std::any_of(versions.begin(), versions.end(),
                  [&](const SessionVersion& each) { return covered(each, added); })) {
    return;
  }
  std::erase_if(versions, [&](const SessionVersion& each) { return covered(added, each); });
  versions.push_back(added);
}

const std::vector<SessionVersion>& SessionShadow::written_before(RequestId operation) const {
  const auto at = before_.find(operation);
  return at == before_.end() ? kNone : at->second.written;
}

const std::vector<SessionVersion>& SessionShadow::seen_before(RequestId operation) const {
  const auto at = before_.find(operation);
  return at == before_.end() ? kNone : at->second.seen;
}

bool obliged_by(const Operation& read, const SessionVersion& version) {
  if (!read.direct) return true;
  const NodeId server = read.served_by.is_none() ? read.via : read.served_by;
  return server == version.server;
}

bool misses(const Operation& read, RequestId version, const World& world) {
  if (!read.observed.empty()) {
    return std::all_of(read.observed.begin(), read.observed.end(),
                       [&](RequestId seen) { return world.older(seen, version); });
  }
  const Operation* write = world.find_write(version);
  if (read.result != ResultKind::not_found || write == nullptr) return false;
  if (write->kind != OperationKind::write) return false;
  const KeyHistory& history = world.keys().at(read.key);
  return std::all_of(history.deletes.begin(), history.deletes.end(),
                     [&](std::size_t d) { return world.older(history.writes[d].id, version); });
}

}  // namespace rejoin::sim
