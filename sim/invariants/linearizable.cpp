#include <map>
#include <optional>

#include "sim/invariants/evidence.hpp"
#include "sim/invariants/linearizability.hpp"

namespace rejoin::sim {

namespace {

class Linearizable final : public Invariant {
 public:
  explicit Linearizable(const Params& params)
      : Invariant(fact_set<fact::OperationInvoked, fact::OperationReturned>()),
        limits_{.cache_words_max = params.get<Size>("memory").bytes / 8} {}

  void after(const FactEvent& event, const World& /*world*/) override {
    ++position_;
    if (const auto* invoked = std::get_if<fact::OperationInvoked>(&event.fact)) {
      begin(invoked->operation);
    } else if (const auto* returned = std::get_if<fact::OperationReturned>(&event.fact)) {
      end(returned->operation);
    }
  }

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    for (const auto& [key, history] : keys_) {
      if (history.answers == 0) continue;
      const std::vector<Call> calls = calls_of(history, world);
      for (std::size_t i = 0; i < calls.size(); ++i) count_judgement();
      const Linearization found = linearize(calls, limits_);
      switch (found.verdict) {
        case Linearizability::linearizable:
          break;
        case Linearizability::not_linearizable:
          // Of those that are only counted nobody asks for a witness.
          report(at, event,
                 violations().size() < kViolationsMax ? refuted(key, history, calls, world)
                                                      : Finding{.key = key});
          break;
        case Linearizability::undecided:
          report(at, event, undecided(key, history, found));
          break;
      }
    }
  }

 private:
  struct Observed {
    Operation operation;
    std::uint64_t invoked = 0;
    std::optional<std::uint64_t> returned{};
  };
  struct KeyOperations {
    std::vector<Observed> operations;  // in order of invocation
    std::uint64_t answers = 0;         // of reads
  };

  void begin(const Operation& operation) {
    if (operation.kind == OperationKind::configure) return;
    if (operation.kind == OperationKind::read && operation.direct) return;
    KeyOperations& history = keys_[operation.key];
    places_[operation.id] = history.operations.size();
    history.operations.push_back({operation, position_});
  }

  // A refusal says nothing of the key.
  void end(const Operation& operation) {
    const auto place = places_.find(operation.id);
    if (place == places_.end() || operation.result == ResultKind::unavailable) return;
    KeyOperations& history = keys_[operation.key];
    Observed& observed = history.operations[place->second];
    if (observed.returned) return;
    observed.operation = operation;
    observed.returned = position_;
    if (operation.kind == OperationKind::read) ++history.answers;
  }

  // A register holds one value: who is given several, or one that nobody wrote, is told what no
  // register ever held.
  static std::vector<Call> calls_of(const KeyOperations& history, const World& world) {
    std::map<RequestId, std::uint64_t> versions;
    for (const Observed& each : history.operations) {
      if (each.operation.kind == OperationKind::write) {
        versions.emplace(each.operation.id, versions.size() + 1);
      }
    }
    const std::uint64_t unknown = versions.size() + 1;
    std::vector<Call> calls;
    for (const Observed& each : history.operations) {
      Call& call = calls.emplace_back();
      call.invoked = each.invoked;
      call.returned = each.returned;
      const Operation& operation = each.operation;
      if (operation.kind == OperationKind::remove) {
        call.kind = CallKind::remove;
      } else if (operation.kind == OperationKind::write) {
        call.kind = CallKind::write;
        call.version = versions.at(operation.id);
      } else {
        call.kind = CallKind::read;
        if (operation.result != ResultKind::value) continue;
        const std::optional<RequestId> seen = only_value(operation, world);
        const auto version = seen ? versions.find(*seen) : versions.end();
        call.version = version == versions.end() ? unknown : version->second;
      }
    }
    return calls;
  }

  // Tombstones next to it are no values.
  static std::optional<RequestId> only_value(const Operation& read, const World& world) {
    std::optional<RequestId> out;
    for (const RequestId id : read.observed) {
      const Operation* write = world.find_write(id);
      if (write != nullptr && write->kind == OperationKind::remove) continue;
      if (out) return std::nullopt;
      out = id;
    }
    return out;
  }

  static std::string outcome_text(const Operation& operation, const World& world) {
    if (operation.kind != OperationKind::read) {
      return "the " + version_text(operation.id, world) + " was acknowledged";
    }
    std::string out = read_text(operation) + " (" + to_name(operation.id) + ") returned ";
    out += operation.result == ResultKind::value ? seen_text(operation.observed, world)
                                                 : std::string("NOT FOUND");
    return out;
  }

  [[nodiscard]] Finding refuted(const Key& key, const KeyOperations& history,
                                const std::vector<Call>& calls, const World& world) const {
    const Witness witness = find_witness(calls, limits_);
    const Observed& breaker = history.operations[witness.breaker];
    Evidence evidence;
    for (const std::size_t i : witness.operations) {
      Operation operation = history.operations[i].operation;
      // It returned when the contradiction was complete: its return is no part of it.
      if (calls[i].returned > calls[witness.breaker].returned) operation.returned.reset();
      evidence.add(operation);
    }
    if (!witness.minimal) {
      evidence.add(*breaker.operation.returned, "linearizable",
                   "fewer operations may contradict one another: the search for them was ended");
    }
    return {.key = key,
            .says = "the history of " + key + " is not linearizable: no order of " +
                    count_text(calls.size(), "operation") + " explains it once " +
                    outcome_text(breaker.operation, world) + " at " +
                    to_seconds_text(*breaker.operation.returned) + "; " +
                    count_text(witness.prefix.size(), "operation") + " until then had one, and " +
                    std::to_string(witness.operations.size()) + " alone have none",
            .evidence = evidence.lines()};
  }

  static Finding undecided(const Key& key, const KeyOperations& history,
                           const Linearization& found) {
    Evidence evidence;
    evidence.add(history.operations.front().operation);
    return {.key = key,
            .says = "whether the history of " + key + " is linearizable is undecided: its " +
                    count_text(history.operations.size(), "operation") + " had more than " +
                    count_text(found.configurations, "configuration") + " to try",
            .evidence = evidence.lines()};
  }

  SearchLimits limits_;
  std::map<Key, KeyOperations> keys_;
  std::map<RequestId, std::size_t> places_;  // in its key's operations
  std::uint64_t position_ = 0;               // of the call or return, in the order of facts
};

[[maybe_unused]] const bool registered = register_invariant<Linearizable>(
    "linearizable",
    "each key is a register: some order in real time explains every read (Herlihy and Wing 1990)",
    "Judged at the end for each key with an answered read that was not direct; a judgement is an "
    "operation. Writes and deletes without an acknowledgement may have taken effect at any time "
    "or never; reads without an answer and refused ones say nothing. A read of several values at "
    "once, or of one that no client wrote, is a violation. So is a key for which the search ran "
    "out of memory: it is reported as undecided. Evidence is a smallest set of operations that "
    "contradict one another.",
    false,
    {{.name = "memory",
      .type = ParamType::size,
      .unit = {},
      .fallback = "128MiB",
      .help = "for the configurations of one key that the search remembers",
      .choices = {}}});

}  // namespace

}  // namespace rejoin::sim
