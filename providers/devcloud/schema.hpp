#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey::devcloud {

/// Keeps members in the order of the text, as the messages of Nova and Barbican show them.
using OrderedJson = nlohmann::ordered_json;

/// The first rule that an instance breaks, worded as Python's jsonschema words it: the services
/// hand those words on.
struct SchemaFault {
  std::vector<std::string> path;  ///< Of the offending value: names and indexes.
  std::string message;
  OrderedJson value;
};

/// Checks against the keywords of JSON Schema draft 4 that the services' schemas use: type, enum,
/// required, properties, patternProperties, additionalProperties, items, minItems, maxItems,
/// uniqueItems, minLength, maxLength, pattern, minimum, maximum, format (uuid), anyOf, oneOf.
/// Keywords are tried in the schema's order, and so decide which fault is the first.
[[nodiscard]] std::optional<SchemaFault> check_schema(const OrderedJson& schema,
                                                      const OrderedJson& instance);

/// `repr()` of the value that Python reads from this JSON.
[[nodiscard]] std::string python_repr(const OrderedJson& value);
/// `str()`: as repr(), but a string as it is.
[[nodiscard]] std::string python_str(const OrderedJson& value);

/// A body once more with its order; null when it is no JSON.
[[nodiscard]] OrderedJson parse_ordered(std::string_view text);

[[nodiscard]] bool looks_like_uuid(std::string_view text);

}  // namespace bailey::devcloud
