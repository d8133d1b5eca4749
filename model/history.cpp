#include "model/history.hpp"

#include <algorithm>

namespace rejoin {

std::string_view to_name(OperationKind kind) {
  switch (kind) {
    case OperationKind::write:
      return "write";
    case OperationKind::remove:
      return "delete";
    case OperationKind::read:
      return "read";
    case OperationKind::configure:
      return "configure";
    case OperationKind::increment:
      return "increment";
    case OperationKind::add:
      return "add";
    case OperationKind::discard:
      return "discard";
  }
  return "?";
}

std::string_view to_name(Consistency level) {
  const auto at = static_cast<std::size_t>(level);
  return at < kConsistencyNames.size() ? kConsistencyNames[at] : "?";
}

std::uint32_t replicas_needed(Consistency level, std::uint32_t copies) {
  switch (level) {
    case Consistency::one:
      return 1;
    case Consistency::quorum:
      return copies / 2 + 1;
    case Consistency::all:
      return std::max<std::uint32_t>(copies, 1);
    case Consistency::two:
      return 2;
    case Consistency::three:
      return 3;
    case Consistency::four:
      return 4;
    case Consistency::five:
      return 5;
  }
  return copies;
}

std::string_view to_name(ResultKind result) {
  switch (result) {
    case ResultKind::none:
      return "no answer";
    case ResultKind::ok:
      return "ok";
    case ResultKind::value:
      return "value";
    case ResultKind::not_found:
      return "not-found";
    case ResultKind::unavailable:
      return "unavailable";
  }
  return "?";
}

}  // namespace rejoin
