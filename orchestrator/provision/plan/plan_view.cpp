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
    case Action::Record:
      return "=";
    case Action::NoOp:
      return " ";
  }
  return " ";
}

std::string remark_on(const Operation& operation) {
  std::string moved;
  if (operation.moved_from) moved = "  (moved from " + operation.moved_from->local() + ")";
  switch (operation.reason) {
    case Reason::GoneAtProvider:
      return moved + "  (gone at the provider)";
    case Reason::Drifted:
      return moved + "  (changed outside of bailey)";
    case Reason::NoLongerDeclared:
      return moved + "  (no longer declared)";
    case Reason::ProtectionChanged:
      return operation.protect ? "  (protected from now on)" : "  (no longer protected)";
    case Reason::DriftAccepted:
      return "  (taken as applied)";
    default:
      return moved;
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
  auto text = fmt::format("{:>5} {:<{}}  {}{}\n", sign_of(operation.action),
                          operation.address.local(), width, operation.type, remark_on(operation));
  for (const auto& path : operation.changed_fields) {
    if (path == "type" && operation.before && !operation.before->contains("type")) continue;
    text += fmt::format("          {}: {} -> {}\n", path, shown(at_path(operation.before, path)),
                        shown(at_path(operation.after, path)));
  }
  return text;
}

std::string lines_about_parts(const Plan& plan) {
  std::string text;
  if (!plan.targets.empty()) {
    std::vector<std::string> names;
    for (const auto& target : plan.targets) names.push_back(target.local());
    text += fmt::format("  Only a part: {} and what it needs. It counts as verified nowhere.\n",
                        enumerate(names));
  }
  for (const auto& decision : plan.drift) {
    text += fmt::format("  {} {}: {}", to_string(decision.action), decision.finding.id,
                        describe(decision.finding));
    if (!decision.until.empty()) text += ", until " + decision.until;
    if (!decision.reason.empty()) {
      text +=
          ", because " + Json(decision.reason).dump(-1, ' ', true, Json::error_handler_t::replace);
    }
    text += "\n";
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
  if (counts[Action::Record] > 0) {
    text += fmt::format(", {} in the record only", counts[Action::Record]);
  }
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
  text += lines_about_parts(plan);
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
