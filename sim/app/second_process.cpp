#include "sim/app/second_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
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
constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr int kNotFound = 127;  // as shells say it

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

// A file in memory with these bytes, read from its beginning: a process that does not read it, or
// not yet, holds nobody up. Negative when there can be none.
int file_of(ByteView bytes) {
  const int file = ::memfd_create("rejoin-schedule", MFD_CLOEXEC);
  if (file < 0) return file;
  for (std::size_t at = 0; at < bytes.size();) {
    const ::ssize_t n = ::write(file, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      ::close(file);
      return -1;
    }
    at += static_cast<std::size_t>(n);
  }
  ::lseek(file, 0, SEEK_SET);
  return file;
}

}  // namespace

SecondProcess::SecondProcess(const std::string& program, const std::vector<std::string>& words,
                             ByteView input) {
  std::vector<std::string> arguments = {program.empty() ? "rejoin" : program};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<std::string> environment = other_environment();
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const int in = file_of(input);
  int ends[2] = {-1, -1};
  if (in < 0 || ::pipe2(ends, O_CLOEXEC) != 0) {
    if (in >= 0) ::close(in);
    return;
  }
  // Both sides run on while one of them is ahead. More is not always allowed, and not needed.
  (void)::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  std::fflush(stdout);
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(in, STDIN_FILENO);
    ::dup2(ends[1], STDOUT_FILENO);
    ::execvpe(program.empty() ? "/proc/self/exe" : program.c_str(), argv.data(), envp.data());
    ::_exit(kNotFound);
  }
  ::close(in);
  ::close(ends[1]);
  if (child_ < 0) {
    ::close(ends[0]);
    return;
  }
  output_ = ::fdopen(ends[0], "rb");
  std::setvbuf(output_, nullptr, _IOFBF, kBufferBytes);
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
  found_ = WEXITSTATUS(status) != kNotFound;
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

SecondProcess::~SecondProcess() {
  (void)finish();
}

}  // namespace rejoin::app
