#include "orchestrator/model/plan.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <algorithm>

namespace bailey {

namespace {

using Json = nlohmann::json;

Json optional_json(const std::optional<Json>& value) {
  return value ? *value : Json();
}

Json addresses_json(const std::vector<ResourceAddress>& addresses) {
  Json list = Json::array();
  for (const auto& address : addresses) list.push_back(address.str());
  return list;
}

Result<ResourceAddress> address_from_json(const Json& value) {
  if (value.is_string()) {
    if (auto address = ResourceAddress::parse(value.get_ref<const std::string&>())) return *address;
  }
  return fail(ErrorKind::Protocol, "not the address of a resource");
}

void read_optional_address(JsonReader& reader, std::string_view name,
                           std::optional<ResourceAddress>& out) {
  const auto& value = reader.at(name);
  if (value.is_null()) return;
  if (auto address = address_from_json(value)) {
    out = *std::move(address);
  } else {
    reader.refuse(name, "is not the address of a resource");
  }
}

Result<Operation> operation_from_json(const Json& value) {
  Operation operation;
  JsonReader reader(value, "an operation");
  reader.read_text("address", operation.address, ResourceAddress::parse);
  reader.read("type", operation.type);
  reader.read_word("action",
                   {Action::NoOp, Action::Create, Action::Update, Action::Replace, Action::Delete,
                    Action::Record},
                   operation.action);
  reader.read_word(
      "reason",
      {Reason::NotInState, Reason::GoneAtProvider, Reason::FieldsChanged, Reason::Drifted,
       Reason::NoLongerDeclared, Reason::EnvironmentDestroyed, Reason::Moved,
       Reason::ProtectionChanged, Reason::DriftAccepted, Reason::Unchanged},
      operation.reason);
  reader.read("before", operation.before);
  reader.read("after", operation.after);
  reader.read("changed_fields", operation.changed_fields);
  reader.read_list("depends_on", operation.depends_on, address_from_json);
  reader.read("provider_id", operation.provider_id);
  reader.read("generation", operation.generation);
  reader.read("protect", operation.protect);
  read_optional_address(reader, "moved_from", operation.moved_from);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return operation;
}

Result<Deferred> deferred_from_json(const Json& value) {
  Deferred deferred;
  JsonReader reader(value, "a deferred resource");
  reader.read_text("address", deferred.address, ResourceAddress::parse);
  reader.read("reason", deferred.reason);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return deferred;
}

/// All but the operations, of which there may be many, and the digest.
Json frame_of(const Plan& plan) {
  Json deferred = Json::array();
  for (const auto& item : plan.deferred) {
    deferred.push_back({{"address", item.address.str()}, {"reason", item.reason}});
  }
  Json drift = Json::array();
  for (const auto& decision : plan.drift) drift.push_back(to_json(decision));
  return {{"kind", to_string(plan.kind)},
          {"environment", plan.environment},
          {"environment_uid", plan.environment_uid.str()},
          {"spec_digest", plan.spec_digest},
          {"policy_digest", plan.policy_digest},
          {"template_digest", plan.template_digest},
          {"state_serial", plan.state_serial},
          {"artifacts", plan.artifacts},
          {"deferred", std::move(deferred)},
          {"targets", addresses_json(plan.targets)},
          {"drift", std::move(drift)}};
}

std::string digest_of_content(const Plan& plan) {
  return digest_with_list(frame_of(plan), "operations", plan.operations.size(),
                          [&](std::size_t i) { return to_json(plan.operations[i]); });
}

}  // namespace

bool Plan::empty() const noexcept {
  return drift.empty() &&
         std::all_of(operations.begin(), operations.end(),
                     [](const Operation& operation) { return operation.action == Action::NoOp; });
}

std::string_view to_string(Action action) noexcept {
  switch (action) {
    case Action::NoOp:
      return "no-op";
    case Action::Create:
      return "create";
    case Action::Update:
      return "update";
    case Action::Replace:
      return "replace";
    case Action::Delete:
      return "delete";
    case Action::Record:
      return "record";
  }
  return "";
}

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::NotInState:
      return "not-in-state";
    case Reason::GoneAtProvider:
      return "gone-at-provider";
    case Reason::FieldsChanged:
      return "fields-changed";
    case Reason::Drifted:
      return "drifted";
    case Reason::NoLongerDeclared:
      return "no-longer-declared";
    case Reason::EnvironmentDestroyed:
      return "environment-destroyed";
    case Reason::Moved:
      return "moved";
    case Reason::ProtectionChanged:
      return "protection-changed";
    case Reason::DriftAccepted:
      return "drift-accepted";
    case Reason::Unchanged:
      return "unchanged";
  }
  return "";
}

std::string_view to_string(PlanKind kind) noexcept {
  switch (kind) {
    case PlanKind::Apply:
      return "apply";
    case PlanKind::Destroy:
      return "destroy";
  }
  return "";
}

Json to_json(const Operation& operation) {
  return {{"address", operation.address.str()},
          {"type", operation.type},
          {"action", to_string(operation.action)},
          {"reason", to_string(operation.reason)},
          {"before", optional_json(operation.before)},
          {"after", optional_json(operation.after)},
          {"changed_fields", operation.changed_fields},
          {"depends_on", addresses_json(operation.depends_on)},
          {"provider_id", operation.provider_id},
          {"generation", operation.generation},
          {"protect", operation.protect},
          {"moved_from", operation.moved_from ? Json(operation.moved_from->str()) : Json()}};
}

Json to_json(const Plan& plan) {
  Json operations = Json::array();
  for (const auto& operation : plan.operations) operations.push_back(to_json(operation));
  Json value = frame_of(plan);
  value["operations"] = std::move(operations);
  value["digest"] = plan.digest;
  return value;
}

Result<Plan> plan_from_json(const Json& value) {
  Plan plan;
  JsonReader reader(value, "a plan");
  reader.read_word("kind", {PlanKind::Apply, PlanKind::Destroy}, plan.kind);
  reader.read("environment", plan.environment);
  reader.read("environment_uid", plan.environment_uid);
  reader.read("spec_digest", plan.spec_digest);
  reader.read("policy_digest", plan.policy_digest);
  reader.read("template_digest", plan.template_digest);
  reader.read("state_serial", plan.state_serial);
  reader.read("artifacts", plan.artifacts);
  reader.read_list("operations", plan.operations, operation_from_json);
  reader.read_list("deferred", plan.deferred, deferred_from_json);
  reader.read_list("targets", plan.targets, address_from_json);
  reader.read_list("drift", plan.drift, drift_decision_from_json);
  reader.read("digest", plan.digest);
  if (!reader.failed() && plan.digest != digest_of_content(plan)) {
    reader.refuse("digest", "is not that of its content");
  }
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return plan;
}

void seal(Plan& plan) {
  plan.digest = digest_of_content(plan);
}

}  // namespace bailey
