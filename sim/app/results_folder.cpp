#include "sim/app/results_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "sim/app/commands.hpp"

namespace rejoin::app {

namespace fs = std::filesystem;

namespace {

// Of the real clock, and nothing but a name: 20260131T235959Z.
std::string time_name() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

std::string folder_name(const std::string& scenario) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  std::string out = scenario.substr(0, 100);
  for (char& c : out) {
    if (kPlain.find(c) == std::string_view::npos) c = '-';
  }
  if (out.empty() || out.front() == '.') return fmt::format("-{}", out);
  return out;
}

tl::expected<std::string, std::string> make_results_folder(const std::string& scenario) {
  const std::string time = time_name();
  const fs::path above = fs::path("results") / folder_name(scenario);
  std::error_code error;
  fs::create_directories(above, error);
  if (error) return tl::unexpected(cannot_text("make the folder", above.string(), error.message()));
  // Two runs in one second are told apart by a number.
  for (int n = 1;; ++n) {
    const fs::path folder = above / (n == 1 ? time : fmt::format("{}-{}", time, n));
    const bool made = fs::create_directory(folder, error);
    if (error) {
      return tl::unexpected(cannot_text("make the folder", folder.string(), error.message()));
    }
    if (!made) continue;
    if (::access(folder.c_str(), W_OK) != 0) {
      return tl::unexpected(cannot_text("write", folder.string(), std::strerror(errno)));
    }
    return folder.string();
  }
}

std::optional<std::string> point_latest_at(const std::string& path) {
  const fs::path folder(path);
  const fs::path link = folder.parent_path() / "latest";
  const fs::path fresh = folder.parent_path() / fmt::format(".latest-{}", ::getpid());
  std::error_code error;
  fs::remove(fresh, error);
  fs::create_symlink(folder.filename(), fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (!error) return std::nullopt;
  std::error_code ignored;
  fs::remove(fresh, ignored);
  return cannot_text("replace", link.string(), error.message());
}

bool replace_content(int descriptor, std::string_view text) {
  if (::ftruncate(descriptor, 0) != 0 && errno != EINVAL) return false;  // a pipe has no length
  while (!text.empty()) {
    const ::ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::optional<std::string> write_file(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  const bool written = file >= 0 && replace_content(file, text);
  const int why = errno;
  if (file >= 0) ::close(file);
  if (written) return std::nullopt;
  return cannot_text("write", path, std::strerror(why));
}

std::string cannot_text(std::string_view what, const std::string& path, const std::string& why) {
  return error_text(fmt::format("--out: cannot {} `{}`: {}", what, path, why));
}

}  // namespace rejoin::app
