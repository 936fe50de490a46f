#include "orchestrator/promote/evidence/ssh_wire.hpp"

namespace bailey {

std::string_view SshReader::take(std::size_t count) {
  if (!ok_ || rest_.size() < count) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint8_t SshReader::byte() {
  const auto taken = take(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::uint32_t SshReader::number() {
  std::uint32_t value = 0;
  for (const char c : take(4)) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

std::string_view SshReader::string() {
  return take(number());
}

std::string_view SshReader::positive() {
  auto bytes = string();
  const auto high = [](char c) { return (static_cast<std::uint8_t>(c) & 0x80) != 0; };
  if (!bytes.empty() && bytes[0] == '\0') {
    bytes.remove_prefix(1);
    if (bytes.empty() || !high(bytes[0])) ok_ = false;
  } else if (bytes.empty() || high(bytes[0])) {
    ok_ = false;
  }
  return ok_ ? bytes : std::string_view();
}

std::string ssh_string(std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string out;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(size >> shift & 0xFF);
  return out.append(bytes);
}

}  // namespace bailey
