#include "tests/store/store_rig.hpp"

namespace rejoin {

Record make_record(const Key& key, std::uint64_t n, bool deleted) {
  return {.key = key,
          .value = deleted ? Value{} : "value-" + std::to_string(n),
          .deleted = deleted,
          .version = {},
          .origin = {.client = ClientId(1), .n = n}};
}

StoreRig::StoreRig(StoreOptions options) : options_(options) {
  boot();
}

StoreRig::StoreRig(StoreOptions options, HandDisk found)
    : disk(std::move(found)), options_(options) {
  boot();
}

void StoreRig::boot() {
  store.reset();
  bus = std::make_unique<HandBus>();
  env = std::make_unique<HandEnv>(disk, Address(1));
  store = std::make_unique<Store>(*env, *bus, options_, kRigPartitions);
  store->start();
}

void StoreRig::complete(std::size_t at, bool fail) {
  IoDone done = env->complete(at, fail);
  done.token = IoToken(done.token.value & kHandIdMask);
  store->on_io(done);
}

void StoreRig::settle() {
  while (!env->ops.empty() && env->halted.empty()) complete();
}

void StoreRig::crash_and_boot(const std::function<std::size_t(std::size_t)>& keep, bool replaced) {
  env->crash(keep, replaced);
  boot();
}

StoreWrite StoreRig::put(const Key& key, std::uint64_t n, bool deleted) {
  return store->put(kRigPartition, make_record(key, n, deleted), MergeRule::overwrite,
                    fact::WriteCause::foreground);
}

Contents StoreRig::contents() const {
  Contents found;
  for (std::uint32_t p = 0; p < kRigPartitions; ++p) {
    store->scan(PartitionId(p), "", [&](const Record& record) {
      found[{p, record.key}] = record;
      return true;
    });
  }
  return found;
}

}  // namespace rejoin
