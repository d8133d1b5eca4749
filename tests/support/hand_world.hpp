// A second machine for the same processes: in memory, hand-stepped, first come first served. It
// links nothing of sim/, so that whatever runs on it proves that protocol code needs no simulator.
//
// Every message takes 1 ms, every sync and replace 100 us, nothing is lost unless a host is down.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/env.hpp"
#include "model/facts.hpp"
#include "model/random.hpp"

namespace rejoin::test {

class HandWorld {
 public:
  using Factory = std::function<std::unique_ptr<Process>(Env&, Observer&)>;
  // Called for each fact; may be empty.
  std::function<void(const FactSource&, const Fact&)> watch;

  void add_host(Address address, Factory make) {
    hosts_.emplace(address, std::make_unique<Host>(*this, address, std::move(make)));
  }
  void put_file(Address address, const std::string& name, Bytes content) {
    hosts_.at(address)->durable[name] = std::move(content);
  }
  void start(Address address) {
    Host& host = *hosts_.at(address);
    host.process = host.make(host, host.observer);
    host.process->start();
  }
  // The process and all that it had not synced are gone.
  void kill(Address address) {
    Host& host = *hosts_.at(address);
    host.process.reset();
    ++host.life;
    host.timers.clear();
    host.volatile_tail.clear();
  }
  [[nodiscard]] Process* process(Address address) { return hosts_.at(address)->process.get(); }
  [[nodiscard]] MonotonicTime now() const { return now_; }

  // Does the next thing that is due; false when nothing is.
  bool step() {
    if (agenda_.empty()) return false;
    const auto next = agenda_.begin();
    now_ = next->first.first;
    const std::function<void()> what = std::move(next->second);
    agenda_.erase(next);
    what();
    return true;
  }
  // Steps until `done` or until `patience` has passed; true when done.
  bool run_until(const std::function<bool()>& done, Duration patience) {
    const MonotonicTime end = now_ + patience;
    while (!done()) {
      if (agenda_.empty() || agenda_.begin()->first.first > end) return false;
      step();
    }
    return true;
  }

 private:
  struct Host final : Env {
    struct Watcher final : Observer {
      explicit Watcher(HandWorld& w) : world(w) {}
      void on_fact(const FactSource& source, const Fact& fact) override {
        if (world.watch) world.watch(source, fact);
      }
      HandWorld& world;
    };

    Host(HandWorld& w, Address a, Factory m)
        : world(w), address(a), make(std::move(m)), observer(w) {}

    [[nodiscard]] MonotonicTime now() const override { return world.now_; }
    [[nodiscard]] WallTime wall_now() const override {
      return WallTime(world.now_.time_since_epoch() + std::chrono::hours(24 * 365 * 50));
    }
    [[nodiscard]] Address self() const override { return address; }

    void send(Address to, Transport, Bytes frame, const Tag&) override {
      world.at(world.now_ + 1ms, [this, to, frame = std::move(frame)] {
        const auto host = world.hosts_.find(to);
        if (host == world.hosts_.end() || !host->second->process) return;
        host->second->process->on_message(address, frame);
      });
    }
    void arm(TimerId timer, MonotonicTime deadline) override {
      const std::uint64_t arming = ++armings;
      timers[timer] = arming;
      world.at(std::max(deadline, world.now_), [this, timer, arming] {
        const auto armed = timers.find(timer);
        if (armed == timers.end() || armed->second != arming) return;
        timers.erase(armed);
        process->on_timer(timer);
      });
    }
    void disarm(TimerId timer) override { timers.erase(timer); }

    void append(std::string_view file, ByteView data) override {
      Bytes& tail = volatile_tail[std::string(file)];
      tail.insert(tail.end(), data.begin(), data.end());
    }
    void sync(std::string_view file, IoToken token) override {
      const std::string name(file);
      const std::size_t covered = volatile_tail[name].size();
      complete(token, IoStatus::ok, [this, name, covered] {
        Bytes& tail = volatile_tail[name];
        const auto end = tail.begin() + static_cast<std::ptrdiff_t>(std::min(covered, tail.size()));
        Bytes& content = durable[name];
        content.insert(content.end(), tail.begin(), end);
        tail.erase(tail.begin(), end);
        return Bytes();
      });
    }
    void read(std::string_view file, IoToken token) override {
      const std::string name(file);
      const bool found = durable.contains(name);
      complete(token, found ? IoStatus::ok : IoStatus::not_found,
               [this, name, found] { return found ? durable[name] : Bytes(); });
    }
    void replace(std::string_view file, ByteView data, IoToken token) override {
      const std::string name(file);
      volatile_tail.erase(name);
      complete(token, IoStatus::ok, [this, name, content = Bytes(data.begin(), data.end())] {
        durable[name] = content;
        return Bytes();
      });
    }
    void remove(std::string_view file, IoToken token) override {
      const std::string name(file);
      volatile_tail.erase(name);
      complete(token, IoStatus::ok, [this, name] {
        durable.erase(name);
        return Bytes();
      });
    }
    [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                       std::uint64_t attempt) override {
      std::uint64_t name = 0;
      for (const char c : label) name = mix(name, static_cast<unsigned char>(c));
      return draw({.seed = 7,
                   .domain = Domain::process,
                   .who = mix(address.value, name),
                   .what = what,
                   .attempt = attempt});
    }
    void halt(std::string_view) override {
      world.at(world.now_, [this] { world.kill(address); });
    }

    void complete(IoToken token, IoStatus status, std::function<Bytes()> effect) {
      world.at(world.now_ + 100us, [this, token, status, born = life, effect = std::move(effect)] {
        if (born != life) return;
        process->on_io({.token = token, .status = status, .data = effect()});
      });
    }

    HandWorld& world;
    Address address;
    Factory make;
    Watcher observer;
    std::unique_ptr<Process> process;
    std::uint64_t life = 0;
    std::uint64_t armings = 0;
    std::map<TimerId, std::uint64_t> timers;
    std::map<std::string, Bytes> durable;
    std::map<std::string, Bytes> volatile_tail;
  };

  void at(MonotonicTime when, std::function<void()> what) {
    agenda_.emplace(std::pair(when, ++sequence_), std::move(what));
  }

  MonotonicTime now_{};
  std::uint64_t sequence_ = 0;
  std::map<std::pair<MonotonicTime, std::uint64_t>, std::function<void()>> agenda_;
  std::map<Address, std::unique_ptr<Host>> hosts_;
};

}  // namespace rejoin::test
