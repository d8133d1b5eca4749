#include "sim/scenario/scenario.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "sim/scenario/merge.hpp"
#include "sim/scenario/pick.hpp"
#include "sim/scenario/presets.hpp"
#include "sim/scenario/print.hpp"
#include "sim/scenario/read.hpp"
#include "sim/scenario/tree.hpp"
#include "sim/scenario/yaml.hpp"

namespace rejoin::sim {

struct Scenario::Impl {
  std::string file;
  Tree tree;  // merged, picks open
  Vocabulary vocabulary;
  std::string name;
  std::uint64_t seed = 1;
  std::uint32_t trials = 1;
  std::vector<Threshold> thresholds;
};

namespace {

constexpr std::size_t kExtendsMax = 16;

// One path for one file, however it was spelled.
std::string identity(const std::string& file) {
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(file, error);
  return error ? file : path.string();
}

// The comment that the file opens with, without modelines for editors.
std::string opening_comment(const Source& source) {
  std::string out;
  for (const std::string& line : source.lines) {
    if (!line.starts_with("#")) break;
    std::string text =
        line.substr(line.find_first_not_of('#') == std::string::npos ? line.size()
                                                                     : line.find_first_not_of('#'));
    if (text.starts_with(" ")) text.erase(0, 1);
    if (text.starts_with("yaml-language-server:")) continue;
    if (!out.empty()) out += '\n';
    out += text;
  }
  return out;
}

// Nothing of a file of another format is read: what its keys mean there is not known here.
void check_format(const Tree& file, Problems& problems) {
  const std::string known = std::to_string(kFormat);
  const Tree* const format = file.find("format");
  if (format == nullptr) {
    problems.add(file.mark, "the file does not say its `format`",
                 "begin it with `format: " + known + "`");
    return;
  }
  const auto number = parse_integer(format->is_scalar() ? format->text : "");
  if (!number) {
    problems.add(format->mark, "`format` takes " + known + ", not " + found(*format));
  } else if (*number != kFormat) {
    const bool newer = *number > kFormat;
    problems.add(
        format->mark,
        "the file has format " + format->text + ", and this rejoin reads format " + known,
        newer ? "a newer rejoin reads it; nothing of it was read here" : "formats begin with 1");
  }
}

// Reads a file and what it extends, the file itself first.
class Loader {
 public:
  Loader(const Vocabulary& vocabulary, Problems& problems)
      : vocabulary_(vocabulary), problems_(problems) {}

  [[nodiscard]] std::optional<Tree> load(const std::string& file, const std::string& text) {
    add(file, text);
    if (!problems_.empty()) return std::nullopt;
    for (Tree& each : files_) settle_labels(each, files_.size() == 1, problems_);
    Tree merged = std::move(files_.back());
    for (std::size_t i = files_.size() - 1; i > 0; --i) {
      // These say who a file is; the one that extends it is another.
      for (const char* own : {"name", "about", "found"}) merged.erase(own);
      merged = merge(merged, files_[i - 1], vocabulary_, problems_);
    }
    return merged;
  }

 private:
  void add(const std::string& file, const std::string& text) {
    chain_.push_back(file);
    std::optional<Tree> tree = parse_yaml(file, text, problems_);
    if (!tree) return;
    if (!tree->is_map()) {
      problems_.add(tree->mark, "a scenario is a map of keys, not " + found(*tree));
      return;
    }
    check_format(*tree, problems_);
    files_.push_back(*std::move(tree));
    const Tree* const extends = files_.back().find("extends");
    if (extends == nullptr) return;
    if (!extends->is_scalar() || extends->text.empty()) {
      problems_.add(extends->mark, "`extends` takes a file, not " + found(*extends));
      return;
    }
    const Mark asked_by = extends->mark;
    follow(file, extends->text, asked_by);
  }

  void follow(const std::string& from, const std::string& to, const Mark& asked_by) {
    const auto next = (std::filesystem::path(from).parent_path() / to).lexically_normal().string();
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      if (identity(chain_[i]) != identity(next)) continue;
      std::string cycle;
      for (std::size_t j = i; j < chain_.size(); ++j) cycle += chain_[j] + " -> ";
      problems_.add(asked_by, "`extends` makes a cycle: " + cycle + next);
      return;
    }
    if (chain_.size() == kExtendsMax) {
      problems_.add(asked_by,
                    "more than " + std::to_string(kExtendsMax) + " files that extend one another");
      return;
    }
    const std::optional<std::string> text = read_file(next, asked_by, problems_);
    if (text) add(next, *text);
  }

  const Vocabulary& vocabulary_;
  Problems& problems_;
  std::vector<std::string> chain_;
  std::vector<Tree> files_;
};

Schedule read_schedule(const Scenario::Impl& impl, Tree tree, std::optional<std::uint64_t> seed,
                       Problems& problems) {
  ScheduleReader reader(impl.vocabulary, problems, seed);
  Schedule schedule = reader.read(tree);
  schedule.file = impl.file;
  return schedule;
}

std::vector<Threshold> read_thresholds(const Scenario::Impl& impl, Problems& problems) {
  const Tree* const list = impl.tree.find("thresholds");
  if (list == nullptr) return {};
  return ScheduleReader(impl.vocabulary, problems).read_thresholds(*list);
}

// Every alternative of every pick, so that no seed finds an error that another did not.
void check_all(const Scenario::Impl& impl, Problems& problems) {
  const std::size_t rounds = pick_rounds(impl.tree);
  for (std::size_t round = 0; round < rounds; ++round) {
    Tree tree = impl.tree;
    resolve_picks_of_round(tree, round, problems);
    (void)read_schedule(impl, std::move(tree), std::nullopt, problems);
  }
}

}  // namespace

const std::string& Scenario::name() const {
  return impl_->name;
}
std::uint64_t Scenario::seed() const {
  return impl_->seed;
}
std::uint32_t Scenario::trials() const {
  return impl_->trials;
}

const std::vector<Threshold>& Scenario::thresholds() const {
  return impl_->thresholds;
}

bool Scenario::has(std::string_view key) const {
  return impl_->tree.find(key) != nullptr;
}

std::string Scenario::resolved() const {
  return print_yaml(in_order(impl_->tree));
}

tl::expected<Schedule, Diagnostics> Scenario::materialise(std::uint64_t seed) const {
  Problems problems;
  Tree tree = impl_->tree;
  resolve_picks(tree, seed, problems);
  Schedule schedule = read_schedule(*impl_, std::move(tree), seed, problems);
  if (!problems.empty()) return tl::unexpected(problems.take());
  schedule.seed = seed;
  return schedule;
}

namespace {

const Mark* find_mark(const Tree& tree, const std::string& where) {
  if (to_text(tree.mark) == where) return &tree.mark;
  for (const Entry& entry : tree.entries) {
    if (to_text(entry.mark) == where) return &entry.mark;
    if (const Mark* const mark = find_mark(entry.value, where)) return mark;
  }
  for (const Tree& item : tree.items) {
    if (const Mark* const mark = find_mark(item, where)) return mark;
  }
  return nullptr;
}

}  // namespace

Diagnostic Scenario::at(const std::string& where, std::string message, std::string hint) const {
  const Mark* const mark = where.empty() ? nullptr : find_mark(impl_->tree, where);
  if (mark == nullptr) {
    Diagnostic out;
    out.file = where.empty() ? impl_->file : where;
    out.message = std::move(message);
    out.hint = std::move(hint);
    return out;
  }
  Problems problems;
  problems.add(*mark, std::move(message), std::move(hint));
  return problems.take().front();
}

tl::expected<Scenario, Diagnostics> read_scenario(const std::string& file, const std::string& text,
                                                  const Vocabulary& vocabulary,
                                                  const std::vector<Override>& overrides) {
  Problems problems;
  std::optional<Tree> tree = Loader(vocabulary, problems).load(file, text);
  if (!tree) return tl::unexpected(problems.take());
  if (tree->find("name") == nullptr) {
    const std::string stem = std::filesystem::path(file).stem().string();
    tree->set("name", make_scalar(stem.empty() ? "scenario" : stem, tree->mark));
  }
  if (tree->find("about") == nullptr && tree->mark.source != nullptr) {
    const std::string about = opening_comment(*tree->mark.source);
    if (!about.empty()) tree->set("about", make_scalar(about, tree->mark));
  }
  // Before each override: it may be about a mechanism that a preset has brought.
  expand_presets(*tree, vocabulary, problems);
  for (const Override& change : overrides) {
    apply_override(*tree, change, vocabulary, problems);
    expand_presets(*tree, vocabulary, problems);
  }

  auto impl = std::make_shared<Scenario::Impl>();
  impl->file = file;
  impl->tree = *std::move(tree);
  impl->vocabulary = vocabulary;
  check_all(*impl, problems);
  impl->thresholds = read_thresholds(*impl, problems);
  if (!problems.empty()) return tl::unexpected(problems.take());
  // Checked above: both are whole numbers.
  if (const Tree* const name = impl->tree.find("name")) impl->name = name->text;
  const auto number = [&](std::string_view key) -> std::uint64_t {
    const Tree* const value = impl->tree.find(key);
    if (value == nullptr || !value->is_scalar()) return 1;
    return static_cast<std::uint64_t>(parse_integer(value->text).value_or(1));
  };
  impl->seed = number("seed");
  impl->trials = static_cast<std::uint32_t>(number("trials"));
  return Scenario(std::move(impl));
}

tl::expected<Scenario, Diagnostics> load_scenario(const std::string& file,
                                                  const Vocabulary& vocabulary,
                                                  const std::vector<Override>& overrides) {
  Problems problems;
  const std::optional<std::string> text = read_file(file, {}, problems);
  if (!text) return tl::unexpected(problems.take());
  return read_scenario(file, *text, vocabulary, overrides);
}

}  // namespace rejoin::sim
