#include "protocols/versions/conflict.hpp"

#include <algorithm>

#include "model/check.hpp"

namespace rejoin {

bool fits(const ConflictSpec& conflict, VersionScheme scheme) {
  return std::any_of(conflict.fits.begin(), conflict.fits.end(), [scheme](auto needs) {
    switch (needs) {
      case ConflictSpec::Needs::nothing:
        return scheme == VersionScheme::none;
      case ConflictSpec::Needs::order:
        return orders_totally(scheme);
      case ConflictSpec::Needs::causality:
        return tracks_causality(scheme);
      case ConflictSpec::Needs::no_more:
        return !tracks_causality(scheme);
    }
    return false;
  });
}

std::string refusal_of(const ConflictSpec& conflict, VersionScheme scheme) {
  if (fits(conflict, scheme)) return {};
  std::string wanted;
  for (const VersionScheme each :
       {VersionScheme::none, VersionScheme::timestamp, VersionScheme::hlc,
        VersionScheme::version_vector, VersionScheme::dvv}) {
    if (!fits(conflict, each)) continue;
    if (!wanted.empty()) wanted += ", ";
    wanted += to_name(each);
  }
  return "conflict `" + std::string(conflict.name) + "` takes versions: " + wanted + "; not " +
         std::string(to_name(scheme));
}

const ConflictSpec& natural_conflict(VersionScheme scheme) {
  const ConflictSpec* const natural = Conflicts::find(scheme == VersionScheme::none ? "overwrite"
                                                      : orders_totally(scheme)      ? "lww"
                                                                                    : "siblings");
  CHECK_THAT(natural != nullptr);
  return *natural;
}

}  // namespace rejoin
