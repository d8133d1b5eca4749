// The words of --out of one command: `KIND` or `KIND=FILE`, each kind and each file once.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/app/commands.hpp"

namespace rejoin::app {

// `Out` has a kind and a file; `kinds` are pairs of a kind and its name; `of` says of what, as
// `campaigns`. The error is text for standard error.
template <class Out, class Kinds>
[[nodiscard]] tl::expected<std::vector<Out>, std::string> outs_of(
    const std::vector<std::string>& words, const Kinds& kinds, std::string_view of) {
  std::vector<Out> out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const auto known = std::find_if(std::begin(kinds), std::end(kinds),
                                    [&name](const auto& each) { return each.second == name; });
    if (known == std::end(kinds)) {
      std::vector<std::string> names;
      for (const auto& [kind, each] : kinds) names.emplace_back(each);
      return tl::unexpected(
          error_text("--out: there is no kind `" + name + "` of " + std::string(of),
                     hint_of(name, names, "kinds")));
    }
    Out request;
    request.kind = known->first;
    if (equals != std::string::npos) request.file = word.substr(equals + 1);
    if (request.file && request.file->empty()) {
      return tl::unexpected(error_text("--out: `" + word + "` names no file",
                                       "as in --out " + name + "=FILE, or --out " + name));
    }
    const bool again = std::any_of(out.begin(), out.end(), [&](const Out& other) {
      return other.file == request.file && (request.file || other.kind == request.kind);
    });
    if (again) return tl::unexpected(error_text("--out: `" + word + "` is written twice"));
    out.push_back(std::move(request));
  }
  return out;
}

}  // namespace rejoin::app
