#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/declare/spec/expand.hpp"
#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/plan/refresh.hpp"

#include <map>
#include <string>
#include <vector>

namespace bailey {

struct PlanInputs {
  PlanKind kind = PlanKind::Apply;
  /// For a Destroy plan it only says what is protected; it may be empty when the environment is no
  /// longer declared.
  const Expansion& desired;
  const EnvironmentState& environment;
  const std::vector<ResourceState>& resources;
  const Refreshed& refreshed;
  const ProviderSchema& schema;
  std::string policy_digest;
  std::string template_digest;
  std::map<std::string, std::string> artifacts;  ///< Slot to `repository@sha256:...`.
  /// Not empty: only these and what they need. One without an index means every instance.
  std::vector<ResourceAddress> targets = {};
};

/// The plan that leads from what stands to what is declared, sealed. Pure: it depends on the inputs
/// alone and not on their order, so that the same inputs give the same digest.
///
/// - A reference is resolved where the resource it names stays; where that one is made or replaced,
///   the text of the reference stays and the field counts as changed.
/// - What is gone at the provider is created anew, and a replacement too, with the next generation.
/// - A deferred resource that stands already is left alone.
/// - A resource of ours that nobody recorded is taken over when it is declared, else deleted.
/// - What the template moved keeps standing under its new address (`moved_from`). A new resource
///   that takes an old name gets a generation that no marker at the provider has.
/// - With targets, only their operations, those of what they depend on, and those of what refers to
///   something that is made anew or goes.
///
/// Refused, code `plan.protected` and naming each, when a protected resource would be deleted or
/// replaced: as declared, or as recorded when it is no longer declared. Refused, code
/// `plan.move-blocked`, when both ends of a move stand. NotFound, code `plan.unknown-target`, for a
/// target that is neither declared nor there. Unsupported when the provider does not offer a
/// declared type.
[[nodiscard]] Result<Plan> make_plan(const PlanInputs& inputs);

}  // namespace bailey
