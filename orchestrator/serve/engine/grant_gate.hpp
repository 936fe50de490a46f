#pragma once

#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace bailey {

/// What somebody asks for: a role of `grantable`, or the glass of an environment.
struct GrantAsk {
  GrantKind kind = GrantKind::Access;
  std::string environment;
  std::string role;                         ///< Empty for an emergency.
  std::optional<std::chrono::seconds> ttl;  ///< Nothing: as long as the spec allows.
  std::string reason;
  std::string incident;  ///< Of an emergency.
};

/// Whether the spec, as it is in this bundle, offers such a grant to its holder: the role is
/// `grantable` to them, or they are among those who may break the glass. Refused and
/// PermissionDenied, codes `grant.*` and `break-glass.*`, with the way out.
[[nodiscard]] Status is_offered(const Bundle& bundle, const Environment& environment,
                                const GrantTerms& terms);

/// The terms of what `holder` asks for. Beyond is_offered(): a reason, and an incident for an
/// emergency (InvalidArgument); no longer than the spec says (`grant.too-long`).
[[nodiscard]] Result<GrantTerms> terms_for(const Bundle& bundle, const Environment& environment,
                                           const Subject& holder, const GrantAsk& ask);

/// The bundle in which the environment's gate is that of such a grant: `approvals` other people,
/// who hold `approve` there, or for an emergency are among those who may break the glass. No
/// operator executes it, nothing is verified, and an emergency knows no Freeze. Policy, gate digest
/// and receipts follow from this bundle, as they do for policy changes. Where the spec offers it no
/// more, nobody can pass the gate.
[[nodiscard]] BundlePointer with_grant_gate(const Bundle& bundle, const std::string& environment,
                                            const GrantTerms& terms);

/// The plan of the change that asks for it: one operation, which is the terms.
[[nodiscard]] Plan grant_plan(const Bundle& bundle, const Environment& environment,
                              const EnvironmentUid& uid, const GrantTerms& terms);

/// Refused, code `grant.too-few-people`, where too few people could ever let it in, or review it
/// afterwards.
[[nodiscard]] Status can_be_met(const Bundle& bundle, const Change& change);

}  // namespace bailey
