#include <algorithm>
#include <bit>
#include <utility>

#include "model/check.hpp"
#include "sim/kernel/event_queue.hpp"

namespace rejoin::sim {
namespace {

[[nodiscard]] std::uint64_t time_of(const QueueEntry& entry) {
  return static_cast<std::uint64_t>(entry.at_ns);
}

struct Later {
  [[nodiscard]] bool operator()(const QueueEntry& a, const QueueEntry& b) const { return b < a; }
};

struct Range {
  std::uint64_t min;
  std::uint64_t max;
};

[[nodiscard]] Range range_of(const std::vector<QueueEntry>& entries) {
  Range range{time_of(entries.front()), time_of(entries.front())};
  for (const QueueEntry& entry : entries) {
    range.min = std::min(range.min, time_of(entry));
    range.max = std::max(range.max, time_of(entry));
  }
  return range;
}

}  // namespace

void LadderQueue::push(const QueueEntry& entry) {
  ++size_;
  const std::uint64_t time = time_of(entry);
  if (time >= top_start_) {
    top_.push_back(entry);
    return;
  }
  for (std::size_t i = 0; i < depth_; ++i) {
    Rung& rung = rungs_[i];
    if (time < rung.start) continue;
    const std::size_t bucket =
        std::min<std::size_t>((time - rung.start) >> rung.shift, rung.heads.size() - 1);
    if (bucket >= rung.current) {
      link(rung, bucket, entry);
      return;
    }
  }
  push_bottom(entry);
}

const QueueEntry& LadderQueue::front() {
  if (bottom_empty()) refill();
  if (late_.empty()) return run_.back();
  if (run_.empty()) return late_.front();
  return late_.front() < run_.back() ? late_.front() : run_.back();
}

QueueEntry LadderQueue::pop() {
  if (bottom_empty()) refill();
  --size_;
  if (!late_.empty() && (run_.empty() || late_.front() < run_.back())) return late_.pop();
  const QueueEntry least = run_.back();
  run_.pop_back();
  return least;
}

std::vector<QueueEntry> LadderQueue::take_all() {
  std::vector<QueueEntry> all = std::exchange(run_, {});
  const auto add = [&all](const std::vector<QueueEntry>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  add(late_.take_all());
  add(top_);
  for (std::size_t i = 0; i < depth_; ++i) {
    for (const std::uint32_t head : rungs_[i].heads) {
      for (std::uint32_t node = head; node != kNil; node = nodes_[node].spare) {
        all.push_back(nodes_[node]);
      }
    }
  }
  CHECK_THAT(all.size() == size_);
  *this = LadderQueue();
  return all;
}

void LadderQueue::push_bottom(const QueueEntry& entry) {
  if (run_.size() >= kRunMax) {
    late_.push(entry);
  } else {
    run_.insert(std::upper_bound(run_.begin(), run_.end(), entry, Later()), entry);
  }
  if (run_.size() + late_.size() > spread_at_) spread_bottom();
}

// The bottom has doubled since it was filled, so moving all of it costs O(1) an entry.
void LadderQueue::spread_bottom() {
  scratch_ = late_.take_all();
  scratch_.insert(scratch_.end(), run_.begin(), run_.end());
  run_.clear();
  drop_spent_rungs();
  const Range range = range_of(scratch_);
  if (range.min == range.max || depth_ == kRungsMax) {
    sort_into_run();
  } else {
    make_rung(scratch_);
  }
}

void LadderQueue::refill() {
  CHECK_THAT(size_ != 0);
  while (bottom_empty()) {
    drop_spent_rungs();
    if (depth_ == 0) {
      scratch_.swap(top_);
      top_.clear();
      top_start_ = range_of(scratch_).max + 1;
    } else {
      take_bucket(rungs_[depth_ - 1]);
      // A rung that this bucket has spent is replaced by the finer one, not kept above it: its
      // last bucket may be refilled for ever.
      drop_spent_rungs();
    }
    const bool small = scratch_.size() <= kRunMax || depth_ == kRungsMax;
    const Range range = range_of(scratch_);
    if (small || range.min == range.max) {
      sort_into_run();
    } else {
      make_rung(scratch_);
    }
  }
}

// Moves the rung's next bucket that is not empty to scratch_.
void LadderQueue::take_bucket(Rung& rung) {
  while (rung.heads[rung.current] == kNil) ++rung.current;
  scratch_.clear();
  std::uint32_t node = std::exchange(rung.heads[rung.current], kNil);
  while (node != kNil) {
    scratch_.push_back(nodes_[node]);
    const std::uint32_t next = nodes_[node].spare;
    nodes_[node].spare = free_;
    free_ = node;
    node = next;
  }
  rung.left -= scratch_.size();
  ++rung.current;
  if (rung.current < rung.heads.size() && rung.heads[rung.current] != kNil) {
    __builtin_prefetch(&nodes_[rung.heads[rung.current]]);
  }
}

// At least two buckets get entries, as the entries are not all at one instant: rungs end.
void LadderQueue::make_rung(const std::vector<QueueEntry>& entries) {
  const Range range = range_of(entries);
  Rung& rung = rungs_[depth_++];
  const std::uint64_t width = range.max - range.min;
  const auto bits = static_cast<unsigned>(std::bit_width(width));
  // About two entries a bucket.
  const auto wanted = static_cast<unsigned>(std::bit_width(entries.size() / 2));
  rung.shift = bits > wanted ? bits - wanted : 0;
  rung.start = range.min;
  rung.current = 0;
  rung.left = 0;
  rung.heads.assign((width >> rung.shift) + 1, kNil);
  for (const QueueEntry& entry : entries) {
    link(rung, (time_of(entry) - rung.start) >> rung.shift, entry);
  }
}

void LadderQueue::sort_into_run() {
  // There are no ties: sequences are unique.
  std::sort(scratch_.begin(), scratch_.end(), Later());
  run_.swap(scratch_);
  spread_at_ = std::max(kRunMax, 2 * run_.size());
}

void LadderQueue::link(Rung& rung, std::size_t bucket, const QueueEntry& entry) {
  std::uint32_t node = free_;
  if (node != kNil) {
    free_ = nodes_[node].spare;
    nodes_[node] = entry;
  } else {
    CHECK_THAT(nodes_.size() < kNil);
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back(entry);
  }
  nodes_[node].spare = rung.heads[bucket];
  rung.heads[bucket] = node;
  ++rung.left;
}

void LadderQueue::drop_spent_rungs() {
  while (depth_ != 0 && rungs_[depth_ - 1].left == 0) --depth_;
}

}  // namespace rejoin::sim
