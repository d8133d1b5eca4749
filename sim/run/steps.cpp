#include "sim/run/steps.hpp"

#include <array>

#include "sim/run/canonical.hpp"
#include "sim/run/verdict.hpp"

namespace rejoin::sim {

namespace {

// Far beyond any message: a length that is larger is no length.
constexpr std::uint32_t kStepBytesMax = 256U << 20U;

enum class What : std::uint8_t { event, fact, end };

void put_hash(Writer& out, const Hash128& hash) {
  for (const std::uint64_t word : {hash.high, hash.low}) {
    out.fixed32(static_cast<std::uint32_t>(word >> 32U));
    out.fixed32(static_cast<std::uint32_t>(word));
  }
}

Hash128 get_hash(Reader& in) {
  std::array<std::uint64_t, 4> words{};
  for (std::uint64_t& word : words) word = in.fixed32();
  return {.high = words[0] << 32U | words[1], .low = words[2] << 32U | words[3]};
}

RunStep get_event(Reader& in) {
  EventStep step;
  in.get(step.at);
  in.get(step.event);
  in.get(step.kind);
  in.get(step.host);
  in.get(step.from);
  in.get(step.id);
  in.get(step.message.value);
  in.get(step.payload);
  step.chain = get_hash(in);
  return step;
}

RunStep get_fact(Reader& in) {
  FactStep step;
  in.get(step.at);
  in.get(step.event);
  in.get(step.source.node);
  in.get(step.source.client);
  in.get(step.source.incarnation);
  in.get(step.source.twin);
  in.get(step.fact);
  return step;
}

RunStep get_end(Reader& in) {
  EndStep step;
  in.get(step.at);
  in.get(step.events);
  in.get(step.verdict);
  step.digest = get_hash(in);
  return step;
}

}  // namespace

std::optional<RunStep> decode_step(ByteView bytes) {
  Reader in(bytes);
  What what{};
  in.get(what);
  std::optional<RunStep> step;
  switch (what) {
    case What::event:
      step = get_event(in);
      break;
    case What::fact:
      step = get_fact(in);
      break;
    case What::end:
      step = get_end(in);
      break;
  }
  if (!in.ok() || !in.at_end()) step.reset();
  return step;
}

void StepSink::on_event(const TraceEvent& event) {
  scratch_.clear();
  scratch_.put(What::event);
  scratch_.put(event.at);
  scratch_.put(event.event);
  scratch_.put(event.kind);
  scratch_.put(event.host);
  scratch_.put(event.from);
  scratch_.put(event.id);
  scratch_.put(event.message.value);
  scratch_.varint(event.payload.size());
  scratch_.raw(event.payload);
  put_hash(scratch_, event.chain);
  on_step(scratch_.view());
}

void StepSink::on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                       const Fact& fact) {
  scratch_.clear();
  scratch_.put(What::fact);
  scratch_.put(at);
  scratch_.put(event);
  scratch_.put(source.node);
  scratch_.put(source.client);
  scratch_.put(source.incarnation);
  scratch_.put(source.twin);
  encode_fact(scratch_, fact);
  on_step(scratch_.view());
}

void StepSink::on_end(const RunRecord& record) {
  scratch_.clear();
  scratch_.put(What::end);
  scratch_.put(record.virtual_end);
  scratch_.put(record.events);
  scratch_.put(std::string(to_name(record.verdict)) + ", " + record.verdict_says);
  put_hash(scratch_, record.digest);
  on_step(scratch_.view());
}

void StepWriter::on_step(ByteView step) {
  const auto size = static_cast<std::uint32_t>(step.size());
  std::array<std::uint8_t, 4> length{};
  for (unsigned i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::uint8_t>(size >> (8 * i));
  }
  std::fwrite(length.data(), 1, length.size(), out_);
  std::fwrite(step.data(), 1, step.size(), out_);
}

bool read_step(std::FILE* in, Bytes& step) {
  std::array<std::uint8_t, 4> length{};
  if (std::fread(length.data(), 1, length.size(), in) != length.size()) return false;
  std::uint32_t size = 0;
  for (unsigned i = 0; i < length.size(); ++i) size |= std::uint32_t{length[i]} << (8 * i);
  if (size > kStepBytesMax) return false;
  step.resize(size);
  return std::fread(step.data(), 1, size, in) == size;
}

bool replay_steps(std::FILE* in, std::FILE* out, const RunOptions& options) {
  constexpr std::size_t kBuffer = 64 * 1024;
  std::setvbuf(out, nullptr, _IOFBF, kBuffer);
  Bytes bytes;
  Bytes chunk(kBuffer);
  for (std::size_t n = 0; (n = std::fread(chunk.data(), 1, kBuffer, in)) != 0;) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
  }
  const auto schedule = decode_schedule(bytes);
  if (!schedule) {
    std::fprintf(stderr, "replay-steps: %s\n", schedule.error().c_str());
    return false;
  }
  for (const std::string& complaint : check_schedule(*schedule)) {
    std::fprintf(stderr, "replay-steps: %s\n", complaint.c_str());
    return false;
  }
  StepWriter writer(out);
  RunOptions traced = options;
  traced.trace = &writer;
  writer.on_end(run(*schedule, traced));
  return std::fflush(out) == 0;
}

}  // namespace rejoin::sim
