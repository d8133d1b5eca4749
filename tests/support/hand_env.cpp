#include "tests/support/hand_env.hpp"

#include <algorithm>

#include "model/check.hpp"
#include "model/random.hpp"

namespace rejoin {

HandEnv::HandEnv(HandDisk& disk, Address self) : disk_(disk), self_(self) {}

void HandEnv::send(Address to, Transport transport, Bytes frame, const Tag& tag) {
  sent.push_back({.to = to, .transport = transport, .frame = std::move(frame), .tag = tag});
}

void HandEnv::arm(TimerId timer, MonotonicTime deadline) {
  timers[timer] = deadline;
}

void HandEnv::disarm(TimerId timer) {
  timers.erase(timer);
}

void HandEnv::append(std::string_view file, ByteView data) {
  Bytes& content = disk_[std::string(file)].content;
  content.insert(content.end(), data.begin(), data.end());
}

void HandEnv::sync(std::string_view file, IoToken token) {
  ops.push_back({.kind = OpKind::sync,
                 .file = std::string(file),
                 .token = token,
                 .data = {},
                 .size = disk_[std::string(file)].content.size()});
}

void HandEnv::read(std::string_view file, IoToken token) {
  ops.push_back(
      {.kind = OpKind::read, .file = std::string(file), .token = token, .data = {}, .size = 0});
}

void HandEnv::replace(std::string_view file, ByteView data, IoToken token) {
  ops.push_back({.kind = OpKind::replace,
                 .file = std::string(file),
                 .token = token,
                 .data = Bytes(data.begin(), data.end()),
                 .size = 0});
}

void HandEnv::remove(std::string_view file, IoToken token) {
  ops.push_back(
      {.kind = OpKind::remove, .file = std::string(file), .token = token, .data = {}, .size = 0});
}

std::uint64_t HandEnv::random(std::string_view label, std::uint64_t what, std::uint64_t attempt) {
  return draw({.seed = hash_of(label),
               .domain = Domain::process,
               .who = self_.value,
               .what = what,
               .attempt = attempt});
}

void HandEnv::halt(std::string_view reason) {
  halted = std::string(reason);
}

IoDone HandEnv::complete(std::size_t at, bool fail) {
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

void HandEnv::crash(const std::function<std::size_t(std::size_t)>& keep, bool replaced) {
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

void HandEnv::advance(Duration by) {
  now_ += by;
  wall_ += by;
}

void HandEnv::set_wall(WallTime wall) {
  wall_ = wall;
}

std::uint64_t HandEnv::hash_of(std::string_view label) {
  std::uint64_t hash = 0;
  for (const char c : label) hash = mix(hash, static_cast<unsigned char>(c));
  return hash;
}

void HandBus::post(LocalEvent event) {
  posted.push_back(std::move(event));
}

void HandBus::publish(const Fact& fact) {
  facts.push_back(fact);
}

}  // namespace rejoin
