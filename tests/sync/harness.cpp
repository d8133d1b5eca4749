#include "tests/sync/harness.hpp"

#include <algorithm>
#include <string>

namespace rejoin::sync_test {

void Clock::at(MonotonicTime when, std::function<void()> what) {
  events_.emplace(std::pair(std::max(when, now_), ++count_), std::move(what));
}

void Clock::after(Duration length, std::function<void()> what) {
  at(now_ + length, std::move(what));
}

void Clock::run_for(Duration length) {
  const MonotonicTime end = now_ + length;
  while (!events_.empty() && events_.begin()->first.first <= end) {
    auto event = events_.extract(events_.begin());
    now_ = event.key().first;
    event.mapped()();
  }
  now_ = end;
}

std::size_t World::count(MessageKind kind) const {
  std::size_t n = 0;
  for (const Sent& one : sent) n += one.kind == kind ? 1 : 0;
  return n;
}

TestNode::TestNode(World& world, const Setup& setup, NodeId id)
    : world_(world), setup_(setup), id_(id) {}

void TestNode::start(const ClusterState& cluster, Incarnation incarnation) {
  life_ = std::make_unique<Life>(*this, setup_, id_);
  life_->store.start();
  life_->sync.start();
  post(local::IdentityKnown{id_, incarnation});
  REQUIRE(life_->cluster.restore(encode_state(cluster)));
  drain();
}

void TestNode::catch_up() {
  tell(local::CaughtUp{kClusterGroup});
}

void TestNode::tell(LocalEvent event) {
  post(std::move(event));
  drain();
}

void TestNode::crash() {
  life_.reset();
  timers_.clear();
  ++generation_;
  for (auto& [name, file] : files_) file.content = file.durable;
}

void TestNode::wipe_disk() {
  files_.clear();
}

void TestNode::put_file(const DiskFile& file) {
  files_[file.name] = {file.content, file.content};
}

std::string TestNode::file(const std::string& name) const {
  const auto at = files_.find(name);
  if (at == files_.end()) return {};
  return {at->second.durable.begin(), at->second.durable.end()};
}

void TestNode::write(const Record& record, PartitionId partition) {
  store().put(partition, record, MergeRule::merge, fact::WriteCause::foreground);
  drain();
}

void TestNode::hold_syncs(bool hold) {
  hold_syncs_ = hold;
}

std::map<Key, Value> TestNode::contents(PartitionId partition) {
  std::map<Key, Value> out;
  store().scan(partition, "", [&out](const Record& record) {
    out[record.key] = record.deleted ? "(deleted)" : record.value;
    return true;
  });
  return out;
}

void TestNode::forget_facts() {
  facts_.clear();
}

bool TestNode::receive(Address from, ByteView bytes) {
  const std::optional<Frame> frame = decode_frame(bytes);
  const bool accepted = frame && life_->sync.on_message(from, frame->kind, frame->body);
  if (!accepted) ++rejected_;
  drain();
  return accepted;
}

void TestNode::drain() {
  while (!posted_.empty()) {
    std::vector<LocalEvent> batch;
    batch.swap(posted_);
    for (const LocalEvent& event : batch) {
      life_->store.on_local(event);
      life_->sync.on_local(event);
    }
  }
}

void TestNode::post(LocalEvent event) {
  posted_.push_back(std::move(event));
}

void TestNode::publish(const Fact& fact) {
  facts_.push_back(fact);
}

MonotonicTime TestNode::now() const {
  return world_.clock.now();
}

WallTime TestNode::wall_now() const {
  return WallTime(world_.clock.now().time_since_epoch());
}

Address TestNode::self() const {
  return Address(id_.value);
}

void TestNode::send(Address to, Transport /*transport*/, Bytes frame, const Tag& tag) {
  const Sent sent{id_, NodeId(to.value), tag.kind, tag, std::move(frame)};
  const bool dropped = world_.drops(sent);
  world_.sent.push_back(sent);
  if (dropped) return;
  world_.clock.after(1ms, [this, to, sent] { world_.deliver(to, self(), sent.frame); });
}

void TestNode::arm(TimerId timer, MonotonicTime deadline) {
  const std::uint64_t number = ++armed_;
  timers_[timer] = number;
  world_.clock.at(deadline, [this, timer, number] {
    const auto at = timers_.find(timer);
    if (at == timers_.end() || at->second != number) return;
    timers_.erase(at);
    life_->sync.on_timer(TimerId(timer.value & kLocal));
    drain();
  });
}

void TestNode::disarm(TimerId timer) {
  timers_.erase(timer);
}

void TestNode::append(std::string_view name, ByteView data) {
  Bytes& content = files_[std::string(name)].content;
  content.insert(content.end(), data.begin(), data.end());
}

void TestNode::sync(std::string_view name, IoToken token) {
  complete_sync(std::string(name), token, generation_);
}

void TestNode::read(std::string_view name, IoToken token) {
  const auto at = files_.find(std::string(name));
  IoDone done{.token = token, .status = IoStatus::not_found, .data = {}};
  if (at != files_.end()) done = {token, IoStatus::ok, at->second.content};
  finish(done);
}

void TestNode::replace(std::string_view name, ByteView data, IoToken token) {
  const Bytes content(data.begin(), data.end());
  files_[std::string(name)] = {content, content};
  finish({token, IoStatus::ok, {}});
}

void TestNode::remove(std::string_view name, IoToken token) {
  files_.erase(std::string(name));
  finish({token, IoStatus::ok, {}});
}

std::uint64_t TestNode::random(std::string_view /*label*/, std::uint64_t what,
                               std::uint64_t attempt) {
  return draw(
      {.seed = 1, .domain = Domain::process, .who = id_.value, .what = what, .attempt = attempt});
}

void TestNode::halt(std::string_view reason) {
  halted_ = reason;
}

namespace {

StoreOptions store_options(const Setup& setup) {
  StoreOptions out = setup.store;
  out.versions = setup.versions;
  return out;
}

}  // namespace

TestNode::Life::Life(TestNode& node, const Setup& setup, NodeId id)
    : cluster(node, setup.partitions),
      store(node, node, store_options(setup), setup.partitions),
      gate(setup.partitions),
      sync(node, node, id, setup.sync, setup.replication, cluster, store, gate, coordination) {}

void TestNode::complete_sync(const std::string& name, IoToken token, std::uint64_t generation) {
  world_.clock.after(100us, [this, name, token, generation] {
    if (generation != generation_) return;
    if (hold_syncs_) return complete_sync(name, token, generation);
    files_[name].durable = files_[name].content;
    complete({token, IoStatus::ok, {}});
  });
}

void TestNode::finish(IoDone done) {
  world_.clock.after(100us, [this, done = std::move(done), generation = generation_] {
    if (generation == generation_) complete(done);
  });
}

void TestNode::complete(const IoDone& done) {
  const IoDone local{IoToken(done.token.value & kLocal), done.status, done.data};
  const auto channel = static_cast<Channel>(done.token.value >> kChannelShift);
  if (channel == Channel::store) {
    life_->store.on_io(local);
  } else {
    life_->sync.on_io(local);
  }
  drain();
}

Cluster::Cluster(Setup setup) : setup_(std::move(setup)) {
  auto map = std::make_shared<PartitionMap>();
  map->epoch = Epoch{1};
  state_.cluster = ClusterId{1};
  std::vector<NodeId> all;
  for (std::uint32_t n = 1; n <= setup_.nodes; ++n) {
    const NodeId id(n);
    all.push_back(id);
    state_.members[id] = {id, Incarnation{1}, Address(n)};
    state_.incarnations[id] = Incarnation{1};
    nodes_.push_back(std::make_unique<TestNode>(world_, setup_, id));
  }
  map->owners.assign(setup_.partitions, all);
  state_.map = map;
  world_.deliver = [this](Address to, Address from, ByteView frame) {
    TestNode& node = *nodes_.at(to.value - 1);
    if (node.is_running()) node.receive(from, frame);
  };
}

Cluster::~Cluster() = default;

TestNode& Cluster::node(std::uint32_t n) {
  return *nodes_.at(n - 1);
}

MonotonicTime Cluster::now() const {
  return world_.clock.now();
}

void Cluster::run_for(Duration length) {
  world_.clock.run_for(length);
}

void Cluster::found(std::uint32_t n) {
  for (const DiskFile& file : sync_founding_files()) node(n).put_file(file);
  come_back(n);
}

void Cluster::found_all() {
  for (std::uint32_t n = 1; n <= setup_.nodes; ++n) found(n);
}

void Cluster::come_back(std::uint32_t n, Incarnation incarnation) {
  node(n).start(state_, incarnation);
  run_for(10ms);
  node(n).catch_up();
}

void Cluster::assume_owners(std::vector<std::vector<NodeId>> owners) {
  auto map = std::make_shared<PartitionMap>(*state_.map);
  map->owners = std::move(owners);
  state_.map = std::move(map);
}

void Cluster::move_to(std::vector<std::vector<NodeId>> owners) {
  auto map = std::make_shared<PartitionMap>(*state_.map);
  map->epoch = map->epoch.next();
  map->owners = std::move(owners);
  const Bytes command = encode(ClusterCommand{command::SetMap{*map}});
  state_.map = std::move(map);
  for (const auto& one : nodes_) {
    if (!one->is_running()) continue;
    one->cluster().apply(LogIndex{++index_}, Term{1}, command, false);
  }
}

void Cluster::drain_all() {
  for (const auto& one : nodes_) {
    if (one->is_running()) one->drain();
  }
}

Record record(const Key& key, std::int64_t time, bool deleted) {
  Record out;
  out.key = key;
  out.value = deleted ? "" : key + "@" + std::to_string(time);
  out.deleted = deleted;
  out.version = {WallTime(Duration(time)), NodeId{1}};
  out.origin = {ClientId{1}, static_cast<std::uint64_t>(time)};
  return out;
}

Record unversioned(const Key& key, std::int64_t time) {
  Record out = record(key, time);
  out.version = {};
  return out;
}

std::vector<NodeId> nodes(std::initializer_list<std::uint32_t> numbers) {
  std::vector<NodeId> out;
  for (const std::uint32_t n : numbers) out.emplace_back(n);
  return out;
}

SyncOptions::Mechanism mechanism(const std::string& name,
                                 std::map<std::string, std::string> params) {
  const MechanismSpec* const spec = Mechanisms::find(name);
  REQUIRE(spec != nullptr);
  SyncOptions::Mechanism out{name, default_params(spec->params)};
  for (const auto& [param, value] : params) {
    const auto declared =
        std::find_if(spec->params.begin(), spec->params.end(),
                     [&name = param](const ParamSpec& each) { return each.name == name; });
    REQUIRE(declared != spec->params.end());
    const bool number = declared->type == ParamType::integer;
    if (number) {
      out.params.set(param, static_cast<std::int64_t>(std::stoll(value)));  // -1, too
      continue;
    }
    auto read = parse_param(*declared, ParamText{value});
    REQUIRE(read.has_value());
    out.params.set(param, *std::move(read));
  }
  return out;
}

}  // namespace rejoin::sync_test
