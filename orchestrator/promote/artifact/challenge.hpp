#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace bailey {

/// One challenge of a WWW-Authenticate header (RFC 9110 section 11.6.1).
struct AuthChallenge {
  std::string scheme;                             ///< In lower case.
  std::map<std::string, std::string> parameters;  ///< Names in lower case.
};

/// Reads a header that holds one challenge; nothing for what cannot be read, or on a parameter
/// that is there twice.
[[nodiscard]] std::optional<AuthChallenge> parse_challenge(std::string_view header);

}  // namespace bailey
