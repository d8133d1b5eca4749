// Runs the same schedules by several builds of rejoin_digests, all at once, and prints what they
// say as a table: a row a (schedule, seed), a column a build.
//
//   rejoin_digest_table BUILDS ROWS_MIN PATH...
//
// BUILDS is a file of lines NAME=PROGRAM; the first build is the one that the others are compared
// with. A line NAME!PACKAGES is a build that cannot be had until these packages are installed: then
// nothing is run. Digests, numbers of events and verdicts must be the same. Exit status: 0 all are
// the same, 2 usage, 3 some differ, 4 a build is missing or could not be run, or there were fewer
// rows than ROWS_MIN.
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr int kBadInput = 2;
constexpr int kDiffer = 3;
constexpr int kFailure = 4;

struct Key {
  std::string name;
  std::string seed;
  friend bool operator==(const Key&, const Key&) = default;
  friend bool operator<(const Key& a, const Key& b) {
    return std::tie(a.name, a.seed) < std::tie(b.name, b.seed);
  }
};
struct Seen {
  std::string digest;
  std::string events;
  std::string verdict;
  friend bool operator==(const Seen&, const Seen&) = default;
};
struct Build {
  std::string name;
  std::string program;
  std::vector<Key> order;  // as they were run
  std::map<Key, Seen> seen;
};

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// `missing`: set when one of them cannot be had.
std::vector<Build> read_builds(const std::string& file, bool& missing) {
  std::vector<Build> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (const std::size_t lacks = line.find('!'); lacks < line.find('=')) {
      std::fprintf(stderr,
                   "there is no build %s: install %s and configure again (cmake -S . -B BUILD)\n",
                   line.substr(0, lacks).c_str(), line.substr(lacks + 1).c_str());
      missing = true;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    out.push_back({.name = line.substr(0, equals),
                   .program = line.substr(equals + 1),
                   .order = {},
                   .seen = {}});
  }
  return out;
}

std::string read_all(std::FILE* in) {
  std::string out;
  char chunk[4096];
  for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, in)) != 0;) out.append(chunk, n);
  return out;
}

void take_lines(Build& build, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Key key;
    Seen seen;
    words >> key.name >> key.seed >> seen.digest >> seen.events >> seen.verdict;
    build.order.push_back(key);
    build.seen[key] = seen;
  }
}

// All builds at once. False when one of them failed.
bool run_builds(std::vector<Build>& builds, const std::vector<std::string>& paths) {
  std::vector<std::FILE*> running;
  for (const Build& build : builds) {
    std::string command = quoted(build.program);
    for (const std::string& path : paths) command += " " + quoted(path);
    running.push_back(::popen(command.c_str(), "r"));
  }
  bool good = true;
  for (std::size_t i = 0; i < builds.size(); ++i) {
    if (running[i] != nullptr) take_lines(builds[i], read_all(running[i]));
    const int status = running[i] == nullptr ? -1 : ::pclose(running[i]);
    std::fprintf(stderr, "%s: %zu runs\n", builds[i].name.c_str(), builds[i].order.size());
    if (status == 0) continue;
    good = false;
    std::fprintf(stderr, "%s failed: %s\n", builds[i].name.c_str(), builds[i].program.c_str());
  }
  return good;
}

// Every (schedule, seed) that some build ran: in the order of the first, then what only others ran.
std::vector<Key> rows_of(const std::vector<Build>& builds) {
  std::vector<Key> out = builds.front().order;
  for (const Build& build : builds) {
    for (const Key& key : build.order) {
      if (builds.front().seen.contains(key)) continue;
      if (std::find(out.begin(), out.end(), key) == out.end()) out.push_back(key);
    }
  }
  return out;
}

// What a build says of a row, beside what the first said: `=`, nothing at all, or how it differs.
std::string cell(const Build& build, const Key& key, const Seen& first) {
  const auto found = build.seen.find(key);
  if (found == build.seen.end()) return "absent";
  const Seen& seen = found->second;
  if (seen == first) return "=";
  if (seen.digest != first.digest) return seen.digest.substr(0, 8);
  return seen.events != first.events ? seen.events + " events" : seen.verdict;
}

struct Column {
  std::string title;
  std::vector<std::string> cells;
};

// Texts left, numbers right.
void print_columns(const std::vector<Column>& columns, std::size_t right) {
  std::vector<std::size_t> widths;
  for (const Column& column : columns) {
    std::size_t width = column.title.size();
    for (const std::string& text : column.cells) width = std::max(width, text.size());
    widths.push_back(width);
  }
  for (std::size_t row = 0; row <= columns.front().cells.size(); ++row) {
    std::string line;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& text = row == 0 ? columns[c].title : columns[c].cells[row - 1];
      const std::string padding(widths[c] - text.size(), ' ');
      line += (c == 0 ? "" : "  ") + (c == right ? padding + text : text + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }
}

// How many rows differ.
std::size_t print_table(const std::vector<Build>& builds, const std::vector<Key>& rows) {
  std::vector<Column> columns = {
      {"schedule", {}}, {"seed", {}}, {builds.front().name, {}}, {"events", {}}, {"verdict", {}}};
  constexpr std::size_t kEvents = 3;
  for (std::size_t i = 1; i < builds.size(); ++i) columns.push_back({builds[i].name, {}});
  columns.push_back({"", {}});
  std::size_t differing = 0;
  for (const Key& key : rows) {
    const auto found = builds.front().seen.find(key);
    const Seen first = found == builds.front().seen.end()
                           ? Seen{.digest = "absent", .events = "", .verdict = ""}
                           : found->second;
    std::vector<std::string> row = {key.name, key.seed, first.digest, first.events, first.verdict};
    bool same = true;
    for (std::size_t i = 1; i < builds.size(); ++i) {
      row.push_back(cell(builds[i], key, first));
      same = same && row.back() == "=";
    }
    row.emplace_back(same ? "" : "<- differs");
    differing += same ? 0 : 1;
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c].cells.push_back(row[c]);
  }
  print_columns(columns, kEvents);
  return differing;
}

// The first difference, and how to see the first event that differs.
void print_hint(const std::vector<Build>& builds, const std::vector<Key>& rows) {
  for (const Key& key : rows) {
    const auto first = builds.front().seen.find(key);
    for (const Build& build : builds) {
      const auto found = build.seen.find(key);
      if (first == builds.front().seen.end() || found == build.seen.end()) continue;
      if (found->second == first->second) continue;
      std::printf(
          "The first event that differs:\n  rejoin run scenarios/%s.yaml --seed %s "
          "--verify-with %s\n",
          key.name.c_str(), key.seed.c_str(), build.program.c_str());
      return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::size_t rows_min = 0;
  if (words.size() < 3 ||
      std::from_chars(words[1].data(), words[1].data() + words[1].size(), rows_min).ec !=
          std::errc{}) {
    std::fputs("rejoin_digest_table: BUILDS ROWS_MIN PATH...\n", stderr);
    return kBadInput;
  }
  bool missing = false;
  std::vector<Build> builds = read_builds(words[0], missing);
  if (missing) return kFailure;
  if (builds.size() < 2) {
    std::fprintf(stderr, "%s names no two builds\n", words[0].c_str());
    return kBadInput;
  }
  const bool all_ran = run_builds(builds, {words.begin() + 2, words.end()});
  const std::vector<Key> rows = rows_of(builds);
  const std::size_t differing = print_table(builds, rows);
  std::printf("\n%zu runs by %zu builds: ", rows.size(), builds.size());
  if (differing == 0) {
    std::printf("all the same\n");
  } else {
    std::printf("%zu differ\n", differing);
    print_hint(builds, rows);
  }
  if (!all_ran) return kFailure;
  if (rows.size() < rows_min) {
    std::printf("These are fewer than %zu.\n", rows_min);
    return kFailure;
  }
  return differing == 0 ? 0 : kDiffer;
}
