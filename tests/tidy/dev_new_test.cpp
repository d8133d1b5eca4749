// `./dev new KIND NAME` in a copy of the tree: the files that it promises appear, they compile, and
// what cannot be made is refused before anything is written.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/golden.hpp"
#include "tests/support/process.hpp"

namespace rejoin {
namespace {

using namespace test;
namespace fs = std::filesystem;
const fs::path kRoot = REJOIN_SOURCE_DIR;

// What appears for the name `my-thing`, and the name of the plugin that it is made from.
struct Kind {
  std::vector<std::string> files;
  std::string model;
};

const std::map<std::string, Kind>& kinds() {
  static const std::map<std::string, Kind> all = {
      {"mechanism", {{"protocols/sync/my_thing.cpp", "tests/sync/my_thing_test.cpp"}, "none"}},
      {"fault",
       {{"scenarios/faults/my-thing.yaml", "sim/faults/my_thing.cpp",
         "tests/faults/my_thing_test.cpp"},
        "loss"}},
      {"distribution",
       {{"sim/distributions/my_thing.cpp", "tests/distributions/my_thing_test.cpp"}, "uniform"}},
      {"invariant",
       {{"sim/invariants/my_thing.cpp", "tests/invariants/my_thing_test.cpp"},
        "no-duplicate-nodes"}},
      {"placement",
       {{"protocols/partitioning/my_thing.cpp", "tests/partitioning/my_thing_test.cpp"},
        "rendezvous"}},
      {"detector",
       {{"protocols/membership/my_thing.cpp", "tests/membership/my_thing_test.cpp"}, "heartbeat"}},
      {"scenario", {{"scenarios/my-thing.yaml"}, "t0-t5"}},
  };
  return all;
}

// The script, and the folders that it reads and writes.
class Copy {
 public:
  Copy() {
    for (const char* const folder :
         {"protocols/membership", "protocols/partitioning", "protocols/sync", "scenarios",
          "sim/distributions", "sim/faults", "sim/invariants", "tests/distributions",
          "tests/faults", "tests/invariants", "tests/membership", "tests/partitioning",
          "tests/sync"}) {
      fs::create_directories((root() / folder).parent_path());
      fs::copy(kRoot / folder, root() / folder, fs::copy_options::recursive);
    }
    fs::copy_file(kRoot / "dev", root() / "dev");
    before_ = files();
  }

  [[nodiscard]] fs::path root() const { return scratch_.path("tree"); }

  [[nodiscard]] Finished make(std::vector<std::string> words) const {
    words.insert(words.begin(), "new");
    return run_program((root() / "dev").string(), std::move(words));
  }

  // What has appeared, in order.
  [[nodiscard]] std::vector<std::string> added() const {
    std::vector<std::string> out;
    for (const std::string& file : files()) {
      if (!before_.contains(file)) out.push_back(file);
    }
    return out;
  }

 private:
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
      if (entry.is_regular_file()) {
        out.insert(fs::relative(entry.path(), root()).generic_string());
      }
    }
    return out;
  }

  const Scratch scratch_;
  std::set<std::string> before_;
};

void check_compiles(const Copy& copy, const std::string& file) {
  const Finished compiled = run_program(
      "/usr/bin/env",
      {REJOIN_CXX, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wconversion",
       "-Werror", "-DREJOIN_SOURCE_DIR=\"" + kRoot.string() + "\"", "-I" + copy.root().string(),
       "-I" + kRoot.string(), (copy.root() / file).string()});
  CHECK_MESSAGE(compiled.status == 0, compiled.err);
}

// A working plugin under its own name: registered by it, tested by it, in no one else's way.
void check_made(const std::string& kind) {
  CAPTURE(kind);
  const Kind& wanted = kinds().at(kind);
  const Copy copy;
  const Finished made = copy.make({kind, "my-thing"});
  CHECK_MESSAGE(made.status == 0, made.err);
  REQUIRE(copy.added() == wanted.files);
  for (const std::string& file : wanted.files) {
    CAPTURE(file);
    CHECK(made.out.find(file + "\n") != std::string::npos);
    const std::string text = read_file((copy.root() / file).string());
    CHECK(text.find("my-thing") != std::string::npos);
    CHECK(text.find('"' + wanted.model + '"') == std::string::npos);
    if (!file.ends_with(".cpp")) continue;
    CHECK_FALSE(std::regex_search(text, std::regex("TEST_CASE\\(\"" + wanted.model + "\\b")));
    check_compiles(copy, file);
  }
}

void check_refused(std::vector<std::string> words) {
  std::string line;
  for (const std::string& word : words) line += ' ' + word;
  CAPTURE(line);
  const Copy copy;
  const Finished refused = copy.make(std::move(words));
  CHECK(refused.status == 2);
  CHECK(refused.out.empty());
  CHECK_FALSE(refused.err.empty());
  CHECK(copy.added().empty());
}

}  // namespace

TEST_CASE("./dev new: every kind that its help names is made here") {
  const std::string help = run_program((kRoot / "dev").string(), {}).err;
  std::smatch found;
  REQUIRE(std::regex_search(help, found, std::regex("new KIND NAME +a new ([a-z|]+)")));
  std::string named = found[1];
  std::string made;
  for (const auto& [kind, files] : kinds()) made += (made.empty() ? "" : "|") + kind;
  std::vector<std::string> sorted;
  for (std::size_t at = 0; at <= named.size();) {
    const std::size_t end = std::min(named.find('|', at), named.size());
    sorted.push_back(named.substr(at, end - at));
    at = end + 1;
  }
  std::sort(sorted.begin(), sorted.end());
  std::string joined;
  for (const std::string& kind : sorted) joined += (joined.empty() ? "" : "|") + kind;
  CHECK(joined == made);
}

TEST_CASE("./dev new mechanism: a mechanism and its test, which compile") {
  check_made("mechanism");
}
TEST_CASE("./dev new fault: a fault, its test and a file that shows it") {
  check_made("fault");
}
TEST_CASE("./dev new distribution: a distribution and its test, which compile") {
  check_made("distribution");
}
TEST_CASE("./dev new invariant: an invariant and its test, which compile") {
  check_made("invariant");
}
TEST_CASE("./dev new placement: a placement and its test, which compile") {
  check_made("placement");
}

TEST_CASE("./dev new scenario: a scenario in the folder above") {
  check_made("scenario");
  const Copy copy;
  REQUIRE(copy.make({"scenario", "my-thing"}).status == 0);
  const std::string text = read_file((copy.root() / "scenarios/my-thing.yaml").string());
  CHECK(text.find("name: my-thing\n") != std::string::npos);
  // It is one folder further up than the file that it is made from.
  CHECK(text.find("\nextends: base.yaml ") != std::string::npos);
  CHECK(text.find("$schema=schema.json\n") != std::string::npos);
}

TEST_CASE("./dev new: what is there already is not touched") {
  check_refused({"mechanism", "rejoin-sync"});
  check_refused({"fault", "bit-rot"});
  check_refused({"distribution", "log-normal"});
  check_refused({"invariant", "no-duplicate-nodes"});
  check_refused({"placement", "rendezvous"});
  check_refused({"scenario", "base"});
  // The same stem.
  const Copy copy;
  REQUIRE(copy.make({"fault", "my-thing"}).status == 0);
  CHECK(copy.make({"fault", "my-thing"}).status == 2);
}

TEST_CASE("./dev new: a kind or a name that there cannot be is refused") {
  check_refused({"replicator", "my-thing"});
  check_refused({"", "my-thing"});
  check_refused({"fault"});
  check_refused({"fault", "my-thing", "more"});
  for (const char* const name : {"", "My-Thing", "my_thing", "2-fast", "../loss", "a b"}) {
    check_refused({"fault", name});
    check_refused({"scenario", name});
  }
}

}  // namespace rejoin
