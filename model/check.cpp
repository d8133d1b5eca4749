#include "model/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace rejoin {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace rejoin
