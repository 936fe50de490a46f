#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/document.hpp"
#include "orchestrator/declare/spec/formats.hpp"

#include <fmt/format.h>

#include <charconv>
#include <set>

namespace bailey::spec {

namespace {

using Json = nlohmann::json;

bool names_something(TextFormat format) {
  return format >= TextFormat::Subject && format <= TextFormat::Environment;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::int64_t> canonical_integer(std::string_view text) {
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  if (!is_digits(digits) || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  if (digits == "0" && digits.size() != text.size()) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::int64_t kExact = std::int64_t{1} << 53;  // RFC 8785 holds no more.
  if (value > kExact || value < -kExact) return std::nullopt;
  return value;
}

// What readers of YAML 1.1 take for a truth value.
std::optional<bool> old_boolean(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (lower == "true" || lower == "yes" || lower == "on" || lower == "y") return true;
  if (lower == "false" || lower == "no" || lower == "off" || lower == "n") return false;
  return std::nullopt;
}

// `010`, `1_000`, `0x1F`, `1e3`, `+1`, `12:30`: a number to one reader and something else to
// another.
bool looks_like_number(std::string_view text) {
  if (text.empty()) return false;
  const bool sign = text.front() == '+' || text.front() == '-';
  const auto body = sign ? text.substr(1) : text;
  return !body.empty() && body.front() >= '0' && body.front() <= '9' &&
         body.find_first_not_of("0123456789abcdefABCDEFxXoO_.:+-") == std::string_view::npos;
}

const char* word_for(ValueType type) {
  switch (type) {
    case ValueType::Text:
      return "a text";
    case ValueType::Integer:
      return "a whole number";
    case ValueType::Boolean:
      return "true or false";
    case ValueType::Scalar:
      return "a single value";
    case ValueType::Object:
    case ValueType::Resource:
    case ValueType::Map:
      return "a map";
    case ValueType::List:
      return "a list";
    case ValueType::ListOrMap:
      return "a list or a map";
  }
  return "a value";
}

std::string word_for(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::Null:
      return "nothing";
    case YamlKind::Sequence:
      return "a list";
    case YamlKind::Map:
      return "a map";
    case YamlKind::Scalar:
      if (!node.plain) return "the quoted text \"" + node.scalar.substr(0, 40) + "\"";
      return "\"" + node.scalar.substr(0, 40) + "\"";
  }
  return "something else";
}

class ShapeReader {
 public:
  ShapeReader(Document& document, Report& report) : document_(document), report_(report) {}

  Json read(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    switch (table.type) {
      case ValueType::Text:
        return text(node, table, pointer);
      case ValueType::Integer:
      case ValueType::Boolean:
        return typed(node, table, pointer);
      case ValueType::Scalar:
        if (node.kind != YamlKind::Scalar) return wrong_type(node, table.type, pointer);
        refuse_references(node, pointer);
        return guess_scalar(node);
      case ValueType::Object:
        return object(node, table, pointer);
      case ValueType::List:
        return list(node, table, pointer);
      case ValueType::Map:
        return map(node, table, pointer);
      case ValueType::ListOrMap:
        return list_or_map(node, table, pointer);
      case ValueType::Resource:
        // Read later, by the provider's table.
        if (node.kind != YamlKind::Map) return wrong_type(node, table.type, pointer);
        return Json::object();
    }
    return nullptr;
  }

  Json scalar(const YamlNode& node, ValueType type, const std::string& pointer) {
    if (node.kind != YamlKind::Scalar) return wrong_type(node, type, pointer);
    if (type == ValueType::Integer) return integer(node, pointer);
    if (type == ValueType::Boolean) return boolean(node, pointer);
    refuse_references(node, pointer);
    return node.scalar;
  }

 private:
  void error(const char* code, const char* summary, std::string detail, const std::string& pointer,
             const YamlNode& node, std::string suggestion = {}) {
    document_.broken.insert(pointer);
    report_.error(code, summary, std::move(detail), node.at(document_.file), std::move(suggestion));
  }

  Json wrong_type(const YamlNode& node, ValueType type, const std::string& pointer) {
    error("spec.wrong-type", "Wrong type",
          fmt::format("This should be {}, and it is {}.", word_for(type), word_for(node)), pointer,
          node);
    return nullptr;
  }

  void refuse_references(const YamlNode& node, const std::string& pointer) {
    const auto at = node.scalar.find("${");
    if (at == std::string::npos) return;
    error("spec.reference-not-allowed", "Reference not allowed",
          "This field is read as it is written; a \"${...}\" has no meaning in it.", pointer, node);
  }

  Json text(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    if (node.kind != YamlKind::Scalar) return wrong_type(node, ValueType::Text, pointer);
    const std::string& value = node.scalar;
    const bool has_reference = value.find("${") != std::string::npos;
    if (has_reference && table.references) return value;
    if (has_reference) {
      refuse_references(node, pointer);
      return nullptr;
    }
    if (!table.allowed.empty()) return allowed_text(node, table, pointer);
    if (names_something(table.format)) {
      document_.uses.push_back({table.format, value, pointer, false});
    }
    if (const auto fault = check_format(table.format, value)) {
      error(fault->code, fault->summary, fault->detail, pointer, node, fault->suggestion);
    } else if (value.empty() && !table.references) {
      error("spec.bad-value", "Bad value", "An empty text is no value here.", pointer, node);
    }
    return value;
  }

  Json allowed_text(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    for (const auto& each : table.allowed) {
      if (each == node.scalar) return node.scalar;
    }
    error("spec.bad-value", "Bad value",
          fmt::format("\"{}\" is not one of {}.", node.scalar.substr(0, 80),
                      enumerate(table.allowed, "and")),
          pointer, node, nearest(node.scalar, table.allowed).value_or(""));
    return nullptr;
  }

  Json typed(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    if (node.kind == YamlKind::Scalar && table.references &&
        node.scalar.find("${") != std::string::npos) {
      return node.scalar;
    }
    Json value = scalar(node, table.type, pointer);
    if (!value.is_number_integer()) return value;
    const auto number = value.get<std::int64_t>();
    if ((table.minimum && number < *table.minimum) || (table.maximum && number > *table.maximum)) {
      error("spec.out-of-range", "Number out of range",
            fmt::format("The number is {}, and from {} to {} is allowed.", number,
                        table.minimum ? std::to_string(*table.minimum) : "any",
                        table.maximum ? std::to_string(*table.maximum) : "any"),
            pointer, node);
      return nullptr;
    }
    return value;
  }

  Json integer(const YamlNode& node, const std::string& pointer) {
    if (node.plain) {
      if (const auto value = canonical_integer(node.scalar)) return *value;
      if (looks_like_number(node.scalar)) {
        error("spec.ambiguous-scalar", "Ambiguous number",
              fmt::format("\"{}\" means different numbers to different readers of YAML. Write the "
                          "number in plain decimal digits, without leading zeros.",
                          node.scalar.substr(0, 40)),
              pointer, node);
        return nullptr;
      }
    }
    return wrong_type(node, ValueType::Integer, pointer);
  }

  Json boolean(const YamlNode& node, const std::string& pointer) {
    if (node.plain && (node.scalar == "true" || node.scalar == "false")) {
      return node.scalar == "true";
    }
    if (const auto meant = old_boolean(node.scalar); meant && node.plain) {
      error("spec.ambiguous-scalar", "Ambiguous truth value",
            fmt::format("\"{}\" is a truth value to some readers of YAML and a text to others. "
                        "Write true or false.",
                        node.scalar),
            pointer, node, *meant ? "true" : "false");
      return nullptr;
    }
    return wrong_type(node, ValueType::Boolean, pointer);
  }

  Json list(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    if (node.kind != YamlKind::Sequence) return wrong_type(node, ValueType::List, pointer);
    if (node.items.size() < table.min_items) {
      error("spec.empty-list", "Too few entries",
            table.min_items == 1 ? std::string("An empty list is refused here: name at least one.")
                                 : fmt::format("At least {} entries are needed.", table.min_items),
            pointer, node);
    }
    Json values = Json::array();
    std::set<std::string> seen;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const auto& item = node.items[i];
      const auto here = step(pointer, i);
      document_.places[here] = {nullptr, &item};
      values.push_back(read(item, *table.element, here));
      if (table.unique && item.kind == YamlKind::Scalar && !seen.insert(item.scalar).second) {
        error("spec.duplicate-entry", "Duplicate entry",
              fmt::format("\"{}\" stands in this list already.", item.scalar.substr(0, 80)), here,
              item);
      }
    }
    return values;
  }

  Json map(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    if (node.kind != YamlKind::Map) return wrong_type(node, ValueType::Map, pointer);
    if (node.entries.size() < table.min_items) {
      error("spec.empty-list", "Too few entries", "An empty map is refused here.", pointer, node);
    }
    Json values = Json::object();
    for (const auto& [key, value] : node.entries) {
      const auto here = step(pointer, key.scalar);
      document_.places[here] = {&key, &value};
      check_key(key, table.key_format, here);
      values[key.scalar] = read(value, *table.element, here);
    }
    return values;
  }

  void check_key(const YamlNode& key, TextFormat format, const std::string& pointer) {
    if (names_something(format)) {
      document_.uses.push_back({format, key.scalar, pointer, true});
    } else if (const auto fault = check_format(format, key.scalar)) {
      error(fault->code, fault->summary, fault->detail, pointer, key, fault->suggestion);
    }
  }

  Json list_or_map(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    if (node.kind == YamlKind::Sequence) return list(node, table, pointer);
    if (node.kind != YamlKind::Map) return wrong_type(node, ValueType::ListOrMap, pointer);
    ValueTable as_map = table;
    as_map.element = table.alternative;
    return map(node, as_map, pointer);
  }

  Json object(const YamlNode& node, const ValueTable& table, const std::string& pointer) {
    if (node.kind != YamlKind::Map) return wrong_type(node, ValueType::Object, pointer);
    Json values = Json::object();
    std::size_t unknown = 0;
    for (const auto& [key, value] : node.entries) {
      const auto* field = field_named(table, key.scalar);
      const auto here = step(pointer, key.scalar);
      document_.places[here] = {&key, &value};
      if (field == nullptr) {
        ++unknown;
        unknown_field(key, table, here);
        continue;
      }
      if (!field->effective) not_yet_effective(*field, key);
      values[key.scalar] = read(value, field->value, here);
    }
    check_fields(node, table, pointer, unknown);
    return values;
  }

  static const FieldTable* field_named(const ValueTable& table, const std::string& name) {
    for (const auto& field : table.fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }

  void unknown_field(const YamlNode& key, const ValueTable& table, const std::string& pointer) {
    std::vector<std::string> known;
    for (const auto& field : table.fields) known.push_back(field.name);
    error("spec.unknown-field", "Unknown field",
          fmt::format("There is no field \"{}\" here; there {} {}.", key.scalar.substr(0, 80),
                      known.size() == 1 ? "is" : "are", enumerate(known)),
          pointer, key, nearest(key.scalar, known).value_or(""));
  }

  void not_yet_effective(const FieldTable& field, const YamlNode& key) {
    report_.warning("spec.not-yet-effective", "Not yet effective",
                    fmt::format("\"{}\" is read and checked, and this version of bailey does not "
                                "act upon it yet.",
                                field.name),
                    key.at(document_.file));
  }

  void check_fields(const YamlNode& node, const ValueTable& table, const std::string& pointer,
                    std::size_t unknown) {
    const auto where = pointer.empty() ? document_.at("") : document_.key_at(pointer);
    for (const auto& field : table.fields) {
      if (!field.required || node.find(field.name) != nullptr) continue;
      document_.broken.insert(step(pointer, field.name));
      report_.error("spec.missing-field", "Missing field",
                    fmt::format("The field \"{}\" is needed here.{}{}", field.name,
                                field.description.empty() ? "" : " ", field.description),
                    where);
    }
    std::size_t given = node.entries.size() - unknown;
    for (const auto& field : table.fields) {
      if (field.beside && node.find(field.name) != nullptr) --given;
    }
    if (!table.exactly_one || given == 1 || (given == 0 && unknown > 0)) return;
    std::vector<std::string> names;
    for (const auto& field : table.fields) {
      if (!field.beside) names.push_back(field.name);
    }
    document_.broken.insert(pointer);
    report_.error("spec.exactly-one", "Exactly one is needed",
                  fmt::format("Exactly one of {} stands here.", enumerate(names)), where);
  }

  Document& document_;
  Report& report_;
};

}  // namespace

Json read_shape(Document& document, const YamlNode& node, const ValueTable& table,
                const std::string& pointer, Report& report) {
  return ShapeReader(document, report).read(node, table, pointer);
}

Json read_scalar(Document& document, const YamlNode& node, ValueType type,
                 const std::string& pointer, Report& report) {
  return ShapeReader(document, report).scalar(node, type, pointer);
}

Json guess_scalar(const YamlNode& node) {
  if (node.kind != YamlKind::Scalar) return nullptr;
  if (!node.plain) return node.scalar;
  if (node.scalar == "true" || node.scalar == "false") return node.scalar == "true";
  if (const auto number = canonical_integer(node.scalar)) return *number;
  return node.scalar;
}

}  // namespace bailey::spec
