#pragma once

#include "orchestrator/model/address.hpp"
#include "orchestrator/model/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace bailey {

/// The owner's mark on everything we make: `bailey:<environment uid>:<address>:<generation>`.
/// After a crash it says whose a found resource is; a provider writes it into tags, metadata or
/// the name.
struct Marker {
  EnvironmentUid environment_uid;
  ResourceAddress address;
  int generation = 1;
  auto operator<=>(const Marker&) const = default;

  [[nodiscard]] std::string str() const;
  /// Nothing when the text is not one of our markers.
  [[nodiscard]] static std::optional<Marker> parse(std::string_view text);
  /// A name that people can read and that no other resource has:
  /// `<environment>-<resource>[-index]-` and ten base32 characters of a hash over the marker.
  [[nodiscard]] std::string unique_name() const;
};

}  // namespace bailey
