// Parameters of plugins: declared once, and from that declaration come `list`, the schema,
// validation and the manual.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "model/ids.hpp"
#include "model/random.hpp"
#include "model/selector.hpp"
#include "model/time.hpp"

namespace rejoin {

enum class ParamType : std::uint8_t {
  flag,            // true | false
  integer,         // 0 and up
  duration,        // 20s, 1h30m, 250us
  duration_range,  // 150ms..300ms, or one duration
  size,            // 64KiB
  share,           // 10%, 0.5, 0..1
  choice,          // one of `choices`
  text,
  node,       // node-3
  hosts,      // [leader, node-1], or one selector (model/selector.hpp)
  host_sets,  // [[node-1, client-1], [others]]
  offset,     // -5s, +250ms: a duration with a sign
  rate,       // +200ppm, -1%, 0.01: a share with a sign
  latency,    // 5ms, 1ms..3ms, or a distribution: { pareto: { minimum: 1ms, shape: 1.5 } }
};
[[nodiscard]] std::string_view to_name(ParamType type);

struct ParamSpec {
  std::string_view name;  // snake_case; files may write - for _
  ParamType type{};
  std::string_view unit;  // "ns", "bytes", "records", ... for people; empty when the type says it
  std::string_view fallback;              // default, as a file would write it; empty: required
  std::string_view help;                  // one line
  std::vector<std::string_view> choices;  // of ParamType::choice
};

// Bytes, as a file size.
struct Size {
  std::uint64_t bytes = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

// By how much something runs fast (above 0) or slow, in millionths.
struct Rate {
  std::int64_t ppm = 0;  // -999'999..1'000'000
  friend bool operator==(const Rate&, const Rate&) = default;
};

struct LatencyOptions;  // model/options.hpp, which holds parameters itself

// A delay that is drawn from a registered distribution; never changed once it is made.
class Delay {
 public:
  Delay();  // none at all: always 0s
  explicit Delay(LatencyOptions options);
  [[nodiscard]] const LatencyOptions& options() const { return *options_; }
  friend bool operator==(const Delay& a, const Delay& b);

 private:
  std::shared_ptr<const LatencyOptions> options_;
};

using ParamValue =
    std::variant<bool, std::int64_t, Duration, DurationRange, Size, Share, std::string, NodeId,
                 Selectors, std::vector<Selectors>, Rate, Delay>;

// Values by name, complete: every declared parameter is present.
class Params {
 public:
  template <class T>
  [[nodiscard]] const T& get(std::string_view name) const {
    return std::get<T>(at(name));
  }
  void set(std::string_view name, ParamValue value);
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, ParamValue, std::less<>>& all() const {
    return values_;
  }
  friend bool operator==(const Params&, const Params&) = default;

 private:
  [[nodiscard]] const ParamValue& at(std::string_view name) const;
  std::map<std::string, ParamValue, std::less<>> values_;
};

// What a file gave for one parameter: a scalar, a list, or a list of lists. (A distribution is a
// map, which the reader of files makes a Delay itself.)
struct ParamText {
  std::variant<std::string, std::vector<std::string>, std::vector<std::vector<std::string>>> text;
};

// The error is a sentence that says what is allowed: `a duration such as 20s or 1h30m`.
[[nodiscard]] tl::expected<ParamValue, std::string> parse_param(const ParamSpec& spec,
                                                                const ParamText& text);
// As a file would write it.
[[nodiscard]] std::string to_text(const ParamValue& value);
// All defaults of a plugin; a required parameter is absent.
[[nodiscard]] Params default_params(const std::vector<ParamSpec>& specs);

// Scalars, each with the sentence above as its error.
[[nodiscard]] tl::expected<Duration, std::string> parse_duration(std::string_view text);
[[nodiscard]] tl::expected<DurationRange, std::string> parse_duration_range(std::string_view text);
[[nodiscard]] tl::expected<std::uint64_t, std::string> parse_size(std::string_view text);
[[nodiscard]] tl::expected<Share, std::string> parse_share(std::string_view text);
[[nodiscard]] tl::expected<Duration, std::string> parse_offset(std::string_view text);
[[nodiscard]] tl::expected<Rate, std::string> parse_rate(std::string_view text);
[[nodiscard]] tl::expected<std::int64_t, std::string> parse_integer(std::string_view text);
[[nodiscard]] tl::expected<bool, std::string> parse_flag(std::string_view text);

// `Key_Name` and `key-name` are alike: lookups see `key_name`.
[[nodiscard]] std::string normal_name(std::string_view name);
// The known name that is nearest to `name` (edit distance at most a third of its length, at
// least 1), or empty.
[[nodiscard]] std::string nearest_name(std::string_view name,
                                       const std::vector<std::string>& known);

}  // namespace rejoin
