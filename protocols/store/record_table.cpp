#include "protocols/store/record_table.hpp"

#include "model/check.hpp"

namespace rejoin::store {

namespace {

// The record without its key. It never leaves the process, so that fields may come and go.
template <class Archive, class AnyRecord>
void rest_of(Archive& ar, AnyRecord& record) {
  ar("value", record.value)("deleted", record.deleted)("version", record.version);
  ar("origin", record.origin)("causality", record.causality);
}

}  // namespace

std::optional<Held> RecordTable::get(const Key& key) const {
  const std::optional<ByteView> rest = entries_.find(key);
  if (!rest) return std::nullopt;
  return unpack(key, *rest);
}

std::optional<std::uint64_t> RecordTable::sequence_of(const Key& key) const {
  const std::optional<ByteView> rest = entries_.find(key);
  if (!rest) return std::nullopt;
  return Reader(*rest).varint();
}

void RecordTable::put(const Record& record, std::uint64_t seq) {
  packed_.clear();
  packed_.varint(seq);
  rest_of(packed_, record);
  entries_.put(record.key, packed_.view());
}

Held RecordTable::unpack(std::string_view key, ByteView rest) {
  Reader reader(rest);
  Held held;
  held.record.key = key;
  held.seq = reader.varint();
  rest_of(reader, held.record);
  CHECK_THAT(reader.ok() && reader.at_end());
  return held;
}

}  // namespace rejoin::store
