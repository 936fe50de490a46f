#include "orchestrator/provision/plan/plan_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/provision/plan/references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace bailey {

namespace {

constexpr std::size_t kLongestValue = 120;

std::string_view sign_of(Action action) {
  switch (action) {
    case Action::Create:
      return "+";
    case Action::Update:
      return "~";
    case Action::Replace:
      return "-/+";
    case Action::Delete:
      return "-";
    case Action::NoOp:
      return " ";
  }
  return " ";
}

std::string_view remark_on(Reason reason) {
  switch (reason) {
    case Reason::GoneAtProvider:
      return "  (gone at the provider)";
    case Reason::Drifted:
      return "  (changed outside of bailey)";
    case Reason::NoLongerDeclared:
      return "  (no longer declared)";
    default:
      return "";
  }
}

/// The value at `flavor` or `metadata.artifact`; a key inside a map may hold dots itself.
const Json& at_path(const std::optional<Json>& inputs, const std::string& path) {
  static const Json kNothing;
  if (!inputs) return kNothing;
  const auto dot = path.find('.');
  const Json& field = member(*inputs, path.substr(0, dot));
  if (dot == std::string::npos || !field.is_object()) return field;
  const auto rest = path.substr(dot + 1);
  const auto inner_dot = rest.find('.');
  if (field.contains(rest) || inner_dot == std::string::npos) return member(field, rest);
  return at_path(field, rest);
}

std::string shown(const Json& value) {
  if (value.is_null()) return "(none)";
  if (has_reference(value)) return "(known after apply)";
  // Escaped to ASCII: what an approver reads must not be reordered or hidden by what it says.
  auto text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kLongestValue) text = text.substr(0, kLongestValue) + "...";
  return text;
}

std::string lines_of(const Operation& operation, std::size_t width) {
  auto text =
      fmt::format("{:>5} {:<{}}  {}{}\n", sign_of(operation.action), operation.address.local(),
                  width, operation.type, remark_on(operation.reason));
  for (const auto& path : operation.changed_fields) {
    if (path == "type" && operation.before && !operation.before->contains("type")) continue;
    text += fmt::format("          {}: {} -> {}\n", path, shown(at_path(operation.before, path)),
                        shown(at_path(operation.after, path)));
  }
  return text;
}

}  // namespace

std::string plan_summary(const Plan& plan) {
  std::map<Action, std::size_t> counts;
  for (const auto& operation : plan.operations) ++counts[operation.action];
  auto text =
      fmt::format("Plan: {} to create, {} to update, {} to replace, {} to delete, {} unchanged",
                  counts[Action::Create], counts[Action::Update], counts[Action::Replace],
                  counts[Action::Delete], counts[Action::NoOp]);
  if (!plan.deferred.empty()) text += fmt::format(", {} deferred", plan.deferred.size());
  return text + ".";
}

std::string render_plan(const Plan& plan) {
  std::size_t width = 0;
  for (const auto& operation : plan.operations) {
    if (operation.action == Action::NoOp) continue;
    width = std::max(width, operation.address.local().size());
  }
  auto text = fmt::format("{} {}\n", plan.kind == PlanKind::Destroy ? "Destroy" : "Apply",
                          plan.environment);
  for (const auto& operation : plan.operations) {
    if (operation.action != Action::NoOp) text += lines_of(operation, width);
  }
  if (!plan.deferred.empty()) text += "Not yet:\n";
  for (const auto& item : plan.deferred) {
    text += fmt::format("      {}: {}\n", item.address.local(), item.reason);
  }
  if (plan.empty()) text += "Nothing to do.\n";
  return text + plan_summary(plan) + "\nDigest: " + plan.digest + "\n";
}

}  // namespace bailey
