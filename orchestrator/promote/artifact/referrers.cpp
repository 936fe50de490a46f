#include "orchestrator/promote/artifact/referrers.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr std::string_view kEmpty = "{}";
constexpr int kMaximumRounds = 100;
constexpr int kMaximumFailures = 20;
constexpr int kMaximumAttempts = 5;

std::string cut(std::string_view text, std::size_t length) {
  std::string out(text.substr(0, length));
  for (char& c : out) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '.' || c == '-';
    if (!fits) c = '-';
  }
  return out;
}

// Beside the index, so that it is found, and a name that only this manifest has.
std::string own_tag(const std::string& subject, const std::string& digest) {
  constexpr std::size_t kHex = 32;
  return referrers_tag(subject) + "." + digest.substr(digest.find(':') + 1, kHex);
}

bool has(const std::vector<Descriptor>& list, const std::string& subject, const std::string& tag) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Descriptor& each) { return own_tag(subject, each.digest) == tag; });
}

bool is_own_tag(const std::string& subject, const std::string& tag) {
  const auto rest = tag.substr(referrers_tag(subject).size() + 1);
  return rest.size() == 32 && rest.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void keep_type(std::vector<Descriptor>& list, const std::string& artifact_type) {
  if (artifact_type.empty()) return;
  std::erase_if(list, [&](const Descriptor& each) { return each.artifact_type != artifact_type; });
}

Result<std::vector<Descriptor>> listed_in(std::string_view body) {
  const auto value = parse_json(body, {.max_bytes = kMaximumManifest});
  if (!value) return fail(value.error());
  return descriptors_in(*value, "manifests");
}

struct Index {
  std::vector<Descriptor> list;
  OciRepository::Condition condition;
};

Result<Index> read_index(const OciRepository& repository, const std::string& subject,
                         std::stop_token stop) {
  auto found = repository.tagged(referrers_tag(subject), stop);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return Index{{}, {.etag = {}, .absent = true}};
  if (!(*found)->manifest.index) {
    return fail(
        Error(ErrorKind::FailedPrecondition, fmt::format("{}:{} is no index of referrers",
                                                         repository.name(), referrers_tag(subject)))
            .with_code("registry.foreign-tag"));
  }
  auto list = listed_in((*found)->manifest.body);
  if (!list) return fail(std::move(list.error()));
  return Index{*std::move(list), {.etag = (*found)->etag, .absent = false}};
}

Descriptor describe(const ArtifactManifest& manifest) {
  Descriptor out;
  out.media_type = manifest.media_type;
  out.digest = manifest.reference.digest;
  out.size = manifest.body.size();
  const auto body = parse_json(manifest.body);
  if (!body) return out;
  out.artifact_type = artifact_type_of(*body);
  for (const auto& [name, text] : member(*body, "annotations").items()) {
    if (text.is_string()) out.annotations[name] = text.get<std::string>();
  }
  return out;
}

// What others are adding at this moment; one whose tag is not whole yet looks for itself.
Result<bool> add_announced(const OciRepository& repository, const std::string& subject,
                           std::vector<Descriptor>& list, std::stop_token stop) {
  auto tags = repository.tags(referrers_tag(subject) + ".", stop);
  if (!tags) return fail(std::move(tags.error()));
  bool added = false;
  for (const auto& tag : *tags) {
    if (!is_own_tag(subject, tag) || has(list, subject, tag)) continue;
    auto found = repository.tagged(tag, stop);
    if (!found) return fail(std::move(found.error()));
    if (!*found || own_tag(subject, (*found)->manifest.reference.digest) != tag) continue;
    list.push_back(describe((*found)->manifest));
    added = true;
  }
  return added;
}

// One look at the index, and what was missing in it written; true when nothing was.
Result<bool> mend_index(const OciRepository& repository, const std::string& subject,
                        std::stop_token stop) {
  auto index = read_index(repository, subject, stop);
  if (!index) return fail(std::move(index.error()));
  const auto added = add_announced(repository, subject, index->list, stop);
  if (!added) return fail(added.error());
  if (!*added) return true;
  Json manifests = Json::array();
  for (const auto& each : index->list) manifests.push_back(to_json(each));
  const Json body{
      {"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", std::move(manifests)}};
  const auto put = repository.put_manifest(referrers_tag(subject), kOciIndex, body.dump(),
                                           index->condition, stop);
  if (!put && put.error().kind() != ErrorKind::Conflict) return fail(put.error());
  return false;
}

// Registries on a plain file system answer 500 to whoever reads a tag while another one writes it.
Status keep_index(const OciRepository& repository, const std::string& subject,
                  std::stop_token stop) {
  int failures = 0;
  for (int round = 0; round < kMaximumRounds; ++round) {
    const auto whole = mend_index(repository, subject, stop);
    if (whole && *whole) return {};
    if (whole) continue;
    if (whole.error().kind() != ErrorKind::Unavailable || ++failures == kMaximumFailures) {
      return fail(whole.error());
    }
  }
  return fail(Error(ErrorKind::Unavailable, "the index of referrers is written by too many at once")
                  .with_code("registry.contended"));
}

Status put_all(const OciRepository& repository, const std::map<std::string, std::string>& blobs,
               const std::string& subject, const ArtifactManifest& manifest, std::stop_token stop) {
  for (const auto& [digest, bytes] : blobs) {
    if (auto put = repository.put_blob(digest, bytes, stop); !put) return put;
  }
  return put_referrer(repository, subject, manifest, stop);
}

}  // namespace

std::string referrers_tag(std::string_view digest) {
  constexpr std::size_t kAlgorithm = 32;
  constexpr std::size_t kEncoded = 64;
  const auto colon = std::min(digest.find(':'), digest.size());
  const auto encoded = digest.substr(std::min(colon + 1, digest.size()));
  return cut(digest.substr(0, colon), kAlgorithm) + "-" + cut(encoded, kEncoded);
}

Result<Referrers> list_referrers(const OciRepository& repository, const std::string& digest,
                                 const std::string& artifact_type, std::stop_token stop) {
  const auto frame = "looking for what refers to " + repository.at(digest).str();
  auto path = "/referrers/" + digest;
  if (!artifact_type.empty()) path += "?artifactType=" + percent_encode(artifact_type);
  const auto response = repository.get(path, stop);
  if (!response) return fail(Error(response.error()).in(frame));
  Referrers found;
  if (response->status == 200) {
    auto list = listed_in(response->body);
    if (!list) return fail(std::move(list.error()).in(frame));
    found.list = *std::move(list);
    found.cut_off = response->header("link").has_value();
  } else if (response->status == 404) {
    auto index = read_index(repository, digest, stop);
    if (!index) return fail(std::move(index.error()).in(frame));
    found.list = std::move(index->list);
  } else {
    return fail(registry_failure(*response, "the registry").in(frame));
  }
  // A registry may take no notice of the filter.
  keep_type(found.list, artifact_type);
  if (found.list.size() > kMaximumReferrers) {
    found.list.resize(kMaximumReferrers);
    found.cut_off = true;
  }
  return found;
}

Status put_referrer(const OciRepository& repository, const std::string& subject,
                    const ArtifactManifest& manifest, std::stop_token stop) {
  const auto& digest = manifest.reference.digest;
  const auto put = repository.put_manifest(digest, manifest.media_type, manifest.body, {}, stop);
  if (!put) return fail(put.error());
  if (put->knows_subject) return {};
  const auto announced = repository.put_manifest(own_tag(subject, digest), manifest.media_type,
                                                 manifest.body, {}, stop);
  if (!announced) return fail(announced.error());
  return keep_index(repository, subject, stop);
}

Result<std::string> attach(const OciRepository& repository, const ArtifactManifest& subject,
                           const Attachment& attachment, std::stop_token stop) {
  const auto frame = "attaching to " + subject.reference.str();
  const auto layer = digest_of(std::string_view(attachment.bytes));
  const auto empty = digest_of(kEmpty);
  Json body{{"schemaVersion", 2},
            {"mediaType", kOciManifest},
            {"artifactType", attachment.artifact_type},
            {"config", {{"mediaType", kEmptyType}, {"digest", empty}, {"size", kEmpty.size()}}},
            {"layers", Json::array({Json{{"mediaType", attachment.media_type},
                                         {"digest", layer},
                                         {"size", attachment.bytes.size()}}})},
            {"subject",
             {{"mediaType", subject.media_type},
              {"digest", subject.reference.digest},
              {"size", subject.body.size()}}}};
  if (!attachment.annotations.empty()) body["annotations"] = attachment.annotations;
  ArtifactManifest manifest;
  manifest.body = body.dump();
  manifest.media_type = kOciManifest;
  manifest.reference = repository.at(digest_of(std::string_view(manifest.body)));
  const std::map<std::string, std::string> blobs{{empty, std::string(kEmpty)},
                                                 {layer, attachment.bytes}};
  for (int attempt = 1;; ++attempt) {
    auto put = put_all(repository, blobs, subject.reference.digest, manifest, stop);
    if (put) return manifest.reference.digest;
    // A blob that another writer is putting there as well is unknown for a moment.
    const auto kind = put.error().kind();
    if (attempt == kMaximumAttempts ||
        (kind != ErrorKind::Unavailable && kind != ErrorKind::Protocol)) {
      return fail(std::move(put.error()).in(frame));
    }
  }
}

}  // namespace bailey
