#include "protocols/reconcile/merkle_exchange.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "model/check.hpp"

namespace rejoin::reconcile {

namespace {

// What a part holds by digests, and whether its columns agree on it.
std::optional<Refusal> check_digests(const MerkleAnswer& answer, std::size_t fanout) {
  const auto nodes = static_cast<std::size_t>(
      std::count(answer.forms.begin(), answer.forms.end(), std::uint64_t{0}));
  const std::size_t children = nodes * fanout;
  if (answer.present.size() != (children + 7) / 8) return Refusal::bad_counts;
  std::size_t present = 0;
  for (const std::uint8_t byte : answer.present) {
    present += static_cast<std::size_t>(std::popcount(byte));
  }
  if (answer.digests.size() != present * kHashBytes) return Refusal::bad_counts;
  // Bits behind the last child are of no child.
  if (children % 8 != 0 && answer.present.back() >> children % 8 != 0) return Refusal::bad_counts;
  return std::nullopt;
}

bool has_content(const MerkleAnswer& answer) {
  return !answer.forms.empty() || answer.continues || !answer.present.empty() ||
         !answer.digests.empty() || !answer.items.keys.empty() ||
         !answer.items.fingerprints.empty();
}

}  // namespace

std::string_view to_name(Want want) {
  switch (want) {
    case Want::digests:
      return "digests";
    case Want::lists:
      return "lists";
  }
  return "?";
}

std::string_view to_name(AnswerState state) {
  switch (state) {
    case AnswerState::content:
      return "content";
    case AnswerState::equal:
      return "equal";
    case AnswerState::other_shape:
      return "other shape";
  }
  return "?";
}

MerkleExchange::MerkleExchange(std::uint64_t exchange, const MerkleShape& shape,
                               const MerkleOptions& options)
    : exchange_(exchange), shape_(shape), options_(options) {
  CHECK_THAT(!shape_.problem() && options_.valid());
}

std::vector<MerkleRequest> MerkleExchange::start(const MerkleReplica& mine) {
  CHECK_THAT(rounds_ == 0 && mine.tree.shape() == shape_);
  rounds_ = 1;
  const NodeSummary& root = mine.tree.root();
  std::vector<MerkleRequest> out;
  const std::uint32_t node = 0;
  ask(root.items <= options_.leaf_budget ? Want::lists : Want::digests, {&node, 1}, out);
  append_hash(out.front().root, root.digest.sum());
  open_.begin()->second.request = out.front();
  return out;
}

tl::expected<std::vector<MerkleRequest>, Refusal> MerkleExchange::on_answer(
    const MerkleReplica& mine, const MerkleAnswer& answer) {
  CHECK_THAT(mine.tree.shape() == shape_);
  const auto at = open_.find(answer.number);
  if (answer.exchange != exchange_ || at == open_.end()) return tl::unexpected(Refusal::not_asked);
  Asked& asked = at->second;
  if (answer.attempt != asked.request.attempt) return tl::unexpected(Refusal::not_asked);
  if (answer.part != asked.parts) return tl::unexpected(Refusal::out_of_turn);
  if (answer.state != AnswerState::content) {
    const bool expected = answer.state == AnswerState::other_shape ||
                          (answer.state == AnswerState::equal && answer.number == 0);
    if (!expected || answer.part != 0) return tl::unexpected(Refusal::out_of_turn);
    if (has_content(answer) || !answer.last) return tl::unexpected(Refusal::bad_counts);
    return finish(answer.state == AnswerState::equal ? Outcome::done : Outcome::other_shape);
  }
  Place place = asked.place;
  if (const auto refusal = check_part(mine.tree, asked, answer, place)) {
    return tl::unexpected(*refusal);
  }
  take_part(asked, answer);
  asked.place = std::move(place);
  ++asked.parts;
  if (!answer.last) return std::vector<MerkleRequest>{};
  take_digests(mine.tree, asked);
  take_lists(mine, asked);
  open_.erase(at);
  if (!open_.empty()) return std::vector<MerkleRequest>{};
  return next_level(mine.tree);
}

std::vector<MerkleRequest> MerkleExchange::resend() {
  std::vector<MerkleRequest> out;
  for (auto& [number, asked] : open_) {
    ++asked.request.attempt;
    MerkleRequest request = std::move(asked.request);
    asked = {};
    asked.request = std::move(request);
    out.push_back(asked.request);
  }
  return out;
}

// Moves `place` to where the part ends.
std::optional<Refusal> MerkleExchange::check_part(const MerkleTree& tree, const Asked& asked,
                                                  const MerkleAnswer& answer, Place& place) const {
  const std::size_t nodes = asked.request.nodes.size();
  if (answer.forms.empty() || answer.forms.size() > nodes - place.node) return Refusal::bad_counts;
  if (!answer.items.consistent()) return Refusal::bad_counts;
  if (const auto refusal = check_digests(answer, shape_.fanout)) return refusal;
  std::span<const Key> keys = answer.items.keys;
  for (std::size_t n = 0; n < answer.forms.size(); ++n) {
    const std::uint64_t form = answer.forms[n];
    const bool goes_on = answer.continues && n + 1 == answer.forms.size();
    if (form == 0) {
      if (asked.request.want == Want::lists || place.inside || goes_on) return Refusal::bad_counts;
      ++place.node;
      continue;
    }
    if (form - 1 > keys.size()) return Refusal::bad_counts;
    if (goes_on && form == 1) return Refusal::bad_counts;  // a part that says nothing
    const auto count = static_cast<std::size_t>(form - 1);
    if (const auto refusal = check_list(tree, asked, keys.first(count), place)) return refusal;
    keys = keys.subspan(count);
    if (goes_on) {
      place.inside = true;
    } else {
      place = {.node = place.node + 1, .inside = false, .items = 0, .last = {}};
    }
  }
  if (!keys.empty()) return Refusal::bad_counts;
  if (answer.last != (place.node == nodes)) return Refusal::bad_counts;
  return std::nullopt;
}

std::optional<Refusal> MerkleExchange::check_list(const MerkleTree& tree, const Asked& asked,
                                                  std::span<const Key> keys, Place& place) const {
  const std::uint32_t node = asked.request.nodes[place.node];
  for (const Key& key : keys) {
    if (place.items != 0 && !(place.last < key)) return Refusal::bad_keys;
    if (tree.ancestor(tree.leaf_of(key), level_) != node) return Refusal::bad_keys;
    place.last = key;
    ++place.items;
  }
  // Digests were asked for: a longer list is not what was agreed.
  if (asked.request.want == Want::digests && place.items > options_.leaf_budget) {
    return Refusal::bad_counts;
  }
  return std::nullopt;
}

void MerkleExchange::take_part(Asked& asked, const MerkleAnswer& answer) const {
  for (std::size_t n = 0; n < answer.forms.size(); ++n) {
    const std::uint32_t node = asked.request.nodes[asked.place.node + n];
    if (answer.forms[n] == 0) {
      asked.by_digests.push_back(node);
    } else if (asked.by_list.empty() || asked.by_list.back() != node) {
      asked.by_list.push_back(node);
    }
  }
  std::size_t present = 0;
  const auto nodes = static_cast<std::size_t>(
      std::count(answer.forms.begin(), answer.forms.end(), std::uint64_t{0}));
  for (std::size_t child = 0; child < nodes * shape_.fanout; ++child) {
    const bool here = (answer.present[child / 8] >> child % 8 & 1U) != 0;
    asked.digests.push_back(here ? SetDigest(hash_at(answer.digests, present++)) : SetDigest());
  }
  for (std::size_t n = 0; n < answer.items.size(); ++n) asked.items.push_back(answer.items.at(n));
}

void MerkleExchange::take_digests(const MerkleTree& tree, const Asked& asked) {
  auto theirs = asked.digests.begin();
  for (const std::uint32_t node : asked.by_digests) {
    const std::uint32_t first = node * shape_.fanout;
    const std::vector<NodeSummary> mine = tree.children({level_, node});
    for (std::uint32_t n = 0; n < shape_.fanout; ++n) {
      if (mine[n].digest != *theirs++) differing_.push_back(first + n);
    }
  }
}

void MerkleExchange::take_lists(const MerkleReplica& mine, const Asked& asked) {
  if (asked.by_list.empty()) return;
  std::vector<LeafRange> ranges;
  for (const std::uint32_t node : asked.by_list) {
    ranges.push_back(mine.tree.leaves_of({level_, node}));
  }
  std::vector<Item> here;
  mine.list(ranges, here);
  sort_by_key(here);
  std::vector<Item> there = asked.items;  // in order within each node
  sort_by_key(there);
  compare(here, there, result_);
}

std::vector<MerkleRequest> MerkleExchange::next_level(const MerkleTree& tree) {
  if (differing_.empty()) return finish(Outcome::done);
  CHECK_THAT(level_ < shape_.depth);
  ++level_;
  ++rounds_;
  // Answers may have been completed in any order.
  std::vector<std::uint32_t> nodes = std::exchange(differing_, {});
  std::stable_sort(nodes.begin(), nodes.end());
  const auto few = [&](std::uint32_t node) {
    return level_ == shape_.depth || tree.at({level_, node}).items <= options_.leaf_budget;
  };
  const auto middle = std::stable_partition(nodes.begin(), nodes.end(), few);
  std::vector<MerkleRequest> out;
  ask(Want::lists, {nodes.begin(), middle}, out);
  ask(Want::digests, {middle, nodes.end()}, out);
  return out;
}

void MerkleExchange::ask(Want want, std::span<const std::uint32_t> nodes,
                         std::vector<MerkleRequest>& out) {
  while (!nodes.empty()) {
    const std::span<const std::uint32_t> batch =
        nodes.first(std::min<std::size_t>(nodes.size(), options_.batch_nodes));
    nodes = nodes.subspan(batch.size());
    MerkleRequest request{.exchange = exchange_,
                          .number = number_++,
                          .attempt = 0,
                          .shape = shape_,
                          .leaf_budget = options_.leaf_budget,
                          .level = level_,
                          .want = want,
                          .nodes = {batch.begin(), batch.end()},
                          .root = {}};
    open_[request.number].request = request;
    out.push_back(std::move(request));
  }
}

std::vector<MerkleRequest> MerkleExchange::finish(Outcome outcome) {
  outcome_ = outcome;
  open_.clear();
  differing_.clear();
  sort_keys(result_);
  return {};
}

}  // namespace rejoin::reconcile
