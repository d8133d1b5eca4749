#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "model/params.hpp"
#include "sim/app/commands.hpp"

namespace rejoin::app {

namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

std::string error_text(std::string_view what, std::string_view hint) {
  std::string out = "error: " + std::string(what) + "\n";
  if (!hint.empty()) out += "  hint: " + std::string(hint) + "\n";
  return out;
}

std::string hint_of(std::string_view name, const std::vector<std::string>& known,
                    std::string_view kind) {
  const std::string nearest = nearest_name(name, known);
  std::string out = nearest.empty() ? "" : "did you mean `" + nearest + "`? ";
  out += std::string(kind) + ": ";
  for (std::size_t i = 0; i < known.size(); ++i) out += (i == 0 ? "" : ", ") + known[i];
  return out;
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_error(std::string_view text) {
  std::fflush(stdout);  // in the order in which they were said
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool wants_colour() {
  return ::isatty(STDOUT_FILENO) == 1 && !is_set("NO_COLOR");
}

ExitStatus execute(const PrintCommand& command) {
  print(command.text);
  return ExitStatus::as_expected;
}

}  // namespace rejoin::app
