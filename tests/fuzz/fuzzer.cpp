// For libFuzzer: one program, whose reader the environment names (REJOIN_READER), and which can
// write the seed corpus of that reader into a folder (REJOIN_CORPUS).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/fuzz/readers.hpp"

namespace {

const rejoin::fuzzing::Reader* chosen = nullptr;

void write_corpus(const std::string& folder) {
  std::size_t number = 0;
  for (const rejoin::Bytes& bytes : chosen->corpus()) {
    std::ofstream out(folder + "/seed-" + std::to_string(++number), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* const name = std::getenv("REJOIN_READER");
  for (const rejoin::fuzzing::Reader& reader : rejoin::fuzzing::readers()) {
    if (name != nullptr && reader.name == name) chosen = &reader;
  }
  if (chosen == nullptr) {
    std::fprintf(stderr, "REJOIN_READER names a reader:");
    for (const auto& reader : rejoin::fuzzing::readers()) {
      std::fprintf(stderr, " %s", reader.name.c_str());
    }
    std::fprintf(stderr, "\n");
    std::exit(2);
  }
  if (const char* const folder = std::getenv("REJOIN_CORPUS")) write_corpus(folder);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->read({data, size});
  return 0;
}
