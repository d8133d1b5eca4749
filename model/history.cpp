#include "model/history.hpp"

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
  }
  return "?";
}

std::string_view to_name(Consistency level) {
  switch (level) {
    case Consistency::one:
      return "one";
    case Consistency::quorum:
      return "quorum";
    case Consistency::all:
      return "all";
  }
  return "?";
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

std::string_view to_name(VersionScheme scheme) {
  switch (scheme) {
    case VersionScheme::none:
      return "none";
    case VersionScheme::timestamp:
      return "timestamp";
  }
  return "?";
}

}  // namespace rejoin
