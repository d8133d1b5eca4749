#include "reports/aggregate.hpp"

#include <algorithm>

#include "model/check.hpp"
#include "reports/statistics.hpp"

namespace rejoin::reports {

namespace {

int badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return 0;
    case Verdict::vacuous:
      return 1;
    case Verdict::unbounded:
      return 2;
    case Verdict::fail:
      return 3;
  }
  return 3;
}

void put_big_endian(Bytes& out, std::uint64_t word) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(word >> static_cast<unsigned>(shift)));
  }
}

Spread spread_of(std::vector<std::int64_t> values, std::uint64_t absent) {
  Spread out{.count = values.size(), .absent = absent};
  if (values.empty()) return out;
  for (const std::int64_t value : values) out.mean += static_cast<double>(value);
  out.mean /= static_cast<double>(values.size());
  std::sort(values.begin(), values.end());
  out.min = values.front();
  out.p50 = nearest_rank(values, 50);
  out.p90 = nearest_rank(values, 90);
  out.p99 = nearest_rank(values, 99);
  out.max = values.back();
  return out;
}

}  // namespace

std::vector<const RunRecord*> in_seed_order(const std::vector<RunRecord>& trials) {
  std::vector<const RunRecord*> out;
  for (const RunRecord& trial : trials) out.push_back(&trial);
  std::stable_sort(out.begin(), out.end(),
                   [](const RunRecord* a, const RunRecord* b) { return a->seed < b->seed; });
  return out;
}

Verdict worst_verdict(const std::vector<RunRecord>& trials) {
  Verdict worst = Verdict::pass;
  for (const RunRecord& trial : trials) {
    if (badness(trial.verdict) > badness(worst)) worst = trial.verdict;
  }
  return worst;
}

Hash128 digest_of(const std::vector<RunRecord>& trials) {
  CHECK_THAT(!trials.empty());
  if (trials.size() == 1) return trials.front().digest;
  Bytes all;
  for (const RunRecord* trial : in_seed_order(trials)) {
    put_big_endian(all, trial->digest.high);
    put_big_endian(all, trial->digest.low);
  }
  return hash128(all);
}

std::map<std::string, Spread> spreads(const std::vector<RunRecord>& trials) {
  std::map<std::string, std::pair<std::vector<std::int64_t>, std::uint64_t>> values;
  for (const RunRecord* trial : in_seed_order(trials)) {
    for (const auto& [name, value] : trial->metrics) {
      auto& [present, absent] = values[name];
      if (value) {
        present.push_back(*value);
      } else {
        ++absent;
      }
    }
  }
  std::map<std::string, Spread> out;
  for (auto& [name, found] : values) {
    out.emplace(name, spread_of(std::move(found.first), found.second));
  }
  return out;
}

std::vector<FaultTotal> fault_totals(const RunRecord& record) {
  std::map<std::pair<std::string, std::string>, FaultTotal> totals;
  for (const FaultRecord& fault : record.faults) {
    FaultTotal& total = totals[{fault.fault, fault.of}];
    total.fault = fault.fault;
    total.unit = fault.unit;
    total.of = fault.of;
    ++total.steps;
    total.effective += fault.touched != 0 && fault.did != 0 ? 1U : 0U;
    total.touched += fault.touched;
    total.did += fault.did;
  }
  std::vector<FaultTotal> out;
  for (auto& [key, total] : totals) out.push_back(std::move(total));
  return out;
}

}  // namespace rejoin::reports
