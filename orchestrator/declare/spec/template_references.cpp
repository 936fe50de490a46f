#include "orchestrator/declare/spec/template_references.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/formats.hpp"
#include "orchestrator/declare/spec/resource_fields.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

const char* word_for(ParameterType type) {
  switch (type) {
    case ParameterType::String:
      return "a text";
    case ParameterType::Integer:
      return "a whole number";
    case ParameterType::Boolean:
      return "true or false";
  }
  return "a value";
}

bool fits(ParameterType parameter, ValueType field) {
  switch (field) {
    case ValueType::Integer:
      return parameter == ParameterType::Integer;
    case ValueType::Boolean:
      return parameter == ParameterType::Boolean;
    default:
      return parameter == ParameterType::String;
  }
}

class ReferenceCheck {
 public:
  ReferenceCheck(Workspace& workspace, const Document& document, const Template& of,
                 const TemplateShape& shape)
      : workspace_(workspace), document_(document), template_(of), shape_(shape) {}

  void run() {
    for (const auto& [name, table] : shape_.tables) {
      const auto here = step("/resources", name);
      const auto resource = template_.resources.find(name);
      if (resource == template_.resources.end()) continue;
      check_count(resource->second, step(here, "count"));
      for_each_leaf(resource->second.fields, *table, here,
                    [&](const Json& value, const ValueTable& leaf, const std::string& pointer) {
                      if (value.is_string()) text(value.get<std::string>(), leaf, pointer, false);
                    });
    }
    ValueTable output;
    output.references = true;
    for (const auto& [name, value] : template_.outputs) {
      text(value, output, step("/outputs", name), true);
    }
  }

 private:
  void error(const char* code, const char* summary, std::string detail, const Reference& reference,
             const std::string& pointer, std::string suggestion = {}) {
    workspace_.report.error(code, summary, std::move(detail), place(reference, pointer),
                            std::move(suggestion));
  }

  [[nodiscard]] SourceRange place(const Reference& reference, const std::string& pointer) const {
    return document_.within(pointer, reference.offset, reference.length);
  }

  void check_count(const ResourceSpec& resource, const std::string& pointer) {
    if (!resource.count.is_string()) return;
    ValueTable table;
    table.type = ValueType::Integer;
    table.references = true;
    text(resource.count.get<std::string>(), table, pointer, false);
  }

  void text(const std::string& value, const ValueTable& table, const std::string& pointer,
            bool output) {
    const auto scan = scan_references(value);
    for (const auto& fault : scan.faults) {
      workspace_.report.error("spec.bad-reference", "Bad reference", fault.detail,
                              document_.within(pointer, fault.offset, fault.length),
                              fault.suggestion);
    }
    for (const auto& reference : scan.references) {
      one(reference, reference.whole(value), table, pointer, output);
    }
    if (!scan.faults.empty()) return;
    const bool whole = scan.references.size() == 1 && scan.references[0].whole(value);
    const bool scalar = table.type == ValueType::Integer || table.type == ValueType::Boolean;
    if (scalar && !(whole && scan.references[0].root == ReferenceRoot::Parameter)) {
      workspace_.report.error("spec.wrong-reference-type", "Wrong type of reference",
                              "Only a parameter of the same type can stand here, on its own.",
                              document_.at(pointer));
    }
    if (table.refers_to.empty()) return;
    if (whole && scan.references[0].root == ReferenceRoot::Resource) return;
    workspace_.report.error(
        "spec.wrong-reference-type", "Wrong type of reference",
        fmt::format("This field holds a reference to a resource of type \"{}\", such as "
                    "\"${{resource.NAME}}\": an environment uses what is its own.",
                    table.refers_to),
        document_.at(pointer));
  }

  void one(const Reference& reference, bool whole, const ValueTable& table,
           const std::string& pointer, bool output) {
    switch (reference.root) {
      case ReferenceRoot::Parameter:
        parameter(reference, whole, table, pointer, output);
        return;
      case ReferenceRoot::Environment:
        return;
      case ReferenceRoot::Artifact:
        for (const auto& slot : template_.artifacts) {
          if (slot == reference.name) return;
        }
        report_unknown(workspace_, "spec.unknown-artifact", "Unknown artifact", "artifact slot",
                       reference.name, template_.artifacts, place(reference, pointer));
        return;
      case ReferenceRoot::Resource:
        resource(reference, table, pointer, output);
        return;
      case ReferenceRoot::Change:
        error("spec.reference-not-allowed", "Reference not allowed",
              "A change is known to checks alone; a template is the same for every change.",
              reference, pointer);
        return;
    }
  }

  void parameter(const Reference& reference, bool whole, const ValueTable& table,
                 const std::string& pointer, bool output) {
    const auto found = template_.parameters.find(reference.name);
    if (found == template_.parameters.end()) {
      report_unknown(workspace_, "spec.unknown-parameter", "Unknown parameter", "parameter",
                     reference.name, keys_of(template_.parameters), place(reference, pointer));
      return;
    }
    if (document_.is_broken(step("/parameters", reference.name)) || output) return;
    const auto type = found->second.type;
    if (!whole || fits(type, table.type)) return;
    error("spec.wrong-reference-type", "Wrong type of reference",
          fmt::format("The parameter \"{}\" is {}, which does not fit this field.", reference.name,
                      word_for(type)),
          reference, pointer);
  }

  void resource(const Reference& reference, const ValueTable& table, const std::string& pointer,
                bool output) {
    const auto found = template_.resources.find(reference.name);
    if (found == template_.resources.end()) {
      report_unknown(workspace_, "spec.unknown-resource", "Unknown resource", "resource",
                     reference.name, keys_of(template_.resources), place(reference, pointer));
      return;
    }
    const auto target = step("/resources", reference.name);
    if (document_.broken.contains(target) || document_.broken.contains(step(target, "count")))
      return;
    const bool counted = !found->second.count.is_null();
    if (counted && !reference.index && !output) {
      error("spec.counted-reference", "Reference to a counted resource",
            fmt::format("\"{}\" has a count: say which one is meant.", reference.name), reference,
            pointer,
            fmt::format("${{resource.{}[0]{}{}}}", reference.name,
                        reference.attribute.empty() ? "" : ".", reference.attribute));
    }
    if (!counted && reference.index) {
      error("spec.counted-reference", "Index without a count",
            fmt::format("\"{}\" has no count, so it has no index.", reference.name), reference,
            pointer);
    }
    if (shape_.unread.contains(reference.name)) return;
    const auto type = shape_.provider->resource_types.find(found->second.type);
    if (type == shape_.provider->resource_types.end()) return;
    if (!reference.attribute.empty() && !type->second.attributes.contains(reference.attribute)) {
      report_unknown(workspace_, "spec.unknown-attribute", "Unknown attribute",
                     ("attribute of \"" + found->second.type + "\" named").c_str(),
                     reference.attribute, keys_of(type->second.attributes),
                     place(reference, pointer));
    }
    if (table.refers_to.empty() || table.refers_to == found->second.type) return;
    error("spec.wrong-reference-type", "Wrong type of reference",
          fmt::format("\"{}\" is of type \"{}\", and this field refers to one of type \"{}\".",
                      reference.name, found->second.type, table.refers_to),
          reference, pointer);
  }

  Workspace& workspace_;
  const Document& document_;
  const Template& template_;
  const TemplateShape& shape_;
};

/// Looks at a template through the eyes of one environment.
class ExpandedCheck {
 public:
  ExpandedCheck(Workspace& workspace, const Document& document, const Template& of,
                const Environment& environment)
      : workspace_(workspace),
        document_(document),
        template_(of),
        environment_(environment),
        values_(parameter_values(of, environment)) {}

  void run() {
    const auto provider = workspace_.providers.find(template_.provider);
    if (provider == workspace_.providers.end()) return;
    for (const auto& [name, resource] : template_.resources) {
      check_count(name, resource);
      const auto type = provider->second.resource_types.find(resource.type);
      if (type == provider->second.resource_types.end()) continue;
      for_each_leaf(resource.fields, workspace_.table_of(type->second), "",
                    [&, &resource_name = name](const Json& value, const ValueTable& table,
                                               const std::string&) {
                      if (value.is_string()) leaf(value.get<std::string>(), table, resource_name);
                    });
    }
  }

 private:
  [[nodiscard]] std::optional<std::int64_t> count_of(const ResourceSpec& resource) const {
    Json count = resource.count;
    if (count.is_string()) count = resolve(count.get<std::string>());
    if (!count.is_number_integer()) return std::nullopt;
    return count.get<std::int64_t>();
  }

  [[nodiscard]] Json resolve(const std::string& text) const {
    return substitute(text, [&](const Reference& reference) -> std::optional<Json> {
      if (reference.root == ReferenceRoot::Environment) {
        return reference.name == "name"
                   ? Json(environment_.name)
                   : Json(std::string(to_string(environment_.environment_class)));
      }
      if (reference.root != ReferenceRoot::Parameter) return std::nullopt;
      const auto found = values_.find(reference.name);
      if (found == values_.end() || found->second.is_null()) return std::nullopt;
      return found->second;
    });
  }

  // The parameter that the environment sets, or else the line that names the template.
  [[nodiscard]] SourceRange place(const std::string& text) const {
    for (const auto& reference : scan_references(text).references) {
      if (reference.root != ReferenceRoot::Parameter) continue;
      const auto pointer = step("/parameters", reference.name);
      if (document_.node(pointer) != nullptr) return document_.at(pointer);
    }
    return document_.at("/template");
  }

  void check_count(const std::string& name, const ResourceSpec& resource) {
    const auto count = count_of(resource);
    if (!resource.count.is_string() || !count || (*count >= 0 && *count <= 1000)) return;
    workspace_.report.error("spec.out-of-range", "Number out of range",
                            fmt::format("The count of \"{}\" would be {}, and from 0 to 1000 is "
                                        "allowed.",
                                        name, *count),
                            place(resource.count.get<std::string>()));
  }

  void leaf(const std::string& text, const ValueTable& table, const std::string& name) {
    const auto scan = scan_references(text);
    bool known = !scan.references.empty();
    for (const auto& reference : scan.references) {
      if (reference.root == ReferenceRoot::Resource) check_index(reference, text, name);
      known = known && (reference.root == ReferenceRoot::Parameter ||
                        reference.root == ReferenceRoot::Environment);
    }
    if (known) value(resolve(text), table, text, name);
  }

  void check_index(const Reference& reference, const std::string& text, const std::string& name) {
    const auto target = template_.resources.find(reference.name);
    if (target == template_.resources.end() || !reference.index) return;
    const auto count = count_of(target->second);
    if (!count || *reference.index < *count) return;
    const auto where = target->second.count.is_string()
                           ? place(target->second.count.get<std::string>())
                           : place(text);
    workspace_.report.error("spec.index-out-of-range", "Index out of range",
                            fmt::format("\"{}\" refers to \"{}[{}]\", and here there are {}.", name,
                                        reference.name, *reference.index, *count),
                            where);
  }

  void value(const Json& resolved, const ValueTable& table, const std::string& text,
             const std::string& name) {
    if (resolved.is_number_integer()) {
      const auto number = resolved.get<std::int64_t>();
      const bool low = table.minimum && number < *table.minimum;
      const bool high = table.maximum && number > *table.maximum;
      if (!low && !high) return;
      workspace_.report.error("spec.out-of-range", "Number out of range",
                              fmt::format("{} is refused by a field of \"{}\".", number, name),
                              place(text));
    }
    if (!resolved.is_string() || resolved.get<std::string>().find("${") != std::string::npos)
      return;
    const auto word = resolved.get<std::string>();
    if (!table.allowed.empty() &&
        std::find(table.allowed.begin(), table.allowed.end(), word) == table.allowed.end()) {
      workspace_.report.error("spec.bad-value", "Bad value",
                              fmt::format("\"{}\" is refused by a field of \"{}\": allowed are {}.",
                                          word, name, enumerate(table.allowed)),
                              place(text), nearest(word, table.allowed).value_or(""));
    } else if (const auto fault = check_format(table.format, word)) {
      workspace_.report.error(fault->code, fault->summary,
                              fmt::format("For a field of \"{}\": {}", name, fault->detail),
                              place(text));
    }
  }

  Workspace& workspace_;
  const Document& document_;
  const Template& template_;
  const Environment& environment_;
  std::map<std::string, Json> values_;
};

}  // namespace

void check_references(Workspace& workspace, const Document& document, const Template& of,
                      const TemplateShape& shape) {
  ReferenceCheck(workspace, document, of, shape).run();
}

std::set<std::string> resources_named_in(const Json& fields) {
  std::set<std::string> names;
  if (fields.is_string()) {
    for (const auto& reference : scan_references(fields.get<std::string>()).references) {
      if (reference.root == ReferenceRoot::Resource) names.insert(reference.name);
    }
  } else if (fields.is_structured()) {
    for (const auto& each : fields) names.merge(resources_named_in(each));
  }
  return names;
}

void check_expanded(Workspace& workspace, const Document& document, const Template& of,
                    const Environment& environment) {
  ExpandedCheck(workspace, document, of, environment).run();
}

}  // namespace bailey::spec
