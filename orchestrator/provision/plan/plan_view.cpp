#include "orchestrator/provision/plan/plan_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/provision/plan/differ.hpp"
#include "orchestrator/provision/plan/references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

namespace bailey {

namespace {

constexpr std::size_t kLongestValue = 120;
constexpr std::size_t kLongestLine = 100;
constexpr std::size_t kWidestAddress = 40;
// So much of what two long values have in common is shown before they differ.
constexpr std::size_t kAlikeShown = 20;
// From so many operations on, the summary is told by type as well.
constexpr std::size_t kManyOperations = 10;
constexpr std::string_view kFieldIndent = "        ";

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
  if (operation.moved_from) moved = "moved from " + operation.moved_from->local();
  switch (operation.reason) {
    case Reason::GoneAtProvider:
      return moved + "gone at the provider";
    case Reason::Drifted:
      return moved + "changed outside of bailey";
    case Reason::NoLongerDeclared:
      return moved + "no longer declared";
    case Reason::ProtectionChanged:
      return operation.protect ? "protected from now on" : "no longer protected";
    case Reason::DriftAccepted:
      return "taken as applied";
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
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string cut(std::string text) {
  constexpr std::size_t kRemark = 30;  // Cutting less than this makes nothing shorter.
  if (text.size() <= kLongestValue + kRemark) return text;
  const auto more = text.size() - kLongestValue;
  return text.substr(0, kLongestValue) + fmt::format("... ({} more characters)", more);
}

/// One changed field: its name, and `before -> after` with what has to be said about it.
std::vector<std::string> field_lines(const std::string& path, std::size_t width, const Json& before,
                                     const Json& after, bool forces) {
  auto left = shown(before);
  auto right = shown(after);
  std::string remark;
  const auto alike = static_cast<std::size_t>(
      std::mismatch(left.begin(), left.end(), right.begin(), right.end()).first - left.begin());
  if (std::max(left.size(), right.size()) > kLongestValue && alike > kAlikeShown) {
    const auto skipped = alike - kAlikeShown;
    left = "..." + left.substr(skipped);
    right = "..." + right.substr(skipped);
    remark = fmt::format("  ({} characters before are alike)", skipped);
  }
  if (forces) remark += "  (forces replacement)";
  left = cut(std::move(left));
  right = cut(std::move(right));
  const auto head = fmt::format("{}{:<{}}  ", kFieldIndent, path, width);
  const auto whole = fmt::format("{}{} -> {}{}", head, left, right, remark);
  if (whole.size() <= kLongestLine) return {whole};
  return {head + "   " + left, fmt::format("{:{}}-> {}{}", "", head.size(), right, remark)};
}

const ResourceTypeSchema* schema_of(const ProviderSchemas& schemas, const std::string& type) {
  for (const auto& [name, provider] : schemas) {
    const auto found = provider.resource_types.find(type);
    if (found != provider.resource_types.end()) return &found->second;
  }
  return nullptr;
}

/// The changed fields of a Replace that cannot be changed in place, by the differ that decided it.
std::set<std::string> forcing_fields(const Operation& operation, const ProviderSchemas& schemas) {
  if (operation.action != Action::Replace || !operation.before || !operation.after) return {};
  std::set<std::string> paths{"type"};
  const auto* schema = schema_of(schemas, operation.type);
  if (schema == nullptr) return paths;
  const auto difference =
      diff_fields(*schema, *operation.after, *operation.before, *operation.before);
  for (const auto& field : difference.fields) {
    if (field.replaces) paths.insert(field.path);
  }
  return paths;
}

/// What is said of an operation below its address: what equals of another's can be said once.
struct Block {
  std::string resource;
  std::vector<int> indices;  ///< Empty: not counted.
  Action action = Action::NoOp;
  std::string type;
  std::string remark;
  std::vector<std::string> fields;

  [[nodiscard]] bool alike(const Block& other) const {
    return resource == other.resource && !indices.empty() && !other.indices.empty() &&
           action == other.action && type == other.type && remark == other.remark &&
           fields == other.fields;
  }
  /// `web`, `web[3]`, `web[0..4,7]`.
  [[nodiscard]] std::string name() const {
    std::string list;
    for (std::size_t i = 0; i < indices.size();) {
      std::size_t last = i;
      while (last + 1 < indices.size() && indices[last + 1] == indices[last] + 1) ++last;
      list += fmt::format("{}{}", list.empty() ? "" : ",", indices[i]);
      if (last > i) list += fmt::format("..{}", indices[last]);
      i = last + 1;
    }
    return indices.empty() ? resource : fmt::format("{}[{}]", resource, list);
  }
};

Block block_of(const Operation& operation, const ProviderSchemas& schemas) {
  Block block;
  block.resource = operation.address.resource;
  if (operation.address.index) block.indices.push_back(*operation.address.index);
  block.action = operation.action;
  block.type = operation.type;
  block.remark = remark_on(operation);
  std::size_t width = 0;
  std::vector<std::string> paths;
  for (const auto& path : operation.changed_fields) {
    if (path == "type" && operation.before && !operation.before->contains("type")) continue;
    paths.push_back(path);
    width = std::max(width, path.size());
  }
  const auto forcing = forcing_fields(operation, schemas);
  for (const auto& path : paths) {
    for (auto& line : field_lines(path, width, at_path(operation.before, path),
                                  at_path(operation.after, path), forcing.contains(path))) {
      block.fields.push_back(std::move(line));
    }
  }
  return block;
}

std::vector<Block> blocks_of(const Plan& plan, const ProviderSchemas& schemas) {
  std::vector<Block> blocks;
  std::size_t resource = 0;  // Where the blocks of the resource at hand begin.
  for (const auto& operation : plan.operations) {
    if (operation.action == Action::NoOp) continue;
    auto block = block_of(operation, schemas);
    if (!blocks.empty() && blocks.back().resource != block.resource) resource = blocks.size();
    const auto same =
        std::find_if(blocks.begin() + static_cast<std::ptrdiff_t>(resource), blocks.end(),
                     [&](const Block& each) { return each.alike(block); });
    if (same == blocks.end()) {
      blocks.push_back(std::move(block));
    } else {
      same->indices.push_back(block.indices.front());
    }
  }
  return blocks;
}

std::string render_blocks(const std::vector<Block>& blocks) {
  std::size_t address = 0;
  std::size_t type = 0;
  for (const auto& block : blocks) {
    address = std::max(address, std::min(kWidestAddress, block.name().size()));
    type = std::max(type, block.type.size());
  }
  std::string out;
  for (const auto& block : blocks) {
    auto line = fmt::format("{:>3} {:<7}  {:<{}}  {:<{}}", sign_of(block.action),
                            to_string(block.action), block.name(), address, block.type, type);
    if (block.indices.size() > 1) line += fmt::format("  {} of them", block.indices.size());
    if (!block.remark.empty()) line += "  (" + block.remark + ")";
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    for (const auto& field : block.fields) out += field + "\n";
  }
  return out;
}

std::map<Action, std::size_t> counts_of(const Plan& plan) {
  std::map<Action, std::size_t> counts;
  for (const auto& operation : plan.operations) ++counts[operation.action];
  return counts;
}

std::string resources(std::size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "resource" : "resources");
}

std::string warning(const Plan& plan) {
  auto counts = counts_of(plan);
  const auto deleted = counts[Action::Delete];
  const auto replaced = counts[Action::Replace];
  if (plan.kind == PlanKind::Destroy) {
    return fmt::format(
        "WARNING: this deletes the whole environment: {}, all that they hold, and "
        "its credentials.\n",
        resources(deleted));
  }
  if (deleted + replaced == 0) return {};
  std::vector<std::string> parts;
  if (replaced > 0) parts.push_back(resources(replaced) + " replaced");
  if (deleted > 0) parts.push_back(resources(deleted) + " deleted");
  return fmt::format("WARNING: {}: what they hold now is lost.\n", enumerate(parts));
}

// `  create  20 server, 3 network`, for each action of a plan with many operations.
std::string counts_by_type(const Plan& plan) {
  std::map<Action, std::map<std::string, std::size_t>> counts;
  std::size_t all = 0;
  for (const auto& operation : plan.operations) {
    if (operation.action == Action::NoOp) continue;
    ++counts[operation.action][operation.type];
    ++all;
  }
  std::string out;
  if (all < kManyOperations) return out;
  for (const auto& [action, types] : counts) {
    std::vector<std::string> parts;
    for (const auto& [type, count] : types) parts.push_back(fmt::format("{} {}", count, type));
    out += fmt::format("  {:<7}  {}\n", to_string(action), join(parts, ", "));
  }
  return out;
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
  auto counts = counts_of(plan);
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

std::string render_plan(const Plan& plan, const ProviderSchemas& schemas) {
  auto text = fmt::format("{} {}\n", plan.kind == PlanKind::Destroy ? "Destroy" : "Apply",
                          plan.environment);
  text += warning(plan);
  text += lines_about_parts(plan);
  text += render_blocks(blocks_of(plan, schemas));
  if (!plan.deferred.empty()) text += "Not yet:\n";
  for (const auto& item : plan.deferred) {
    text += fmt::format("      {}: {}\n", item.address.local(), item.reason);
  }
  if (plan.empty()) text += "Nothing to do.\n";
  return text + plan_summary(plan) + "\n" + counts_by_type(plan) + "Digest: " + plan.digest + "\n";
}

}  // namespace bailey
