// Messages: frames on the wire, and the registry of kinds that lets traces decode them.
//
// A frame is: wire (1 byte), kind (varint), checksum (little-endian, over wire, kind and body; 4
// bytes in format 1, 8 in format 2), body (the fields of the message). The low half of `wire` is
// the format of this frame, the high half the newest format that its sender reads: software that
// reads more speaks the old format to whoever has not shown yet that it reads the new one, so that
// a cluster can be upgraded node by node. Within a format, messages grow by fields that are
// appended and that older readers skip (model/wire.hpp).
//
// A message type has `static constexpr MessageKind kind` and `fields`; its .cpp registers it with
// REGISTER_MESSAGE. The high byte of a kind is the channel: which component of a node it is for.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/bytes.hpp"
#include "model/wire.hpp"

namespace rejoin {

// Which component of a process a message, timer or file belongs to. Values are on the wire.
enum class Channel : std::uint8_t {
  node = 1,
  raft = 2,
  membership = 3,
  partitioning = 4,
  store = 5,
  coordinator = 6,
  sync = 7,
  client = 8,
};

struct MessageKind {
  std::uint16_t value = 0;
  constexpr MessageKind() = default;
  constexpr explicit MessageKind(std::uint16_t v) : value(v) {}
  constexpr MessageKind(Channel channel, std::uint8_t number)
      : value(static_cast<std::uint16_t>(static_cast<unsigned>(channel) << 8U | number)) {}
  [[nodiscard]] constexpr Channel channel() const { return static_cast<Channel>(value >> 8U); }
  friend constexpr bool operator==(MessageKind, MessageKind) = default;
  friend constexpr auto operator<=>(MessageKind, MessageKind) = default;
};

// What traffic is for; costs are reported by it.
enum class Purpose : std::uint8_t { foreground, repair, membership, consensus };
inline constexpr std::size_t kPurposeCount = 4;
[[nodiscard]] std::string_view to_name(Purpose purpose);

struct MessageSpec {
  MessageKind kind;
  std::string_view name;  // the struct's name: `AppendEntries`
  Purpose purpose{};
  // The decoded body as text; none when the bytes are not such a message.
  std::optional<std::string> (*describe)(ByteView body) = nullptr;
};

// Every kind that is linked in, ordered by kind. Filled before main, constant from then on.
[[nodiscard]] const std::vector<MessageSpec>& message_specs();
[[nodiscard]] const MessageSpec* find_message_spec(MessageKind kind);
bool register_message(const MessageSpec& spec);

using WireFormat = std::uint8_t;
inline constexpr WireFormat kFirstFormat = 1;
inline constexpr WireFormat kNewestFormat = 2;

struct Frame {
  MessageKind kind;
  ByteView body;                           // into the bytes that were decoded
  WireFormat sender_reads = kFirstFormat;  // the newest, as far as its sender says
};

// None when the format is none of kFirstFormat..reads, the checksum is wrong or the frame is cut
// short.
[[nodiscard]] std::optional<Frame> decode_frame(ByteView bytes, WireFormat reads = kNewestFormat);
// In the first format, of a sender that reads no other.
[[nodiscard]] Bytes encode_frame(MessageKind kind, ByteView body);
// The message of `frame` (a valid one) in `format`, of a sender that reads up to `reads`.
[[nodiscard]] Bytes reframe(ByteView frame, WireFormat format, WireFormat reads);
// `AppendEntries{term: 3, ...}`; says so when the bytes are no frame or no known message.
[[nodiscard]] std::string describe_frame(ByteView bytes);

namespace message_detail {
void open_frame(Writer& writer, MessageKind kind);
[[nodiscard]] Bytes close_frame(Writer& writer, MessageKind kind);
}  // namespace message_detail

template <class M>
[[nodiscard]] Bytes encode_message(const M& message) {
  Writer writer;
  writer.reserve(64);
  message_detail::open_frame(writer, M::kind);
  M::fields(writer, message);
  return message_detail::close_frame(writer, M::kind);
}

template <class M>
[[nodiscard]] std::optional<std::string> describe_body(ByteView body) {
  const std::optional<M> message = decode<M>(body);
  if (!message) return std::nullopt;
  return describe(*message);
}

}  // namespace rejoin

// In the .cpp of the component that owns the message, once per type, inside namespace rejoin.
#define REGISTER_MESSAGE(Type, purpose)           \
  [[maybe_unused]] const bool registered_##Type = \
      ::rejoin::register_message({Type::kind, #Type, purpose, &::rejoin::describe_body<Type>})
