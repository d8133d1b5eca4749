#include "tests/support/fake_env.hpp"

#include <algorithm>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::test {

MonotonicTime at(Duration since_zero) {
  return MonotonicTime(since_zero);
}

void FakeBus::post(LocalEvent event) {
  events.push_back(event);
  undelivered.push_back(std::move(event));
}

void FakeBus::publish(const Fact& fact) {
  facts.push_back(fact);
}

FakeEnv::FakeEnv(Address own) : address(own) {}

WallTime FakeEnv::wall_now() const {
  return WallTime(time.time_since_epoch());
}

void FakeEnv::send(Address to, Transport transport, Bytes frame, const Tag& tag) {
  sent.push_back({to, transport, std::move(frame), tag});
}

void FakeEnv::arm(TimerId timer, MonotonicTime deadline) {
  timers[timer] = deadline;
}

void FakeEnv::disarm(TimerId timer) {
  timers.erase(timer);
}

void FakeEnv::append(std::string_view file, ByteView data) {
  Bytes& content = files[std::string(file)];
  content.insert(content.end(), data.begin(), data.end());
}

void FakeEnv::sync(std::string_view /*file*/, IoToken token) {
  completions.push_back({token, io_status(), {}});
}

void FakeEnv::read(std::string_view file, IoToken token) {
  const auto found = files.find(std::string(file));
  if (found == files.end()) {
    completions.push_back({token, IoStatus::not_found, {}});
  } else {
    completions.push_back({token, io_status(), found->second});
  }
}

void FakeEnv::replace(std::string_view file, ByteView data, IoToken token) {
  if (!io_fails) files[std::string(file)] = Bytes(data.begin(), data.end());
  completions.push_back({token, io_status(), {}});
}

void FakeEnv::remove(std::string_view file, IoToken token) {
  files.erase(std::string(file));
  completions.push_back({token, io_status(), {}});
}

std::uint64_t FakeEnv::random(std::string_view label, std::uint64_t what, std::uint64_t attempt) {
  return draw({.seed = hash64(label),
               .domain = Domain::process,
               .who = address.value,
               .what = what,
               .attempt = attempt});
}

void FakeEnv::halt(std::string_view reason) {
  halted = std::string(reason);
}

raft::Proposed FakeConsensus::propose(GroupId, Bytes command) {
  if (!is_leader) return {std::nullopt, raft::Refusal::not_leader};
  return take(std::move(command), std::nullopt);
}

raft::Proposed FakeConsensus::propose_member(GroupId, const raft::MemberChange& change,
                                             Bytes command) {
  ++member_proposals;
  if (!is_leader) return {std::nullopt, raft::Refusal::not_leader};
  if (refusal) return {std::nullopt, *refusal};
  for (const Entry& entry : log) {
    if (entry.change) return {std::nullopt, raft::Refusal::change_in_progress};
  }
  const raft::Configuration before = servers;
  change_servers(change);
  if (servers == before) return {std::nullopt, raft::Refusal::no_change};
  return take(std::move(command), change);
}

void FakeConsensus::change_servers(const raft::MemberChange& change) {
  auto& all = servers.servers;
  const NodeId node = change.set ? change.set->node : change.remove;
  const auto place = std::lower_bound(
      all.begin(), all.end(), node,
      [](const raft::Server& server, NodeId wanted) { return server.node < wanted; });
  const bool is_there = place != all.end() && place->node == node;
  if (!change.set) {
    if (is_there) all.erase(place);
  } else if (is_there) {
    *place = *change.set;
  } else {
    all.insert(place, *change.set);
  }
}

raft::Proposed FakeConsensus::take(Bytes command, std::optional<raft::MemberChange> change) {
  last_index = std::max(last_index, applied_index).next();
  log.push_back({last_index, std::move(command), std::move(change)});
  return {last_index, {}};
}

ComponentHost::ComponentHost(FakeEnv& env, FakeBus& bus, Component& component)
    : env_(env), bus_(bus), component_(component) {}

void ComponentHost::start() {
  component_.start();
  settle();
}

bool ComponentHost::deliver_frame(Address from, ByteView bytes) {
  const std::optional<Frame> frame = decode_frame(bytes);
  if (!frame) return false;
  const bool accepted = component_.on_message(from, frame->kind, frame->body);
  settle();
  return accepted;
}

void ComponentHost::tell(LocalEvent event) {
  bus_.post(std::move(event));
  settle();
}

std::optional<MonotonicTime> ComponentHost::next_timer() const {
  std::optional<MonotonicTime> first;
  for (const auto& [timer, due] : env_.timers) first = std::min(first.value_or(due), due);
  return first;
}

void ComponentHost::run_to(MonotonicTime end) {
  for (auto due = next_timer(); due && *due <= end; due = next_timer()) {
    env_.time = std::max(env_.time, *due);
    const auto timer = std::find_if(env_.timers.begin(), env_.timers.end(),
                                    [&](const auto& armed) { return armed.second == *due; });
    const TimerId id(timer->first.value & ((1ULL << kChannelShift) - 1));
    env_.timers.erase(timer);
    component_.on_timer(id);
    settle();
  }
  env_.time = end;
}

void ComponentHost::run_for(Duration time) {
  run_to(env_.time + time);
}

void ComponentHost::settle() {
  while (!env_.completions.empty() || !bus_.undelivered.empty()) {
    if (!bus_.undelivered.empty()) {
      const LocalEvent event = std::move(bus_.undelivered.front());
      bus_.undelivered.pop_front();
      component_.on_local(event);
    } else {
      if (hold_completions) return;
      IoDone done = std::move(env_.completions.front());
      env_.completions.pop_front();
      done.token = IoToken(done.token.value & ((1ULL << kChannelShift) - 1));
      component_.on_io(done);
    }
  }
}

void commit(FakeConsensus& consensus, raft::StateMachine& machine) {
  while (!consensus.log.empty()) {
    const FakeConsensus::Entry entry = consensus.log.front();
    consensus.log.pop_front();
    consensus.applied_index = entry.index;
    if (!entry.command.empty()) {
      machine.apply(entry.index, consensus.current_term, entry.command, consensus.is_leader);
    }
  }
}

}  // namespace rejoin::test
