// Which keys differ between two replicas, by their Merkle trees: an initiator that learns it, and a
// responder that keeps no state. Messages in, messages out; whoever drives it carries them.
//
// One round is one level: the initiator asks for the children of every node that differs, all at
// once, and goes on with the children that differ. Where few items are left below a node (at most
// `leaf_budget`, on either side), and in leaves, their keys and fingerprints are sent instead,
// which names what differs. Equal trees end in the first round.
//
// Invariants:
// 1. An exchange ends after at most depth + 1 rounds, each a request and its answer, whatever is
//    written meanwhile and whatever the other side says.
// 2. When nothing is written meanwhile, the result names exactly the keys that differ.
// 3. When something is, the result names at least each key that differed all along: every digest on
//    the way to it differed whenever two of them were compared. It may name keys that differed only
//    between two moments (a write that had reached one side, or had left a node after its digest
//    was read). So a result says what to look at, not what to store: versions decide that.
// 4. A message that does not fit (Refusal) changes nothing, on either side. Requests that remain
//    unanswered can be sent again (resend); answers to the earlier sending are then refused, so
//    that no answer is put together from two states of the other side.
// 5. Neither side holds a reference between calls. An initiator holds a node for each that differs
//    in one level, and the parts of answers that are not complete.
// 6. A request names at most batch_nodes nodes, an answer comes in parts of about part_bytes.
//
// Not here: time (when to send again, when to give up), flow control (all requests of a level leave
// at once), agreement about the shape: it is a parameter of the partition; a responder of another
// shape says so, and the exchange ends with that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "protocols/reconcile/merkle_tree.hpp"

namespace rejoin::reconcile {

// One side, as an exchange reads it. `list` appends the items of these leaves, in any order; the
// ranges ascend and are disjoint. Tree and items are of one moment.
struct MerkleReplica {
  const MerkleTree& tree;
  std::function<void(std::span<const LeafRange> ranges, std::vector<Item>& out)> list;
};

struct MerkleOptions {
  static constexpr std::uint32_t kLeafBudgetMax = 1U << 16U;
  static constexpr std::uint32_t kBatchNodesMax = 1U << 14U;
  static constexpr std::uint32_t kPartBytesMin = 256;

  // Below a node with at most so many items on either side they are listed, which ends the descent
  // a round or more earlier. A list costs about key + 18 bytes an item, going on 16 bytes a child
  // that has items: more than 16 * fanout / (key + 18) costs more bytes than it saves. 0 lists in
  // leaves alone.
  std::uint32_t leaf_budget = 4;
  // Nodes in a request, 1 or more. An answer is up to 16 * fanout bytes a node.
  std::uint32_t batch_nodes = 256;
  // After so many bytes an answer goes on in another part. One node's digests and one item are
  // never divided.
  std::uint32_t part_bytes = 64 * 1024;

  [[nodiscard]] bool valid() const {
    return leaf_budget <= kLeafBudgetMax && batch_nodes >= 1 && batch_nodes <= kBatchNodesMax &&
           part_bytes >= kPartBytesMin;
  }
};

enum class Want : std::uint8_t {
  digests,  // of the children; a list where there are few items
  lists,
};
[[nodiscard]] std::string_view to_name(Want want);

struct MerkleRequest {
  std::uint64_t exchange = 0;
  std::uint32_t number = 0;   // of the request in its exchange; 0 is the one about the root
  std::uint32_t attempt = 0;  // counts sendings
  MerkleShape shape;
  std::uint32_t leaf_budget = 0;
  std::uint32_t level = 0;
  Want want{};
  std::vector<std::uint32_t> nodes;  // of that level; they ascend
  Bytes root;                        // the asker's root digest in request 0; else empty
  REJOIN_FIELDS(exchange, number, attempt, shape, leaf_budget, level, want, nodes, root)
};

enum class AnswerState : std::uint8_t {
  content,      // nodes, as asked
  equal,        // the roots agree: nothing differs
  other_shape,  // the trees cannot be compared
};
[[nodiscard]] std::string_view to_name(AnswerState state);

struct MerkleAnswer {
  std::uint64_t exchange = 0;
  std::uint32_t number = 0;
  std::uint32_t attempt = 0;
  std::uint32_t part = 0;  // counted from 0
  bool last = false;
  AnswerState state{};
  // Of each node that this part covers, in the order of the request: 0 when the digests of its
  // children are given, n + 1 when n items of it are.
  std::vector<std::uint64_t> forms;
  bool continues = false;  // the last of these is a list that goes on in the next part
  // A bit for each child of each node given by digests, least significant first: whether it has
  // items; and the digests of those that have. Absent children cost a bit.
  Bytes present;
  Bytes digests;
  ItemList items;  // of all lists, one after the other; each ascends
  REJOIN_FIELDS(exchange, number, attempt, part, last, state, forms, continues, present, digests,
                items)
};

// The responder: the parts of the answer, to be sent in order. It keeps nothing.
[[nodiscard]] tl::expected<std::vector<MerkleAnswer>, Refusal> answer(const MerkleReplica& mine,
                                                                      const MerkleRequest& request,
                                                                      const MerkleOptions& options);

class MerkleExchange {
 public:
  enum class Outcome : std::uint8_t { running, done, other_shape };

  // `exchange` tells this exchange's answers from those of others between the two.
  MerkleExchange(std::uint64_t exchange, const MerkleShape& shape, const MerkleOptions& options);

  // Once, first.
  [[nodiscard]] std::vector<MerkleRequest> start(const MerkleReplica& mine);
  // What is to be sent next, often nothing. `mine` has the shape that was given.
  [[nodiscard]] tl::expected<std::vector<MerkleRequest>, Refusal> on_answer(
      const MerkleReplica& mine, const MerkleAnswer& answer);
  // All requests whose answers are not complete, as new attempts; what came of them is forgotten.
  [[nodiscard]] std::vector<MerkleRequest> resend();

  [[nodiscard]] Outcome outcome() const { return outcome_; }
  [[nodiscard]] std::uint32_t rounds() const { return rounds_; }
  // Complete when outcome() is done.
  [[nodiscard]] const Differences& result() const { return result_; }

 private:
  // Where the next part has to go on.
  struct Place {
    std::size_t node = 0;  // in request.nodes
    bool inside = false;   // its list has begun
    std::uint64_t items = 0;
    Key last;  // of that list, when items != 0
  };
  struct Asked {
    MerkleRequest request;
    std::uint32_t parts = 0;
    Place place;
    std::vector<std::uint32_t> by_digests;  // of request.nodes
    std::vector<std::uint32_t> by_list;
    std::vector<SetDigest> digests;  // of the children of by_digests
    std::vector<Item> items;
  };

  [[nodiscard]] std::optional<Refusal> check_part(const MerkleTree& tree, const Asked& asked,
                                                  const MerkleAnswer& answer, Place& place) const;
  [[nodiscard]] std::optional<Refusal> check_list(const MerkleTree& tree, const Asked& asked,
                                                  std::span<const Key> keys, Place& place) const;
  void take_part(Asked& asked, const MerkleAnswer& answer) const;
  void take_digests(const MerkleTree& tree, const Asked& asked);
  void take_lists(const MerkleReplica& mine, const Asked& asked);
  std::vector<MerkleRequest> next_level(const MerkleTree& tree);
  void ask(Want want, std::span<const std::uint32_t> nodes, std::vector<MerkleRequest>& out);
  std::vector<MerkleRequest> finish(Outcome outcome);

  std::uint64_t exchange_;
  MerkleShape shape_;
  MerkleOptions options_;
  Outcome outcome_ = Outcome::running;
  std::uint32_t rounds_ = 0;
  std::uint32_t level_ = 0;   // of the open requests
  std::uint32_t number_ = 0;  // of the next request
  std::map<std::uint32_t, Asked> open_;
  std::vector<std::uint32_t> differing_;  // nodes of the next level
  Differences result_;
};

}  // namespace rejoin::reconcile
