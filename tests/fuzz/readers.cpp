#include "tests/fuzz/readers.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "model/check.hpp"
#include "model/message.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/membership/identity.hpp"
#include "protocols/raft/log.hpp"
#include "protocols/store/log_format.hpp"
#include "sim/run/canonical.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::fuzzing {

namespace {

namespace fs = std::filesystem;

Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

// ---- Scenario files --------------------------------------------------------------------------

const sim::Vocabulary& words() {
  static const sim::Vocabulary all = sim::linked_vocabulary();
  return all;
}

// What was read can be written, and reads back as the same; a complaint says where.
void read_scenario_file(ByteView bytes) {
  const std::string text(bytes.begin(), bytes.end());
  // Other files are the file system's.
  if (text.find("extends") != std::string::npos) return;
  const auto scenario = sim::read_scenario("fuzz.yaml", text, words());
  if (!scenario) {
    CHECK_THAT(!scenario.error().empty());
    for (const sim::Diagnostic& each : scenario.error()) {
      CHECK_THAT(!each.message.empty() && !sim::to_text(each).empty());
    }
    return;
  }
  const auto again = sim::read_scenario("fuzz.yaml", scenario->resolved(), words());
  CHECK_THAT(again.has_value());
  CHECK_THAT(again->resolved() == scenario->resolved());
  const auto schedule = scenario->materialise(1);
  if (!schedule) return;
  const std::string written = sim::to_yaml(*schedule);
  const auto read = sim::read_scenario("fuzz.yaml", written, words());
  CHECK_THAT(read.has_value());
  const auto same = read->materialise(schedule->seed);
  CHECK_THAT(same.has_value() && sim::to_yaml(*same) == written);
}

std::vector<Bytes> scenario_corpus() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(REJOIN_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> out;
  for (const std::string& file : files) {
    const auto scenario = sim::load_scenario(file, words());
    CHECK_THAT(scenario.has_value());
    // Merged: what it extends is not to be found.
    out.push_back(bytes_of(scenario->resolved()));
  }
  return out;
}

// ---- Canonical schedules -----------------------------------------------------------------------

void read_schedule(ByteView bytes) {
  const auto schedule = sim::decode_schedule(bytes);
  if (!schedule) {
    CHECK_THAT(!schedule.error().empty());
    return;
  }
  CHECK_THAT(std::ranges::equal(sim::encode_schedule(*schedule), bytes));
  (void)sim::check_schedule(*schedule);
}

std::vector<Bytes> schedule_corpus() {
  std::vector<Bytes> out;
  for (const char* sync : {"none", "rejoin-sync", "hook-copy"}) {
    out.push_back(sim::encode_schedule(test::seed_schedule(sync)));
  }
  for (const char* file : {"nemesis/t0-t5-bounded.yaml", "topology/wan.yaml"}) {
    const auto scenario =
        sim::load_scenario(std::string(REJOIN_SOURCE_DIR "/scenarios/") + file, words());
    CHECK_THAT(scenario.has_value());
    const auto schedule = scenario->materialise(1);
    CHECK_THAT(schedule.has_value());
    out.push_back(sim::encode_schedule(*schedule));
  }
  return out;
}

// ---- Messages -----------------------------------------------------------------------------------

// A frame, or (so that checksums keep nothing out) a kind and a body.
void read_message(ByteView bytes) {
  if (const auto frame = decode_frame(bytes)) {
    CHECK_THAT(!describe_frame(bytes).empty());
    for (WireFormat format = kFirstFormat; format <= kNewestFormat; ++format) {
      const Bytes other = reframe(bytes, format, kNewestFormat);
      const auto again = decode_frame(other);
      CHECK_THAT(again && again->kind == frame->kind &&
                 std::ranges::equal(again->body, frame->body));
    }
  }
  if (bytes.empty()) return;
  const std::vector<MessageSpec>& specs = message_specs();
  const MessageSpec& spec = specs[bytes.front() % specs.size()];
  (void)spec.describe(bytes.subspan(1));
  (void)decode_state(bytes);
}

class Frames final : public sim::TraceSink {
 public:
  std::map<MessageKind, Bytes> all;
  void on_event(const sim::TraceEvent&) override {}
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_send(MonotonicTime, std::uint64_t, Address, Address, ByteView frame,
               const Tag& tag) override {
    all.try_emplace(tag.kind, frame.begin(), frame.end());
  }
  void on_drop(MonotonicTime, std::uint64_t, Address, Address, const Tag&,
               sim::DropReason) override {}
};

std::vector<Bytes> message_corpus() {
  Frames sink;
  (void)sim::run(test::seed_schedule("rejoin-sync"), {.trace = &sink});
  std::vector<Bytes> out;
  for (const auto& [kind, frame] : sink.all) {
    out.push_back(frame);
    const auto& specs = message_specs();
    const auto at = std::find_if(specs.begin(), specs.end(),
                                 [&](const MessageSpec& spec) { return spec.kind == kind; });
    const auto decoded = decode_frame(frame);
    CHECK_THAT(at != specs.end() && decoded.has_value());
    Bytes body{static_cast<std::uint8_t>(at - specs.begin())};
    body.insert(body.end(), decoded->body.begin(), decoded->body.end());
    out.push_back(std::move(body));
  }
  return out;
}

// ---- Files of nodes -----------------------------------------------------------------------------

void read_storage(ByteView bytes) {
  const store::LogContent log = store::read_log(bytes);
  CHECK_THAT(!log.damage || log.damage->offset <= bytes.size());
  store::EntryReader snapshot(store::FileKind::snapshot, bytes);
  while (snapshot.next()) {}
  CHECK_THAT(snapshot.good_bytes() <= bytes.size());
  const raft::RecoveredLog votes = raft::recover_log(bytes);
  CHECK_THAT(!votes.damage || votes.damage->offset <= bytes.size());
  if (const auto found = raft::decode_snapshot(bytes)) {
    CHECK_THAT(raft::decode_snapshot(raft::encode_snapshot(*found)).has_value());
  }
  if (const auto identity = decode_identity(bytes)) {
    CHECK_THAT(decode_identity(encode_identity(*identity)) == identity);
  }
}

std::vector<Bytes> storage_corpus() {
  store::LogEntry put;
  put.seq = 8;
  put.kind = store::EntryKind::put;
  put.partition = PartitionId(1);
  put.record.key = "key";
  put.record.value = "value";
  const raft::Snapshot snapshot{
      .index = LogIndex(3), .term = Term(2), .configuration = {}, .state = bytes_of("state")};
  std::vector<raft::Record> records = {
      raft::record::HardState{},
      raft::record::SnapshotMark{.group = kClusterGroup, .index = LogIndex(3), .term = Term(2)},
      raft::record::Truncate{.group = kClusterGroup, .from = LogIndex(4)}};
  return {store::encode_log(7, {put}, 9), raft::encode_log(records),
          raft::encode_snapshot(snapshot),
          identity_files(NodeId(1), Incarnation(1), ClusterId(1))[0].content};
}

}  // namespace

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all = {
      {"scenario", read_scenario_file, scenario_corpus},
      {"schedule", read_schedule, schedule_corpus},
      {"message", read_message, message_corpus},
      {"storage", read_storage, storage_corpus},
  };
  return all;
}

}  // namespace rejoin::fuzzing
