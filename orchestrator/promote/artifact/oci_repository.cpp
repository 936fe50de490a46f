#include "orchestrator/promote/artifact/oci_repository.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/sha256_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::size_t kMaximumTags = 10'000;
constexpr int kMaximumPages = 100;
constexpr std::string_view kBytes = "application/octet-stream";

tl::unexpected<Error> unexpected(const HttpResponse& response, const std::string& frame) {
  return fail(registry_failure(response, "the registry").in(frame));
}

Error other_bytes() {
  return Error(ErrorKind::Refused, "the registry answered other bytes than the digest stands for")
      .with_code("artifact.digest-mismatch");
}

std::string with_digest(const std::string& location, const std::string& digest) {
  return location + (location.find('?') == std::string::npos ? '?' : '&') +
         "digest=" + percent_encode(digest);
}

// RFC 8288: the path of the next page, of `<path>; rel="next"`.
std::string next_page(const HttpResponse& response) {
  const auto link = response.header("link").value_or("");
  const auto begin = link.find('<');
  const auto end = link.find('>');
  if (begin == std::string::npos || end == std::string::npos || end < begin ||
      link.find("rel=\"next\"", end) == std::string::npos) {
    return {};
  }
  return link.substr(begin + 1, end - begin - 1);
}

}  // namespace

std::string OciRepository::url(std::string_view path) const {
  return fmt::format("/v2/{}{}", name_, path);
}

Result<HttpResponse> OciRepository::send(HttpRequest request, std::stop_token stop) const {
  return session_.send(std::move(request), push_scope(name_), std::move(stop));
}

Result<HttpResponse> OciRepository::get(const std::string& path, std::stop_token stop) const {
  HttpRequest request;
  request.url = url(path);
  request.headers.emplace_back("Accept", accepted_manifests());
  return session_.get(request, pull_scope(name_), std::move(stop));
}

Result<HttpResponse> OciRepository::get_manifest(const std::string& reference,
                                                 std::stop_token stop) const {
  return get("/manifests/" + reference, std::move(stop));
}

Result<std::optional<ArtifactManifest>> OciRepository::manifest(const std::string& digest,
                                                                std::stop_token stop) const {
  const auto frame = "fetching " + at(digest).str();
  auto response = get_manifest(digest, stop);
  if (!response) return fail(std::move(response.error()).in(frame));
  if (response->status == 404) return std::optional<ArtifactManifest>();
  if (response->status != 200) return unexpected(*response, frame);
  auto read = read_manifest(at(digest), response->header("content-type").value_or(""),
                            std::move(response->body));
  if (!read) return fail(std::move(read.error()).in(frame));
  return std::optional<ArtifactManifest>(*std::move(read));
}

Result<std::optional<OciRepository::Tagged>> OciRepository::tagged(const std::string& tag,
                                                                   std::stop_token stop) const {
  const auto frame = fmt::format("looking up {}:{}", name(), tag);
  auto response = get_manifest(tag, stop);
  if (!response) return fail(std::move(response.error()).in(frame));
  if (response->status == 404) return std::optional<Tagged>();
  if (response->status != 200) return unexpected(*response, frame);
  // From the bytes rather than from Docker-Content-Digest: the header is only a claim.
  auto now = at(digest_of(std::string_view(response->body)));
  auto read =
      read_manifest(now, response->header("content-type").value_or(""), std::move(response->body));
  if (!read) return fail(std::move(read.error()).in(frame));
  return std::optional<Tagged>({*std::move(read), response->header("etag").value_or("")});
}

Result<std::vector<std::string>> OciRepository::tags(std::string_view prefix,
                                                     std::stop_token stop) const {
  const auto frame = "listing the tags of " + name();
  std::vector<std::string> found;
  std::size_t seen = 0;
  auto next = url("/tags/list?n=1000");
  for (int page = 0; !next.empty() && page < kMaximumPages; ++page) {
    HttpRequest request;
    request.url = next;
    const auto response = session_.send(request, pull_scope(name_), stop);
    if (!response) return fail(Error(response.error()).in(frame));
    if (response->status == 404) return found;
    if (response->status != 200) return unexpected(*response, frame);
    const auto body = parse_json(response->body, {.max_bytes = kMaximumManifest});
    if (!body) return fail(Error(body.error()).in(frame));
    for (auto& tag : strings_member(*body, "tags")) {
      if (++seen > kMaximumTags) {
        return fail(Error(ErrorKind::FailedPrecondition, "the repository has too many tags")
                        .in(frame)
                        .with_code("registry.too-many-tags"));
      }
      if (tag.starts_with(prefix)) found.push_back(std::move(tag));
    }
    const auto link = next_page(*response);
    next = link.empty() || link.starts_with('/') ? link : session_.resolve(link).value_or("");
  }
  return found;
}

Result<OciRepository::Put> OciRepository::put_manifest(const std::string& reference,
                                                       std::string_view media_type,
                                                       const std::string& body,
                                                       const Condition& condition,
                                                       std::stop_token stop) const {
  const auto frame = fmt::format("writing {} of {}", reference, name());
  HttpRequest request;
  request.method = "PUT";
  request.url = url("/manifests/" + reference);
  request.headers.emplace_back("Content-Type", std::string(media_type));
  if (condition.absent) request.headers.emplace_back("If-None-Match", "*");
  if (!condition.etag.empty()) request.headers.emplace_back("If-Match", condition.etag);
  request.body = body;
  const auto response = send(std::move(request), stop);
  if (!response) return fail(Error(response.error()).in(frame));
  if (response->status == 412) {
    return fail(Error(ErrorKind::Conflict, "somebody else has written it meanwhile").in(frame));
  }
  if (response->status != 201) return unexpected(*response, frame);
  return Put{response->header("oci-subject").has_value()};
}

Result<bool> OciRepository::has_blob(const std::string& digest, std::stop_token stop) const {
  HttpRequest request;
  request.method = "HEAD";
  request.url = url("/blobs/" + digest);
  const auto response = session_.get(request, pull_scope(name_), stop);
  const auto frame = fmt::format("looking for {} in {}", digest, name());
  if (!response) return fail(Error(response.error()).in(frame));
  if (response->status == 200) return true;
  if (response->status == 404) return false;
  return unexpected(*response, frame);
}

Result<bool> OciRepository::mount_blob(const std::string& digest, const std::string& from,
                                       std::stop_token stop) const {
  const auto frame = fmt::format("taking {} over from {} to {}", digest, from, name());
  HttpRequest request;
  request.method = "POST";
  request.url = url(fmt::format("/blobs/uploads/?mount={}&from={}", percent_encode(digest),
                                percent_encode(from)));
  const auto scopes = push_scope(name_) + " " + pull_scope(from);
  const auto response = session_.send(std::move(request), scopes, stop);
  if (!response) return fail(Error(response.error()).in(frame));
  if (response->status == 201) return true;
  if (response->status != 202) return unexpected(*response, frame);
  // It has opened an upload instead, which nobody will use.
  const auto upload = session_.resolve(response->header("location").value_or(""));
  if (!upload) return false;
  HttpRequest forget;
  forget.method = "DELETE";
  forget.url = *upload;
  [[maybe_unused]] const auto forgotten = send(std::move(forget), stop);
  return false;
}

Result<std::string> OciRepository::begin_upload(std::stop_token stop) const {
  HttpRequest request;
  request.method = "POST";
  request.url = url("/blobs/uploads/");
  const auto response = send(std::move(request), stop);
  if (!response) return fail(response.error());
  if (response->status != 202) return fail(registry_failure(*response, "the registry"));
  return session_.resolve(response->header("location").value_or(""));
}

Status OciRepository::put_blob(const std::string& digest, const std::string& bytes,
                               std::stop_token stop) const {
  const auto there = has_blob(digest, stop);
  if (!there) return fail(there.error());
  if (*there) return {};
  const auto frame = fmt::format("writing {} to {}", digest, name());
  const auto upload = begin_upload(stop);
  if (!upload) return fail(Error(upload.error()).in(frame));
  HttpRequest request;
  request.method = "PUT";
  request.url = with_digest(*upload, digest);
  request.headers.emplace_back("Content-Type", std::string(kBytes));
  request.body = bytes;
  const auto response = send(std::move(request), stop);
  if (!response) return fail(Error(response.error()).in(frame));
  if (response->status != 201) return unexpected(*response, frame);
  return {};
}

Result<std::string> OciRepository::blob(const Descriptor& descriptor, std::size_t limit,
                                        std::stop_token stop) const {
  if (descriptor.size > limit) {
    return fail(Error(ErrorKind::Refused,
                      fmt::format("{} is larger than {} bytes", descriptor.digest, limit))
                    .with_code("artifact.too-large"));
  }
  std::string bytes;
  auto read = read_blob(
      descriptor,
      [&](std::string_view piece) -> Status {
        bytes += piece;
        return {};
      },
      stop);
  if (!read) return fail(std::move(read.error()));
  return bytes;
}

Status OciRepository::read_blob(const Descriptor& descriptor, const Sink& sink,
                                std::stop_token stop) const {
  const auto frame = fmt::format("reading {} of {}", descriptor.digest, name());
  Sha256Stream hash;
  std::uint64_t at = 0;
  while (at < descriptor.size) {
    const auto last = std::min<std::uint64_t>(at + kBlobChunk, descriptor.size) - 1;
    HttpRequest request;
    request.url = url("/blobs/" + descriptor.digest);
    const bool whole = at == 0 && last + 1 == descriptor.size;
    if (!whole) request.headers.emplace_back("Range", fmt::format("bytes={}-{}", at, last));
    const auto response = session_.get(request, pull_scope(name_), stop);
    if (!response) return fail(Error(response.error()).in(frame));
    // One that does not know ranges answers with all of it, if that is not too much.
    const bool all = response->status == 200;
    if (!all && response->status != 206) return unexpected(*response, frame);
    if (all && at != 0) return fail(other_bytes().in(frame));
    const auto wanted = all ? descriptor.size : last + 1 - at;
    if (response->body.size() != wanted) return fail(other_bytes().in(frame));
    hash.add(response->body);
    if (auto taken = sink(response->body); !taken) return taken;
    at += wanted;
  }
  if (digest_of(hash.finish()) != descriptor.digest) return fail(other_bytes().in(frame));
  return {};
}

Status OciRepository::write_blob(const Descriptor& descriptor,
                                 const std::function<Status(const Sink&)>& source,
                                 std::stop_token stop) const {
  const auto frame = fmt::format("writing {} to {}", descriptor.digest, name());
  auto upload = begin_upload(stop);
  if (!upload) return fail(std::move(upload.error()).in(frame));
  std::uint64_t at = 0;
  auto sent = source([&](std::string_view piece) -> Status {
    HttpRequest request;
    request.method = "PATCH";
    request.url = *upload;
    request.headers = {{"Content-Type", std::string(kBytes)},
                       {"Content-Range", fmt::format("{}-{}", at, at + piece.size() - 1)}};
    request.body = piece;
    const auto response = send(std::move(request), stop);
    if (!response) return fail(Error(response.error()).in(frame));
    if (response->status != 202) return unexpected(*response, frame);
    upload = session_.resolve(response->header("location").value_or(""));
    if (!upload) return fail(Error(upload.error()).in(frame));
    at += piece.size();
    return {};
  });
  if (!sent) return sent;
  HttpRequest request;
  request.method = "PUT";
  request.url = with_digest(*upload, descriptor.digest);
  request.headers.emplace_back("Content-Type", std::string(kBytes));
  const auto response = send(std::move(request), stop);
  if (!response) return fail(Error(response.error()).in(frame));
  if (response->status != 201) return unexpected(*response, frame);
  return {};
}

}  // namespace bailey
