// The program `rejoin`, and, with the planted bugs compiled in, `rejoin-hunt`.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include "model/mutant.hpp"
#include "sim/app/command_line.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/shell.hpp"

namespace {

using rejoin::app::ExitStatus;

// `run --bisect`: what cannot be judged here is to be skipped, not blamed (git-bisect(1), "bisect
// run").
bool bisecting = false;

int code_of(ExitStatus status) {
  constexpr int kSkip = 125;
  const bool judged = status < ExitStatus::bad_input || status == ExitStatus::interrupted;
  return bisecting && !judged ? kSkip : static_cast<int>(status);
}

// A CHECK that failed, having said so, ends the process by abort: that is a failure of our own.
extern "C" void on_abort(int /*signal*/) {
  ::_exit(code_of(ExitStatus::own_failure));
}

#ifdef REJOIN_HUNT
// `rejoin-hunt --bug NAME COMMAND...` is `rejoin COMMAND...` with that bug planted.
bool plant_bug(std::vector<std::string>& words) {
  if (words.size() < 2 || words[0] != "--bug") return true;
  if (!rejoin::plant_mutant(words[1])) {
    std::string known;
    for (const rejoin::MutantSpec& spec : rejoin::mutants()) known += " " + std::string(spec.name);
    rejoin::app::print_error(
        rejoin::app::error_text("there is no bug `" + words[1] + "`; known here:" + known));
    return false;
  }
  rejoin::app::set_program_words("rejoin-hunt --bug " + words[1]);
  words.erase(words.begin(), words.begin() + 2);
  return true;
}
#endif

ExitStatus act(std::vector<std::string> words) {
#ifdef REJOIN_HUNT
  rejoin::app::set_planter(rejoin::plant_mutant);
  if (!plant_bug(words)) return ExitStatus::bad_input;
#endif
  bisecting = rejoin::app::asks_to_bisect(words);
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
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit fails, and whoever wrote says so
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
  return code_of(status);
}
