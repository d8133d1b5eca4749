#include "sim/app/shell.hpp"

#include <utility>

namespace rejoin::app {

namespace {

std::string program = "rejoin";

}  // namespace

const std::string& program_words() {
  return program;
}
void set_program_words(std::string words) {
  program = std::move(words);
}

std::string flags_of(const Selection& selection) {
  std::string out;
  if (selection.sync) out += " --sync " + shell_word(*selection.sync);
  for (const sim::Override& set : selection.overrides) {
    out += " --set " + shell_word(set.path + "=" + set.value);
  }
  return out.empty() ? out : out.substr(1);
}

}  // namespace rejoin::app
