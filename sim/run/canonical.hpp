// Schedules as bytes: what a program without YAML is given to run, on any machine.
//
// Format: 8 bytes of magic; the format's number, 8 bytes of fingerprint and 8 of checksum, each
// little-endian; then every field of the schedule in order of declaration, encoded as
// model/wire.hpp does, without lengths of structs.
//
// Invariants:
// 1. Canonical: bytes that decode encode to the same bytes again.
// 2. Whole: every member of every struct is there. A member that is added breaks the build of
//    canonical.cpp until it is named there, and changes the fingerprint.
// 3. Never read as something else: bytes of another format or of another shape of the structs
//    (names and order of members, number of enumerators) are refused.
// 4. Safe: any bytes at all are decoded or refused, with memory in proportion to their number.
//
// Not here: old formats. A schedule that is to last is a scenario file; this is for programs that
// were built from the same sources.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "model/bytes.hpp"
#include "model/schedule.hpp"

namespace rejoin::sim {

// Raised when the meaning of the bytes changes and their shape does not.
inline constexpr std::uint32_t kCanonicalFormat = 1;

[[nodiscard]] Bytes encode_schedule(const Schedule& schedule);
// The error is a sentence that says why these bytes are no schedule of this program.
[[nodiscard]] tl::expected<Schedule, std::string> decode_schedule(ByteView bytes);

// Every struct with its members and every enum with its number of values, one a line: what the
// fingerprint is of.
[[nodiscard]] std::string schedule_shape();

}  // namespace rejoin::sim
