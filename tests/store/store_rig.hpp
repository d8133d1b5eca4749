// One store on a hand-moved machine that can crash and start again.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocols/store/store.hpp"
#include "tests/support/hand_env.hpp"

namespace rejoin {

inline constexpr std::uint32_t kRigPartitions = 3;
inline constexpr PartitionId kRigPartition{1};

// What a store holds: (partition, key) to record.
using Contents = std::map<std::pair<std::uint32_t, Key>, Record>;

Record make_record(const Key& key, std::uint64_t n, bool deleted = false);

class StoreRig {
 public:
  explicit StoreRig(StoreOptions options);
  StoreRig(StoreOptions options, HandDisk found);

  void boot();
  void complete(std::size_t at = 0, bool fail = false);
  // Until nothing is under way or the store has stopped.
  void settle();
  void crash_and_boot(const std::function<std::size_t(std::size_t)>& keep, bool replaced);
  StoreWrite put(const Key& key, std::uint64_t n, bool deleted = false);
  [[nodiscard]] Contents contents() const;

  HandDisk disk;
  std::unique_ptr<HandBus> bus;
  std::unique_ptr<HandEnv> env;
  std::unique_ptr<Store> store;

 private:
  StoreOptions options_;
};

}  // namespace rejoin
