// A client: a host of its own with sessions, request ids, retries and a recorded history.
//
// Invariants:
// 1. One operation is open at a time; the others wait in order of submission.
// 2. A retry keeps its request id and goes to another coordinator, unless the request names one.
// 3. An operation without an answer after ClientOptions::timeout is published as abandoned, stays
//    open for ever, and ends the session: the next operation counts as another session's.
// 4. When a node lets a try time out, another one is asked where it is: nodes move.
// 5. What a read of a key has shown is the context of the session's next writes of it: they replace
//    it, and no more. A change of a replicated data type is made here, once for all its tries.
// 6. Every invocation, return and abandonment is published as a fact, at the client's own time. A
//    change that reads first (ClientOptions::read_first) is published when its read has been
//    answered, for what it replaces must have been invoked before it; it began when the read did.
// 7. A map that is kept (ClientOptions::cached_map) decides whom is asked first, and nothing else:
//    a stale one costs time. Only a newer and well-formed one replaces it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/env.hpp"
#include "model/facts.hpp"
#include "model/history.hpp"
#include "model/options.hpp"

namespace rejoin {

struct NodeAddress {
  NodeId node;
  Address address;
};

struct OperationRequest {
  RequestId id;  // (this client, n); n ascends. n - 1 is left free for the read of `read_first`
  OperationKind kind{};
  Key key;      // name of the setting, for configure
  Value value;  // of a write or configure
  Consistency level{};
  bool direct = false;  // read straight from `via`
  NodeId via;           // coordinator (or the node read directly); none: the client chooses
  Duration pause{};     // before it is invoked, after the operation before it has ended
  std::string label;
};

class Client final : public Process {
 public:
  // `nodes`: where the members can be reached, in order of node.
  Client(Env& env, Observer& observer, ClientId self, ClientOptions options,
         std::vector<NodeAddress> nodes);
  ~Client() override;

  void submit(OperationRequest request);

  void start() override;
  void on_message(Address from, ByteView frame) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rejoin
