// CHECK: our own mistakes end the process, in release builds too. Bad input never reaches it.
#pragma once

namespace rejoin {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace rejoin

#define CHECK_THAT(condition)                                      \
  do {                                                             \
    if (!(condition)) [[unlikely]]                                 \
      ::rejoin::check_failed(#condition, __FILE_NAME__, __LINE__); \
  } while (false)
