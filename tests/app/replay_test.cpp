#include <doctest/doctest.h>

#include <cstdio>

#include "sim/app/replay.hpp"
#include "sim/app/trace.hpp"

namespace rejoin::app {

namespace {

ReplayStep timer(std::uint64_t event, std::uint64_t chain) {
  ReplayStep step;
  step.at = MonotonicTime(1s + event * 1ms);
  step.event = event;
  step.kind = sim::EventKind::timer;
  step.to = Address(3);
  step.id = 7;
  step.chain_low = chain;
  return step;
}

ReplayStep fact_of(std::uint64_t event, const std::string& text) {
  ReplayStep step;
  step.what = ReplayStep::What::fact;
  step.event = event;
  step.host = "node-3";
  step.text = text;
  return step;
}

// What the comparer says when the other process did `there` and this one `here`.
std::optional<std::string> difference(const std::vector<ReplayStep>& here,
                                      const std::vector<ReplayStep>& there) {
  std::FILE* stream = std::tmpfile();
  REQUIRE(stream != nullptr);
  for (const ReplayStep& step : there) write_step(stream, step);
  std::rewind(stream);
  Comparer comparer(stream);
  for (const ReplayStep& step : here) comparer.on_step(step);
  std::fclose(stream);
  return comparer.difference();
}

bool has(const std::optional<std::string>& text, std::string_view part) {
  return text && text->find(part) != std::string::npos;
}

TraceLine line(std::string what) {
  return {.at = {},
          .event = 1,
          .host = "node-3",
          .other = "node-1",
          .kind = "AppendEntries",
          .purpose = Purpose::consensus,
          .what = std::move(what)};
}

bool matches(std::string_view filter, const TraceLine& traced) {
  const auto parsed = TraceFilter::parse(filter);
  REQUIRE(parsed.has_value());
  return parsed->matches(traced);
}

}  // namespace

TEST_CASE("replays that are alike have no difference") {
  const std::vector<ReplayStep> steps = {timer(1, 10), fact_of(1, "BecameLeader{}"), timer(2, 20)};
  CHECK_FALSE(difference(steps, steps).has_value());
}

TEST_CASE("the first step that differs is told from both sides, and no later one") {
  const auto found = difference({timer(1, 10), fact_of(1, "Committed{index: 4}"), timer(2, 20)},
                                {timer(1, 10), fact_of(1, "Committed{index: 5}"), timer(2, 21)});
  CHECK(has(found, "two replays part here:\n"));
  CHECK(has(found, "  here:  "));
  CHECK(has(found, "Committed{index: 4}"));
  CHECK(has(found, "  replay:"));
  CHECK(has(found, "Committed{index: 5}"));
  CHECK_FALSE(has(found, "timer"));
}

TEST_CASE("an event that differs in its chain alone blames what came before it") {
  const auto found = difference({timer(1, 10)}, {timer(1, 11)});
  CHECK(has(found, "part before this event"));
  CHECK(has(found, "chain 0000000000000000000000000000000a"));
  CHECK(has(found, "chain 0000000000000000000000000000000b"));
}

TEST_CASE("a replay that ends early is a difference") {
  CHECK(has(difference({timer(1, 10), timer(2, 20)}, {timer(1, 10)}), "ended before that"));
}

TEST_CASE("a stream that is no stream of steps ends, and nothing more") {
  std::FILE* stream = std::tmpfile();
  REQUIRE(stream != nullptr);
  std::fputs("\xff\xff\xff\xff and so on", stream);
  std::rewind(stream);
  CHECK_FALSE(read_step(stream).has_value());
  std::fclose(stream);
}

TEST_CASE("terms of a filter: all names must match, one term of each") {
  const TraceLine traced = line("from node-1: AppendEntries{key: \"key-12\"}");
  TraceLine appended = traced;
  appended.kind = "EntryAppended";
  CHECK(matches("", traced));
  CHECK(matches("node=node-3", traced));
  CHECK(matches("node=node-1,node=node-9", traced));
  CHECK_FALSE(matches("node=node-9", traced));
  CHECK(matches("kind=process-crashed,kind=EntryAppended", appended));
  CHECK_FALSE(matches("kind=entry-appended", traced));
  CHECK(matches("purpose=consensus,node=node-3", traced));
  CHECK_FALSE(matches("purpose=repair,node=node-3", traced));
  CHECK(matches("key=key-12", traced));
  CHECK_FALSE(matches("key=key-1", traced));
  CHECK(matches("Append", traced));
  CHECK_FALSE(matches("append", traced));
}

TEST_CASE("a kind that nothing has is refused with the nearest one") {
  const auto filter = TraceFilter::parse("kind=ProcessCrash");
  REQUIRE_FALSE(filter.has_value());
  CHECK(
      filter.error().starts_with("error: --trace: there is no kind `ProcessCrash`\n"
                                 "  hint: did you mean `ProcessCrashed`? kinds: start, timer"));
}

}  // namespace rejoin::app
