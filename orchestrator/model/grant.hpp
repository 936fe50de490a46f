#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/model/credential.hpp"
#include "orchestrator/model/environment.hpp"
#include "orchestrator/model/template.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

enum class GrantKind : std::uint8_t {
  Access,      ///< A role of `grantable`, on request.
  BreakGlass,  ///< Emergency access; its environment stays frozen until it is reviewed.
};

/// The role of an emergency access: its identity at the provider is nobody else's. A template that
/// has a role of this name says by it what that identity may do there; otherwise it may do what the
/// roles with the power `operate` may.
inline constexpr std::string_view kBreakGlassRole = "break-glass";

/// What is asked for and agreed to. The plan of its change holds it, so every approval binds it.
struct GrantTerms {
  GrantKind kind = GrantKind::Access;
  std::string role;
  Subject holder;
  std::set<Power> powers;
  std::vector<std::string> provider_grants;
  std::chrono::seconds ttl{0};
  std::string reason;
  std::string incident;                ///< Of an emergency; else empty.
  std::optional<ApprovalRule> review;  ///< Of an emergency: who has to look at it afterwards.
  std::chrono::seconds review_within{0};
  bool operator==(const GrantTerms&) const;
};

enum class GrantState : std::uint8_t {
  Open,     ///< Its holder may use it.
  Closing,  ///< Over; some credential of it may still live at the provider.
  Closed,   ///< Over, and nothing of it lives.
};

/// One credential that was taken by a grant.
struct GrantUse {
  std::string at;  ///< RFC 3339.
  CredentialId credential;
  std::uint64_t entry = 0;  ///< Index in the log.
  bool operator==(const GrantUse&) const = default;
};

/// A signed review, as it was handed in.
struct GrantReview {
  std::string reviewer;  ///< A person.
  std::string at;
  std::string conclusion;
  nlohmann::json envelope;  ///< DSSE.
  bool operator==(const GrantReview&) const = default;
};

/// A role for a while: what an approved change of kind Grant opened.
struct Grant {
  GrantId id;
  ChangeId change;
  std::string environment;
  EnvironmentUid environment_uid;
  GrantTerms terms;
  std::vector<std::string> agreed;  ///< The people whose approvals let it in.
  GrantState state = GrantState::Open;
  std::string opened_at;  ///< RFC 3339, by the wall clock.
  std::string ends_at;    ///< RFC 3339, in the time of SteadyTime.
  std::uint64_t doubts = 0;
  std::string ended_at;
  std::string ended_because;
  std::vector<GrantUse> uses;
  std::vector<std::uint64_t> entries;  ///< Indexes in the log of its opening and its end.
  std::vector<GrantReview> reviews;
  std::string review_due;   ///< RFC 3339, in the time of SteadyTime; set once it is closed.
  std::string reviewed_at;  ///< Empty until enough have signed.
  bool overdue = false;     ///< It was logged that the review is late.

  /// Closed, and no review is owed: nothing about it will ever change.
  [[nodiscard]] bool settled() const noexcept;
  [[nodiscard]] bool owes_review() const noexcept;
};

/// The part of a role's powers that a grant gives. Approving, deploying, administering and breaking
/// glass are held by binding alone, so that everybody whose word or hand counted for a change
/// stands in the policy that its approvals bind. An emergency access gives `read` and `operate`.
[[nodiscard]] std::set<Power> powers_by_grant(GrantKind kind, const Role& role);

/// The made-up role of an emergency access, see kBreakGlassRole.
[[nodiscard]] Role break_glass_role(const Template& spec);

/// `grt-...` for `chg-...`: a change gives one grant at most.
[[nodiscard]] GrantId grant_of_change(const ChangeId& change);

/// The operation in the plan of a grant's change.
[[nodiscard]] Operation grant_operation(const std::string& environment, const GrantTerms& terms);
/// Protocol unless the plan is that one operation and nothing else.
[[nodiscard]] Result<GrantTerms> terms_of(const Plan& plan);
/// A change that asks for emergency access.
[[nodiscard]] bool is_break_glass(const Change& change);

/// What a reviewer signs for: all but the reviews themselves.
[[nodiscard]] nlohmann::json review_subject(const Grant& grant);
/// SHA-256 over the RFC 8785 form of review_subject().
[[nodiscard]] std::string grant_digest_of(const Grant& grant);

[[nodiscard]] std::string_view to_string(GrantKind kind) noexcept;
[[nodiscard]] std::string_view to_string(GrantState state) noexcept;
[[nodiscard]] nlohmann::json to_json(const GrantTerms& terms);
[[nodiscard]] nlohmann::json to_json(const Grant& grant);
[[nodiscard]] Result<GrantTerms> grant_terms_from_json(const nlohmann::json& value);
[[nodiscard]] Result<Grant> grant_from_json(const nlohmann::json& value);

}  // namespace bailey
