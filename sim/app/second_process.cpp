#include "sim/app/second_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace rejoin::app {

namespace {

// What may not matter to a run: what fresh memory holds, where the stack begins, the locale and
// the time zone.
constexpr std::string_view kChanged[] = {"MALLOC_PERTURB_=165", "TZ=Pacific/Chatham",
                                         "LC_ALL=tr_TR.UTF-8"};
constexpr std::size_t kPaddingBytes = 12'345;

std::vector<std::string> other_environment() {
  std::vector<std::string> out;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const bool replaced =
        std::any_of(std::begin(kChanged), std::end(kChanged), [entry](std::string_view changed) {
          return entry.starts_with(changed.substr(0, changed.find('=') + 1));
        });
    if (!replaced) out.emplace_back(entry);
  }
  out.insert(out.end(), std::begin(kChanged), std::end(kChanged));
  out.push_back("REJOIN_PADDING=" + std::string(kPaddingBytes, 'x'));
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

SecondProcess::SecondProcess(const std::vector<std::string>& words) {
  std::vector<std::string> arguments = {"rejoin"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<std::string> environment = other_environment();
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  std::fflush(stdout);
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execve("/proc/self/exe", argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  if (child_ < 0) {
    ::close(ends[0]);
    return;
  }
  output_ = ::fdopen(ends[0], "rb");
}

std::optional<std::string> SecondProcess::finish() {
  if (output_ != nullptr) std::fclose(output_);
  output_ = nullptr;
  if (child_ <= 0) return std::nullopt;
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {}
  child_ = -1;
  if (WIFSIGNALED(status)) {
    if (WTERMSIG(status) == SIGPIPE) return std::nullopt;
    return "was killed by signal " + std::to_string(WTERMSIG(status));
  }
  if (WEXITSTATUS(status) == 0) return std::nullopt;
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

SecondProcess::~SecondProcess() {
  (void)finish();
}

}  // namespace rejoin::app
