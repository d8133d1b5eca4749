// UTF-8: how long the sequence at the beginning of a text is.
#pragma once

#include <cstddef>
#include <string_view>

namespace rejoin {

// In bytes, from 1 to 4; 0 when the text is empty or does not begin with a sequence that is one
// (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace rejoin
