// What is wrong with values that were read one by one, as their plugin sees it, and which of them
// it is: so that whoever wrote them is shown the place.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rejoin {

struct ValueProblem {
  // Not explicit: where no single value is to blame, a sentence is all there is to say.
  ValueProblem(std::string sentence, std::string_view which = {},
               std::optional<std::size_t> number = std::nullopt)
      : says(std::move(sentence)), value(which), item(number) {}
  ValueProblem(const char* sentence, std::string_view which = {})
      : ValueProblem(std::string(sentence), which) {}

  std::string says;                 // a sentence that says what is allowed
  std::string value;                // the parameter's name; empty: all of them together
  std::optional<std::size_t> item;  // of a list of maps: in which of them `value` is

  friend bool operator==(const ValueProblem& problem, std::string_view text) {
    return problem.says == text;
  }
};

}  // namespace rejoin
