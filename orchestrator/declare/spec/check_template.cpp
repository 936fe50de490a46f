#include "orchestrator/base/graph.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/bind.hpp"
#include "orchestrator/declare/spec/resource_fields.hpp"
#include "orchestrator/declare/spec/template_references.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

ValueType value_type(const std::string& parameter_type) {
  if (parameter_type == "integer") return ValueType::Integer;
  if (parameter_type == "boolean") return ValueType::Boolean;
  return ValueType::Text;
}

// Defaults and allowed values get the type that the parameter declares.
void type_parameter(Workspace& workspace, Document& document, const std::string& name, Json& spec) {
  const auto here = step("/parameters", name);
  const auto type = string_member(spec, "type");
  if (type.empty()) return;
  const auto retype = [&](Json& value, const std::string& pointer) {
    const auto* node = document.node(pointer);
    if (node == nullptr || value.is_null()) return;
    value = read_scalar(document, *node, value_type(type), pointer, workspace.report);
  };
  if (spec.contains("default")) retype(spec["default"], step(here, "default"));
  if (spec.contains("enum") && spec["enum"].is_array()) {
    for (std::size_t i = 0; i < spec["enum"].size(); ++i) {
      retype(spec["enum"][i], step(step(here, "enum"), i));
    }
  }
  if (type == "integer") return;
  for (const char* bound : {"minimum", "maximum"}) {
    if (!spec.contains(bound)) continue;
    workspace.report.error("spec.unknown-field", "Unknown field",
                           fmt::format("Only an integer has a \"{}\".", bound),
                           document.key_at(step(here, bound)));
  }
}

void check_parameter(Workspace& workspace, const Document& document, const std::string& name,
                     const Parameter& parameter) {
  const auto here = step("/parameters", name);
  if (document.is_broken(here)) return;
  if (parameter.minimum && parameter.maximum && *parameter.minimum > *parameter.maximum) {
    workspace.report.error("spec.out-of-range", "Number out of range",
                           "The maximum is smaller than the minimum.",
                           document.at(step(here, "maximum")));
  }
  if (!parameter.default_value) return;
  if (auto fault = parameter_fault(parameter, *parameter.default_value)) {
    workspace.report.error("spec.bad-value", "Bad value", "The default is refused: " + *fault,
                           document.at(step(here, "default")));
  }
}

const ProviderSchema* provider_of(Workspace& workspace, const Document& document) {
  const auto found = workspace.providers.find(string_member(document.spec, "provider"));
  if (found == workspace.providers.end()) return nullptr;
  if (!found->second.cloud) {
    workspace.report.error(
        "spec.wrong-provider", "Wrong provider",
        fmt::format("The provider \"{}\" holds artifacts and no environments.", found->first),
        document.at("/provider"));
    return nullptr;
  }
  return &found->second;
}

const ResourceTypeSchema* type_of(Workspace& workspace, Document& document,
                                  const ProviderSchema& provider, const YamlNode& node,
                                  const std::string& here) {
  const auto* type = node.find("type");
  if (type == nullptr) {
    document.broken.insert(here);
    workspace.report.error("spec.missing-field", "Missing field",
                           "The field \"type\" is needed here. Resource type of the provider.",
                           document.key_at(here));
    return nullptr;
  }
  const auto found = provider.resource_types.find(type->scalar);
  if (found != provider.resource_types.end()) return &found->second;
  document.broken.insert(here);
  report_unknown(workspace, "spec.unknown-resource-type", "Unknown resource type", "resource type",
                 type->scalar, keys_of(provider.resource_types), type->at(document.file));
  return nullptr;
}

TemplateShape read_resources(Workspace& workspace, Document& document,
                             const ProviderSchema& provider) {
  TemplateShape shape{&provider, {}, {}};
  auto& resources = document.spec["resources"];
  if (!resources.is_object()) return shape;
  for (auto& [name, value] : resources.items()) {
    const auto here = step("/resources", name);
    const auto* node = document.node(here);
    if (node == nullptr || node->kind != YamlKind::Map) continue;
    const auto* type = type_of(workspace, document, provider, *node, here);
    if (type == nullptr) {
      shape.unread.insert(name);
      continue;
    }
    const auto& table = workspace.table_of(*type);
    value = read_shape(document, *node, table, here, workspace.report);
    shape.tables.emplace(name, &table);
  }
  return shape;
}

void check_cycle(Workspace& workspace, const Document& document, const Template& of) {
  Digraph graph;
  for (const auto& [name, resource] : of.resources) {
    graph.add_node(name);
    for (const auto& target : resources_named_in(resource.fields)) {
      if (of.resources.contains(target)) graph.add_edge(name, target);
    }
  }
  const auto order = graph.topological_order();
  const auto* cycle = std::get_if<Cycle>(&order);
  if (cycle == nullptr) return;
  auto names = cycle->nodes;
  names.push_back(names.front());
  workspace.report.error(
      "spec.dependency-cycle", "Dependency cycle",
      fmt::format("These resources need each other, so none can be made first: {}.",
                  join(names, " -> ")),
      document.key_at(step("/resources", names.front())));
}

}  // namespace

std::optional<std::string> parameter_fault(const Parameter& parameter, const Json& value) {
  if (value.is_null()) return std::nullopt;
  if (!parameter.allowed.empty()) {
    std::vector<std::string> allowed;
    for (const auto& each : parameter.allowed) {
      if (each == value) return std::nullopt;
      allowed.push_back(each.is_string() ? each.get<std::string>() : each.dump());
    }
    return fmt::format("{} is not one of {}.", value.dump(), enumerate(allowed));
  }
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  if (parameter.minimum && number < *parameter.minimum) {
    return fmt::format("{} is less than {}.", number, *parameter.minimum);
  }
  if (parameter.maximum && number > *parameter.maximum) {
    return fmt::format("{} is more than {}.", number, *parameter.maximum);
  }
  return std::nullopt;
}

void read_templates(Workspace& workspace) {
  for (auto* document : workspace.of_kind("Template")) {
    if (document->spec.contains("parameters") && document->spec["parameters"].is_object()) {
      for (auto& [name, spec] : document->spec["parameters"].items()) {
        type_parameter(workspace, *document, name, spec);
      }
    }
    const auto* provider = provider_of(workspace, *document);
    TemplateShape shape;
    if (provider != nullptr) shape = read_resources(workspace, *document, *provider);
    auto& of = workspace.bundle.templates[document->name] =
        bind_template(document->name, document->spec);
    for (const auto& [name, parameter] : of.parameters) {
      check_parameter(workspace, *document, name, parameter);
    }
    if (provider == nullptr) continue;
    check_references(workspace, *document, of, shape);
    check_cycle(workspace, *document, of);
    check_moves(workspace, *document, of);
  }
}

}  // namespace bailey::spec
