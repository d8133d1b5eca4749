#include "sim/explore/workers.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace rejoin::sim {
namespace {

Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}
std::string text_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

// Echoes; `die`, `exit`, `hang` (at work), `wait` (idle) and `killed` do that. `once PATH` is
// killed unless the file is there.
Bytes work(ByteView task) {
  const std::string text = text_of(task);
  std::fprintf(stderr, "working on %s\n", text.c_str());
  if (text == "die") {
    std::fprintf(stderr, "here it ends\n");
    std::abort();
  }
  if (text == "exit") std::_Exit(3);
  volatile int spin = 0;
  while (text == "hang") spin = spin + 1;
  while (text == "wait") ::usleep(1000);
  if (text == "killed") ::kill(::getpid(), SIGKILL);
  if (text.starts_with("once ")) {
    const std::string path = text.substr(5);
    if (std::FILE* const marker = std::fopen(path.c_str(), "wx")) {
      std::fclose(marker);
      ::kill(::getpid(), SIGKILL);
    }
  }
  return bytes_of("done " + text);
}

std::map<std::uint64_t, Workers::Answer> all_answers(Workers& workers) {
  std::map<std::uint64_t, Workers::Answer> out;
  while (workers.open() != 0) {
    if (auto answer = workers.next(std::chrono::seconds(5))) out[answer->task] = *answer;
  }
  return out;
}

}  // namespace

TEST_CASE("workers: every task is answered, whatever the one before did to its process") {
  for (const std::uint32_t count : {1U, 3U}) {
    Workers workers({.count = count, .patience = std::chrono::milliseconds(300)}, work);
    const std::vector<std::string> tasks = {"a", "die", "b", "hang", "c", "exit", "d"};
    for (std::size_t i = 0; i < tasks.size(); ++i) workers.submit(i, bytes_of(tasks[i]));
    const auto answers = all_answers(workers);
    REQUIRE(answers.size() == tasks.size());
    for (const std::size_t i : {0U, 2U, 4U, 6U}) {
      CHECK_FALSE(answers.at(i).death.has_value());
      CHECK(text_of(answers.at(i).reply) == "done " + tasks[i]);
    }
    REQUIRE(answers.at(1).death.has_value());
    CHECK(answers.at(1).death->last_words == "working on die\nhere it ends\n");
    CHECK(answers.at(1).death->ending == "signal 6 (Aborted)");
    CHECK_FALSE(answers.at(1).death->hung);
    REQUIRE(answers.at(3).death.has_value());
    CHECK(answers.at(3).death->hung);
    REQUIRE(answers.at(5).death.has_value());
    CHECK(answers.at(5).death->ending == "exit status 3");
  }
}

TEST_CASE("workers: who waits for ever hangs, too, however little he does") {
  Workers workers({.count = 1, .idle_patience = std::chrono::milliseconds(100)}, work);
  workers.submit(0, bytes_of("wait"));
  const auto answers = all_answers(workers);
  REQUIRE(answers.size() == 1);
  REQUIRE(answers.at(0).death.has_value());
  CHECK(answers.at(0).death->hung);
}

TEST_CASE(
    "workers: a process that is stopped for long, as a laptop that sleeps is, does not hang") {
  // Longer than its patience, by the clock on the wall.
  Workers workers({.count = 1, .patience = std::chrono::milliseconds(30)}, [](ByteView task) {
    const ::pid_t self = ::getpid();
    if (::fork() == 0) {
      ::usleep(200'000);
      ::kill(self, SIGCONT);
      ::_exit(0);
    }
    ::kill(self, SIGSTOP);
    return bytes_of("woken for " + text_of(task));
  });
  workers.submit(0, bytes_of("x"));
  const auto answers = all_answers(workers);
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers.at(0).death.has_value());
  CHECK(text_of(answers.at(0).reply) == "woken for x");
}

TEST_CASE("workers: who is killed from outside is asked once more, and believed the second time") {
  std::string pattern = "/tmp/rejoin-workers-XXXXXX";
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const std::string marker = pattern + "/marker";
  Workers workers({.count = 1}, work);
  workers.submit(0, bytes_of("once " + marker));
  workers.submit(1, bytes_of("killed"));
  workers.submit(2, bytes_of("a"));
  const auto answers = all_answers(workers);
  REQUIRE(answers.size() == 3);
  CHECK_FALSE(answers.at(0).death.has_value());
  CHECK(text_of(answers.at(0).reply) == "done once " + marker);
  REQUIRE(answers.at(1).death.has_value());
  CHECK(answers.at(1).death->ending == "signal 9 (Killed)");
  CHECK(text_of(answers.at(2).reply) == "done a");
  ::unlink(marker.c_str());
  ::rmdir(pattern.c_str());
}

TEST_CASE("workers: who takes all the memory there is ends alone") {
  Workers workers({.count = 1, .memory_max_bytes = std::uint64_t{256} << 20U}, [](ByteView task) {
    const Bytes large(text_of(task) == "much" ? std::size_t{512} << 20U : 16, 1);
    return bytes_of("done " + std::to_string(large[7]));
  });
  workers.submit(0, bytes_of("much"));
  workers.submit(1, bytes_of("little"));
  const auto answers = all_answers(workers);
  REQUIRE(answers.size() == 2);
  CHECK(text_of(answers.at(1).reply) == "done 1");
  const auto& death = answers.at(0).death;
  if (death) CHECK(death->last_words.find("bad_alloc") != std::string::npos);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(death.has_value());
#endif
}

TEST_CASE("workers: a process is replaced after so many tasks, and large ones arrive whole") {
  Workers workers({.count = 1, .tasks_per_process = 2}, [](ByteView task) {
    return bytes_of(std::to_string(::getpid()) + " " + text_of(task));
  });
  const std::string large(3'000'000, 'x');
  for (std::uint64_t i = 0; i < 4; ++i) workers.submit(i, bytes_of(large));
  const auto answers = all_answers(workers);
  std::map<std::string, int> tasks_of;
  for (const auto& [task, answer] : answers) {
    const std::string reply = text_of(answer.reply);
    const std::size_t space = reply.find(' ');
    ++tasks_of[reply.substr(0, space)];
    CHECK(reply.size() == large.size() + space + 1);
  }
  CHECK(tasks_of.size() == 2);
}

TEST_CASE("workers: what is abandoned is not answered, and the next task is") {
  Workers workers({.count = 2}, work);
  for (std::uint64_t i = 0; i < 5; ++i) workers.submit(i, bytes_of("hang"));
  CHECK_FALSE(workers.next(std::chrono::milliseconds(20)).has_value());
  workers.abandon();
  CHECK(workers.open() == 0);
  workers.submit(9, bytes_of("e"));
  const auto answers = all_answers(workers);
  REQUIRE(answers.size() == 1);
  CHECK(text_of(answers.at(9).reply) == "done e");
}

}  // namespace rejoin::sim
