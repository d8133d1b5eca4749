// Nodes that ping each other every 10 ms of the first second, count what they hear and keep a
// journal, for the tests of the faults.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/faults/fault.hpp"
#include "tests/support/machines.hpp"

namespace rejoin::sim::testing {

[[nodiscard]] Params params_of(
    std::initializer_list<std::pair<std::string_view, ParamValue>> values);

[[nodiscard]] Selectors nodes(std::initializer_list<std::uint32_t> numbers);

// These parameters, and for the others their defaults.
[[nodiscard]] Params completed(const FaultSpec& fault, const Params& given);

[[nodiscard]] std::string says(std::string_view fault, const Params& params);

struct RigOptions {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 3;
  Transport transport = Transport::datagram;
  NetworkOptions network = constant_network(1ms);
  TopologyOptions topology{};
  HostOptions host{};
  DiskOptions disk{};
};

class FaultRig final : public Agenda {
 public:
  struct Arrival {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    MonotonicTime at{};
    std::string text;  // `ping 505000000`: when it was sent, by the sender's clock
  };

  explicit FaultRig(const RigOptions& options = {});
  ~FaultRig() override;

  // Injects at `when`, as a step of a schedule does, and takes it back after `lasts`; `touched`
  // gets what it returned. Returns the step's number, for `end`.
  std::size_t inject(MonotonicTime when, std::string_view fault, const Params& params,
                     std::optional<Duration> lasts = {});
  // Takes back what that step did, if it is still in force.
  void end(MonotonicTime when, std::size_t step);
  void after(Duration delay, std::function<void()> act) override;

  // What the fault of that step has done so far.
  [[nodiscard]] std::uint64_t did(std::size_t step = 0) const;

  void run_until(MonotonicTime end);
  [[nodiscard]] bool is_up(std::uint32_t node);
  [[nodiscard]] std::uint64_t heard_in_all() const;

  Machines machines;
  std::vector<std::uint64_t> touched;
  std::vector<Arrival> arrivals;
  // Indexed by node, from 1; heard[from][to].
  std::vector<std::uint64_t> starts;
  std::vector<std::vector<std::uint64_t>> heard;
  std::vector<std::size_t> journal_at_start;

 private:
  struct Step {
    const FaultSpec* fault = nullptr;
    Params params;
    Injection injection;
  };

  void write_script(std::uint32_t n, Transport transport);

  void strike(std::size_t step);

  // Here only what needs no cluster: hosts by name, and everyone.
  [[nodiscard]] std::vector<Address> resolve(const Selectors& selectors) const;

  std::deque<Step> steps_;
  std::uint32_t nodes_;
  std::uint64_t seed_;
};

}  // namespace rejoin::sim::testing
