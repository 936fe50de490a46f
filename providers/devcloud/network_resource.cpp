#include "orchestrator/base/text.hpp"
#include "providers/devcloud/network.hpp"

#include <algorithm>
#include <utility>

/// What all of Neutron's resources have in common: checked attributes, ownership, create (one or
/// many), show, update, delete, and tags.
namespace bailey::devcloud::network {

namespace {

using Type = Attribute::Type;

/// Members that every resource has and nobody sets.
const std::vector<std::string>& read_only_members() {
  static const std::vector<std::string> names = {"id",         "status",     "tags",
                                                 "created_at", "updated_at", "revision_number"};
  return names;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

std::string as_written(const Json& value) {
  if (value.is_null()) return "None";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

ServerResponse invalid_value(const std::string& name, const std::string& reason) {
  return bad_request("Invalid input for " + name + ". Reason: " + reason);
}

Checked<Json> read_boolean(const Json& value) {
  if (value.is_boolean()) return value;
  const std::string text = as_written(value);
  for (const char* yes : {"true", "True", "1"}) {
    if (text == yes) return Json(true);
  }
  for (const char* no : {"false", "False", "0"}) {
    if (text == no) return Json(false);
  }
  return refuse(invalid_input("'" + text + "' cannot be converted to boolean."));
}

/// The value in the form in which it is kept.
Checked<Json> read_value(const Attribute& attribute, const Json& value) {
  const std::string& name = attribute.name;
  if (value.is_null() && attribute.nullable) return value;
  const std::string text = as_written(value);
  switch (attribute.type) {
    case Type::Text:
      if (!value.is_string()) {
        return refuse(invalid_value(name, "'" + text + "' is not a valid string."));
      }
      if (utf8_length(text) > 255) {
        return refuse(invalid_value(name, "'" + text + "' exceeds maximum length of 255."));
      }
      return value;
    case Type::Boolean:
      return read_boolean(value);
    case Type::Number:
      if (value.is_number_integer()) return value;
      if (!text.empty() && text.size() < 10 &&
          text.find_first_not_of("0123456789") == std::string::npos) {
        return Json(std::stoi(text));
      }
      return refuse(invalid_input("'" + text + "' is not an integer."));
    case Type::Uuid:
      if (!value.is_string() || !is_uuid(text)) {
        return refuse(invalid_value(name, "'" + text + "' is not a valid UUID."));
      }
      return value;
    case Type::Uuids:
    case Type::List:
      if (!value.is_array()) return refuse(invalid_value(name, "'" + text + "' is not a list."));
      if (attribute.type == Type::Uuids) {
        for (const Json& each : value) {
          if (!each.is_string() || !is_uuid(as_written(each))) {
            return refuse(invalid_value(name, "'" + as_written(each) + "' is not a valid UUID."));
          }
        }
      }
      return value;
    case Type::Anything:
      break;
  }
  return value;
}

const Attribute* attribute_of(const Resource& resource, std::string_view name) {
  for (const Attribute& attribute : resource.attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

bool is_read_only(std::string_view name) {
  const auto& names = read_only_members();
  return std::find(names.begin(), names.end(), name) != names.end();
}

ServerResponse disallowed(const std::string& verb, const Resource& resource,
                          const std::string& attribute) {
  const std::string rule = "rule:" + verb + "_" + resource.singular;
  return error_answer(403, "PolicyNotAuthorized",
                      attribute.empty() ? rule + " is disallowed by policy"
                                        : "(" + rule + " and " + rule + ":" + attribute +
                                              ") is disallowed by policy");
}

/// The project that the body names, which only an administrator may choose freely.
Checked<std::string> read_project(const Call& call, const Json& given) {
  std::string project = string_member(given, "project_id");
  if (project.empty()) project = string_member(given, "tenant_id");
  if (project.empty()) project = call.who.project_id;
  if (project != call.who.project_id && !call.who.is_admin()) {
    return refuse(
        bad_request("Specifying 'project_id' or 'tenant_id' other than the authenticated project "
                    "in request requires admin or advsvc privileges"));
  }
  if (project.empty()) {
    return refuse(
        bad_request("Running without keystone AuthN requires that tenant_id is specified"));
  }
  return project;
}

enum class Purpose : std::uint8_t { Create, Update };

Checked<Json> read_attributes(const Call& call, const Resource& resource, const Json& given,
                              Purpose purpose) {
  const bool creates = purpose == Purpose::Create;
  Json read = Json::object();
  for (const auto& [name, value] : given.items()) {
    if (name == "project_id" || name == "tenant_id") continue;
    const Attribute* attribute = attribute_of(resource, name);
    if (attribute == nullptr && !is_read_only(name)) {
      return refuse(bad_request("Unrecognized attribute(s) '" + name + "'"));
    }
    const bool allowed = attribute != nullptr && (creates ? attribute->in_post : attribute->in_put);
    if (!allowed) {
      return refuse(bad_request(creates ? "Attribute '" + name + "' not allowed in POST"
                                        : "Cannot update read-only attribute " + name));
    }
    auto checked = read_value(*attribute, value);
    if (!checked) return refuse(std::move(checked.error()));
    if (attribute->admin_only && !call.who.is_admin() && *checked != attribute->otherwise) {
      return refuse(disallowed(creates ? "create" : "update", resource, name));
    }
    read[name] = std::move(*checked);
  }
  if (auto project = read_project(call, given); !project) {
    if (creates || given.contains("project_id") || given.contains("tenant_id")) {
      return refuse(std::move(project.error()));
    }
  } else if (creates) {
    read["project_id"] = *project;
  }
  if (!creates) return read;
  for (const Attribute& attribute : resource.attributes) {
    if (read.contains(attribute.name)) continue;
    if (attribute.required) {
      return refuse(bad_request("Failed to parse request. Required attribute '" + attribute.name +
                                "' not specified"));
    }
    if (attribute.in_post) read[attribute.name] = attribute.otherwise;
  }
  return read;
}

ServerResponse no_body(const std::string& wrapper) {
  return bad_request("Unable to find '" + wrapper + "' in request body");
}

Checked<Json> create_one(Call& call, const Resource& resource, const Json& given) {
  auto attributes = read_attributes(call, resource, given, Purpose::Create);
  if (!attributes) return refuse(std::move(attributes.error()));
  auto made = resource.create(call, std::move(*attributes));
  if (!made) return refuse(std::move(made.error()));
  return shown(call, resource, *made);
}

ServerResponse create(Call& call, const Resource& resource) {
  Json answer = Json::object();
  if (const Json& many = member(call.body, resource.collection); many.is_array()) {
    Json& list = answer[resource.collection] = Json::array();
    for (const Json& given : many) {
      if (!given.is_object()) return no_body(resource.singular);
      auto made = create_one(call, resource, given);
      if (!made) return made.error();
      list.push_back(std::move(*made));
    }
    return json_answer(201, answer);
  }
  const Json& given = member(call.body, resource.singular);
  if (!given.is_object()) return no_body(resource.singular);
  auto made = create_one(call, resource, given);
  if (!made) return made.error();
  answer[resource.singular] = std::move(*made);
  return json_answer(201, answer);
}

ServerResponse show(Call& call, const Resource& resource) {
  const auto known = visible(call, resource, call.part("id"));
  if (!known) return known.error();
  Json object = shown(call, resource, **known);
  if (const auto fields = call.queries("fields"); !fields.empty()) {
    Json chosen = Json::object();
    for (const std::string& field : fields) {
      if (object.contains(field)) chosen[field] = object[field];
    }
    object = std::move(chosen);
  }
  Json answer = Json::object();
  answer[resource.singular] = std::move(object);
  return json_answer(200, answer);
}

/// `If-Match: revision_number=7`
Checked<void> check_revision(const Call& call, const Json& known) {
  constexpr std::string_view kPrefix = "revision_number=";
  const auto wanted = call.http.header("if-match");
  if (!wanted || wanted->compare(0, kPrefix.size(), kPrefix) != 0) return {};
  const std::string expected = wanted->substr(kPrefix.size());
  const std::string current = member(known, "revision_number").dump();
  if (expected == current) return {};
  return refuse(
      error_answer(412, "RevisionNumberConstraintFailed",
                   "Constrained to " + expected + ", but current revision is " + current));
}

ServerResponse update(Call& call, const Resource& resource) {
  const Json& given = member(call.body, resource.singular);
  if (!given.is_object()) return no_body(resource.singular);
  const auto known = owned(call, resource, call.part("id"), "update");
  if (!known) return known.error();
  if (auto fits = check_revision(call, **known); !fits) return fits.error();
  const auto changes = read_attributes(call, resource, given, Purpose::Update);
  if (!changes) return changes.error();
  auto changed = resource.update(call, **known, *changes);
  if (!changed) return changed.error();
  if (!changes->empty()) touch(call.cloud, *changed);
  const Json& stored = call.cloud.put(resource.kind, std::move(*changed));
  Json answer = Json::object();
  answer[resource.singular] = shown(call, resource, stored);
  return json_answer(200, answer);
}

ServerResponse remove(Call& call, const Resource& resource) {
  const auto known = owned(call, resource, call.part("id"), "delete");
  if (!known) return known.error();
  if (auto fits = check_revision(call, **known); !fits) return fits.error();
  const Json copy = **known;
  if (auto removed = resource.remove(call, copy); !removed) return removed.error();
  return empty_answer(204);
}

// --- tags

Checked<const Json*> tagged(const Call& call, const Resource& resource) {
  auto known = visible(call, resource, call.part("id"));
  if (!known) {
    return refuse(
        error_answer(404, "TagResourceNotFound",
                     "Resource " + resource.path + " " + call.part("id") + " could not be found."));
  }
  if (call.http.method != "GET" && !call.who.owns(string_member(**known, "project_id"))) {
    return refuse(disallowed("update", resource, "tags"));
  }
  return known;
}

ServerResponse put_tags(Call& call, const Resource& resource, const Json& known,
                        std::vector<std::string> tags, int status) {
  std::sort(tags.begin(), tags.end());
  Json object = known;
  object["tags"] = tags;
  touch(call.cloud, object);
  call.cloud.put(resource.kind, std::move(object));
  return status == 200 ? json_answer(200, {{"tags", tags}}) : empty_answer(status);
}

ServerResponse replace_tags(Call& call, const Resource& resource) {
  const auto known = tagged(call, resource);
  if (!known) return known.error();
  if (!call.body.is_object() || !call.body.contains("tags")) {
    return invalid_input("Invalid tags body.");
  }
  const Json& given = call.body["tags"];
  if (!given.is_array()) return invalid_input("'" + as_written(given) + "' is not a list.");
  std::vector<std::string> tags;
  for (const Json& tag : given) {
    if (!tag.is_string()) return invalid_input("'" + tag.dump() + "' is not a valid string.");
    const std::string text = tag.get<std::string>();
    if (utf8_length(text) > 255) {
      return invalid_input("'" + text + "' exceeds maximum length of 255.");
    }
    if (std::find(tags.begin(), tags.end(), text) != tags.end()) {
      return invalid_input("Duplicate items in the list: '" + text + "'.");
    }
    tags.push_back(text);
  }
  return put_tags(call, resource, **known, std::move(tags), 200);
}

ServerResponse no_such_tag(const Call& call) {
  return error_answer(404, "TagNotFound", "Tag " + call.part("tag") + " could not be found.");
}

void add_tag_routes(Router& router, const Resource& resource) {
  const std::string base = "/v2.0/" + resource.path + "/{id}/tags";
  const auto add = [&](const char* method, const std::string& path, Handler handler) {
    router.add("network", method, path, Access::signed_in(), std::move(handler));
  };
  add("GET", base, [&resource](Call& call) {
    const auto known = tagged(call, resource);
    return known ? json_answer(200, {{"tags", member(**known, "tags")}}) : known.error();
  });
  add("PUT", base, [&resource](Call& call) { return replace_tags(call, resource); });
  add("DELETE", base, [&resource](Call& call) {
    const auto known = tagged(call, resource);
    return known ? put_tags(call, resource, **known, {}, 204) : known.error();
  });
  add("GET", base + "/{tag}", [&resource](Call& call) {
    const auto known = tagged(call, resource);
    if (!known) return known.error();
    const auto tags = strings_member(**known, "tags");
    const bool there = std::find(tags.begin(), tags.end(), call.part("tag")) != tags.end();
    return there ? empty_answer(204) : no_such_tag(call);
  });
  add("PUT", base + "/{tag}", [&resource](Call& call) {
    const auto known = tagged(call, resource);
    if (!known) return known.error();
    auto tags = strings_member(**known, "tags");
    if (std::find(tags.begin(), tags.end(), call.part("tag")) == tags.end()) {
      tags.push_back(call.part("tag"));
    }
    return put_tags(call, resource, **known, std::move(tags), 201);
  });
  add("DELETE", base + "/{tag}", [&resource](Call& call) {
    const auto known = tagged(call, resource);
    if (!known) return known.error();
    auto tags = strings_member(**known, "tags");
    const auto tag = std::find(tags.begin(), tags.end(), call.part("tag"));
    if (tag == tags.end()) return no_such_tag(call);
    tags.erase(tag);
    return put_tags(call, resource, **known, std::move(tags), 204);
  });
}

}  // namespace

Checked<const Json*> visible(const Call& call, const Resource& resource, std::string_view id) {
  const Json* found = call.cloud.find(resource.kind, id);
  const bool may_see = found != nullptr && (call.who.owns(string_member(*found, "project_id")) ||
                                            (resource.shared && resource.shared(*found)));
  if (!may_see) return refuse(not_found(resource, id));
  return found;
}

Checked<const Json*> owned(const Call& call, const Resource& resource, std::string_view id,
                           std::string_view verb) {
  auto found = visible(call, resource, id);
  if (found && !call.who.owns(string_member(**found, "project_id"))) {
    return refuse(disallowed(std::string(verb), resource, ""));
  }
  return found;
}

Json shown(const Call& call, const Resource& resource, const Json& object) {
  Json result = without_private(resource.view ? resource.view(call, object) : object);
  result["tenant_id"] = member(object, "project_id");
  if (call.who.is_admin()) return result;
  for (const Attribute& attribute : resource.attributes) {
    if (attribute.hidden) result.erase(attribute.name);
  }
  return result;
}

void stamp(const Call& call, Json& object, int revision) {
  const std::string now = time_in_seconds(call.cloud.clock().wall_now());
  object["id"] = call.cloud.new_uuid();
  object["tags"] = Json::array();
  object["created_at"] = now;
  object["updated_at"] = now;
  object["revision_number"] = revision;
}

void touch(const Cloud& cloud, Json& object) {
  object["updated_at"] = time_in_seconds(cloud.clock().wall_now());
  object["revision_number"] = object.value("revision_number", 0) + 1;
}

void touch_stored(Call& call, std::string_view kind, std::string_view id) {
  const Json* known = call.cloud.find(kind, id);
  if (known == nullptr) return;
  Json object = *known;
  touch(call.cloud, object);
  call.cloud.put(kind, std::move(object));
}

void add_resource_routes(Router& router, const Resource& resource) {
  const std::string base = "/v2.0/" + resource.path;
  const auto add = [&](const char* method, const std::string& path,
                       ServerResponse (*handler)(Call&, const Resource&)) {
    router.add("network", method, path, Access::signed_in(),
               [&resource, handler](Call& call) { return handler(call, resource); });
  };
  add("GET", base, list);
  add("POST", base, create);
  add("GET", base + "/{id}", show);
  add("PUT", base + "/{id}", update);
  add("DELETE", base + "/{id}", remove);
  add_tag_routes(router, resource);
}

}  // namespace bailey::devcloud::network
