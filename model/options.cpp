#include "model/options.hpp"

#include <utility>

namespace rejoin {

LatencyOptions constant_latency(Duration value) {
  LatencyOptions out;
  out.distribution = "constant";
  out.params.set("value", value);
  return out;
}

LatencyOptions uniform_latency(DurationRange range) {
  LatencyOptions out;
  out.distribution = "uniform";
  out.params.set("range", range);
  return out;
}

LatencyOptions exponential_latency(Duration mean, Duration floor) {
  LatencyOptions out;
  out.distribution = "exponential";
  out.params.set("mean", mean);
  out.floor = floor;
  return out;
}

Delay::Delay() : Delay(constant_latency({})) {}
Delay::Delay(LatencyOptions options)
    : options_(std::make_shared<const LatencyOptions>(std::move(options))) {}

bool operator==(const Delay& a, const Delay& b) {
  return *a.options_ == *b.options_;
}

}  // namespace rejoin
