#include "sim/run/event_recorder.hpp"

#include <algorithm>
#include <charconv>
#include <variant>

#include "model/hash.hpp"

namespace rejoin::sim {

namespace {

// Fates, in the order of the list.
enum Fate : std::uint32_t {
  kDelivered,
  kUnderWay,
  kCorrupted,
  kDuplicate,
  kFirstDropped,  // then as DropReason counts
};
constexpr std::size_t kRequestsMax = 1'000'000;

bool is_routine(const Fact& fact) {
  if (const auto* health = std::get_if<fact::HealthChecked>(&fact)) return health->healthy;
  return std::holds_alternative<fact::SyncRequested>(fact) ||
         std::holds_alternative<fact::SyncCompleted>(fact) ||
         std::holds_alternative<fact::StoreDurable>(fact) ||
         std::holds_alternative<fact::HintsDurable>(fact) ||
         std::holds_alternative<fact::RecordWritten>(fact) ||
         std::holds_alternative<fact::CommandApplied>(fact) ||
         std::holds_alternative<fact::EntryAppended>(fact) ||
         std::holds_alternative<fact::EntryApplied>(fact) ||
         std::holds_alternative<fact::Committed>(fact) ||
         std::holds_alternative<fact::OperationInvoked>(fact) ||
         std::holds_alternative<fact::OperationReturned>(fact);
}

// Told by syncs of a disk alone; what they make durable, the spans of replicas say.
bool is_noise(const Fact& fact) {
  return std::holds_alternative<fact::SyncRequested>(fact) ||
         std::holds_alternative<fact::SyncCompleted>(fact) ||
         std::holds_alternative<fact::StoreDurable>(fact) ||
         std::holds_alternative<fact::HintsDurable>(fact);
}

constexpr std::string_view kKeyField = "key: \"";
// Where a description stops listing.
constexpr std::string_view kMore = " more]";

// What follows `name` in the text, up to a delimiter; empty when it is not there.
std::string_view field(std::string_view text, std::string_view name, std::string_view end) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  const std::size_t from = at + name.size();
  return text.substr(from, text.find_first_of(end, from) - from);
}

// `client-1/17`; none when it is not one.
RequestId request_from(std::string_view name) {
  constexpr std::string_view prefix = "client-";
  const std::size_t slash = name.find('/');
  if (!name.starts_with(prefix) || slash == std::string_view::npos) return {};
  RequestId out;
  const char* const end = name.data() + name.size();
  (void)std::from_chars(name.data() + prefix.size(), name.data() + slash, out.client.value);
  (void)std::from_chars(name.data() + slash + 1, end, out.n);
  return out;
}

}  // namespace

std::uint32_t Interner::of(std::string_view text) {
  const auto known = index_.find(text);
  if (known != index_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(list_.size());
  list_.emplace_back(text);
  index_.emplace(text, number);
  return number;
}

EventRecorder::EventRecorder(RunEvents& events, TraceSink* next)
    : events_(events),
      next_(next),
      kinds_(events.kinds),
      keys_(events.keys),
      strings_(events.strings),
      fact_kinds_(events.fact_kinds) {
  events_ = {};
  events_.fates = {"delivered", "under way at the end", "corrupted", "a second copy"};
  for (const DropReason reason :
       {DropReason::loss, DropReason::partition, DropReason::host_down, DropReason::too_large,
        DropReason::queue_full, DropReason::reset}) {
    events_.fates.emplace_back(to_name(reason));
  }
}

void EventRecorder::attach(const Kernel& kernel, const World& world, std::uint32_t clients) {
  kernel_ = &kernel;
  world_ = &world;
  times_.emplace(world);
  const auto add = [this](Address address, std::string name) {
    hosts_[address] = static_cast<std::uint32_t>(events_.hosts.size());
    events_.hosts.push_back(std::move(name));
  };
  for (const auto& [id, node] : world.nodes()) add(Address(id.value), to_name(id));
  events_.nodes = static_cast<std::uint32_t>(events_.hosts.size());
  for (std::uint32_t c = 1; c <= clients; ++c) {
    add(client_address(ClientId(c)), to_name(ClientId(c)));
  }
  events_.clients = clients;
}

// A node that has moved is the same host; a twin is another one.
std::uint32_t EventRecorder::host_of(Address address) {
  const auto known = hosts_.find(address);
  if (known != hosts_.end()) return known->second;
  std::string name = to_name(address);
  for (const auto& [id, node] : world_->nodes()) {
    if (kernel_->address_of(id) == address) return hosts_[address] = id.value - 1;
    const std::vector<Address> twins = kernel_->twins_of(id);
    if (std::find(twins.begin(), twins.end(), address) != twins.end()) {
      name = "twin of " + to_name(id);
    }
  }
  hosts_[address] = static_cast<std::uint32_t>(events_.hosts.size());
  events_.hosts.push_back(std::move(name));
  return hosts_[address];
}

std::uint32_t EventRecorder::host_of(const FactSource& source) {
  if (source.twin) {
    const std::vector<Address> twins = kernel_->twins_of(source.node);
    if (!twins.empty()) return host_of(twins.front());
  }
  if (!source.node.is_none()) return source.node.value - 1;
  return source.client.is_none() ? RunEvents::kNone : host_of(client_address(source.client));
}

// ---- Messages ------------------------------------------------------------------------------

RunEvents::Message* EventRecorder::find(std::uint64_t serial) {
  auto& all = events_.messages;
  const auto at =
      std::lower_bound(all.begin(), all.end(), serial,
                       [](const RunEvents::Message& m, std::uint64_t s) { return m.serial < s; });
  return at == all.end() || at->serial != serial ? nullptr : &*at;
}

// The key that a message is about: the one that it names, or that of the request it answers.
std::uint32_t EventRecorder::key_in(std::string_view text) {
  const RequestId request = request_from(field(text, "{id: ", ",}"));
  if (text.find(kKeyField) != std::string_view::npos) {
    const std::uint32_t key = keys_.of(field(text, kKeyField, "\""));
    if (!request.is_none() && key_of_request_.size() < kRequestsMax) {
      key_of_request_.emplace(request, key);
    }
    return key;
  }
  const auto known = key_of_request_.find(request);
  return known == key_of_request_.end() ? RunEvents::kNone : known->second;
}

// Data goes between nodes, to serve clients or to repair.
void EventRecorder::note_carried(std::uint32_t to, const Tag& tag, std::string_view text,
                                 MonotonicTime at) {
  if (tag.purpose != Purpose::foreground && tag.purpose != Purpose::repair) return;
  if (text.find(kMore) != std::string_view::npos) carried_unseen_[to] = at;
  for (std::size_t key = text.find(kKeyField); key != std::string_view::npos;
       key = text.find(kKeyField, key + 1)) {
    carried_[{to, keys_.of(field(text.substr(key), kKeyField, "\""))}] = at;
  }
}

void EventRecorder::on_send(MonotonicTime at, std::uint64_t event, Address from, Address to,
                            ByteView frame, const Tag& tag) {
  if (next_ != nullptr) next_->on_send(at, event, from, to, frame, tag);
  if (from == to) return;  // no network carries it
  const MessageSpec* const spec = find_message_spec(tag.kind);
  const std::string text = describe_frame(frame);
  RunEvents::Message message{
      .sent = at,
      .arrived = {},
      .from = host_of(from),
      .to = host_of(to),
      .kind = kinds_.of(spec == nullptr ? "message-" + std::to_string(tag.kind.value) : spec->name),
      .purpose = tag.purpose,
      .bytes = static_cast<std::uint32_t>(frame.size()),
      .fate = kUnderWay,
      .key = key_in(text),
      .send_event = event,
      .arrive_event = 0,
      .text = strings_.of(text),
      .serial = sent_++};
  if (!is_client(from) && !is_client(to)) note_carried(message.to, tag, text, at);
  under_way_[{from, to}].push_back({.serial = message.serial,
                                    .frame = hash64(frame),
                                    .kind = tag.kind,
                                    .identity = tag.identity,
                                    .attempt = tag.attempt});
  events_.messages.push_back(message);
  if (events_.messages.size() >= 2 * kMessagesMax) thin_above(kMessagesMax, 2 * kFactsMax);
}

void EventRecorder::on_event(const TraceEvent& event) {
  if (next_ != nullptr) next_->on_event(event);
  if (event.kind != EventKind::deliver) return;
  const auto link = under_way_.find({event.from, event.host});
  if (link == under_way_.end()) return;
  std::deque<UnderWay>& waiting = link->second;
  const std::uint64_t frame = hash64(event.payload);
  auto found = std::find_if(waiting.begin(), waiting.end(),
                            [frame](const UnderWay& each) { return each.frame == frame; });
  if (found == waiting.end()) {
    found = std::find_if(waiting.begin(), waiting.end(),
                         [](const UnderWay& each) { return each.corrupted; });
  }
  if (found == waiting.end()) return;
  if (RunEvents::Message* const message = find(found->serial)) {
    message->arrived = event.at;
    message->arrive_event = event.event;
    if (message->fate == kUnderWay) message->fate = found->corrupted ? kCorrupted : kDelivered;
  }
  waiting.erase(found);
}

EventRecorder::UnderWay* EventRecorder::find_tagged(const Link& link, const Tag& tag) {
  const auto known = under_way_.find(link);
  if (known == under_way_.end()) return nullptr;
  const auto found =
      std::find_if(known->second.begin(), known->second.end(), [&tag](const UnderWay& each) {
        return each.kind == tag.kind && each.identity == tag.identity &&
               each.attempt == tag.attempt;
      });
  return found == known->second.end() ? nullptr : &*found;
}

void EventRecorder::on_drop(MonotonicTime at, std::uint64_t event, Address from, Address to,
                            const Tag& tag, DropReason reason) {
  if (next_ != nullptr) next_->on_drop(at, event, from, to, tag, reason);
  const UnderWay* const lost = find_tagged({from, to}, tag);
  if (lost == nullptr) return;
  const std::uint64_t serial = lost->serial;
  if (RunEvents::Message* const message = find(serial)) {
    message->fate = kFirstDropped + static_cast<std::uint32_t>(reason);
  }
  std::erase_if(under_way_.at({from, to}),
                [serial](const UnderWay& each) { return each.serial == serial; });
}

void EventRecorder::on_mishap(MonotonicTime at, std::uint64_t event, Address from, Address to,
                              const Tag& tag, Mishap mishap) {
  if (next_ != nullptr) next_->on_mishap(at, event, from, to, tag, mishap);
  UnderWay* const found = find_tagged({from, to}, tag);
  if (found == nullptr) return;
  if (mishap == Mishap::corrupted) found->corrupted = true;
  if (mishap != Mishap::duplicated) return;
  const RunEvents::Message* const original = find(found->serial);
  if (original == nullptr) return;
  RunEvents::Message copy = *original;
  UnderWay second = *found;
  copy.serial = second.serial = sent_++;
  copy.fate = kDuplicate;
  copy.sent = at;
  events_.messages.push_back(copy);
  under_way_[{from, to}].push_back(second);
}

// ---- Facts ---------------------------------------------------------------------------------

void EventRecorder::on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                            const Fact& fact) {
  if (next_ != nullptr) next_->on_fact(at, event, source, fact);
  if (is_noise(fact)) {
    ++events_.hidden.facts;
    return;
  }
  const bool fault = std::holds_alternative<fact::FaultInjected>(fact) ||
                     std::holds_alternative<fact::FaultEnded>(fact);
  if (fault && (marks_.empty() || marks_.back() != at)) marks_.push_back(at);
  const std::string text = describe(fact);
  const std::string_view key = field(text, kKeyField, "\"");
  events_.facts.push_back({.at = at,
                           .event = event,
                           .host = fault ? RunEvents::kNone : host_of(source),
                           .kind = fact_kinds_.of(name_of(fact)),
                           .text = strings_.of(text),
                           .key = key.empty() ? RunEvents::kNone : keys_.of(key),
                           .routine = is_routine(fact)});
  if (events_.facts.size() >= 2 * kFactsMax) thin_above(2 * kMessagesMax, kFactsMax);
}

void EventRecorder::after_fact(MonotonicTime at, const FactSource& source, const Fact& fact) {
  times_->on_fact(at, source, fact);
}

void EventRecorder::thin_above(std::size_t messages, std::size_t facts) {
  std::vector<MonotonicTime> marks = marks_;
  // What is yet to come may be near what was last.
  const MonotonicTime last =
      std::max(events_.messages.empty() ? MonotonicTime{} : events_.messages.back().sent,
               events_.facts.empty() ? MonotonicTime{} : events_.facts.back().at);
  marks.push_back(last);
  thin(events_, {.messages = messages, .facts = facts}, marks);
}

// ---- What was never sent -------------------------------------------------------------------

void EventRecorder::on_stale(const Operation& read, const Operation& missed,
                             const std::string& why) {
  events_.stale_reads.try_emplace(read.id, RunEvents::StaleRead{missed.id, why});
  if (marks_.empty() || marks_.back() <= *read.returned) marks_.push_back(*read.returned);
  if (read.direct) add_ghost(read.served_by, missed);
}

void EventRecorder::add_ghost(NodeId lacks, const Operation& write) {
  if (lacks.is_none() || lacks == write.served_by) return;
  const std::uint32_t to = lacks.value - 1;
  const std::uint32_t key = keys_.of(write.key);
  if (!haunted_.emplace(std::pair(to, write.id), true).second) return;
  const auto carried = carried_.find({to, key});
  if (carried != carried_.end() && carried->second >= write.invoked) return;
  const auto unseen = carried_unseen_.find(to);
  if (unseen != carried_unseen_.end() && unseen->second >= write.invoked) return;
  if (events_.ghosts.size() >= kGhostsMax) {
    ++events_.hidden.ghosts;
    return;
  }
  const std::uint32_t from = write.served_by.is_none() ? host_of(client_address(write.id.client))
                                                       : write.served_by.value - 1;
  events_.ghosts.push_back({.at = write.returned.value_or(write.invoked),
                            .from = from,
                            .to = to,
                            .key = key,
                            .says = why_never(lacks, write)});
}

std::string EventRecorder::why_never(NodeId lacks, const Operation& write) const {
  std::string out = "no message with " + write.key + " was sent to " + to_name(lacks) + " after " +
                    to_name(write.id) + " had been " +
                    (write.kind == OperationKind::remove ? "deleted" : "written");
  const auto& spans = times_->spans()[lacks.value - 1];
  const MonotonicTime acknowledged = write.returned.value_or(write.invoked);
  const auto during =
      std::find_if(spans.rbegin(), spans.rend(),
                   [&](const RunEvents::NodeSpan& span) { return span.from <= acknowledged; });
  if (during == spans.rend()) return out;
  switch (during->what.state) {
    case NodeState::alive:
    case NodeState::syncing:
      return out + ", although it was up";
    case NodeState::dead:
      return out + ": it was down, and nothing has brought it since";
    case NodeState::offline:
      return out + ": it was down and no member, and nothing has brought it since";
    case NodeState::evicted:
      return out + ": it was no member, and nothing has brought it since";
  }
  return out;
}

void EventRecorder::add_ghosts() {
  for (const auto& [key, history] : world_->keys()) {
    for (const auto& [id, node] : world_->nodes()) {
      if (world_->copy_of(id, key) == Copy::current) continue;
      for (const Operation* write : world_->newest_acknowledged(history)) add_ghost(id, *write);
    }
  }
}

void EventRecorder::finish(MonotonicTime end) {
  add_ghosts();
  std::stable_sort(
      events_.ghosts.begin(), events_.ghosts.end(),
      [](const RunEvents::Ghost& a, const RunEvents::Ghost& b) { return a.at < b.at; });
  times_->finish(end);
  events_.spans = times_->spans();
  events_.hidden.spans += times_->joined();
  events_.stores = std::move(times_->stores());
  if (events_.messages.size() > kMessagesMax || events_.facts.size() > kFactsMax) {
    thin_above(kMessagesMax, kFactsMax);
  }
}

}  // namespace rejoin::sim
