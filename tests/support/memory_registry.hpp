#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/net/http_client.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {

/// Registries in memory, as many as there are hosts: what is pushed can be pulled, each repository
/// has its own blobs and manifests. How much of the specification they know can be set.
class MemoryRegistry final : public HttpClient {
 public:
  bool knows_referrers = false;
  bool lends_blobs = true;  ///< Answers `mount` with 201.
  bool knows_ranges = true;
  std::map<std::string, std::string> passwords;    ///< Host to `user:password`; none: anybody.
  std::function<bool(const HttpRequest&)> breaks;  ///< Answered with 503.
  std::vector<HttpRequest> requests;

  struct Repository {
    std::map<std::string, std::string> blobs;
    std::map<std::string, std::pair<std::string, std::string>> manifests;  ///< Type and body.
    std::map<std::string, std::string> tags;                               ///< To a digest.
  };
  /// By `HOST/PATH`.
  std::map<std::string, Repository> repositories;

  std::string add_blob(const std::string& name, const std::string& bytes) {
    auto digest = digest_of(std::string_view(bytes));
    repositories[name].blobs[digest] = bytes;
    return digest;
  }
  std::string add_manifest(const std::string& name, const Json& body) {
    const auto text = body.dump();
    auto digest = digest_of(std::string_view(text));
    repositories[name].manifests[digest] = {string_member(body, "mediaType"), text};
    return digest;
  }
  /// An image with these layers; its digest.
  std::string add_image(const std::string& name, const std::vector<std::string>& layers) {
    Json body{{"schemaVersion", 2},
              {"mediaType", kManifest},
              {"config",
               descriptor("application/vnd.oci.image.config.v1+json",
                          add_blob(name, "{\"of\":\"" + layers.at(0).substr(0, 20) + "\"}"), name)},
              {"layers", Json::array()}};
    for (const auto& layer : layers) {
      body["layers"].push_back(
          descriptor("application/vnd.oci.image.layer.v1.tar", add_blob(name, layer), name));
    }
    return add_manifest(name, body);
  }
  Json descriptor(const std::string& type, const std::string& digest, const std::string& name) {
    const auto& repository = repositories[name];
    const auto manifest = repository.manifests.find(digest);
    const auto size = manifest == repository.manifests.end() ? repository.blobs.at(digest).size()
                                                             : manifest->second.second.size();
    return {{"mediaType", type}, {"digest", digest}, {"size", size}};
  }

  Result<HttpResponse> send(const HttpRequest& request, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    if (breaks && breaks(request)) return answer(503);
    const auto host_begin = request.url.find("://") + 3;
    const auto path_begin = request.url.find('/', host_begin);
    const auto host = request.url.substr(host_begin, path_begin - host_begin);
    if (!let_in(host, request)) {
      auto response = answer(401);
      response.headers.emplace_back("www-authenticate", "Basic realm=\"registry\"");
      return response;
    }
    return route(host, request.url.substr(path_begin + 4), request);
  }

  static constexpr const char* kManifest = "application/vnd.oci.image.manifest.v1+json";
  static constexpr const char* kIndex = "application/vnd.oci.image.index.v1+json";

 private:
  static HttpResponse answer(int status, std::string body = {}) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }

  bool let_in(const std::string& host, const HttpRequest& request) {
    const auto wanted = passwords.find(host);
    if (wanted == passwords.end()) return true;
    for (const auto& [name, value] : request.secret_headers) {
      if (value.reveal() == "Basic " + base64(wanted->second)) return true;
    }
    return false;
  }

  static std::string header(const HttpRequest& request, const std::string& wanted) {
    for (const auto& [name, value] : request.headers) {
      if (name == wanted) return value;
    }
    return {};
  }

  static std::string parameter(const std::string& query, const std::string& wanted) {
    for (const auto& pair : split(query, '&')) {
      if (pair.starts_with(wanted + "=")) {
        return percent_decode(pair.substr(wanted.size() + 1)).value_or("");
      }
    }
    return {};
  }

  HttpResponse route(const std::string& host, const std::string& target,
                     const HttpRequest& request) {
    const auto question = target.find('?');
    const auto path = target.substr(0, question);
    const auto query = question == std::string::npos ? "" : target.substr(question + 1);
    for (const char* kind : {"/manifests/", "/blobs/", "/referrers/", "/tags/"}) {
      const auto at = path.find(kind);
      if (at == std::string::npos) continue;
      const auto name = host + "/" + path.substr(0, at);
      const auto rest = path.substr(at + std::string_view(kind).size());
      auto& repository = repositories[name];
      if (kind == std::string_view("/manifests/")) return manifest(repository, rest, request);
      if (kind == std::string_view("/referrers/")) return referrers(repository, rest);
      if (kind == std::string_view("/tags/")) return tags(repository);
      return blob(host, path.substr(0, at), rest, query, request);
    }
    return answer(404);
  }

  HttpResponse manifest(Repository& repository, const std::string& reference,
                        const HttpRequest& request) {
    if (request.method == "PUT") {
      const auto digest = digest_of(std::string_view(request.body));
      if (is_digest(reference) && reference != digest) return answer(400);
      repository.manifests[digest] = {header(request, "Content-Type"), request.body};
      if (!is_digest(reference)) repository.tags[reference] = digest;
      auto response = answer(201);
      const auto body = parse_json(request.body);
      if (knows_referrers && body && body->contains("subject")) {
        response.headers.emplace_back("oci-subject", string_member((*body)["subject"], "digest"));
      }
      return response;
    }
    const auto tag = repository.tags.find(reference);
    const auto found =
        repository.manifests.find(tag == repository.tags.end() ? reference : tag->second);
    if (found == repository.manifests.end()) return answer(404);
    auto response = answer(200, found->second.second);
    response.headers.emplace_back("content-type", found->second.first);
    return response;
  }

  HttpResponse referrers(const Repository& repository, const std::string& digest) {
    if (!knows_referrers) return answer(404);
    Json list = Json::array();
    for (const auto& [name, manifest] : repository.manifests) {
      const auto body = parse_json(manifest.second);
      if (!body || string_member(member(*body, "subject"), "digest") != digest) continue;
      list.push_back({{"mediaType", manifest.first},
                      {"digest", name},
                      {"size", manifest.second.size()},
                      {"artifactType", string_member(*body, "artifactType")}});
    }
    return answer(200,
                  Json{{"schemaVersion", 2}, {"mediaType", kIndex}, {"manifests", list}}.dump());
  }

  HttpResponse tags(const Repository& repository) {
    Json names = Json::array();
    for (const auto& [tag, digest] : repository.tags) names.push_back(tag);
    return answer(200, Json{{"tags", names}}.dump());
  }

  HttpResponse blob(const std::string& host, const std::string& path, const std::string& rest,
                    const std::string& query, const HttpRequest& request) {
    auto& repository = repositories[host + "/" + path];
    if (rest == "uploads/") {
      const auto mount = parameter(query, "mount");
      if (!mount.empty() && lends_blobs) {
        const auto& source = repositories[host + "/" + parameter(query, "from")].blobs;
        const auto found = source.find(mount);
        if (found != source.end()) {
          repository.blobs[mount] = found->second;
          return answer(201);
        }
      }
      auto response = answer(202);
      const auto id = std::to_string(++uploads_);
      open_[id] = {};
      response.headers.emplace_back("location", "/v2/" + path + "/blobs/uploads/" + id);
      return response;
    }
    if (rest.starts_with("uploads/"))
      return upload(repository, path, rest.substr(8), query, request);
    const auto found = repository.blobs.find(rest);
    if (found == repository.blobs.end()) return answer(404);
    if (request.method == "HEAD") return answer(200);
    const auto range = header(request, "Range");
    if (range.empty() || !knows_ranges) return answer(200, found->second);
    const auto bounds = split(range.substr(6), '-');
    const auto first = std::stoul(bounds.at(0));
    return answer(206, found->second.substr(first, std::stoul(bounds.at(1)) - first + 1));
  }

  HttpResponse upload(Repository& repository, const std::string& path, const std::string& id,
                      const std::string& query, const HttpRequest& request) {
    const auto open = open_.find(id);
    if (open == open_.end()) return answer(404);
    if (request.method == "DELETE") {
      open_.erase(open);
      return answer(204);
    }
    open->second += request.body;
    if (request.method == "PUT") {
      const auto digest = digest_of(std::string_view(open->second));
      if (digest != parameter(query, "digest")) return answer(400);
      repository.blobs[digest] = open->second;
      open_.erase(open);
      return answer(201);
    }
    auto response = answer(202);
    response.headers.emplace_back("location", "/v2/" + path + "/blobs/uploads/" + id);
    return response;
  }

  std::mutex mutex_;
  int uploads_ = 0;
  std::map<std::string, std::string> open_;
};

}  // namespace bailey::test
