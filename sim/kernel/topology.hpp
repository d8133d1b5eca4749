// The sites of a topology and the ways between them: which links a message crosses.
//
// Invariants:
// 1. A way is the shortest by mean latency; of equals the one with fewer links (those between a
//    site and its holder count), then the one whose first differing link was declared first.
//    Nothing else decides.
// 2. Cuts count: a link or site that was cut twice is whole once both were restored.
// 3. A cut site loses every link between what is below it and the rest, and nothing within.
// 4. A host in no site is beside every site that is not cut off, without delay.
//
// A site's link to the one that holds it is there without being declared: free, and cut with
// cut_site alone. Declaring it gives it a delay and a name, like any other.
//
// Not here: drawing delays, queueing for a link's bandwidth (Network).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "model/distribution.hpp"
#include "model/ids.hpp"
#include "model/options.hpp"
#include "model/random.hpp"

namespace rejoin::sim {

// One link that a message crosses.
struct Hop {
  std::uint32_t link = 0;  // index into TopologyOptions::links
  bool back = false;       // from its b to its a
  const Distribution* latency = nullptr;
  std::uint64_t bandwidth_bytes_per_s = 0;  // 0: unlimited
  Share loss{};
};

class Topology {
 public:
  // Options without a mistake: names are unique and known, `within` has no cycle, a host is in at
  // most one site, every latency has a mean.
  explicit Topology(const TopologyOptions& options);
  ~Topology();
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  // A new host is where a known one is; nowhere, when that one is.
  void place(Address host, Address beside);

  // The links from one host to the other, in order. Null: there is no way. Empty: no link is
  // crossed (one site, a holder and what it holds, no topology). Valid until a cut or a restore.
  [[nodiscard]] const std::vector<Hop>* path(Address from, Address to);

  // A link, or a site: all links between what is below it and the rest.
  struct Part {
    bool is_link = false;
    std::uint32_t index = 0;
  };
  [[nodiscard]] std::optional<Part> link(std::string_view name) const;
  [[nodiscard]] std::optional<Part> site(std::string_view name) const;
  // Whether the message's way leads over it when nothing is cut.
  [[nodiscard]] bool usually_crosses(Address from, Address to, Part part);

  // False when there is no link or site of that name (or, of a restore, it is not cut).
  bool cut_link(std::string_view name);
  bool restore_link(std::string_view name);
  bool cut_site(std::string_view name);
  bool restore_site(std::string_view name);

  // Sites by their position in TopologyOptions::sites.
  [[nodiscard]] std::optional<std::uint32_t> find_site(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint32_t> site_of(Address host) const;
  // The site that holds this one.
  [[nodiscard]] std::optional<std::uint32_t> holder_of(std::uint32_t site) const;
  [[nodiscard]] bool knows_link(std::string_view name) const;
  [[nodiscard]] bool knows_site(std::string_view name) const;
  // Everything below the site in the tree, ascending; empty when there is no such site.
  [[nodiscard]] std::vector<Address> hosts_of(std::string_view site) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rejoin::sim
