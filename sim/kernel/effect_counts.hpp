// What effects have done so far, by EffectId: a count each, which outlives the effect. A report
// says by it whether a fault did anything at all.
//
// Invariants:
// 1. Nothing that decides looks here: counts are in no draw, no order and no digest.
// 2. What would do a thing alone counts it, whether or not another effect has done it already: the
//    presence of one moves the count of no other but by what comes of it.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

class EffectCounts {
 public:
  // None is what the options do, and is not counted.
  void add(EffectId effect, std::uint64_t times = 1) {
    if (effect.is_none() || times == 0) return;
    if (counts_.size() < effect.value) counts_.resize(effect.value);
    counts_[effect.value - 1] += times;
  }
  [[nodiscard]] std::uint64_t of(EffectId effect) const {
    return effect.is_none() || effect.value > counts_.size() ? 0 : counts_[effect.value - 1];
  }

 private:
  std::vector<std::uint64_t> counts_;  // ids are handed out from 1
};

}  // namespace rejoin::sim
