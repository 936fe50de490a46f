#include "providers/devcloud/image.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud::image {

namespace {

bool is_patch_type(const Call& call) {
  const auto type = call.http.header("content-type");
  return type && (*type == "application/openstack-images-v2.1-json-patch" ||
                  *type == "application/openstack-images-v2.0-json-patch");
}

struct Operation {
  std::string what;
  std::string name;
  OrderedJson value;
};

Checked<Operation> read_operation(const Call& call, const OrderedJson& given) {
  if (!given.is_object()) {
    return refuse(error_answer(call, 400, "Operations must be JSON objects."));
  }
  Operation operation;
  for (const char* what : {"add", "remove", "replace"}) {
    // The older form names the operation by a member.
    if (given.contains(what) && given[what].is_string()) {
      operation.what = what;
      operation.name = given[what].get<std::string>();
    }
  }
  if (given.contains("op")) {
    operation.what = python_str(given["op"]);
    operation.name = given.contains("path") ? python_str(given["path"]) : "";
  }
  if (operation.what != "add" && operation.what != "remove" && operation.what != "replace") {
    return refuse(error_answer(call, 400,
                               "Invalid operation: `" + operation.what +
                                   "`. It must be one of the following: add, remove, replace."));
  }
  if (operation.name.size() < 2 || operation.name.front() != '/') {
    return refuse(
        error_answer(call, 400, "Pointer `" + operation.name + "` does not start with \"/\"."));
  }
  operation.name.erase(0, 1);
  if (operation.name.find('/') != std::string::npos) {
    return refuse(error_answer(
        call, 400, "Invalid JSON pointer for this resource: '/" + operation.name + "'"));
  }
  if (operation.what == "remove") return operation;
  if (!given.contains("value")) {
    return refuse(error_answer(
        call, 400, "Operation \"" + operation.what + "\" requires a member named \"value\"."));
  }
  operation.value = given["value"];
  return operation;
}

ServerResponse no_property(const Call& call, const std::string& name) {
  return error_answer(call, 409, "There was a conflict when trying to complete your request.",
                      "Property " + name + " does not exist.");
}

Checked<bool> apply(const Call& call, Json& image, const Operation& operation) {
  const std::string& name = operation.name;
  Json& properties = image["_properties"];
  if (operation.what == "remove") {
    if (is_base_attribute(name)) {
      return refuse(error_answer(call, 403, "Property " + name + " may not be removed."));
    }
    if (properties.erase(name) == 0) return refuse(no_property(call, name));
    return true;
  }
  if (auto good = check_attribute(call, name, operation.value); !good) return good;
  if (name == "id") return refuse(error_answer(call, 403, "Attribute 'id' is read-only."));
  const bool format = name == "disk_format" || name == "container_format";
  if (format && string_member(image, "status") != "queued") {
    return refuse(
        error_answer(call, 403, "Attribute " + name + " can be only replaced for a queued image."));
  }
  if (is_base_attribute(name)) {
    image[name] = operation.value;
    return true;
  }
  if (operation.what == "replace" && !properties.contains(name)) {
    return refuse(no_property(call, name));
  }
  properties[name] = operation.value;
  return true;
}

ServerResponse patch(Call& call) {
  if (!is_patch_type(call)) return unsupported_type(call);
  const OrderedJson operations = parse_ordered(call.http.body);
  if (!operations.is_array()) {
    return error_answer(call, 400, "Request body must be a JSON array of operation objects.");
  }
  std::vector<Operation> read;
  for (const auto& given : operations) {
    auto operation = read_operation(call, given);
    if (!operation) return operation.error();
    // What nobody may set is refused before anybody looks for the image.
    if (is_read_only(operation->name)) {
      return error_answer(call, 403, "Attribute '" + operation->name + "' is read-only.");
    }
    read.push_back(std::move(*operation));
  }
  const auto found = own_image(call);
  if (!found) return found.error();
  Json image = **found;
  for (const Operation& operation : read) {
    if (auto good = apply(call, image, operation); !good) return good.error();
  }
  touch_image(call, std::move(image));
  return json_answer(200, shown_image(*call.cloud.find(kImage, call.part("image"))));
}

ServerResponse add_tag(Call& call) {
  const auto found = own_image(call);
  if (!found) return found.error();
  Json image = **found;
  auto tags = strings_member(image, "tags");
  if (std::find(tags.begin(), tags.end(), call.part("tag")) == tags.end()) {
    tags.push_back(call.part("tag"));
  }
  image["tags"] = tags;
  touch_image(call, std::move(image));
  return done();
}

ServerResponse remove_tag(Call& call) {
  const auto found = own_image(call);
  if (!found) return found.error();
  Json image = **found;
  auto tags = strings_member(image, "tags");
  const auto tag = std::find(tags.begin(), tags.end(), call.part("tag"));
  if (tag == tags.end()) return error_answer(call, 404, "The resource could not be found.");
  tags.erase(tag);
  image["tags"] = tags;
  touch_image(call, std::move(image));
  return done();
}

ServerResponse set_status(Call& call, const std::string& from, const std::string& to) {
  const auto found = own_image(call);
  if (!found) return found.error();
  Json image = **found;
  const std::string status = string_member(image, "status");
  if (status != from && status != to) {
    return error_answer(call, 403,
                        "Not allowed to change status from " + status + " to " + to + ".");
  }
  image["status"] = to;
  touch_image(call, std::move(image));
  return done();
}

ServerResponse import(Call& call) {
  const auto found = own_image(call);
  if (!found) return found.error();
  const Json& method = member(call.body, "method");
  return error_answer(call, 400,
                      "Unknown import method name '" + string_member(method, "name") + "'.");
}

}  // namespace

void add_image_changes(Router& router) {
  const std::string one = "/v2/images/{image}";
  router.add("image", "PATCH", one, Access::signed_in(), patch);
  router.add("image", "PUT", one + "/tags/{tag}", Access::signed_in(), add_tag);
  router.add("image", "DELETE", one + "/tags/{tag}", Access::signed_in(), remove_tag);
  router.add("image", "POST", one + "/actions/deactivate", Access::admin("deactivate"),
             [](Call& call) { return set_status(call, "active", "deactivated"); });
  router.add("image", "POST", one + "/actions/reactivate", Access::admin("reactivate"),
             [](Call& call) { return set_status(call, "deactivated", "active"); });
  router.add("image", "POST", one + "/import", Access::signed_in(), import);
}

}  // namespace bailey::devcloud::image
