#include "orchestrator/declare/spec/resource_fields.hpp"

#include "orchestrator/declare/spec/document.hpp"

namespace bailey::spec {

using Json = nlohmann::json;

void for_each_leaf(const Json& value, const ValueTable& table, const std::string& pointer,
                   const LeafVisitor& visit) {
  if (value.is_null()) return;
  switch (table.type) {
    case ValueType::Text:
    case ValueType::Integer:
    case ValueType::Boolean:
    case ValueType::Scalar:
      visit(value, table, pointer);
      return;
    case ValueType::Object:
      for (const auto& field : table.fields) {
        const auto found = value.find(field.name);
        if (found == value.end()) continue;
        for_each_leaf(*found, field.value, step(pointer, field.name), visit);
      }
      return;
    case ValueType::List:
      for (std::size_t i = 0; i < value.size(); ++i) {
        for_each_leaf(value[i], *table.element, step(pointer, i), visit);
      }
      return;
    case ValueType::Map:
      for (const auto& [key, element] : value.items()) {
        for_each_leaf(element, *table.element, step(pointer, key), visit);
      }
      return;
    case ValueType::ListOrMap:
    case ValueType::Resource:
      return;  // No field of a resource is one.
  }
}

Json substitute(const std::string& text, const Substitution& value_of) {
  const auto scan = scan_references(text);
  std::string out;
  std::size_t at = 0;
  for (const auto& reference : scan.references) {
    const auto value = value_of(reference);
    if (!value) continue;
    if (reference.whole(text)) return *value;
    out += text.substr(at, reference.offset - at);
    out += value->is_string() ? value->get<std::string>() : value->dump();
    at = reference.offset + reference.length;
  }
  return out + text.substr(at);
}

Json substitute_all(const Json& value, const Substitution& value_of) {
  if (value.is_string()) return substitute(value.get<std::string>(), value_of);
  if (!value.is_structured()) return value;
  Json out = value;
  for (auto& element : out) element = substitute_all(element, value_of);
  return out;
}

}  // namespace bailey::spec
