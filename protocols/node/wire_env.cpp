#include "protocols/node/wire_env.hpp"

#include <algorithm>
#include <utility>

#include "model/mutant.hpp"

namespace rejoin {

std::optional<Frame> WireEnv::decode(Address from, ByteView bytes) {
  std::optional<Frame> frame = decode_frame(bytes, reads_);
  // Software of the first format has no use for what others read.
  if (!frame || reads_ == kFirstFormat) return frame;
  if (frame->sender_reads > kFirstFormat) {
    peers_[from] = frame->sender_reads;
  } else {
    peers_.erase(from);  // a downgrade
  }
  return frame;
}

void WireEnv::send(Address to, Transport transport, Bytes frame, const Tag& tag) {
  if (reads_ == kFirstFormat) return machine_.send(to, transport, std::move(frame), tag);
  const auto peer = peers_.find(to);
  WireFormat format = peer == peers_.end() ? kFirstFormat : std::min(peer->second, reads_);
  if (MUTANT("wire-eager")) format = reads_;
  machine_.send(to, transport, reframe(frame, format, reads_), tag);
}

}  // namespace rejoin
