#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/artifact/oci_manifest.hpp"
#include "orchestrator/promote/artifact/registry_session.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// How much of a blob is in memory at a time.
inline constexpr std::size_t kBlobChunk = 4U * 1024 * 1024;

/// One repository of a registry, read and written (OCI distribution specification 1.1). What comes
/// back is believed only by its digest. Thread-safe.
class OciRepository {
 public:
  /// `name` is the path without the host; the session outlives this.
  OciRepository(RegistrySession& session, std::string name)
      : session_(session), name_(std::move(name)) {}

  [[nodiscard]] const std::string& path() const noexcept { return name_; }
  [[nodiscard]] const std::string& registry() const noexcept { return session_.registry(); }
  /// `HOST[:PORT]/PATH`.
  [[nodiscard]] std::string name() const { return registry() + "/" + name_; }
  [[nodiscard]] ArtifactReference at(std::string digest) const {
    return {registry(), name_, std::move(digest)};
  }

  /// By digest; nothing when the repository does not have it.
  [[nodiscard]] Result<std::optional<ArtifactManifest>> manifest(const std::string& digest,
                                                                 std::stop_token stop = {}) const;

  struct Tagged {
    ArtifactManifest manifest;
    std::string etag;  ///< As the registry gave it; may be empty.
  };
  /// What a tag points at now; nothing when there is no such tag.
  [[nodiscard]] Result<std::optional<Tagged>> tagged(const std::string& tag,
                                                     std::stop_token stop = {}) const;
  /// The tags that begin so, of at most 10,000 in the repository.
  [[nodiscard]] Result<std::vector<std::string>> tags(std::string_view prefix,
                                                      std::stop_token stop = {}) const;

  struct Condition {
    std::string etag;     ///< Only in place of this one, where the registry keeps to such things.
    bool absent = false;  ///< Only where there is none.
  };
  struct Put {
    bool knows_subject = false;  ///< The registry keeps referrers by itself (`OCI-Subject`).
  };
  /// `reference` is the digest of `body`, or a tag. Conflict when `condition` does not hold and the
  /// registry says so; many take no notice of it.
  [[nodiscard]] Result<Put> put_manifest(const std::string& reference, std::string_view media_type,
                                         const std::string& body, const Condition& condition,
                                         std::stop_token stop = {}) const;

  [[nodiscard]] Result<bool> has_blob(const std::string& digest, std::stop_token stop = {}) const;
  /// Takes a blob over from another repository of the same registry without moving bytes. False
  /// when the registry does not do so; nothing is left behind then.
  [[nodiscard]] Result<bool> mount_blob(const std::string& digest, const std::string& from,
                                        std::stop_token stop = {}) const;
  /// In one piece; nothing is sent when it is there.
  [[nodiscard]] Status put_blob(const std::string& digest, const std::string& bytes,
                                std::stop_token stop = {}) const;
  /// In one piece; refused beyond `limit` bytes.
  [[nodiscard]] Result<std::string> blob(const Descriptor& descriptor, std::size_t limit,
                                         std::stop_token stop = {}) const;

  using Sink = std::function<Status(std::string_view piece)>;
  /// Reads a blob in pieces of kBlobChunk. Refused with `artifact.digest-mismatch` at the end when
  /// size or digest are not those of the descriptor: whatever the sink did with it is worth
  /// nothing.
  [[nodiscard]] Status read_blob(const Descriptor& descriptor, const Sink& sink,
                                 std::stop_token stop = {}) const;
  /// Writes a blob piece by piece as `source` gives them to its sink. The registry refuses what has
  /// not the digest; a failure leaves at most an upload that the registry forgets by itself.
  [[nodiscard]] Status write_blob(const Descriptor& descriptor,
                                  const std::function<Status(const Sink&)>& source,
                                  std::stop_token stop = {}) const;

  /// A GET below this repository, such as `/referrers/sha256:...`.
  [[nodiscard]] Result<HttpResponse> get(const std::string& path, std::stop_token stop = {}) const;

 private:
  [[nodiscard]] std::string url(std::string_view path) const;
  [[nodiscard]] Result<HttpResponse> send(HttpRequest request, std::stop_token stop) const;
  [[nodiscard]] Result<HttpResponse> get_manifest(const std::string& reference,
                                                  std::stop_token stop) const;
  [[nodiscard]] Result<std::string> begin_upload(std::stop_token stop) const;

  RegistrySession& session_;
  std::string name_;
};

}  // namespace bailey
