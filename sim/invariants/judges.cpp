#include "sim/invariants/judges.hpp"

#include <algorithm>

#include "model/check.hpp"
#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

Judges::Judges(const ClusterShape& shape, const std::vector<std::string>& invariants,
               const std::map<std::string, Params>& params)
    : world_(shape) {
  std::map<std::string_view, const InvariantSpec*> chosen;
  for (const std::string& name : invariants) {
    const InvariantSpec* spec = Invariants::find(name);
    CHECK_THAT(spec != nullptr);
    chosen[spec->name] = spec;
  }
  for (const auto& [name, spec] : chosen) {
    const auto given = params.find(std::string(name));
    judges_.push_back(
        {std::string(name),
         spec->make(given == params.end() ? default_params(spec->params) : given->second)});
    for (std::size_t kind = 0; kind < interested_.size(); ++kind) {
      Invariant& invariant = *judges_.back().invariant;
      if ((invariant.interests() >> kind & 1U) != 0) interested_[kind].push_back(&invariant);
    }
  }
}

void Judges::on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                     const Fact& fact) {
  CHECK_THAT(!ended_);
  const std::vector<Invariant*>& interested = interested_[fact.index()];
  const FactEvent shown{at, event, source, fact};
  const auto sees = [&source](const Invariant* invariant) {
    return !source.twin || invariant->sees_twins();
  };
  for (Invariant* invariant : interested) {
    if (!sees(invariant)) continue;
    invariant->before(shown, world_);
    invariant->note_roles(world_);
  }
  world_.absorb(at, event, source, fact);
  for (Invariant* invariant : interested) {
    if (!sees(invariant)) continue;
    invariant->after(shown, world_);
    invariant->note_roles(world_);
  }
}

void Judges::at_end(MonotonicTime at, std::uint64_t event) {
  CHECK_THAT(!ended_);
  ended_ = true;
  for (const Judge& judge : judges_) {
    judge.invariant->at_end(world_, at, event);
    judge.invariant->note_roles(world_);
  }
}

std::vector<Violation> Judges::violations() const {
  std::vector<Violation> all;
  for (const Judge& judge : judges_) {
    const auto& found = judge.invariant->violations();
    if (found.empty()) continue;
    const std::size_t first = all.size();
    all.insert(all.end(), found.begin(), found.end());
    if (const std::uint64_t more = judge.invariant->suppressed(); more > 0) {
      Violation rest;
      rest.at = found.back().at;
      rest.event = found.back().event;
      rest.says = "and " + count_text(more, "more violation") + " of the same kind";
      all.push_back(std::move(rest));
    }
    for (std::size_t i = first; i < all.size(); ++i) all[i].invariant = judge.name;
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Violation& a, const Violation& b) { return a.event < b.event; });
  return all;
}

std::map<std::string, std::uint64_t> Judges::judged() const {
  std::map<std::string, std::uint64_t> out;
  for (const Judge& judge : judges_) out[judge.name] = judge.invariant->judged();
  return out;
}

}  // namespace rejoin::sim
