// Files that name files, and files that cost too much.
#include <filesystem>
#include <fstream>
#include <string>

#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

// A folder of files that is gone when the test is over.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::path(REJOIN_BINARY_DIR) / ("scenario_test_" + name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] auto load(const std::string& name) const {
    return load_scenario((path_ / name).string(), test_vocabulary());
  }
  // The complaints about a file, without the folder's own path.
  [[nodiscard]] std::string complaints_of(const std::string& name) const {
    const auto scenario = load(name);
    std::string out;
    if (!scenario) {
      for (const Diagnostic& diagnostic : scenario.error()) out += to_text(diagnostic);
    }
    const std::string prefix = path_.string() + "/";
    for (std::size_t at = out.find(prefix); at != std::string::npos; at = out.find(prefix)) {
      out.erase(at, prefix.size());
    }
    return out;
  }

 private:
  std::filesystem::path path_;
};

constexpr const char* kStep = "timeline: [{ label: T0, write: key-1 }]\n";

}  // namespace

TEST_CASE("files that extend each other in a cycle are refused, and the cycle is shown") {
  const Folder folder("cycle");
  folder.write("a.yaml", "format: 1\nextends: b.yaml\n");
  folder.write("b.yaml", "format: 1\nextends: ./a.yaml\n");
  CHECK(folder.complaints_of("a.yaml") ==
        "b.yaml:2:10: error: `extends` makes a cycle: a.yaml -> b.yaml -> a.yaml\n"
        "  2 | extends: ./a.yaml\n"
        "    |          ^\n");
}

TEST_CASE("a file that cannot be read is complained about where it is named") {
  const Folder folder("missing");
  folder.write("a.yaml", "format: 1\nextends: gone.yaml\n");
  CHECK(folder.complaints_of("a.yaml") ==
        "a.yaml:2:10: error: cannot read `gone.yaml`: No such file or directory\n"
        "  2 | extends: gone.yaml\n"
        "    |          ^\n");
  CHECK(folder.complaints_of("none.yaml") ==
        "none.yaml: error: cannot read `none.yaml`: No such file or directory\n");
}

TEST_CASE("a file over 10 MB is refused before it is parsed") {
  const Folder folder("large");
  folder.write("a.yaml", "format: 1\n" + std::string(10'000'000, '#'));
  CHECK(folder.complaints_of("a.yaml") == "a.yaml: error: `a.yaml` is larger than 10 MB\n");
}

TEST_CASE("aliases work, and a bomb of them is refused") {
  CHECK(
      complaints("format: 1\nx-a: &a 2s\nclient: { timeout: *a }\n" + std::string(kStep)).empty());
  std::string bomb = "format: 1\nx-a: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int n = 0; n < 8; ++n) bomb += ", " + before;
    bomb += "]\n";
  }
  const std::string text = complaints(bomb + kStep);
  CHECK(text.find("error: more than 200000 values, aliases expanded\n") != std::string::npos);
}

TEST_CASE("nesting is bounded") {
  const std::string deep =
      complaints("format: 1\nx-a: " + std::string(40, '[') + std::string(40, ']') + "\n");
  CHECK(deep.find("t.yaml:2:37: error: nested more than 32 deep\n") == 0);
}

TEST_CASE("bytes that are not text are refused") {
  CHECK(complaints("format: 1\nname: \xff\n").find("t.yaml:2:7: error: a byte that is not text") ==
        0);
  CHECK(complaints(std::string("format: 1\nname: \0x\n", 19)).find("t.yaml:2:7: error: a byte") ==
        0);
}

TEST_CASE("steps of files that extend or are extended need labels") {
  const Folder folder("labels");
  folder.write("base.yaml", "format: 1\ntimeline: [{ write: key-1 }]\n");
  folder.write("a.yaml", "format: 1\nextends: base.yaml\n");
  CHECK(folder.complaints_of("base.yaml").empty());
  CHECK(folder.complaints_of("a.yaml") ==
        "base.yaml:2:12: error: a step without a label\n"
        "  2 | timeline: [{ write: key-1 }]\n"
        "    |            ^\n"
        "  hint: steps of files that extend or are extended merge by label\n");
}

TEST_CASE("a file is named by its stem, not by what it extends") {
  const Folder folder("name");
  folder.write("base.yaml", "# The base.\nformat: 1\nname: something\n" + std::string(kStep));
  folder.write("child.yaml", "# A child.\n# Of two lines.\nformat: 1\nextends: base.yaml\n");
  const auto child = folder.load("child.yaml");
  REQUIRE(child.has_value());
  CHECK(child->name() == "child");
  CHECK(child->materialise(1)->about == "A child.\nOf two lines.");
}

TEST_CASE("maps merge, lists replace, and steps merge by label") {
  const Folder folder("merge");
  folder.write("base.yaml", R"(format: 1
raft: { heartbeat: 40ms, learners: false }
network: { latency: { exponential: 1ms, floor: 0.3ms } }
sync: { rejoin-sync: { source: one } }
check: [no-stale-read]
timeline:
  - { label: T0, write: { keys: key-1..key-3 } }
  - { label: T1, at: 30s, crash: node-3 }
  - { label: T2, when: { removed: node-3 } }
)");
  folder.write("child.yaml", R"(format: 1
extends: base.yaml
raft: { heartbeat: 30ms }
network: { latency: { constant: 2ms } }
sync: hook-copy
check: [replicas-converge]
timeline:
  - { label: T1, after: 2s }
  - { label: t0, overwrite: key-7 }
  - { label: T2, remove: true }
  - { label: T3, heal: true }
)");
  const auto scenario = folder.load("child.yaml");
  REQUIRE(scenario.has_value());
  const Schedule s = *scenario->materialise(1);
  CHECK(s.node.raft.heartbeat == 30ms);
  CHECK_FALSE(s.node.raft.learners);
  CHECK(s.network.latency == constant_latency(2ms));
  REQUIRE(s.node.sync.mechanisms.size() == 1);
  CHECK(s.node.sync.mechanisms[0].name == "hook-copy");
  CHECK(s.check == std::vector<std::string>{"replicas-converge"});
  REQUIRE(s.timeline.size() == 3);
  CHECK(std::get<action::Operate>(s.timeline[0].action).keys == std::vector<Key>{"key-7"});
  CHECK(std::get<trigger::After>(s.timeline[1].trigger).delay == 2s);
  CHECK(std::get<action::Inject>(s.timeline[1].action).fault == "crash");
  CHECK(s.timeline[2].label == "T3");
}
