#include "sim/run/canonical.hpp"

#include <concepts>
#include <set>
#include <string_view>
#include <type_traits>

#include "model/hash.hpp"
#include "model/wire.hpp"

namespace rejoin::sim {

namespace {

// ---- What there is -------------------------------------------------------------------------

// CANONICAL(Type, member...): the members of a struct, all of them. The binding is for its count
// alone: a struct with another number of members does not compile here.
#define CANONICAL(Type, ...)                                    \
  constexpr std::string_view struct_name(const Type* /*any*/) { \
    return #Type;                                               \
  }                                                             \
  template <class Archive, class Self>                          \
    requires std::same_as<std::remove_const_t<Self>, Type>      \
  void members([[maybe_unused]] Archive& ar, Self& self) {      \
    [[maybe_unused]] auto& [__VA_ARGS__] = self;                \
    ar REJOIN_EACH_FIELD(__VA_ARGS__);                          \
  }
#define CANONICAL_EMPTY(Type)                                   \
  constexpr std::string_view struct_name(const Type* /*any*/) { \
    return #Type;                                               \
  }                                                             \
  static_assert(std::is_empty_v<Type>);                         \
  template <class Archive, class Self>                          \
    requires std::same_as<std::remove_const_t<Self>, Type>      \
  void members(Archive& /*ar*/, Self& /*self*/) {}

CANONICAL(DurationRange, min, max)
CANONICAL(Share, ppm)
CANONICAL(Size, bytes)
CANONICAL(Rate, ppm)
CANONICAL(Selector, kind, node, client, argument, count)

CANONICAL(RaftOptions, heartbeat, election, pre_vote, check_quorum, entries_per_append,
          appends_in_flight, snapshot_entries, trailing_entries, snapshot_chunk_bytes, learners,
          voters_max)
CANONICAL(MembershipOptions, detector, interval, timeout, failures, join_timeout, join_backoff,
          join_backoff_max, orphan_timeout, rejoin_when_removed, ready_needs_map_members)
CANONICAL(PartitioningOptions, partitions, replication, placement, rebalance_delay, shortage,
          rebalance_on_leadership, skip_promoted_source, hooks_on_role_change)
CANONICAL(StoreOptions, versions, conflict, tombstones, tombstone_grace, tombstone_repair_delay,
          tombstone_ack_delay, snapshot_log_bytes)
CANONICAL(CoordinatorOptions, timeout, sloppy)
CANONICAL(SyncOptions::Mechanism, name, params)
CANONICAL(SyncOptions, gate, mechanisms, fetches_in_flight, fetch_chunk_bytes, fetch_timeout,
          fetch_attempts, retry_backoff)
CANONICAL(ClientOptions, write, read, try_timeout, timeout, avoid_silent, tries, cached_map,
          map_refresh, read_first, conflict)
CANONICAL(NodeOptions, raft, membership, partitioning, store, coordinator, sync)

CANONICAL(LatencyOptions::Bucket, range, weight)
CANONICAL(LatencyOptions::Part, weight, latency)
CANONICAL(LatencyOptions, distribution, params, floor, cap, parts, buckets)
CANONICAL(WeatherOptions, slot, rough, extra, loss)
CANONICAL(StreamOptions, rto_min, rto_max, reset_after, handshake)
CANONICAL(NetworkOptions::End, host, site)
CANONICAL(NetworkOptions::Link, from, to, purpose, latency)
CANONICAL(NetworkOptions, latency, latency_by_purpose, links, loss, duplicate, reorder, reorder_by,
          corrupt, mtu_bytes, bandwidth_bytes_per_s, receive_bandwidth_bytes_per_s,
          link_bandwidth_bytes_per_s, queue_bytes, weather, stream)
CANONICAL(TopologyOptions::Site, name, kind, within, hosts)
CANONICAL(TopologyOptions::Link, name, a, b, latency, back, bandwidth_bytes_per_s, loss)
CANONICAL(TopologyOptions, sites, links)
CANONICAL(HostOptions, service, bytes_per_s)
CANONICAL(DiskOptions, append, sync, read, bandwidth_bytes_per_s, capacity_bytes)

CANONICAL_EMPTY(trigger::Next)
CANONICAL(trigger::At, time)
CANONICAL(trigger::After, delay)
CANONICAL(trigger::When, what, node, text, count, who)
CANONICAL(trigger::Quiet, length)
CANONICAL(action::Operate, kind, keys, level, via, direct, clients, every, background, expect,
          settings, value)
CANONICAL(action::Inject, fault, params, lasts, may_miss)
CANONICAL(action::End, label)
CANONICAL_EMPTY(action::Wait)
CANONICAL(action::Workload::Popularity, kind, exponent_ppm, share, of)
CANONICAL(action::Workload::SizeRange, min, max)
CANONICAL(action::Workload::Range, client, first, last)
CANONICAL(action::Workload, keys, operations, lasts, clients, mix, popularity, value_size, elements,
          rate_per_hour, arrivals, think, read_level, write_level, via, background, keep)
CANONICAL(Step, label, trigger, action, where)

CANONICAL(MetricBound, at_least, at_most, equals, where)
CANONICAL(Expectation, violates, vacuous, nothing, metrics)
CANONICAL(Limits, virtual_time, events, settle, heal, core, promises, settle_quiet, patience)
CANONICAL(ClusterOptions, nodes, founders, clients)
CANONICAL(Schedule, name, file, about, seed, profile, fifo, cluster, node, client, network,
          topology, host, disk, timeline, check, check_params, expect, limits)

// How many enumerators an enum has that counts from 0 without a gap. Compilers print a value that
// no enumerator names as `(Type)7`.
template <auto Value>
constexpr bool is_named() {
  const std::string_view text = __PRETTY_FUNCTION__;
  return text[text.rfind("Value = ") + 8] != '(';
}
template <class Enum, std::uint64_t From = 0>
constexpr std::uint64_t enum_size() {
  if constexpr (is_named<static_cast<Enum>(From)>()) {
    return enum_size<Enum, From + 1>();
  } else {
    static_assert(From > 0);
    return From;
  }
}
static_assert(enum_size<GateMode>() == 3 && enum_size<Consistency>() == 7);

template <class T>
concept List = wire_detail::IsVector<T>::value;
template <class T>
concept Optional = wire_detail::IsOptional<T>::value;
template <class T>
concept Map = wire_detail::IsMap<T>::value;
template <class T>
concept Variant = wire_detail::IsVariant<T>::value;
template <class T>
concept Struct = requires(const T* any) { struct_name(any); };

// ---- Out -----------------------------------------------------------------------------------

class Encoder {
 public:
  template <class T>
  Encoder& operator()(std::string_view /*name*/, const T& value) {
    put(value);
    return *this;
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::same_as<T, Params>) {
      out_.varint(value.all().size());
      for (const auto& [name, param] : value.all()) {
        put(name);
        put(param);
      }
    } else if constexpr (std::same_as<T, Delay>) {
      put(value.options());
    } else if constexpr (Struct<T>) {
      members(*this, value);
    } else if constexpr (Optional<T>) {
      out_.put(value.has_value());
      if (value) put(*value);
    } else if constexpr (List<T>) {
      out_.varint(value.size());
      for (const auto& item : value) put(item);
    } else if constexpr (Map<T>) {
      out_.varint(value.size());
      for (const auto& [key, item] : value) {
        put(key);
        put(item);
      }
    } else if constexpr (Variant<T>) {
      out_.varint(value.index());
      std::visit([this](const auto& item) { this->put(item); }, value);
    } else {
      out_.put(value);
    }
  }

  [[nodiscard]] Bytes take() { return out_.take(); }

 private:
  Writer out_;
};

// ---- In ------------------------------------------------------------------------------------

// Mixtures hold latencies, which may be mixtures.
constexpr std::uint32_t kNestingMax = 64;

class Decoder {
 public:
  explicit Decoder(ByteView bytes) : in_(bytes) {}

  template <class T>
  Decoder& operator()(std::string_view name, T& value) {
    if (!in_.ok()) return *this;
    get(value);
    // The innermost member that could not be read.
    if (!in_.ok() && wrong_.empty()) wrong_ = name;
    return *this;
  }

  template <class T>
  void get(T& value) {
    if constexpr (std::same_as<T, Params>) {
      get_params(value);
    } else if constexpr (std::same_as<T, Delay>) {
      LatencyOptions options;
      get(options);
      value = Delay(std::move(options));
    } else if constexpr (Struct<T>) {
      if (++nesting_ > kNestingMax) return in_.fail();
      members(*this, value);
      --nesting_;
    } else if constexpr (Optional<T>) {
      bool present = false;
      in_.get(present);
      value.reset();
      if (present) get(value.emplace());
    } else if constexpr (List<T>) {
      // An item is a byte at least, and none is made before its bytes are seen to be there.
      value.clear();
      for (std::size_t left = in_.count(1); left != 0 && in_.ok(); --left) {
        get(value.emplace_back());
      }
    } else if constexpr (Map<T>) {
      get_map(value);
    } else if constexpr (Variant<T>) {
      get_variant(value, std::make_index_sequence<std::variant_size_v<T>>{});
    } else if constexpr (std::is_enum_v<T>) {
      const std::uint64_t number = in_.varint();
      if (number >= enum_size<T>()) return in_.fail();
      value = static_cast<T>(number);
    } else {
      in_.get(value);
    }
  }

  // Nothing failed and nothing is left.
  [[nodiscard]] bool whole() const { return in_.ok() && in_.at_end(); }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  template <class M>
  void get_map(M& value) {
    value.clear();
    for (std::size_t left = in_.count(2); left != 0 && in_.ok(); --left) {
      typename M::key_type key{};
      get(key);
      // Strictly ascending, as a map writes them.
      if (!value.empty() && !(std::prev(value.end())->first < key)) return in_.fail();
      get(value.emplace_hint(value.end(), std::move(key), typename M::mapped_type{})->second);
    }
  }
  void get_params(Params& params) {
    std::string last;
    params = {};
    for (std::size_t left = in_.count(2); left != 0 && in_.ok(); --left) {
      std::string name;
      ParamValue value;
      get(name);
      // As they are kept: once each, in order, spelled with `_`.
      const bool in_order = params.all().empty() || last < name;
      if (!in_order || normal_name(name) != name) return in_.fail();
      get(value);
      last = name;
      params.set(name, std::move(value));
    }
  }
  template <class V, std::size_t... I>
  void get_variant(V& value, std::index_sequence<I...> /*alternatives*/) {
    const std::uint64_t index = in_.varint();
    if (index >= sizeof...(I)) return in_.fail();
    ((index == I ? get(value.template emplace<I>()) : void()), ...);
  }

  Reader in_;
  std::uint32_t nesting_ = 0;
  std::string wrong_;
};

// ---- The shape -----------------------------------------------------------------------------

class Shape {
 public:
  template <class T>
  Shape& operator()(std::string_view name, const T& /*value*/) {
    line_ += " " + std::string(name) + ": " + type<T>();
    return *this;
  }

  // The type in words; structs and enums are told on lines of their own, before those that use
  // them.
  template <class T>
  std::string type() {
    if constexpr (std::same_as<T, Params>) {
      return "params of " + type<ParamValue>();
    } else if constexpr (std::same_as<T, Delay>) {
      return type<LatencyOptions>();
    } else if constexpr (Struct<T>) {
      return tell<T>();
    } else if constexpr (Optional<T> || List<T>) {
      return (Optional<T> ? "optional " : "list of ") + type<typename T::value_type>();
    } else if constexpr (Map<T>) {
      return "map of " + type<typename T::key_type>() + " to " + type<typename T::mapped_type>();
    } else if constexpr (Variant<T>) {
      return alternatives<T>(std::make_index_sequence<std::variant_size_v<T>>{});
    } else if constexpr (std::is_enum_v<T>) {
      return "enum of " + std::to_string(enum_size<T>());
    } else if constexpr (std::same_as<T, std::string>) {
      return "text";
    } else if constexpr (std::same_as<T, bool>) {
      return "flag";
    } else {
      return (std::signed_integral<T> || wire_detail::IsTimePoint<T>::value ||
                      std::same_as<T, Duration>
                  ? "signed "
                  : "unsigned ") +
             std::to_string(8 * sizeof(T));
    }
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  template <class T>
  std::string tell() {
    const std::string name(struct_name(static_cast<const T*>(nullptr)));
    if (!told_.insert(name).second) return name;
    const std::string outer = std::move(line_);
    line_ = name + " {";
    const T any{};
    members(*this, any);
    out_ += line_ + " }\n";
    line_ = outer;
    return name;
  }
  template <class V, std::size_t... I>
  std::string alternatives(std::index_sequence<I...> /*alternatives*/) {
    std::string out;
    ((out += (I == 0 ? "" : " | ") + type<std::variant_alternative_t<I, V>>()), ...);
    return "(" + out + ")";
  }

  std::string out_;
  std::string line_;
  std::set<std::string> told_;
};

// ---- The header ----------------------------------------------------------------------------

constexpr std::string_view kMagic = "rejoin!\n";

void put64(Writer& out, std::uint64_t value) {
  out.fixed32(static_cast<std::uint32_t>(value));
  out.fixed32(static_cast<std::uint32_t>(value >> 32U));
}

std::string to_hex64(std::uint64_t value) {
  return to_hex(Hash128{.high = 0, .low = value}).substr(16);
}

std::uint64_t get64(Reader& in) {
  const std::uint64_t low = in.fixed32();
  return low | static_cast<std::uint64_t>(in.fixed32()) << 32U;
}

}  // namespace

std::string schedule_shape() {
  Shape shape;
  (void)shape.type<Schedule>();
  return shape.take();
}

Bytes encode_schedule(const Schedule& schedule) {
  Encoder encoder;
  encoder.put(schedule);
  const Bytes body = encoder.take();
  Writer out;
  for (const std::uint8_t letter : as_bytes(kMagic)) out.varint(letter);  // ASCII: a byte each
  out.fixed32(kCanonicalFormat);
  put64(out, hash64(schedule_shape()));
  put64(out, hash64(body));
  out.raw(body);
  return out.take();
}

tl::expected<Schedule, std::string> decode_schedule(ByteView bytes) {
  Reader in(bytes);
  const ByteView magic = in.raw(kMagic.size());
  const std::uint32_t format = in.fixed32();
  const std::uint64_t shape = get64(in);
  const std::uint64_t checksum = get64(in);
  if (!in.ok() || !std::equal(magic.begin(), magic.end(), as_bytes(kMagic).begin())) {
    return tl::unexpected(std::string("this is no canonical schedule: it does not begin as one"));
  }
  if (format != kCanonicalFormat) {
    return tl::unexpected("this is a canonical schedule of format " + std::to_string(format) +
                          "; this program reads format " + std::to_string(kCanonicalFormat) +
                          " alone: write it again from its scenario");
  }
  if (shape != hash64(schedule_shape())) {
    return tl::unexpected(
        "this canonical schedule was written by a program whose schedules have other fields than "
        "this one's (shape " +
        to_hex64(shape) + ", here " + to_hex64(hash64(schedule_shape())) +
        "): write it again from its scenario, or build both programs from one source");
  }
  const ByteView body = in.raw(in.left());
  if (checksum != hash64(body)) {
    return tl::unexpected(std::string("this canonical schedule is damaged: its checksum is wrong"));
  }
  Decoder decoder(body);
  Schedule schedule;
  decoder.get(schedule);
  if (!decoder.whole()) {
    return tl::unexpected("this canonical schedule is malformed" +
                          (decoder.wrong().empty() ? ": bytes are left over"
                                                   : ": `" + decoder.wrong() + "` cannot be read"));
  }
  if (schedule.network.latency_by_purpose.size() != kPurposeCount) {
    return tl::unexpected(
        "this canonical schedule is malformed: `latency_by_purpose` has not one entry for each "
        "of " +
        std::to_string(kPurposeCount) + " purposes");
  }
  return schedule;
}

}  // namespace rejoin::sim
