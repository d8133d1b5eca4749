#include "model/selector.hpp"

#include <array>
#include <optional>
#include <utility>

#include "model/params.hpp"

namespace rejoin {
namespace {

using Kind = Selector::Kind;

constexpr std::string_view kWanted =
    "a host: node-3, client-1, leader, follower, member, majority, minority, random, random(2), "
    "owner(KEY), owners(KEY), zone(SITE), twin(NODE), followers, members, nodes, clients, all or "
    "others";

// Those that are one word.
constexpr std::array<std::pair<std::string_view, Kind>, 12> kWords = {
    {{"leader", Kind::leader},
     {"follower", Kind::follower},
     {"followers", Kind::followers},
     {"member", Kind::member},
     {"members", Kind::members},
     {"majority", Kind::majority},
     {"minority", Kind::minority},
     {"random", Kind::random},
     {"nodes", Kind::nodes},
     {"clients", Kind::clients},
     {"all", Kind::all},
     {"others", Kind::others}}};

// Those that take an argument.
constexpr std::array<std::pair<std::string_view, Kind>, 5> kCalls = {{{"random", Kind::random},
                                                                      {"owner", Kind::owner},
                                                                      {"owners", Kind::owners},
                                                                      {"zone", Kind::zone},
                                                                      {"twin", Kind::twin}}};

std::optional<Selector> parse_call(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return std::nullopt;
  const std::string_view argument = text.substr(open + 1, text.size() - open - 2);
  for (const auto& [name, kind] : kCalls) {
    if (name != text.substr(0, open) || argument.empty()) continue;
    Selector out{.kind = kind};
    if (kind == Kind::twin) {
      out.node = node_from_name(argument);
      if (out.node.is_none()) return std::nullopt;
      return out;
    }
    if (kind != Kind::random) {
      out.argument = argument;
      return out;
    }
    const auto count = parse_integer(argument);
    if (!count || *count < 1 || *count > 1'000'000) return std::nullopt;
    out.count = static_cast<std::uint32_t>(*count);
    return out;
  }
  return std::nullopt;
}

}  // namespace

tl::expected<Selector, std::string> parse_selector(std::string_view text) {
  for (const auto& [name, kind] : kWords) {
    if (name == text) return Selector{.kind = kind};
  }
  if (const NodeId node = node_from_name(text); !node.is_none()) return select(node);
  constexpr std::string_view prefix = "client-";
  if (text.starts_with(prefix)) {
    const auto number = parse_integer(text.substr(prefix.size()));
    if (number && *number >= 1 && *number <= 100'000) {
      return Selector{.kind = Kind::client,
                      .client = ClientId(static_cast<std::uint32_t>(*number))};
    }
  }
  if (auto call = parse_call(text)) return *std::move(call);
  return tl::unexpected(std::string(kWanted));
}

std::string to_text(const Selector& selector) {
  if (selector.kind == Kind::node) return to_name(selector.node);
  if (selector.kind == Kind::client) return to_name(selector.client);
  if (selector.kind == Kind::twin) return "twin(" + to_name(selector.node) + ")";
  const bool counted = selector.kind == Kind::random && selector.count != 1;
  if (!selector.argument.empty() || counted) {
    for (const auto& [name, kind] : kCalls) {
      if (kind != selector.kind) continue;
      const std::string argument = counted ? std::to_string(selector.count) : selector.argument;
      return std::string(name) + '(' + argument + ')';
    }
  }
  for (const auto& [name, kind] : kWords) {
    if (kind == selector.kind) return std::string(name);
  }
  return "?";
}

}  // namespace rejoin
