// What a file can write where hosts are due (model/selector.hpp), for hints, lists and the schema.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rejoin::sim {

struct SelectorForm {
  std::string_view text;      // `leader`; with an argument, an example: `owner(key-7)`
  std::string_view argument;  // what stands in the brackets, or is numbered; empty: one word
  std::string_view help;
};
[[nodiscard]] const std::vector<SelectorForm>& selector_forms();
// Those that are one word.
[[nodiscard]] std::vector<std::string> selector_words();

}  // namespace rejoin::sim
