#include "orchestrator/model/credential.hpp"

#include "orchestrator/model/json_reader.hpp"

namespace bailey {

std::string_view to_string(CredentialStatus status) noexcept {
  switch (status) {
    case CredentialStatus::Issuing:
      return "issuing";
    case CredentialStatus::Active:
      return "active";
    case CredentialStatus::Revoking:
      return "revoking";
    case CredentialStatus::Revoked:
      return "revoked";
  }
  return "";
}

nlohmann::json to_json(const Credential& credential) {
  return {{"id", credential.id.str()},
          {"environment", credential.environment},
          {"environment_uid", credential.environment_uid.str()},
          {"role", credential.role},
          {"entry", credential.entry},
          {"name", credential.name},
          {"provider_id", credential.provider_id},
          {"identity", credential.identity},
          {"status", to_string(credential.status)},
          {"issued_at", credential.issued_at},
          {"expires_at", credential.expires_at},
          {"grant", credential.grant.str()}};
}

nlohmann::json to_json(const Lease& lease) {
  return {{"id", lease.id.str()},
          {"credential", lease.credential.str()},
          {"environment", lease.environment},
          {"role", lease.role},
          {"holder", lease.holder},
          {"issued_at", lease.issued_at},
          {"expires_at", lease.expires_at},
          {"revoked", lease.revoked},
          {"grant", lease.grant.str()}};
}

Result<Credential> credential_from_json(const nlohmann::json& value) {
  Credential credential;
  JsonReader reader(value, "a credential");
  reader.read("id", credential.id);
  reader.read("environment", credential.environment);
  reader.read("environment_uid", credential.environment_uid);
  reader.read("role", credential.role);
  reader.read("entry", credential.entry);
  reader.read("name", credential.name);
  reader.read("provider_id", credential.provider_id);
  reader.read("identity", credential.identity);
  reader.read_word("status",
                   {CredentialStatus::Issuing, CredentialStatus::Active, CredentialStatus::Revoking,
                    CredentialStatus::Revoked},
                   credential.status);
  reader.read("issued_at", credential.issued_at);
  reader.read("expires_at", credential.expires_at);
  reader.read("grant", credential.grant);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return credential;
}

Result<Lease> lease_from_json(const nlohmann::json& value) {
  Lease lease;
  JsonReader reader(value, "a lease");
  reader.read("id", lease.id);
  reader.read("credential", lease.credential);
  reader.read("environment", lease.environment);
  reader.read("role", lease.role);
  reader.read("holder", lease.holder);
  reader.read("issued_at", lease.issued_at);
  reader.read("expires_at", lease.expires_at);
  reader.read("revoked", lease.revoked);
  reader.read("grant", lease.grant);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return lease;
}

}  // namespace bailey
