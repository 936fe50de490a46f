#include "providers/devcloud/image.hpp"

#include "providers/devcloud/services.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace bailey::devcloud {

namespace image {

namespace {

std::string reason(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

/// The body of webob's errors.
ServerResponse in_html_or_json(const Call& call, int status, const std::string& text) {
  const std::string code = std::to_string(status) + " " + reason(status);
  const auto accept = call.http.header("accept");
  if (accept && accept->find("json") != std::string::npos) {
    return json_answer(status, {{"message", text}, {"code", code}, {"title", reason(status)}});
  }
  return text_answer(status, "text/html; charset=UTF-8",
                     "<html>\n <head>\n  <title>" + code + "</title>\n </head>\n <body>\n  <h1>" +
                         code + "</h1>\n  " + text + "\n </body>\n</html>");
}

ServerResponse unauthorized(const Call& call) {
  ServerResponse response = error_answer(
      call, 401,
      "This server could not verify that you are authorized to access the document you requested. "
      "Either you supplied the wrong credentials (e.g., bad password), or your browser does not "
      "understand how to supply the credentials required.");
  response.headers.emplace_back("WWW-Authenticate",
                                "Keystone uri=\"" + call.cloud.base_url() + "/v3\"");
  return response;
}

Json versions(const Call& call) {
  Json list = Json::array();
  for (const int minor : {15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}) {
    list.push_back({{"id", "v2." + std::to_string(minor)},
                    {"status", minor == 15 ? "CURRENT" : "SUPPORTED"},
                    {"links", Json::array({{{"rel", "self"}, {"href", call.base() + "/v2/"}}})}});
  }
  return {{"versions", list}};
}

ServerResponse unknown_path(const Call& call) {
  if (call.path.compare(0, 3, "/v2") != 0) return json_answer(300, versions(call));
  if (!call.http.header("x-auth-token")) return unauthorized(call);
  return error_answer(call, 404, "The resource could not be found.");
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string& detail) {
  switch (refusal) {
    case Refusal::Unauthenticated:
      return unauthorized(call);
    case Refusal::Forbidden:
      return error_answer(call, 403, "You are not authorized to complete " + detail + " action.");
    case Refusal::NotJson:
      return error_answer(call, 400, "Malformed JSON in request body.");
    case Refusal::UnknownPath:
      return unknown_path(call);
    case Refusal::MethodNotAllowed: {
      if (call.http.method == "OPTIONS") return empty_answer(200);
      ServerResponse response = in_html_or_json(call, 405,
                                                "The method " + call.http.method +
                                                    " is not allowed for this resource. "
                                                    "<br /><br />\n");
      response.headers.emplace_back("Allow", detail);
      return response;
    }
    case Refusal::TooManyRequests:
      return error_answer(call, 429, "Too many requests.");
    case Refusal::ServiceUnavailable:
      return error_answer(call, 503,
                          "The server is currently unavailable. Please try again at a later time.");
    case Refusal::InternalServerError:
      break;
  }
  return error_answer(
      call, 500,
      "The server has either erred or is incapable of performing the requested operation.");
}

ServerResponse show_stores(Call& call) {
  static_cast<void>(call);
  return json_answer(200, {{"stores", Json::array({{{"id", "devcloud"}, {"default", "true"}}})}});
}

/// A cloud without any image could start no server.
void add_first_image(Cloud& cloud) {
  if (!cloud.all(kImage).empty()) return;
  const Json* project = cloud.find_by("identity.project", "name", "admin");
  const std::string made = time_in_seconds(cloud.clock().wall_now());
  Json first = {{"id", cloud.new_uuid()},
                {"name", "cirros"},
                {"disk_format", "qcow2"},
                {"container_format", "bare"},
                {"visibility", "public"},
                {"status", "active"},
                {"protected", false},
                {"min_ram", 0},
                {"min_disk", 0},
                {"owner", project == nullptr ? Json(nullptr) : (*project)["id"]},
                {"os_hidden", false},
                {"created_at", made},
                {"updated_at", made},
                {"tags", Json::array()},
                {"_properties", Json::object()}};
  store_data(cloud, first, "A server of the embedded cloud runs nothing, so nothing is here.\n");
  cloud.put(kImage, std::move(first));
}

}  // namespace

ServerResponse error_answer(const Call& call, int status, const std::string& message,
                            const std::string& detail) {
  return in_html_or_json(call, status, message + "<br /><br />\n" + detail + "\n\n");
}

ServerResponse not_found(const Call& call, const std::string& id) {
  return error_answer(call, 404, "No image found with ID " + id);
}

ServerResponse unsupported_type(const Call& call) {
  const auto type = call.http.header("content-type");
  return in_html_or_json(call, 415,
                         "The request media type " + type.value_or("None") +
                             " is not supported by this server.\n<br /><br />\n");
}

ServerResponse done() {
  return text_answer(204, "text/html; charset=UTF-8", "");
}

bool may_see(const Call& call, const Json& image) {
  const std::string visibility = string_member(image, "visibility");
  if (visibility == "public" || visibility == "community") return true;
  if (call.who.owns(string_member(image, "owner"))) return true;
  return visibility == "shared" && call.cloud.find(kMember, string_member(image, "id") + "/" +
                                                                call.who.project_id) != nullptr;
}

Checked<const Json*> visible_image(const Call& call) {
  const std::string& id = call.part("image");
  const Json* image = call.cloud.find(kImage, id);
  if (image == nullptr || !may_see(call, *image)) return refuse(not_found(call, id));
  return image;
}

Checked<const Json*> own_image(const Call& call) {
  auto image = visible_image(call);
  if (image && !call.who.owns(string_member(**image, "owner"))) {
    return refuse(error_answer(call, 403, "You do not own this image"));
  }
  return image;
}

Json shown_image(const Json& image) {
  Json shown = without_private(image);
  for (const auto& [name, value] : member(image, "_properties").items()) shown[name] = value;
  const std::string self = "/v2/images/" + string_member(image, "id");
  shown["self"] = self;
  shown["file"] = self + "/file";
  shown["schema"] = "/v2/schemas/image";
  return shown;
}

std::string now(const Call& call) {
  return time_in_seconds(call.cloud.clock().wall_now());
}

void touch_image(const Call& call, Json image) {
  image["updated_at"] = now(call);
  call.cloud.put(kImage, std::move(image));
}

bool is_read_only(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "status",        "checksum",   "size",       "virtual_size", "os_hash_algo",
      "os_hash_value", "created_at", "updated_at", "self",         "file",
      "schema",        "direct_url", "stores"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_base_attribute(std::string_view name) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "id",      "name",     "disk_format", "container_format", "visibility", "protected",
      "min_ram", "min_disk", "owner",       "os_hidden",        "tags"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || is_read_only(name);
}

}  // namespace image

void add_image(Router& router, Cloud& cloud) {
  using namespace image;
  router.add_service(
      {.type = "image", .name = "glance", .prefixes = {"/image"}, .refuse = refuse_call});
  router.add("image", "GET", "/", Access::anyone(),
             [](Call& call) { return json_answer(300, versions(call)); });
  router.add("image", "GET", "/versions", Access::anyone(),
             [](Call& call) { return json_answer(200, versions(call)); });
  router.add("image", "GET", "/v2/info/stores", Access::signed_in(), show_stores);
  router.add("image", "GET", "/v2/info/import", Access::signed_in(), [](Call&) {
    return json_answer(200, {{"import-methods",
                              {{"description", "Import methods available."},
                               {"type", "array"},
                               {"value", Json::array()}}}});
  });
  router.add("image", "GET", "/v2/tasks", Access::admin("tasks_api_access"), [](Call&) {
    return json_answer(200, {{"tasks", Json::array()}});
  });
  add_images(router);
  add_image_lists(router);
  add_image_changes(router);
  add_image_data(router);
  add_image_members(router);
  add_first_image(cloud);
}

}  // namespace bailey::devcloud
