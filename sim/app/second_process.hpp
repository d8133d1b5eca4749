// This program once more, or another one, in another environment, with its standard input given
// and its standard output on a pipe.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "model/bytes.hpp"

namespace rejoin::app {

class SecondProcess {
 public:
  // `program` is looked up as a shell does; empty: this one. `words` follow its name. It reads all
  // of `input`, then the end.
  SecondProcess(const std::string& program, const std::vector<std::string>& words, ByteView input);
  ~SecondProcess();
  SecondProcess(const SecondProcess&) = delete;
  SecondProcess& operator=(const SecondProcess&) = delete;

  [[nodiscard]] bool started() const { return output_ != nullptr; }
  [[nodiscard]] std::FILE* output() const { return output_; }
  // Closes the pipe and waits. How it ended, if not well: `ended with status 2`. Having been cut
  // off by the closed pipe is well.
  [[nodiscard]] std::optional<std::string> finish();
  // After that: there was such a program at all.
  [[nodiscard]] bool was_found() const { return found_; }

 private:
  ::pid_t child_ = -1;
  std::FILE* output_ = nullptr;
  bool found_ = true;
};

}  // namespace rejoin::app
