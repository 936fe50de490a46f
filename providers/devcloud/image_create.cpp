#include "orchestrator/base/text.hpp"
#include "providers/devcloud/image.hpp"

#include <string>
#include <utility>

namespace bailey::devcloud::image {

namespace {

/// By attribute, in the order in which Glance's schema has them.
const OrderedJson& attribute_schemas() {
  static const OrderedJson schemas = parse_ordered(R"json({
    "id": {"type": "string",
           "pattern": "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"},
    "name": {"type": ["null", "string"], "maxLength": 255},
    "visibility": {"type": "string", "enum": ["community", "public", "private", "shared"]},
    "protected": {"type": "boolean"},
    "os_hidden": {"type": "boolean"},
    "owner": {"type": ["null", "string"], "maxLength": 255},
    "container_format": {"type": ["null", "string"],
                         "enum": [null, "ami", "ari", "aki", "bare", "ovf", "ova", "docker",
                                  "compressed"]},
    "disk_format": {"type": ["null", "string"],
                    "enum": [null, "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2",
                             "vdi", "iso", "ploop"]},
    "min_ram": {"type": "integer", "minimum": 0},
    "min_disk": {"type": "integer", "minimum": 0},
    "tags": {"type": "array", "items": {"type": "string", "maxLength": 255}}
  })json");
  return schemas;
}

ServerResponse create(Call& call) {
  if (call.http.body.empty()) return error_answer(call, 400, "Body expected in request.");
  const OrderedJson body = parse_ordered(call.http.body);
  if (!body.is_object()) {
    return error_answer(
        call, 500,
        "The server has either erred or is incapable of performing the requested operation.");
  }
  const std::string made = now(call);
  Json image = {{"id", call.cloud.new_uuid()},
                {"name", nullptr},
                {"disk_format", nullptr},
                {"container_format", nullptr},
                {"visibility", "shared"},
                {"size", nullptr},
                {"virtual_size", nullptr},
                {"status", "queued"},
                {"checksum", nullptr},
                {"protected", false},
                {"min_ram", 0},
                {"min_disk", 0},
                {"owner", call.who.project_id},
                {"os_hidden", false},
                {"os_hash_algo", nullptr},
                {"os_hash_value", nullptr},
                {"created_at", made},
                {"updated_at", made},
                {"tags", Json::array()},
                {"_properties", Json::object()}};
  for (const auto& [name, value] : body.items()) {
    if (auto good = check_attribute(call, name, value); !good) return good.error();
    if (is_base_attribute(name)) {
      image[name] = value;
    } else {
      image["_properties"][name] = value;
    }
  }
  const std::string id = string_member(image, "id");
  if (call.cloud.find(kImage, id) != nullptr || call.cloud.find(kDeleted, id) != nullptr) {
    return error_answer(call, 409, "Image ID " + id + " already exists!");
  }
  ServerResponse response = json_answer(201, shown_image(call.cloud.put(kImage, std::move(image))));
  response.headers.emplace_back("Location", call.base() + "/v2/images/" + id);
  return response;
}

ServerResponse show(Call& call) {
  const auto image = visible_image(call);
  return image ? json_answer(200, shown_image(**image)) : image.error();
}

ServerResponse remove(Call& call) {
  const std::string& id = call.part("image");
  const Json* image = call.cloud.find(kImage, id);
  if (image == nullptr || !may_see(call, *image)) {
    return error_answer(call, 404, "Failed to find image " + id + " to delete");
  }
  if (!call.who.owns(string_member(*image, "owner"))) {
    return error_answer(call, 403, "You do not own this image");
  }
  if (member(*image, "protected") == true) {
    return error_answer(call, 403, "Image " + id + " is protected and cannot be deleted.");
  }
  call.cloud.erase_where(kMember, "image_id", id);
  call.cloud.erase(kData, id);
  call.cloud.erase(kImage, id);
  call.cloud.put(kDeleted, {{"id", id}});
  return done();
}

/// The parts of the schema that are enforced here; the real one also describes them.
ServerResponse show_schema(Call& call) {
  const std::string& name = call.part("schema");
  Json image = {{"name", "image"},
                {"properties", attribute_schemas()},
                {"additionalProperties", {{"type", "string"}}}};
  if (name == "image") return json_answer(200, image);
  if (name == "images") {
    return json_answer(200, {{"name", "images"},
                             {"properties", {{"images", {{"type", "array"}, {"items", image}}}}}});
  }
  Json member_schema = {
      {"name", "member"},
      {"properties",
       {{"member_id", {{"type", "string"}}},
        {"image_id", {{"type", "string"}}},
        {"status", {{"type", "string"}, {"enum", {"pending", "accepted", "rejected"}}}}}}};
  if (name == "member") return json_answer(200, member_schema);
  return error_answer(call, 404, "The resource could not be found.");
}

}  // namespace

Checked<bool> check_attribute(const Call& call, const std::string& name, const OrderedJson& value) {
  if (is_read_only(name)) {
    return refuse(error_answer(call, 403, "Attribute '" + name + "' is read-only."));
  }
  static const OrderedJson text = parse_ordered(R"({"type": "string"})");
  const auto schema = attribute_schemas().find(name);
  if (const auto wrong =
          check_schema(schema == attribute_schemas().end() ? text : *schema, value)) {
    return refuse(error_answer(call, 400,
                               "Provided object does not match schema 'image': " + wrong->message));
  }
  if (call.who.is_admin()) return true;
  if (name == "visibility" && value == "public") {
    return refuse(
        error_answer(call, 403, "You are not authorized to complete publicize_image action."));
  }
  if (name == "owner" && value != call.who.project_id) {
    return refuse(error_answer(
        call, 403, "You are not permitted to create images owned by '" + python_str(value) + "'."));
  }
  return true;
}

void add_images(Router& router) {
  router.add("image", "POST", "/v2/images", Access::signed_in(), create);
  router.add("image", "GET", "/v2/images/{image}", Access::signed_in(), show);
  router.add("image", "DELETE", "/v2/images/{image}", Access::signed_in(), remove);
  router.add("image", "GET", "/v2/schemas/{schema}", Access::signed_in(), show_schema);
}

}  // namespace bailey::devcloud::image
