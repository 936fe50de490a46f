#pragma once

#include "providers/openstack/home.hpp"

#include <map>
#include <optional>
#include <stop_token>
#include <string>

/// Who a role of an environment is: a Keystone user `bailey-<environment>-<role>-<end of the uid>`
/// with a random password, which is the identity's secret. Its credentials are application
/// credentials that it makes itself, restricted, so that they can make no more of their kind.
namespace bailey::openstack {

[[nodiscard]] Result<Identity> ensure_identity(Home& home, const IdentityRequest& request,
                                               const std::optional<Identity>& known,
                                               std::stop_token stop);
[[nodiscard]] Status remove_identity(Home& home, const std::string& identity, std::stop_token stop);
/// One of the same name, whose secret nobody has any more, is replaced.
[[nodiscard]] Result<IssuedCredential> issue(Home& home, const Identity& identity,
                                             const IssueRequest& request, std::stop_token stop);
/// Returns once Keystone refuses the credential and what was issued by it. A service that has seen
/// such a token may take it from its own cache for as long as its operator allows (five minutes
/// unless configured); nobody can empty that from outside.
[[nodiscard]] Status revoke(Home& home, const Identity& identity, const std::string& provider_id,
                            std::stop_token stop);

/// What issue() hands out, read again.
struct Material {
  std::string auth_url;
  std::string region;
  std::string interface;
  std::string ca_file;
  ApplicationCredentialLogin login;
};
[[nodiscard]] Result<Material> read_material(const Secret& material);
[[nodiscard]] Result<std::map<std::string, Secret>> tool_environment(const Secret& material);

}  // namespace bailey::openstack
