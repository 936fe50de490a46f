#pragma once

#include "orchestrator/provision/credential/credentials.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bailey::credential {

/// The row of Collection::Identity.
struct IdentityRow {
  std::string role;  ///< In the key.
  std::string id;    ///< Empty: being made; one may exist at the provider.
  EnvironmentUid environment_uid;
  std::vector<std::string> grants;
  bool operator==(const IdentityRow&) const = default;
};

/// One act, for the audit log. `target` is `credential:<id>` and the like.
struct Act {
  std::string action;
  std::string target;
  std::string detail;
  Outcome outcome = Outcome::Ok;
};

/// The rows of one environment, typed, each write in one transaction with its entry in the log.
class Rows {
 public:
  Rows(const CredentialTools& tools, const CredentialScope& scope, const Actor& actor)
      : tools_(tools), scope_(scope), actor_(actor) {}

  [[nodiscard]] Result<CredentialListing> all();
  [[nodiscard]] Result<std::vector<IdentityRow>> identities();
  [[nodiscard]] Result<std::optional<IdentityRow>> identity(const std::string& role);

  /// Runs `write`, appends the entry, commits: both or neither.
  [[nodiscard]] Status act(const Act& act, const std::function<Status(Transaction&)>& write);

  [[nodiscard]] Status put(Transaction& transaction, const Credential& credential);
  [[nodiscard]] Status put(Transaction& transaction, const Lease& lease);
  [[nodiscard]] Status put(Transaction& transaction, const IdentityRow& row);
  [[nodiscard]] Status put_secret(Transaction& transaction, const SealContext& context,
                                  const Secret& secret);
  [[nodiscard]] Status erase(Transaction& transaction, Collection collection,
                             const std::string& key);

  /// What is sealed for this context; nothing when there is no row.
  [[nodiscard]] Result<std::optional<Secret>> secret(const SealContext& context);

  [[nodiscard]] SealContext context_of(const Credential& credential) const;
  [[nodiscard]] SealContext context_of(const IdentityRow& row) const;
  [[nodiscard]] std::string key(const std::string& name) const;

 private:
  const CredentialTools& tools_;
  const CredentialScope& scope_;
  const Actor& actor_;
};

/// `issued_at` and `expires_at` that cannot be read count as long past.
[[nodiscard]] bool expired(const std::string& time, WallTime now);

}  // namespace bailey::credential
