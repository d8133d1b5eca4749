// UTF-8: how long a sequence is, and text of which some is none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rejoin {

// In bytes, from 1 to 4; 0 when the text is empty or does not begin with a sequence that is one
// (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
[[nodiscard]] std::size_t utf8_length(std::string_view text);

// `text` with `replacement` for each byte that is part of no such sequence.
[[nodiscard]] std::string as_utf8(std::string_view text, std::string_view replacement);

}  // namespace rejoin
