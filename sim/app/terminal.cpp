#include "sim/app/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "reports/page.hpp"

namespace rejoin::app {

namespace {

volatile std::sig_atomic_t interrupts = 0;

extern "C" void on_interrupt(int /*signal*/) {
  interrupts = 1;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::max(0.0, seconds));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// Of the terminal as it is now: windows are resized.
std::size_t width_of(int file) {
  constexpr std::size_t kUsual = 80;
  ::winsize size{};
  const bool known = ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  return known ? size.ws_col : kUsual;
}

}  // namespace

Interruptible::Interruptible() {
  struct ::sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESETHAND;
  ::sigaction(SIGINT, &action, &before_[0]);
  ::sigaction(SIGTERM, &action, &before_[1]);
}
Interruptible::~Interruptible() {
  ::sigaction(SIGINT, &before_[0], nullptr);
  ::sigaction(SIGTERM, &before_[1], nullptr);
}
bool is_interrupted() {
  return interrupts != 0;
}

std::string progress_text(const sim::FuzzProgress& progress) {
  std::string line = progress.doing + ": " + reports::grouped(progress.done);
  if (progress.all != 0) line += " of " + reports::grouped(progress.all);
  double left = progress.seconds_max == 0 ? -1 : progress.seconds_max - progress.seconds;
  if (progress.all == 0) line += progress.done == 1 ? " run" : " runs";
  if (progress.seconds > 0.2 && progress.done != 0) {
    const double rate = static_cast<double>(progress.done) / progress.seconds;
    if (progress.all != 0) line += fmt::format(", {:.0f}/s", rate);
    if (progress.all > progress.done) {
      const double rest = static_cast<double>(progress.all - progress.done) / rate;
      left = left < 0 ? rest : std::min(left, rest);
    }
  }
  if (left >= 0) line += ", " + clock_text(left) + " left";
  if (progress.behind != 0) line += fmt::format(", {} more to shrink", progress.behind);
  for (const auto& [what, count] : progress.failures) line += fmt::format(", {} x{}", what, count);
  return line;
}

std::size_t report_width() {
  constexpr std::size_t kElsewhere = 100;
  constexpr std::size_t kLeast = 60;  // below it, wrapped tables say nothing
  if (::isatty(STDOUT_FILENO) != 1) return kElsewhere;
  return std::max(width_of(STDOUT_FILENO), kLeast);
}

ProgressLine::ProgressLine() : on_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(std::string line) {
  if (!on_) return;
  // The last column stays free: a terminal may wrap a line that fills it.
  const std::size_t width = std::max<std::size_t>(width_of(STDERR_FILENO), 20) - 1;
  if (line.size() > width) line = line.substr(0, width - 3) + "...";
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

}  // namespace rejoin::app
