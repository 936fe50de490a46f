#include "orchestrator/declare/spec/json_schema.hpp"

#include "orchestrator/declare/spec/field_table.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace bailey {

namespace {

using Json = nlohmann::json;
using spec::FieldTable;
using spec::TextFormat;
using spec::ValueTable;
using spec::ValueType;

/// Only patterns that the reader asks for as well, and never more than it asks.
const char* pattern_of(TextFormat format) {
  switch (format) {
    case TextFormat::Name:
      return "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
    case TextFormat::PersonName:
      return "^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$";
    case TextFormat::FieldName:
      return "^[a-zA-Z][a-zA-Z0-9_-]{0,62}$";
    case TextFormat::Variable:
      return "^[a-zA-Z_][a-zA-Z0-9_]*[*]?$";
    case TextFormat::Tag:
      return "^[^,/]+$";
    case TextFormat::Duration:
      return "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$";
    case TextFormat::ClockTime:
      return "^[0-2][0-9]:[0-5][0-9]$";
    case TextFormat::Holding:
      return "^[a-z-]+@[a-z0-9-]+$";
    case TextFormat::Subject:
      return "^((person|service|group):)?[a-z0-9][a-z0-9.-]*$";
    case TextFormat::Url:
      return "^https?://";
    default:
      return nullptr;
  }
}

Json schema_of(const ValueTable& table, const Json& resource);

Json reference_schema() {
  return {{"type", "string"}, {"pattern", "\\$\\{[^}]+\\}"}};
}

Json text_schema(const ValueTable& table) {
  Json schema{{"type", "string"}};
  if (!table.allowed.empty()) {
    schema["enum"] = table.allowed;
  } else if (const char* pattern = pattern_of(table.format)) {
    schema["pattern"] = pattern;
  } else if (table.format == TextFormat::Any || table.format == TextFormat::Line) {
    // A text may be written without quotes whatever it looks like.
    schema["type"] = {"string", "number", "boolean"};
  }
  if (!table.references || table.allowed.empty()) return schema;
  return {{"anyOf", Json::array({schema, reference_schema()})}};
}

Json object_schema(const ValueTable& table, const Json& resource) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const auto& field : table.fields) {
    Json schema = schema_of(field.value, resource);
    std::string description = field.description;
    if (!field.effective) description += " Not acted upon yet.";
    if (!description.empty()) schema["description"] = description;
    properties[field.name] = std::move(schema);
    if (field.required) required.push_back(field.name);
  }
  Json schema{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (table.exactly_one) {
    const auto beside = std::count_if(table.fields.begin(), table.fields.end(),
                                      [](const FieldTable& field) { return field.beside; });
    if (beside == 0) {
      schema["minProperties"] = 1;
      schema["maxProperties"] = 1;
      return schema;
    }
    for (const auto& field : table.fields) {
      if (!field.beside) schema["oneOf"].push_back({{"required", {field.name}}});
    }
  }
  return schema;
}

Json list_schema(const ValueTable& table, const Json& resource) {
  Json schema{{"type", "array"}, {"items", schema_of(*table.element, resource)}};
  if (table.min_items > 0) schema["minItems"] = table.min_items;
  if (table.unique) schema["uniqueItems"] = true;
  return schema;
}

Json map_schema(const ValueTable& table, const ValueTable& element, const Json& resource) {
  Json schema{{"type", "object"}, {"additionalProperties", schema_of(element, resource)}};
  if (const char* pattern = pattern_of(table.key_format)) {
    schema["propertyNames"] = {{"pattern", pattern}};
  }
  if (table.min_items > 0) schema["minProperties"] = table.min_items;
  return schema;
}

Json number_schema(const ValueTable& table) {
  Json schema{{"type", table.type == ValueType::Integer ? "integer" : "boolean"}};
  if (table.minimum) schema["minimum"] = *table.minimum;
  if (table.maximum) schema["maximum"] = *table.maximum;
  if (!table.references) return schema;
  return {{"anyOf", Json::array({schema, reference_schema()})}};
}

Json schema_of(const ValueTable& table, const Json& resource) {
  switch (table.type) {
    case ValueType::Text:
      return text_schema(table);
    case ValueType::Integer:
    case ValueType::Boolean:
      return number_schema(table);
    case ValueType::Scalar:
      return {{"type", {"string", "number", "boolean"}}};
    case ValueType::Object:
      return object_schema(table, resource);
    case ValueType::List:
      return list_schema(table, resource);
    case ValueType::Map:
      return map_schema(table, *table.element, resource);
    case ValueType::ListOrMap:
      return {{"anyOf", Json::array({list_schema(table, resource),
                                     map_schema(table, *table.alternative, resource)})}};
    case ValueType::Resource:
      return resource;
  }
  return Json::object();
}

Json resource_schema(const ProviderSchemas& providers) {
  Json types = Json::array();
  for (const auto& [provider, schema] : providers) {
    for (const auto& [name, type] : schema.resource_types) {
      Json one = schema_of(spec::resource_table(type), Json::object());
      one["properties"]["type"] = {{"enum", {name}}, {"description", type.description}};
      one["title"] = provider + ": " + name;
      types.push_back(std::move(one));
    }
  }
  if (types.empty()) return {{"type", "object"}};
  return {{"anyOf", std::move(types)}};
}

Json document_schema(const spec::KindTable& kind) {
  const Json name{{"type", "string"}, {"pattern", pattern_of(TextFormat::Name)}};
  const Json metadata{{"type", "object"},
                      {"properties", {{"name", name}}},
                      {"required", {"name"}},
                      {"additionalProperties", false}};
  const Json resource{{"$ref", "#/definitions/resource"}};
  return {{"title", kind.kind},
          {"description", kind.description},
          {"type", "object"},
          {"properties",
           {{"apiVersion", {{"enum", {"bailey/v1"}}}},
            {"kind", {{"enum", {kind.kind}}}},
            {"metadata", metadata},
            {"spec", schema_of(kind.spec, resource)}}},
          {"required", {"apiVersion", "kind", "metadata", "spec"}},
          {"additionalProperties", false}};
}

}  // namespace

Json spec_json_schema(const ProviderSchemas& providers) {
  Json kinds = Json::array();
  for (const auto& kind : spec::kind_tables()) kinds.push_back(document_schema(kind));
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"title", "bailey/v1"},
          {"description", "One document of a bailey spec."},
          {"definitions", {{"resource", resource_schema(providers)}}},
          {"oneOf", std::move(kinds)}};
}

}  // namespace bailey
