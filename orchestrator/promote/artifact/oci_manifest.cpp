#include "orchestrator/promote/artifact/oci_manifest.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>
#include <array>

namespace bailey {

namespace {

constexpr std::size_t kMaximumDescriptors = 1000;

struct MediaType {
  std::string_view name;
  bool index = false;
};
constexpr std::array<MediaType, 4> kMediaTypes{{
    {kOciManifest, false},
    {kOciIndex, true},
    {"application/vnd.docker.distribution.manifest.v2+json", false},
    {"application/vnd.docker.distribution.manifest.list.v2+json", true},
}};

const MediaType* find_type(std::string_view name) {
  const auto found = std::find_if(kMediaTypes.begin(), kMediaTypes.end(),
                                  [&](const MediaType& type) { return type.name == name; });
  return found == kMediaTypes.end() ? nullptr : found;
}

tl::unexpected<Error> not_manifest(std::string why) {
  return fail(Error(ErrorKind::Protocol, "the registry answered no manifest: " + std::move(why))
                  .with_code("artifact.no-manifest"));
}

Result<Descriptor> read_descriptor(const Json& value) {
  Descriptor out;
  out.media_type = string_member(value, "mediaType");
  out.digest = string_member(value, "digest");
  out.artifact_type = string_member(value, "artifactType");
  if (!is_digest(out.digest)) return not_manifest("it refers to something without SHA-256 digest");
  const auto& size = member(value, "size");
  if (!size.is_number_unsigned()) return not_manifest("it refers to something without size");
  out.size = size.get<std::uint64_t>();
  for (const auto& [name, text] : member(value, "annotations").items()) {
    if (text.is_string()) out.annotations[name] = text.get<std::string>();
  }
  return out;
}

}  // namespace

std::string accepted_manifests() {
  std::vector<std::string> names;
  for (const auto& type : kMediaTypes) names.emplace_back(type.name);
  return join(names, ", ");
}

bool is_manifest_type(std::string_view media_type) {
  return find_type(media_type) != nullptr;
}

// The digest fixes the bytes but not how they are read: what the body says it is, the header says
// it is, and what its members are have to be one thing.
Result<ArtifactManifest> read_manifest(const ArtifactReference& reference,
                                       std::string_view content_type, std::string body_text) {
  if (body_text.size() > kMaximumManifest) return not_manifest("it is larger than 4 MiB");
  if (digest_of(std::string_view(body_text)) != reference.digest) {
    return fail(
        Error(ErrorKind::Refused, "the registry answered other bytes than the digest stands for")
            .with_code("artifact.digest-mismatch"));
  }
  const auto body = parse_json(body_text, {.max_bytes = kMaximumManifest});
  if (!body) return not_manifest(body.error().message());
  const std::string header_type(trim(content_type.substr(0, content_type.find(';'))));
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
  return ArtifactManifest{reference, header_type, type->index, std::move(body_text)};
}

Result<std::vector<Descriptor>> descriptors_in(const Json& manifest, std::string_view name) {
  const auto& value = member(manifest, name);
  std::vector<Descriptor> out;
  if (value.is_null()) return out;
  const Json one = value.is_array() ? Json() : Json::array({value});
  const auto& list = value.is_array() ? value : one;
  if (list.size() > kMaximumDescriptors) return not_manifest("it refers to too many things");
  for (const auto& item : list) {
    auto read = read_descriptor(item);
    if (!read) return fail(std::move(read.error()));
    out.push_back(*std::move(read));
  }
  return out;
}

Json to_json(const Descriptor& descriptor) {
  Json out{{"mediaType", descriptor.media_type},
           {"digest", descriptor.digest},
           {"size", descriptor.size}};
  if (!descriptor.artifact_type.empty()) out["artifactType"] = descriptor.artifact_type;
  if (!descriptor.annotations.empty()) out["annotations"] = descriptor.annotations;
  return out;
}

std::string artifact_type_of(const Json& manifest) {
  auto type = string_member(manifest, "artifactType");
  return type.empty() ? string_member(member(manifest, "config"), "mediaType") : type;
}

}  // namespace bailey
