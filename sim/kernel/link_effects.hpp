// What is wrong with links now: cuts, flaps and clogs, and troubles (what chance and delay do to
// each message).
//
// Invariants:
// 1. Whether a link is cut or rough is a function of the effects in force and of time alone.
// 2. A trouble's draws are keyed by who made it (Trouble::key), not by its strength, its links nor
//    its EffectId: they are nested in its share, and other effects come and go without moving them.
//
// Not here: what becomes of a message (Transit, Streams), sites (Topology).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/distribution.hpp"
#include "model/options.hpp"
#include "sim/kernel/effect_counts.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/kernel/link_set.hpp"

namespace rejoin::sim {

// What is wrong with links, on top of NetworkOptions. Chances are independent of one another.
struct Impairment {
  Share loss{};       // of datagrams; of segments of a stream, which it stalls
  Share duplicate{};  // of datagrams, as are the next three
  Share reorder{};
  DurationRange reorder_by{1ms, 10ms};
  Share corrupt{};
  std::optional<LatencyOptions> extra{};       // added to each message's delay
  std::uint64_t bandwidth_bytes_per_s = 0;     // each link's own cap; 0: none
  std::uint64_t mtu_bytes = 0;                 // 0: as it is
  std::optional<std::uint64_t> queue_bytes{};  // replaces NetworkOptions::queue_bytes
};

// An impairment or a weather, or what the options say of every link.
struct Trouble {
  EffectId id{};  // none for the options' own
  LinkSet links{};
  // Of its draws, with the seed, the link and the message: that of the step that made it. 0 for the
  // options' own.
  std::uint64_t key = 0;
  Impairment what{};
  WeatherOptions weather{};
  std::unique_ptr<const Distribution> extra{};
};

class LinkEffects {
 public:
  void cut(EffectId id, LinkSet links);
  void flap(EffectId id, LinkSet links, Duration period, Share down, MonotonicTime since);
  void clog(EffectId id, LinkSet links);
  void trouble(Trouble trouble);
  // What the options say of every link: it never ends.
  void usual(const Impairment& what, const WeatherOptions& weather);
  // False when there is no such effect.
  bool end(EffectId id);
  // Ends cuts, flaps and clogs.
  void heal();
  // What is in force on the links of the one is on those of the other, too.
  void adopt(Address host, Address beside);

  [[nodiscard]] bool is_cut(Address from, Address to, MonotonicTime at) const;
  [[nodiscard]] bool is_clogged(Address from, Address to) const;
  // Of what is_cut and is_clogged say of a message: each effect that stops or holds it.
  void count_cut(Address from, Address to, MonotonicTime at, EffectCounts& counts) const;
  void count_clogged(Address from, Address to, EffectCounts& counts) const;
  [[nodiscard]] const std::vector<Trouble>& troubles() const { return troubles_; }
  // No link is cut, flaps or is clogged.
  [[nodiscard]] bool are_all_open() const { return barriers_.empty() && clogs_.empty(); }
  // The links of every cut, flap and clog.
  [[nodiscard]] std::vector<const LinkSet*> obstructed() const;

 private:
  struct Barrier {
    EffectId id;
    LinkSet links;
    Duration period{};  // of a flap; 0: a cut
    Share down{};
    MonotonicTime since{};
  };
  struct Clog {
    EffectId id;
    LinkSet links;
  };
  [[nodiscard]] static bool is_down(const Barrier& barrier, MonotonicTime at);

  std::vector<Barrier> barriers_;
  std::vector<Clog> clogs_;
  std::vector<Trouble> troubles_;
};

}  // namespace rejoin::sim
