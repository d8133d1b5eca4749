#include "sim/app/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "protocols/node/component.hpp"
#include "sim/app/commands.hpp"

namespace rejoin::app {

namespace {

constexpr std::string_view kWorld = "world";

std::string name_of_host(Address host) {
  return host.is_none() ? std::string(kWorld) : to_name(host);
}

std::string name_of_source(const FactSource& source) {
  if (!source.node.is_none()) return to_name(source.node);
  return source.client.is_none() ? std::string(kWorld) : to_name(source.client);
}

// Whose timer or completion it is: the node keeps the channel in the high byte of the id.
std::string name_of_id(std::uint64_t id) {
  constexpr std::string_view kChannels[] = {
      "", "node", "raft", "membership", "partitioning", "store", "coordinator", "sync", "client"};
  const std::uint64_t channel = id >> kChannelShift;
  if (channel == 0 || channel >= std::size(kChannels)) return std::to_string(id);
  return fmt::format("{} {}", kChannels[channel], id & ((1ULL << kChannelShift) - 1));
}

std::string name_of_kind(MessageKind kind) {
  const MessageSpec* spec = find_message_spec(kind);
  return spec == nullptr ? "message-" + std::to_string(kind.value) : std::string(spec->name);
}

template <std::size_t... I>
void add_fact_names(std::vector<std::string>& out, std::index_sequence<I...> /*facts*/) {
  (out.emplace_back(name_of(Fact(std::in_place_index<I>))), ...);
}

// Everything that `kind=` can name.
std::vector<std::string> kind_names() {
  std::vector<std::string> out;
  for (const sim::EventKind kind :
       {sim::EventKind::start, sim::EventKind::timer, sim::EventKind::io, sim::EventKind::control,
        sim::EventKind::network}) {
    out.emplace_back(to_name(kind));
  }
  for (const MessageSpec& spec : message_specs()) out.emplace_back(spec.name);
  add_fact_names(out, std::make_index_sequence<std::variant_size_v<Fact>>{});
  return out;
}

// `AppendEntries`, `append-entries` and `append_entries` are alike.
std::string folded(std::string_view name) {
  std::string out = normal_name(name);
  std::erase(out, '_');
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_';
}

bool has_whole(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool starts = at == 0 || !is_word(text[at - 1]);
    if (starts && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

// No terms of a name: everything matches.
template <class T, class Predicate>
bool any_or_none(const std::vector<T>& terms, Predicate predicate) {
  return terms.empty() || std::any_of(terms.begin(), terms.end(), predicate);
}

std::string bad_term(std::string_view what, std::string_view hint) {
  return error_text("--trace: " + std::string(what), hint);
}

}  // namespace

std::string to_text(const TraceLine& line) {
  const std::int64_t us = line.at.time_since_epoch().count() / 1000;
  return fmt::format("{:>5}.{:06}s {:>7}  {:<9} {}", us / 1'000'000, us % 1'000'000, line.event,
                     line.host, line.what);
}

tl::expected<TraceFilter, std::string> TraceFilter::parse(std::string_view text) {
  TraceFilter out;
  if (text.empty()) return out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view term = text.substr(at, comma - at);
    at = comma + 1;
    if (term.empty()) {
      return tl::unexpected(bad_term("an empty term in `" + std::string(text) + "`",
                                     "terms are joined by one comma each: node=node-3,kind=timer"));
    }
    if (auto problem = out.add(term)) return tl::unexpected(*std::move(problem));
  }
  return out;
}

std::optional<std::string> TraceFilter::add(std::string_view term) {
  const std::size_t equals = term.find('=');
  if (equals == std::string_view::npos) {
    words_.emplace_back(term);
    return std::nullopt;
  }
  const std::string name(term.substr(0, equals));
  const std::string value(term.substr(equals + 1));
  const std::vector<std::string> names = {"node", "kind", "purpose", "key", "group"};
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return bad_term("there is no filter `" + name + "`", hint_of(name, names, "filters"));
  }
  if (value.empty()) {
    return bad_term("`" + name + "=` names nothing", "leave the term out to see all of them");
  }
  if (name == "node") {
    nodes_.push_back(value);
  } else if (name == "key") {
    keys_.push_back(value);
  } else if (name == "group") {
    const auto number = parse_integer(value);
    if (!number || *number > std::numeric_limits<GroupId::rep>::max()) {
      return bad_term("`" + value + "` is no group",
                      "a group is a number; group=1 is the cluster's own");
    }
    groups_.emplace_back(static_cast<GroupId::rep>(*number));
  } else if (name == "kind") {
    const std::vector<std::string> known = kind_names();
    const auto found = std::find_if(known.begin(), known.end(), [&value](const std::string& k) {
      return folded(k) == folded(value);
    });
    if (found == known.end()) {
      return bad_term("there is no kind `" + value + "`", hint_of(value, known, "kinds"));
    }
    kinds_.push_back(*found);
  } else {
    std::vector<std::string> known;
    for (std::size_t p = 0; p < kPurposeCount; ++p) {
      known.emplace_back(to_name(static_cast<Purpose>(p)));
    }
    const auto found = std::find(known.begin(), known.end(), value);
    if (found == known.end()) {
      return bad_term("there is no purpose `" + value + "`", hint_of(value, known, "purposes"));
    }
    purposes_.push_back(static_cast<Purpose>(found - known.begin()));
  }
  return std::nullopt;
}

void TraceFilter::Known::add(const Schedule& schedule) {
  nodes = std::max(nodes, schedule.cluster.nodes);
  clients = std::max(clients, schedule.cluster.clients);
  for (const Step& step : schedule.timeline) {
    const auto* const operate = std::get_if<action::Operate>(&step.action);
    if (operate != nullptr) keys.insert(operate->keys.begin(), operate->keys.end());
    const auto* const workload = std::get_if<action::Workload>(&step.action);
    if (workload != nullptr) keys.insert(workload->keys.begin(), workload->keys.end());
  }
}

std::optional<std::string> TraceFilter::problem(const Known& known) const {
  // Moved nodes and twins have addresses without a name.
  const auto is_known = [&](const std::string& name) {
    constexpr std::string_view address = "address-";
    constexpr std::string_view client = "client-";
    const auto number = [&name](std::string_view prefix) {
      return name.starts_with(prefix) ? parse_integer(name.substr(prefix.size())).value_or(0) : 0;
    };
    const NodeId node = node_from_name(name);
    return name == kWorld || (!node.is_none() && node.value <= known.nodes) ||
           (number(client) != 0 && number(client) <= known.clients) || number(address) != 0;
  };
  for (const std::string& name : nodes_) {
    if (is_known(name)) continue;
    return bad_term("there is no `" + name + "`",
                    "node-1 to " + to_name(NodeId(known.nodes)) + ", client-1 to " +
                        to_name(ClientId(known.clients)) +
                        ", world, or the address of a twin or of a node that moved: address-N");
  }
  for (const std::string& key : keys_) {
    if (known.keys.contains(key)) continue;
    return bad_term("no step of the timeline names the key `" + key + "`",
                    known.keys.empty() ? "none names any" : "such as " + *known.keys.begin());
  }
  for (const GroupId group : groups_) {
    if (group == kClusterGroup) continue;
    return bad_term("there is no group " + std::to_string(group.value),
                    "group=1 is the cluster's own, and there is no other");
  }
  return std::nullopt;
}

bool TraceFilter::matches(const TraceLine& line) const {
  // What happens to the world concerns whom it names.
  const auto concerns = [&](const std::string& node) {
    return node == line.host || node == line.other ||
           (line.host == kWorld && has_whole(line.what, node));
  };
  return any_or_none(nodes_, concerns) &&
         any_or_none(kinds_, [&](const auto& k) { return k == line.kind; }) &&
         any_or_none(purposes_, [&](Purpose p) { return p == line.purpose; }) &&
         any_or_none(keys_, [&](const auto& k) { return has_whole(line.what, k); }) &&
         any_or_none(groups_,
                     [&](GroupId g) {  // as messages and facts show it
                       return has_whole(line.what, "group: " + std::to_string(g.value));
                     }) &&
         any_or_none(words_, [&](const auto& w) {
           return line.what.find(w) != std::string::npos || line.host.find(w) != std::string::npos;
         });
}

TraceLine line_of(const sim::TraceEvent& event) {
  TraceLine line{.at = event.at,
                 .event = event.event,
                 .host = name_of_host(event.host),
                 .other = {},
                 .kind = std::string(to_name(event.kind)),
                 .purpose = {},
                 .what = {}};
  if (event.kind == sim::EventKind::deliver) {
    const MessageSpec* spec = find_message_spec(event.message);
    line.other = name_of_host(event.from);
    line.kind = name_of_kind(event.message);
    if (spec != nullptr) line.purpose = spec->purpose;
    line.what = "from " + line.other + ": " + describe_frame(event.payload);
  } else if (event.kind == sim::EventKind::start) {
    line.what = "start";
  } else if (event.kind == sim::EventKind::network) {
    const auto from = Address(static_cast<std::uint32_t>(event.id >> 32U));
    const auto to = Address(static_cast<std::uint32_t>(event.id));
    line.host = name_of_host(from);
    line.other = name_of_host(to);
    line.what = "network: the stream to " + line.other + " looks after what was not acknowledged";
  } else {
    line.what = line.kind + " " + name_of_id(event.id);
    if (!event.payload.empty()) line.what += fmt::format(", {} B", event.payload.size());
  }
  return line;
}

TraceLine line_of(MonotonicTime at, std::uint64_t event, const FactSource& source,
                  const Fact& fact) {
  // What is done to the world stands out among what comes of it.
  const bool fault = std::holds_alternative<fact::FaultInjected>(fact) ||
                     std::holds_alternative<fact::FaultEnded>(fact);
  return {.at = at,
          .event = event,
          .host = name_of_source(source),
          .other = {},
          .kind = std::string(name_of(fact)),
          .purpose = {},
          .what = (fault ? "### " : "  = ") + describe(fact)};
}

void TracePrinter::put(const TraceLine& line) const {
  if (!options_.filter.matches(line)) return;
  if (options_.to_stderr) {
    print_error(to_text(line) + "\n");
  } else {
    print(to_text(line) + "\n");
  }
}

void TracePrinter::on_event(const sim::TraceEvent& event) {
  if (is_wanted(event.at)) put(line_of(event));
}

void TracePrinter::on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                           const Fact& fact) {
  if (is_wanted(at)) put(line_of(at, event, source, fact));
}

void TracePrinter::on_drop(MonotonicTime at, std::uint64_t event, Address from, Address to,
                           const Tag& tag, sim::DropReason reason) {
  put_message(at, event, from, to, tag,
              fmt::format("  x {} from {} never arrives: {}", name_of_kind(tag.kind),
                          name_of_host(from), to_name(reason)));
}

void TracePrinter::on_mishap(MonotonicTime at, std::uint64_t event, Address from, Address to,
                             const Tag& tag, sim::Mishap mishap) {
  put_message(at, event, from, to, tag,
              fmt::format("  ! {} from {} is {}", name_of_kind(tag.kind), name_of_host(from),
                          to_name(mishap)));
}

void TracePrinter::put_message(MonotonicTime at, std::uint64_t event, Address from, Address to,
                               const Tag& tag, std::string what) {
  if (!is_wanted(at)) return;
  put({.at = at,
       .event = event,
       .host = name_of_host(to),
       .other = name_of_host(from),
       .kind = name_of_kind(tag.kind),
       .purpose = tag.purpose,
       .what = std::move(what)});
}

}  // namespace rejoin::app
