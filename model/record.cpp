#include "model/record.hpp"

#include <algorithm>

namespace rejoin {

std::string_view to_name(VersionScheme scheme) {
  switch (scheme) {
    case VersionScheme::none:
      return "none";
    case VersionScheme::timestamp:
      return "timestamp";
    case VersionScheme::hlc:
      return "hlc";
    case VersionScheme::version_vector:
      return "version-vector";
    case VersionScheme::dvv:
      return "dvv";
  }
  return "?";
}

std::vector<Sibling> siblings_of(const Record& record) {
  std::vector<Sibling> out{{.value = record.value,
                            .deleted = record.deleted,
                            .version = record.version,
                            .origin = record.origin,
                            .dot = {}}};
  if (record.causality == nullptr) return out;
  out.front().dot = record.causality->dot;
  out.insert(out.end(), record.causality->others.begin(), record.causality->others.end());
  return out;
}

std::vector<RequestId> origins_of(const Record& record) {
  std::vector<RequestId> out{record.origin};
  if (record.causality == nullptr) return out;
  for (const Sibling& other : record.causality->others) out.push_back(other.origin);
  return out;
}

bool is_deleted(const Record& record) {
  if (!record.deleted) return false;
  return record.causality == nullptr ||
         std::all_of(record.causality->others.begin(), record.causality->others.end(),
                     [](const Sibling& other) { return other.deleted; });
}

}  // namespace rejoin
