#include "orchestrator/promote/artifact/oci_registry.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/artifact/challenge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bailey {

namespace {

constexpr std::size_t kMaximumManifest = 4U * 1024 * 1024;
constexpr std::size_t kMaximumToken = 64U * 1024;

struct MediaType {
  std::string_view name;
  bool index = false;
};
constexpr std::array<MediaType, 4> kMediaTypes{{
    {"application/vnd.oci.image.manifest.v1+json", false},
    {"application/vnd.oci.image.index.v1+json", true},
    {"application/vnd.docker.distribution.manifest.v2+json", false},
    {"application/vnd.docker.distribution.manifest.list.v2+json", true},
}};

std::string accepted() {
  std::vector<std::string> names;
  for (const auto& type : kMediaTypes) names.emplace_back(type.name);
  return join(names, ", ");
}

const MediaType* find_type(std::string_view name) {
  const auto found = std::find_if(kMediaTypes.begin(), kMediaTypes.end(),
                                  [&](const MediaType& type) { return type.name == name; });
  return found == kMediaTypes.end() ? nullptr : found;
}

std::string base_url(std::string_view registry) {
  return fmt::format("{}://{}", is_loopback_registry(registry) ? "http" : "https", registry);
}

tl::unexpected<Error> not_manifest(std::string why) {
  return fail(Error(ErrorKind::Protocol, "the registry answered no manifest: " + std::move(why))
                  .with_code("artifact.no-manifest"));
}

ErrorKind kind_for(int status) {
  switch (status) {
    case 401:
      return ErrorKind::Unauthenticated;
    case 403:
      return ErrorKind::PermissionDenied;
    case 404:
      return ErrorKind::NotFound;
    case 429:
      return ErrorKind::RateLimited;
    default:
      return status >= 500 ? ErrorKind::Unavailable : ErrorKind::Protocol;
  }
}

Error failure(const HttpResponse& response, std::string_view what) {
  Error error(kind_for(response.status), fmt::format("{} answered {}", what, response.status));
  const auto delay = response.header("retry-after");
  if (!error.retryable() || !delay || delay->empty() || delay->size() > 6 ||
      !std::all_of(delay->begin(), delay->end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return error;
  }
  return std::move(error).with_retry_after(std::chrono::seconds(std::stol(*delay)));
}

std::string content_type(const HttpResponse& response) {
  const auto header = response.header("content-type").value_or("");
  return std::string(trim(std::string_view(header).substr(0, header.find(';'))));
}

// The digest fixes the bytes but not how they are read: what the body says it is, the header says
// it is, and what its members are have to be one thing.
Result<ArtifactManifest> read_manifest(const ArtifactReference& reference,
                                       const HttpResponse& response) {
  if (response.body.size() > kMaximumManifest) return not_manifest("it is larger than 4 MiB");
  if (digest_of(std::string_view(response.body)) != reference.digest) {
    return fail(
        Error(ErrorKind::Refused, "the registry answered other bytes than the digest stands for")
            .with_code("artifact.digest-mismatch"));
  }
  const auto body = parse_json(response.body, {.max_bytes = kMaximumManifest});
  if (!body) return not_manifest(body.error().message());
  const auto header_type = content_type(response);
  const auto& body_type = member(*body, "mediaType");
  if (!body_type.is_null() && (!body_type.is_string() || body_type != header_type)) {
    return not_manifest("it says that it is of another type than its header");
  }
  const auto* type = find_type(header_type);
  if (type == nullptr) return not_manifest("its type is not known");
  if (member(*body, "schemaVersion") != 2) return not_manifest("its schemaVersion is not 2");
  const bool lists = member(*body, "manifests").is_array();
  const bool describes = member(*body, "config").is_object() && member(*body, "layers").is_array();
  // A document that is both would be read as one by some and as the other by others.
  const bool both = member(*body, "layers").is_array() || !member(*body, "config").is_null();
  if (type->index ? !lists || both : !describes || lists) {
    return not_manifest("its members are not those of its type");
  }
  return ArtifactManifest{reference, header_type, type->index, response.body};
}

}  // namespace

Result<Secret> OciRegistry::authorization(const std::string& challenge, const std::string& registry,
                                          const std::string& repository,
                                          std::stop_token stop) const {
  const auto parsed = parse_challenge(challenge);
  const auto refused = [](std::string why) {
    return fail(ErrorKind::Unauthenticated, "the registry wants a sign-in " + std::move(why));
  };
  if (!parsed) return refused("that cannot be understood");
  std::optional<Secret> basic;
  if (credential_) {
    basic = Secret("Basic " +
                   base64(fmt::format("{}:{}", credential_->user, credential_->password.reveal())));
  }
  if (parsed->scheme == "basic") {
    if (!basic) return refused("and there is no credential for it");
    return *basic;
  }
  if (parsed->scheme != "bearer") return refused("of a kind that is not supported");

  const auto parameter = [&](const char* name) {
    const auto found = parsed->parameters.find(name);
    return found == parsed->parameters.end() ? std::string() : found->second;
  };
  const auto realm = parameter("realm");
  const auto scheme_end = realm.find("://");
  const auto host_begin = scheme_end == std::string::npos ? 0 : scheme_end + 3;
  const auto authority =
      realm.substr(host_begin, realm.find_first_of("/?#", host_begin) - host_begin);
  const bool local = is_loopback_registry(authority) && is_loopback_registry(registry);
  // A registry elsewhere must not send us, with a credential, into our own machine or over plain
  // HTTP.
  const bool trusted = realm.starts_with("https://") ? local || !is_loopback_registry(authority)
                                                     : realm.starts_with("http://") && local;
  if (!trusted || authority.empty() || authority.find('@') != std::string::npos ||
      realm.find('#') != std::string::npos) {
    return refused("at a place that is not safe");
  }
  HttpRequest request;
  request.url = realm + (realm.find('?') == std::string::npos ? "?" : "&") +
                "scope=" + percent_encode(fmt::format("repository:{}:pull", repository));
  if (const auto service = parameter("service"); !service.empty()) {
    request.url += "&service=" + percent_encode(service);
  }
  if (basic) request.secret_headers.emplace_back("Authorization", *basic);
  const auto response = http_.send(request, stop);
  if (!response) return fail(Error(response.error()).in("asking for a registry token"));
  if (response->status != 200) return fail(failure(*response, "the token service"));
  const auto body = parse_json(response->body, {.max_bytes = kMaximumToken});
  if (!body) return refused("and its token service answers no token");
  auto token = string_member(*body, "token");
  if (token.empty()) token = string_member(*body, "access_token");
  const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
  if (token.empty() || !std::all_of(token.begin(), token.end(), printable)) {
    return refused("and its token service answers no token");
  }
  return Secret("Bearer " + token);
}

Result<HttpResponse> OciRegistry::get(const std::string& registry, const std::string& path,
                                      const std::string& repository, std::stop_token stop) const {
  HttpRequest request;
  request.url = base_url(registry) + path;
  request.headers.emplace_back("Accept", accepted());
  auto response = http_.send(request, stop);
  if (!response || response->status != 401) return response;
  const auto challenge = response->header("www-authenticate");
  if (!challenge) return response;
  auto secret = authorization(*challenge, registry, repository, stop);
  if (!secret) return fail(std::move(secret.error()));
  request.secret_headers.emplace_back("Authorization", *std::move(secret));
  return http_.send(request, stop);
}

Result<ArtifactManifest> OciRegistry::fetch(const ArtifactReference& reference,
                                            std::stop_token stop) const {
  const auto frame = fmt::format("fetching {}", reference.str());
  const auto path = fmt::format("/v2/{}/manifests/{}", reference.repository, reference.digest);
  const auto response = get(reference.registry, path, reference.repository, stop);
  if (!response) return fail(Error(response.error()).in(frame));
  if (response->status != 200) {
    return fail(failure(*response, "the registry").in(frame));
  }
  auto manifest = read_manifest(reference, *response);
  if (!manifest) return fail(std::move(manifest.error()).in(frame));
  return manifest;
}

Result<std::string> OciRegistry::resolve_tag(const TagReference& reference,
                                             std::stop_token stop) const {
  const auto frame =
      fmt::format("looking up {}/{}:{}", reference.registry, reference.repository, reference.tag);
  const auto path = fmt::format("/v2/{}/manifests/{}", reference.repository, reference.tag);
  const auto response = get(reference.registry, path, reference.repository, stop);
  if (!response) return fail(Error(response.error()).in(frame));
  if (response->status != 200) return fail(failure(*response, "the registry").in(frame));
  // From the bytes rather than from Docker-Content-Digest: the header is only a claim.
  const ArtifactReference now{reference.registry, reference.repository,
                              digest_of(std::string_view(response->body))};
  auto manifest = read_manifest(now, *response);
  if (!manifest) return fail(std::move(manifest.error()).in(frame));
  return now.digest;
}

}  // namespace bailey
