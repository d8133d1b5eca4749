#include <algorithm>

#include "reports/pictures.hpp"

namespace rejoin::reports {

std::vector<std::uint64_t> causal_past(const RunEvents& events, std::uint64_t event,
                                       std::uint32_t host) {
  std::vector<std::uint64_t> past(events.hosts.size(), 0);
  if (host >= past.size()) return std::vector<std::uint64_t>(events.hosts.size(), event);
  past[host] = event;
  std::vector<std::vector<const RunEvents::Message*>> arrivals(past.size());
  for (const RunEvents::Message& message : events.messages) {
    if (message.arrived) arrivals[message.to].push_back(&message);
  }
  for (auto& list : arrivals) {
    std::sort(list.begin(), list.end(), [](const auto* a, const auto* b) {
      return a->arrive_event != b->arrive_event ? a->arrive_event < b->arrive_event
                                                : a->serial < b->serial;
    });
  }
  // Each arrival is taken once, as the bound of its host rises; bounds only rise.
  std::vector<std::size_t> taken(past.size(), 0);
  std::vector<std::uint32_t> work{host};
  while (!work.empty()) {
    const std::uint32_t at = work.back();
    work.pop_back();
    const auto& list = arrivals[at];
    for (; taken[at] < list.size() && list[taken[at]]->arrive_event <= past[at]; ++taken[at]) {
      const RunEvents::Message& message = *list[taken[at]];
      if (message.send_event <= past[message.from]) continue;
      past[message.from] = message.send_event;
      work.push_back(message.from);
    }
  }
  return past;
}

}  // namespace rejoin::reports
