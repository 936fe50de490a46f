#pragma once

#include "orchestrator/base/diagnostic.hpp"
#include "orchestrator/base/yaml.hpp"
#include "orchestrator/declare/spec/field_table.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bailey::spec {

/// Where a value was written.
struct Place {
  const YamlNode* key = nullptr;  ///< Null for elements of lists.
  const YamlNode* value = nullptr;
};

/// A text that names something else, to be looked up once all documents are known.
struct NameUse {
  TextFormat format = TextFormat::Any;
  std::string text;
  std::string pointer;
  bool is_key = false;
};

/// One document: its content as typed JSON, and for each value (by JSON pointer within `spec`) its
/// place. Nodes belong to the reader and outlive it.
struct Document {
  std::string file;
  const KindTable* kind = nullptr;
  std::string name;
  const YamlNode* name_node = nullptr;
  const YamlNode* spec_key = nullptr;
  nlohmann::json spec = nlohmann::json::object();
  std::map<std::string, Place> places;
  std::vector<NameUse> uses;
  /// Pointers below which something could not be read: what follows from that is not reported.
  std::set<std::string> broken;

  /// The place of a value; of the nearest that contains it when it was not written.
  [[nodiscard]] SourceRange at(const std::string& pointer) const;
  /// The place of a value's key, or of the value where there is no key.
  [[nodiscard]] SourceRange key_at(const std::string& pointer) const;
  /// `length` bytes from `offset` within a text, where the text stands as it is written; else `at`.
  [[nodiscard]] SourceRange within(const std::string& pointer, std::size_t offset,
                                   std::size_t length) const;
  [[nodiscard]] const YamlNode* node(const std::string& pointer) const;
  /// Whether something at, above or below `pointer` could not be read.
  [[nodiscard]] bool is_broken(const std::string& pointer) const;
};

/// `pointer` with one more step, escaped as RFC 6901 says.
[[nodiscard]] std::string step(const std::string& pointer, std::string_view key);
[[nodiscard]] std::string step(const std::string& pointer, std::size_t index);

/// Adds findings about documents. A thin skin, so that checks read as sentences.
class Report {
 public:
  explicit Report(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}
  void error(const char* code, const char* summary, std::string detail, SourceRange where,
             std::string suggestion = {});
  void warning(const char* code, const char* summary, std::string detail, SourceRange where);

 private:
  Diagnostics& diagnostics_;
};

/// Reads `node` by `table` into typed JSON at `pointer` of `document`; notes places and uses, and
/// reports everything that does not fit. Null when the value as a whole is of the wrong type.
[[nodiscard]] nlohmann::json read_shape(Document& document, const YamlNode& node,
                                        const ValueTable& table, const std::string& pointer,
                                        Report& report);

/// A plain or quoted scalar as the type that a parameter declares; null and a finding when it is
/// none.
[[nodiscard]] nlohmann::json read_scalar(Document& document, const YamlNode& node, ValueType type,
                                         const std::string& pointer, Report& report);

/// A scalar without a declared type: `true`, `12` and text; null for nothing at all.
[[nodiscard]] nlohmann::json guess_scalar(const YamlNode& node);

}  // namespace bailey::spec
