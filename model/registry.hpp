// Open sets of plugins: one name, one registration, one test.
//
// Invariants:
// 1. Filled before main by objects in the plugins' own .cpp files (their folders are OBJECT
//    libraries, so that the linker keeps them), constant from then on.
// 2. Ordered by name, whatever the order of linking; a name is registered once.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "model/check.hpp"
#include "model/params.hpp"

namespace rejoin {

// `Spec` has `std::string_view name` (kebab-case, the stem of its .cpp with - for _).
template <class Spec>
class Registry {
 public:
  static bool add(Spec spec) {
    auto& all = storage();
    const auto at = std::lower_bound(all.begin(), all.end(), spec.name,
                                     [](const Spec& s, std::string_view n) { return s.name < n; });
    CHECK_THAT(at == all.end() || at->name != spec.name);
    all.insert(at, std::move(spec));
    return true;
  }
  [[nodiscard]] static const std::vector<Spec>& all() { return storage(); }
  // `name` as users write it: `-` and `_` are alike.
  [[nodiscard]] static const Spec* find(std::string_view name) {
    const std::string wanted = normal_name(name);
    for (const Spec& spec : storage()) {
      if (normal_name(spec.name) == wanted) return &spec;
    }
    return nullptr;
  }
  [[nodiscard]] static std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const Spec& spec : storage()) out.emplace_back(spec.name);
    return out;
  }

 private:
  static std::vector<Spec>& storage() {
    static std::vector<Spec> all;
    return all;
  }
};

}  // namespace rejoin
