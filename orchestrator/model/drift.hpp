#pragma once

#include "orchestrator/base/error.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

enum class DriftKind : std::uint8_t {
  Changed,     ///< A field is not as it was applied.
  Gone,        ///< A recorded resource is no longer there.
  Unrecorded,  ///< Bears our marker and is in no record, or is half made.
  Unmanaged,   ///< Inside the boundary without a marker of ours.
  Foreign,     ///< Inside the boundary with another environment's marker.
};

/// One difference between what was applied and what the provider shows. Values are in the words of
/// the spec, as in a plan; no secret is in them.
struct DriftFinding {
  /// Over all that follows but the time: the same difference keeps its id, another value has
  /// another.
  std::string id;
  DriftKind kind = DriftKind::Changed;
  std::string address;  ///< `environment/resource[0]`; empty for what is not ours.
  std::string type;
  std::string provider_id;
  std::string name;       ///< At the provider, for what is not ours.
  std::string field;      ///< Of a Changed: `flavor` or `metadata.artifact`; else empty.
  nlohmann::json before;  ///< Of a Changed: as applied.
  nlohmann::json after;   ///< Of a Changed: as the provider shows it.
  std::string since;      ///< RFC 3339; when it was first seen.
  bool operator==(const DriftFinding&) const = default;
};

enum class DriftAction : std::uint8_t {
  Accept,   ///< The record takes what the provider shows.
  Restore,  ///< The provider is brought back to what was last applied.
  Ignore,   ///< It stays, and nobody is told, until a time.
};

/// What somebody decided about one finding. It is part of a plan, so that approvals bind it.
struct DriftDecision {
  DriftAction action = DriftAction::Restore;
  DriftFinding finding;
  std::string reason;
  std::string until;  ///< RFC 3339; of an Ignore.
  bool operator==(const DriftDecision&) const = default;
};

/// What looking at one environment came to. Findings that are ignored are among the findings.
struct DriftReport {
  std::string environment;
  std::string environment_uid;
  std::string looked_at;  ///< RFC 3339 of the last look that succeeded; empty: look soon.
  std::string failed_at;  ///< RFC 3339; of a look that failed since; empty otherwise.
  std::string error;
  std::vector<DriftFinding> findings;  ///< Sorted by address, type, id at the provider and field.
  std::vector<DriftDecision> ignored;  ///< Also those of findings that have gone meanwhile.

  /// The decision that holds for a finding at this time, or null.
  [[nodiscard]] const DriftDecision* ignores(const DriftFinding& finding,
                                             std::string_view now) const;
  /// Those that nobody decided to ignore.
  [[nodiscard]] std::size_t open(std::string_view now) const;
};

/// Sets the finding's id from the rest.
void identify(DriftFinding& finding);
/// `dev/web flavor: "small" -> "large"`, `network net-7 (x): not made by bailey`. One line.
[[nodiscard]] std::string describe(const DriftFinding& finding);

[[nodiscard]] std::string_view to_string(DriftKind kind) noexcept;
[[nodiscard]] std::string_view to_string(DriftAction action) noexcept;
[[nodiscard]] nlohmann::json to_json(const DriftFinding& finding);
[[nodiscard]] nlohmann::json to_json(const DriftDecision& decision);
[[nodiscard]] nlohmann::json to_json(const DriftReport& report);
[[nodiscard]] Result<DriftFinding> drift_finding_from_json(const nlohmann::json& value);
[[nodiscard]] Result<DriftDecision> drift_decision_from_json(const nlohmann::json& value);
[[nodiscard]] Result<DriftReport> drift_report_from_json(const nlohmann::json& value);

}  // namespace bailey
