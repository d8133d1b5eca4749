// A hash table from 64-bit keys to small values, for what is looked up at every event.
//
// Invariants:
// 1. The key ~0 is not used.
// 2. for_each visits in the order of the table, which depends on nothing but the keys and the
//    history of calls; callers still do nothing there that depends on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "model/check.hpp"

namespace rejoin::sim {

template <class Value>
class FlatMap {
 public:
  [[nodiscard]] Value* find(std::uint64_t key) {
    if (cells_.empty()) return nullptr;
    Cell& cell = cells_[probe(key)];
    return cell.key == key ? &cell.value : nullptr;
  }
  [[nodiscard]] const Value* find(std::uint64_t key) const {
    return const_cast<FlatMap*>(this)->find(key);
  }

  // The value at `key`, a default one when there was none. Until the next call.
  Value& operator[](std::uint64_t key) {
    CHECK_THAT(key != kEmpty);
    if (4 * (size_ + 1) > 3 * cells_.size()) grow();
    Cell& cell = cells_[probe(key)];
    if (cell.key != key) {
      cell = {key, Value{}};
      ++size_;
    }
    return cell.value;
  }

  void erase(std::uint64_t key) {
    if (cells_.empty()) return;
    std::size_t hole = probe(key);
    if (cells_[hole].key != key) return;
    --size_;
    // Backward shift (Knuth, TAOCP 6.4, algorithm R): no tombstones to accumulate.
    for (std::size_t at = next(hole); cells_[at].key != kEmpty; at = next(at)) {
      const std::size_t distance = (at - home(cells_[at].key)) & (cells_.size() - 1);
      if (distance >= ((at - hole) & (cells_.size() - 1))) {
        cells_[hole] = std::move(cells_[at]);
        hole = at;
      }
    }
    cells_[hole] = Cell{};
  }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const Cell& cell : cells_) {
      if (cell.key != kEmpty) visit(cell.key, cell.value);
    }
  }

  void clear() {
    cells_.clear();
    size_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
  struct Cell {
    std::uint64_t key = kEmpty;
    Value value{};
  };

  [[nodiscard]] std::size_t home(std::uint64_t key) const {
    const std::uint64_t hash = key * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::size_t>(hash ^ (hash >> 32U)) & (cells_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (cells_.size() - 1); }
  // The key's cell, or the empty one where it would go.
  [[nodiscard]] std::size_t probe(std::uint64_t key) const {
    std::size_t at = home(key);
    while (cells_[at].key != key && cells_[at].key != kEmpty) at = next(at);
    return at;
  }
  void grow() {
    std::vector<Cell> old(cells_.empty() ? 8 : 2 * cells_.size());
    old.swap(cells_);
    for (Cell& cell : old) {
      if (cell.key != kEmpty) cells_[probe(cell.key)] = std::move(cell);
    }
  }

  std::vector<Cell> cells_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace rejoin::sim
