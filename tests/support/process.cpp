#include "tests/support/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/golden.hpp"

namespace rejoin::test {

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "rejoin-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
}

Scratch::~Scratch() {
  std::filesystem::remove_all(folder_);
}

std::string Scratch::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

Finished run_program(std::string program, std::vector<std::string> words) {
  const Scratch scratch;
  const std::string out = scratch.path("out");
  const std::string err = scratch.path("err");
  std::vector<char*> argv = {program.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const ::pid_t child = ::fork();
  if (child == 0) {
    const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    const int to_err = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(to_out, STDOUT_FILENO);
    ::dup2(to_err, STDERR_FILENO);
    if (::chdir(REJOIN_SOURCE_DIR) != 0) ::_exit(126);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_file(out),
          .err = read_file(err)};
}

Finished rejoin(std::vector<std::string> words) {
  return run_program(REJOIN_BINARY_DIR "/rejoin", std::move(words));
}

Running::Running(std::vector<std::string> words) {
  std::string program = REJOIN_BINARY_DIR "/rejoin";
  std::vector<char*> argv = {program.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  child_ = ::fork();
  if (child_ != 0) return;
  const bool moved = ::chdir(REJOIN_SOURCE_DIR) == 0;
  const int nowhere = ::open("/dev/null", O_WRONLY);
  const bool silent = ::dup2(nowhere, STDOUT_FILENO) >= 0 && ::dup2(nowhere, STDERR_FILENO) >= 0;
  if (moved && silent) ::execv(program.c_str(), argv.data());
  ::_exit(127);
}

Running::~Running() {
  if (child_ != 0) (void)end(SIGKILL);
}

bool Running::alive() const {
  ::siginfo_t ended{};
  return ::waitid(P_PID, static_cast<::id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == 0;
}

bool Running::has_children() const {
  const std::string id = std::to_string(child_);
  return !read_file("/proc/" + id + "/task/" + id + "/children").empty();
}

int Running::end(int signal) {
  ::kill(child_, signal);
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace rejoin::test
