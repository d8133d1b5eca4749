#include <map>
#include <set>
#include <utility>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class RepairIsBounded final : public Invariant {
 public:
  explicit RepairIsBounded(const Params& params)
      : Invariant(fact_set<fact::RepairStarted, fact::RepairCompleted, fact::RepairFailed,
                           fact::RecordWritten, fact::ProcessStarted, fact::ProcessCrashed,
                           fact::ProcessHalted, fact::DiskWiped, fact::FaultInjected,
                           fact::FaultEnded, fact::MembersApplied, fact::MapApplied,
                           fact::OperationInvoked, fact::OperationReturned>()),
        rounds_(static_cast<std::uint64_t>(params.get<std::int64_t>("rounds"))),
        longest_(params.get<Duration>("longest")) {}

  void before(const FactEvent& event, const World& /*world*/) override {
    const NodeId node = event.source.node;
    if (const auto* started = std::get_if<fact::RepairStarted>(&event.fact)) {
      ++repairs_;
      under_way_[{node, started->partition}] = event.at;
    } else if (const auto* completed = std::get_if<fact::RepairCompleted>(&event.fact)) {
      under_way_.erase({node, completed->partition});
      if (completed->records > 0 && completed->changed == 0) {
        Moved& moved = moved_[{node, completed->partition}];
        ++moved.times;
        moved.records += completed->records;
        moved.last = event.at;
      }
    } else if (const auto* failed = std::get_if<fact::RepairFailed>(&event.fact)) {
      under_way_.erase({node, failed->partition});
    } else if (const auto* written = std::get_if<fact::RecordWritten>(&event.fact)) {
      if (!written->stored) return;
      if (written->cause == fact::WriteCause::foreground) return disturb(event.at);
      Stored& stored = stored_[{node, written->key}][written->origin];
      ++stored.times;
      stored.last = event.at;
    } else {
      if (std::holds_alternative<fact::ProcessStarted>(event.fact) ||
          std::holds_alternative<fact::ProcessCrashed>(event.fact) ||
          std::holds_alternative<fact::ProcessHalted>(event.fact)) {
        std::erase_if(under_way_, [&](const auto& each) { return each.first.first == node; });
      }
      if (!is_read(event.fact)) disturb(event.at);
    }
  }

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    for (std::uint64_t n = 0; n < repairs_; ++n) count_judgement();
    for (const auto& [what, started] : under_way_) {
      const MonotonicTime since = std::max(started, disturbed_);
      if (at - since < longest_) continue;
      const auto& [node, partition] = what;
      if (!is_new(node, {})) continue;
      Evidence evidence;
      evidence.add(started, to_name(node), "starts to repair " + to_name(partition))
          .add(disturbed_, "the cluster", "is left alone from now on");
      report(at, event,
             {.node = node,
              .says = "at the end " + to_name(node) + " still repairs " + to_name(partition) +
                      ", which it has done since " + to_seconds_text(started) +
                      ", although nothing has been written and nothing has changed since " +
                      to_seconds_text(disturbed_),
              .evidence = evidence.lines()});
    }
    for (const auto& [where, versions] : stored_) judge(world, at, event, where, versions);
    for (const auto& [where, moved] : moved_) judge(at, event, where, moved);
  }

 private:
  struct Stored {
    std::uint64_t times = 0;
    MonotonicTime last{};
  };
  // By repairs that changed nothing.
  struct Moved {
    std::uint64_t times = 0;
    std::uint64_t records = 0;
    MonotonicTime last{};
  };
  using Place = std::pair<NodeId, Key>;

  static bool is_read(const Fact& fact) {
    const auto* invoked = std::get_if<fact::OperationInvoked>(&fact);
    const auto* returned = std::get_if<fact::OperationReturned>(&fact);
    const Operation* operation = invoked != nullptr    ? &invoked->operation
                                 : returned != nullptr ? &returned->operation
                                                       : nullptr;
    return operation != nullptr && operation->kind == OperationKind::read;
  }

  void disturb(MonotonicTime at) {
    disturbed_ = at;
    stored_.clear();
    moved_.clear();
  }

  // Replicas that are equal have nothing to send each other.
  void judge(MonotonicTime at, std::uint64_t event, const std::pair<NodeId, PartitionId>& where,
             const Moved& moved) {
    const auto& [node, partition] = where;
    if (moved.times <= rounds_ || !is_new(node, {})) return;
    Evidence evidence;
    evidence.add(disturbed_, "the cluster", "is left alone from now on")
        .add(moved.last, to_name(node),
             "has fetched " + count_text(moved.records, "record") + " of " + to_name(partition) +
                 " since then, in " + count_text(moved.times, "repair") + ", and changed nothing");
    report(at, event,
           {.node = node,
            .says = count_text(moved.times, "repair") + " of " + to_name(partition) + " by " +
                    to_name(node) + " fetched records and changed nothing since " +
                    to_seconds_text(disturbed_) + ", when the last write or other change was over",
            .evidence = evidence.lines()});
  }

  // There are only so many versions: repairs that change something for ever store one again.
  void judge(const World& world, MonotonicTime at, std::uint64_t event, const Place& where,
             const std::map<RequestId, Stored>& versions) {
    const auto& [node, key] = where;
    for (const auto& [version, stored] : versions) {
      if (stored.times <= rounds_ || !is_new(node, key)) continue;
      Evidence evidence;
      evidence.add(disturbed_, "the cluster", "is left alone from now on");
      for (const auto& [other, times] : versions) {
        evidence.add(times.last, to_name(node),
                     "a repair stores " + seen_text({other}, world) + " for " + key + ", " +
                         count_text(times.times, "time") + " since then");
      }
      report(
          at, event,
          {.node = node,
           .key = key,
           .says = "on " + to_name(node) + ", repairs stored the " + version_text(version, world) +
                   " of " + key + " " + count_text(stored.times, "time") + " since " +
                   to_seconds_text(disturbed_) + ", when the last write or other change was over",
           .evidence = evidence.lines()});
    }
  }

  std::uint64_t rounds_;
  Duration longest_;
  std::uint64_t repairs_ = 0;
  MonotonicTime disturbed_{};  // by anything but reads and repairs, last
  std::map<std::pair<NodeId, PartitionId>, MonotonicTime> under_way_;  // since when
  std::map<Place, std::map<RequestId, Stored>> stored_;                // by repairs, since then
  std::map<std::pair<NodeId, PartitionId>, Moved> moved_;              // since then
};

[[maybe_unused]] const bool registered = register_invariant<RepairIsBounded>(
    "repair-is-bounded", "repairs come to an end once nothing else changes",
    "Judged at the end for each repair of the run, on what came after the last write, fault, start "
    "or stop of a process, and change of membership or map. No repair may be under way for longer "
    "than `longest`, and no node may have stored one version of a key by repair more than "
    "`rounds` times: versions are finitely many, so that repairs which change something for ever "
    "repeat one; nor may it have fetched records of a partition, and changed nothing by them, more "
    "often than that. Comparisons that find nothing are what periodic anti-entropy does, and are "
    "allowed, however many. Repairs that fail over and over are not judged: no fact tells whether "
    "a source could have been reached.",
    true,
    {{.name = "rounds",
      .type = ParamType::integer,
      .unit = "times",
      .fallback = "3",
      .help = "so often a node may store one version by repair, or fetch records in vain",
      .choices = {}},
     {.name = "longest",
      .type = ParamType::duration,
      .unit = {},
      .fallback = "10s",
      .help = "so long a repair may be under way when nothing else changes",
      .choices = {}}});

}  // namespace

}  // namespace rejoin::sim
