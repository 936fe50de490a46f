#include "orchestrator/provision/credential/issuing.hpp"

#include <fmt/format.h>

namespace bailey::credential {

namespace {

// The provider has answered, and the answer is that it did not do it.
bool proves_nothing_done(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidArgument:
    case ErrorKind::Unauthenticated:
    case ErrorKind::PermissionDenied:
    case ErrorKind::Refused:
    case ErrorKind::NotFound:
    case ErrorKind::QuotaExceeded:
    case ErrorKind::FailedPrecondition:
    case ErrorKind::RateLimited:
    case ErrorKind::Unsupported:
      return true;
    case ErrorKind::Conflict:  // One of the name may be there.
    case ErrorKind::Unavailable:
    case ErrorKind::Timeout:
    case ErrorKind::Cancelled:
    case ErrorKind::Io:
    case ErrorKind::Protocol:
    case ErrorKind::Internal:
      return false;
  }
  return false;
}

std::string about(const Credential& credential) {
  return fmt::format("role {} of {}", credential.role, credential.environment);
}

Act act_on(const Credential& credential, const char* action, Outcome outcome = Outcome::Ok) {
  return {action, "credential:" + credential.id.str(), about(credential), outcome};
}

std::vector<std::string> grants_of(const CredentialScope& scope, const std::string& role,
                                   const std::optional<IdentityRow>& row) {
  const auto found = scope.roles.find(role);
  if (found != scope.roles.end() && !found->second.grants.empty()) return found->second.grants;
  return row ? row->grants : std::vector<std::string>();
}

IssueRequest request_of(const CredentialTools& tools, const CredentialScope& scope,
                        const Credential& credential, std::vector<std::string> grants) {
  const auto expires = parse_time(credential.expires_at);
  return {scope.boundary, credential.name, std::move(grants),
          expires ? *expires : tools.clock.wall_now()};
}

// `again`: an earlier try may have done what this one was refused.
Status settle_refusal(Rows& rows, Credential credential, bool again, const Error& error) {
  if (proves_nothing_done(error.kind()) && !again) {
    credential.status = CredentialStatus::Revoked;
  } else if (credential.entry.empty()) {
    credential.status = CredentialStatus::Revoking;
  }
  return rows.act(act_on(credential, "credential.issue", Outcome::Failed),
                  [&](Transaction& transaction) { return rows.put(transaction, credential); });
}

// Gets hold of what an interrupted issue may have left: the same name again replaces it, and then
// has an id. An hour is enough to revoke it in.
Result<std::string> find_by_issuing_again(const CredentialTools& tools,
                                          const CredentialScope& scope, const Identity& issuer,
                                          const Credential& credential,
                                          std::vector<std::string> grants, std::stop_token stop) {
  auto request = request_of(tools, scope, credential, std::move(grants));
  request.expires_at = tools.clock.wall_now() + std::chrono::hours(1);
  auto issued = tools.provider.issue(issuer, request, stop);
  if (!issued) return fail(std::move(issued.error()));
  return issued->provider_id;
}

// What the provider is told to revoke with. The secret is a help and no need where the provider's
// id is known, so a broken seal does not keep a credential alive.
Result<Identity> revoker_of(Rows& rows, const IdentityRow& row, bool needs_secret) {
  Identity identity{row.id, Secret()};
  auto secret = rows.secret(rows.context_of(row));
  if (!secret && needs_secret) return fail(std::move(secret.error()));
  if (secret && *secret) identity.secret = **std::move(secret);
  return identity;
}

Status revoke_at_provider(const CredentialTools& tools, const CredentialScope& scope, Rows& rows,
                          const Credential& credential, std::stop_token stop) {
  auto row = rows.identity(credential.role);
  if (!row) return fail(std::move(row.error()));
  // Identities are removed after their credentials: without one there is none of them left.
  if (!*row || (*row)->id != credential.identity) return {};
  const bool unnamed = credential.provider_id.empty();
  auto identity = revoker_of(rows, **row, unnamed);
  if (!identity) return fail(std::move(identity.error()));
  auto provider_id = credential.provider_id;
  if (unnamed) {
    auto found = find_by_issuing_again(tools, scope, *identity, credential,
                                       grants_of(scope, credential.role, *row), stop);
    if (!found) return fail(std::move(found.error()));
    provider_id = *std::move(found);
  }
  return tools.provider.revoke(*identity, provider_id, stop);
}

Status end_lease_of(Rows& rows, Transaction& transaction, const Credential& credential) {
  auto listing = list_credentials(transaction, credential.environment);
  if (!listing) return fail(std::move(listing.error()));
  for (auto& lease : listing->leases) {
    if (lease.credential != credential.id || lease.revoked) continue;
    lease.revoked = true;
    if (auto put = rows.put(transaction, lease); !put) return put;
  }
  return {};
}

// The row as it stands now: between reading a list and acting on a member somebody else may have
// been here.
Result<std::optional<Credential>> current(Rows& rows, Transaction& transaction,
                                          const Credential& credential) {
  auto record = transaction.get(Collection::Credential, rows.key(credential.id.str()));
  if (!record) return fail(std::move(record.error()));
  if (!*record) return std::nullopt;
  auto now = credential_from_json((*record)->body);
  if (!now) return fail(std::move(now.error()));
  return *std::move(now);
}

}  // namespace

Credential draft_of(const CredentialTools& tools, const CredentialScope& scope,
                    const std::string& role, std::chrono::seconds ttl) {
  const auto now = tools.clock.wall_now();
  Credential draft;
  draft.id = CredentialId(new_id(tools.random, "cred"));
  draft.environment = scope.environment;
  draft.environment_uid = scope.environment_uid;
  draft.role = role;
  draft.name = fmt::format("bailey-{}-{}-{}", scope.environment, role, draft.id.str());
  draft.status = CredentialStatus::Issuing;
  draft.issued_at = format_time(now);
  draft.expires_at = format_time(now + ttl);
  return draft;
}

Result<Identity> issuer_of(Rows& rows, const CredentialScope& scope, const std::string& role) {
  auto row = rows.identity(role);
  if (!row) return fail(std::move(row.error()));
  if (!*row || (*row)->id.empty() || (*row)->environment_uid != scope.environment_uid) {
    return fail(Error(ErrorKind::FailedPrecondition,
                      fmt::format("the role {} of {} has no identity yet", role, scope.environment))
                    .with_code("credential.not-stamped"));
  }
  auto secret = rows.secret(rows.context_of(**row));
  if (!secret) return fail(std::move(secret.error()));
  if (!*secret) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("the secret of role {} of {} is lost", role, scope.environment));
  }
  return Identity{(*row)->id, **std::move(secret)};
}

Result<IssuedCredential> issue(
    const CredentialTools& tools, const CredentialScope& scope, Rows& rows, Credential draft,
    const std::function<Status(Transaction&, const Credential&, const IssuedCredential&)>& also,
    std::stop_token stop, const std::function<Status(Transaction&)>& guard) {
  auto issuer = issuer_of(rows, scope, draft.role);
  if (!issuer) return fail(std::move(issuer.error()));
  draft.identity = issuer->id;
  bool again = false;
  auto intended =
      rows.act(act_on(draft, "credential.intend"), [&](Transaction& transaction) -> Status {
        auto before = current(rows, transaction, draft);
        if (!before) return fail(std::move(before.error()));
        again = before->has_value();
        if (guard) {
          if (auto may = guard(transaction); !may) return may;
        }
        return rows.put(transaction, draft);
      });
  if (!intended) return fail(std::move(intended.error()));

  auto issued = tools.provider.issue(
      *issuer, request_of(tools, scope, draft, grants_of(scope, draft.role, std::nullopt)), stop);
  if (!issued) {
    // What counts is why there is no credential; the row says by itself that it is unfinished.
    static_cast<void>(settle_refusal(rows, draft, again, issued.error()).has_value());
    return fail(std::move(issued.error()).in("issuing a credential for " + about(draft)));
  }

  auto active = draft;
  active.status = CredentialStatus::Active;
  active.provider_id = issued->provider_id;
  auto recorded =
      rows.act(act_on(active, "credential.issue"), [&](Transaction& transaction) -> Status {
        auto now = current(rows, transaction, draft);
        if (!now) return fail(std::move(now.error()));
        if (!*now || (*now)->status != CredentialStatus::Issuing) {
          return fail(ErrorKind::Conflict, "the credential was revoked while it was issued");
        }
        if (auto put = rows.put(transaction, active); !put) return put;
        return also(transaction, active, *issued);
      });
  if (!recorded) {
    // Nobody will ever hold it. Should this fail too, the row that stays has its name.
    static_cast<void>(tools.provider.revoke(*issuer, issued->provider_id, stop).has_value());
    return fail(std::move(recorded.error()).in("recording a credential for " + about(draft)));
  }
  return issued;
}

Status revoke(const CredentialTools& tools, const CredentialScope& scope, Rows& rows,
              Credential credential, std::stop_token stop) {
  bool over = false;
  auto begun = rows.act(act_on(credential, "credential.revoke-begin"),
                        [&](Transaction& transaction) -> Status {
                          auto now = current(rows, transaction, credential);
                          if (!now) return fail(std::move(now.error()));
                          over = !*now || (*now)->status == CredentialStatus::Revoked;
                          if (over) return {};
                          credential = **std::move(now);
                          credential.status = CredentialStatus::Revoking;
                          return rows.put(transaction, credential);
                        });
  if (!begun || over) return begun;

  auto gone = revoke_at_provider(tools, scope, rows, credential, stop);
  if (!gone) {
    auto logged = rows.act(act_on(credential, "credential.revoke", Outcome::Failed),
                           [](Transaction&) { return Status(); });
    static_cast<void>(logged.has_value());  // The row says it already: it stays as revoking.
    return fail(std::move(gone.error()).in("revoking a credential of " + about(credential)));
  }
  credential.status = CredentialStatus::Revoked;
  return rows.act(act_on(credential, "credential.revoke"), [&](Transaction& transaction) -> Status {
    if (auto put = rows.put(transaction, credential); !put) return put;
    if (auto ended = end_lease_of(rows, transaction, credential); !ended) return ended;
    return rows.erase(transaction, Collection::Sealed, credential.id.str());
  });
}

Status revoke_where(const CredentialTools& tools, const CredentialScope& scope, Rows& rows,
                    const std::function<bool(const Credential&)>& which, std::stop_token stop) {
  auto listing = rows.all();
  if (!listing) return fail(std::move(listing.error()));
  FirstFailure failure;
  for (const auto& credential : listing->credentials) {
    if (credential.status == CredentialStatus::Revoked || !which(credential)) continue;
    failure.note(revoke(tools, scope, rows, credential, stop));
  }
  return std::move(failure).take();
}

Status remove_identity(const CredentialTools& tools, const CredentialScope& scope, Rows& rows,
                       IdentityRow row, std::stop_token stop) {
  auto revoked = revoke_where(
      tools, scope, rows,
      [&](const Credential& credential) {
        return credential.role == row.role && credential.environment_uid == row.environment_uid;
      },
      stop);
  if (!revoked) return revoked;
  if (row.id.empty()) {
    // Interrupted while it was made: asking for it gives the one that may exist, or a new one.
    auto found = tools.provider.ensure_identity(
        {row.environment_uid, scope.environment, row.role, scope.boundary, {}}, std::nullopt, stop);
    if (!found) return fail(std::move(found.error()));
    row.id = std::move(found->id);
  }
  if (auto removed = tools.provider.remove_identity(row.id, stop); !removed) {
    return fail(std::move(removed.error())
                    .in(fmt::format("removing the identity of role {} of {}", row.role,
                                    scope.environment)));
  }
  return rows.act(
      {"identity.remove", fmt::format("role:{}/{}", scope.environment, row.role), "", Outcome::Ok},
      [&](Transaction& transaction) -> Status {
        auto erased = rows.erase(transaction, Collection::Sealed, rows.context_of(row).id);
        if (!erased) return erased;
        return rows.erase(transaction, Collection::Identity, rows.key(row.role));
      });
}

}  // namespace bailey::credential
