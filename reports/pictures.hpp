// Pictures of one run that other programs draw, or that go into a paper. The page is run_page.hpp.
//
// Invariants:
// 1. Each is bounded, and says how much it leaves out.
// 2. What comes from a file or a run cannot break the format: it is escaped as the reader wants it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/run_events.hpp"
#include "model/run_record.hpp"

namespace rejoin::reports {

// For ui.perfetto.dev and chrome://tracing: JSON in the Trace Event Format. Hosts are processes,
// protocols their threads; a message is a slice where it is sent, one where it arrives, and a flow
// between them; faults and steps are instants, operations asynchronous slices, and what each node
// holds, and lacks, counters. Slices last up to a microsecond, so that they can be seen.
[[nodiscard]] std::string perfetto_json(const RunRecord& record, const RunEvents& events);

// For ShiViz: the first line is the expression that parses the rest, the second, empty, says that
// there is one execution. Then two lines an event: the host with its vector clock, and what
// happened. A host's own entry grows by one with each of its events; one that receives a message
// takes over the clock of its sending.
struct ShivizLimits {
  std::size_t messages = 1'500;  // ShiViz draws all of them at once
  std::size_t facts = 500;
};
[[nodiscard]] std::string shiviz_log(const RunRecord& record, RunEvents events,
                                     const ShivizLimits& limits = {});

// A sequenceDiagram of what led to the first violation (or, where nothing broke, to the last answer
// that a client got): messages in its causal past, those of its key if it has one, the latest
// `messages_max` of them.
[[nodiscard]] std::string mermaid_diagram(const RunRecord& record, const RunEvents& events,
                                          std::size_t messages_max = 30);

// The staleness of each node over time, as a file of SVG that can be printed in black and white.
[[nodiscard]] std::string staleness_svg(const RunRecord& record, const RunEvents& events);

// By host, the last event of it that can have had an influence on `event` of `host` (Lamport 1978);
// 0: none. As far as messages have been kept.
[[nodiscard]] std::vector<std::uint64_t> causal_past(const RunEvents& events, std::uint64_t event,
                                                     std::uint32_t host);

}  // namespace rejoin::reports
