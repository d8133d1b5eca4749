// Speaks each peer's wire format: the Env of a node whose software may be newer, or older, than
// that of the others.
//
// Invariants:
// 1. A peer is spoken to in the first format until a frame of its own has shown that it reads a
//    newer one; then in the newest that both read. So the first node of a rolling upgrade is
//    understood, and so is the last.
// 2. What peers read is forgotten at each start: nobody is trusted to have stayed as new as it was.
//
// Not here: what a message means (its component), formats themselves (model/message.hpp).
#pragma once

#include <map>
#include <optional>

#include "model/env.hpp"

namespace rejoin {

class WireEnv final : public Env {
 public:
  // `reads`: the newest format of this software.
  WireEnv(Env& machine, WireFormat reads) : machine_(machine), reads_(reads) {}

  // None when the bytes are no frame that this software reads. Learns what the sender reads.
  [[nodiscard]] std::optional<Frame> decode(Address from, ByteView bytes);

  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override;

  [[nodiscard]] MonotonicTime now() const override { return machine_.now(); }
  [[nodiscard]] WallTime wall_now() const override { return machine_.wall_now(); }
  [[nodiscard]] Address self() const override { return machine_.self(); }
  void arm(TimerId timer, MonotonicTime deadline) override { machine_.arm(timer, deadline); }
  void disarm(TimerId timer) override { machine_.disarm(timer); }
  void append(std::string_view file, ByteView data) override { machine_.append(file, data); }
  void sync(std::string_view file, IoToken token) override { machine_.sync(file, token); }
  void read(std::string_view file, IoToken token) override { machine_.read(file, token); }
  void replace(std::string_view file, ByteView data, IoToken token) override {
    machine_.replace(file, data, token);
  }
  void remove(std::string_view file, IoToken token) override { machine_.remove(file, token); }
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override {
    return machine_.random(label, what, attempt);
  }
  void halt(std::string_view reason) override { machine_.halt(reason); }

 private:
  Env& machine_;
  WireFormat reads_;
  std::map<Address, WireFormat> peers_;  // those that have shown to read more than the first
};

}  // namespace rejoin
