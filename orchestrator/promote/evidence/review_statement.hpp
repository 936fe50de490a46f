#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <string>
#include <string_view>

namespace bailey {

inline constexpr std::string_view kReviewPredicate = "urn:bailey:review:v1";

/// What somebody signs who has looked at an emergency access afterwards (`urn:bailey:review:v1`).
/// `conclusion` is the reviewer's own; everything else is bound. The grant's digest covers who had
/// it, why, who agreed, when it began and ended, each credential that was taken, and where the log
/// tells of it.
struct ReviewStatement {
  std::string conclusion;

  GrantId grant;
  std::string grant_digest;
  ChangeId change;
  std::string environment;
  EnvironmentUid environment_uid;
  std::string holder;
  std::string incident;
  std::string reviewer;   ///< A person.
  std::string issued_at;  ///< RFC 3339.
  std::string nonce;      ///< Issued by the server, good once.
  bool operator==(const ReviewStatement&) const = default;
};

/// All that the grant decides; left to the caller: conclusion, reviewer, issued_at, nonce.
[[nodiscard]] ReviewStatement review_of(const Grant& grant);

/// Its subject is the grant.
[[nodiscard]] Statement to_statement(const ReviewStatement& review);
/// Refuses another predicate type, a missing or unknown member, and other subjects than the grant.
[[nodiscard]] Result<ReviewStatement> review_from_statement(const Statement& statement);

/// Compares every bound field. Refused with `review.mismatch`; the message names the first field
/// that differs.
[[nodiscard]] Status review_matches(const ReviewStatement& signed_one,
                                    const ReviewStatement& expected);

}  // namespace bailey
