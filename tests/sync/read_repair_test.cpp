// The mechanism `read-repair`: what it asks of the coordinator, and what it promises when.
#include "protocols/sync/promises.hpp"
#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

ReadRepair wanted(const std::map<std::string, std::string>& params) {
  Setup setup;
  setup.sync.mechanisms = {mechanism("read-repair", params)};
  Cluster cluster(setup);
  cluster.found_all();
  REQUIRE(cluster.node(1).coordination().read_repair.has_value());
  CHECK(cluster.node(1).coordination().hints == nullptr);
  return *cluster.node(1).coordination().read_repair;
}

// Under which it promises everything.
struct Under {
  NodeOptions options;
  ClientOptions client;
  std::map<std::string, std::string> params;
  bool direct_reads = false;
  bool clocks_agree = true;

  Under() {
    options.store.versions = VersionScheme::timestamp;
    options.sync.gate = GateMode::fence;
    options.sync.mechanisms = {mechanism("merkle", {})};
    client.read = client.write = Consistency::quorum;
  }
  [[nodiscard]] bool promises() const {
    return rejoin::promises(*Mechanisms::find("read-repair"), "monotonic-reads",
                            {.node = options,
                             .client = client,
                             .clocks_agree = clocks_agree,
                             .direct_reads = direct_reads},
                            mechanism("read-repair", params).params);
  }
};

TEST_CASE("read-repair: the coordinator is asked for what the parameters say") {
  const ReadRepair usual = wanted({});
  CHECK(usual.blocking);
  CHECK_FALSE(usual.local);
  CHECK(usual.probability.ppm == 1'000'000);
  CHECK_FALSE(wanted({{"mode", "async"}}).blocking);
  CHECK(wanted({{"scope", "local"}}).local);
  CHECK(wanted({{"probability", "10%"}}).probability.ppm == 100'000);
  CHECK(usual.background);
  CHECK_FALSE(wanted({{"background", "false"}}).background);
}

TEST_CASE("read-repair: without it, the coordinator is asked for nothing") {
  Cluster cluster(Setup{});
  cluster.found_all();
  CHECK_FALSE(cluster.node(1).coordination().read_repair.has_value());
}

TEST_CASE("read-repair: a node that returns counts as repaired at once") {
  Setup setup;
  setup.sync.mechanisms = {mechanism("read-repair", {})};
  setup.sync.gate = GateMode::fence;
  Cluster cluster(setup);
  cluster.found_all();
  cluster.run_for(10ms);
  cluster.node(3).crash();
  cluster.node(3).forget_facts();
  cluster.come_back(3);
  const auto opened = cluster.node(3).facts<fact::GateOpened>();
  REQUIRE(opened.size() == 1);
  CHECK(opened.front().claims_repaired);
}

TEST_CASE("read-repair without versions makes no sense") {
  const MechanismSpec& spec = *Mechanisms::find("read-repair");
  NodeOptions options;
  options.store.versions = VersionScheme::none;
  CHECK_FALSE(spec.refuses(options, default_params(spec.params)).empty());
  options.store.versions = VersionScheme::dvv;
  CHECK(spec.refuses(options, default_params(spec.params)).empty());
  CHECK(spec.refuses(options, mechanism("read-repair", {{"probability", "0%"}}).params) ==
        "a probability of 0% repairs no read; leave the mechanism out");
}

TEST_CASE("read-repair promises monotonic reads only where nothing gets in their way") {
  CHECK(Under().promises());
  const auto without = [](const std::function<void(Under&)>& change) {
    Under under;
    change(under);
    return under.promises();
  };
  CHECK_FALSE(without([](Under& u) { u.params["mode"] = "async"; }));
  CHECK_FALSE(without([](Under& u) { u.params["scope"] = "local"; }));
  CHECK_FALSE(without([](Under& u) { u.params["probability"] = "99%"; }));
  CHECK_FALSE(without([](Under& u) { u.options.store.versions = VersionScheme::none; }));
  CHECK_FALSE(without([](Under& u) { u.client.read = Consistency::one; }));
  CHECK_FALSE(without([](Under& u) { u.client.write = Consistency::one; }));
  CHECK_FALSE(without([](Under& u) { u.options.coordinator.sloppy = true; }));
  CHECK_FALSE(without([](Under& u) { u.options.sync.gate = GateMode::open; }));
  CHECK_FALSE(without([](Under& u) { u.options.sync.mechanisms.clear(); }));
  CHECK_FALSE(without([](Under& u) { u.direct_reads = true; }));
  // As whoever repairs newcomers promises nothing then.
  CHECK_FALSE(without([](Under& u) { u.clocks_agree = false; }));
  CHECK_FALSE(without([](Under& u) { u.options.store.tombstones = TombstoneRule::none; }));
  // One read meets any write, but two reads need not meet.
  CHECK_FALSE(without([](Under& u) {
    u.client.read = Consistency::one;
    u.client.write = Consistency::all;
  }));
}

}  // namespace
}  // namespace rejoin
