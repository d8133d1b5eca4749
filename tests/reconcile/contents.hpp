// Contents of replicas for the tests of reconciliation, and what truly differs between two.
#pragma once

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/random.hpp"
#include "model/wire.hpp"
#include "protocols/reconcile/items.hpp"

namespace rejoin::reconcile::test {

using Contents = std::map<Key, Fingerprint>;

// What a replica holds of the n-th write of a key.
inline Fingerprint print_of(std::uint64_t n) {
  return {{.high = mix(n, 1), .low = mix(n, 2)}};
}

inline Key key_of(std::uint64_t n) {
  return "key-" + std::to_string(n);
}

inline std::vector<Item> items_of(const Contents& contents) {
  std::vector<Item> out;
  for (const auto& [key, print] : contents) out.push_back({key, print});
  return out;
}

// Few keys of any bytes, the empty one among them, so that two draws meet.
inline rc::Gen<Key> any_key() {
  return rc::gen::oneOf(rc::gen::map(rc::gen::inRange(0, 300),
                                     [](int n) { return key_of(static_cast<unsigned>(n)); }),
                        rc::gen::container<Key>(rc::gen::arbitrary<char>()));
}

inline rc::Gen<Contents> any_contents() {
  return rc::gen::container<Contents>(any_key(), rc::gen::map(rc::gen::inRange(0, 3), [](int n) {
                                        return print_of(static_cast<unsigned>(n));
                                      }));
}

inline Differences true_differences(const Contents& here, const Contents& there) {
  Differences out;
  for (const auto& [key, print] : here) {
    const auto other = there.find(key);
    if (other == there.end()) {
      out.missing_there.push_back(key);
    } else if (other->second != print) {
      out.different.push_back(key);
    }
  }
  for (const auto& [key, print] : there) {
    if (!here.contains(key)) out.missing_here.push_back(key);
  }
  return out;
}

// Makes `here` what `there` is by fetching and dropping the keys that were named, and no others.
inline void apply(const Differences& differences, Contents& here, const Contents& there) {
  for (const Key& key : differences.missing_here) here[key] = there.at(key);
  for (const Key& key : differences.different) here[key] = there.at(key);
  for (const Key& key : differences.missing_there) here.erase(key);
}

// A few keys written or removed.
inline Contents nearly(Contents contents) {
  for (const Key& key : *rc::gen::container<std::vector<Key>>(any_key())) {
    if (*rc::gen::inRange(0, 3) == 0) {
      contents.erase(key);
    } else {
      contents[key] = print_of(static_cast<unsigned>(*rc::gen::inRange(0, 3)));
    }
  }
  return contents;
}

// The first so many keys in their first version.
inline Contents many(std::uint64_t count) {
  Contents contents;
  for (std::uint64_t n = 0; n < count; ++n) contents[key_of(n)] = print_of(n);
  return contents;
}

inline std::size_t any_below(std::size_t bound) {
  return static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(bound)));
}

inline bool contains(const Differences& differences, const Key& key) {
  for (const auto* keys :
       {&differences.missing_here, &differences.missing_there, &differences.different}) {
    if (std::binary_search(keys->begin(), keys->end(), key)) return true;
  }
  return false;
}

template <class Message>
Message over_the_wire(const Message& message) {
  const std::optional<Message> received = decode<Message>(encode(message));
  REQUIRE(received.has_value());
  return *received;
}

// Bytes with one to three of them changed, put in or taken out, or cut short.
inline Bytes damaged(Bytes bytes) {
  for (int times = *rc::gen::inRange(1, 4); times != 0 && !bytes.empty(); --times) {
    const auto at = *rc::gen::inRange(0, static_cast<int>(bytes.size()));
    const auto byte = *rc::gen::arbitrary<std::uint8_t>();
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        bytes.insert(bytes.begin() + at, byte);
        break;
      case 1:
        bytes.erase(bytes.begin() + at);
        break;
      case 2:
        bytes.resize(static_cast<std::size_t>(at));
        break;
      default:
        bytes[static_cast<std::size_t>(at)] = byte;
    }
  }
  return bytes;
}

}  // namespace rejoin::reconcile::test
