// The wire: how values become bytes, and bytes values, between processes and on disk.
//
// A type is described once, by a static member template, and that one description encodes,
// decodes and prints it:
//
//   struct Ping {
//     std::uint64_t number = 0;
//     template <class Archive, class Self>
//     static void fields(Archive& ar, Self& self) { ar("number", self.number); }
//   };
//
// Format: unsigned integers are LEB128 varints of minimal length; signed ones zigzag; bool, enum
// and id as unsigned; strings, byte strings and lists are a count, then the items; an optional is
// a 0 or 1, then the value; a variant is its index, then the value; a described struct is its
// length in bytes, then its fields in order.
//
// Invariants:
// 1. Canonical: a value has one encoding. The reader rejects overlong varints and bools above 1.
// 2. Versioned: a reader skips fields appended to a struct by a newer writer and leaves fields
//    that an older writer did not send at their defaults. Fields are only ever appended.
// 3. Safe: a count is compared with the bytes that are left before anything is allocated. The
//    first error sticks: every later read yields zero and ok() stays false.
//
// Not here: checksums (model/message.hpp frames them) and compression.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

namespace rejoin {

class Writer;
class Reader;
class Describer;

namespace wire_detail {

struct AnyArchive {
  template <class T>
  AnyArchive& operator()(std::string_view, T&) {
    return *this;
  }
};

template <class T>
concept Described = requires(AnyArchive& ar, T& value) { T::fields(ar, value); };

template <class T>
struct IsStrongId : std::false_type {};
template <class Tag, class Rep>
struct IsStrongId<StrongId<Tag, Rep>> : std::true_type {};
template <class T>
struct IsTimePoint : std::false_type {};
template <class Clock>
struct IsTimePoint<std::chrono::time_point<Clock, Duration>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
// Encoded as an optional is.
template <class T>
struct IsShared : std::false_type {};
template <class T>
struct IsShared<std::shared_ptr<const T>> : std::true_type {
  using Item = T;
};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V>
struct IsMap<std::map<K, V>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1U) ^ static_cast<std::uint64_t>(v >> 63);
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1U) ^ -static_cast<std::int64_t>(v & 1U);
}

}  // namespace wire_detail

// Appends encodings to a buffer that it owns.
class Writer {
 public:
  template <class T>
  Writer& operator()(std::string_view /*name*/, const T& value) {
    put(value);
    return *this;
  }

  template <class T>
  void put(const T& value) {
    using namespace wire_detail;
    if constexpr (std::same_as<T, bool>) {
      out_.push_back(value ? 1 : 0);
    } else if constexpr (std::is_enum_v<T>) {
      varint(static_cast<std::uint64_t>(value));
    } else if constexpr (std::unsigned_integral<T>) {
      varint(value);
    } else if constexpr (std::signed_integral<T>) {
      varint(zigzag(value));
    } else if constexpr (IsStrongId<T>::value) {
      varint(value.value);
    } else if constexpr (std::same_as<T, Duration>) {
      varint(zigzag(value.count()));
    } else if constexpr (IsTimePoint<T>::value) {
      varint(zigzag(value.time_since_epoch().count()));
    } else if constexpr (std::same_as<T, std::string>) {
      varint(value.size());
      raw(as_bytes(value));
    } else if constexpr (std::same_as<T, Bytes>) {
      varint(value.size());
      raw(value);
    } else if constexpr (IsOptional<T>::value) {
      put(value.has_value());
      if (value) put(*value);
    } else if constexpr (IsShared<T>::value) {
      put(value != nullptr);
      if (value != nullptr) put(*value);
    } else if constexpr (IsVector<T>::value) {
      varint(value.size());
      for (const auto& item : value) put(item);
    } else if constexpr (IsMap<T>::value) {
      varint(value.size());
      for (const auto& [key, item] : value) {
        put(key);
        put(item);
      }
    } else if constexpr (IsVariant<T>::value) {
      varint(value.index());
      std::visit([this](const auto& item) { this->put(item); }, value);
    } else {
      static_assert(Described<const T>, "this type does not say how it is encoded");
      const std::size_t mark = open_struct();
      T::fields(*this, value);
      close_struct(mark);
    }
  }

  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<std::uint8_t>(value | 0x80U));
      value >>= 7U;
    }
    out_.push_back(static_cast<std::uint8_t>(value));
  }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void fixed32(std::uint32_t value);  // little-endian
  void patch32(std::size_t at, std::uint32_t value);

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] ByteView view() const { return out_; }
  [[nodiscard]] Bytes take() { return std::move(out_); }
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  void clear() { out_.clear(); }  // keeps its memory: a writer that is used again allocates nothing

 private:
  std::size_t open_struct();
  void close_struct(std::size_t mark);

  Bytes out_;
};

// Reads encodings from bytes that it does not own and that must outlive it.
class Reader {
 public:
  explicit Reader(ByteView bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  template <class T>
  Reader& operator()(std::string_view /*name*/, T& value) {
    // Invariant 2: an older writer's struct ends early; what it lacks keeps its default.
    if (in_struct_ && at_ == end_) return *this;
    get(value);
    return *this;
  }

  template <class T>
  void get(T& value) {
    using namespace wire_detail;
    if constexpr (std::same_as<T, bool>) {
      const std::uint64_t v = varint();
      if (v > 1) fail();
      value = v == 1;
    } else if constexpr (std::is_enum_v<T>) {
      // The receiver of an enum checks its range: an unknown value may be a newer peer's.
      value = static_cast<T>(narrow<std::underlying_type_t<T>>(varint()));
    } else if constexpr (std::unsigned_integral<T>) {
      value = narrow<T>(varint());
    } else if constexpr (std::signed_integral<T>) {
      const std::int64_t v = unzigzag(varint());
      if (v < std::numeric_limits<T>::min() || v > std::numeric_limits<T>::max()) fail();
      value = static_cast<T>(v);
    } else if constexpr (IsStrongId<T>::value) {
      value = T(narrow<typename T::rep>(varint()));
    } else if constexpr (std::same_as<T, Duration>) {
      value = Duration(unzigzag(varint()));
    } else if constexpr (IsTimePoint<T>::value) {
      value = T(Duration(unzigzag(varint())));
    } else if constexpr (std::same_as<T, std::string>) {
      const ByteView bytes = raw(count(1));
      value.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } else if constexpr (std::same_as<T, Bytes>) {
      const ByteView bytes = raw(count(1));
      value.assign(bytes.begin(), bytes.end());
    } else if constexpr (IsOptional<T>::value) {
      bool present = false;
      get(present);
      value.reset();
      if (present) get(value.emplace());
    } else if constexpr (IsShared<T>::value) {
      bool present = false;
      get(present);
      value.reset();
      if (!present) return;
      auto item = std::make_shared<typename IsShared<T>::Item>();
      get(*item);
      value = std::move(item);
    } else if constexpr (IsVector<T>::value) {
      const std::size_t n = count(1);
      value.clear();
      value.reserve(n);
      for (std::size_t i = 0; i < n && ok_; ++i) get(value.emplace_back());
    } else if constexpr (IsMap<T>::value) {
      get_map(value);
    } else if constexpr (IsVariant<T>::value) {
      get_variant(value, varint(), std::make_index_sequence<std::variant_size_v<T>>{});
    } else {
      static_assert(Described<T>, "this type does not say how it is decoded");
      const std::size_t length = count(1);
      const std::uint8_t* const outer_end = end_;
      const bool outer_in_struct = in_struct_;
      end_ = at_ + length;
      in_struct_ = true;
      T::fields(*this, value);
      // Invariant 2: what a newer writer appended is skipped.
      if (ok_) at_ = end_;
      end_ = outer_end;
      in_struct_ = outer_in_struct;
      if (!ok_) at_ = end_;
    }
  }

  [[nodiscard]] std::uint64_t varint() {
    // Nearly all are below 128.
    if (at_ != end_ && *at_ < 0x80) return *at_++;
    return long_varint();
  }
  [[nodiscard]] std::uint32_t fixed32();
  [[nodiscard]] ByteView raw(std::size_t size);
  // A count of items of at least `item_size_min` bytes each; fails when they cannot all be here.
  [[nodiscard]] std::size_t count(std::size_t item_size_min) {
    const std::uint64_t n = varint();
    if (n <= left() / item_size_min) return static_cast<std::size_t>(n);
    fail();
    return 0;
  }

  // The bytes are the fields of one struct: it may end early or late (invariant 2).
  void enter_fields() { in_struct_ = true; }

  void fail() {
    ok_ = false;
    at_ = end_;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

 private:
  [[nodiscard]] std::uint64_t long_varint();
  template <class T>
  [[nodiscard]] T narrow(std::uint64_t v) {
    if (v > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
      fail();
      return T{};
    }
    return static_cast<T>(v);
  }
  template <class K, class V>
  void get_map(std::map<K, V>& value) {
    const std::size_t n = count(2);
    value.clear();
    for (std::size_t i = 0; i < n && ok_; ++i) {
      K key{};
      V item{};
      get(key);
      get(item);
      // Invariant 1: keys ascend strictly, as a map writes them.
      if (!value.empty() && !(std::prev(value.end())->first < key)) return fail();
      value.emplace_hint(value.end(), std::move(key), std::move(item));
    }
  }
  template <class T, std::size_t... I>
  void get_variant(T& value, std::uint64_t index, std::index_sequence<I...>) {
    if (index >= sizeof...(I)) return fail();
    ((index == I ? get(value.template emplace<I>()) : void()), ...);
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool in_struct_ = false;
  bool ok_ = true;
};

// Prints a value as one line of JSON-like text with the names of its fields, for traces,
// explanations and pages.
class Describer {
 public:
  template <class T>
  Describer& operator()(std::string_view name, const T& value) {
    if (!first_) out_ += ", ";
    first_ = false;
    out_ += name;
    out_ += ": ";
    put(value);
    return *this;
  }

  template <class T>
  void put(const T& value) {
    using namespace wire_detail;
    if constexpr (std::same_as<T, bool>) {
      out_ += value ? "true" : "false";
    } else if constexpr (std::is_enum_v<T>) {
      put_enum(value);
    } else if constexpr (std::integral<T>) {
      out_ += std::to_string(value);
    } else if constexpr (requires { to_name(value); }) {
      out_ += to_name(value);
    } else if constexpr (IsStrongId<T>::value) {
      out_ += std::to_string(value.value);
    } else if constexpr (std::same_as<T, Duration>) {
      out_ += to_text(value);
    } else if constexpr (IsTimePoint<T>::value) {
      out_ += to_text(value);
    } else if constexpr (std::same_as<T, std::string>) {
      quote(value);
    } else if constexpr (std::same_as<T, Bytes>) {
      out_ += std::to_string(value.size()) + " B";
    } else if constexpr (IsOptional<T>::value) {
      if (value) {
        put(*value);
      } else {
        out_ += "none";
      }
    } else if constexpr (IsShared<T>::value) {
      if (value != nullptr) {
        put(*value);
      } else {
        out_ += "none";
      }
    } else if constexpr (IsVector<T>::value) {
      list(value, [this](const auto& item) { this->put(item); });
    } else if constexpr (IsMap<T>::value) {
      list(value, [this](const auto& item) {
        this->put(item.first);
        out_ += ": ";
        this->put(item.second);
      });
    } else if constexpr (IsVariant<T>::value) {
      std::visit([this](const auto& item) { this->put(item); }, value);
    } else {
      static_assert(Described<const T>, "this type does not say how it is described");
      out_ += '{';
      first_ = true;
      T::fields(*this, value);
      first_ = false;
      out_ += '}';
    }
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  static constexpr std::size_t kItemsShown = 8;

  // By the name that stands beside the enum, if one does; a value of a newer writer by its number.
  template <class T>
  void put_enum(T value) {
    std::string name;
    if constexpr (requires { to_name(value); }) name = to_name(value);
    out_ += name.empty() || name == "?" ? std::to_string(static_cast<std::uint64_t>(value)) : name;
  }

  template <class List, class Put>
  void list(const List& items, Put put_item) {
    out_ += '[';
    std::size_t n = 0;
    for (const auto& item : items) {
      if (n == kItemsShown) {
        out_ += ", ... " + std::to_string(items.size() - n) + " more";
        break;
      }
      if (n++ != 0) out_ += ", ";
      put_item(item);
    }
    out_ += ']';
  }
  void quote(std::string_view text);

  std::string out_;
  bool first_ = true;
};

// One value, whole. Encoding a struct here writes its fields without a length of its own.
template <class T>
[[nodiscard]] Bytes encode(const T& value) {
  Writer writer;
  if constexpr (wire_detail::Described<const T>) {
    T::fields(writer, value);
  } else {
    writer.put(value);
  }
  return writer.take();
}

// None when the bytes are not an encoding of T. Trailing bytes of a struct are a newer writer's
// fields and are skipped; of anything else they are an error.
template <class T>
[[nodiscard]] std::optional<T> decode(ByteView bytes) {
  Reader reader(bytes);
  std::optional<T> value(std::in_place);
  if constexpr (wire_detail::Described<T>) {
    reader.enter_fields();
    T::fields(reader, *value);
    if (!reader.ok()) value.reset();
  } else {
    reader.get(*value);
    if (!reader.ok() || !reader.at_end()) value.reset();
  }
  return value;
}

template <class T>
[[nodiscard]] std::string describe(const T& value) {
  Describer describer;
  describer.put(value);
  return describer.take();
}

}  // namespace rejoin
