// T0 to T5 on a machine that is not the simulator: the same node and client code, the same answers.
#include <doctest/doctest.h>

#include "protocols/client/client.hpp"
#include "protocols/node/node.hpp"
#include "protocols/sync/mechanism.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/hand_world.hpp"

namespace rejoin::test {
namespace {

constexpr std::uint32_t kNodes = 3;
constexpr ClientId kClient{1};

NodeOptions seed_options(const std::string& mechanism) {
  NodeOptions options;
  if (mechanism == "rejoin-sync") options.store.versions = VersionScheme::timestamp;
  const MechanismSpec* spec = Mechanisms::find(mechanism);
  REQUIRE(spec != nullptr);
  options.sync.mechanisms = {{.name = mechanism, .params = default_params(spec->params)}};
  return options;
}

class SeedTimeline {
 public:
  explicit SeedTimeline(const std::string& mechanism) : options_(seed_options(mechanism)) {
    world_.watch = [this](const FactSource& source, const Fact& fact) { on_fact(source, fact); };
    std::vector<Founder> founders;
    std::vector<NodeAddress> addresses;
    for (std::uint32_t n = 1; n <= kNodes; ++n) {
      founders.push_back({.node = NodeId(n), .address = Address(n)});
      addresses.push_back({.node = NodeId(n), .address = Address(n)});
    }
    for (const Founder& founder : founders) add_node(founder, founders);
    world_.add_host(client_address(kClient), [addresses](Env& env, Observer& observer) {
      return std::make_unique<Client>(env, observer, kClient, ClientOptions{}, addresses);
    });
    for (const Founder& founder : founders) world_.start(founder.address);
    world_.start(client_address(kClient));
  }

  std::vector<Operation> play() {
    write(1, 100);  // T0
    wait(30s);
    world_.kill(Address(3));                                       // T1
    REQUIRE(world_.run_until([this] { return removed_; }, 5min));  // T2
    write(101, 150);                                               // T3
    wait(10s);
    world_.start(Address(3));  // T4
    wait(10s);
    read_directly("key-125", NodeId(3));  // T5
    return history_;
  }

 private:
  void add_node(const Founder& self, const std::vector<Founder>& founders) {
    NodeConfig config{.node = self.node, .seeds = {}, .options = options_};
    for (const Founder& founder : founders) {
      if (founder.node != self.node) config.seeds.push_back(founder.address);
    }
    world_.add_host(self.address, [config](Env& env, Observer& observer) {
      return std::make_unique<Node>(env, observer, config);
    });
    for (DiskFile& file : Founding(ClusterId(1), founders, options_).files_of(self.node)) {
      world_.put_file(self.address, file.name, std::move(file.content));
    }
  }

  void on_fact(const FactSource&, const Fact& fact) {
    if (const auto* f = std::get_if<fact::MemberRemoved>(&fact)) {
      removed_ = removed_ || (f->on_leader && f->node == NodeId(3));
    } else if (const auto* returned = std::get_if<fact::OperationReturned>(&fact)) {
      history_.push_back(returned->operation);
    }
  }

  void submit(OperationRequest request) {
    request.id = {.client = kClient, .n = ++requests_};
    if (request.kind == OperationKind::write) request.value = to_name(request.id);
    static_cast<Client*>(world_.process(client_address(kClient)))->submit(std::move(request));
  }
  void finish_operations() {
    REQUIRE(world_.run_until([this] { return history_.size() == requests_; }, 5min));
  }
  void write(int first, int last) {
    for (int k = first; k <= last; ++k) {
      submit({.id = {},
              .kind = OperationKind::write,
              .key = "key-" + std::to_string(k),
              .value = {},
              .level = Consistency::one,
              .direct = false,
              .via = {},
              .pause = {},
              .label = "write"});
    }
    finish_operations();
  }
  void read_directly(const Key& key, NodeId via) {
    submit({.id = {},
            .kind = OperationKind::read,
            .key = key,
            .value = {},
            .level = Consistency::one,
            .direct = true,
            .via = via,
            .pause = {},
            .label = "read"});
    finish_operations();
  }
  void wait(Duration length) {
    const MonotonicTime until = world_.now() + length;
    world_.run_until([this, until] { return world_.now() >= until; }, length);
  }

  NodeOptions options_;
  HandWorld world_;
  bool removed_ = false;
  std::uint64_t requests_ = 0;
  std::vector<Operation> history_;
};

}  // namespace

TEST_CASE("without sync the returning node answers not-found, on the second Env too") {
  const std::vector<Operation> history = SeedTimeline("none").play();
  REQUIRE(history.size() == 151);
  CHECK(history.back().result == ResultKind::not_found);
  check_golden("t0-t5-none-answers.txt", answers(history));
}

TEST_CASE("with rejoin-sync the returning node has what it missed, on the second Env too") {
  const std::vector<Operation> history = SeedTimeline("rejoin-sync").play();
  REQUIRE(history.size() == 151);
  CHECK(history.back().result == ResultKind::value);
  check_golden("t0-t5-rejoin-sync-answers.txt", answers(history));
}

}  // namespace rejoin::test
