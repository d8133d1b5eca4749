#include <map>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class AppliedExactlyOnce final : public Invariant {
 public:
  AppliedExactlyOnce() : Invariant(fact_set<fact::CommandApplied>()) {}

  // Every server applies every command, again after a restart, too: what identifies one effect is
  // its place in the log.
  void after(const FactEvent& event, const World& /*world*/) override {
    const auto& applied = std::get<fact::CommandApplied>(event.fact);
    if (applied.request.is_none()) return;
    count_judgement();
    const NodeId node = event.source.node;
    const auto [at, is_first] = effects_.try_emplace({applied.group, applied.request},
                                                     Effect{applied.index, node, event.at});
    const Effect& first = at->second;
    if (first.index == applied.index || !is_new(node, {})) return;
    const std::string request = "request " + to_name(applied.request);
    const std::string first_index = std::to_string(first.index.value);
    const std::string index = std::to_string(applied.index.value);
    Evidence evidence;
    evidence.add(first.at, to_name(first.node), "applies " + request + " at index " + first_index)
        .add(event.at, to_name(node), "applies " + request + " at index " + index);
    report(event, {.node = node,
                   .says = request + " took effect twice: at index " + first_index +
                           " of the log, and on " + to_name(node) + " again at index " + index,
                   .evidence = evidence.lines()});
  }

 private:
  struct Effect {
    LogIndex index;
    NodeId node;
    MonotonicTime at{};
  };
  std::map<std::pair<GroupId, RequestId>, Effect> effects_;
};

[[maybe_unused]] const bool registered = register_invariant<AppliedExactlyOnce>(
    "applied-exactly-once", "a client's request takes effect at one place of the log only",
    "Judged at each command with a request id that takes effect. A retry may be in the log many "
    "times, and each server replays the log after a restart; but only one entry of a request may "
    "have an effect. Dissertation, section 6.3.");

}  // namespace

}  // namespace rejoin::sim
