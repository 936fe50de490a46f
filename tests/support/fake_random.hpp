#pragma once

#include "orchestrator/base/random.hpp"

#include <mutex>
#include <random>
#include <string>

namespace bailey::test {

/// The same numbers from the same seed.
class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : engine_(seed) {}
  std::string bytes(std::size_t count) override {
    const std::lock_guard lock(mutex_);
    std::string out;
    while (out.size() < count) out += static_cast<char>(engine_() & 0xFF);
    return out;
  }
  std::uint64_t below(std::uint64_t bound) override {
    const std::lock_guard lock(mutex_);
    return engine_() % bound;
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace bailey::test
