// The rules of the house that a compiler does not check: who may include whom, what the core may
// not use, how long a file may be, that every plugin has its test.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
const fs::path kRoot = REJOIN_SOURCE_DIR;

struct Source {
  std::string path;  // from the root, with /
  std::vector<std::string> lines;
};

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Source> sources_below(const std::vector<std::string>& folders) {
  std::vector<Source> out;
  for (const std::string& folder : folders) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".hpp") continue;
      out.push_back({fs::relative(entry.path(), kRoot).generic_string(), read_lines(entry.path())});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  REQUIRE(!out.empty());
  return out;
}

const std::vector<std::string> kCode = {"model", "protocols", "sim", "reports"};
const std::vector<std::string> kCore = {"model",      "protocols",  "sim/distributions",
                                        "sim/faults", "sim/kernel", "sim/invariants",
                                        "sim/run"};

bool is_below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + "/");
}

// The folder of the house that a file belongs to: `sim/kernel`, `protocols`, ...
std::string house_folder(const std::string& path) {
  const std::size_t first = path.find('/');
  if (first == std::string::npos) return path;
  const std::string top = path.substr(0, first);
  if (top != "sim") return top;
  return path.substr(0, path.find('/', first + 1));
}

// Who may include whom, and nothing else.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"model", {}},
    {"protocols", {"model"}},
    {"sim/distributions", {"model"}},
    {"sim/kernel", {"model"}},
    {"sim/invariants", {"model"}},
    {"sim/scenario", {"model"}},
    {"reports", {"model"}},
    {"sim/faults", {"model", "sim/kernel"}},
    {"sim/run",
     {"model", "protocols", "sim/kernel", "sim/invariants", "sim/scenario", "sim/faults",
      "reports"}},
    {"sim/explore",
     {"model", "protocols", "sim/kernel", "sim/invariants", "sim/scenario", "sim/faults", "reports",
      "sim/run"}},
    {"sim/app",
     {"model", "protocols", "sim/kernel", "sim/invariants", "sim/scenario", "sim/faults", "reports",
      "sim/run", "sim/explore"}},
};

void check_includes(const Source& source, std::vector<std::string>& complaints) {
  static const std::regex include("^\\s*#\\s*include\\s+\"([^\"]+)\"");
  const std::string from = house_folder(source.path);
  for (std::size_t n = 0; n < source.lines.size(); ++n) {
    std::smatch match;
    if (!std::regex_search(source.lines[n], match, include)) continue;
    const std::string to = house_folder(match[1].str());
    if (to == from) continue;
    const auto allowed = kMayInclude.find(from);
    if (allowed == kMayInclude.end() || !allowed->second.contains(to)) {
      complaints.push_back(source.path + ":" + std::to_string(n + 1) + ": " + from +
                           " may not include " + match[1].str());
    }
  }
}

struct Ban {
  std::string pattern;
  std::string why;
  std::set<std::string> except;  // paths
};

// In the core. Comments are not code: everything behind // is cut off first.
const std::vector<Ban> kBans = {
    {R"(\bunordered_(map|set|multimap|multiset)\b)",
     "iteration order differs between libraries",
     {}},
    {R"(\bstd::(hash|shuffle|random_device|mt19937\w*|default_random_engine)\b)",
     "differs between libraries, or is not keyed",
     {}},
    {R"(\bstd::\w+_distribution\b)", "differs between libraries", {}},
    {R"(\b(system_clock|steady_clock|high_resolution_clock|clock_gettime|gettimeofday|time\(NULL\))\b)",
     "a run reads no real clock",
     {}},
    {R"(\bstd::(thread|jthread|async|mutex|atomic)\b)", "a run has one thread", {}},
    {R"(\b(getenv|setlocale|rand|srand)\s*\()", "depends on the environment", {}},
    {R"(\bstd::(log|exp|pow|sin|cos|tan|log2|log10|exp2|sqrt|cbrt|tgamma|lgamma)\s*\()",
     "libm differs between machines; see model/math",
     {}},
    {R"(\bstd::sort\s*\()", "unstable: std::stable_sort, or say `no ties` and why above", {}},
    {R"(\b(throw|try|catch)\b)", "expected failure is a returned value", {}},
    {R"(\bthread_local\b)", "no hidden state", {}},
    {R"(#\s*include\s*<(yaml-cpp|fmt|nlohmann|CLI|Eigen|range|benchmark)/)",
     "this library has its one door elsewhere",
     {}},
};

std::string without_comment(const std::string& line) {
  const std::size_t at = line.find("//");
  return at == std::string::npos ? line : line.substr(0, at);
}

// What the compiler acts on: no comments, no text in quotes (but includes keep theirs).
std::string code_of(const std::string& line) {
  static const std::regex text("\"(\\\\.|[^\"\\\\])*\"");
  return std::regex_replace(without_comment(line), text, "\"\"");
}

void report(const std::vector<std::string>& complaints) {
  std::string all;
  for (const std::string& complaint : complaints) all += complaint + "\n";
  INFO(all);
  CHECK(complaints.empty());
}

}  // namespace

TEST_CASE("includes point downwards only") {
  std::vector<std::string> complaints;
  for (const Source& source : sources_below(kCode)) check_includes(source, complaints);
  report(complaints);
}

TEST_CASE("the include check notices a node that includes the simulator") {
  std::vector<std::string> complaints;
  check_includes({"protocols/node/node.cpp", {"#include \"sim/kernel/kernel.hpp\""}}, complaints);
  check_includes({"sim/invariants/world.cpp", {"#include \"protocols/store/store.hpp\""}},
                 complaints);
  check_includes({"sim/kernel/kernel.cpp", {"#include \"model/env.hpp\""}}, complaints);
  CHECK(complaints.size() == 2);
}

TEST_CASE("the core uses nothing that differs between machines, libraries or runs") {
  std::vector<std::string> complaints;
  for (const Source& source : sources_below(kCore)) {
    for (const Ban& ban : kBans) {
      if (ban.except.contains(source.path)) continue;
      const std::regex pattern(ban.pattern);
      for (std::size_t n = 0; n < source.lines.size(); ++n) {
        if (!std::regex_search(code_of(source.lines[n]), pattern)) continue;
        if (n > 0 && source.lines[n - 1].find("no ties") != std::string::npos) continue;
        complaints.push_back(source.path + ":" + std::to_string(n + 1) + ": " + ban.why + ": " +
                             source.lines[n]);
      }
    }
  }
  report(complaints);
}

TEST_CASE("files and lines stay within their bounds") {
  std::vector<std::string> complaints;
  const auto check = [&complaints](const Source& source, std::size_t lines_max) {
    if (source.lines.size() > lines_max) {
      complaints.push_back(source.path + ": " + std::to_string(source.lines.size()) +
                           " lines, at most " + std::to_string(lines_max));
    }
    bool in_text = false;
    for (std::size_t n = 0; n < source.lines.size(); ++n) {
      // Columns, not bytes: continuation bytes of UTF-8 take no place of their own.
      const auto columns =
          std::count_if(source.lines[n].begin(), source.lines[n].end(),
                        [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
      // Raw strings hold what a program prints, as long as it prints it.
      const std::size_t opens = source.lines[n].rfind("R\"(");
      const std::size_t closes = source.lines[n].rfind(")\"");
      const bool text = in_text || opens != std::string::npos;
      if (opens != std::string::npos) in_text = closes == std::string::npos || closes < opens;
      if (opens == std::string::npos && closes != std::string::npos) in_text = false;
      if (columns > 100 && !text) {
        complaints.push_back(source.path + ":" + std::to_string(n + 1) + ": " +
                             std::to_string(columns) + " columns, at most 100");
      }
    }
  };
  for (const Source& source : sources_below(kCode)) check(source, 600);
  for (const Source& source : sources_below({"tests", "bench"})) check(source, 1000);
  report(complaints);
}

TEST_CASE("every plugin has a test of its own stem") {
  const std::map<std::string, std::string> test_folder = {
      {"protocols/sync", "tests/sync"},
      {"protocols/versions", "tests/versions"},
      {"protocols/partitioning", "tests/partitioning"},
      {"sim/distributions", "tests/distributions"},
      {"sim/faults", "tests/faults"},
      {"sim/invariants", "tests/invariants"}};
  static const std::regex registration(
      R"(\b((Mechanisms|Conflicts|Placements|Distributions|Faults|Invariants)::add|register_invariant<\w+>)\()");
  std::vector<std::string> complaints;
  std::size_t plugins = 0;
  for (const auto& [folder, tests] : test_folder) {
    for (const Source& source : sources_below({folder})) {
      if (!source.path.ends_with(".cpp")) continue;
      const bool registers =
          std::any_of(source.lines.begin(), source.lines.end(),
                      [](const auto& l) { return std::regex_search(l, registration); });
      if (!registers) continue;
      ++plugins;
      const std::string stem = fs::path(source.path).stem().string();
      if (!fs::exists(kRoot / tests / (stem + "_test.cpp"))) {
        complaints.push_back(source.path + ": no " + tests + "/" + stem + "_test.cpp");
      }
      const std::string text = [&source] {
        std::string all;
        for (const std::string& line : source.lines) all += line + "\n";
        return all;
      }();
      std::string name = stem;
      std::replace(name.begin(), name.end(), '_', '-');
      if (text.find("\"" + name + "\"") == std::string::npos) {
        complaints.push_back(source.path + ": registers no plugin named " + name);
      }
    }
  }
  CHECK(plugins >= 20);
  report(complaints);
}

TEST_CASE("planted bugs stand in protocols' .cpp files, each listed and each there") {
  static const std::regex use("MUTANT\\(\"([^\"]+)\"\\)");
  std::set<std::string> used;
  std::vector<std::string> complaints;
  for (const Source& source : sources_below(kCode)) {
    if (source.path.starts_with("model/mutant")) continue;
    for (const std::string& raw : source.lines) {
      const std::string line = without_comment(raw);
      for (std::sregex_iterator m(line.begin(), line.end(), use), end; m != end; ++m) {
        used.insert((*m)[1].str());
        if (!is_below(source.path, "protocols") || !source.path.ends_with(".cpp")) {
          complaints.push_back(source.path + ": a mutant outside protocols/*.cpp");
        }
      }
    }
  }
  static const std::regex listed("^\\s*\\{\"([a-z0-9-]+)\"");
  std::set<std::string> known;
  for (const std::string& line : read_lines(kRoot / "model/mutant.cpp")) {
    std::smatch match;
    if (std::regex_search(line, match, listed)) known.insert(match[1].str());
  }
  CHECK(known.size() >= 8);
  CHECK(used == known);
  report(complaints);
}

TEST_CASE("headers say what they are for and are included once") {
  std::vector<std::string> complaints;
  for (const Source& source : sources_below(kCode)) {
    if (!source.path.ends_with(".hpp")) continue;
    if (source.lines.empty() || !source.lines.front().starts_with("// ")) {
      complaints.push_back(source.path + ": does not open with what it is for");
    }
    if (std::find(source.lines.begin(), source.lines.end(), "#pragma once") == source.lines.end()) {
      complaints.push_back(source.path + ": no #pragma once");
    }
  }
  report(complaints);
}

TEST_CASE("the top level holds what it should and nothing else") {
  const std::set<std::string> allowed = {
      "CMakeLists.txt", "CMakePresets.json", "README.md", "dev",   "sim",   "model",  "protocols",
      "scenarios",      "reports",           "tests",     "bench", "build", "results"};
  std::vector<std::string> complaints;
  for (const auto& entry : fs::directory_iterator(kRoot)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".") && !allowed.contains(name)) complaints.push_back(name);
  }
  report(complaints);
}
