// Where reports go that are given no file: results/SCENARIO/TIME/, with `latest` beside it.
//
// Invariant: nothing but the name of a folder depends on the real clock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace rejoin::app {

// A name of a scenario as one of a folder, whatever it holds.
[[nodiscard]] std::string folder_name(const std::string& scenario);
// A new one that can be written to. The error is text for standard error, here and below.
[[nodiscard]] tl::expected<std::string, std::string> make_results_folder(
    const std::string& scenario);
// `latest` beside the folder points at it; replaced at once, so that it is always there.
[[nodiscard]] std::optional<std::string> point_latest_at(const std::string& folder);

// Replaces what the open file holds; false with errno when that fails.
[[nodiscard]] bool replace_content(int descriptor, std::string_view text);
[[nodiscard]] std::optional<std::string> write_file(const std::string& path, std::string_view text);
// `--out: cannot WHAT PATH: WHY`, for standard error.
[[nodiscard]] std::string cannot_text(std::string_view what, const std::string& path,
                                      const std::string& why);

}  // namespace rejoin::app
