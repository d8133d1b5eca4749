#include "sim/explore/findings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "model/utf8.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string why(int error) {
  return std::strerror(error);
}

// As a scenario file may hold it: in one line, UTF-8 and without control characters. A process
// that died may have said a lot more than a reader wants at the top of a file.
std::string in_one_line(std::string_view text) {
  constexpr std::size_t kMost = 1'000;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::string out;
  for (std::size_t at = 0; at < text.size() && out.size() < kMost;) {
    const std::size_t length = utf8_length(text.substr(at));
    const bool is_control = length == 1 && (text[at] == 0x7F || (text[at] >= 0 && text[at] < 0x20));
    // U+0080 to U+009F are control characters, too.
    const bool is_late_control = length == 2 && text[at] == '\xC2' && text[at + 1] < '\xA0';
    if (is_control) {
      out += ' ';
    } else if (length == 0 || is_late_control) {
      out += '?';
    } else {
      out += text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : in_one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Of this process alone, beside what it is to become.
std::string part_of(const std::string& path) {
  return path + "." + std::to_string(::getpid()) + ".part";
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What `found:` has below that key, as failure_file writes it.
std::optional<std::string> found_value(const std::string& yaml, const std::string& key) {
  constexpr std::string_view kSection = "found:\n";
  std::size_t section = yaml.starts_with(kSection) ? 0 : yaml.find("\n" + std::string(kSection));
  if (section == std::string::npos) return std::nullopt;
  section = yaml.find("found:\n", section) + kSection.size() - 1;
  const std::string line = "\n  " + key + ": ";
  const std::size_t at = yaml.find(line, section);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + line.size();
  return yaml.substr(begin, yaml.find('\n', begin) - begin);
}

bool removes(const fs::path& path) {
  std::error_code error;
  return fs::remove(path, error);
}

// The lines of a timeline's step end before the next one begins: a comment goes behind the line
// that names it.
std::string with_notes(const std::string& yaml, const std::vector<StepNote>& notes) {
  std::map<std::string, std::string> what;
  for (const StepNote& note : notes) what[note.label] = note.what;
  std::istringstream in(yaml);
  std::string out;
  for (std::string line; std::getline(in, line); out += line + "\n") {
    const std::size_t at = line.find("label: ");
    if (at == std::string::npos) continue;
    const std::size_t begin = at + std::string_view("label: ").size();
    const std::string label = line.substr(begin, line.find_first_of(",} ", begin) - begin);
    const auto note = what.find(label);
    if (note != what.end()) line += "  # " + in_one_line(note->second);
  }
  return out;
}

}  // namespace

std::string failure_file(const Schedule& schedule, const Provenance& from,
                         const std::vector<std::string>& summary,
                         const std::vector<StepNote>& notes, const Vocabulary* vocabulary) {
  Schedule plain = schedule;
  plain.about.clear();
  // Unless it is an expectation that was missed.
  const bool expects = from.signature.what == "unmet";
  if (!expects) plain.expect = {};
  for (Step& step : plain.timeline) {
    auto* operate = std::get_if<action::Operate>(&step.action);
    if (operate != nullptr && !expects) operate->expect.reset();
  }
  std::string out = "# " + in_one_line(from.says) + "\n";
  for (const std::string& line : summary) out += "# " + in_one_line(line) + "\n";
  std::string yaml =
      with_notes(vocabulary == nullptr ? to_yaml(plain) : to_short_yaml(plain, *vocabulary), notes);
  std::string found = "found:\n";
  found += "  signature: " + to_slug(from.signature) + "\n";
  found += "  broke: " + from.signature.what + "\n";
  if (!from.signature.role.empty()) found += "  role: " + from.signature.role + "\n";
  found += "  says: " + in_quotes(from.says) + "\n";
  found += "  scenario: " + in_quotes(from.file) + "\n";
  found += "  seed: " + std::to_string(from.seed) + "\n";
  if (!from.flags.empty()) found += "  flags: " + in_quotes(from.flags) + "\n";
  if (from.minimal) found += "  minimal: true\n";
  found += "  rejoin: " + from.version + "\n";
  if (!from.commit.empty()) found += "  commit: " + from.commit + "\n";
  return out + yaml + found;
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::optional<std::string> found_signature(const std::string& yaml) {
  return found_value(yaml, "signature");
}
std::optional<std::string> found_broke(const std::string& yaml) {
  return found_value(yaml, "broke");
}
std::optional<std::uint64_t> found_seed(const std::string& yaml) {
  const std::string text = found_value(yaml, "seed").value_or("");
  std::uint64_t out = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return out;
}
bool is_minimal(const std::string& yaml) {
  return found_value(yaml, "minimal") == "true";
}

std::optional<std::string> write_file(const std::string& path, const std::string& content) {
  const std::string beside = part_of(path);
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return "`" + path + "` cannot be written: " + why(errno);
  int error = 0;
  for (std::size_t at = 0; at < content.size() && error == 0;) {
    const ::ssize_t n = ::write(file, content.data() + at, content.size() - at);
    if (n >= 0) {
      at += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && ::fsync(file) != 0) error = errno;
  if (::close(file) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return std::nullopt;
  ::unlink(beside.c_str());
  return "`" + path + "` cannot be written: " + why(error);
}

std::optional<std::string> try_to_write(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return "`" + path + "` is a folder";
  const std::string beside = part_of(path);
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return "`" + path + "` cannot be written: " + why(errno);
  ::close(file);
  ::unlink(beside.c_str());
  return std::nullopt;
}

tl::expected<Findings, std::string> Findings::open(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return tl::unexpected("the folder `" + folder + "` cannot be made: " + error.message());
  }
  const std::string probe = folder + "/.probe-" + std::to_string(::getpid());
  if (const auto problem = write_file(probe, "x")) return tl::unexpected(*problem);
  ::unlink(probe.c_str());
  return Findings(folder);
}

std::string Findings::folder_of(const Signature& signature) const {
  return folder_ + "/" + to_slug(signature);
}

std::vector<Findings::Saved> Findings::saved() const {
  std::vector<Saved> out;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    for (const char* name : {"shrunk.yaml", "schedule.yaml"}) {
      const fs::path file = entry.path() / name;
      if (!fs::exists(file, error)) continue;
      out.push_back({.slug = entry.path().filename().string(), .file = file.string()});
      break;
    }
  }
  std::sort(out.begin(), out.end(), [](const Saved& a, const Saved& b) { return a.slug < b.slug; });
  return out;
}

std::optional<Findings::Saved> Findings::find(const Signature& signature) const {
  const std::string slug = to_slug(signature);
  for (Saved& each : saved()) {
    if (each.slug == slug) return std::move(each);
  }
  return std::nullopt;
}

std::optional<std::string> Findings::save_schedule(const Signature& signature,
                                                   const std::string& yaml) {
  std::error_code error;
  fs::create_directories(folder_of(signature), error);
  return write_file(folder_of(signature) + "/schedule.yaml", yaml);
}

std::optional<std::string> Findings::save_shrunk(const Signature& signature,
                                                 const std::string& yaml,
                                                 const std::string& trace) {
  std::error_code error;
  fs::create_directories(folder_of(signature), error);
  // The trace first: a file that says that it was shrunk has one.
  if (auto problem = write_file(folder_of(signature) + "/trace.txt", trace)) return problem;
  return write_file(folder_of(signature) + "/shrunk.yaml", yaml);
}

void Findings::set_aside(const Signature& signature) {
  const fs::path folder = folder_of(signature);
  std::error_code error;
  for (const char* name : {"shrunk", "schedule"}) {
    fs::rename(folder / (std::string(name) + ".yaml"), folder / (std::string(name) + ".old.yaml"),
               error);
  }
}

void Findings::remove_parts() {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    std::error_code inner;
    for (const fs::directory_entry& file : fs::directory_iterator(entry.path(), inner)) {
      if (file.path().extension() == ".part") (void)removes(file.path());
    }
  }
}

// ---- The journal -----------------------------------------------------------------------------

// Of the process, not of the file descriptor (fcntl): workers, which are made of this one, must not
// hold it when this one has died.
bool Journal::lock(short type, bool wait) const {
  struct ::flock whole {};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  int result = -1;
  do {
    result = ::fcntl(file_, wait ? F_SETLKW : F_SETLK, &whole);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

tl::expected<Journal, std::string> Journal::open(const std::string& folder) {
  Journal out;
  out.path_ = folder + "/journal.jsonl";
  out.campaign_ = std::to_string(std::chrono::system_clock::now().time_since_epoch().count()) +
                  "-" + std::to_string(::getpid());
  out.file_ = ::open(out.path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out.file_ < 0) {
    return tl::unexpected("`" + out.path_ + "` cannot be written: " + why(errno));
  }
  out.alone_ = out.lock(F_WRLCK, false);
  if (out.alone_) {
    out.read_unfinished();
    if (out.unfinished_.empty() && ::ftruncate(out.file_, 0) == 0) out.ends_in_line_ = true;
  }
  // A file system without locks has one campaign at a time: there is nothing to be done about it.
  (void)out.lock(F_RDLCK, true);
  if (!out.ends_in_line_) out.write("\n");
  return out;
}

// A line at a time: a journal of many seeds is longer than what is open in it. The file stays open,
// as closing it would give the lock back.
void Journal::read_unfinished() {
  constexpr std::size_t kAtOnce = 64 * 1024;
  std::map<std::pair<std::string, std::uint64_t>, std::string> open;  // the campaign that began it
  const auto take = [&open](const std::string& line) {
    // The last line may be half a line: whoever wrote it was killed.
    const Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object() || !entry.contains("scenario")) return;
    const auto text_of = [&entry](const char* key) {
      const bool is_text = entry.contains(key) && entry[key].is_string();
      return is_text ? entry[key].get<std::string>() : std::string();
    };
    const std::string scenario = text_of("scenario");
    const std::string campaign = text_of("campaign");
    if (entry.contains("begin") && entry["begin"].is_number_unsigned()) {
      open[{scenario, entry["begin"].get<std::uint64_t>()}] = campaign;
    } else if (entry.contains("end") && entry["end"].is_number_unsigned()) {
      open.erase({scenario, entry["end"].get<std::uint64_t>()});
    } else if (entry.contains("closed")) {
      std::erase_if(open, [&](const auto& begun) {
        return begun.first.first == scenario && begun.second == campaign;
      });
    }
  };
  std::string rest;
  std::string chunk(kAtOnce, '\0');
  for (::off_t at = 0;;) {
    const ::ssize_t n = ::pread(file_, chunk.data(), chunk.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    at += n;
    rest.append(chunk, 0, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos;
         end = rest.find('\n', begin)) {
      take(rest.substr(begin, end - begin));
      begin = end + 1;
    }
    rest.erase(0, begin);
  }
  ends_in_line_ = rest.empty();
  for (const auto& [begun, campaign] : open) unfinished_.push_back(begun);
}

Journal::Journal(Journal&& other) noexcept {
  *this = std::move(other);
}
Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(campaign_, other.campaign_);
  std::swap(file_, other.file_);
  std::swap(alone_, other.alone_);
  std::swap(ends_in_line_, other.ends_in_line_);
  std::swap(unfinished_, other.unfinished_);
  std::swap(failure_, other.failure_);
  return *this;
}
Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

std::vector<std::uint64_t> Journal::unfinished(const std::string& scenario) const {
  std::vector<std::uint64_t> out;
  for (const auto& [name, seed] : unfinished_) {
    if (name == scenario) out.push_back(seed);
  }
  return out;
}

void Journal::begin(const std::string& scenario, std::uint64_t seed) {
  write(dumped({{"scenario", scenario}, {"campaign", campaign_}, {"begin", seed}}) + "\n");
}

void Journal::end(const std::string& scenario, const Trial& trial) {
  Json line{{"scenario", scenario}, {"end", trial.seed}, {"verdict", to_name(trial.verdict)}};
  if (trial.failed()) line["signature"] = to_slug(trial.signatures.front());
  write(dumped(line) + "\n");
}

void Journal::close(const std::string& scenario) {
  write(dumped({{"scenario", scenario}, {"campaign", campaign_}, {"closed", true}}) + "\n");
}

// A line at a time, in one call: two campaigns may write to one journal.
void Journal::write(const std::string& line) {
  if (failure_) return;
  const ::ssize_t n = ::write(file_, line.data(), line.size());
  if (n == static_cast<::ssize_t>(line.size())) return;
  failure_ = "`" + path_ + "` cannot be written: " + (n < 0 ? why(errno) : "the disk is full");
}

}  // namespace rejoin::sim
