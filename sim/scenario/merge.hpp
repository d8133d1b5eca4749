// How one file builds on another, and an override on both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/tree.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

// The keys of a step, but for its label: when, what, and more about the what.
[[nodiscard]] bool is_trigger(std::string_view key);
[[nodiscard]] bool is_action(std::string_view key);
[[nodiscard]] bool is_option(std::string_view key);

// `over` on top of `base`: maps merge; everything else is replaced. A pick, `sync`, a latency of
// another shape, and a step's trigger and action (with its `for`, `expect`, ...) are replaced as a
// whole; parameters of the same action merge, and `crash: node-3` is `crash: { target: node-3 }`.
// Steps of the timeline merge by label; new ones are appended, `remove: true` drops one.
[[nodiscard]] Tree merge(const Tree& base, const Tree& over, const Vocabulary& vocabulary,
                         Problems& problems);

// Gives steps without a label `step-N`, by position, when `may_number`; complains about labels
// that are missing otherwise, duplicate, or no names.
void settle_labels(Tree& file, bool may_number, Problems& problems);

// `none`, `A`, `A+B`, lists and maps of mechanisms, as a list of `{ name: { parameter: value } }`.
[[nodiscard]] Tree normal_sync(const Tree& sync);

// Applies one `PATH=VALUE` to a merged file.
void apply_override(Tree& file, const Override& change, const Vocabulary& vocabulary,
                    Problems& problems);

}  // namespace rejoin::sim
