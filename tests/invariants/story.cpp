#include "tests/invariants/story.hpp"

namespace rejoin::sim {

RequestId request(std::uint32_t client, std::uint64_t n) {
  return {ClientId(client), n};
}

Story::Story(std::vector<std::string> invariants, const ClusterShape& shape,
             const std::map<std::string, Params>& params)
    : shape_(shape), judges_(shape, invariants, params) {}

Story::Story(Story&&) noexcept = default;
Story::~Story() = default;

const World& Story::world() const {
  return judges_.world();
}

Story& Story::at(Duration time) {
  now_ = MonotonicTime(time);
  return *this;
}

Story& Story::tell(std::uint32_t node, Fact fact, std::uint64_t incarnation) {
  FactSource source;
  source.node = NodeId(node);
  if (node != 0) source.incarnation = Incarnation(incarnation);
  publish(source, fact);
  return *this;
}

Story& Story::tell_twin(std::uint32_t node, Fact fact) {
  publish({.node = NodeId(node), .client = {}, .incarnation = Incarnation(1), .twin = true}, fact);
  return *this;
}

Story& Story::crash(std::uint32_t node) {
  return tell(node, fact::ProcessCrashed{});
}

Story& Story::start(std::uint32_t node) {
  return tell(node, fact::ProcessStarted{});
}

Story& Story::recover(std::uint32_t node, std::uint64_t up_to) {
  return tell(node, fact::StoreRecovered{.records = 0, .up_to = up_to, .life = 1});
}

Story& Story::members(const std::vector<std::uint32_t>& nodes, std::uint32_t applied_by) {
  fact::MembersApplied applied;
  for (const std::uint32_t n : nodes) {
    applied.members.push_back({NodeId(n), Incarnation(1), Address(n)});
  }
  return tell(applied_by, applied);
}

Story& Story::map(std::uint64_t epoch, const std::vector<std::uint32_t>& owners,
                  std::uint32_t applied_by) {
  PartitionMap map{Epoch(epoch), {}};
  std::vector<NodeId> ids;
  for (const std::uint32_t n : owners) ids.emplace_back(n);
  map.owners.assign(shape_.partitions, ids);
  fact::MapApplied applied;
  applied.fingerprint = fingerprint(map);
  applied.map = std::make_shared<PartitionMap>(std::move(map));
  return tell(applied_by, applied);
}

Story& Story::cluster() {
  std::vector<std::uint32_t> all;
  for (std::uint32_t n = 1; n <= shape_.nodes; ++n) {
    all.push_back(n);
    start(n);
  }
  return members(all).map(1, all);
}

Story& Story::put(std::uint32_t node, const Key& key, RequestId origin, Put how) {
  fact::RecordWritten written;
  written.partition = world().partition_of_key(key);
  written.key = key;
  written.origin = origin;
  written.deleted = how.deleted;
  written.erased = how.erased;
  written.stored = how.stored;
  if (const ShadowRecord* held = world().stored(NodeId(node), key)) {
    written.replaced = held->origin;
  }
  written.cause = how.cause;
  written.others = how.others;
  written.actors = how.actors;
  written.seq = how.stored ? ++seqs_[node] : seqs_[node];
  return tell(node, written);
}

Story& Story::put(std::uint32_t node, const Key& key, RequestId origin) {
  return put(node, key, origin, Put{});
}

Story& Story::sync(std::uint32_t node) {
  return tell(node, fact::StoreDurable{.up_to = seqs_[node]});
}

Story& Story::put_durably(const std::vector<std::uint32_t>& nodes, const Key& key,
                          RequestId origin) {
  for (const std::uint32_t node : nodes) put(node, key, origin).sync(node);
  return *this;
}

Story& Story::drop(std::uint32_t node, const Key& key_in_partition) {
  return tell(node, fact::PartitionDropped{.partition = world().partition_of_key(key_in_partition),
                                           .seq = ++seqs_[node]});
}

Story& Story::invoke(Operation operation) {
  operation.invoked = now_;
  operations_[operation.id] = operation;
  publish(client(operation), fact::OperationInvoked{operation});
  return *this;
}

Story& Story::answer(RequestId id, ResultKind result, std::vector<RequestId> observed) {
  Operation& operation = operations_.at(id);
  operation.returned = now_;
  operation.result = result;
  operation.observed = std::move(observed);
  if (const Operation* seen =
          operation.observed.empty() ? nullptr : world().find_write(operation.observed.front())) {
    operation.value = seen->value;
  }
  operation.served_by = operation.via;
  publish(client(operation), fact::OperationReturned{operation});
  return *this;
}

Story& Story::abandon(RequestId id) {
  publish(client(operations_.at(id)), fact::OperationAbandoned{operations_.at(id)});
  return *this;
}

Story& Story::begin_write(RequestId id, const Key& key, Consistency level,
                          std::vector<RequestId> context) {
  Operation operation = of(id, OperationKind::write, key, level);
  operation.value = "v" + std::to_string(id.client.value) + "." + std::to_string(id.n);
  operation.context = std::move(context);
  return invoke(operation);
}

Story& Story::write(RequestId id, const Key& key, Consistency level) {
  return begin_write(id, key, level).answer(id, ResultKind::ok);
}

Story& Story::begin_remove(RequestId id, const Key& key) {
  return invoke(of(id, OperationKind::remove, key, Consistency::one));
}

Story& Story::remove(RequestId id, const Key& key) {
  return begin_remove(id, key).answer(id, ResultKind::ok);
}

Story& Story::begin_read(RequestId id, const Key& key, std::uint32_t via, bool direct,
                         Consistency level) {
  Operation operation = of(id, OperationKind::read, key, level);
  operation.via = NodeId(via);
  operation.direct = direct;
  return invoke(operation);
}

Story& Story::direct_read(RequestId id, const Key& key, std::uint32_t via,
                          std::vector<RequestId> observed) {
  begin_read(id, key, via);
  const ResultKind result = found(observed);
  return answer(id, result, std::move(observed));
}

Story& Story::read(RequestId id, const Key& key, Consistency level,
                   std::vector<RequestId> observed) {
  begin_read(id, key, 1, false, level);
  const ResultKind result = found(observed);
  return answer(id, result, std::move(observed));
}

Story& Story::end() {
  judges_.at_end(now_, event_);
  return *this;
}

std::vector<Violation> Story::violations() const {
  return judges_.violations();
}

std::uint64_t Story::judged(const std::string& invariant) const {
  return judges_.judged().at(invariant);
}

Operation Story::of(RequestId id, OperationKind kind, const Key& key, Consistency level) {
  Operation operation;
  operation.id = id;
  operation.kind = kind;
  operation.key = key;
  operation.level = level;
  return operation;
}

FactSource Story::client(const Operation& operation) {
  FactSource source;
  source.client = operation.id.client;
  return source;
}

ResultKind Story::found(const std::vector<RequestId>& observed) const {
  if (observed.empty()) return ResultKind::not_found;
  const Operation* seen = world().find_write(observed.front());
  return seen != nullptr && seen->kind == OperationKind::remove ? ResultKind::not_found
                                                                : ResultKind::value;
}

void Story::publish(const FactSource& source, const Fact& fact) {
  judges_.on_fact(now_, ++event_, source, fact);
  now_ += 1ms;
}

void check_says(const Story& story, const std::string& says) {
  const std::vector<Violation> violations = story.violations();
  REQUIRE(violations.size() == 1);
  CHECK(violations.front().says == says);
  const auto& evidence = violations.front().evidence;
  CHECK(evidence.size() >= 1);
  for (std::size_t i = 1; i < evidence.size(); ++i) {
    CHECK(std::stod(evidence[i - 1]) <= std::stod(evidence[i]));
  }
}

}  // namespace rejoin::sim
