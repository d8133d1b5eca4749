// One store on a hand-moved machine that can crash and start again.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocols/store/store.hpp"
#include "tests/store/hand_env.hpp"

namespace rejoin {

inline constexpr std::uint32_t kRigPartitions = 3;
inline constexpr PartitionId kRigPartition{1};

// What a store holds: (partition, key) to record.
using Contents = std::map<std::pair<std::uint32_t, Key>, Record>;

inline Record make_record(const Key& key, std::uint64_t n, bool deleted = false) {
  return {.key = key,
          .value = deleted ? Value{} : "value-" + std::to_string(n),
          .deleted = deleted,
          .version = {},
          .origin = {.client = ClientId(1), .n = n}};
}

class StoreRig {
 public:
  explicit StoreRig(StoreOptions options) : options_(options) { boot(); }
  StoreRig(StoreOptions options, HandDisk found) : disk(std::move(found)), options_(options) {
    boot();
  }

  void boot() {
    store.reset();
    bus = std::make_unique<HandBus>();
    env = std::make_unique<HandEnv>(disk, Address(1));
    store = std::make_unique<Store>(*env, *bus, options_, kRigPartitions);
    store->start();
  }
  void complete(std::size_t at = 0, bool fail = false) {
    IoDone done = env->complete(at, fail);
    done.token = IoToken(done.token.value & kHandIdMask);
    store->on_io(done);
  }
  // Until nothing is under way or the store has stopped.
  void settle() {
    while (!env->ops.empty() && env->halted.empty()) complete();
  }
  void crash_and_boot(const std::function<std::size_t(std::size_t)>& keep, bool replaced) {
    env->crash(keep, replaced);
    boot();
  }
  StoreWrite put(const Key& key, std::uint64_t n, bool deleted = false) {
    return store->put(kRigPartition, make_record(key, n, deleted), MergeRule::overwrite,
                      fact::WriteCause::foreground);
  }
  [[nodiscard]] Contents contents() const {
    Contents found;
    for (std::uint32_t p = 0; p < kRigPartitions; ++p) {
      store->scan(PartitionId(p), "", [&](const Record& record) {
        found[{p, record.key}] = record;
        return true;
      });
    }
    return found;
  }

  HandDisk disk;
  std::unique_ptr<HandBus> bus;
  std::unique_ptr<HandEnv> env;
  std::unique_ptr<Store> store;

 private:
  StoreOptions options_;
};

}  // namespace rejoin
