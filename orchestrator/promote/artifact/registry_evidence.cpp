#include "orchestrator/promote/artifact/registry_evidence.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/artifact/referrers.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

constexpr std::size_t kMaximumBlob = 4U * 1024 * 1024;
constexpr std::size_t kMaximumBytes = 32U * 1024 * 1024;
constexpr std::string_view kSigstore = "application/vnd.dev.sigstore.bundle";
constexpr std::string_view kCosign = "application/vnd.dev.cosign.";
constexpr std::string_view kSimpleSigningLayer = "application/vnd.dev.cosign.simplesigning.v1+json";

bool may_hold_evidence(std::string_view artifact_type) {
  return artifact_type.empty() || artifact_type == kDsseMediaType ||
         artifact_type == kInTotoArtifact || artifact_type.starts_with(kSigstore) ||
         artifact_type.starts_with(kCosign);
}

bool is_evidence(std::string_view media_type) {
  return media_type == kDsseMediaType || media_type == kSimpleSigningLayer ||
         media_type.starts_with(kSigstore);
}

class Search {
 public:
  Search(const OciRepository& repository, std::stop_token stop)
      : repository_(repository), stop_(std::move(stop)) {}

  void read(const ArtifactManifest& manifest, const std::string& where) {
    const auto body = parse_json(manifest.body, {.max_bytes = kMaximumManifest});
    const auto layers = body ? descriptors_in(*body, "layers")
                             : Result<std::vector<Descriptor>>(fail(body.error()));
    if (!layers) return problem(where, layers.error());
    for (const auto& layer : *layers) {
      if (is_evidence(layer.media_type)) read(layer, where);
    }
  }

  void problem(const std::string& where, const Error& error) {
    answer.problems.push_back(where + ": " + error.message());
  }

  EvidenceSearch answer;

 private:
  void read(const Descriptor& layer, const std::string& where) {
    if (layer.size > kMaximumBytes - bytes_ || answer.found.size() >= kMaximumReferrers) {
      return problem(where, Error(ErrorKind::Refused, "there is too much evidence to read"));
    }
    auto bytes = repository_.blob(layer, kMaximumBlob, stop_);
    if (!bytes) return problem(where, bytes.error());
    bytes_ += bytes->size();
    answer.found.push_back({layer.media_type, *std::move(bytes), layer.annotations, where});
  }

  const OciRepository& repository_;
  std::stop_token stop_;
  std::size_t bytes_ = 0;
};

// What an index claims to refer to the artifact has to say so itself.
bool refers_to(const ArtifactManifest& manifest, const std::string& digest) {
  const auto body = parse_json(manifest.body, {.max_bytes = kMaximumManifest});
  return body && string_member(member(*body, "subject"), "digest") == digest;
}

}  // namespace

Result<EvidenceSearch> find_evidence(const OciRepository& repository, const std::string& digest,
                                     std::stop_token stop) {
  Search search(repository, stop);
  const auto referrers = list_referrers(repository, digest, {}, stop);
  if (!referrers) return fail(referrers.error());
  for (const auto& each : referrers->list) {
    if (!may_hold_evidence(each.artifact_type)) continue;
    const auto where = repository.at(each.digest).str();
    const auto manifest = repository.manifest(each.digest, stop);
    if (!manifest) {
      search.problem(where, manifest.error());
    } else if (!*manifest || !refers_to(**manifest, digest)) {
      search.problem(where, Error(ErrorKind::NotFound, "it is not there, or about something else"));
    } else {
      search.read(**manifest, where);
    }
  }
  if (referrers->cut_off) search.answer.problems.emplace_back("there are more than 100 referrers");
  for (const char* suffix : {".sig", ".att"}) {
    const auto tag = referrers_tag(digest) + suffix;
    const auto where = fmt::format("{}:{}", repository.name(), tag);
    const auto tagged = repository.tagged(tag, stop);
    if (!tagged) {
      search.problem(where, tagged.error());
    } else if (*tagged) {
      search.read((*tagged)->manifest, where);
    }
  }
  return std::move(search.answer);
}

}  // namespace bailey
