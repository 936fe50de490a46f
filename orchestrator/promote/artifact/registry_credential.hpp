#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"

#include <string>
#include <string_view>

namespace bailey {

struct RegistryCredential {
  std::string user;
  Secret password;
};

/// Reads what the source of a registry account holds, for the registry `HOST[:PORT]`: either
/// `{"username": ..., "password": ...}`, or a Docker configuration whose `auths` has an entry for
/// that registry. NotFound with `registry.no-entry` where it has none; Unsupported for credential
/// helpers and identity tokens; Protocol with `registry.bad-credential` for anything else. No
/// message holds a part of the secret.
[[nodiscard]] Result<RegistryCredential> parse_registry_credential(const Secret& text,
                                                                   std::string_view registry);

}  // namespace bailey
