#include "model/hash.hpp"

#include <doctest/doctest.h>

#include "model/partition_map.hpp"

using namespace rejoin;

namespace {

std::string hex(const std::array<std::uint8_t, 16>& digest) {
  Hash128 hash;
  for (std::size_t i = 0; i < 8; ++i) hash.high = hash.high << 8U | digest[i];
  for (std::size_t i = 8; i < 16; ++i) hash.low = hash.low << 8U | digest[i];
  return to_hex(hash);
}

}  // namespace

TEST_CASE("md5 gives the digests of RFC 1321, appendix A.5") {
  CHECK(hex(md5("")) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex(md5("a")) == "0cc175b9c0f1b6a831c399e269772661");
  CHECK(hex(md5("abc")) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hex(md5("message digest")) == "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK(hex(md5("abcdefghijklmnopqrstuvwxyz")) == "c3fcd3d76192e4007dfb496cca67e13b");
  CHECK(hex(md5("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")) ==
        "d174ab98d277d9f5a5611c2c9f419d9f");
  CHECK(hex(md5("1234567890123456789012345678901234567890123456789012345678901234567890123456789"
                "0")) == "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("the hashes are XXH3 with seed 0") {
  CHECK(hash64("") == 0x2d06800538d394c2ULL);
  CHECK(to_hex(hash128(as_bytes(""))) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("a key's partition is the first four bytes of its md5, big-endian, modulo their number") {
  CHECK(partition_of("user:125", 64) == PartitionId(15));
  CHECK(partition_of("user:125", 16) == PartitionId(15));
  CHECK(partition_of("key-125", 64) == PartitionId(9));
  CHECK(partition_of("key-125", 16) == PartitionId(9));
}

TEST_CASE("a map knows who owns what, and its fingerprint changes with it") {
  PartitionMap map{.epoch = Epoch(1), .owners = {{NodeId(1), NodeId(2)}, {NodeId(3)}}};
  CHECK(map.owns(NodeId(2), PartitionId(0)));
  CHECK_FALSE(map.owns(NodeId(2), PartitionId(1)));
  CHECK_FALSE(map.owns(NodeId(1), PartitionId(2)));
  const std::uint64_t before = fingerprint(map);
  map.owners[0] = {NodeId(2), NodeId(1)};
  CHECK(fingerprint(map) != before);
}
