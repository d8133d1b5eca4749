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

  HandEnv(HandDisk& disk, Address self) : disk_(disk), self_(self) {}

  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return wall_; }
  [[nodiscard]] Address self() const override { return self_; }
  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override {
    sent.push_back({.to = to, .transport = transport, .frame = std::move(frame), .tag = tag});
  }
  void arm(TimerId timer, MonotonicTime deadline) override { timers[timer] = deadline; }
  void disarm(TimerId timer) override { timers.erase(timer); }

  void append(std::string_view file, ByteView data) override {
    Bytes& content = disk_[std::string(file)].content;
    content.insert(content.end(), data.begin(), data.end());
  }
  void sync(std::string_view file, IoToken token) override {
    ops.push_back({.kind = OpKind::sync,
                   .file = std::string(file),
                   .token = token,
                   .data = {},
                   .size = disk_[std::string(file)].content.size()});
  }
  void read(std::string_view file, IoToken token) override {
    ops.push_back(
        {.kind = OpKind::read, .file = std::string(file), .token = token, .data = {}, .size = 0});
  }
  void replace(std::string_view file, ByteView data, IoToken token) override {
    ops.push_back({.kind = OpKind::replace,
                   .file = std::string(file),
                   .token = token,
                   .data = Bytes(data.begin(), data.end()),
                   .size = 0});
  }
  void remove(std::string_view file, IoToken token) override {
    ops.push_back(
        {.kind = OpKind::remove, .file = std::string(file), .token = token, .data = {}, .size = 0});
  }
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override {
    return draw({.seed = hash_of(label),
                 .domain = Domain::process,
                 .who = self_.value,
                 .what = what,
                 .attempt = attempt});
  }
  void halt(std::string_view reason) override { halted = std::string(reason); }

  // Carries out the operation at `at` in the queue and says how it ended. Operations on one file
  // end in order, so the first of the same file is taken instead.
  [[nodiscard]] IoDone complete(std::size_t at = 0, bool fail = false) {
    CHECK_THAT(at < ops.size());
    const std::string file = ops[at].file;
    const auto first =
        std::find_if(ops.begin(), ops.end(), [&](const Op& op) { return op.file == file; });
    const Op op = std::move(*first);
    ops.erase(first);
    IoDone done{.token = op.token, .status = IoStatus::ok, .data = {}};
    if (fail) {
      done.status = IoStatus::failed;
      return done;
    }
    switch (op.kind) {
      case OpKind::sync:
        disk_[op.file].durable = std::max(disk_[op.file].durable, op.size);
        disk_[op.file].created = true;
        break;
      case OpKind::replace:
        disk_[op.file] = {.content = op.data, .durable = op.data.size(), .created = true};
        break;
      case OpKind::remove:
        disk_.erase(op.file);
        break;
      case OpKind::read:
        if (disk_.contains(op.file)) {
          done.data = disk_[op.file].content;
        } else {
          done.status = IoStatus::not_found;
        }
        break;
    }
    return done;
  }

  // The power goes. Of each file's unsynced bytes, `keep(their number)` survive; of each
  // replacement under way, `replaced` says whether the new content is there.
  void crash(const std::function<std::size_t(std::size_t)>& keep, bool replaced) {
    for (const Op& op : ops) {
      if (op.kind != OpKind::replace || !replaced) continue;
      disk_[op.file] = {.content = op.data, .durable = op.data.size(), .created = true};
    }
    ops.clear();
    for (auto at = disk_.begin(); at != disk_.end();) {
      HandFile& file = at->second;
      const std::size_t kept = file.durable + keep(file.content.size() - file.durable);
      CHECK_THAT(kept <= file.content.size());
      file.content.resize(kept);
      // The test's disk survives with these bytes: a second crash does not take them again.
      file.durable = kept;
      at = file.created || kept != 0 ? std::next(at) : disk_.erase(at);
    }
  }

  void advance(Duration by) {
    now_ += by;
    wall_ += by;
  }
  void set_wall(WallTime wall) { wall_ = wall; }

  std::deque<Op> ops;
  std::vector<Sent> sent;
  std::map<TimerId, MonotonicTime> timers;
  std::string halted;

 private:
  [[nodiscard]] static std::uint64_t hash_of(std::string_view label) {
    std::uint64_t hash = 0;
    for (const char c : label) hash = mix(hash, static_cast<unsigned char>(c));
    return hash;
  }

  HandDisk& disk_;
  Address self_;
  MonotonicTime now_{};
  WallTime wall_{1s};
};

// Keeps what components say.
class HandBus final : public NodeBus {
 public:
  void post(LocalEvent event) override { posted.push_back(std::move(event)); }
  void publish(const Fact& fact) override { facts.push_back(fact); }

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
