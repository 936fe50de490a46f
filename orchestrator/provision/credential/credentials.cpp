#include "orchestrator/provision/credential/credentials.hpp"

#include "orchestrator/provision/credential/issuing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

using credential::FirstFailure;
using credential::IdentityRow;
using credential::Rows;

// As long as another thread may reasonably be busy with issuing.
constexpr std::chrono::minutes kIssueGrace{10};

bool unfinished(const Credential& credential, WallTime now) {
  const auto begun = parse_time(credential.issued_at);
  return credential.status == CredentialStatus::Issuing && (!begun || *begun + kIssueGrace <= now);
}

Status sweep(const CredentialTools& tools, const CredentialScope& scope, Rows& rows,
             std::stop_token stop) {
  const auto now = tools.clock.wall_now();
  return credential::revoke_where(
      tools, scope, rows,
      [&](const Credential& one) {
        return one.status == CredentialStatus::Revoking ||
               (one.status == CredentialStatus::Active &&
                credential::expired(one.expires_at, now)) ||
               unfinished(one, now);
      },
      stop);
}

}  // namespace

Result<LeasedCredential> lease_role(const CredentialTools& tools, const CredentialScope& scope,
                                    const LeaseRequest& request, const Actor& actor,
                                    std::stop_token stop) {
  if (request.ttl <= std::chrono::seconds(0) || request.ttl > kMaximumCredentialTtl) {
    return fail(ErrorKind::InvalidArgument,
                fmt::format("a lease lasts {} at most", format_duration(kMaximumCredentialTtl)));
  }
  const auto role = scope.roles.find(request.role);
  if (role == scope.roles.end()) {
    return fail(ErrorKind::NotFound,
                fmt::format("{} has no role {}", scope.environment, request.role));
  }
  if (role->second.grants.empty()) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("the role {} has no grant at the provider", request.role));
  }
  Rows rows(tools, scope, actor);
  auto draft = credential::draft_of(tools, scope, request.role, request.ttl);
  draft.grant = request.grant;
  Lease lease;
  lease.id = LeaseId(new_id(tools.random, "lease"));
  lease.credential = draft.id;
  lease.environment = scope.environment;
  lease.role = request.role;
  lease.holder = request.holder;
  lease.issued_at = draft.issued_at;
  lease.expires_at = draft.expires_at;
  lease.grant = request.grant;
  const auto guard = [&](Transaction& transaction) {
    return request.guard ? request.guard(transaction, draft.id) : Status();
  };
  auto issued = credential::issue(
      tools, scope, rows, draft,
      [&](Transaction& transaction, const Credential&, const IssuedCredential&) {
        return rows.put(transaction, lease);
      },
      stop, guard);
  if (!issued) return fail(std::move(issued.error()));
  return LeasedCredential{std::move(lease), std::move(issued->material)};
}

Status revoke_lease(const CredentialTools& tools, const CredentialScope& scope,
                    const LeaseId& lease, const Actor& actor, std::stop_token stop) {
  Rows rows(tools, scope, actor);
  auto listing = rows.all();
  if (!listing) return fail(std::move(listing.error()));
  const auto found = std::find_if(listing->leases.begin(), listing->leases.end(),
                                  [&](const Lease& one) { return one.id == lease; });
  if (found == listing->leases.end()) {
    return fail(ErrorKind::NotFound,
                fmt::format("{} has no lease {}", scope.environment, lease.str()));
  }
  return credential::revoke_where(
      tools, scope, rows, [&](const Credential& one) { return one.id == found->credential; }, stop);
}

Status revoke_of_grant(const CredentialTools& tools, const CredentialScope& scope,
                       const GrantId& grant, const Actor& actor, std::stop_token stop) {
  Rows rows(tools, scope, actor);
  return credential::revoke_where(
      tools, scope, rows,
      [&](const Credential& one) { return !grant.empty() && one.grant == grant; }, stop);
}

Status revoke_role(const CredentialTools& tools, const CredentialScope& scope,
                   const std::string& role, const Actor& actor, std::stop_token stop) {
  Rows rows(tools, scope, actor);
  return credential::revoke_where(
      tools, scope, rows, [&](const Credential& one) { return one.role == role; }, stop);
}

Status revoke_all(const CredentialTools& tools, const CredentialScope& scope, const Actor& actor,
                  std::stop_token stop) {
  Rows rows(tools, scope, actor);
  return credential::revoke_where(
      tools, scope, rows, [](const Credential&) { return true; }, stop);
}

Status strip_credentials(const CredentialTools& tools, const CredentialScope& scope,
                         const Actor& actor, std::stop_token stop) {
  FirstFailure failure;
  failure.note(revoke_all(tools, scope, actor, stop));
  Rows rows(tools, scope, actor);
  auto identities = rows.identities();
  if (!identities) return fail(std::move(identities.error()));
  for (auto& row : *identities) {
    failure.note(credential::remove_identity(tools, scope, rows, std::move(row), stop));
  }
  return std::move(failure).take();
}

Status sweep_credentials(const CredentialTools& tools, const CredentialScope& scope,
                         const Actor& actor, std::stop_token stop) {
  Rows rows(tools, scope, actor);
  return sweep(tools, scope, rows, stop);
}

Result<Secret> read_standing_credential(const CredentialTools& tools, const CredentialScope& scope,
                                        const std::string& entry, const Actor& actor) {
  Rows rows(tools, scope, actor);
  auto listing = rows.all();
  if (!listing) return fail(std::move(listing.error()));
  const Credential* newest = nullptr;
  for (const auto& one : listing->credentials) {
    const bool good = one.entry == entry && one.environment_uid == scope.environment_uid &&
                      one.status == CredentialStatus::Active &&
                      !credential::expired(one.expires_at, tools.clock.wall_now());
    if (good && (newest == nullptr || one.issued_at > newest->issued_at)) newest = &one;
  }
  if (newest == nullptr || entry.empty()) {
    return fail(ErrorKind::NotFound,
                fmt::format("{} has no credential {}", scope.environment, entry));
  }
  auto secret = rows.secret(rows.context_of(*newest));
  const auto outcome = secret && *secret ? Outcome::Ok : Outcome::Failed;
  auto logged = rows.act({"credential.read", "credential:" + newest->id.str(),
                          fmt::format("{} of {}", entry, scope.environment), outcome},
                         [](Transaction&) { return Status(); });
  if (!logged) return fail(std::move(logged.error()));
  if (!secret) return fail(std::move(secret.error()));
  if (!*secret) return fail(ErrorKind::NotFound, "the credential's secret is lost");
  return **std::move(secret);
}

}  // namespace bailey
