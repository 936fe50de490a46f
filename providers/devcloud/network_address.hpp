#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

/// Arithmetic on IPv4 and IPv6 addresses, as Neutron needs it.
namespace bailey::devcloud::network {

__extension__ typedef unsigned __int128 AddressNumber;

struct IpAddress {
  int version = 4;
  AddressNumber number = 0;
  auto operator<=>(const IpAddress&) const = default;
};

[[nodiscard]] std::optional<IpAddress> read_address(std::string_view text);
[[nodiscard]] std::string write_address(const IpAddress& address);

struct Cidr {
  IpAddress base;  ///< Host bits are zero.
  int prefix = 0;

  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool overlaps(const Cidr& other) const;
  [[nodiscard]] IpAddress last() const;
};

/// `10.0.0.0/24`; an address alone is all of its bits. Host bits are cleared.
[[nodiscard]] std::optional<Cidr> read_cidr(std::string_view text);
[[nodiscard]] std::string write_cidr(const Cidr& cidr);

}  // namespace bailey::devcloud::network
