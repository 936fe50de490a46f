#pragma once

#include "orchestrator/model/subject.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace bailey {

/// What the change introduces was verified in that stage.
struct VerifiedCondition {
  std::string in;
};

/// It has run there, verified, for that long.
struct SoakCondition {
  std::string in;
  std::chrono::seconds duration{0};
};

struct ApprovalRule {
  Subject from;
  int count = 1;
};

/// Every rule is filled by its own people: nobody counts twice.
struct ApprovalsCondition {
  std::vector<ApprovalRule> rules;
  std::chrono::seconds expire{std::chrono::hours(72)};
};

struct EvidenceCondition {
  std::string predicate_type;
  std::vector<Subject> signed_by;
};

/// A program of the bundle that answers with its exit code.
struct CheckCondition {
  std::vector<std::string> command;
  std::chrono::seconds timeout{std::chrono::minutes(1)};
};

struct WindowCondition {
  std::set<unsigned> days;  ///< ISO: 1 is Monday.
  std::chrono::minutes from{0};
  std::chrono::minutes to{0};
  std::string zone;  ///< IANA name.
};

using Condition = std::variant<VerifiedCondition, SoakCondition, ApprovalsCondition,
                               EvidenceCondition, CheckCondition, WindowCondition>;

/// All of them must hold.
using Gate = std::vector<Condition>;

/// The word of the spec: `verified`, `soak`, `approvals`, `evidence`, `check` or `window`.
[[nodiscard]] std::string_view kind_of(const Condition& condition) noexcept;

}  // namespace bailey
