// Turns a merged tree, its picks resolved, into a Schedule, and complains about all that cannot
// be one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/comparison_record.hpp"
#include "model/schedule.hpp"
#include "sim/scenario/fields.hpp"
#include "sim/scenario/tree.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

// The tree as parameters take it; none when it is neither a scalar nor a list (of lists) of them.
[[nodiscard]] std::optional<ParamText> as_param_text(const Tree& tree);

// An operation after which there is something at its key.
[[nodiscard]] constexpr bool makes_keys(OperationKind kind) {
  return kind == OperationKind::write || kind == OperationKind::increment ||
         kind == OperationKind::add;
}

class ScheduleReader {
 public:
  // `seed`: of what a nemesis draws; none checks each alternative of what it could draw instead.
  ScheduleReader(const Vocabulary& vocabulary, Problems& problems,
                 std::optional<std::uint64_t> seed = std::nullopt)
      : vocabulary_(vocabulary), problems_(problems), seed_(seed) {}

  // Once. Meaningless when a problem was found.
  [[nodiscard]] Schedule read(const Tree& file);
  // What a file asks of a comparison, apart from the schedule (read_thresholds.cpp).
  [[nodiscard]] std::vector<Threshold> read_thresholds(const Tree& list);

 private:
  // True when it took the entry.
  using Special = std::function<bool(const Entry& entry)>;

  // ---- read.cpp: the file and its sections ----
  void read_section(const Tree& tree, std::string_view section,
                    const std::vector<std::string>& special_keys, const Special& special);
  bool read_file_key(const Entry& entry);
  void read_field(const Tree& value, const Field& field);
  void read_sync(const Tree& sync);
  void read_check(const Tree& list);
  [[nodiscard]] std::vector<std::string> read_invariants(const Tree& list, std::string_view key);
  void read_expect(const Tree& expect);
  void read_metric(const Entry& entry);
  // As the vocabulary has it; none was complained about.
  [[nodiscard]] std::optional<std::string> known_metric(const Mark& mark, const std::string& name);
  // A count, a duration or a size.
  [[nodiscard]] std::optional<std::int64_t> read_figure(const Tree& value, std::string_view name);
  void read_threshold_key(const Entry& entry, Threshold& out);
  void read_nemesis_section(const Tree& file);  // read_nemesis.cpp
  // The plugin that a section names.
  void check_name(const Tree* section, std::string_view key,
                  const std::vector<Vocabulary::Plugin>& among, std::string& name);
  void check_whole(const Tree& file);
  void check_compositions(const Tree& file);
  void check_operations();
  void check_sites();
  void check_faults();

  // ---- read_network.cpp: what a message meets ----
  void read_network(const Tree& network);
  void read_network_key(const Entry& entry);
  void read_link(const Tree& item);
  [[nodiscard]] NetworkOptions::End read_end(const Tree& value, std::string_view name);
  void check_network(const Tree& network);
  void read_latency(const Tree& value, LatencyOptions& out);
  [[nodiscard]] static const Tree& blamed(const Tree& latency, const LatencyOptions& options,
                                          const ValueProblem& problem);
  void read_parts(const Tree& list, LatencyOptions& out);
  void read_buckets(const Tree& list, LatencyOptions& out);
  [[nodiscard]] std::uint64_t read_weight(const Tree& value);

  // ---- read_topology.cpp: where hosts are ----
  void read_topology(const Tree& topology);
  void read_site(const Entry& entry);
  void read_site_hosts(const Tree& value, std::string_view name, TopologyOptions::Site& site);
  void read_site_link(const Tree& item);
  void read_ends(const Tree& ends, TopologyOptions::Link& link);
  void check_site_tree(const Tree& sites);
  void check_site_links(const Tree& sites, const Tree& links);

  // ---- read_timeline.cpp: steps ----
  void read_timeline(const Tree& timeline);
  [[nodiscard]] std::optional<Step> read_step(const Tree& tree);
  [[nodiscard]] Trigger read_trigger(const Entry& entry);
  [[nodiscard]] Trigger read_when(const Tree& when);
  [[nodiscard]] std::string read_label(const Tree& value, std::string_view name);
  [[nodiscard]] Trigger read_when_sync(trigger::When when, const Entry& entry);
  [[nodiscard]] Trigger read_when_committed(trigger::When when, const Entry& entry);
  void read_who(const Tree& value, std::string_view name, trigger::When& when);
  [[nodiscard]] Action read_action(const Entry& entry);
  [[nodiscard]] action::Operate read_operate(const Entry& entry, OperationKind kind);
  void read_operate_key(const Entry& entry, action::Operate& out);
  void check_change(const Entry& entry, const action::Operate& operate);
  [[nodiscard]] action::Operate read_configure(const Entry& entry);
  void read_step_expect(const Tree& value, action::Operate& operate);
  void read_step_option(const Entry& entry, Step& step);
  void check_keys();
  void check_ends();

  // ---- read_workload.cpp: a step that generates operations ----
  [[nodiscard]] action::Workload read_workload(const Entry& entry);
  void read_workload_key(const Entry& entry, action::Workload& out);
  void read_workload_levels(const Tree& workload, action::Workload& out);
  void read_mix(const Tree& mix, action::Workload& out);
  void read_popularity(const Tree& value, action::Workload::Popularity& out);
  void read_value_size(const Tree& value, action::Workload::SizeRange& out);
  void read_rate(const Tree& value, action::Workload& out);
  void read_keep(const Tree& value, action::Workload& out);

  // ---- read_values.cpp: one value ----
  [[nodiscard]] std::vector<Key> read_keys(const Tree& keys);
  void add_keys(const Tree& text, std::vector<Key>& out);
  [[nodiscard]] std::optional<ParamValue> read_value(const Tree& value, const ParamSpec& spec);
  template <class T>
  [[nodiscard]] std::optional<T> read_as(const Tree& value, std::string_view name, ParamType type,
                                         std::vector<std::string_view> choices = {}) {
    auto read = read_value(value, {name, type, {}, {}, {}, std::move(choices)});
    if (!read) return std::nullopt;
    return std::get<T>(*std::move(read));
  }
  [[nodiscard]] std::optional<Consistency> read_level(const Tree& value, std::string_view name);
  [[nodiscard]] Params read_params(const Tree& value, const Vocabulary::Plugin& plugin,
                                   const Mark& name, bool first_alone);
  // Where the parameters stand, by their names as the plugin has them.
  [[nodiscard]] static std::map<std::string, Mark, std::less<>> marks_of(
      const Tree& value, const Vocabulary::Plugin& plugin);
  [[nodiscard]] bool check_bounds(const Tree& value, const Field& field, const ParamValue& read);
  void check_hosts(const Tree& value, const ParamSpec& spec, const ParamValue& read);
  void check_host(const Mark& mark, const Selector& host, ParamType type);
  void check_disks(const Tree& value, const ParamSpec& spec, const Vocabulary::Plugin& fault);
  [[nodiscard]] std::optional<Address> read_address(const Tree& value, std::string_view name);
  void wrong(const Tree& value, std::string_view name, std::string_view wanted,
             std::string hint = {});
  void unknown_key(const Entry& entry, std::string_view where,
                   const std::vector<std::string>& known);
  [[nodiscard]] bool want_map(const Tree& value, std::string_view name);

  const Vocabulary& vocabulary_;
  Problems& problems_;
  std::optional<std::uint64_t> seed_;
  Schedule schedule_;
  bool cluster_known_ = true;  // the number of nodes and clients was read

  struct KeyUse {
    Mark mark;
    std::vector<Key> keys;
  };
  struct OperationUse {
    Mark mark;
    OperationKind kind{};
  };
  std::vector<OperationUse> operations_;  // that change keys
  std::vector<KeyUse> asked_for_;         // by reads and deletes, and as owner(KEY)
  std::vector<std::string> labels_;
  // What can be judged only when all has been read.
  struct Use {
    Mark mark;
    std::string name;
  };
  std::vector<Use> sites_;  // zone(SITE)
  std::map<Address, std::string> site_of_;
  std::vector<Use> ends_;   // `end: LABEL` and `when: { ended: LABEL }`
  std::vector<Use> waits_;  // the latter
  struct FaultUse {
    Mark mark;
    const Vocabulary::Plugin* fault = nullptr;
    Params params;
    std::map<std::string, Mark, std::less<>> marks;  // of the parameters that were given
  };
  std::vector<FaultUse> faults_;
};

}  // namespace rejoin::sim
