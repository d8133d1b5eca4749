#include "protocols/reconcile/leaf_index.hpp"

namespace rejoin::reconcile {

void LeafIndex::put(std::string_view key, const Fingerprint& fingerprint) {
  const auto [at, fresh] = items_.try_emplace({tree_.leaf_of(key), Key(key)}, fingerprint);
  tree_.update(key, fresh ? std::nullopt : std::optional(at->second), fingerprint);
  at->second = fingerprint;
}

void LeafIndex::erase(std::string_view key) {
  const auto at = items_.find({tree_.leaf_of(key), Key(key)});
  if (at == items_.end()) return;
  tree_.update(key, at->second, std::nullopt);
  items_.erase(at);
}

void LeafIndex::clear() {
  items_.clear();
  tree_.clear();
}

void LeafIndex::list(std::span<const LeafRange> ranges, std::vector<Item>& out) const {
  for (const LeafRange& range : ranges) {
    for (auto at = items_.lower_bound({range.first, Key()});
         at != items_.end() && at->first.first <= range.last; ++at) {
      out.push_back({at->first.second, at->second});
    }
  }
}

}  // namespace rejoin::reconcile
