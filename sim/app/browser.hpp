// Opening a page that was written, for `--open`.
#pragma once

#include <string>

namespace rejoin::app {

// In the program that BROWSER names, or else by xdg-open; does not wait for it. Empty, or why it
// was not opened and what to do instead, as text for standard error: never a failure of the run.
[[nodiscard]] std::string open_page(const std::string& path);

}  // namespace rejoin::app
