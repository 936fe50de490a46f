#pragma once

#include "orchestrator/model/provider_schema.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bailey::spec {

enum class ValueType : std::uint8_t {
  Text,
  Integer,
  Boolean,
  Scalar,  ///< Any of the three; what it means is decided where its use is known.
  Object,  ///< Known fields.
  List,
  Map,        ///< Free keys, one kind of value.
  ListOrMap,  ///< A list of `element`, or a map to `alternative`.
  Resource,   ///< One entry under `resources`: its fields are the provider's.
};

/// What a text must look like, or what it must be the name of.
enum class TextFormat : std::uint8_t {
  Any,
  Name,        ///< DNS label.
  PersonName,  ///< DNS labels joined by dots.
  FieldName,   ///< As programmers name parameters.
  Line,        ///< Not empty, and on one line.
  Variable,    ///< Of a process's environment; `PREFIX*` means all that begin so.
  Tag,         ///< A word of the provider's users on a boundary.
  Duration,
  Time,
  ClockTime,
  Zone,
  Email,
  SshKey,
  ServiceKey,  ///< An SSH key, or a PEM public key.
  Url,
  Cidr,
  Ip,
  Repository,
  Holding,
  // Names of other things; dangling ones are errors.
  Subject,
  Person,
  Provider,
  Account,
  Template,
  Project,
  Environment,
};

struct FieldTable;

/// What one value of a spec may be. The reader and the JSON Schema are both made from it.
struct ValueTable {
  ValueType type = ValueType::Text;
  TextFormat format = TextFormat::Any;
  std::vector<std::string> allowed;  ///< Of a text; empty means any.
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::size_t min_items = 0;
  bool unique = false;       ///< No element of a list twice.
  bool references = false;   ///< May hold `${...}`.
  bool exactly_one = false;  ///< Of an object's fields, those `beside` not counted.
  std::string refers_to;     ///< Resource type that a reference here must have.
  std::vector<FieldTable> fields;
  std::shared_ptr<const ValueTable> element;
  std::shared_ptr<const ValueTable> alternative;
  TextFormat key_format = TextFormat::Any;
};

struct FieldTable {
  std::string name;
  std::string description;
  bool required = false;
  bool effective = true;  ///< False: read and checked, and nothing acts upon it yet.
  ValueTable value;
  bool beside = false;  ///< Where exactly one field stands, this may stand beside it.
};

struct KindTable {
  std::string kind;
  std::string description;
  TextFormat name_format = TextFormat::Name;
  ValueTable spec;
};

/// The kinds of documents, in the order in which people write them.
[[nodiscard]] const std::vector<KindTable>& kind_tables();
[[nodiscard]] const KindTable* find_kind(std::string_view kind);

/// The fields that every resource has whatever its type: `type`, `count`, `protect`.
[[nodiscard]] const std::vector<FieldTable>& common_resource_fields();
/// The fields of a provider's resource type. References are allowed in every scalar.
[[nodiscard]] ValueTable resource_table(const ResourceTypeSchema& type);

}  // namespace bailey::spec
