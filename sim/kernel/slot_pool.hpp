// Records named by dense 32-bit slots, reused last in, first out.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "model/check.hpp"

namespace rejoin::sim {

template <class Record>
class SlotPool {
 public:
  // Moves `record` in and returns its slot.
  [[nodiscard]] std::uint32_t put(Record&& record) {
    if (free_.empty()) {
      CHECK_THAT(records_.size() < kSlotsMax);
      records_.push_back(std::move(record));
      return static_cast<std::uint32_t>(records_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    records_[slot] = std::move(record);
    return slot;
  }
  // Moves the record out and frees its slot.
  [[nodiscard]] Record take(std::uint32_t slot) {
    free_.push_back(slot);
    return std::move(records_[slot]);
  }
  // References last until the next put.
  [[nodiscard]] Record& operator[](std::uint32_t slot) { return records_[slot]; }

 private:
  static constexpr std::size_t kSlotsMax = std::size_t{1} << 31U;  // the top bit is the kernel's
  std::vector<Record> records_;
  std::vector<std::uint32_t> free_;
};

}  // namespace rejoin::sim
