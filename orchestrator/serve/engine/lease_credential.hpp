#pragma once

#include "orchestrator/base/secret.hpp"
#include "orchestrator/model/credential.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <map>
#include <stop_token>
#include <string>

namespace bailey {

/// A credential in somebody's hands: the variables of the provider's own tools.
struct HandedOut {
  Lease lease;
  std::map<std::string, Secret> variables;
};

/// Hands out a fresh credential for a role that the caller holds in the environment, by a binding
/// or by a grant: then it ends with the grant at the latest, and taking it is written down there.
[[nodiscard]] Result<HandedOut> lease_credential(Engine& engine, const Request& request,
                                                 const std::string& environment,
                                                 const std::string& role, std::chrono::seconds ttl,
                                                 std::stop_token stop);

/// Ends a lease at once, at the provider too: by its holder, or a holder of `administer` there.
[[nodiscard]] Status revoke_one_lease(Engine& engine, const Request& request,
                                      const std::string& environment, const LeaseId& lease,
                                      std::stop_token stop);

/// Ends every credential and lease of a role, or of the whole environment when `role` is empty; the
/// standing ones of the spec are issued anew with the next change. For a holder of `administer`.
[[nodiscard]] Status revoke_credentials(Engine& engine, const Request& request,
                                        const std::string& environment, const std::string& role,
                                        std::stop_token stop);

/// `{"credentials": [...], "leases": [...]}` of one environment, without any secret.
[[nodiscard]] Result<nlohmann::json> list_environment_credentials(Engine& engine,
                                                                  const Request& request,
                                                                  const std::string& environment);

/// Issues the standing credentials of an environment anew and revokes the old ones.
[[nodiscard]] Status rotate_credentials(Engine& engine, const Request& request,
                                        const std::string& environment, std::stop_token stop);

/// After an apply: an identity for each role of the template, a credential for each entry of the
/// spec. Writes nothing once the lease is lost. Safe to repeat.
[[nodiscard]] Status stamp_environment(Engine& engine, const Bundle& bundle,
                                       const Environment& environment, const Fence& fence,
                                       std::stop_token stop);

/// With a destroy: every credential and identity goes. Writes nothing once the lease is lost. Safe
/// to repeat.
[[nodiscard]] Status strip_environment(Engine& engine, const Bundle& bundle,
                                       const Environment& environment, const Fence& fence,
                                       std::stop_token stop);

/// A short-lived credential for Bailey's own programs. `variables` is empty where there is nothing
/// to read yet, or no role that can only read.
struct LentCredential {
  std::optional<Lease> lease;
  std::map<std::string, Secret> variables;
};

/// Lends a credential of a role whose powers are none but `read` and `audit`.
[[nodiscard]] Result<LentCredential> lend_read_credential(Engine& engine, const Bundle& bundle,
                                                          const Environment& environment,
                                                          std::stop_token stop);
/// Gives it back; one that cannot be revoked now ends by itself within minutes.
void return_read_credential(Engine& engine, const Bundle& bundle, const Environment& environment,
                            const LentCredential& lent);

}  // namespace bailey
