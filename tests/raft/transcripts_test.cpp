// Runs transcripts/*.txt: commands, `----`, what happened. With UPDATE_GOLDEN=1 in the environment
// the files are rewritten; whoever does that reads the difference.
//
// A command is a line; those up to `----` form a step, a blank line ends what it printed. Lines
// that start with # are comments.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "raft_world.hpp"

namespace rejoin::raft {
namespace {

class Transcript {
 public:
  // Runs one command and returns what it printed.
  std::string run(const std::string& line) {
    std::istringstream in(line);
    std::string name;
    in >> name;
    std::vector<std::uint32_t> n;
    std::string word;
    std::vector<std::string> words;
    while (in >> word) {
      words.push_back(word);
      if (std::isdigit(static_cast<unsigned char>(word[0])) != 0) {
        n.push_back(static_cast<std::uint32_t>(std::stoul(word)));
      }
    }
    if (name == "options") return set_options(words);
    if (name == "servers") {
      world_ = std::make_unique<RaftWorld>(options_);
      world_->found(n);
      (void)world_->take_events();
      return states({});
    }
    if (!world_) return "no servers\n";
    if (name == "state") return states(n);
    if (name == "messages") return messages();
    std::string out = act(name, n, words);
    for (const std::string& event : world_->take_events()) {
      // A step that settles shows what happened, not each message.
      if (quiet(name) && event.find(" -> ") != std::string::npos) continue;
      out += event + "\n";
    }
    if (name == "settle" || name == "run" || name == "elect") out += states({});
    return out;
  }

 private:
  static bool quiet(const std::string& name) {
    return name == "settle" || name == "run" || name == "elect" || name == "persist_quietly";
  }

  std::string set_options(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      const std::size_t equals = word.find('=');
      const std::string key = word.substr(0, equals);
      const std::uint32_t value = static_cast<std::uint32_t>(std::stoul(word.substr(equals + 1)));
      if (key == "pre_vote")
        options_.pre_vote = value != 0;
      else if (key == "check_quorum")
        options_.check_quorum = value != 0;
      else if (key == "learners")
        options_.learners = value != 0;
      else if (key == "entries_per_append")
        options_.entries_per_append = value;
      else if (key == "snapshot_entries")
        options_.snapshot_entries = value;
      else if (key == "trailing_entries")
        options_.trailing_entries = value;
      else if (key == "snapshot_chunk_bytes")
        options_.snapshot_chunk_bytes = value;
      else
        return "unknown option " + key + "\n";
    }
    return "";
  }

  std::string states(const std::vector<std::uint32_t>& nodes) const {
    std::string out;
    for (const std::uint32_t node : nodes.empty() ? world_->nodes() : nodes) {
      out += world_->summary(node) + "\n";
    }
    return out;
  }

  std::string messages() const {
    std::string out;
    for (const auto& e : world_->bag()) {
      out += to_name(e.from) + " -> " + to_name(e.to) + ": " + to_text(e.message) + "\n";
    }
    return out;
  }

  static std::string taken(const Proposed& proposed) {
    if (proposed.index) return "at " + std::to_string(proposed.index->value) + "\n";
    return "refused: " + std::string(to_name(proposed.refusal)) + "\n";
  }

  std::string act(const std::string& name, const std::vector<std::uint32_t>& n,
                  const std::vector<std::string>& words) {
    const std::set<std::uint32_t> all(n.begin(), n.end());
    if (name == "timeout") return world_->timeout(n.at(0)) ? "" : "no timer\n";
    if (name == "elapse")
      world_->elapse(std::chrono::milliseconds(n.at(0)));
    else if (name == "deliver")
      return world_->deliver(n.at(0), n.at(1)) ? "" : "no message\n";
    else if (name == "drop")
      world_->drop(n.at(0), n.at(1));
    else if (name == "drop_all")
      world_->drop_all();
    else if (name == "persist")
      world_->persist(n.at(0));
    else if (name == "save")
      world_->save_snapshots(n.at(0));
    else if (name == "settle")
      world_->settle(all);
    else if (name == "run")
      world_->run(std::chrono::milliseconds(n.at(0)), {});
    else if (name == "elect")
      return elect(n);
    else if (name == "propose")
      return taken(world_->propose(n.at(0), words.at(1)));
    else if (name == "empty")
      world_->add_empty(n.at(0), n.size() > 1 ? n[1] : 1);
    else if (name == "add")
      return taken(world_->add(n.at(0), n.at(1), n.size() > 2 ? n[2] : 1));
    else if (name == "remove")
      return taken(world_->remove(n.at(0), n.at(1)));
    else if (name == "compact")
      world_->compact(n.at(0));
    else if (name == "cut")
      world_->cut(n.at(0), n.at(1));
    else if (name == "heal")
      world_->heal();
    else if (name == "crash")
      world_->crash(n.at(0), n.size() > 1 ? n[1] : 0);
    else if (name == "restart")
      world_->restart(n.at(0));
    else
      return "unknown command " + name + "\n";
    return "";
  }

  std::string elect(const std::vector<std::uint32_t>& n) {
    return world_->elect(n.at(0), {n.begin() + 1, n.end()}) ? "" : "lost\n";
  }

  RaftOptions options_;
  std::unique_ptr<RaftWorld> world_;
};

// The file as it would be written if what happens now were what it expects.
std::string replay(const std::string& file) {
  Transcript transcript;
  std::istringstream in(file);
  std::string out;
  std::string printed;
  std::string line;
  while (std::getline(in, line)) {
    if (line == "----") {
      out += "----\n" + printed + "\n";
      printed.clear();
      while (std::getline(in, line) && !line.empty()) continue;
      continue;
    }
    out += line + "\n";
    if (!line.empty() && line[0] != '#') printed += transcript.run(line);
  }
  return out + printed;
}

TEST_CASE("the transcripts say what happens") {
  const std::filesystem::path folder =
      std::filesystem::path(REJOIN_SOURCE_DIR) / "tests" / "raft" / "transcripts";
  std::vector<std::filesystem::path> files;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    if (item.path().extension() == ".txt") files.push_back(item.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 10);
  for (const auto& path : files) {
    INFO(path.filename().string());
    std::ostringstream expected;
    expected << std::ifstream(path).rdbuf();
    const std::string actual = replay(expected.str());
    CHECK(actual.find("VIOLATION") == std::string::npos);
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
      std::ofstream(path) << actual;
    } else {
      CHECK(actual == expected.str());
    }
  }
}

}  // namespace
}  // namespace rejoin::raft
