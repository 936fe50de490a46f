#include "orchestrator/promote/artifact/copy_artifact.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/artifact/referrers.hpp"

#include <fmt/format.h>

#include <set>

namespace bailey {

namespace {

constexpr int kMaximumDepth = 4;
constexpr std::uint64_t kMaximumReferrerBlob = 64U * 1024 * 1024;

tl::unexpected<Error> too_deep() {
  return fail(Error(ErrorKind::Refused, "indexes lie in each other too deep")
                  .with_code("artifact.too-deep"));
}

/// One copy: what was seen once is not looked at again.
class Copy {
 public:
  Copy(const OciRepository& from, const OciRepository& to, CopyReport& report, std::stop_token stop)
      : from_(from), to_(to), report_(report), stop_(std::move(stop)) {}

  /// The manifest, from where it is: the target where that has it.
  Result<ArtifactManifest> find(const std::string& digest) {
    auto there = to_.manifest(digest, stop_);
    if (!there) return fail(std::move(there.error()));
    if (*there) return **std::move(there);
    auto here = from_.manifest(digest, stop_);
    if (!here) return fail(std::move(here.error()));
    if (*here) return **std::move(here);
    return fail(Error(ErrorKind::NotFound,
                      fmt::format("neither {} nor {} has {}", from_.name(), to_.name(), digest))
                    .with_code("artifact.missing"));
  }

  /// Parts before wholes, so that a manifest in the target never names what is not there.
  Status write(const ArtifactManifest& manifest, int depth) {
    if (depth > kMaximumDepth) return too_deep();
    if (auto parts = write_parts(manifest, depth); !parts) return parts;
    if (manifest.reference.name() == to_.name()) return {};
    const auto put =
        to_.put_manifest(manifest.reference.digest, manifest.media_type, manifest.body, {}, stop_);
    if (!put) return fail(put.error());
    ++report_.manifests;
    return {};
  }

  /// Reads everything back from the target.
  Status verify(const std::string& digest, int depth) {
    if (depth > kMaximumDepth) return too_deep();
    if (!verified_.insert(digest).second) return {};
    const auto manifest = to_.manifest(digest, stop_);
    if (!manifest) return fail(manifest.error());
    if (!*manifest)
      return fail(ErrorKind::NotFound, fmt::format("{} is not in {}", digest, to_.name()));
    report_.verified_bytes += (*manifest)->body.size();
    const auto parts = parts_of(**manifest);
    if (!parts) return fail(parts.error());
    for (const auto& part : parts->manifests) {
      if (auto fine = verify(part.digest, depth + 1); !fine) return fine;
    }
    for (const auto& part : parts->blobs) {
      if (!verified_.insert(part.digest).second) continue;
      auto fine = to_.read_blob(
          part, [](std::string_view) { return Status(); }, stop_);
      if (!fine) return fine;
      report_.verified_bytes += part.size;
    }
    return {};
  }

  struct Parts {
    std::vector<Descriptor> manifests;
    std::vector<Descriptor> blobs;
  };
  static Result<Parts> parts_of(const ArtifactManifest& manifest) {
    const auto body = parse_json(manifest.body, {.max_bytes = kMaximumManifest});
    if (!body) return fail(body.error());
    Parts parts;
    if (manifest.index) {
      auto list = descriptors_in(*body, "manifests");
      if (!list) return fail(std::move(list.error()));
      for (const auto& each : *list) {
        if (is_manifest_type(each.media_type)) continue;
        return fail(
            Error(ErrorKind::Unsupported,
                  fmt::format("the index names a \"{}\", which cannot be copied", each.media_type))
                .with_code("artifact.unknown-part"));
      }
      parts.manifests = *std::move(list);
      return parts;
    }
    for (const char* name : {"config", "layers"}) {
      auto list = descriptors_in(*body, name);
      if (!list) return fail(std::move(list.error()));
      parts.blobs.insert(parts.blobs.end(), list->begin(), list->end());
    }
    return parts;
  }

  Status write_blob(const Descriptor& blob) {
    if (!written_.insert(blob.digest).second) return {};
    const auto there = to_.has_blob(blob.digest, stop_);
    if (!there) return fail(there.error());
    if (*there) {
      ++report_.present;
      return {};
    }
    if (from_.registry() == to_.registry()) {
      const auto mounted = to_.mount_blob(blob.digest, from_.path(), stop_);
      // Who may not read the source with this credential gets the bytes the other way.
      if (mounted && *mounted) {
        ++report_.mounted;
        return {};
      }
    }
    auto sent = to_.write_blob(
        blob, [&](const OciRepository::Sink& sink) { return from_.read_blob(blob, sink, stop_); },
        stop_);
    if (sent) ++report_.copied;
    return sent;
  }

 private:
  Status write_parts(const ArtifactManifest& manifest, int depth) {
    const auto parts = parts_of(manifest);
    if (!parts) return fail(parts.error());
    for (const auto& part : parts->manifests) {
      if (!written_.insert(part.digest).second) continue;
      auto found = find(part.digest);
      if (!found) return fail(std::move(found.error()));
      if (auto done = write(*found, depth + 1); !done) return done;
    }
    for (const auto& part : parts->blobs) {
      if (auto done = write_blob(part); !done) return done;
    }
    return {};
  }

  const OciRepository& from_;
  const OciRepository& to_;
  CopyReport& report_;
  std::stop_token stop_;
  std::set<std::string> written_;
  std::set<std::string> verified_;
};

Status copy_parts(Copy& copy, const ArtifactManifest& manifest) {
  const auto parts = Copy::parts_of(manifest);
  if (!parts) return fail(parts.error());
  if (manifest.index) {
    return fail(
        Error(ErrorKind::Unsupported, "an index refers to it").with_code("artifact.unknown-part"));
  }
  for (const auto& blob : parts->blobs) {
    if (blob.size > kMaximumReferrerBlob) {
      return fail(
          Error(ErrorKind::Refused, "it is larger than 64 MiB").with_code("artifact.too-large"));
    }
    if (auto done = copy.write_blob(blob); !done) return done;
  }
  return {};
}

}  // namespace

Result<CopyReport> copy_artifact(const OciRepository& from, const OciRepository& to,
                                 const std::string& digest, std::stop_token stop) {
  const auto frame = fmt::format("copying {} to {}", from.at(digest).str(), to.name());
  CopyReport report;
  Copy copy(from, to, report, std::move(stop));
  auto manifest = copy.find(digest);
  if (!manifest) return fail(std::move(manifest.error()).in(frame));
  if (auto written = copy.write(*manifest, 0); !written) {
    return fail(std::move(written.error()).in(frame));
  }
  if (auto verified = copy.verify(digest, 0); !verified) {
    return fail(std::move(verified.error()).in("reading back what was copied").in(frame));
  }
  return report;
}

void copy_referrers(const OciRepository& from, const OciRepository& to, const std::string& digest,
                    CopyReport& report, std::stop_token stop) {
  const auto left_out = [&](const std::string& what, const Error& error) {
    report.left_out.push_back(what + ": " + error.message());
  };
  Copy copy(from, to, report, stop);
  const auto referrers = list_referrers(from, digest, {}, stop);
  if (!referrers) return left_out("all", referrers.error());
  if (referrers->cut_off) report.left_out.emplace_back("what is beyond the first hundred");
  const auto known = list_referrers(to, digest, {}, stop);
  std::set<std::string> there;
  if (known) {
    for (const auto& each : known->list) there.insert(each.digest);
  }
  for (const auto& each : referrers->list) {
    if (there.contains(each.digest)) continue;
    const auto manifest = from.manifest(each.digest, stop);
    Status done = manifest ? Status() : Status(fail(manifest.error()));
    if (done && !*manifest) done = fail(ErrorKind::NotFound, "it is not there");
    if (done) done = copy_parts(copy, **manifest);
    if (done) done = put_referrer(to, digest, **manifest, stop);
    if (!done) {
      left_out(each.digest, done.error());
      continue;
    }
    ++report.referrers;
  }
  for (const char* suffix : {".sig", ".att"}) {
    const auto tag = referrers_tag(digest) + suffix;
    const auto tagged = from.tagged(tag, stop);
    if (tagged && !*tagged) continue;
    Status done = tagged ? copy_parts(copy, (*tagged)->manifest) : Status(fail(tagged.error()));
    if (done) {
      const auto& manifest = (*tagged)->manifest;
      const auto put = to.put_manifest(tag, manifest.media_type, manifest.body, {}, stop);
      if (!put) done = fail(put.error());
    }
    if (!done) {
      left_out(tag, done.error());
      continue;
    }
    ++report.referrers;
  }
}

}  // namespace bailey
