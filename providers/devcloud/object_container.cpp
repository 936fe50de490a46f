#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/object.hpp"

#include <openssl/evp.h>

#include <utility>

/// Containers, and the objects in them.
namespace bailey::devcloud::object {

namespace {

/// Whatever is larger is refused: this cloud keeps its data in memory.
constexpr std::size_t kLargestObject = 1024 * 1024;
constexpr std::size_t kLongestName = 256;

const std::vector<std::string>& container_headers() {
  static const std::vector<std::string> names = {"x-container-read", "x-container-write",
                                                 "x-versions-location", "x-history-location"};
  return names;
}

ServerResponse put_container(Call& call) {
  const std::string& name = call.part("container");
  if (name.size() > kLongestName) {
    return text_page(400, "Container name length of " + std::to_string(name.size()) +
                              " longer than " + std::to_string(kLongestName));
  }
  const std::string id = id_of(call);
  const Json* known = call.cloud.find(kContainer, id);
  Json container = known != nullptr ? *known
                                    : Json{{"id", id},
                                           {"project_id", call.who.project_id},
                                           {"name", name},
                                           {"metadata", Json::object()},
                                           {"modified", now_ms(call.cloud)}};
  const int status = known == nullptr ? 201 : 202;
  take_metadata(call, "container", container_headers(), container["metadata"]);
  call.cloud.put(kContainer, std::move(container));
  return text_page(status, "");
}

ServerResponse show_container(Call& call) {
  const Json* container = call.cloud.find(kContainer, id_of(call));
  if (container == nullptr) return page(404);
  std::vector<Row> rows;
  std::int64_t bytes = 0;
  for (const Json* one : call.cloud.where(kObject, "container", id_of(call))) {
    const auto modified = (*one)["modified"].get<std::int64_t>();
    std::string time = time_in_microseconds(WallTime(std::chrono::milliseconds(modified)));
    time.pop_back();
    bytes += (*one)["bytes"].get<std::int64_t>();
    const std::string name = string_member(*one, "name");
    rows.push_back({.name = name,
                    .shown = {{"name", name},
                              {"hash", (*one)["etag"]},
                              {"bytes", (*one)["bytes"]},
                              {"content_type", (*one)["type"]},
                              {"last_modified", time}}});
  }
  const std::size_t count = rows.size();
  ServerResponse response =
      call.http.method == "HEAD" ? text_page(204, "") : listing(call, std::move(rows));
  if (response.status >= 400) return response;
  response.headers.emplace_back("X-Container-Object-Count", std::to_string(count));
  response.headers.emplace_back("X-Container-Bytes-Used", std::to_string(bytes));
  response.headers.emplace_back("X-Storage-Policy", "Policy-0");
  add_metadata(response, (*container)["metadata"]);
  add_times(response, (*container)["modified"].get<std::int64_t>());
  return response;
}

ServerResponse change_container(Call& call) {
  const Json* known = call.cloud.find(kContainer, id_of(call));
  if (known == nullptr) return page(404);
  Json container = *known;
  take_metadata(call, "container", container_headers(), container["metadata"]);
  call.cloud.put(kContainer, std::move(container));
  return text_page(204, "");
}

ServerResponse remove_container(Call& call) {
  const std::string id = id_of(call);
  if (call.cloud.find(kContainer, id) == nullptr) return page(404);
  if (call.cloud.find_by(kObject, "container", id) != nullptr) return page(409);
  call.cloud.erase(kContainer, id);
  return text_page(204, "");
}

// --- objects

std::string object_id(const Call& call) {
  return id_of(call) + "/" + call.part("object");
}

std::string md5(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_md5(), nullptr) != 1) return "";
  return hex(std::string_view(reinterpret_cast<const char*>(digest), size));
}

const std::vector<std::string>& object_headers() {
  static const std::vector<std::string> names = {"content-disposition", "content-encoding",
                                                 "x-delete-at"};
  return names;
}

ServerResponse put_object(Call& call) {
  if (call.cloud.find(kContainer, id_of(call)) == nullptr) return page(404);
  const std::string& bytes = call.http.body;
  if (bytes.size() > kLargestObject) return text_page(413, "Your request is too large.");
  const std::string etag = md5(bytes);
  if (const auto wanted = call.http.header("etag"); wanted && *wanted != etag) return page(422);
  Json one = {{"id", object_id(call)},
              {"container", id_of(call)},
              {"name", call.part("object")},
              {"metadata", Json::object()},
              {"type", call.http.header("content-type").value_or("application/octet-stream")},
              {"etag", etag},
              {"bytes", bytes.size()},
              {"data", base64(bytes)},
              {"modified", now_ms(call.cloud)}};
  take_metadata(call, "object", object_headers(), one["metadata"]);
  const Json& stored = call.cloud.put(kObject, std::move(one));
  ServerResponse response = text_page(201, "");
  response.headers.emplace_back("Etag", etag);
  add_times(response, stored["modified"].get<std::int64_t>());
  return response;
}

ServerResponse show_object(Call& call) {
  const Json* one = call.cloud.find(kObject, object_id(call));
  if (one == nullptr) return page(404);
  ServerResponse response = text_answer(200, string_member(*one, "type"),
                                        from_base64(string_member(*one, "data")).value_or(""));
  response.headers.emplace_back("Etag", string_member(*one, "etag"));
  response.headers.emplace_back("Accept-Ranges", "bytes");
  if (call.http.method == "HEAD") {
    response.headers.emplace_back("Content-Length", member(*one, "bytes").dump());
  }
  add_metadata(response, (*one)["metadata"]);
  add_times(response, (*one)["modified"].get<std::int64_t>());
  return response;
}

/// Unlike a container's, an object's metadata are replaced as a whole.
ServerResponse change_object(Call& call) {
  const Json* known = call.cloud.find(kObject, object_id(call));
  if (known == nullptr) return page(404);
  Json one = *known;
  one["metadata"] = Json::object();
  take_metadata(call, "object", object_headers(), one["metadata"]);
  call.cloud.put(kObject, std::move(one));
  return text_page(202, "");
}

ServerResponse remove_object(Call& call) {
  return call.cloud.erase(kObject, object_id(call)) ? text_page(204, "") : page(404);
}

}  // namespace

void add_containers(Router& router) {
  const std::string one = "/{container}";
  add_route(router, "PUT", one, put_container);
  add_route(router, "GET", one, show_container);
  add_route(router, "POST", one, change_container);
  add_route(router, "DELETE", one, remove_container);
}

void add_objects(Router& router) {
  const std::string one = "/{container}/{object...}";
  add_route(router, "PUT", one, put_object);
  add_route(router, "GET", one, show_object);
  add_route(router, "POST", one, change_object);
  add_route(router, "DELETE", one, remove_object);
}

}  // namespace bailey::devcloud::object
