#include "orchestrator/provision/credential/credentials.hpp"
#include "orchestrator/provision/credential/issuing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

using credential::FirstFailure;
using credential::IdentityRow;
using credential::Rows;

enum class Renew : std::uint8_t { WhenNeeded, Always };

class Stamping {
 public:
  Stamping(const CredentialTools& tools, const CredentialScope& scope, const Actor& actor,
           std::stop_token stop)
      : tools_(tools), scope_(scope), rows_(tools, scope, actor), stop_(std::move(stop)) {}

  Status stamp() {
    FirstFailure failure;
    failure.note(revoke_undeclared());
    failure.note(remove_undeclared_identities());
    for (const auto& [name, role] : scope_.roles) {
      if (!role.grants.empty()) failure.note(ensure_identity(name, role));
    }
    for (const auto& [entry, spec] : scope_.credentials) {
      failure.note(ensure_credential(entry, spec, Renew::WhenNeeded));
    }
    return std::move(failure).take();
  }

  Status stamp_one(const std::string& name) {
    const auto role = scope_.roles.find(name);
    if (role == scope_.roles.end() || role->second.grants.empty()) {
      return fail(ErrorKind::FailedPrecondition,
                  fmt::format("the role {} has no grant at the provider", name));
    }
    return ensure_identity(name, role->second);
  }

  Status renew() {
    FirstFailure failure;
    for (const auto& [entry, spec] : scope_.credentials) {
      failure.note(renew_credential(entry, spec));
    }
    return std::move(failure).take();
  }

 private:
  [[nodiscard]] bool has_grants(const std::string& role) const {
    const auto found = scope_.roles.find(role);
    return found != scope_.roles.end() && !found->second.grants.empty();
  }

  // Active, unexpired and not yet due for rotation.
  [[nodiscard]] bool serves(const Credential& one, const CredentialSpec& spec) const {
    const auto now = tools_.clock.wall_now();
    if (one.status != CredentialStatus::Active || credential::expired(one.expires_at, now)) {
      return false;
    }
    const auto issued = parse_time(one.issued_at);
    return !spec.rotate || (issued && *issued + *spec.rotate > now);
  }

  Status revoke_undeclared() {
    return credential::revoke_where(
        tools_, scope_, rows_,
        [&](const Credential& one) {
          if (one.environment_uid != scope_.environment_uid || !has_grants(one.role)) return true;
          if (one.entry.empty()) return false;
          const auto spec = scope_.credentials.find(one.entry);
          return spec == scope_.credentials.end() || spec->second.role != one.role;
        },
        stop_);
  }

  Status remove_undeclared_identities() {
    auto identities = rows_.identities();
    if (!identities) return fail(std::move(identities.error()));
    FirstFailure failure;
    for (auto& row : *identities) {
      if (row.environment_uid == scope_.environment_uid && has_grants(row.role)) continue;
      failure.note(credential::remove_identity(tools_, scope_, rows_, std::move(row), stop_));
    }
    return std::move(failure).take();
  }

  Status ensure_identity(const std::string& role, const Role& spec) {
    auto before = rows_.identity(role);
    if (!before) return fail(std::move(before.error()));
    IdentityRow row;
    row.role = role;
    row.environment_uid = scope_.environment_uid;
    if (*before && (*before)->environment_uid != scope_.environment_uid) {
      return fail(ErrorKind::FailedPrecondition,
                  fmt::format("the identity of role {} of an earlier {} still stands", role,
                              scope_.environment));
    }
    std::optional<Identity> known;
    if (*before) {
      row = **before;
      auto secret = rows_.secret(rows_.context_of(row));
      if (!secret) return fail(std::move(secret.error()));
      if (*secret && !row.id.empty()) known = Identity{row.id, **std::move(secret)};
    } else {
      auto intended = record(row, "identity.intend", nullptr);
      if (!intended) return intended;
    }
    auto identity = tools_.provider.ensure_identity(
        {scope_.environment_uid, scope_.environment, role, scope_.boundary, spec.grants}, known,
        stop_);
    if (!identity) {
      return fail(
          std::move(identity.error())
              .in(fmt::format("giving role {} of {} its identity", role, scope_.environment)));
    }
    auto after = row;
    after.id = identity->id;
    after.grants = spec.grants;
    const bool same_secret = known && known->secret.reveal() == identity->secret.reveal();
    if (same_secret && after == row) return {};
    return record(after, "identity.ensure", same_secret ? nullptr : &identity->secret);
  }

  Status record(const IdentityRow& row, const char* action, const Secret* secret) {
    return rows_.act(
        {action, fmt::format("role:{}/{}", scope_.environment, row.role), "", Outcome::Ok},
        [&](Transaction& transaction) -> Status {
          if (secret != nullptr) {
            auto put = rows_.put_secret(transaction, rows_.context_of(row), *secret);
            if (!put) return put;
          }
          return rows_.put(transaction, row);
        });
  }

  Status ensure_credential(const std::string& entry, const CredentialSpec& spec, Renew renew) {
    auto listing = rows_.all();
    if (!listing) return fail(std::move(listing.error()));
    auto draft = credential::draft_of(tools_, scope_, spec.role, spec.ttl);
    draft.entry = entry;
    for (const auto& one : listing->credentials) {
      if (one.entry != entry || one.environment_uid != scope_.environment_uid) continue;
      if (renew == Renew::WhenNeeded && serves(one, spec)) return {};
      if (one.status == CredentialStatus::Issuing) {
        draft.id = one.id;  // Completed under its old name, so that it replaces what may exist.
        draft.name = one.name;
      }
    }
    auto issued = credential::issue(
        tools_, scope_, rows_, draft,
        [&](Transaction& transaction, const Credential& active, const IssuedCredential& made) {
          return rows_.put_secret(transaction, rows_.context_of(active), made.material);
        },
        stop_);
    if (!issued) return fail(std::move(issued.error()).in("stamping the credential " + entry));
    return {};
  }

  Status renew_credential(const std::string& entry, const CredentialSpec& spec) {
    auto before = rows_.all();
    if (!before) return fail(std::move(before.error()));
    if (auto issued = ensure_credential(entry, spec, Renew::Always); !issued) return issued;
    return credential::revoke_where(
        tools_, scope_, rows_,
        [&](const Credential& one) {
          return one.entry == entry &&
                 std::any_of(before->credentials.begin(), before->credentials.end(),
                             [&](const Credential& old) {
                               return old.id == one.id && old.status != CredentialStatus::Issuing;
                             });
        },
        stop_);
  }

  const CredentialTools& tools_;
  const CredentialScope& scope_;
  Rows rows_;
  std::stop_token stop_;
};

}  // namespace

Status stamp_credentials(const CredentialTools& tools, const CredentialScope& scope,
                         const Actor& actor, std::stop_token stop) {
  FirstFailure failure;
  failure.note(Stamping(tools, scope, actor, stop).stamp());
  failure.note(sweep_credentials(tools, scope, actor, stop));
  return std::move(failure).take();
}

Status stamp_role(const CredentialTools& tools, const CredentialScope& scope,
                  const std::string& role, const Actor& actor, std::stop_token stop) {
  return Stamping(tools, scope, actor, std::move(stop)).stamp_one(role);
}

Status renew_credentials(const CredentialTools& tools, const CredentialScope& scope,
                         const Actor& actor, std::stop_token stop) {
  return Stamping(tools, scope, actor, std::move(stop)).renew();
}

}  // namespace bailey
