// Random schedules over pure cores: loss, duplication, reordering, crashes between writing and
// syncing, torn tails, cuts, changes of the configuration, compaction. Raft's guarantees (Raft,
// figure 3) hold throughout; once all is healed, the cluster commits again.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "model/random.hpp"
#include "raft_world.hpp"

namespace rejoin::raft {
namespace {

constexpr int kSteps = 600;

class Schedule {
 public:
  Schedule(std::uint64_t seed, const RaftOptions& options) : seed_(seed), world_(options) {
    world_.found({1, 2, 3});
    world_.add_empty(4);
    world_.add_empty(5);
  }

  void run() {
    for (int i = 0; i < kSteps && world_.violations().empty(); ++i) step();
  }

  // A quorum of the latest configuration is up and connected: something must commit again.
  [[nodiscard]] bool recovers() {
    world_.heal();
    for (const std::uint32_t n : world_.nodes()) {
      if (!world_.is_up(n)) world_.restart(n);
    }
    world_.run(10s);
    const auto leader = world_.leader();
    if (!leader || !world_.propose(*leader, "last").index) return false;
    world_.run(1s);
    for (const Server& server : world_.core(*leader).configuration().servers) {
      const auto& state = world_.state(server.node.value);
      if (state.empty() || state.back() != "last") return false;
    }
    return true;
  }

  [[nodiscard]] const RaftWorld& world() const { return world_; }

 private:
  std::uint64_t pick(std::uint64_t bound) { return below(mix(seed_, ++draws_), bound); }
  std::uint32_t some_node() { return static_cast<std::uint32_t>(1 + pick(5)); }

  void step() {
    const std::uint32_t n = some_node();
    const std::uint64_t what = pick(100);
    if (what < 55) {
      if (!world_.bag().empty()) {
        const std::size_t at = pick(world_.bag().size());
        const std::uint64_t fate = pick(20);
        fate == 0 ? world_.drop_at(at) : world_.deliver_at(at, fate == 1);
      }
    } else if (what < 75) {
      world_.save_snapshots(n);
      world_.persist(n);
    } else if (what < 82) {
      if (world_.is_up(n)) world_.timeout(n);
    } else if (what < 85) {
      world_.elapse(Duration(static_cast<std::int64_t>(pick(200)) * 1'000'000));
      world_.fire_due();
    } else if (what < 92) {
      if (world_.is_up(n)) (void)world_.propose(n, std::to_string(++proposed_));
    } else if (what < 94) {
      if (world_.is_up(n)) world_.compact(n);
    } else if (what < 96) {
      change(n);
    } else if (what < 98) {
      world_.is_up(n) ? world_.crash(n, pick(40)) : world_.restart(n);
    } else if (what < 99) {
      world_.cut(n, some_node());
    } else {
      world_.heal();
    }
  }

  void change(std::uint32_t leader) {
    if (!world_.is_up(leader)) return;
    const std::uint32_t n = some_node();
    // Servers 1 to 3 stay, so that who is asked to recover is always there.
    if (n <= 3) return;
    (void)(pick(2) == 0 ? world_.add(leader, n) : world_.remove(leader, n));
  }

  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
  std::uint64_t proposed_ = 0;
  RaftWorld world_;
};

bool guarantees_hold(std::uint64_t seed, const RaftOptions& options) {
  Schedule schedule(seed, options);
  schedule.run();
  const bool recovered = schedule.recovers();
  for (const std::string& violation : schedule.world().violations()) MESSAGE(violation);
  if (!recovered) {
    for (const std::uint32_t n : schedule.world().nodes()) MESSAGE(schedule.world().summary(n));
  }
  return recovered && schedule.world().violations().empty();
}

TEST_CASE("no schedule of faults breaks safety, and the cluster recovers from every one") {
  CHECK(rc::check([](std::uint64_t seed) {
    RaftOptions options;
    options.snapshot_entries = 4;
    options.trailing_entries = seed % 3;
    options.snapshot_chunk_bytes = 40;
    options.entries_per_append = 1 + static_cast<std::uint32_t>(seed / 3 % 3);
    options.pre_vote = seed / 9 % 2 == 0;
    options.learners = seed / 18 % 2 == 0;
    RC_ASSERT(guarantees_hold(seed, options));
  }));
}

}  // namespace
}  // namespace rejoin::raft
