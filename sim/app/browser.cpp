#include "sim/app/browser.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <vector>

#include "sim/app/commands.hpp"

extern char** environ;

namespace rejoin::app {

namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) {
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

bool is_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0;
  for (const std::string& folder : split(variable("PATH"), ':')) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// The first of BROWSER's commands that is there, with the page in place of %s or at its end.
std::vector<std::string> words_to_open(const std::string& path) {
  std::vector<std::string> commands = split(variable("BROWSER"), ':');
  commands.emplace_back("xdg-open");
  for (const std::string& command : commands) {
    std::vector<std::string> words = split(command, ' ');
    if (words.empty() || !is_program(words.front())) continue;
    bool placed = false;
    for (std::string& word : words) {
      const std::size_t at = word.find("%s");
      if (at == std::string::npos) continue;
      word.replace(at, std::strlen("%s"), path);
      placed = true;
    }
    if (!placed) words.push_back(path);
    return words;
  }
  return {};
}

// Returns at once; what it prints goes nowhere. False with errno in `error`.
bool start(std::vector<std::string> words, int& error) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  ::posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // An interrupt of this program is not one of the browser's.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::pid_t process = 0;
  error = ::posix_spawnp(&process, pointers.front(), &files, &attributes, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  return error == 0;
}

}  // namespace

std::string open_page(const std::string& path) {
  std::error_code ignored;
  const fs::path whole = fs::absolute(path, ignored);
  const std::vector<std::string> words = words_to_open(whole.string());
  const std::string by_hand = "open it by hand: " + whole.string();
  if (words.empty()) {
    return "--open: there is no browser here (neither BROWSER nor xdg-open); " + by_hand + "\n";
  }
  int error = 0;
  if (start(words, error)) return {};
  return "--open: cannot run `" + words.front() + "`: " + std::strerror(error) + "; " + by_hand +
         "\n";
}

}  // namespace rejoin::app
