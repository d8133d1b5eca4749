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

constexpr std::size_t kChecksumBytes = 4;

// Of version and kind, mixed with that of the body, so that neither can change unnoticed.
std::uint32_t checksum(ByteView head, ByteView body) {
  return static_cast<std::uint32_t>(mix(hash64(head), hash64(body)));
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
  writer.put(kWireVersion);
  writer.varint(kind.value);
  writer.fixed32(0);
}

Bytes close_frame(Writer& writer, MessageKind kind) {
  const std::size_t head = 1 + (kind.value < 0x80 ? 1U : kind.value < 0x4000 ? 2U : 3U);
  const ByteView all = writer.view();
  const std::uint32_t sum = checksum(all.subspan(0, head), all.subspan(head + kChecksumBytes));
  writer.patch32(head, sum);
  return writer.take();
}

}  // namespace message_detail

std::optional<Frame> decode_frame(ByteView bytes) {
  Reader reader(bytes);
  std::uint8_t version = 0;
  std::uint16_t kind = 0;
  reader.get(version);
  reader.get(kind);
  const std::size_t head = bytes.size() - reader.left();
  const std::uint32_t sum = reader.fixed32();
  if (!reader.ok() || version != kWireVersion) return std::nullopt;
  const ByteView body = reader.raw(reader.left());
  if (sum != checksum(bytes.subspan(0, head), body)) return std::nullopt;
  return Frame{.kind = MessageKind(kind), .body = body};
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
