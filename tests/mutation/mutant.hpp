#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>

/// Put around every condition of a copy of the policy's sources by mutate.py. BAILEY_MUTANT chooses
/// one of them and what becomes of it: `12:true`, `12:false` or `12:not`. With BAILEY_REACHED each
/// condition that is come to is appended to that file, once a process.
inline bool bailey_mutant(int number, bool condition) {
  static const char* const wanted = std::getenv("BAILEY_MUTANT");
  static const int chosen = wanted == nullptr ? -1 : std::atoi(wanted);
  static const char mode = wanted == nullptr ? ' ' : std::strchr(wanted, ':')[1];
  if (number == chosen) return mode == 't' || (mode == 'n' && !condition);
  static const char* const reached = std::getenv("BAILEY_REACHED");
  if (reached != nullptr) {
    static bool known[100'000] = {};
    if (!known[number]) {
      known[number] = true;
      if (auto* file = std::fopen(reached, "a")) {
        std::fprintf(file, "%d\n", number);
        std::fclose(file);
      }
    }
  }
  return condition;
}
