#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/address.hpp"
#include "orchestrator/model/drift.hpp"
#include "orchestrator/model/ids.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

enum class Action : std::uint8_t {
  NoOp,
  Create,
  Update,
  Replace,
  Delete,
  Record,  ///< Nothing happens at the provider: the record alone is brought to what `after` says.
};

/// Why an operation is in the plan; for people, never read by apply.
enum class Reason : std::uint8_t {
  NotInState,        ///< Create: declared and not there.
  GoneAtProvider,    ///< Create: was there and is no longer.
  FieldsChanged,     ///< Update or Replace: the spec changed.
  Drifted,           ///< Update or Replace: the provider's side changed.
  NoLongerDeclared,  ///< Delete.
  EnvironmentDestroyed,
  Moved,              ///< Record: the same thing under another address.
  ProtectionChanged,  ///< Record: `protect` was set or taken away.
  DriftAccepted,      ///< Record: what the provider shows is taken as applied.
  Unchanged,
};

/// One step. `before` and `after` by action: Create has only `after`; Delete only `before`; Update,
/// Replace, Record and NoOp both. Both are in the words of the spec; `after` keeps a reference such
/// as
/// "${resource.net}" as written where its value is known only after apply. No secret is in either.
struct Operation {
  ResourceAddress address;
  std::string type;
  Action action = Action::NoOp;
  Reason reason = Reason::Unchanged;
  std::optional<nlohmann::json> before;
  std::optional<nlohmann::json> after;
  std::vector<std::string> changed_fields;
  std::vector<ResourceAddress> depends_on;
  std::string provider_id;  ///< Of a Create: what it finishes, else empty.
  int generation = 1;       ///< Of the resource that will stand after this step.
  bool protect = false;     ///< Of what will stand: what the record says once it is done.
  /// Where it stands in the record until now, or where its marker at the provider says.
  std::optional<ResourceAddress> moved_from = {};
  bool operator==(const Operation&) const = default;
};

/// A declared resource that this plan leaves out, and why.
struct Deferred {
  ResourceAddress address;
  std::string reason;
  bool operator==(const Deferred&) const = default;
};

enum class PlanKind : std::uint8_t { Apply, Destroy };

/// The full list of operations of one environment, as a value. Approvals name `digest`, and apply
/// refuses a plan whose `state_serial` is no longer the newest: what was approved is what runs.
struct Plan {
  PlanKind kind = PlanKind::Apply;
  std::string environment;
  EnvironmentUid environment_uid;
  std::string spec_digest;    ///< Of this environment's desired resources, references unresolved.
  std::string policy_digest;  ///< Of policy_of(bundle, environment).
  std::string template_digest;
  std::uint64_t state_serial = 0;
  std::map<std::string, std::string> artifacts;  ///< Slot to `repository@sha256:...`.
  std::vector<Operation> operations;             ///< Sorted by address; NoOps included.
  std::vector<Deferred> deferred;
  /// Not empty: a part of what differs, these resources and what they need. Counts as verified
  /// nowhere.
  std::vector<ResourceAddress> targets = {};
  std::vector<DriftDecision> drift = {};  ///< What is decided about findings of drift.
  std::string digest;                     ///< SHA-256 over the RFC 8785 form without this field.
  bool operator==(const Plan&) const = default;

  /// True when there is nothing to do.
  [[nodiscard]] bool empty() const noexcept;
  /// True when it does not bring the whole environment to what is declared: it introduces nothing.
  [[nodiscard]] bool partial() const noexcept { return !targets.empty() || !drift.empty(); }
};

[[nodiscard]] std::string_view to_string(Action action) noexcept;
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;
[[nodiscard]] std::string_view to_string(PlanKind kind) noexcept;
[[nodiscard]] nlohmann::json to_json(const Operation& operation);
[[nodiscard]] nlohmann::json to_json(const Plan& plan);
/// Refuses a plan whose digest is not that of its content.
[[nodiscard]] Result<Plan> plan_from_json(const nlohmann::json& value);
/// Sets `digest` from the rest.
void seal(Plan& plan);

}  // namespace bailey
