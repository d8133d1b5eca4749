#include "sim/kernel/link_effects.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"

namespace rejoin::sim {

void LinkEffects::cut(EffectId id, LinkSet links) {
  barriers_.push_back({.id = id, .links = std::move(links), .period = {}, .down = {}, .since = {}});
}

void LinkEffects::flap(EffectId id, LinkSet links, Duration period, Share down,
                       MonotonicTime since) {
  CHECK_THAT(period > 0ns);
  barriers_.push_back(
      {.id = id, .links = std::move(links), .period = period, .down = down, .since = since});
}

void LinkEffects::clog(EffectId id, LinkSet links) {
  clogs_.push_back({.id = id, .links = std::move(links)});
}

void LinkEffects::trouble(Trouble trouble) {
  CHECK_THAT(!trouble.id.is_none());
  if (trouble.what.extra) trouble.extra = make_distribution(*trouble.what.extra);
  troubles_.push_back(std::move(trouble));
}

void LinkEffects::usual(const Impairment& what, const WeatherOptions& weather) {
  troubles_.push_back({.id = {}, .links = {}, .key = 0, .what = what, .weather = weather});
}

bool LinkEffects::end(EffectId id) {
  if (id.is_none()) return false;
  const auto is_it = [id](const auto& effect) { return effect.id == id; };
  return std::erase_if(barriers_, is_it) + std::erase_if(clogs_, is_it) +
             std::erase_if(troubles_, is_it) !=
         0;
}

void LinkEffects::heal() {
  barriers_.clear();
  clogs_.clear();
}

void LinkEffects::adopt(Address host, Address beside) {
  for (Barrier& barrier : barriers_) barrier.links.adopt(host, beside);
  for (Clog& clog : clogs_) clog.links.adopt(host, beside);
  for (Trouble& trouble : troubles_) trouble.links.adopt(host, beside);
}

bool LinkEffects::is_down(const Barrier& barrier, MonotonicTime at) {
  if (barrier.period == 0ns) return true;
  if (at < barrier.since) return false;
  const Duration phase = (at - barrier.since) % barrier.period;
  const auto scaled = static_cast<unsigned __int128>(phase.count()) * 1'000'000;
  return scaled < static_cast<unsigned __int128>(barrier.period.count()) * barrier.down.ppm;
}

bool LinkEffects::is_cut(Address from, Address to, MonotonicTime at) const {
  return std::any_of(barriers_.begin(), barriers_.end(), [&](const Barrier& barrier) {
    return is_down(barrier, at) && barrier.links.contains(from, to);
  });
}

bool LinkEffects::is_clogged(Address from, Address to) const {
  return std::any_of(clogs_.begin(), clogs_.end(),
                     [&](const Clog& clog) { return clog.links.contains(from, to); });
}

void LinkEffects::count_cut(Address from, Address to, MonotonicTime at,
                            EffectCounts& counts) const {
  for (const Barrier& barrier : barriers_) {
    if (is_down(barrier, at) && barrier.links.contains(from, to)) counts.add(barrier.id);
  }
}

void LinkEffects::count_clogged(Address from, Address to, EffectCounts& counts) const {
  for (const Clog& clog : clogs_) {
    if (clog.links.contains(from, to)) counts.add(clog.id);
  }
}

std::vector<const LinkSet*> LinkEffects::obstructed() const {
  std::vector<const LinkSet*> out;
  for (const Barrier& barrier : barriers_) out.push_back(&barrier.links);
  for (const Clog& clog : clogs_) out.push_back(&clog.links);
  return out;
}

}  // namespace rejoin::sim
