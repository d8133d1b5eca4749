#include "model/time.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace rejoin {

namespace {

// The magnitude as unsigned, so that the smallest int64 has one too.
std::uint64_t magnitude(std::int64_t ns) {
  return ns < 0 ? ~static_cast<std::uint64_t>(ns) + 1 : static_cast<std::uint64_t>(ns);
}

constexpr std::uint64_t kSecond = 1'000'000'000;

// `.045013`, as far as there is any.
std::string fraction(std::uint64_t ns) {
  if (ns == 0) return {};
  std::string out = std::to_string(kSecond + ns);
  out.front() = '.';
  out.erase(out.find_last_not_of('0') + 1);
  return out;
}

}  // namespace

std::string to_text(Duration duration) {
  std::uint64_t rest = magnitude(duration.count());
  if (rest == 0) return "0s";
  std::string out = duration.count() < 0 ? "-" : "";
  const auto part = [&](std::uint64_t unit, std::string_view name) {
    if (rest < unit) return;
    out += std::to_string(rest / unit);
    out += name;
    rest %= unit;
  };
  part(24 * 3600 * kSecond, "d");
  part(3600 * kSecond, "h");
  part(60 * kSecond, "m");
  if (rest == 0) return out;
  // Below a minute one unit says it best: `1500ms`, not `1s500ms`.
  constexpr std::array<std::pair<std::uint64_t, std::string_view>, 4> units = {
      {{kSecond, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}}};
  for (const auto& [unit, name] : units) {
    if (rest % unit != 0) continue;
    part(unit, name);
    break;
  }
  return out;
}

std::string to_text(WallTime time) {
  const auto of = time.time_since_epoch();
  const auto day = std::chrono::floor<std::chrono::days>(of);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const auto rest = static_cast<std::uint64_t>((of - day).count());
  const auto digits = [](std::uint64_t number, std::size_t width) {
    std::string out = std::to_string(number);
    return out.size() < width ? std::string(width - out.size(), '0') + out : out;
  };
  const std::uint64_t seconds = rest / kSecond;
  return std::to_string(static_cast<int>(date.year())) + "-" +
         digits(static_cast<unsigned>(date.month()), 2) + "-" +
         digits(static_cast<unsigned>(date.day()), 2) + "T" + digits(seconds / 3600, 2) + ":" +
         digits(seconds / 60 % 60, 2) + ":" + digits(seconds % 60, 2) + fraction(rest % kSecond) +
         "Z";
}

std::string to_text(MonotonicTime time) {
  if (time == kForever) return "for ever";
  const std::int64_t ns = time.time_since_epoch().count();
  const std::uint64_t whole = magnitude(ns);
  return (ns < 0 ? "-" : "") + std::to_string(whole / kSecond) + fraction(whole % kSecond) + "s";
}

std::string to_seconds_text(MonotonicTime time) {
  const std::int64_t ns = time.time_since_epoch().count();
  const std::uint64_t ms = magnitude(ns) / 1'000'000;
  const std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
  std::string out = ns < 0 ? "-" : "";
  out.append(std::to_string(ms / 1000)).append(".").append(fraction).append("s");
  return out;
}

}  // namespace rejoin
