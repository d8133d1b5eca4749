#include "protocols/store/record_table.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rejoin::store {
namespace {

Record plain(const Key& key, const Value& value) {
  return {.key = key,
          .value = value,
          .deleted = false,
          .version = {.timestamp = WallTime(-1ns), .writer = NodeId(3), .logical = 7},
          .origin = {.client = ClientId(9), .n = 1ULL << 40U}};
}

Record with_siblings(const Key& key) {
  Record record = plain(key, "own");
  Causality causality;
  causality.dot = causality.clock.count({.host = 1, .life = 5});
  const Dot other = causality.clock.count({.host = 2, .life = 6});
  causality.others = {{.value = std::string(1, '\0'),
                       .deleted = true,
                       .version = {},
                       .origin = {.client = ClientId(4), .n = 2},
                       .dot = other}};
  record.causality = std::make_shared<const Causality>(std::move(causality));
  return record;
}

TEST_CASE("a record comes back as it was put, in every field") {
  RecordTable table;
  Record tombstone = plain("gone", "");
  tombstone.deleted = true;
  const std::vector<Record> records = {plain("", ""), plain("a", std::string(5000, 'x')),
                                       with_siblings("b"), tombstone};
  for (std::size_t n = 0; n < records.size(); ++n) table.put(records[n], 100 + n);
  CHECK(table.size() == records.size());
  for (std::size_t n = 0; n < records.size(); ++n) {
    const std::optional<Held> held = table.get(records[n].key);
    REQUIRE(held.has_value());
    CHECK(held->record == records[n]);
    CHECK(held->seq == 100 + n);
    CHECK(table.sequence_of(records[n].key) == 100 + n);
  }
}

TEST_CASE("the last put of a key stays, and an erased one is absent") {
  RecordTable table;
  table.put(with_siblings("k"), 1);
  table.put(plain("k", "short"), 2);
  CHECK(table.get("k")->record == plain("k", "short"));
  CHECK(table.size() == 1);
  table.erase("k");
  CHECK_FALSE(table.get("k").has_value());
  CHECK_FALSE(table.sequence_of("k").has_value());
}

TEST_CASE("records are visited in order from a key on") {
  RecordTable table;
  for (const char* key : {"c", "a", "d", "b"}) table.put(plain(key, key), 1);
  std::string seen;
  table.visit("b", [&seen](const Held& held) {
    seen += held.record.key;
    return held.record.key != "c";
  });
  CHECK(seen == "bc");
}

}  // namespace
}  // namespace rejoin::store
