#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "sim/kernel/event_queue.hpp"

namespace rejoin::sim {

void HeapQueue::push(const QueueEntry& entry) {
  std::size_t hole = heap_.size();
  heap_.push_back(entry);
  while (hole != 0) {
    const std::size_t parent = (hole - 1) / 4;
    if (!(entry < heap_[parent])) break;
    heap_[hole] = heap_[parent];
    hole = parent;
  }
  heap_[hole] = entry;
}

QueueEntry HeapQueue::pop() {
  CHECK_THAT(!heap_.empty());
  const QueueEntry least = heap_.front();
  const QueueEntry last = heap_.back();
  heap_.pop_back();
  const std::size_t size = heap_.size();
  if (size == 0) return least;
  std::size_t hole = 0;
  while (true) {
    const std::size_t first = 4 * hole + 1;
    if (first >= size) break;
    std::size_t best = first;
    for (std::size_t child = first + 1; child < std::min(first + 4, size); ++child) {
      if (heap_[child] < heap_[best]) best = child;
    }
    if (!(heap_[best] < last)) break;
    heap_[hole] = heap_[best];
    hole = best;
  }
  heap_[hole] = last;
  return least;
}

std::vector<QueueEntry> HeapQueue::take_all() {
  return std::exchange(heap_, {});
}

}  // namespace rejoin::sim
