// Which client asks for what: the operations of a schedule's steps, with their request ids.
//
// Invariants:
// 1. A client's requests are numbered in the order in which it gets them, as at most once needs it
//    (Session of the protocols: what comes after a later one is a late duplicate). So ids depend on
//    the order in which steps fire, on their operations, and on nothing else.
// 2. What an operation of a workload is, and when it begins, is drawn by (seed, label of the step,
//    client, number). One that was left out (Workload::keep) still takes its time, and its id: no
//    other is moved, but for those of a client that was busy with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/schedule.hpp"
#include "protocols/client/client.hpp"

namespace rejoin::sim {

// The operations of one workload: what they are and when they begin, in the order of each client.
class Load {
 public:
  // Both must outlive it. `fired`: when the step does.
  Load(std::uint64_t seed, const Step& step, const action::Workload& workload, MonotonicTime fired);

  // When the next operation of the client begins, and its number. None: it was the last.
  struct Next {
    std::uint64_t number = 0;  // from 1
    MonotonicTime at{};
    bool kept = false;
  };
  // `ended`: when the one before has (of a closed loop; of the first one, when the step fired).
  [[nodiscard]] std::optional<Next> next(ClientId client, MonotonicTime ended);
  [[nodiscard]] bool is_open() const { return workload_.rate_per_hour != 0; }
  [[nodiscard]] std::uint32_t clients() const { return workload_.clients; }
  // All but its id, level and pause.
  [[nodiscard]] OperationRequest request(ClientId client, std::uint64_t number) const;

 private:
  struct Progress {
    std::uint64_t number = 0;  // of the last one
    MonotonicTime at{};        // when it began; of an open loop, whatever its client did
  };

  [[nodiscard]] std::uint64_t draw_of(ClientId client, std::uint64_t number,
                                      std::uint64_t what) const;
  [[nodiscard]] MonotonicTime begins(ClientId client, const Progress& before,
                                     MonotonicTime ended) const;
  [[nodiscard]] bool keeps(ClientId client, std::uint64_t number) const;
  [[nodiscard]] OperationKind kind_of(std::uint64_t random) const;
  [[nodiscard]] std::size_t key_of(std::uint64_t random, std::uint64_t within) const;

  std::uint64_t seed_;
  const Step& step_;
  const action::Workload& workload_;
  MonotonicTime fired_;
  std::uint64_t label_;               // hashed
  std::vector<std::uint64_t> heads_;  // of zipf: by rank, the weight of it and all before
  std::map<ClientId, Progress> clients_;
};

// What there is to leave out of the step: every operation that is kept. Where only the run knows
// how many there are (a closed loop that lasts), as many as there can be.
[[nodiscard]] std::vector<action::Workload::Range> operations_of(std::uint64_t seed,
                                                                 const Step& step,
                                                                 const action::Workload& workload);

// More than these no workload has, as far as its own numbers say (operations_of).
inline constexpr std::uint64_t kOperationsMax = 1'000'000;
inline constexpr std::uint64_t kValueBytesMax = 16ULL << 20U;
inline constexpr std::uint64_t kRatePerHourMax = 3'600'000'000;  // 1000000/s
inline constexpr std::uint32_t kExponentMaxPpm = 10'000'000;

// A sentence when the numbers of a workload make none, whoever gave them.
[[nodiscard]] std::optional<std::string> problem_of(const action::Workload& workload);

class Workload {
 public:
  explicit Workload(const ClientOptions& options) : options_(options) {}

  // For each client what it is to do for that step, which fires now.
  [[nodiscard]] std::map<ClientId, std::vector<OperationRequest>> begin(
      const Step& step, const action::Operate& operate);
  // What the client is to do now, as the operation of that number.
  [[nodiscard]] OperationRequest begin(const Load& load, const action::Workload& workload,
                                       ClientId client, std::uint64_t number);
  // An operation that was left out: its id is not given to another.
  void skip(const Load& load, ClientId client, std::uint64_t number);

 private:
  [[nodiscard]] RequestId next_id(ClientId client, OperationKind kind);

  const ClientOptions& options_;
  std::map<ClientId, std::uint64_t> last_n_;
};

}  // namespace rejoin::sim
