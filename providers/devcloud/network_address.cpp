#include "providers/devcloud/network_address.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdint>

namespace bailey::devcloud::network {

namespace {

int bits_of(int version) {
  return version == 4 ? 32 : 128;
}

AddressNumber host_mask(int version, int prefix) {
  const int bits = bits_of(version) - prefix;
  return bits == 0 ? 0 : (~AddressNumber{0} >> (128 - bits));
}

}  // namespace

std::optional<IpAddress> read_address(std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> bytes{};
  IpAddress address;
  address.version = copy.find(':') == std::string::npos ? 4 : 6;
  const int family = address.version == 4 ? AF_INET : AF_INET6;
  if (inet_pton(family, copy.c_str(), bytes.data()) != 1) return std::nullopt;
  for (int i = 0; i < bits_of(address.version) / 8; ++i) {
    address.number = (address.number << 8) | bytes[static_cast<std::size_t>(i)];
  }
  return address;
}

std::string write_address(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{};
  const int size = bits_of(address.version) / 8;
  for (int i = 0; i < size; ++i) {
    bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(address.number >> (8 * (size - 1 - i)));
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.version == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

bool Cidr::contains(const IpAddress& address) const {
  return address.version == base.version && address.number >= base.number &&
         address.number <= last().number;
}

bool Cidr::overlaps(const Cidr& other) const {
  return base.version == other.base.version && (contains(other.base) || other.contains(base));
}

IpAddress Cidr::last() const {
  return {.version = base.version, .number = base.number | host_mask(base.version, prefix)};
}

std::optional<Cidr> read_cidr(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = read_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  int prefix = bits_of(address->version);
  if (slash != std::string_view::npos) {
    const std::string digits(text.substr(slash + 1));
    if (digits.empty() || digits.size() > 3 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      return std::nullopt;
    }
    prefix = std::stoi(digits);
    if (prefix > bits_of(address->version)) return std::nullopt;
  }
  Cidr cidr{.base = *address, .prefix = prefix};
  cidr.base.number &= ~host_mask(address->version, prefix);
  return cidr;
}

std::string write_cidr(const Cidr& cidr) {
  return write_address(cidr.base) + "/" + std::to_string(cidr.prefix);
}

}  // namespace bailey::devcloud::network
