#include "tests/simulation/simulation.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

int usage() {
  std::fputs("usage: simulate [--seeds N] [--from S] | --replay SEED\n", stderr);
  return 2;
}

int replay(std::uint64_t seed) {
  const auto trace = bailey::test::simulate(seed);
  for (const auto& line : trace.lines()) std::puts(line.c_str());
  std::puts(trace.digest().c_str());
  return trace.violations().empty() ? 0 : 1;
}

int run(std::uint64_t from, std::uint64_t count) {
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t failed = 0;
  std::uint64_t events = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto trace = bailey::test::simulate(from + i);
    events += trace.size();
    if (!trace.violations().empty()) {
      ++failed;
      fmt::print("seed {}: {}\n    {}\n", from + i, trace.violations()[0],
                 bailey::test::replay_command(from + i));
    }
    if ((i + 1) % 100 == 0 || i + 1 == count) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      fmt::print("{} of {} seeds, {} events, {:.1f} s, {} failed\n", i + 1, count, events,
                 took.count(), failed);
      std::fflush(stdout);
    }
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  std::uint64_t from = 1;
  std::uint64_t seeds = 500;
  for (int i = 1; i < count; i += 2) {
    if (i + 1 == count) return usage();
    const std::string_view option = words[i];
    const auto value = std::strtoull(words[i + 1], nullptr, 10);
    if (option == "--replay") return replay(value);
    if (option == "--seeds") {
      seeds = value;
    } else if (option == "--from") {
      from = value;
    } else {
      return usage();
    }
  }
  return run(from, seeds);
}
