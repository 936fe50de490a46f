#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/ids.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace bailey {

using GrantId = StrongId<struct GrantIdTag>;

enum class CredentialStatus : std::uint8_t {
  Issuing,  ///< Written down before the provider is asked: one may exist there under `name`.
  Active,
  Revoking,  ///< To be revoked; tried until the provider says that it is gone.
  Revoked,
};

/// Provider-issued, for one role in one environment. Its secret part is sealed and stored apart.
struct Credential {
  CredentialId id;
  std::string environment;
  EnvironmentUid environment_uid;
  std::string role;
  std::string entry;        ///< Its key under the environment's `credentials`; empty for a lease's.
  std::string name;         ///< What the provider lists it under; unique.
  std::string provider_id;  ///< The provider's id of the issued credential.
  std::string identity;     ///< The provider's id of who it acts as.
  CredentialStatus status = CredentialStatus::Issuing;
  std::string issued_at;
  std::string expires_at;
  GrantId grant = {};  ///< That it was taken by and ends with; empty: by a binding.
};

/// A time-limited hand-out of a credential to somebody.
struct Lease {
  LeaseId id;
  CredentialId credential;
  std::string environment;
  std::string role;
  std::string holder;  ///< Subject.
  std::string issued_at;
  std::string expires_at;
  bool revoked = false;
  GrantId grant = {};  ///< As that of its credential.
};

[[nodiscard]] std::string_view to_string(CredentialStatus status) noexcept;
[[nodiscard]] nlohmann::json to_json(const Credential& credential);
[[nodiscard]] nlohmann::json to_json(const Lease& lease);
[[nodiscard]] Result<Credential> credential_from_json(const nlohmann::json& value);
[[nodiscard]] Result<Lease> lease_from_json(const nlohmann::json& value);

}  // namespace bailey
