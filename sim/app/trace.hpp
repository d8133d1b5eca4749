// `--trace`: one line an event and a fact, as a run goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/schedule.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::app {

// What a filter looks at, and what is printed.
struct TraceLine {
  MonotonicTime at{};
  std::uint64_t event = 0;
  std::string host;   // `node-3`, `client-1`, `world`
  std::string other;  // the other end of a message
  std::string kind;   // name of the message or fact, else timer, io, start, control
  std::optional<Purpose> purpose;
  std::string what;
};
[[nodiscard]] std::string to_text(const TraceLine& line);

// Terms joined by commas: `node=node-3,kind=AppendEntries,purpose=repair,key=key-125,group=1`, and
// bare words, which occur somewhere in the line. Every name must match; of two terms with one name,
// one of them. A key matches whole (key-1 is not key-10). A group matches what names it. A fault
// matches the nodes that it names.
class TraceFilter {
 public:
  // The error is a sentence and a hint for standard error.
  [[nodiscard]] static tl::expected<TraceFilter, std::string> parse(std::string_view text);
  // Whom and what runs have.
  struct Known {
    std::uint32_t nodes = 0;
    std::uint32_t clients = 0;
    std::set<Key> keys{};

    void add(const Schedule& schedule);
  };
  // What it names and the runs do not have, as such an error: a filter that can match nothing is a
  // typing error.
  [[nodiscard]] std::optional<std::string> problem(const Known& known) const;
  [[nodiscard]] bool matches(const TraceLine& line) const;

 private:
  // One term; the error, if it is none.
  [[nodiscard]] std::optional<std::string> add(std::string_view term);

  std::vector<std::string> nodes_;
  std::vector<std::string> kinds_;
  std::vector<Purpose> purposes_;
  std::vector<std::string> keys_;
  std::vector<GroupId> groups_;
  std::vector<std::string> words_;
};

class TracePrinter final : public sim::TraceSink {
 public:
  struct Options {
    TraceFilter filter;
    MonotonicTime from{};
    MonotonicTime until = kForever;
    bool to_stderr = false;
  };
  explicit TracePrinter(Options options) : options_(std::move(options)) {}

  void on_event(const sim::TraceEvent& event) override;
  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
               const Fact& fact) override;
  // A message is shown when it arrives, or is dropped.
  void on_send(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               ByteView /*frame*/, const Tag& /*tag*/) override {}
  void on_drop(MonotonicTime at, std::uint64_t event, Address from, Address to, const Tag& tag,
               sim::DropReason reason) override;
  void on_mishap(MonotonicTime at, std::uint64_t event, Address from, Address to, const Tag& tag,
                 sim::Mishap mishap) override;

 private:
  [[nodiscard]] bool is_wanted(MonotonicTime at) const {
    return at >= options_.from && at <= options_.until;
  }
  void put(const TraceLine& line) const;
  void put_message(MonotonicTime at, std::uint64_t event, Address from, Address to, const Tag& tag,
                   std::string what);

  Options options_;
};

// Events and facts as lines; `--verify` tells differences with them, too.
[[nodiscard]] TraceLine line_of(const sim::TraceEvent& event);
[[nodiscard]] TraceLine line_of(MonotonicTime at, std::uint64_t event, const FactSource& source,
                                const Fact& fact);

}  // namespace rejoin::app
