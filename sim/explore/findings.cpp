#include "sim/explore/findings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string why(int error) {
  return std::strerror(error);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
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
    if (note != what.end()) line += "  # " + note->second;
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
  std::string out = "# " + from.says + "\n";
  for (const std::string& line : summary) out += "# " + line + "\n";
  std::string yaml =
      with_notes(vocabulary == nullptr ? to_yaml(plain) : to_short_yaml(plain, *vocabulary), notes);
  std::string found = "found:\n";
  found += "  signature: " + to_slug(from.signature) + "\n";
  found += "  broke: " + from.signature.what + "\n";
  if (!from.signature.role.empty()) found += "  role: " + from.signature.role + "\n";
  found += "  says: " + quoted(from.says) + "\n";
  found += "  scenario: " + quoted(from.file) + "\n";
  found += "  seed: " + std::to_string(from.seed) + "\n";
  found += "  rejoin: " + from.version + "\n";
  if (!from.commit.empty()) found += "  commit: " + from.commit + "\n";
  return out + yaml + found;
}

std::optional<std::string> found_signature(const std::string& yaml) {
  constexpr std::string_view kKey = "\n  signature: ";
  const std::size_t section = yaml.find("\nfound:\n");
  if (section == std::string::npos) return std::nullopt;
  const std::size_t at = yaml.find(kKey, section);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + kKey.size();
  return yaml.substr(begin, yaml.find('\n', begin) - begin);
}

std::optional<std::string> write_file(const std::string& path, const std::string& content) {
  const std::string beside = path + ".part";
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

tl::expected<Findings, std::string> Findings::open(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return tl::unexpected("the folder `" + folder + "` cannot be made: " + error.message());
  }
  const std::string probe = folder + "/.probe";
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

// ---- The journal -----------------------------------------------------------------------------

tl::expected<Journal, std::string> Journal::open(const std::string& folder) {
  Journal out;
  out.path_ = folder + "/journal.jsonl";
  std::set<std::pair<std::string, std::uint64_t>> open;
  const std::string content = content_of(out.path_);
  std::istringstream in(content);
  for (std::string line; std::getline(in, line);) {
    // The last line may be half a line: whoever wrote it was killed.
    const Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object() || !entry.contains("scenario")) continue;
    const std::string scenario = entry["scenario"].is_string() ? entry["scenario"] : Json("");
    if (entry.contains("begin") && entry["begin"].is_number_unsigned()) {
      open.emplace(scenario, entry["begin"].get<std::uint64_t>());
    } else if (entry.contains("end") && entry["end"].is_number_unsigned()) {
      open.erase({scenario, entry["end"].get<std::uint64_t>()});
    } else if (entry.contains("closed")) {
      std::erase_if(open, [&scenario](const auto& begun) { return begun.first == scenario; });
    }
  }
  out.unfinished_.assign(open.begin(), open.end());
  out.file_ = ::open(out.path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out.file_ < 0) {
    return tl::unexpected("`" + out.path_ + "` cannot be written: " + why(errno));
  }
  if (!content.empty() && content.back() != '\n') out.write("\n");
  return out;
}

Journal::Journal(Journal&& other) noexcept {
  *this = std::move(other);
}
Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
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
  write(Json{{"scenario", scenario}, {"begin", seed}}.dump() + "\n");
}

void Journal::end(const std::string& scenario, const Trial& trial) {
  Json line{{"scenario", scenario}, {"end", trial.seed}, {"verdict", to_name(trial.verdict)}};
  if (trial.failed()) line["signature"] = to_slug(trial.signatures.front());
  write(line.dump() + "\n");
}

void Journal::close(const std::string& scenario) {
  write(Json{{"scenario", scenario}, {"closed", true}}.dump() + "\n");
}

// A line at a time, in one call: two campaigns may write to one journal.
void Journal::write(const std::string& line) {
  if (failure_) return;
  const ::ssize_t n = ::write(file_, line.data(), line.size());
  if (n == static_cast<::ssize_t>(line.size())) return;
  failure_ = "`" + path_ + "` cannot be written: " + (n < 0 ? why(errno) : "the disk is full");
}

}  // namespace rejoin::sim
