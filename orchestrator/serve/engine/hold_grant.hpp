#pragma once

#include "orchestrator/model/grant.hpp"
#include "orchestrator/serve/engine/engine.hpp"
#include "orchestrator/serve/engine/grant_records.hpp"

#include <chrono>
#include <string>

namespace bailey {

/// The caller with the powers that open grants give them now.
[[nodiscard]] Result<Caller> with_grants(Engine& engine, Caller caller);

/// A grant as it may be used at this moment.
struct HeldGrant {
  Grant grant;
  SteadyMoment moment;
  std::chrono::seconds left{0};  ///< At least one.
};

/// The caller's open grant of that role, the one that lasts longest. PermissionDenied when there is
/// none: code `grant.over` for one that has just ended, else `identity.role-missing`.
[[nodiscard]] Result<HeldGrant> held_grant(Engine& engine, const Request& request,
                                           const std::string& environment, const std::string& role);

/// Writes down and logs that a credential is taken by the grant, in the transaction that writes the
/// intent to issue it. Refused, code `grant.over`, when the grant has ended meanwhile.
[[nodiscard]] Status note_use(Engine& engine, Transaction& transaction, const Request& request,
                              const HeldGrant& held, const CredentialId& credential);

}  // namespace bailey
