#include "model/packed_map.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rejoin {
namespace {

using Contents = std::vector<std::pair<std::string, std::string>>;

std::string text_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

Contents contents_from(const PackedMap& map, const std::string& first) {
  Contents out;
  map.visit(first, [&out](std::string_view key, ByteView value) {
    out.emplace_back(key, text_of(value));
    return true;
  });
  return out;
}

Contents contents_from(const std::map<std::string, std::string>& map, const std::string& first) {
  return {map.lower_bound(first), map.end()};
}

// Few keys, some of them prefixes of others, and bytes above 127 that a signed char would misplace.
std::string any_key() {
  const auto letters = *rc::gen::container<std::string>(rc::gen::element('a', 'b', '\xff', '\0'));
  return letters.substr(0, 6);
}

std::string any_value() {
  const std::size_t size =
      *rc::gen::weightedOneOf<std::size_t>({{8, rc::gen::inRange<std::size_t>(0, 60)},
                                            {2, rc::gen::inRange<std::size_t>(100, 700)},
                                            {1, rc::gen::inRange<std::size_t>(2000, 5000)}});
  return std::string(size, *rc::gen::inRange('a', 'z'));
}

TEST_CASE("an empty map finds, visits and erases nothing") {
  PackedMap map;
  CHECK(map.empty());
  CHECK_FALSE(map.find("").has_value());
  CHECK_FALSE(map.erase("a"));
  CHECK(contents_from(map, "").empty());
}

TEST_CASE("a key below that of the first page is found there") {
  PackedMap map;
  for (char c = 'm'; c <= 'z'; ++c) {
    CHECK(map.put(std::string(1, c), as_bytes(std::string(500, c))));
  }
  // The first page goes, so that all keys that are left are above the bound of none.
  for (char c = 'm'; c <= 'p'; ++c) CHECK(map.erase(std::string(1, c)));
  CHECK(map.put("a", as_bytes("low")));
  REQUIRE(map.find("a").has_value());
  CHECK(text_of(*map.find("a")) == "low");
  CHECK(contents_from(map, "").front().first == "a");
}

TEST_CASE("an entry may be larger than a page") {
  PackedMap map;
  const std::string large(3 * PackedMap::kPageBytes, 'x');
  CHECK(map.put("b", as_bytes(large)));
  CHECK(map.put("a", as_bytes("1")));
  CHECK(map.put("c", as_bytes("2")));
  CHECK(contents_from(map, "") == Contents{{"a", "1"}, {"b", large}, {"c", "2"}});
  CHECK_FALSE(map.put("b", as_bytes("small")));
  CHECK(contents_from(map, "") == Contents{{"a", "1"}, {"b", "small"}, {"c", "2"}});
}

TEST_CASE("a visit ends when it is told to") {
  PackedMap map;
  for (int n = 0; n < 100; ++n) map.put(std::to_string(n), as_bytes(std::string(100, 'v')));
  int seen = 0;
  map.visit("5", [&seen](std::string_view, ByteView) { return ++seen < 3; });
  CHECK(seen == 3);
}

TEST_CASE("a packed map is a std::map of strings, whatever is done to it") {
  CHECK(rc::check([] {
    PackedMap map;
    std::map<std::string, std::string> model;
    const int steps = *rc::gen::inRange(0, 200);
    for (int step = 0; step < steps; ++step) {
      const std::string key = any_key();
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
          RC_ASSERT(map.erase(key) == (model.erase(key) == 1));
          break;
        case 1: {
          const auto found = map.find(key);
          RC_ASSERT(found.has_value() == model.contains(key));
          if (found) RC_ASSERT(text_of(*found) == model[key]);
          RC_ASSERT(contents_from(map, key) == contents_from(model, key));
          break;
        }
        default: {
          const std::string value = any_value();
          RC_ASSERT(map.put(key, as_bytes(value)) == !model.contains(key));
          model[key] = value;
        }
      }
      RC_ASSERT(map.size() == model.size());
    }
    RC_ASSERT(contents_from(map, "") == contents_from(model, ""));
    map.clear();
    RC_ASSERT(map.empty() && contents_from(map, "").empty());
  }));
}

TEST_CASE("thousands of keys in a random order come back in theirs") {
  PackedMap map;
  std::map<std::string, std::string> model;
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    const std::string key = "key-" + std::to_string(n * 7919 % 20'000);
    const std::string value = "value-" + std::to_string(n);
    map.put(key, as_bytes(value));
    model[key] = value;
  }
  CHECK(contents_from(map, "") == contents_from(model, ""));
  for (std::uint64_t n = 0; n < 20'000; n += 3) {
    const std::string key = "key-" + std::to_string(n);
    CHECK(map.erase(key));
    model.erase(key);
  }
  CHECK(contents_from(map, "key-1") == contents_from(model, "key-1"));
}

}  // namespace
}  // namespace rejoin
