#pragma once

namespace bailey::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

/// For broken invariants of our own only; never for what a user, a network or a disk can cause.
#define BAILEY_ASSERT(condition)                                          \
  do {                                                                    \
    if (!(condition)) {                                                   \
      ::bailey::detail::assertion_failed(#condition, __FILE__, __LINE__); \
    }                                                                     \
  } while (false)
