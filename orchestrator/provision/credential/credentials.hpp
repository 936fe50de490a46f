#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/model/credential.hpp"
#include "orchestrator/model/environment.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/model/template.hpp"
#include "orchestrator/provision/credential/sealing.hpp"
#include "orchestrator/provision/provider/provider.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// Who the roles of an environment are at its provider, and what is issued to them.
///
/// Written down before it is tried: a credential's row stands as `issuing`, with the name it will
/// have at the provider, before the provider is asked. What a crash or a lost answer leaves behind
/// is therefore known by name; issuing the same name again replaces it (contract of
/// Provider::issue), which is how it is completed, or got hold of to be revoked. An identity's row
/// stands, without its id, before the identity does. A row that must go is `revoking` until the
/// provider has said that the credential is gone. No transaction is open during a call to the
/// provider, and each step is one transaction with its entry in the audit log: a log that cannot be
/// written stops everything.
///
/// Safe to call from many threads, but stamping, rotating and stripping of one environment only
/// under the environment's lease.
namespace bailey {

inline constexpr std::chrono::seconds kDefaultCredentialTtl = std::chrono::hours(1);
inline constexpr std::chrono::seconds kMaximumCredentialTtl = std::chrono::hours(12);

/// What the functions below work with; all of it outlives the call.
struct CredentialTools {
  StateStore& store;
  Provider& provider;
  const Sealer& sealer;
  const Opener& opener;
  Clock& clock;
  Random& random;
};

/// The environment that it is about.
struct CredentialScope {
  std::string environment;
  EnvironmentUid environment_uid;
  EnvironmentClass environment_class = EnvironmentClass::Production;
  std::string boundary;
  std::map<std::string, Role> roles;  ///< Of the template, and that of an emergency.
  std::map<std::string, CredentialSpec> credentials;  ///< Standing ones, of the spec.
};

[[nodiscard]] CredentialScope scope_of(const Environment& environment, const Template& spec,
                                       const EnvironmentState& state);

/// In whose name it is done, for the audit log.
struct Actor {
  std::string name = "bailey";
  std::string proof = "self";
  std::string request;
};

/// Makes the environment's identities and standing credentials what the spec says: an identity for
/// each role that has grants, an unexpired credential for each entry, and a newer one beside it
/// once its `rotate` has passed; the old one ends with its own time. What is no longer declared, or
/// is left of an earlier environment of this name, is revoked and removed; what is expired or
/// unfinished is cleared away. Goes as far as it can and fails with the first failure; safe to
/// repeat, and changes nothing when all is as it should be.
[[nodiscard]] Status stamp_credentials(const CredentialTools& tools, const CredentialScope& scope,
                                       const Actor& actor, std::stop_token stop);

/// Gives one role its identity, where stamping has not come by since the role is declared.
[[nodiscard]] Status stamp_role(const CredentialTools& tools, const CredentialScope& scope,
                                const std::string& role, const Actor& actor, std::stop_token stop);

/// Issues every standing credential anew and then revokes the ones before: they overlap.
[[nodiscard]] Status renew_credentials(const CredentialTools& tools, const CredentialScope& scope,
                                       const Actor& actor, std::stop_token stop);

struct LeaseRequest {
  std::string role;
  std::string holder;  ///< Subject.
  std::chrono::seconds ttl = kDefaultCredentialTtl;
  GrantId grant = {};  ///< That it is taken by.
  /// Unless empty: asked in the transaction that writes the intent down, with the id that the
  /// credential will have; what it refuses is never asked for at the provider.
  std::function<Status(Transaction&, const CredentialId&)> guard = {};
};

struct LeasedCredential {
  Lease lease;
  Secret material;  ///< The provider's own form; kept nowhere.
};

/// Issues a fresh credential of a role that ends with the lease. The environment must have been
/// stamped (FailedPrecondition). InvalidArgument for a time that is not within
/// kMaximumCredentialTtl. On failure nobody has been given anything.
[[nodiscard]] Result<LeasedCredential> lease_role(const CredentialTools& tools,
                                                  const CredentialScope& scope,
                                                  const LeaseRequest& request, const Actor& actor,
                                                  std::stop_token stop);

/// Success means that the provider refuses the credential from now on. On failure it stays
/// `revoking`, and calling again tries again. NotFound for a lease that never was; success for one
/// that is revoked.
[[nodiscard]] Status revoke_lease(const CredentialTools& tools, const CredentialScope& scope,
                                  const LeaseId& lease, const Actor& actor, std::stop_token stop);
/// All credentials that were taken by a grant, those included whose issuing was interrupted.
[[nodiscard]] Status revoke_of_grant(const CredentialTools& tools, const CredentialScope& scope,
                                     const GrantId& grant, const Actor& actor,
                                     std::stop_token stop);
/// All credentials of a role, leased and standing.
[[nodiscard]] Status revoke_role(const CredentialTools& tools, const CredentialScope& scope,
                                 const std::string& role, const Actor& actor, std::stop_token stop);
/// All credentials of all roles.
[[nodiscard]] Status revoke_all(const CredentialTools& tools, const CredentialScope& scope,
                                const Actor& actor, std::stop_token stop);
/// For destroy: all credentials, and then the identities. The rows of credentials and leases stay,
/// as revoked.
[[nodiscard]] Status strip_credentials(const CredentialTools& tools, const CredentialScope& scope,
                                       const Actor& actor, std::stop_token stop);

/// Tries again what is `revoking`, and revokes what is expired or was never finished. For a regular
/// job.
[[nodiscard]] Status sweep_credentials(const CredentialTools& tools, const CredentialScope& scope,
                                       const Actor& actor, std::stop_token stop);

struct CredentialListing {
  std::vector<Credential> credentials;
  std::vector<Lease> leases;
};

/// Of one environment, by key; without any secret.
[[nodiscard]] Result<CredentialListing> list_credentials(Transaction& transaction,
                                                         const std::string& environment);

/// The material of a standing credential, for delivery: the newest active and unexpired one of that
/// entry. Reading it is an act and goes to the audit log first.
[[nodiscard]] Result<Secret> read_standing_credential(const CredentialTools& tools,
                                                      const CredentialScope& scope,
                                                      const std::string& entry, const Actor& actor);

}  // namespace bailey
