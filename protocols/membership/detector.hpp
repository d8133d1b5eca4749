// Failure detectors: when the leader takes a member for dead. One .cpp each, with one registration.
//
// Invariants:
// 1. A detector sees the outcomes of one member's health checks, in their order, and nothing else.
// 2. It lasts while one leader leads and the member stays one: what another leader saw is not known
//    to it.
//
// Not here: who is checked and when (Membership), what becomes of a suspect.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "model/options.hpp"
#include "model/params.hpp"
#include "model/registry.hpp"
#include "model/time.hpp"

namespace rejoin {

struct CheckOutcome {
  MonotonicTime at{};
  bool healthy = false;        // it answered in time, as the member that it is, and ready
  std::uint32_t failures = 0;  // in a row, with this one
};

class FailureDetector {
 public:
  virtual ~FailureDetector() = default;
  virtual void on_check(const CheckOutcome& outcome) = 0;
  // Asked after each check of any member; its removal is proposed while it is so.
  [[nodiscard]] virtual bool suspects() const = 0;
};

struct DetectorSpec {
  std::string_view name;
  std::string_view help;  // one line
  // Of every plugin; empty here: what a detector needs is in MembershipOptions.
  std::vector<ParamSpec> params;
  // For one member.
  std::unique_ptr<FailureDetector> (*make)(const MembershipOptions& options) = nullptr;
};

using Detectors = Registry<DetectorSpec>;

}  // namespace rejoin
