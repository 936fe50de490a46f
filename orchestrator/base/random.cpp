#include "orchestrator/base/random.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/encoding.hpp"

#include <sodium.h>

namespace bailey {

SystemRandom::SystemRandom() {
  BAILEY_ASSERT(sodium_init() >= 0);
}

std::string SystemRandom::bytes(std::size_t count) {
  std::string out(count, '\0');
  randombytes_buf(out.data(), out.size());
  return out;
}

std::uint64_t SystemRandom::below(std::uint64_t bound) {
  BAILEY_ASSERT(bound > 0);
  // Rejection keeps the result uniform: values of the last, incomplete run are drawn again.
  const std::uint64_t reject_below = (0 - bound) % bound;
  for (;;) {
    std::uint64_t value = 0;
    randombytes_buf(&value, sizeof value);
    if (value >= reject_below) return value % bound;
  }
}

std::string new_id(Random& random, const char* prefix) {
  return std::string(prefix) + "-" + base32_lower(random.bytes(13)).substr(0, 20);
}

std::string new_uuid(Random& random) {
  auto bytes = random.bytes(16);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3F) | 0x80);
  auto text = hex(bytes);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
  return text;
}

}  // namespace bailey
