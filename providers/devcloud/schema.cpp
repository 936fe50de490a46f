#include "providers/devcloud/schema.hpp"

#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <regex>
#include <utility>

namespace bailey::devcloud {

namespace {

using Fault = std::optional<SchemaFault>;

Fault fault(const OrderedJson& value, std::string message) {
  return SchemaFault{.path = {}, .message = std::move(message), .value = value};
}

/// A fault within the member or element `step`.
Fault within(Fault inner, const std::string& step) {
  if (inner) inner->path.insert(inner->path.begin(), step);
  return inner;
}

bool matches(const std::string& text, const std::string& pattern) {
  static std::mutex mutex;
  static std::map<std::string, std::regex> compiled;
  const std::lock_guard lock(mutex);
  auto known = compiled.find(pattern);
  if (known == compiled.end()) known = compiled.emplace(pattern, std::regex(pattern)).first;
  return std::regex_search(text, known->second);
}

bool has_type(const OrderedJson& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

Fault check_type(const OrderedJson& rule, const OrderedJson& value) {
  std::vector<std::string> types;
  if (rule.is_string()) {
    types.push_back(rule.get<std::string>());
  } else {
    for (const auto& type : rule) types.push_back(type.get<std::string>());
  }
  for (const std::string& type : types) {
    if (has_type(value, type)) return std::nullopt;
  }
  for (std::string& type : types) type = "'" + type + "'";
  return fault(value, python_repr(value) + " is not of type " + join(types, ", "));
}

Fault check_properties(const OrderedJson& rule, const OrderedJson& value) {
  if (!value.is_object()) return std::nullopt;
  for (const auto& [name, schema] : rule.items()) {
    const auto found = value.find(name);
    if (found == value.end()) continue;
    if (Fault inner = within(check_schema(schema, *found), name)) return inner;
  }
  return std::nullopt;
}

Fault check_pattern_properties(const OrderedJson& rule, const OrderedJson& value) {
  if (!value.is_object()) return std::nullopt;
  for (const auto& [pattern, schema] : rule.items()) {
    for (const auto& [name, member] : value.items()) {
      if (!matches(name, pattern)) continue;
      if (Fault inner = within(check_schema(schema, member), name)) return inner;
    }
  }
  return std::nullopt;
}

Fault check_additional(const OrderedJson& schema, const OrderedJson& rule,
                       const OrderedJson& value) {
  if (!value.is_object()) return std::nullopt;
  const OrderedJson none = OrderedJson::object();
  const OrderedJson& properties = schema.value("properties", none);
  const OrderedJson& patterns = schema.value("patternProperties", none);
  std::vector<std::string> extra;
  for (const auto& [name, member] : value.items()) {
    if (properties.contains(name)) continue;
    const bool fits =
        std::any_of(patterns.items().begin(), patterns.items().end(),
                    [&, &name = name](const auto& item) { return matches(name, item.key()); });
    if (fits) continue;
    if (rule.is_object()) {
      if (Fault inner = within(check_schema(rule, member), name)) return inner;
      continue;
    }
    extra.push_back(python_repr(name));
  }
  if (extra.empty() || !rule.is_boolean() || rule.get<bool>()) return std::nullopt;
  if (!patterns.empty()) {
    std::vector<std::string> known;
    for (const auto& [pattern, ignored] : patterns.items()) known.push_back(python_repr(pattern));
    std::sort(extra.begin(), extra.end());
    return fault(value, fmt::format("{} {} not match any of the regexes: {}", join(extra, ", "),
                                    extra.size() == 1 ? "does" : "do", join(known, ", ")));
  }
  return fault(value, fmt::format("Additional properties are not allowed ({} {} unexpected)",
                                  join(extra, ", "), extra.size() == 1 ? "was" : "were"));
}

Fault check_required(const OrderedJson& rule, const OrderedJson& value) {
  if (!value.is_object()) return std::nullopt;
  for (const auto& name : rule) {
    if (!value.contains(name.get<std::string>())) {
      return fault(value, python_repr(name) + " is a required property");
    }
  }
  return std::nullopt;
}

Fault check_items(const OrderedJson& rule, const OrderedJson& value) {
  if (!value.is_array()) return std::nullopt;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (Fault inner = within(check_schema(rule, value[i]), std::to_string(i))) return inner;
  }
  return std::nullopt;
}

Fault check_unique(const OrderedJson& value) {
  if (!value.is_array()) return std::nullopt;
  for (std::size_t i = 0; i < value.size(); ++i) {
    for (std::size_t j = i + 1; j < value.size(); ++j) {
      if (value[i] == value[j]) {
        return fault(value, python_repr(value) + " has non-unique elements");
      }
    }
  }
  return std::nullopt;
}

Fault check_any(const OrderedJson& rule, const OrderedJson& value) {
  for (const auto& schema : rule) {
    if (!check_schema(schema, value)) return std::nullopt;
  }
  return fault(value, python_repr(value) + " is not valid under any of the given schemas");
}

Fault check_enum(const OrderedJson& rule, const OrderedJson& value) {
  for (const auto& choice : rule) {
    if (choice == value) return std::nullopt;
  }
  return fault(value, python_repr(value) + " is not one of " + python_repr(rule));
}

Fault check_number(const std::string& keyword, const OrderedJson& rule, const OrderedJson& value) {
  if (!value.is_number()) return std::nullopt;
  const double given = value.get<double>();
  const double limit = rule.get<double>();
  if (keyword == "minimum" && given < limit) {
    return fault(value, python_repr(value) + " is less than the minimum of " + python_repr(rule));
  }
  if (keyword == "maximum" && given > limit) {
    return fault(value,
                 python_repr(value) + " is greater than the maximum of " + python_repr(rule));
  }
  return std::nullopt;
}

Fault check_size(const std::string& keyword, const OrderedJson& rule, const OrderedJson& value) {
  const bool of_text = keyword == "minLength" || keyword == "maxLength";
  if (of_text ? !value.is_string() : !value.is_array()) return std::nullopt;
  const std::size_t size =
      of_text ? utf8_length(value.get_ref<const std::string&>()) : value.size();
  const auto limit = rule.get<std::size_t>();
  const bool least = keyword == "minLength" || keyword == "minItems";
  if (least && size < limit) return fault(value, python_repr(value) + " is too short");
  if (!least && size > limit) return fault(value, python_repr(value) + " is too long");
  return std::nullopt;
}

Fault check_text(const std::string& keyword, const OrderedJson& rule, const OrderedJson& value) {
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (keyword == "pattern" && !matches(text, rule.get<std::string>())) {
    return fault(value, python_repr(value) + " does not match " + python_repr(rule));
  }
  if (keyword == "format" && rule == "uuid" && !looks_like_uuid(text)) {
    return fault(value, python_repr(value) + " is not a " + python_repr(rule));
  }
  return std::nullopt;
}

std::string python_string(const std::string& text) {
  const bool doubled = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = doubled ? '"' : '\'';
  std::string out(1, quote);
  for (const char byte : text) {
    if (byte == '\\' || byte == quote) {
      out += '\\';
      out += byte;
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\r') {
      out += "\\r";
    } else if (byte == '\t') {
      out += "\\t";
    } else {
      out += byte;
    }
  }
  return out + quote;
}

}  // namespace

std::optional<SchemaFault> check_schema(const OrderedJson& schema, const OrderedJson& instance) {
  static const std::map<
      std::string, std::function<Fault(const std::string&, const OrderedJson&, const OrderedJson&)>>
      keywords = {{"minimum", check_number}, {"maximum", check_number}, {"minLength", check_size},
                  {"maxLength", check_size}, {"minItems", check_size},  {"maxItems", check_size},
                  {"pattern", check_text},   {"format", check_text}};
  for (const auto& [keyword, rule] : schema.items()) {
    Fault found;
    if (keyword == "type") {
      found = check_type(rule, instance);
    } else if (keyword == "properties") {
      found = check_properties(rule, instance);
    } else if (keyword == "patternProperties") {
      found = check_pattern_properties(rule, instance);
    } else if (keyword == "additionalProperties") {
      found = check_additional(schema, rule, instance);
    } else if (keyword == "required") {
      found = check_required(rule, instance);
    } else if (keyword == "items") {
      found = check_items(rule, instance);
    } else if (keyword == "uniqueItems") {
      found = check_unique(instance);
    } else if (keyword == "enum") {
      found = check_enum(rule, instance);
    } else if (keyword == "anyOf" || keyword == "oneOf") {
      found = check_any(rule, instance);
    } else if (const auto known = keywords.find(keyword); known != keywords.end()) {
      found = known->second(keyword, rule, instance);
    }
    if (found) return found;
  }
  return std::nullopt;
}

std::string python_repr(const OrderedJson& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_string()) return python_string(value.get_ref<const std::string&>());
  std::vector<std::string> parts;
  if (value.is_array()) {
    for (const auto& element : value) parts.push_back(python_repr(element));
    return "[" + join(parts, ", ") + "]";
  }
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      parts.push_back(python_string(name) + ": " + python_repr(member));
    }
    return "{" + join(parts, ", ") + "}";
  }
  return value.dump();
}

std::string python_str(const OrderedJson& value) {
  return value.is_string() ? value.get<std::string>() : python_repr(value);
}

OrderedJson parse_ordered(std::string_view text) {
  OrderedJson value = OrderedJson::parse(text, nullptr, false);
  return value.is_discarded() ? OrderedJson(nullptr) : value;
}

bool looks_like_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char byte = text[i];
    const bool digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
                       (byte >= 'A' && byte <= 'F');
    if (dash ? byte != '-' : !digit) return false;
  }
  return true;
}

}  // namespace bailey::devcloud
