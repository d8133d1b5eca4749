// Every reader of bytes from outside, as a function that may be given any bytes at all: what must
// hold of them is checked, and ends the process when it does not. libFuzzer calls them
// (fuzzer.cpp), and so does a test, with a seed corpus and with damage done to it.
#pragma once

#include <string>
#include <vector>

#include "model/bytes.hpp"

namespace rejoin::fuzzing {

struct Reader {
  std::string name;
  void (*read)(ByteView bytes) = nullptr;
  // Good inputs, small and of every kind.
  std::vector<Bytes> (*corpus)() = nullptr;
};

// scenario, schedule, message, storage.
[[nodiscard]] const std::vector<Reader>& readers();

}  // namespace rejoin::fuzzing
