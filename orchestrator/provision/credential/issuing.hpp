#pragma once

#include "orchestrator/provision/credential/credential_rows.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace bailey::credential {

/// A credential that is to be issued: a new one, or one whose issuing was interrupted.
[[nodiscard]] Credential draft_of(const CredentialTools& tools, const CredentialScope& scope,
                                  const std::string& role, std::chrono::seconds ttl);

/// The identity that issues for a role, with its secret. FailedPrecondition before stamping.
[[nodiscard]] Result<Identity> issuer_of(Rows& rows, const CredentialScope& scope,
                                         const std::string& role);

/// Writes the draft down in one transaction with `guard`, asks the provider, and completes the row
/// together with what `also` writes. What `guard` refuses leaves nothing behind. A refusal that
/// proves that nothing was issued ends the row as revoked; otherwise it stays as `issuing`, or as
/// `revoking` when there is no entry that will complete it.
[[nodiscard]] Result<IssuedCredential> issue(
    const CredentialTools& tools, const CredentialScope& scope, Rows& rows, Credential draft,
    const std::function<Status(Transaction&, const Credential&, const IssuedCredential&)>& also,
    std::stop_token stop, const std::function<Status(Transaction&)>& guard = {});

/// Revokes at the provider and in the rows, the lease of it included.
[[nodiscard]] Status revoke(const CredentialTools& tools, const CredentialScope& scope, Rows& rows,
                            Credential credential, std::stop_token stop);

/// Revokes every credential for which `which` is true; goes on after a failure and gives the first.
[[nodiscard]] Status revoke_where(const CredentialTools& tools, const CredentialScope& scope,
                                  Rows& rows, const std::function<bool(const Credential&)>& which,
                                  std::stop_token stop);

/// Revokes what the identity's role has of it, then removes the identity.
[[nodiscard]] Status remove_identity(const CredentialTools& tools, const CredentialScope& scope,
                                     Rows& rows, IdentityRow row, std::stop_token stop);

/// Remembers the first failure of several acts.
class FirstFailure {
 public:
  void note(Status status) {
    if (!status && first_) first_ = std::move(status);
  }
  [[nodiscard]] Status take() && { return std::move(first_); }

 private:
  Status first_;
};

}  // namespace bailey::credential
