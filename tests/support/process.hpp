// Runs the program as a user does: its standard output, standard error and exit status.
#pragma once

#include <string>
#include <vector>

namespace rejoin::test {

struct Finished {
  int status = -1;
  std::string out;
  std::string err;
};

// A folder of this process alone, removed with it.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string folder_;
};

// In the root of the project, so that paths in messages are as a user writes them.
Finished run_program(std::string program, std::vector<std::string> words);

Finished rejoin(std::vector<std::string> words);

// The program, while it goes on; its output is not looked at. Ended with this.
class Running {
 public:
  explicit Running(std::vector<std::string> words);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] bool alive() const;
  [[nodiscard]] bool has_children() const;
  // Its exit status, or 128 and the signal that ended it.
  int end(int signal);

 private:
  int child_ = 0;
};

}  // namespace rejoin::test
