#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bailey {

/// The only source of chance in the program. Safe to call from any thread.
class Random {
 public:
  virtual ~Random() = default;
  /// Bytes fit for keys and tokens.
  [[nodiscard]] virtual std::string bytes(std::size_t count) = 0;
  /// Uniform in [0, bound); `bound` > 0.
  [[nodiscard]] virtual std::uint64_t below(std::uint64_t bound) = 0;
};

/// libsodium's generator.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  [[nodiscard]] std::string bytes(std::size_t count) override;
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) override;
};

/// `prefix-` and 20 base32 characters (100 random bits): ids of changes, leases, environments.
[[nodiscard]] std::string new_id(Random& random, const char* prefix);

/// Sixteen random bytes as RFC 9562 version 4.
[[nodiscard]] std::string new_uuid(Random& random);

}  // namespace bailey
