#include "sim/scenario/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <locale>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "model/params.hpp"

namespace rejoin::sim {

namespace {

// Thrown through yaml-cpp to end its parse; never leaves this file.
struct Refused {};

struct Frame {
  Tree tree;
  std::set<std::string> keys;  // of a map, as lookups see them
  std::string key;
  Mark key_mark;
  bool key_next = true;  // of a map: the next scalar is a key
  bool skip = false;     // the value of `key` is not kept
  YAML::anchor_t anchor = 0;
};

// Builds a Tree from yaml-cpp's events.
class Builder final : public YAML::EventHandler {
 public:
  Builder(std::shared_ptr<const Source> source, Problems& problems)
      : source_(std::move(source)), problems_(problems) {}

  [[nodiscard]] Tree take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& at) override {
    if (++documents_ > 1) {
      refuse(mark(at), "a second document begins here",
             "a scenario file is one document: remove the `---`");
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
    Tree null;
    null.mark = mark(at);
    if (is_key_next()) refuse(null.mark, "a key without a name");
    add(std::move(null), anchor);
  }
  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
    const Mark place = mark(at);
    if (is_key_next()) refuse(place, "an alias as a key");
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      refuse(place, "an alias inside the very value that it names");
    }
    Tree copy = known->second.first;
    count(place, known->second.second - 1);
    copy.mark = place;
    add(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Mark place = mark(at);
    check_tag(place, tag);
    if (is_key_next()) return take_key(place, value);
    add(make_scalar(value, place), anchor);
  }
  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(make_list({}, mark(at)), tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(make_map({}, mark(at)), tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  [[nodiscard]] Mark mark(const YAML::Mark& at) const {
    if (at.is_null() || source_->lines.empty()) return {source_, 0, 0};
    return {source_, at.line + 1, at.column + 1};
  }
  [[noreturn]] void refuse(const Mark& at, std::string message, std::string hint = {}) {
    problems_.add(at, std::move(message), std::move(hint));
    throw Refused{};
  }
  [[nodiscard]] bool is_key_next() const {
    return !frames_.empty() && frames_.back().tree.is_map() && frames_.back().key_next;
  }
  void check_tag(const Mark& at, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    refuse(at, "the tag `" + tag + "` has no meaning here", "remove it");
  }
  void count(const Mark& at, std::size_t values) {
    values_ += values;
    if (values_ <= kValuesMax) return;
    refuse(at, "more than " + std::to_string(kValuesMax) + " values, aliases expanded");
  }
  void take_key(const Mark& at, const std::string& key) {
    count(at, 1);
    Frame& frame = frames_.back();
    frame.key = key;
    frame.key_mark = at;
    frame.key_next = false;
    frame.skip = key == "<<" || !frame.keys.insert(normal_name(key)).second;
    if (key == "<<") {
      problems_.add(at, "merge keys (`<<`) are not supported",
                    "write `extends: FILE` to build on another file");
    } else if (frame.skip) {
      problems_.add(at, "duplicate key `" + key + "`", "`-` and `_` are alike; keep one of them");
    }
  }
  void open(Tree tree, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(tree.mark, tag);
    if (is_key_next()) refuse(tree.mark, "a list or map as a key");
    if (frames_.size() == kDepthMax) {
      refuse(tree.mark, "nested more than " + std::to_string(kDepthMax) + " deep");
    }
    Frame frame;
    frame.tree = std::move(tree);
    frame.anchor = anchor;
    started_.push_back(values_);
    frames_.push_back(std::move(frame));
  }
  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    const std::size_t values = values_ - started_.back() + 1;
    started_.pop_back();
    if (frame.anchor != 0) {
      // The copy counts, too: nested anchors are as costly as aliases.
      count(frame.tree.mark, values);
      anchors_.insert_or_assign(frame.anchor, std::pair(frame.tree, values));
    }
    add(std::move(frame.tree), 0);
  }
  void add(Tree tree, YAML::anchor_t anchor) {
    count(tree.mark, 1);
    if (anchor != 0) anchors_.insert_or_assign(anchor, std::pair(tree, std::size_t{1}));
    if (frames_.empty()) {
      root_ = std::move(tree);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.tree.is_list()) {
      frame.tree.items.push_back(std::move(tree));
      return;
    }
    frame.key_next = true;
    // yaml-cpp places a missing value at what follows it.
    if (tree.kind == Tree::Kind::null) tree.mark = frame.key_mark;
    if (frame.skip) return;  // a duplicate was complained about; the first stays
    frame.tree.entries.push_back({frame.key, frame.key_mark, std::move(tree)});
  }
  std::shared_ptr<const Source> source_;
  Problems& problems_;
  Tree root_;
  std::vector<Frame> frames_;
  std::vector<std::size_t> started_;                                // values before each open frame
  std::map<YAML::anchor_t, std::pair<Tree, std::size_t>> anchors_;  // and how many values
  std::size_t values_ = 0;
  int documents_ = 0;
};

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    out.push_back(std::move(line));
    begin = end + 1;
  }
  return out;
}

// How many bytes the UTF-8 character at `at` has; 0 when it is none.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const std::size_t length = byte < 0x80   ? 1
                             : byte < 0xc2 ? 0
                             : byte < 0xe0 ? 2
                             : byte < 0xf0 ? 3
                             : byte < 0xf5 ? 4
                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0U) != 0x80U) return 0;
  }
  return length;
}

// What yaml-cpp would misread or report obscurely: bytes that are no text, tabs as indentation.
bool check_text(const std::shared_ptr<const Source>& source, Problems& problems) {
  for (std::size_t n = 0; n < source->lines.size(); ++n) {
    const std::string& line = source->lines[n];
    const auto at = [&](std::size_t i) {
      return Mark{source, static_cast<int>(n + 1), static_cast<int>(i + 1)};
    };
    bool indentation = true;
    bool tab_before = false;
    for (std::size_t i = 0; i < line.size();) {
      const std::size_t length = character_bytes(line, i);
      const char c = line[i];
      const auto byte = static_cast<unsigned char>(c);
      if (length == 0 || (byte < 0x20 && c != '\t') || byte == 0x7f) {
        problems.add(at(i), "a byte that is not text",
                     "scenario files are UTF-8 without control characters");
        return false;
      }
      if (indentation && c != ' ' && c != '\t' && c != '#') {
        indentation = false;
        if (tab_before) {
          problems.add(at(line.find('\t')), "a tab in the indentation", "indent with spaces");
          return false;
        }
      }
      if (c == '#') indentation = false;
      if (indentation && c == '\t') tab_before = true;
      i += length;
    }
  }
  return true;
}

std::optional<Tree> parse(const std::shared_ptr<const Source>& source, const std::string& text,
                          Problems& problems) {
  const Mark whole{source, 0, 0};
  const auto invalid = [&](const YAML::Mark& at, const std::string& what) {
    const bool placed = !at.is_null() && !source->lines.empty();
    problems.add(placed ? Mark{source, at.line + 1, at.column + 1} : whole,
                 "not valid YAML: " + what);
  };
  try {
    std::istringstream in(text);
    in.imbue(std::locale::classic());
    YAML::Parser parser(in);
    Builder builder(source, problems);
    if (!parser.HandleNextDocument(builder)) {
      problems.add(whole, "there is nothing in it", "a scenario begins with `format: 1`");
      return std::nullopt;
    }
    if (parser.HandleNextDocument(builder)) return std::nullopt;
    return builder.take();
  } catch (const Refused&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    invalid(error.mark, error.msg);
    return std::nullopt;
  } catch (const std::exception& error) {
    invalid(YAML::Mark::null_mark(), error.what());
    return std::nullopt;
  }
}

}  // namespace

std::optional<Tree> parse_yaml(const std::string& file, const std::string& text,
                               Problems& problems) {
  auto source = std::make_shared<Source>();
  source->file = file;
  if (text.size() > kFileBytesMax) {
    problems.add({source, 0, 0}, "the file is larger than 10 MB");
    return std::nullopt;
  }
  std::string_view body = text;
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  const std::string clean(body);
  source->lines = split_lines(clean);
  if (!check_text(source, problems)) return std::nullopt;
  return parse(source, clean, problems);
}

std::optional<Tree> parse_override(const Override& change, Problems& problems) {
  auto source = std::make_shared<Source>();
  source->file = "--set " + change.path + "=" + change.value;
  const auto lines = std::make_shared<Source>();
  lines->lines = split_lines(change.value);
  if (change.value.size() > kFileBytesMax || !check_text(lines, problems)) return std::nullopt;
  return parse(source, change.value, problems);
}

std::optional<std::string> read_file(const std::string& file, const Mark& asked_by,
                                     Problems& problems) {
  auto source = std::make_shared<Source>();
  source->file = file;
  // A file that another extends is complained about where it is named.
  const Mark place = asked_by.source != nullptr ? asked_by : Mark{source, 0, 0};
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad() || (in.gcount() == 0 && errno != 0)) {
    const std::string why = errno != 0 ? std::strerror(errno) : "it is not a file";
    problems.add(place, "cannot read `" + file + "`: " + why);
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kFileBytesMax) {
    problems.add(place, "`" + file + "` is larger than 10 MB");
    return std::nullopt;
  }
  return text;
}

}  // namespace rejoin::sim
