// What libFuzzer does at length, in short and with fixed damage.
#include "tests/fuzz/readers.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::fuzzing {

TEST_CASE("readers: whatever is given to them, they read it or refuse it") {
  for (const Reader& reader : readers()) {
    INFO(reader.name);
    const std::vector<Bytes> corpus = reader.corpus();
    REQUIRE_FALSE(corpus.empty());
    reader.read({});
    // Scenario files are read more slowly than anything else.
    const std::uint64_t rounds = reader.name == "scenario" ? 2 : 300;
    for (std::size_t i = 0; i < corpus.size(); ++i) {
      reader.read(corpus[i]);
      for (std::uint64_t round = 0; round < rounds; ++round) {
        const std::uint64_t draw = mix(mix(hash64(reader.name), i), round);
        Bytes damaged = corpus[i];
        const std::size_t at = below(draw, damaged.size());
        switch (round % 4) {
          case 0:
            damaged[at] = static_cast<std::uint8_t>(mix(draw, 1));
            break;
          case 1:
            damaged.resize(at);
            break;
          case 2:
            damaged.insert(damaged.begin() + static_cast<std::ptrdiff_t>(at), 40,
                           static_cast<std::uint8_t>(mix(draw, 2)));
            break;
          default: {
            const std::size_t other = below(mix(draw, 3), damaged.size());
            damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(std::min(at, other)),
                          damaged.begin() + static_cast<std::ptrdiff_t>(std::max(at, other)));
          }
        }
        reader.read(damaged);
      }
    }
  }
}

}  // namespace rejoin::fuzzing
