// The program `rejoin`.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <variant>

#include "sim/app/command_line.hpp"
#include "sim/app/commands.hpp"

namespace {

using rejoin::app::ExitStatus;

// A CHECK that failed, having said so, ends the process by abort: that is a failure of our own.
extern "C" void on_abort(int /*signal*/) {
  ::_exit(static_cast<int>(ExitStatus::own_failure));
}

ExitStatus act(const std::vector<std::string>& words) {
  const auto command = rejoin::app::parse_command_line(words);
  if (!command) {
    rejoin::app::print_error(command.error());
    return ExitStatus::bad_input;
  }
  return std::visit([](const auto& chosen) { return rejoin::app::execute(chosen); }, *command);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, on_abort);
  ExitStatus status = ExitStatus::own_failure;
  try {
    status = act({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const std::exception& failure) {
    rejoin::app::print_error(
        rejoin::app::error_text("a failure of rejoin itself: " + std::string(failure.what())));
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    rejoin::app::print_error(rejoin::app::error_text("standard output cannot be written"));
    status = ExitStatus::own_failure;
  }
  return static_cast<int>(status);
}
