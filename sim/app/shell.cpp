#include "sim/app/shell.hpp"

#include <string_view>
#include <utility>

namespace rejoin::app {

namespace {

std::string program = "rejoin";

}  // namespace

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+%@";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

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
