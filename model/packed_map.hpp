// An ordered map from byte strings to byte strings that costs some ten bytes an entry besides the
// two: for tables with millions of small entries, where a std::map of strings takes 150.
//
// Entries lie one behind the other, in order of their keys, in pages of at most kPageBytes, and a
// std::map finds the page. That is the bottom level of a B+ tree (Comer 1979) with a finished map
// for its upper ones.
//
// Invariants:
// 1. Keys ascend strictly as bytes, within a page and from page to page. A page has an entry, and
//    more than kPageBytes only when it is a single one.
// 2. A page owns at most kSlackBytes more than its entries take. It is given back when its last
//    entry goes; half-empty ones are not joined.
// 3. What a find or a visit shows is a view into a page, valid until the next change.
//
// Not here: what the bytes mean, and any order but theirs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/bytes.hpp"

namespace rejoin {

class PackedMap {
 public:
  // Larger pages are searched longer, smaller ones are more: 112 bytes for each.
  static constexpr std::size_t kPageBytes = 2048;
  static constexpr std::size_t kSlackBytes = 128;

  [[nodiscard]] std::optional<ByteView> find(std::string_view key) const;
  // True when the key is new. `value` is not of this map.
  bool put(std::string_view key, ByteView value);
  bool erase(std::string_view key);  // false when it is absent
  void clear();

  // visit(std::string_view key, ByteView value) for the keys from `first` on, in order, until it
  // says false.
  template <class Visit>
  void visit(std::string_view first, Visit visit) const {
    if (pages_.empty()) return;
    auto page = page_of(first);
    std::size_t at = seek(page->second, first).at;
    for (; page != pages_.end(); ++page, at = 0) {
      while (at < page->second.size()) {
        const Entry entry = entry_at(page->second, at);
        if (!visit(entry.key, entry.value)) return;
        at = entry.end;
      }
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  // By a bound below its keys that is above those of the page before it; the first page takes what
  // is below its own, too.
  using Pages = std::map<std::string, Bytes, std::less<>>;
  struct Entry {
    std::string_view key;
    ByteView value;
    std::size_t end = 0;  // the next one begins here
  };
  struct Place {
    std::size_t at = 0;  // of the first entry that is not below the key
    bool found = false;  // it is that of the key
  };

  [[nodiscard]] Pages::const_iterator page_of(std::string_view key) const;
  [[nodiscard]] Pages::iterator page_of(std::string_view key);
  [[nodiscard]] static Entry entry_at(const Bytes& page, std::size_t at);
  [[nodiscard]] static Place seek(const Bytes& page, std::string_view key);
  static void replace(Bytes& page, std::size_t from, std::size_t to, std::string_view key,
                      ByteView value);
  void split(Pages::iterator page);

  Pages pages_;
  std::size_t size_ = 0;
};

}  // namespace rejoin
