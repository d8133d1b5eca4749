// This program once more, in another environment, with its standard output on a pipe.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace rejoin::app {

class SecondProcess {
 public:
  // `words` after the program's name.
  explicit SecondProcess(const std::vector<std::string>& words);
  ~SecondProcess();
  SecondProcess(const SecondProcess&) = delete;
  SecondProcess& operator=(const SecondProcess&) = delete;

  [[nodiscard]] bool started() const { return output_ != nullptr; }
  [[nodiscard]] std::FILE* output() const { return output_; }
  // Closes the pipe and waits. How it ended, if not well: `ended with status 2`. Having been cut
  // off by the closed pipe is well.
  [[nodiscard]] std::optional<std::string> finish();

 private:
  ::pid_t child_ = -1;
  std::FILE* output_ = nullptr;
};

}  // namespace rejoin::app
