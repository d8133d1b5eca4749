#include "protocols/membership/identity.hpp"

#include "model/message.hpp"

namespace rejoin {

namespace {

// Never sent: the frame gives the file its version and its checksum.
constexpr MessageKind kIdentityKind{Channel::membership, 255};

}  // namespace

Bytes encode_identity(const Identity& identity) {
  return encode_frame(kIdentityKind, encode(identity));
}

std::optional<Identity> decode_identity(ByteView bytes) {
  const std::optional<Frame> frame = decode_frame(bytes);
  if (!frame || frame->kind != kIdentityKind) return std::nullopt;
  const std::optional<Identity> identity = decode<Identity>(frame->body);
  if (!identity || identity->node.is_none() || identity->incarnation.is_none()) {
    return std::nullopt;
  }
  return identity;
}

std::vector<DiskFile> identity_files(NodeId node, Incarnation incarnation, ClusterId cluster) {
  return {DiskFile{
      .name = "membership.identity",
      .content = encode_identity({.cluster = cluster, .node = node, .incarnation = incarnation})}};
}

}  // namespace rejoin
