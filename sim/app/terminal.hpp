// What commands that take long share: an end on request, and a line that says how far they are.
#pragma once

#include <csignal>
#include <string>

#include "sim/explore/fuzz.hpp"

namespace rejoin::app {

// While one lives, the first SIGINT or SIGTERM asks for an end; the second is the system's own.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct ::sigaction before_[2]{};
};
[[nodiscard]] bool is_interrupted();

// `seeds: 1,200 of 10,000, 240/s, 0:36 left, no-stale-read x3`.
[[nodiscard]] std::string progress_text(const sim::FuzzProgress& progress);

// Columns for what goes to standard output: of the terminal that it is, else 100.
[[nodiscard]] std::size_t report_width();

// One line on standard error that is written over again, if that is a terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::string line);
  void clear();

 private:
  bool on_;
  bool shown_ = false;
};

}  // namespace rejoin::app
