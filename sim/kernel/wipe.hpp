// Which of a machine's files a wipe takes, told by their names alone: the kernel knows no protocol.
//
// Invariants:
// 1. What comes before the first dot of a file's name is the component that keeps it. `store` and
//    `sync` (what was repaired, and when) keep data, everyone else consensus: who the node is, its
//    votes, its log.
#pragma once

#include <string_view>

#include "model/check.hpp"
#include "model/random.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

[[nodiscard]] constexpr bool is_data(std::string_view file) {
  const std::string_view component = file.substr(0, file.find('.'));
  return component == "store" || component == "sync";
}

// `key` is of this file in this wipe.
[[nodiscard]] constexpr bool is_lost(Wipe wipe, std::string_view file, const DrawKey& key) {
  switch (wipe) {
    case Wipe::none:
      return false;
    case Wipe::all:
      return true;
    case Wipe::consensus:
      return !is_data(file);
    case Wipe::data:
      return is_data(file);
    case Wipe::half:
      return draw(key) % 2 == 0;
  }
  CHECK_THAT(false);
}

// As fact::DiskWiped says it.
[[nodiscard]] constexpr std::string_view to_name(Wipe wipe) {
  switch (wipe) {
    case Wipe::none:
      return "nothing";
    case Wipe::all:
      return "all";
    case Wipe::consensus:
      return "consensus";
    case Wipe::data:
      return "data";
    case Wipe::half:
      return "half";
  }
  CHECK_THAT(false);
}

}  // namespace rejoin::sim
