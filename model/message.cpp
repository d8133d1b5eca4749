#include "model/message.hpp"

#include <algorithm>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin {

namespace {

std::vector<MessageSpec>& storage() {
  static std::vector<MessageSpec> specs;
  return specs;
}

bool kind_less(const MessageSpec& spec, MessageKind kind) {
  return spec.kind < kind;
}

// Of head (wire and kind), mixed with that of the body, so that neither can change unnoticed.
std::uint64_t checksum(ByteView head, ByteView body) {
  return mix(hash64(head), hash64(body));
}

constexpr std::size_t checksum_bytes(WireFormat format) {
  return format == kFirstFormat ? 4 : 8;
}

constexpr std::uint8_t wire_byte(WireFormat format, WireFormat reads) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(reads) << 4U | format);
}

// The sum as format 2 has it; the first format keeps its low half.
void patch_checksum(Writer& writer, std::size_t head, WireFormat format) {
  const ByteView all = writer.view();
  const std::uint64_t sum =
      checksum(all.subspan(0, head), all.subspan(head + checksum_bytes(format)));
  writer.patch32(head, static_cast<std::uint32_t>(sum));
  if (format != kFirstFormat) writer.patch32(head + 4, static_cast<std::uint32_t>(sum >> 32U));
}

std::size_t head_bytes(MessageKind kind) {
  return 1 + (kind.value < 0x80 ? 1U : kind.value < 0x4000 ? 2U : 3U);
}

}  // namespace

std::string_view to_name(Purpose purpose) {
  switch (purpose) {
    case Purpose::foreground:
      return "foreground";
    case Purpose::repair:
      return "repair";
    case Purpose::membership:
      return "membership";
    case Purpose::consensus:
      return "consensus";
  }
  return "?";
}

const std::vector<MessageSpec>& message_specs() {
  return storage();
}

const MessageSpec* find_message_spec(MessageKind kind) {
  const auto& specs = storage();
  const auto at = std::lower_bound(specs.begin(), specs.end(), kind, kind_less);
  return at != specs.end() && at->kind == kind ? &*at : nullptr;
}

bool register_message(const MessageSpec& spec) {
  auto& specs = storage();
  const auto at = std::lower_bound(specs.begin(), specs.end(), spec.kind, kind_less);
  CHECK_THAT(at == specs.end() || at->kind != spec.kind);
  specs.insert(at, spec);
  return true;
}

namespace message_detail {

void open_frame(Writer& writer, MessageKind kind) {
  constexpr std::uint8_t wire = wire_byte(kFirstFormat, kFirstFormat);
  writer.raw({&wire, 1});
  writer.varint(kind.value);
  writer.fixed32(0);
}

Bytes close_frame(Writer& writer, MessageKind kind) {
  patch_checksum(writer, head_bytes(kind), kFirstFormat);
  return writer.take();
}

}  // namespace message_detail

std::optional<Frame> decode_frame(ByteView bytes, WireFormat reads) {
  Reader reader(bytes);
  const ByteView wire = reader.raw(1);
  std::uint16_t kind = 0;
  reader.get(kind);
  if (!reader.ok()) return std::nullopt;
  const auto format = static_cast<WireFormat>(wire[0] & 0x0fU);
  const std::size_t head = bytes.size() - reader.left();
  if (format < kFirstFormat || format > std::min(reads, kNewestFormat)) return std::nullopt;
  std::uint64_t sum = reader.fixed32();
  if (format != kFirstFormat) sum |= std::uint64_t{reader.fixed32()} << 32U;
  if (!reader.ok()) return std::nullopt;
  const ByteView body = reader.raw(reader.left());
  std::uint64_t expected = checksum(bytes.subspan(0, head), body);
  if (format == kFirstFormat) expected &= 0xffffffffU;
  if (sum != expected) return std::nullopt;
  return Frame{.kind = MessageKind(kind),
               .body = body,
               .sender_reads = static_cast<WireFormat>(wire[0] >> 4U)};
}

Bytes reframe(ByteView frame, WireFormat format, WireFormat reads) {
  const std::optional<Frame> decoded = decode_frame(frame);
  CHECK_THAT(decoded && format >= kFirstFormat && format <= kNewestFormat);
  Writer writer;
  writer.reserve(frame.size() + checksum_bytes(format));
  const std::uint8_t wire = wire_byte(format, reads);
  writer.raw({&wire, 1});
  writer.varint(decoded->kind.value);
  writer.fixed32(0);
  if (format != kFirstFormat) writer.fixed32(0);
  writer.raw(decoded->body);
  patch_checksum(writer, head_bytes(decoded->kind), format);
  return writer.take();
}

Bytes encode_frame(MessageKind kind, ByteView body) {
  Writer writer;
  message_detail::open_frame(writer, kind);
  writer.raw(body);
  return message_detail::close_frame(writer, kind);
}

std::string describe_frame(ByteView bytes) {
  const std::optional<Frame> frame = decode_frame(bytes);
  if (!frame) return "corrupt frame of " + std::to_string(bytes.size()) + " B";
  const MessageSpec* spec = find_message_spec(frame->kind);
  if (spec == nullptr) return "unknown message kind " + std::to_string(frame->kind.value);
  const std::optional<std::string> text = spec->describe(frame->body);
  return std::string(spec->name) + (text ? *text : "{malformed}");
}

}  // namespace rejoin
