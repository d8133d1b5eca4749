#include <doctest/doctest.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "sim/app/replay.hpp"
#include "sim/app/trace.hpp"

namespace rejoin::app {

namespace {

// One thing that a run does, to be told to a sink.
using Act = std::function<void(sim::StepSink&)>;

Act timer(std::uint64_t event, std::uint64_t chain, ByteView payload = {}) {
  return [=](sim::StepSink& sink) {
    sink.on_event({.at = MonotonicTime(1s + event * 1ms),
                   .event = event,
                   .kind = sim::EventKind::timer,
                   .host = Address(3),
                   .id = 7,
                   .payload = payload,
                   .chain = {.high = 0, .low = chain}});
  };
}

Act committed(std::uint64_t event, std::uint64_t index) {
  return [=](sim::StepSink& sink) {
    sink.on_fact(MonotonicTime(1s), event, {.node = NodeId{3}, .client = {}, .incarnation = {}},
                 fact::Committed{.group = kClusterGroup, .term = {}, .index = LogIndex(index)});
  };
}

Act end(Verdict verdict) {
  return [=](sim::StepSink& sink) {
    RunRecord record;
    record.verdict = verdict;
    record.verdict_says = "so it is";
    record.events = 2;
    sink.on_end(record);
  };
}

// What the comparer says when the other process did `there` and this one `here`.
std::optional<std::string> difference(const std::vector<Act>& here, const std::vector<Act>& there) {
  std::FILE* stream = std::tmpfile();
  REQUIRE(stream != nullptr);
  sim::StepWriter writer(stream);
  for (const Act& act : there) act(writer);
  std::rewind(stream);
  Comparer comparer(stream);
  for (const Act& act : here) act(comparer);
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
  const std::vector<Act> acts = {timer(1, 10), committed(1, 4), timer(2, 20), end(Verdict::pass)};
  CHECK_FALSE(difference(acts, acts).has_value());
}

TEST_CASE("the first step that differs is told from both sides, and no later one") {
  const auto found = difference({timer(1, 10), committed(1, 4), timer(2, 20)},
                                {timer(1, 10), committed(1, 5), timer(2, 21)});
  CHECK(has(found, "two replays part here:\n"));
  CHECK(has(found, "  here:  "));
  CHECK(has(found, "node-3      = Committed{group: 1, term: 0, index: 4"));
  CHECK(has(found, "  replay:"));
  CHECK(has(found, "node-3      = Committed{group: 1, term: 0, index: 5"));
  CHECK_FALSE(has(found, "timer"));
}

TEST_CASE("an event that differs in its chain alone blames what came before it") {
  const auto found = difference({timer(1, 10)}, {timer(1, 11)});
  CHECK(has(found, "part before this event"));
  CHECK(has(found, "chain 0000000000000000000000000000000a"));
  CHECK(has(found, "chain 0000000000000000000000000000000b"));
}

TEST_CASE("bytes that differ and that no text shows are told as such") {
  const Bytes one = {1, 2};
  const Bytes other = {1, 3};
  CHECK(has(difference({timer(1, 10, one)}, {timer(1, 10, other)}), "in bytes that no text shows"));
}

TEST_CASE("the same events with another verdict are a difference") {
  CHECK(has(difference({timer(1, 10), end(Verdict::pass)}, {timer(1, 10), end(Verdict::fail)}),
            "the end: "));
}

TEST_CASE("a replay that ends early is a difference") {
  CHECK(has(difference({timer(1, 10), timer(2, 20)}, {timer(1, 10)}), "ended before that"));
}

TEST_CASE("whoever writes no step of a run has not taken the schedule") {
  const auto took = [](const std::string& text) {
    std::FILE* stream = std::tmpfile();
    REQUIRE(stream != nullptr);
    std::fwrite(text.data(), 1, text.size(), stream);
    std::rewind(stream);
    Comparer comparer(stream);
    timer(1, 10)(comparer);
    std::fclose(stream);
    return comparer.took();
  };
  CHECK_FALSE(took(""));
  CHECK_FALSE(took("total 12\n"));
  CHECK_FALSE(took(std::string("\x03\0\0\0abc", 7)));
  std::FILE* stream = std::tmpfile();
  REQUIRE(stream != nullptr);
  sim::StepWriter writer(stream);
  timer(1, 11)(writer);
  std::rewind(stream);
  Comparer comparer(stream);
  timer(1, 10)(comparer);
  std::fclose(stream);
  CHECK(comparer.took());
  CHECK(comparer.difference().has_value());
}

TEST_CASE("a stream that is no stream of steps ends, and nothing more") {
  std::FILE* stream = std::tmpfile();
  REQUIRE(stream != nullptr);
  std::fputs("\xff\xff\xff\xff and so on", stream);
  std::rewind(stream);
  Bytes step;
  CHECK_FALSE(sim::read_step(stream, step));
  std::fclose(stream);
  CHECK_FALSE(sim::decode_step(as_bytes("\x07 is no step")).has_value());
  CHECK_FALSE(sim::decode_step({}).has_value());
}

// Whoever traces a run that is compared sees it, too.
TEST_CASE("a comparer hands on what it compares") {
  class Counter final : public sim::StepSink {
   public:
    int steps = 0;

   private:
    void on_step(ByteView /*step*/) override { ++steps; }
  };
  Counter counter;
  std::FILE* stream = std::tmpfile();
  REQUIRE(stream != nullptr);
  Comparer comparer(stream, &counter);
  timer(1, 10)(comparer);
  committed(1, 4)(comparer);
  std::fclose(stream);
  CHECK(counter.steps == 2);
  CHECK(comparer.difference().has_value());
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

TEST_CASE("a filter that names what no run has is refused, with what there is") {
  TraceFilter::Known known;
  Schedule schedule;
  schedule.cluster = {.nodes = 3, .founders = 0, .clients = 2};
  action::Operate write;
  write.keys = {"key-1", "key-2"};
  schedule.timeline = {{.label = "T0", .trigger = {}, .action = write, .where = {}}};
  known.add(schedule);
  const auto problem = [&known](std::string_view text) {
    const auto filter = TraceFilter::parse(text);
    REQUIRE(filter.has_value());
    return filter->problem(known).value_or("");
  };
  for (const char* const right :
       {"", "node=node-3", "node=client-2", "node=world", "node=address-4099", "key=key-2",
        "group=1", "node=node-1,node=node-2,key=key-1,kind=timer,Append"}) {
    CHECK(problem(right) == "");
  }
  CHECK(problem("node=node-4")
            .starts_with("error: --trace: there is no `node-4`\n"
                         "  hint: node-1 to node-3, client-1 to client-2, "));
  CHECK(has(problem("node=client-3"), "there is no `client-3`"));
  CHECK(has(problem("node=node-3,node=nobody"), "there is no `nobody`"));
  CHECK(has(problem("key=key-9999"), "no step of the timeline names the key `key-9999`"));
  CHECK(has(problem("group=7"), "there is no group 7"));
}

TEST_CASE("empty terms and empty names are refused") {
  for (const char* const wrong : {",", "node=node-1,", ",kind=timer", "a,,b"}) {
    const auto filter = TraceFilter::parse(wrong);
    REQUIRE_FALSE(filter.has_value());
    CHECK(has(filter.error(), "an empty term in `" + std::string(wrong) + "`"));
  }
  for (const std::string name : {"node", "key", "group", "kind", "purpose"}) {
    const auto filter = TraceFilter::parse(name + "=");
    REQUIRE_FALSE(filter.has_value());
    CHECK(has(filter.error(), "`" + name + "=` names nothing"));
  }
  CHECK(has(TraceFilter::parse("nodes=node-1").error(), "there is no filter `nodes`"));
}

}  // namespace rejoin::app
