// A machine that is moved by hand: nothing completes, fires or arrives until a test says so.
//
// The disk is as unkind as Env allows: what is appended while a file is being replaced is lost
// with the old content, and a crash keeps any prefix of what was not synced.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/check.hpp"
#include "model/env.hpp"
#include "model/facts.hpp"
#include "model/random.hpp"
#include "protocols/node/component.hpp"

namespace rejoin {

struct HandFile {
  Bytes content;
  std::size_t durable = 0;  // this prefix survives a crash
  bool created = false;     // durably: the file itself does
};
using HandDisk = std::map<std::string, HandFile>;

class HandEnv final : public Env {
 public:
  enum class OpKind : std::uint8_t { sync, read, replace, remove };
  struct Op {
    OpKind kind{};
    std::string file;
    IoToken token;
    Bytes data;            // of a replace
    std::size_t size = 0;  // of a sync: it makes durable up to here
  };
  struct Sent {
    Address to;
    Transport transport{};
    Bytes frame;
    Tag tag;
  };

  HandEnv(HandDisk& disk, Address self);

  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return wall_; }
  [[nodiscard]] Address self() const override { return self_; }
  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override;
  void arm(TimerId timer, MonotonicTime deadline) override;
  void disarm(TimerId timer) override;

  void append(std::string_view file, ByteView data) override;
  void sync(std::string_view file, IoToken token) override;
  void read(std::string_view file, IoToken token) override;
  void replace(std::string_view file, ByteView data, IoToken token) override;
  void remove(std::string_view file, IoToken token) override;
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override;
  void halt(std::string_view reason) override;

  // Carries out the operation at `at` in the queue and says how it ended. Operations on one file
  // end in order, so the first of the same file is taken instead.
  [[nodiscard]] IoDone complete(std::size_t at = 0, bool fail = false);

  // The power goes. Of each file's unsynced bytes, `keep(their number)` survive; of each
  // replacement under way, `replaced` says whether the new content is there.
  void crash(const std::function<std::size_t(std::size_t)>& keep, bool replaced);

  void advance(Duration by);
  void set_wall(WallTime wall);

  std::deque<Op> ops;
  std::vector<Sent> sent;
  std::map<TimerId, MonotonicTime> timers;
  std::string halted;

 private:
  [[nodiscard]] static std::uint64_t hash_of(std::string_view label);

  HandDisk& disk_;
  Address self_;
  MonotonicTime now_{};
  WallTime wall_{1s};
};

// Keeps what components say.
class HandBus final : public NodeBus {
 public:
  void post(LocalEvent event) override;
  void publish(const Fact& fact) override;

  // The facts of one type, in order.
  template <class F>
  [[nodiscard]] std::vector<F> all() const {
    std::vector<F> found;
    for (const Fact& fact : facts) {
      if (const F* one = std::get_if<F>(&fact)) found.push_back(*one);
    }
    return found;
  }

  std::deque<LocalEvent> posted;
  std::vector<Fact> facts;
};

inline constexpr std::uint64_t kHandIdMask = (1ULL << kChannelShift) - 1;

}  // namespace rejoin
