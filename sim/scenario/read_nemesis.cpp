// The `nemesis` section as part of a file: its steps join the timeline, and what a hostile world
// asks of the end of a run is the default.
#include <set>

#include "sim/scenario/nemesis.hpp"
#include "sim/scenario/read.hpp"

namespace rejoin::sim {

void ScheduleReader::read_nemesis_section(const Tree& file) {
  const Tree* const section = file.find("nemesis");
  // A wrong timeline or cluster would be blamed on the nemesis.
  if (section == nullptr || section->text == "none" || !cluster_known_ || !problems_.empty())
    return;
  const auto nemesis = read_nemesis(*section, vocabulary_, schedule_, problems_);
  if (!nemesis) return;
  const Tree* const limits = file.find("limits");
  const auto given = [&](std::string_view key) {
    return limits != nullptr && limits->find(key) != nullptr;
  };
  if (!given("core")) schedule_.limits.core = {{.kind = Selector::Kind::nodes}};
  if (!nemesis->bounded && !given("promises")) schedule_.limits.promises = false;
  if (!nemesis->bounded && schedule_.limits.promises) {
    problems_.add(limits->find("promises")->mark,
                  "an unbounded nemesis does more than any mechanism promises to survive",
                  "leave `promises` out, or say `mode: bounded`");
  }
  // Whatever the seed: each alternative is read once, and thrown away.
  if (!seed_) {
    for (const Tree& step : steps_to_check(*nemesis)) (void)read_step(step);
    return;
  }
  const auto drawn = draw_steps(*nemesis, vocabulary_, schedule_, *seed_);
  if (!drawn) {
    const Tree* const until = section->find("until");
    problems_.add(until != nullptr ? until->mark : section->mark,
                  "seed " + std::to_string(*seed_) + " draws more than " +
                      std::to_string(kDrawnMax) + " steps",
                  "let `every` be longer, name fewer faults, or let `until` be earlier");
    return;
  }
  std::set<std::string> labels;
  for (const Step& step : schedule_.timeline) labels.insert(normal_name(step.label));
  for (const Tree& tree : *drawn) {
    const std::string& label = tree.find("label")->text;
    if (!labels.insert(normal_name(label)).second) {
      problems_.add(section->mark, "a step of the timeline is labelled `" + label +
                                       "`, as one of the nemesis would be");
      return;
    }
    if (auto step = read_step(tree)) schedule_.timeline.push_back(*std::move(step));
  }
}

}  // namespace rejoin::sim
