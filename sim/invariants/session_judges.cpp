#include "sim/invariants/session_judges.hpp"

namespace rejoin::sim {

// ---- What a session reads ----------------------------------------------------------------------

void SessionReads::after(const FactEvent& event, const World& world) {
  const auto* returned = std::get_if<fact::OperationReturned>(&event.fact);
  if (returned != nullptr && returned->operation.kind == OperationKind::read) {
    judge(event, returned->operation, world);
    sessions_.forget(returned->operation.id);
  }
  sessions_.absorb(event, world);
}

void SessionReads::judge(const FactEvent& event, const Operation& read, const World& world) {
  if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
  const SessionVersion* missed = nullptr;
  bool judged = false;
  for (const SessionVersion& version : had_before(sessions_, read.id)) {
    if (!obliged_by(read, version)) continue;
    judged = true;
    if (misses(read, version.version, world)) missed = &version;
  }
  if (judged) count_judgement();
  const NodeId server = server_of(read);
  if (missed == nullptr || !is_new(server, read.key)) return;
  const std::string who = to_name(read.id.client);
  Evidence evidence;
  for (const RequestId id : read.observed) {
    if (const Operation* seen = world.find_write(id)) evidence.add(*seen);
  }
  evidence.add(*world.find_write(missed->version));
  if (missed->by != missed->version) {
    evidence.add(missed->at, who,
                 "is answered " + seen_text({missed->version}, world) + " for " + read.key + " (" +
                     to_name(missed->by) + ") by " + to_name(missed->server));
  }
  evidence.add(read);
  std::string says = read_text(read) + " returned to " + who + " ";
  says += read.observed.empty() ? "NOT FOUND" : seen_text(read.observed, world);
  says += ", although the " + version_text(missed->version, world) + " " + how() + " at " +
          to_seconds_text(missed->at) + ", earlier in the session";
  report(event,
         {.node = server, .key = read.key, .says = std::move(says), .evidence = evidence.lines()});
}

// ---- In which order versions of a session stand ------------------------------------------------

void SessionOrder::before(const FactEvent& event, const World& world) {
  const auto* written = std::get_if<fact::RecordWritten>(&event.fact);
  if (written != nullptr) judge_store(event, *written, world);
}

void SessionOrder::after(const FactEvent& event, const World& world) {
  if (std::holds_alternative<fact::RecordWritten>(event.fact)) return;
  sessions_.absorb(event, world);
  const auto* returned = std::get_if<fact::OperationReturned>(&event.fact);
  if (returned == nullptr || returned->operation.kind != OperationKind::read) return;
  judge_siblings(event, returned->operation, world);
  sessions_.forget(returned->operation.id);
}

bool SessionOrder::is_before(const World& world, RequestId earlier, RequestId later) const {
  return world.older(earlier, later) &&
         in_order(sessions_, world, *world.find_write(earlier), *world.find_write(later));
}

std::string SessionOrder::order_text(const World& world, RequestId earlier, RequestId later) const {
  return "the " + version_text(later, world) + ", before which " + to_name(later.client) + " " +
         how() + " the " + version_text(earlier, world);
}

void SessionOrder::judge_store(const FactEvent& event, const fact::RecordWritten& written,
                               const World& world) {
  if (!written.replaced || *written.replaced == written.origin) return;
  const RequestId held = *written.replaced;
  const bool arrives_late = is_before(world, written.origin, held);
  const bool arrives_in_order = is_before(world, held, written.origin);
  if (!arrives_late && !arrives_in_order) return;
  count_judgement();
  if (written.stored != arrives_late) return;
  const NodeId node = event.source.node;
  if (!is_new(node, written.key)) return;
  const RequestId earlier = arrives_late ? written.origin : held;
  const RequestId later = arrives_late ? held : written.origin;
  const std::string cause =
      written.cause == fact::WriteCause::repair ? "a repair" : "a client's write";
  const std::string what =
      arrives_late ? "put " + seen_text({earlier}, world) + " in place of "
                   : "was refused, and " + seen_text({earlier}, world) + " kept, instead of ";
  Evidence evidence;
  evidence.add(*world.find_write(earlier))
      .add(*world.find_write(later))
      .add(event.at, to_name(node),
           cause + " of " + written.key + " " + what + seen_text({later}, world));
  report(event, {.node = node,
                 .key = written.key,
                 .says = "on " + to_name(node) + ", " + cause + " of " + written.key + " " + what +
                         order_text(world, earlier, later),
                 .evidence = evidence.lines()});
}

void SessionOrder::judge_siblings(const FactEvent& event, const Operation& read,
                                  const World& world) {
  if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
  if (read.observed.size() < 2) return;
  count_judgement();
  for (const RequestId earlier : read.observed) {
    for (const RequestId later : read.observed) {
      if (!is_before(world, earlier, later)) continue;
      const NodeId server = server_of(read);
      if (!is_new(server, read.key)) return;
      Evidence evidence;
      evidence.add(*world.find_write(earlier)).add(*world.find_write(later)).add(read);
      report(event, {.node = server,
                     .key = read.key,
                     .says = read_text(read) + " returned " + seen_text(read.observed, world) +
                             " as if they were concurrent: it should have returned " +
                             order_text(world, earlier, later),
                     .evidence = evidence.lines()});
      return;
    }
  }
}

}  // namespace rejoin::sim
