#include "orchestrator/provision/plan/differ.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/plan/references.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace bailey {

namespace {

bool is_empty(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
    case Json::value_t::discarded:
      return true;
    case Json::value_t::string:
      return value.get_ref<const std::string&>().empty();
    case Json::value_t::array:
    case Json::value_t::object:
      return value.empty();
    default:
      return false;
  }
}

Json normal(const FieldSchema* schema, const Json& value);

Json normal_object(const std::vector<FieldSchema>& fields, const Json& value) {
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, item] : value.items()) {
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const FieldSchema& each) { return each.name == name; });
    auto inner = normal(field == fields.end() ? nullptr : &*field, item);
    if (!is_empty(inner)) out[name] = std::move(inner);
  }
  return out;
}

/// The form in which equal values are equal: without empty members, unordered lists sorted.
Json normal(const FieldSchema* schema, const Json& value) {
  if (is_empty(value)) return nullptr;
  if (schema == nullptr) return value;
  if (value.is_object()) return normal_object(schema->fields, value);
  if (!value.is_array()) return value;
  Json list = Json::array();
  for (const auto& item : value) list.push_back(normal_object(schema->fields, item));
  if (schema->unordered) std::sort(list.begin(), list.end());
  return list;
}

bool same(const FieldSchema* schema, const Json& left, const Json& right) {
  return left == right || normal(schema, left) == normal(schema, right);
}

/// The three views of one field; `shown` is what the provider has, as far as anybody knows.
struct Views {
  const Json& desired;
  const Json& recorded;
  const Json& shown;
};

void compare(const FieldSchema* schema, const std::string& path, const Views& views, bool replaces,
             std::vector<FieldDifference>& out);

bool has_members(const FieldSchema* schema) {
  return schema != nullptr &&
         (schema->type == FieldType::Object || schema->type == FieldType::StringMap);
}

bool is_object_or_nothing(const Json& value) {
  return value.is_object() || value.is_null();
}

void compare_members(const FieldSchema& schema, const std::string& path, const Views& views,
                     bool replaces, std::vector<FieldDifference>& out) {
  std::set<std::string> names;
  for (const auto* view : {&views.desired, &views.recorded, &views.shown}) {
    if (!view->is_object()) continue;
    for (const auto& [name, item] : view->items()) names.insert(name);
  }
  for (const auto& name : names) {
    const auto inner = std::find_if(schema.fields.begin(), schema.fields.end(),
                                    [&](const FieldSchema& each) { return each.name == name; });
    compare(
        inner == schema.fields.end() ? nullptr : &*inner, path + "." + name,
        Views{member(views.desired, name), member(views.recorded, name), member(views.shown, name)},
        replaces, out);
  }
}

bool shrinks(const FieldSchema& schema, const Views& views) {
  return schema.grows && views.desired.is_number() && views.shown.is_number() &&
         views.desired < views.shown;
}

void compare(const FieldSchema* schema, const std::string& path, const Views& views, bool replaces,
             std::vector<FieldDifference>& out) {
  replaces = replaces || (schema != nullptr && (schema->replaces || shrinks(*schema, views)));
  if (has_members(schema) && is_object_or_nothing(views.desired) &&
      is_object_or_nothing(views.recorded) && is_object_or_nothing(views.shown)) {
    return compare_members(*schema, path, views, replaces, out);
  }
  if (!has_reference(views.desired) && same(schema, views.desired, views.shown)) return;
  out.push_back(
      {.path = path,
       .before = views.shown,
       .after = views.desired,
       .replaces = replaces,
       .by_spec = has_reference(views.desired) || !same(schema, views.desired, views.recorded)});
}

}  // namespace

ResourceDifference diff_fields(const ResourceTypeSchema& schema, const Json& desired,
                               const Json& recorded, const Json& observed) {
  std::map<std::string, const FieldSchema*> fields;
  for (const auto& field : schema.fields) {
    if (field.type == FieldType::ObjectList) fields[field.name] = &field;
  }
  for (const auto* inputs : {&desired, &recorded}) {
    for (const auto& [name, item] : inputs->items()) fields.emplace(name, nullptr);
  }
  for (const auto& field : schema.fields) {
    if (const auto found = fields.find(field.name); found != fields.end()) found->second = &field;
  }

  ResourceDifference difference;
  for (const auto& [name, field] : fields) {
    const Json& wanted = member(desired, name);
    const Json& known = member(recorded, name);
    const bool readable = observed.is_object() && observed.contains(name);
    const Json& seen = readable ? member(observed, name) : known;
    const Json& shown = same(field, seen, known) ? known : seen;
    if (!is_empty(shown)) difference.before[name] = shown;
    compare(field, name, Views{wanted, known, shown}, false, difference.fields);
  }
  return difference;
}

}  // namespace bailey
