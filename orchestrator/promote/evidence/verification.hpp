#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/ids.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <string>
#include <vector>

namespace bailey {

/// What one program of an environment's `verify` answered.
struct VerificationResult {
  std::vector<std::string> command;
  int exit_code = 0;
  std::string detail;  ///< One line for people.
  bool operator==(const VerificationResult&) const = default;
};

/// What was verified where (`urn:bailey:verification:v1`).
struct VerificationStatement {
  std::string environment;
  EnvironmentUid environment_uid;
  ChangeId change;
  std::string plan_digest;
  std::string verified_at;  ///< RFC 3339.
  std::vector<VerificationResult> results;
  std::vector<std::string> digests;  ///< What passes: artifacts and the template.
  bool operator==(const VerificationStatement&) const = default;

  /// Every program ended with 0. An environment without any passes by being applied.
  [[nodiscard]] bool passed() const noexcept;
};

[[nodiscard]] Statement to_statement(const VerificationStatement& verification);
[[nodiscard]] Result<VerificationStatement> verification_from_statement(const Statement& statement);

}  // namespace bailey
