// A vocabulary of its own, so that messages do not change when a plugin is added.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

ParamSpec param(std::string_view name, ParamType type, std::string_view fallback,
                std::vector<std::string_view> choices = {});

Vocabulary test_vocabulary();

tl::expected<Scenario, Diagnostics> read(const std::string& text,
                                         const std::vector<Override>& overrides = {});

// All that is wrong with a text, as it is printed; empty when nothing is.
std::string complaints(const std::string& text, const std::vector<Override>& overrides = {});

// The schedule of a text that must be right.
Schedule schedule_of(const std::string& text, const std::vector<Override>& overrides = {},
                     std::uint64_t seed = 1);

// Line 1 is `format: 1`; the text begins on line 2; a timeline stands at the end.
std::string with_timeline(const std::string& text);
std::string with_steps(const std::string& steps);

}  // namespace rejoin::sim
